"""Task, Song, Lyrics and the rest."""

import pickle

import pytest

from suno_async.protocol.intents import Intent
from suno_async.protocol.models import Lyrics, Song, Status, Task

URL = "https://cdn1.suno.ai/c.mp3"


@pytest.mark.parametrize("status", list(Status), ids=str)
def test_only_success_and_failure_are_final(status):
    """Exactly SUCCESS and FAILURE are done, one of them succeeded, the other failed."""
    task = Task(task_id="t", status=status)
    assert task.done == (status in {"SUCCESS", "FAILURE"})
    assert task.succeeded == (status == "SUCCESS")
    assert task.failed == (status == "FAILURE")


@pytest.mark.parametrize(
    ("url", "status", "playable", "broken"),
    [
        (URL, "complete", True, False),
        (URL, "streaming", True, False),
        (URL, "", True, False),
        ("", "complete", False, False),
        (URL, "error", False, True),
        (URL, "ERROR", False, True),
        (URL, "failed", False, True),
        (URL, "FAILURE", False, True),
        ("", "error", False, True),
    ],
)
def test_a_song_is_playable_if_it_can_be_heard(url, status, playable, broken):
    """A song with an address that is not in error is playable; one in error is broken."""
    song = Song(audio_url=url, status=status)
    assert song.playable is playable
    assert song.broken is broken


def test_a_task_is_playable_with_one_song():
    """One song that can be heard makes a task playable, whatever its status."""
    good, bad = Song(audio_url=URL), Song(status="error")
    assert Task(task_id="t", status=Status.IN_PROGRESS, songs=(bad, good)).playable
    assert Task(task_id="t", status=Status.FAILURE, songs=(good, bad)).playable
    assert not Task(task_id="t", status=Status.SUCCESS, songs=(bad,)).playable
    assert not Task(task_id="t").playable


def test_lyrics_are_playable_at_success():
    """Words can be used once their task has succeeded, not before."""
    words = Lyrics(text="la")
    assert Task(task_id="t", status=Status.SUCCESS, lyrics=words).playable
    assert not Task(task_id="t", status=Status.IN_PROGRESS, lyrics=words).playable


def test_raw_is_the_payload():
    """``raw`` holds everything the gateway sent, known to us or not; what cannot be read is None."""
    assert Task(task_id="t", payload=b'{"task_id":"t","group":"vip"}').raw == {"task_id": "t", "group": "vip"}
    assert Task(task_id="t", payload=b'{"n":NaN}').raw == {"n": None}
    assert Task(task_id="t").raw is None
    assert Task(task_id="t", payload=b"<").raw is None


@pytest.mark.parametrize(
    ("task", "shown"),
    [
        (Task(task_id="t"), "Task('t', UNKNOWN)"),
        (
            Task(task_id="t", status=Status.SUCCESS, status_text="complete", action="MUSIC", songs=(Song(), Song())),
            "Task('t', complete, MUSIC, 2 songs)",
        ),
        (Task(task_id="t", status=Status.SUCCESS, lyrics=Lyrics(title="Cat")), "Task('t', SUCCESS, 'Cat')"),
        (Task(task_id="t", status=Status.FAILURE, fail_reason="no"), "Task('t', FAILURE, no)"),
    ],
    ids=["bare", "songs", "lyrics", "failed"],
)
def test_the_repr_of_a_task_is_short(task, shown):
    """A task shows its id, status, action and what it made."""
    assert repr(task) == shown


def test_the_repr_of_a_task_keeps_the_account_out_of_logs():
    """Cost, user and channel are in no repr, although the payload has them."""
    task = Task(task_id="t", quota=54321, payload=b'{"user_id":98765,"channel_id":1}')
    assert "54321" not in repr(task)
    assert "98765" not in repr(task)


def test_a_task_pickles():
    """A task comes out of a pickle equal to itself."""
    task = Task(task_id="t", songs=(Song(id="c", audio_url=URL),), lyrics=Lyrics(text="la"))
    assert pickle.loads(pickle.dumps(task)) == task  # noqa: S301 - our own bytes


@pytest.mark.parametrize(
    "value",
    [Task(task_id="t"), Song(), Lyrics(), Intent(action="music", body=b"", sent=False)],
    ids=lambda value: type(value).__name__,
)
def test_the_structs_are_frozen(value):
    """Nobody changes what a gateway told."""
    with pytest.raises(AttributeError, match="immutable"):
        setattr(value, value.__struct_fields__[0], "x")


def test_an_intent_knows_little_at_first():
    """A submission without an answer has no status, no request id and no excerpt."""
    intent = Intent(action="music", body=b"{}", sent=True)
    assert (intent.status, intent.request_id, intent.excerpt) == (0, None, "")


def test_a_task_shows_a_gateways_words_in_one_safe_line():
    """Its repr holds no control or direction character, and is short, whatever was sent."""
    wild = "\x1b]8;;x\x07\n\u202e\u061c" + "w" * 5000
    task = Task(task_id="a", action=wild, status_text=wild, fail_reason=wild, lyrics=Lyrics(title=wild, text=""))
    assert repr(task).isprintable()
    assert len(repr(task)) < 600


def test_a_long_task_has_a_short_repr():
    """Of words that are too long to be read, 40 characters are shown, and 80 of a title."""
    task = Task(task_id="t", status_text="x" * 50, action="A" * 50, lyrics=Lyrics(title="c" * 90))
    assert repr(task) == f"Task('t', {'x' * 40}, {'A' * 40}, '{'c' * 80}')"
