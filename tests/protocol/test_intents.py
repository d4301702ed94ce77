"""Intents: what is kept of a submission."""

from datetime import UTC, datetime

import msgspec
import pytest

from suno_async.protocol.intents import FREE, Intent, IntentState, OpenTask

WHOLE = Intent(
    action="music",
    body=b'{"prompt":"\xc3\xa9"}',
    sent=True,
    status=502,
    request_id="r",
    excerpt="<html>",
    gateway="https://gateway.example",
    intent_id="i1",
    idempotency_key="k",
    fingerprint="f",
    state=IntentState.ACCEPTED,
    reason="found",
    task_id="task_1",
    created_at=datetime(2026, 11, 21, 16, 0, 0, 123456, tzinfo=UTC),
    attempted_at=datetime(2026, 11, 21, 16, 1, tzinfo=UTC),
    settled_at=datetime(2026, 11, 21, 16, 2, tzinfo=UTC),
)


def test_an_intent_comes_back_as_it_was_written():
    """Every field survives the journal's format, to the microsecond; none is left at its default here."""
    plain = Intent(action="", body=b"", sent=False)
    assert all(getattr(WHOLE, name) != getattr(plain, name) for name in Intent.__struct_fields__)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(WHOLE), type=Intent) == WHOLE


def test_an_intent_of_an_older_journal_can_be_read():
    """What an older one did not write is what it is by default; what a newer one adds is passed over."""
    record = msgspec.msgpack.encode({"action": "music", "body": b"{}", "sent": True, "state": "intended", "new": 1})
    found = msgspec.msgpack.decode(record, type=Intent)
    assert found == Intent(action="music", body=b"{}", sent=True, state=IntentState.INTENDED)
    assert (found.attempted_at, found.settled_at, found.task_id, found.fingerprint) == (None, None, None, "")


@pytest.mark.parametrize("state", IntentState)
def test_only_what_came_to_nothing_frees_its_idempotency_key(state):
    """A submission that was refused or never sent may be tried again under its name, no other one."""
    assert (state in FREE) == (state in {IntentState.REJECTED, IntentState.NOT_SENT})


def test_what_is_known_cannot_be_changed():
    """An intent and a task are values: a change makes another one."""
    for value, name in ((WHOLE, "state"), (OpenTask("g", "t", "MUSIC", 1.0, True), "age")):
        with pytest.raises(AttributeError):
            setattr(value, name, None)
    assert len({WHOLE, msgspec.structs.replace(WHOLE)}) == 1


MEANINGS = {
    "the same bytes": (b'{"prompt":"a"}', b'{"prompt":"a"}', True),
    "another order": (b'{"prompt":"a","title":"b"}', b'{"title":"b","prompt":"a"}', True),
    "another order inside": (
        b'{"metadata":{"a":[1,2],"b":{"c":1,"d":2}}}',
        b'{"metadata":{"b":{"d":2,"c":1},"a":[1,2]}}',
        True,
    ),
    "spaces and escapes": (b'{"prompt":"\xc3\xa9/"}', b'{ "prompt" : "\\u00e9\\/" }\n', True),
    "another value": (b'{"prompt":"a"}', b'{"prompt":"b"}', False),
    "one field more": (b'{"prompt":"a"}', b'{"prompt":"a","title":""}', False),
    "a list in another order": (b'{"tags":["a","b"]}', b'{"tags":["b","a"]}', False),
    "true is not 1": (b'{"make_instrumental":true}', b'{"make_instrumental":1}', False),
    "1 is not 1.0": (b'{"continue_at":1}', b'{"continue_at":1.0}', False),
    "half an emoji": (b'{"prompt":"\\ud83d","title":""}', b'{"title":"","prompt":"\\ud83d"}', True),
    "no JSON": (b"a prompt", b"a prompt", True),
    "other bytes that are no JSON": (b"a prompt", b"a  prompt", False),
    "bytes that are no text": (b"\xff\xfe\xff", b'{"prompt":"a"}', False),
    "too deep to be read": (b"[" * 10**6, b"[ " * 10**6, False),
}


@pytest.mark.parametrize(("first", "second", "same"), MEANINGS.values(), ids=MEANINGS)
def test_two_spellings_of_one_body_are_one_submission(first, second, same):
    """The order of fields and the spaces mean nothing to a gateway; whatever else differs makes another submission."""
    for body, other in ((first, second), (second, first)):
        assert Intent(action="music", body=body, sent=False).means("music", other) is same
        assert not Intent(action="music", body=body, sent=False).means("lyrics", other)
