"""The slow path: every shape of task that gateways have been seen to answer with, as the same structs.

Sources: new-api 2025 and 2026, Suno-API (Go) whose single fetch gives the payload alone, forks that pass on
sunoapi.org, and the documents of aggregators; each oddity is explained where it is handled.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import msgspec

from .lenient import moment, number, percent, read_json, snake, text
from .models import Lyrics, Song, Status, Task
from .rows import MOST_CLIPS, MOST_ROWS, heard

STATUSES = {
    **{status.value.lower(): status for status in Status},
    "fail": Status.FAILURE,  # docs.newapi.pro
    "failed": Status.FAILURE,
    "error": Status.FAILURE,
    "cancelled": Status.FAILURE,
    "canceled": Status.FAILURE,
    "rejected": Status.FAILURE,
    "expired": Status.FAILURE,
    "timeout": Status.FAILURE,
    "40": Status.FAILURE,  # numbers: taskBatchId backends
    "complete": Status.SUCCESS,
    "completed": Status.SUCCESS,
    "succeeded": Status.SUCCESS,
    "succeed": Status.SUCCESS,
    "done": Status.SUCCESS,
    "finished": Status.SUCCESS,
    "30": Status.SUCCESS,
    "pending": Status.QUEUED,
    "queueing": Status.QUEUED,
    "waiting": Status.QUEUED,
    "processing": Status.IN_PROGRESS,
    "running": Status.IN_PROGRESS,
    "streaming": Status.IN_PROGRESS,
    "text_success": Status.IN_PROGRESS,  # sunoapi.org, passed on by forks
    "first_success": Status.IN_PROGRESS,
    "20": Status.IN_PROGRESS,
}
_FAILING = ("_failed", "_error", "_exception")  # CREATE_TASK_FAILED, SENSITIVE_WORD_ERROR, CALLBACK_EXCEPTION
TASK_IDS = ("task_id", "task_batch_id", "job_id")
_CLIP_IDS = ("clip_id", "music_id", "song_id")
_AUDIO = ("audio_url", "cld2_audio_url", "source_audio_url", "song_url", "stream_audio_url", "source_stream_audio_url")
_PAYLOADS = ("data", "clips", "items", "songs", "musics", "suno_data", "response", "output", "result")
_ENVELOPE = frozenset({"code", "message", "msg", "success", "status", "state", "progress", *TASK_IDS})
_NOTHING = frozenset({"", "null", "none"})
_SUNG = frozenset({"MUSIC", "LYRICS"})
UNDER_WAY = frozenset({Status.NOT_START, Status.SUBMITTED, Status.QUEUED, Status.IN_PROGRESS})
_DEPTH = 4
_LAYERS = 8
"""Of an answer that is opened from the outside in; K4U's reach six."""


def status_of(word: str) -> Status:
    """What a status word means; words nobody has explained are UNKNOWN, which is not final."""
    folded = word.strip().lower()
    found = STATUSES.get(folded)
    if found is not None:
        return found
    return Status.FAILURE if folded.endswith(_FAILING) else Status.UNKNOWN


def read_tasks(document: Any, most: int = 1000) -> list[Task]:
    """Every task in a decoded answer, up to ``most``; a payload without a task id is one task, whose id is "".

    An empty list means that the answer tells about no task at all.
    """
    outer: dict[str, Any] = {}
    value = document
    for _ in range(_DEPTH):
        if not isinstance(value, dict):
            break
        fields = snake(value)
        if _is_task(fields):
            return [_task(value, outer)]
        if _is_payload(fields) or "data" not in fields:
            break
        outer = outer | fields
        value = _opened(fields["data"])
    if isinstance(value, list):
        return _from_list(value, outer, most)
    if isinstance(value, dict) and value and _is_payload(snake(value)):
        return [_task({"data": value}, outer)]
    return []


def layers(document: Any) -> Iterator[Any]:
    """What a decoded answer says, from the outside in: itself, what it holds, what that holds; JSON in texts is opened.

    After a list comes its first item.
    """
    value = _opened(document)
    for _ in range(_LAYERS):
        yield value
        if isinstance(value, dict):
            value = next(filter(None, _held(value)), None)
        else:
            value = _opened(value[0]) if isinstance(value, list) and value else None
        if value is None:
            return


def read_songs(value: Any) -> tuple[Song, ...]:
    """The songs that one layer of an answer is: a clip, a list of clips or a map of them; what holds layers is none."""
    if isinstance(value, dict) and any(map(_holds, _held(value))):
        return ()
    return tuple(map(_song, _clips(value)))


def _held(value: dict[str, Any]) -> Iterator[Any]:
    fields = snake(value)
    return (_opened(fields.get(key)) for key in _PAYLOADS)


