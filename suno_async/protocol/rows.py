"""The rows of stock gateways, typed: what new-api and Suno-API write, field by field, and the task each one is.

Whatever does not fit these types is for `dialects`, which makes the same task of it, only slower.
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

from .lenient import moment, percent, text
from .models import FAILURE, Lyrics, Song, Status, Task

MOST_ROWS = 20_000
"""Of one answer: nobody asks for more ids in one look, and the rest is not read."""
MOST_CLIPS = 1000
"""Of one task; two are usual, and whatever else an answer holds is not read."""
_PERCENTS = {f"{number}%": number for number in range(101)}
_MILLISECONDS = 10**11
_LONGEST = 2.0**53


class Metadata(msgspec.Struct, gc=False):
    """What a clip keeps one level down."""

    tags: str | None = None
    prompt: str | None = None
    duration: float | None = None
    error_type: str | None = None
    error_message: str | None = None


class Clip(msgspec.Struct, gc=False):
    """A song on the wire."""

    id: str
    audio_url: str
    title: str | None = None
    video_url: str | None = None
    image_url: str | None = None
    image_large_url: str | None = None
    status: str | None = None
    state: str | None = None
    model_name: str | None = None
    mv: str | None = None
    metadata: Metadata | None = None
    tags: str | None = None
    prompt: str | None = None
    duration: float | None = None
    error_message: str | None = None
    created_at: str | None = None


class Words(msgspec.Struct, gc=False):
    """The lyrics on the wire."""

    text: str
    id: str | None = None
    title: str | None = None
    tags: str | None = None
    status: str | None = None


class Row(msgspec.Struct, gc=False):
    """A task on the wire, whole."""

    task_id: str
    status: str
    data: list[Clip] | Words | None = None
    action: str = ""
    fail_reason: str = ""
    progress: str = ""
    submit_time: int = 0
    start_time: int = 0
    finish_time: int = 0
    quota: int | None = None


read_row = msgspec.json.Decoder(Row).decode
"""A Row from its JSON; raises ValueError or RecursionError for one that has another shape."""


class Times(msgspec.Struct, gc=False):
    """When a gateway says that something happened to a row, in Unix seconds, or whatever it writes."""

    submit_time: Any = None
    start_time: Any = None
    finish_time: Any = None
    updated_at: Any = None


read_times = msgspec.json.Decoder(Times).decode
"""The Times of a row, whatever else is in it; raises as read_row does."""


def task_of(row: Row, status: Status, payload: bytes) -> Task:
    """The task a row tells of; ``payload`` is the row as it came."""
    made: Any = row.data
    songs = tuple(map(_song, made[:MOST_CLIPS])) if isinstance(made, list) else ()
    reason = row.fail_reason
    if not reason and status is FAILURE:
        reason = text(*(song.error_message for song in songs))
    return Task(
        task_id=row.task_id,
        action=row.action.upper(),
        status=status,
        status_text=row.status,
        progress=_PERCENTS[row.progress] if row.progress in _PERCENTS else percent(row.progress),
        fail_reason=reason,
        submit_time=_time(row.submit_time) if row.submit_time else None,
        start_time=_time(row.start_time) if row.start_time else None,
        finish_time=_time(row.finish_time) if row.finish_time else None,
        songs=songs,
        lyrics=_lyrics(made) if isinstance(made, Words) and made.text else None,
        quota=row.quota,
        payload=payload,
    )


def heard(address: str) -> str:
    """An address of audio; "" for what gateways write where there is none: "None", "null", ".../None.mp3"."""
    # clips in error have been seen with ".../None.mp3"
    if address.endswith("None.mp3"):
        return ""
    return "" if not address.startswith("http") and address.strip().lower() in {"none", "null"} else address


@lru_cache(1024)
def _time(stamp: int) -> datetime | None:
    """The time of a number that should be seconds since 1970."""
    return datetime.fromtimestamp(stamp, UTC) if 0 < stamp < _MILLISECONDS else moment(stamp)


def _length(seconds: float | None) -> float | None:
    """A length that can be one; 0 is none."""
    return seconds if seconds and abs(seconds) <= _LONGEST else None


def _lyrics(words: Words) -> Lyrics:
    return Lyrics(
        id=words.id or "",
        title=words.title or "",
        text=words.text,
        tags=words.tags or "",
        status=words.status or "",
    )


_NO_METADATA = Metadata()


def _song(clip: Clip) -> Song:
    meta = clip.metadata or _NO_METADATA
    return Song(
        id=clip.id,
        title=clip.title or "",
        audio_url=heard(clip.audio_url),
        video_url=clip.video_url or "",
        image_url=clip.image_url or "",
        image_large_url=clip.image_large_url or "",
        duration=_length(meta.duration) or _length(clip.duration),
        tags=meta.tags or clip.tags or "",
        prompt=meta.prompt or clip.prompt or "",
        model=clip.model_name or clip.mv or "",
        status=clip.status or clip.state or "",
        error_message=meta.error_message or clip.error_message or meta.error_type or "",
        created_at=moment(clip.created_at) if clip.created_at else None,
    )
