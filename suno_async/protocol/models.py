"""What a gateway tells about a task, as frozen structs."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from .lenient import Unreadable, one_line, read_json


class Status(StrEnum):
    """How far a task has come; only SUCCESS and FAILURE are final (new-api model/task.go)."""

    NOT_START = "NOT_START"
    SUBMITTED = "SUBMITTED"
    QUEUED = "QUEUED"
    IN_PROGRESS = "IN_PROGRESS"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    UNKNOWN = "UNKNOWN"


# a member that is looked up in its class costs ten times as much as one that has a name of its own (Python 3.11)
SUCCESS, FAILURE = Status.SUCCESS, Status.FAILURE


class Song(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One song of a task: what there is of it so far.

    Text fields are "" where the gateway gave nothing; ``duration`` is in seconds.
    """

    id: str = ""
    title: str = ""
    audio_url: str = ""
    """Where it can be heard. While it streams this is a live stream, when it is complete the file."""
    video_url: str = ""
    image_url: str = ""
    image_large_url: str = ""
    duration: float | None = None
    tags: str = ""
    prompt: str = ""
    model: str = ""
    """The model's wire name, such as ``chirp-v4``."""
    status: str = ""
    """The clip's own word: submitted, queued, streaming, complete, error and whatever else a gateway says."""
    error_message: str = ""
    created_at: datetime | None = None

    @property
    def playable(self) -> bool:
        """True if there is something to hear and the clip is not in error."""
        return bool(self.audio_url) and not self.broken

    @property
    def broken(self) -> bool:
        """True if the clip is in error: nothing more will come of it."""
        return self.status.lower() in {"error", "failed", "failure"}


class Lyrics(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The words a lyrics task wrote."""

    id: str = ""
    title: str = ""
    text: str = ""
    tags: str = ""
    status: str = ""


class Task(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One task as the gateway told it in one answer.

    A failed task keeps its songs. Times are aware datetimes in UTC, or None while they have not come.
    """

    task_id: str
    action: str = ""
    """MUSIC, LYRICS, ... in capitals; "" from new-api builds before June 2025."""
    status: Status = Status.UNKNOWN
    status_text: str = ""
    """The gateway's own word for the status, also where this client does not know it."""
    progress: int | None = None
    """0 to 100. Stock gateways say only 0 and 100 for songs (new-api dto/suno.go has no field for it)."""
    fail_reason: str = ""
    submit_time: datetime | None = None
    start_time: datetime | None = None
    finish_time: datetime | None = None
    songs: tuple[Song, ...] = ()
    lyrics: Lyrics | None = None
    quota: float | None = None
    """What it cost in the gateway's own units (new-api: 500,000 to the dollar), where it says so."""
    inferred: bool = False
    """True where FAILURE is our reading of a frozen row, not the gateway's word."""
    payload: bytes = b"null"
    """The task's JSON as the gateway sent it."""

    @property
    def raw(self) -> Any:
        """The untouched payload, decoded: everything this struct has no field for is in there."""
        try:
            return read_json(self.payload)
        except Unreadable:
            return None

    @property
    def done(self) -> bool:
        """True once nothing more will come: SUCCESS or FAILURE."""
        return self.status is SUCCESS or self.status is FAILURE

    @property
    def succeeded(self) -> bool:
        """True for SUCCESS."""
        return self.status is SUCCESS

    @property
    def failed(self) -> bool:
        """True for FAILURE."""
        return self.status is FAILURE

    @property
    def playable(self) -> bool:
        """True once a song can be heard, or the lyrics are written."""
        return any(song.playable for song in self.songs) or (self.lyrics is not None and self.succeeded)

    def __repr__(self) -> str:
        # quota, user and channel stay out of logs
        status = one_line(self.status_text, 40) or self.status.value
        shown = [repr(self.task_id), status, one_line(self.action, 40)]
        shown.append(f"{len(self.songs)} songs" if self.songs else "")
        shown.append(repr(self.lyrics.title[:80]) if self.lyrics is not None else "")
        shown.append(one_line(self.fail_reason))
        return f"Task({', '.join(filter(None, shown))})"