def _from_list(items: list[Any], outer: dict[str, Any], most: int) -> list[Task]:
    rows = [item for item in islice(items, MOST_ROWS) if isinstance(item, dict)]
    tasks = [row for row in rows if _is_task(snake(row))]
    if tasks:
        return [_task(row, {}) for row in islice(tasks, most)]
    return [_task({"data": items}, outer)] if any(_is_payload(snake(row)) for row in rows) else []


def _is_task(fields: dict[str, Any]) -> bool:
    # clips of some gateways carry a task_id of their own: "<task>_1"
    named = any(isinstance(fields.get(key), str | int) for key in TASK_IDS)
    clip = any(fields.get(key) for key in _CLIP_IDS) or any(key in fields for key in _AUDIO)
    return named and not clip


def _is_payload(fields: dict[str, Any]) -> bool:
    audio = any(key in fields for key in (*_AUDIO, "audio"))
    words = isinstance(fields.get("text"), str) or isinstance(fields.get("lyrics"), str)
    held = any(isinstance(fields.get(key), list | dict) for key in _PAYLOADS if key not in {"data", "response"})
    return audio or words or held or ("id" in fields and "status" in fields and "data" not in fields)


def _opened(value: Any) -> Any:
    """Text that is itself JSON, opened (sunoapi.org keeps whole answers in strings)."""
    if isinstance(value, str) and value[:1] in {"{", "["}:
        try:
            return read_json(value.encode())
        except ValueError:
            return value
    return value


def _task(row: dict[str, Any], outer: dict[str, Any]) -> Task:
    fields = snake(row)
    payload = _payload(fields)
    songs = tuple(map(_song, _clips(payload)))
    lyrics = None if songs else _lyrics(payload)
    progress = percent(fields.get("progress"), outer.get("progress"))
    word, status = _status(fields, outer, songs, progress)
    reason = text(fields.get("fail_reason"), fields.get("error_message"), fields.get("fail_msg"))
    if not reason and status is Status.FAILURE:
        reason = text(*(song.error_message for song in songs))
    return Task(
        task_id=text(*(fields.get(key) for key in TASK_IDS)),
        action=text(fields.get("action"), fields.get("type")).upper(),
        status=status,
        status_text=word,
        progress=progress,
        fail_reason=reason,
        submit_time=moment(fields.get("submit_time"), fields.get("created_at")),
        start_time=moment(fields.get("start_time"), fields.get("started_at")),
        finish_time=moment(fields.get("finish_time"), fields.get("finished_at")),
        songs=songs,
        lyrics=lyrics,
        quota=number(fields.get("quota")),
        payload=msgspec.json.encode(row),
    )


def _payload(fields: dict[str, Any]) -> Any:
    """What the task has made so far: the innermost of its nested envelopes (yunwu wraps a {code, data} in data)."""
    value: Any = fields
    for _ in range(_DEPTH):
        if not isinstance(value, dict):
            break
        inner = snake(value)
        held = next((item for item in (_opened(inner.get(key)) for key in _PAYLOADS) if _holds(item)), None)
        if held is None or (value is not fields and _is_made(inner)):
            break
        value = held
    return None if value is fields else value


def _holds(value: Any) -> bool:
    return isinstance(value, dict | list) and bool(value)


def _is_made(inner: dict[str, Any]) -> bool:
    return any(key in inner for key in _AUDIO) or isinstance(inner.get("text"), str)


def has_made(row: dict[str, Any]) -> bool:
    """True if a task holds anything that is neither song nor words nor an empty envelope: a persona, a wav, a video.

    Clips and words in places where they are not read count as nothing, and so does what is still under way. What says
    that it is a song, or lyrics, and holds neither has lost them on the way: another look may show them.
    """
    fields = snake(row)
    if text(fields.get("action")).upper() in _SUNG:
        return False
    return any(_is_thing(fields.get(key), _DEPTH) for key in _PAYLOADS)


def _is_thing(value: Any, depth: int) -> bool:
    value = _opened(value)
    if isinstance(value, str):
        # JSON that could not be opened is unread
        return value.strip().lower() not in _NOTHING and value[:1] not in {"{", "["}
    if isinstance(value, list):
        return depth > 0 and any(_is_item(item, depth - 1) for item in islice(value, MOST_CLIPS))
    if isinstance(value, dict):
        return depth > 0 and _is_thing_of(snake(value), depth - 1)
    return value is not None


def _is_item(value: Any, depth: int) -> bool:
    return not (isinstance(value, dict) and _is_listed_clip(snake(value))) and _is_thing(value, depth)


def _is_thing_of(fields: dict[str, Any], depth: int) -> bool:
    words = "text" in fields or "lyrics" in fields
    if words or _is_clip(fields) or status_of(text(fields.get("status"), fields.get("state"))) in UNDER_WAY:
        return False
    held = [fields[key] for key in _PAYLOADS if key in fields]
    if any(_is_thing(value, depth) for value in held):
        return True
    # an empty envelope may count its rows and pages, and what has a title may be words whose text is damaged: beside
    # these, only an address is a thing
    plain = not held and "title" not in fields
    rest = {key: value for key, value in fields.items() if key not in _ENVELOPE and key not in _PAYLOADS}
    return any(value and (plain or key.endswith("url")) for key, value in rest.items())


