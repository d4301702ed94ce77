"""The acts of a gateway beside its tasks, such as a wav of a clip: what each answer tells, whatever its shape.

The shapes are those of gpt-best, yunwu, K4U, CometAPI, DeerAPI, APICore, ccapi and rixapi: bare, in envelopes, in
lists, as text that holds JSON, at once, later, or as a task.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeAlias, TypeVar

import msgspec

from .dialects import TASK_IDS, UNDER_WAY, layers, read_songs, status_of
from .errors import ConfigurationError, RequestRejected, UnexpectedResponse
from .exchange import Answer, Broken
from .inputs import is_task_id
from .lenient import Unreadable, excerpt, number, one_line, read_json, snake, text
from .materials import Instrument, Midi, Note, Persona, Slot, Uploaded
from .models import Song, Status
from .refusals import Kind, Trouble, error_words, rejection, trouble_of, trouble_of_broken
from .rows import MOST_CLIPS, heard
from .timing import Timing, read_timing

_ADDRESS = re.compile(r"https?://[^\s\x00-\x1f\x7f-\x9f]{1,4000}", re.IGNORECASE).fullmatch
_LEAST_NUMBER, _MOST_NUMBER, _LONG = 10**15, 2**63 - 1, 16
"""As for submissions: numbers between these may be ids, and so may long texts and those with a digit."""
_WAVS = ("wav_file_url", "wav_url", "audio_wav_url", "wav", "url")
_MP4S = ("mp4_file_url", "mp4_url", "mp4", "video_url", "url")
_CLIP_IDS = ("clip_id", "music_id", "song_id")
_OF_PERSONAS = ("name", "root_clip_id", "clip", "persona_clips")
_STEMS = {"vocals": ("vocals", "vocal_url", "vocal_audio_url"), "instrumental": ("instrumental", "instrumental_url")}
_MOST_NOTES, _LONGEST = 20_000, 1000
_NOT_YET = frozenset({"timing"})
"""Acts that say ``task_not_exist`` while they are at work (yunwu, K4U)."""
_AGAIN = frozenset({408, 409, 425})
_UNKNOWN_CLIP = re.compile(r"(?i)(clip|song|music|audio)s?[ _]((is|was|does)[ _])?not[ _](found|exist)").search
_BROKEN = re.compile(r"5[0-9]{2}").fullmatch

T = TypeVar("T")


class Later(msgspec.Struct, frozen=True):
    """It is being made: ask again after so many seconds."""

    after: float = 3.0


class Made(msgspec.Struct, frozen=True):
    """It comes as a task: wait for that, then read its ``raw`` with the same decoder."""

    task_id: str


Reading: TypeAlias = T | Later | Made | RequestRejected | None
"""What a decoded answer tells; None for one of no known shape, RequestRejected where the work has failed."""
Decoder: TypeAlias = Callable[[Any], Reading[Any]]


class Asked(Protocol):
    """What must be known of a route to judge its answers."""

    @property
    def name(self) -> str:
        """Its name in the table."""

    @property
    def method(self) -> str:
        """GET or POST."""

    @property
    def read(self) -> Decoder | None:
        """How its answers are read; None: as they are."""


def told(answer: Answer | Broken, route: Asked, *, gateway: str, path: str, readable: bool) -> Any:
    """What the answer to an act tells: the value, Later, Made, or the Trouble there is; it never raises.

    Trouble is worth another request where its kind is OUTAGE or LIMITED and it is not ``routeless``. ``gateway`` is the
    host and ``path`` what was asked for, to be named in errors; ``readable`` says that this host has answered in JSON.
    """
    place = f"{route.method} {one_line(path)} at {one_line(gateway)}"
    if isinstance(answer, Broken):
        return _placed(trouble_of_broken(answer), place)
    document, whole = _document(answer.body)
    said = error_words(document)
    hundreds = answer.status // 100
    if whole and said is None and hundreds == 2:
        return _value(answer, document, route.read, place)
    trouble = trouble_of(answer)
    if trouble.kind is Kind.MISSING and route.name in _NOT_YET:
        return Later()
    if isinstance(document, dict) and hundreds != 3:
        return _placed(_refusal(answer, trouble, said), place)
    return _placed(trouble if trouble.kind is not Kind.ELSEWHERE else _page(answer, trouble, readable), place)


def _document(body: bytes) -> tuple[Any, bool]:
    """The document, and True if there is one; no body at all says nothing, which is something."""
    try:
        return read_json(body), True
    except Unreadable:
        return None, not body.strip()


def _value(answer: Answer, document: Any, read: Decoder | None, place: str) -> Any:
    value = document if read is None else read(document)
    if isinstance(value, RequestRejected):
        value.status = answer.status
        return _placed(Trouble(Kind.REJECTED, value, readable=True), place)
    if value is not None:
        return value
    # whoever has the address of a slot may write there
    shown = "it is not shown" if read is read_slot else excerpt(answer.body)
    message = f"the answer has no shape that is known: {shown or 'it is empty'}"
    error = UnexpectedResponse(message, excerpt=shown, status=answer.status)
    return _placed(Trouble(Kind.NO_NEWS, error, readable=True), place)


def _refusal(answer: Answer, trouble: Trouble, said: tuple[str, str] | None) -> Trouble:
    """A "no" in JSON: unlike a look at a task, an act is over with it, whatever the status."""
    code, message = said or ("", excerpt(answer.body))
    broken = answer.status >= 500 or answer.status in _AGAIN or (answer.status // 100 == 2 and _BROKEN(code))
    missing = trouble.kind is Kind.MISSING or _UNKNOWN_CLIP(f"{code} {message[:_LONGEST]}") is not None
    if trouble.kind in {Kind.KEY, Kind.LIMITED} or (trouble.kind is Kind.OUTAGE and broken and not missing):
        return trouble
    error = rejection(answer, one_line(code, 80), one_line(message))
    kind = Kind.MISSING if missing else Kind.REJECTED
    return msgspec.structs.replace(trouble, kind=kind, error=error, readable=True)


def _page(answer: Answer, trouble: Trouble, readable: bool) -> Trouble:
    """A page or a redirect: from a gateway it means that it has no such act, from any other host a wrong base URL."""
    # what a redirect's page says of where it leads may be more than its host
    shown = "" if answer.status // 100 == 3 else excerpt(answer.body)
    if not readable:
        words = f"{trouble.error}; or it has no such endpoint; it answered: {shown or 'nothing'}"
        return msgspec.structs.replace(trouble, error=ConfigurationError(words))
    message = f"this gateway has no such endpoint, or something else answers in front of it ({answer.status})"
    error = RequestRejected(f"{message}: {shown}" if shown else message, status=answer.status, message=shown)
    return msgspec.structs.replace(trouble, kind=Kind.REJECTED, error=error, routeless=True)


def _placed(trouble: Trouble, place: str) -> Trouble:
    """The same trouble, whose error says where it was met."""
    error = trouble.error
    return msgspec.structs.replace(trouble, error=type(error)(f"{place}: {error}", **vars(error)))


def _read(document: Any, pick: Callable[[Any], T | None]) -> Reading[T]:
    """The first layer of an answer that says how far it is, or holds what is looked for."""
    task_id, done, value = "", False, None
    for value in layers(document):
        fields = snake(value) if isinstance(value, dict) else {}
        named = text(*(fields.get(key) for key in TASK_IDS))
        task_id = named if is_task_id(named) else task_id
        status = status_of(text(fields.get("status"), fields.get("state"), fields.get("task_status")))
        if status is Status.FAILURE:
            return _failed(fields)
        if status in UNDER_WAY:
            return Made(task_id) if task_id else Later()
        found = pick(fields or value)
        if found is not None:
            return found
        done = done or status is Status.SUCCESS
    if _is_id(value):
        return Made(str(value))
    # a task that is done and holds nothing will not hold more when it is asked again
    return Made(task_id) if task_id and not done else None


def _failed(fields: dict[str, Any]) -> RequestRejected:
    keys = ("fail_reason", "error_message", "fail_msg", "error", "message", "msg")
    reason = one_line(text(*(fields.get(key) for key in keys)))
    return RequestRejected(f"the gateway could not make it: {reason or 'no reason given'}", message=reason)


def _is_id(value: Any) -> bool:
    if isinstance(value, str):
        return is_task_id(value) and (len(value) >= _LONG or any(letter.isdigit() for letter in value))
    return type(value) is int and _LEAST_NUMBER <= value <= _MOST_NUMBER


def _address(*values: Any) -> str | None:
    """The first value that is an http address of something."""
    for value in values:
        if isinstance(value, str) and _ADDRESS(value.strip()) and heard(value.strip()):
            return value.strip()
    return None


def _file(value: Any, keys: Sequence[str]) -> str | Later | None:
    """An address, or Later where the place for one is still empty."""
    empty = isinstance(value, dict) and any(value.get(key, 0) in (None, "") for key in keys[:3])
    return _named(value, keys) or (Later() if empty else None)


def _named(value: Any, keys: Iterable[str]) -> str | None:
    return _address(*(value.get(key) for key in keys)) if isinstance(value, dict) else _address(value)


def read_wav(document: Any) -> Reading[str]:
    """The address of a clip's WAV file."""
    return _read(document, lambda value: _file(value, _WAVS))


