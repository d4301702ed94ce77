"""The rows: what the simulated gateway tells about a task, as a life of states from its insertion on."""

from bisect import bisect_right
from random import Random
from typing import NamedTuple

from suno_async.protocol.models import Status

GOING, WHOLE, HOLLOW, FROZEN = "going", "whole", "hollow", "frozen"
"""What a state means for a wait: go on; the end; SUCCESS without its songs; a reason to fail without FAILURE."""


class State(NamedTuple):
    """What a row shows from some moment on."""

    task_id: str
    meaning: str
    status: Status
    row: bytes
    mark: tuple[str, str, str, bytes]
    action: str
    playable: bool
    audio: str
    """The address of its first song, if there is one to hear."""


_ROW = (
    b'{"task_id":"%s","action":"%s","status":"%s","fail_reason":"%s","progress":"%s",'
    b'"submit_time":1700000000,"start_time":0,"finish_time":0,"data":%s}'
)
_CLIP = b'{"id":"clip-%s","title":"%s","status":"%s","audio_url":"%s","metadata":{"duration":120.5,"tags":"pop"}}'
_WORDS = {"processing": Status.IN_PROGRESS, "complete": Status.SUCCESS, "DREAMING": Status.UNKNOWN}


def address(task_id: str) -> str:
    """Where the song of a task can be heard."""
    return f"https://cdn.example/{task_id}.mp3"


def _clip(task_id: str, *, audio: bool = True, status: str = "complete") -> bytes:
    name = task_id.encode()
    return _CLIP % (name, name, status.encode(), address(task_id).encode() if audio else b"")


def state(
    task_id: str,
    status: str,
    meaning: str = GOING,
    *,
    progress: str = "0%",
    reason: str = "",
    data: bytes = b"null",
    action: str = "MUSIC",
    playable: bool = False,
) -> State:
    """A state and its row as new-api writes it."""
    fields = (task_id.encode(), action.encode(), status.encode(), reason.encode(), progress.encode(), data)
    known = _WORDS[status] if status in _WORDS else Status(status)
    audio = address(task_id) if playable else ""
    mark = (status, progress, reason, data)
    return State(task_id, meaning, known, _ROW % fields, mark, action, playable, audio)


def going(task_id: str, status: str = "IN_PROGRESS", progress: str = "0%", action: str = "MUSIC") -> State:
    """Under way."""
    return state(task_id, status, progress=progress, action=action)


def streaming(task_id: str) -> State:
    """Under way, and one song can be heard already."""
    clip = b"[" + _clip(task_id, status="streaming") + b"]"
    return state(task_id, "IN_PROGRESS", progress="60%", data=clip, playable=True)


def song(task_id: str, word: str = "SUCCESS") -> State:
    """Done, with two songs."""
    clips = b"[" + _clip(task_id) + b"," + _clip(task_id) + b"]"
    return state(task_id, word, WHOLE, progress="100%", data=clips, playable=True)


def half(task_id: str) -> State:
    """SUCCESS, and the second song has no address yet."""
    clips = b"[" + _clip(task_id) + b"," + _clip(task_id, audio=False) + b"]"
    return state(task_id, "SUCCESS", HOLLOW, progress="100%", data=clips, playable=True)


def hollow(task_id: str) -> State:
    """SUCCESS, and nothing there."""
    return state(task_id, "SUCCESS", HOLLOW, progress="100%")


def failure(task_id: str, reason: str = "the singer is ill") -> State:
    """Failed."""
    return state(task_id, "FAILURE", WHOLE, progress="100%", reason=reason)


def frozen(task_id: str) -> State:
    """A reason and 100 %, and no FAILURE: it stays like that."""
    return state(task_id, "IN_PROGRESS", FROZEN, progress="100%", reason="upstream lost it")


def lyrics(task_id: str) -> State:
    """Words, no song."""
    words = b'{"id":"l","title":"%s","text":"la la la","status":"complete","tags":""}' % task_id.encode()
    return state(task_id, "SUCCESS", WHOLE, progress="100%", data=words, action="LYRICS")


class Row:
    """One task at the gateway."""

    __slots__ = ("_since", "_states", "created", "forgotten", "hidden_looks", "hidden_until", "task_id", "unseen")

    def __init__(self, task_id: str, created: float, life: "Life") -> None:
        self.task_id = task_id
        self.created = created
        self._since = [created + after for after, _ in life]
        self._states = [one for _, one in life]
        self.forgotten = False
        self.hidden_looks = 0
        """So many looks do not find it yet: the gateway inserts the row after it has answered."""
        self.unseen = 0.0
        self.hidden_until = 0.0

    def at(self, now: float) -> State | None:
        """What the row shows now; None where there is none."""
        index = bisect_right(self._since, now) - 1
        return None if index < 0 or self.forgotten or self.unseen <= now < self.hidden_until else self._states[index]

    def seen(self, now: float) -> State | None:
        """What a look finds now."""
        if self.hidden_looks > 0:
            self.hidden_looks -= 1
            return None
        return self.at(now)

    @property
    def last_change(self) -> float:
        """From then on the row stays as it is."""
        return self._since[-1] if self._since else self.created


PLAIN = ("song", "song", "song", "song", "failure", "early", "lyrics", "streams")
ODD = ("frozen", "late", "late-again", "hollow", "flip", "back", "word")


Life = list[tuple[float, State]]


def life(rng: Random, kind: str, task_id: str, longest: float) -> Life:
    """The states of a task of some kind, each with the seconds after its insertion at which it comes."""
    end = rng.uniform(0.0, longest)
    start = end * rng.uniform(0.1, 0.9)
    later = end + rng.uniform(1.0, 120.0)
    if kind == "early":
        return [(0.0, going(task_id, "SUBMITTED")), (end * 0.1, failure(task_id, "prompt refused"))]
    if kind == "lyrics":
        return [(0.0, going(task_id, "QUEUED", action="LYRICS")), (end * 0.1, lyrics(task_id))]
    if kind == "word":
        return [
            (0.0, going(task_id, "DREAMING")),
            (start, going(task_id, "processing")),
            (end, song(task_id, "complete")),
        ]
    lead = [(0.0, going(task_id, "NOT_START")), (start, going(task_id, progress="10%"))]
    return lead + _ending(kind, task_id, start, end, later)


def _ending(kind: str, task_id: str, start: float, end: float, later: float) -> Life:
    middle = (end + later) / 2
    if kind == "song":
        return [(end, song(task_id))]
    if kind == "failure":
        return [(end, failure(task_id))]
    if kind == "streams":
        return [((start + end) / 2, streaming(task_id)), (end, song(task_id))]
    return _odd_ending(kind, task_id, start, end, middle, later)


def _odd_ending(kind: str, task_id: str, start: float, end: float, middle: float, later: float) -> Life:
    endings: dict[str, Life] = {
        "frozen": [(end, frozen(task_id))],
        "late": [(end, hollow(task_id)), (middle, half(task_id)), (later, song(task_id))],
        # SUCCESS was seen and stays seen, though the row goes back to work
        "late-again": [(end, half(task_id)), (middle, going(task_id)), (later, song(task_id))],
        "hollow": [(end, hollow(task_id))],
        "flip": [(end, failure(task_id, "timed out")), (later, song(task_id))],
        "back": [
            (start * 1.01, going(task_id, "QUEUED")),
            (end, song(task_id)),
            (middle, going(task_id)),
            (later, failure(task_id)),
        ],
    }
    return endings[kind]