def _clips(payload: Any) -> list[dict[str, Any]]:
    if isinstance(payload, dict):
        fields = snake(payload)
        return [fields] if _is_clip(fields) else _mapped_clips(payload)
    if not isinstance(payload, list):
        return []
    some = islice(payload, MOST_CLIPS)
    return [row for item in some if isinstance(item, dict) and _is_listed_clip(row := snake(item))]


def _mapped_clips(payload: dict[str, Any]) -> list[dict[str, Any]]:
    """The clips in a map from clip id to clip (GoAPI); something else in it spoils none of them."""
    rows = [snake(item) for item in islice(payload.values(), MOST_CLIPS) if isinstance(item, dict)]
    clips = [row for row in rows if _is_listed_clip(row)]
    sure = len(clips) == len(rows) or any(_is_clip(clip) for clip in clips)
    return clips if sure and not _is_made(snake(payload)) else []


def _is_clip(fields: dict[str, Any]) -> bool:
    if isinstance(fields.get("text"), str):
        return False
    return any(key in fields for key in (*_AUDIO, *_CLIP_IDS)) or ("id" in fields and "metadata" in fields)


def _is_listed_clip(fields: dict[str, Any]) -> bool:
    """Among others, a clip may have no address yet; alone, an id and a status may be an upload's."""
    if _is_clip(fields):
        return True
    bare = "id" in fields and "status" in fields and not isinstance(fields.get("text"), str)
    return bare and not any(fields.get(key) for key in ("video_url", "wav_url", "wav_file_url", "url"))


def _song(clip: dict[str, Any]) -> Song:
    meta = clip.get("metadata")
    meta = snake(meta) if isinstance(meta, dict) else {}
    # a number is no address, though it can be written as text
    addresses = (heard(text(value)) for key in (*_AUDIO, "url") if isinstance(value := clip.get(key), str | list))
    return Song(
        id=text(clip.get("id"), *(clip.get(key) for key in _CLIP_IDS)),
        title=text(clip.get("title")),
        audio_url=text(*addresses),
        video_url=text(clip.get("video_url"), clip.get("cld2_video_url")),
        image_url=text(clip.get("image_url"), clip.get("cld2_image_url")),
        image_large_url=text(clip.get("image_large_url")),
        duration=number(meta.get("duration")) or number(clip.get("duration")) or None,
        tags=text(meta.get("tags"), clip.get("tags")),
        prompt=text(meta.get("prompt"), clip.get("prompt"), clip.get("lyric")),
        model=text(clip.get("model_name"), clip.get("mv"), clip.get("model")),
        status=text(clip.get("status"), clip.get("state")),
        error_message=text(meta.get("error_message"), clip.get("error_message"), meta.get("error_type")),
        created_at=moment(clip.get("created_at"), clip.get("create_time")),
    )


def _lyrics(payload: Any) -> Lyrics | None:
    if isinstance(payload, list) and payload:
        payload = payload[0]
    if not isinstance(payload, dict):
        return None
    fields = snake(payload)
    words = text(fields.get("text"), fields.get("lyrics"))
    if not words:
        return None
    return Lyrics(
        id=text(fields.get("id")),
        title=text(fields.get("title")),
        text=words,
        tags=text(fields.get("tags")),
        status=text(fields.get("status")),
    )


def _status(
    fields: dict[str, Any], outer: dict[str, Any], songs: Iterable[Song], progress: int | None
) -> tuple[str, Status]:
    """The task's own word wins; else the envelope's; else what its clips say."""
    for holder in (fields, outer):
        word = text(holder.get("status"), holder.get("state"), holder.get("task_status"))
        status = status_of(word)
        if word and not (holder is outer and status is Status.FAILURE and _goes_on(fields, progress)):
            return word, status
    payload = _payload(fields)
    words = [song.status for song in songs if song.status]
    if not words and isinstance(payload, dict):
        words = [text(snake(payload).get("status"))]
    found = {status_of(word) for word in words if word}
    if found and found <= {Status.SUCCESS}:
        return "", Status.SUCCESS
    if Status.FAILURE in found and found <= {Status.FAILURE, Status.SUCCESS}:
        return "", Status.FAILURE
    if not found and progress == 100 and any(song.playable for song in songs):
        return "", Status.SUCCESS
    return "", Status.IN_PROGRESS if found or progress is not None else Status.UNKNOWN


def _goes_on(fields: dict[str, Any], progress: int | None) -> bool:
    """A row of its own that is not at its end: an envelope's "error" is about the look, not about the task."""
    named = any(fields.get(key) for key in TASK_IDS)
    return named and progress != 100 and moment(fields.get("finish_time"), fields.get("finished_at")) is None