def read_mp4(document: Any) -> Reading[str]:
    """The address of a clip's video."""
    return _read(document, lambda value: _file(value, _MP4S))


def read_aligned(document: Any) -> Reading[Timing]:
    """When each word of a clip is sung."""
    return _read(document, read_timing)


def read_tags(document: Any) -> Reading[str]:
    """A style, described better."""
    return _read(document, lambda value: text(value.get("upsampled_tags")) or None if isinstance(value, dict) else None)


def read_stems(document: Any) -> Reading[tuple[Song, ...]]:
    """The clips that a clip was taken apart into; some gateways name them before they can be heard."""
    return _read(document, _stems)


def _stems(value: Any) -> tuple[Song, ...] | None:
    songs = read_songs(value)
    if songs or not isinstance(value, dict):
        return songs or None
    parts = {name: _named(value, keys) for name, keys in _STEMS.items()}
    return tuple(Song(title=name, audio_url=url, status="complete") for name, url in parts.items() if url) or None


def read_feed(document: Any) -> Reading[list[Song]]:
    """The clips that were asked for, as far as the gateway knows them, in its order."""
    seen = list(layers(document))
    songs = next(filter(None, map(read_songs, seen)), None)
    if songs is not None:
        return list(songs)
    return [] if _knows_none(seen[-1]) else _read(document, lambda _: None)


