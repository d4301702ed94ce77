"""What submissions and tasks of journals look like."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from suno_async import Intent, IntentState
from suno_async.extras.cli.contents import Contents, Kept, KeptTask
from suno_async.extras.cli.entries import (
    Entry,
    duration,
    entries_of,
    entry_record,
    entry_row,
    gist,
    lines_about,
    moment,
)

HERE = Path("1.journal")
THEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
GATEWAY = "https://gateway.example"


def intent(body=b'{"prompt": "a cat"}', **more):
    return Intent(action="music", body=body, sent=True, gateway=GATEWAY, intent_id="01", created_at=THEN, **more)


def task(task_id="a", status="OPEN", age=65.0, **more):
    row = {"gateway": GATEWAY, "task_id": task_id, "action": "", "status": status, "reason": "", "age": age, **more}
    return KeptTask(path=HERE, **row)


def kept(intents=(), tasks=()):
    return Kept([Contents(HERE, list(intents), {(one.gateway, one.task_id): one for one in tasks})], 0, in_use=False)


def test_entries():
    """A submission and its task are one entry; one whose task was forgotten, and a task by itself, are one each."""
    accepted, lost = intent(state=IntentState.ACCEPTED, task_id="a"), intent(task_id="gone")
    found = list(entries_of(kept([accepted, lost, intent()], [task("b"), task("a")])))
    assert [(entry.names["intent_id"], entry.names["task_id"], entry.open) for entry in found] == [
        ("01", "a", True),
        ("01", "gone", False),
        ("01", None, False),
        (None, "b", True),
    ]


def test_what_a_crash_has_left():
    """A submission without an outcome, whose process is gone, is one of which nobody can tell."""
    (found,) = entries_of(kept([intent(state=IntentState.INTENDED)]))
    assert found.intent.state is IntentState.UNKNOWN
    assert "ended before it knew" in entry_record(found)["reason"]


def test_record_of_a_submission():
    """Everything is told, the body included; what there is not is null."""
    whole = intent(state=IntentState.REJECTED, reason="no", status=400, request_id="r", idempotency_key="k")
    assert entry_record(Entry(whole, None, HERE)) == {
        "action": "MUSIC",
        "task_id": None,
        "intent_id": "01",
        "idempotency_key": "k",
        "gateway": GATEWAY,
        "when": THEN,
        "state": "rejected",
        "status": None,
        "age": None,
        "reason": "no",
        "http_status": 400,
        "request_id": "r",
        "excerpt": "",
        "body": {"prompt": "a cat"},
        "journal": "1.journal",
    }


def test_record_of_a_task():
    """A task that was only waited for has the same fields, and why it failed."""
    record = entry_record(Entry(None, task(status="FAILURE", age=None, reason="the band"), HERE))
    assert record.keys() == entry_record(Entry(intent(), None, HERE)).keys()
    assert (record["state"], record["status"], record["reason"], record["when"]) == (None, "FAILURE", "the band", None)


def test_rows():
    """A row says it in words, and nothing in it drives a terminal."""
    evil = intent(b'{"title": "\\u001b[2Jred", "prompt": "no"}', state=IntentState.NOT_SENT, idempotency_key="\x1b[1mk")
    row = {name: text.plain for name, text in entry_row(Entry(evil, None, HERE)).items()}
    assert (row["state"], row["what"], row["age"], row["idempotency_key"]) == ("not sent", "red", "", "k")
    row = {name: text.plain for name, text in entry_row(Entry(None, task(status="NOT_FOUND"), HERE)).items()}
    assert (row["state"], row["what"], row["age"], row["intent_id"]) == ("NOT FOUND", "", "65 s", "")


def test_when_a_task_was_first_waited_for():
    """It follows from its age."""
    since = Entry(None, task(age=60.0), HERE).since
    assert timedelta(seconds=60) <= datetime.now(UTC) - since < timedelta(seconds=90)
    assert since.microsecond == 0


def test_lines():
    """An unknown submission is told with all that helps to look for it at the gateway, on harmless lines."""
    lines = lines_about(
        intent(reason="no\nanswer", status=504, request_id="r-1", excerpt="<html>\x1b[2J", idempotency_key="k")
    )
    assert lines == [
        f"01  {moment(THEN)}  MUSIC  a cat",
        f"  at {GATEWAY}  key k",
        "  no answer",
        "  HTTP 504, request id r-1",
        "  answer: <html>",
    ]
    assert lines_about(intent(reason="no answer", request_id="r"))[3:] == ["  HTTP -, request id r"]
    assert lines_about(intent(reason="no answer"))[1:] == [f"  at {GATEWAY}", "  no answer"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"title": "T", "prompt": "p"}', "T"),
        (b'{"title": " ", "gpt_description_prompt": "an idea"}', "an idea"),
        (b'{"prompt": 7, "tags": "rain"}', "rain"),
        (b'{"prompt": "' + b"x" * 41 + b'"}', "x" * 39 + "…"),
        (b'{"prompt": "' + b"x" * 40 + b'"}', "x" * 40),
        (b"[1]", ""),
        (b"no json", ""),
        (b"\xff\xfe{", ""),
    ],
)
def test_gist(body, told):
    """A submission is known by the beginning of its title, or of its words."""
    assert gist(intent(body)) == told


def test_times():
    """Times are read by people, in their own zone."""
    assert (moment(None), moment(THEN)) == ("", THEN.astimezone().strftime("%Y-%m-%d %H:%M:%S"))
    told = [duration(seconds) for seconds in (0, 119, 120, 7199, 7200, 172_799, 172_800)]
    assert told == ["0 s", "119 s", "2 min", "119 min", "2 h", "47 h", "2 days"]
