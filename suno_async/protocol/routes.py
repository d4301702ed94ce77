"""The routes: everything a gateway can be asked for, in the order in which people look for it.

Paths are as stock gateways and most others spell them; `profiles` turns them into those of a gateway that differs.
"""

from enum import Enum
from typing import Literal

import msgspec

from .acts import (
    Decoder,
    read_aligned,
    read_clip_id,
    read_feed,
    read_midi,
    read_mp4,
    read_nothing,
    read_persona,
    read_slot,
    read_stems,
    read_tags,
    read_upload,
    read_wav,
)
from .balance import read_subscription, read_usage
from .exchange import Request
from .requests import (
    Concat,
    Cover,
    Custom,
    Extend,
    Inspiration,
    PersonaSong,
    ReplaceSection,
    Stems,
    Submission,
    WriteLyrics,
)


class Family(Enum):
    """Which gateways have a route."""

    STOCK = "stock"
    """new-api and Suno-API as they are published."""
    PRIVATE = "private"
    """Many aggregators, by code that is not published; a stock gateway answers 503 or a web page."""


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to ask for."""

    name: str
    method: Literal["GET", "POST"]
    path: str
    """With a ``{name}`` for each part that is filled in."""
    family: Family
    verb: str
    """What a caller writes; "" where nothing in the client asks for it."""
    about: str
    bodies: tuple[type, ...] = ()
    """The structs that are submitted here."""
    read: Decoder | None = None
    """How `acts.told` reads an answer; None where it is read elsewhere, or as it is."""
    once: bool = False
    """It may cost or create something, so it is never asked for a second time on its own."""

    def request(self, body: bytes | None = None, **parts: str) -> Request:
        """The request; parts must have been checked, they go into the path as they are."""
        return Request(self.method, self.path.format_map(parts), body)


_STOCK, _PRIVATE = Family.STOCK, Family.PRIVATE
_SUBMIT = "await suno.submit({})".format
_UPLOAD = "await suno.upload(path)"

_TABLE = (
    Route(
        name="music",
        method="POST",
        path="/suno/submit/music",
        family=_STOCK,
        verb=_SUBMIT("Custom(words, ...)"),
        about="a song: of your words, of a description (Inspiration), or another one continued (Extend)",
        bodies=(Inspiration, Custom, Extend),
        once=True,
    ),
    Route(
        name="edits",
        method="POST",
        path="/suno/submit/music",
        family=_PRIVATE,
        verb=_SUBMIT("Cover(clip_id, ...)"),
        about="a song in another style, a part sung anew (ReplaceSection), PersonaSong, Stems",
        bodies=(Cover, ReplaceSection, PersonaSong, Stems),
        once=True,
    ),
    Route(
        name="concat",
        method="POST",
        path="/suno/submit/concat",
        family=_PRIVATE,
        verb=_SUBMIT("Concat(clip_id)"),
        about="a song and its continuation joined into one",
        bodies=(Concat,),
        once=True,
    ),
    Route(
        name="lyrics",
        method="POST",
        path="/suno/submit/lyrics",
        family=_STOCK,
        verb=_SUBMIT("WriteLyrics(prompt)"),
        about="words without a song",
        bodies=(WriteLyrics,),
        once=True,
    ),
    Route(
        name="submit",
        method="POST",
        path="/suno/submit/{action}",
        family=_PRIVATE,
        verb=_SUBMIT("Submission(action, body)"),
        about="any other action of a gateway, with a body of your own",
        bodies=(Submission,),
        once=True,
    ),
    Route(
        name="fetch",
        method="GET",
        path="/suno/fetch/{task_id}",
        family=_STOCK,
        verb="await suno.fetch(task_id)",
        about="one task as it is now",
    ),
    Route(
        name="fetch_many",
        method="POST",
        path="/suno/fetch",
        family=_STOCK,
        verb="await suno.fetch_many(task_ids)",
        about="many tasks in one request",
    ),
    Route(
        name="feed",
        method="GET",
        path="/suno/feed/{clip_ids}",
        family=_PRIVATE,
        verb="await suno.feed(clip_ids)",
        about="songs by their own ids, without their tasks",
        read=read_feed,
    ),
    Route(
        name="wav",
        method="GET",
        path="/suno/act/wav/{clip_id}",
        family=_PRIVATE,
        verb="await suno.wav(clip_id)",
        about="the address of a song's WAV file",
        read=read_wav,
    ),
    Route(
        name="mp4",
        method="GET",
        path="/suno/act/mp4/{clip_id}",
        family=_PRIVATE,
        verb="await suno.mp4(clip_id)",
        about="the address of a song's video",
        read=read_mp4,
    ),
    Route(
        name="timing",
        method="GET",
        path="/suno/act/timing/{clip_id}",
        family=_PRIVATE,
        verb="await suno.timing(clip_id)",
        about="when each word of a song is sung, also as .lrc and .srt",
        read=read_aligned,
    ),
    Route(
        name="midi",
        method="GET",
        path="/suno/act/midi/{clip_id}",
        family=_PRIVATE,
        verb="await suno.midi(clip_id)",
        about="the notes of a song, instrument by instrument",
        read=read_midi,
    ),
    Route(
        name="stems",
        method="GET",
        path="/suno/act/stems/{clip_id}",
        family=_PRIVATE,
        verb="await suno.stems(clip_id)",
        about="voice and instruments of a song as songs of their own",
        read=read_stems,
    ),
    Route(
        name="tags",
        method="POST",
        path="/suno/act/tags",
        family=_PRIVATE,
        verb="await suno.upsample_tags(text)",
        about="a style in a few words made into a rich description",
        read=read_tags,
        once=True,
    ),
    Route(
        name="persona",
        method="POST",
        path="/suno/persona/create/",
        family=_PRIVATE,
        verb="await suno.create_persona(clip_id, name=...)",
        about="a singer made from a song, for more songs",
        read=read_persona,
        once=True,
    ),
    Route(
        name="upload_url",
        method="POST",
        path="/suno/uploads/audio-url",
        family=_PRIVATE,
        verb="await suno.upload(url)",
        about="audio from an address made into a clip",
        read=read_clip_id,
        once=True,
    ),
    Route(
        name="upload_slot",
        method="POST",
        path="/suno/uploads/audio",
        family=_PRIVATE,
        verb=_UPLOAD,
        about="a file, or its bytes, made into a clip, in five steps",
        read=read_slot,
    ),
    Route(
        name="upload_finish",
        method="POST",
        path="/suno/uploads/audio/{upload_id}/upload-finish",
        family=_PRIVATE,
        verb=_UPLOAD,
        about="step 3 of 5: it is there",
        read=read_nothing,
    ),
    Route(
        name="upload_status",
        method="GET",
        path="/suno/uploads/audio/{upload_id}",
        family=_PRIVATE,
        verb=_UPLOAD,
        about="step 4 of 5: whether it has been taken in",
        read=read_upload,
    ),
    Route(
        name="upload_clip",
        method="POST",
        path="/suno/uploads/audio/{upload_id}/initialize-clip",
        family=_PRIVATE,
        verb=_UPLOAD,
        about="step 5 of 5: the clip it has become",
        read=read_clip_id,
        once=True,
    ),
    Route(
        name="chat",
        method="POST",
        path="/v1/chat/completions",
        family=_PRIVATE,
        verb='suno.chat(prompt, model="suno-v3")',
        about="a song by chatting, as OpenAI's clients do",
        once=True,
    ),
    Route(
        name="subscription",
        method="GET",
        path="/dashboard/billing/subscription",
        family=_STOCK,
        verb="await suno.balance()",
        about="what the key may spend, has spent and has left",
        read=read_subscription,
    ),
    Route(
        name="usage",
        method="GET",
        path="/dashboard/billing/usage",
        family=_STOCK,
        verb="await suno.balance()",
        about="what the key has spent",
        read=read_usage,
    ),
    Route(
        name="charges",
        method="GET",
        path="/api/log/token",
        family=_STOCK,
        verb="await suno.reconcile()",
        about="what became of submissions of which nobody could tell",
    ),
    Route(
        name="tasks",
        method="GET",
        path="/api/task/self",
        family=_STOCK,
        verb="await suno.reconcile()",
        about="the tasks of the account, with its own access token",
    ),
    Route(
        name="models",
        method="GET",
        path="/v1/models",
        family=_STOCK,
        verb="",
        about="which models the key may use; suno_music is among them where songs can be made",
    ),
)

ROUTES: dict[str, Route] = {route.name: route for route in _TABLE}