def _knows_none(value: Any) -> bool:
    if isinstance(value, dict):
        return any(value[key] in (None, []) for key in ("data", "clips") if key in value)
    return isinstance(value, list) and not value


def read_midi(document: Any) -> Reading[Midi]:
    """The notes of a clip."""
    return _read(document, _midi)


def _midi(value: Any) -> Midi | None:
    rows = value.get("instruments") if isinstance(value, dict) else None
    if not isinstance(rows, list):
        return None
    left, instruments = _MOST_NOTES, []
    for row in rows[:MOST_CLIPS]:
        if isinstance(row, dict):
            notes = row.get("notes")
            some = notes[:left] if isinstance(notes, list) else []
            left -= len(some)
            instruments.append(Instrument(text(row.get("name")), tuple(filter(None, map(_note, some)))))
    return Midi(tuple(instruments))


def _note(row: Any) -> Note | None:
    fields = snake(row) if isinstance(row, dict) else {}
    pitch, start, end = (number(fields.get(key), fields.get(f"{key}_s")) for key in ("pitch", "start", "end"))
    if pitch is None or start is None or end is None:
        return None
    return Note(pitch, start, end, number(fields.get("velocity")) or 0.0)


def read_persona(document: Any) -> Reading[Persona]:
    """The persona that was made."""
    return _read(document, _persona)


def _persona(value: Any) -> Persona | None:
    fields = value if isinstance(value, dict) else {}
    name = text(fields.get("persona_id"), fields.get("id") if any(key in fields for key in _OF_PERSONAS) else None)
    if not name:
        return None
    rows = fields.get("persona_clips")
    clips = (
        (row.get("clip", row) for row in rows[:MOST_CLIPS] if isinstance(row, dict)) if isinstance(rows, list) else ()
    )
    public = fields.get("is_public")
    return Persona(
        id=name,
        name=text(fields.get("name")),
        description=text(fields.get("description")),
        root_clip_id=text(fields.get("root_clip_id")),
        clip_ids=tuple(filter(None, (text(clip.get("id")) for clip in clips if isinstance(clip, dict)))),
        is_public=public if isinstance(public, bool) else None,
    )


def read_slot(document: Any) -> Reading[Slot]:
    """Where to put a file."""
    return _read(document, _slot)


def _slot(value: Any) -> Slot | None:
    fields = value if isinstance(value, dict) else {}
    name, url, given = (
        text(fields.get("id"), fields.get("upload_id")),
        _address(fields.get("url")),
        fields.get("fields"),
    )
    if not is_task_id(name) or url is None:
        return None
    return Slot(name, url, {key: text(item) for key, item in given.items()} if isinstance(given, dict) else {})


def read_upload(document: Any) -> Reading[Uploaded]:
    """How far a gateway is with a file; a refused one ("matches an existing recording") has failed."""
    return _read(document, _uploaded)


def _uploaded(value: Any) -> Any:
    fields = value if isinstance(value, dict) else {}
    name, word = text(fields.get("id"), fields.get("upload_id")), text(fields.get("status"), fields.get("state"))
    if not name or not word:
        return None
    if status_of(word) is not Status.SUCCESS:
        # Suno has words of its own for the steps between: passed_audio_processing, passed_artist_moderation
        return Later()
    return Uploaded(name, text(fields.get("title")), text(fields.get("image_url")))


def read_clip_id(document: Any) -> Reading[str]:
    """The id of the clip that an upload became."""
    return _read(document, _clip_id)


def _clip_id(value: Any) -> str | None:
    fields = value if isinstance(value, dict) else {}
    bare = fields.get("id") if "s3_id" in fields else None
    found = text(*(fields.get(key) for key in _CLIP_IDS), *(song.id for song in read_songs(value)), bare)
    return found if is_task_id(found) else None


def read_nothing(document: Any) -> Reading[bool]:
    """True for any answer that tells of no failure: there is nothing else to be read in it."""
    found = _read(document, lambda _: None)
    return found if isinstance(found, RequestRejected) else True
