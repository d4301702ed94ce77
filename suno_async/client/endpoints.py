"""The endpoints: everything a gateway can be asked for beside its tasks.

They belong to private gateways; a stock one has none of them but ``balance()``. What a gateway answers as a task is
waited for, what is still being made is asked for again, and what comes at once is returned at once.
"""

import asyncio
import os
from collections.abc import Collection, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import msgspec

from ..engine.uploads import store
from ..engine.waits import ending
from ..protocol.acts import Later, Made
from ..protocol.audio import MOST_BYTES, check_audio
from ..protocol.balance import Balance, read_balance
from ..protocol.errors import ConfigurationError, GatewayUnavailable, RequestRejected, SunoError, UnexpectedResponse
from ..protocol.exchange import Broken
from ..protocol.inputs import check_seconds
from ..protocol.lenient import excerpt
from ..protocol.materials import Midi, Persona, Slot
from ..protocol.models import Song
from ..protocol.places import read_place
from ..protocol.routes import ROUTES, Route
from ..protocol.timing import Timing
from .arguments import check_clip_id, check_clips, check_file, check_text
from .chat import Chat

if TYPE_CHECKING:
    from .runtime import Runtime

TIMEOUT = 600.0
_MOST_IN_A_FEED = 50
"""Ids of 36 characters in one path; proxies cut paths of 4 to 8 KB."""
_encode = msgspec.json.encode


class Endpoints:
    """What an open client can ask a gateway for beside its tasks; a part of ``Suno``.

    Each raises, where the gateway has no such endpoint: RequestRejected with its "no", or GatewayUnavailable where it
    has no channel for it; ConfigurationError where nothing there has ever answered as a gateway does. All of them name
    the gateway, the path and the answer. `Later` answers are asked again until ``timeout`` seconds are over: then
    WaitTimeout, and to ask again goes on where this stopped.
    """

    _runtime: "Runtime"
    _base: str

    # songs

    async def feed(self, clip_ids: Collection[str], *, timeout: float = TIMEOUT) -> dict[str, Song | None]:
        """The songs of these clips as they are now, in the order asked; None for what the gateway does not know.

        ``GET /suno/feed/{ids}``, up to 50 ids in a request; a bare list (Suno's own shape), ``{"clips": [...]}`` or an
        envelope. Where one unknown id spoils the answer for all of them (gpt-best: "clip not found"), each is asked
        for by itself.
        """
        ids = check_clips(clip_ids)
        found: dict[str, Song | None] = dict.fromkeys(ids)
        end = self._deadline(timeout)
        for first in range(0, len(ids), _MOST_IN_A_FEED):
            for song in await self._feed(ids[first : first + _MOST_IN_A_FEED], end):
                if song.id in found:
                    found[song.id] = song
        return found

    async def _feed(self, ids: Sequence[str], end: float) -> list[Song]:
        songs: list[Song] | None = await self._ask("feed", end, absent=True, clip_ids=",".join(ids))
        if songs is not None:
            return songs
        return [] if len(ids) == 1 else [song for one in ids for song in await self._feed([one], end)]

    async def stems(self, clip_id: str, *, timeout: float = TIMEOUT) -> tuple[Song, ...]:
        """A song taken apart: voice and instruments, each a song of its own.

        ``GET /suno/act/stems/{clip_id}``. Their ``audio_url`` may still be "": then ``feed`` of their ids tells it
        later. For two or twelve stems as a task that is paid for, submit ``Stems(...)``.
        """
        songs: tuple[Song, ...] = await self._ask("stems", self._deadline(timeout), clip_id=check_clip_id(clip_id))
        return songs

    async def wav(self, clip_id: str, *, timeout: float = TIMEOUT) -> str:
        """The address of a song's WAV file.

        ``GET /suno/act/wav/{clip_id}``: the address (gpt-best, yunwu) or a task that ends with it (K4U).
        """
        url: str = await self._ask("wav", self._deadline(timeout), clip_id=check_clip_id(clip_id))
        return url

    async def mp4(self, clip_id: str, *, timeout: float = TIMEOUT) -> str:
        """The address of a song's video: ``GET /suno/act/mp4/{clip_id}``."""
        url: str = await self._ask("mp4", self._deadline(timeout), clip_id=check_clip_id(clip_id))
        return url

    async def midi(self, clip_id: str, *, timeout: float = TIMEOUT) -> Midi:
        """A song's notes, instrument by instrument, in seconds from its start: ``GET /suno/act/midi/{clip_id}``."""
        midi: Midi = await self._ask("midi", self._deadline(timeout), clip_id=check_clip_id(clip_id))
        return midi

    async def timing(self, clip_id: str, *, timeout: float = TIMEOUT) -> Timing:
        """When each word of a song is sung, in seconds from its start; ``.lrc()`` and ``.srt()`` make files of it.

        ``GET /suno/act/timing/{clip_id}``. Gateways answer ``task_not_exist`` while they listen, and for clips that
        they do not know: so a wrong id ends with WaitTimeout.
        """
        timing: Timing = await self._ask("timing", self._deadline(timeout), clip_id=check_clip_id(clip_id))
        return timing

    # what songs are made of

    async def upsample_tags(self, text: str, *, timeout: float = TIMEOUT) -> str:
        """A style in a few words made into a rich description: ``POST /suno/act/tags``."""
        body = _encode({"original_tags": check_text("text", text)})
        tags: str = await self._send("tags", body, self._deadline(timeout))
        return tags

    async def create_persona(
        self,
        root_clip_id: str,
        *,
        name: str,
        description: str = "",
        clips: Sequence[str] = (),
        is_public: bool = False,
        timeout: float = TIMEOUT,
    ) -> Persona:
        """A singer made from a song, for ``PersonaSong(persona_id=...)``: ``POST /suno/persona/create/``.

        ``clips`` are further songs of the same voice; without them it is the one clip. Sent once: where nobody can
        tell whether it was made, SubmitUnknown.
        """
        fields = {
            "root_clip_id": check_clip_id(root_clip_id),
            "name": check_text("name", name),
            "description": check_text("description", description, empty=True),
            "clips": check_clips(clips) or [root_clip_id],
            "is_public": is_public,
        }
        persona: Persona = await self._send("persona", _encode(fields), self._deadline(timeout))
        return persona

    async def upload(
        self, source: str | os.PathLike[str] | bytes, *, filename: str | None = None, timeout: float = TIMEOUT
    ) -> str:
        """The id of the clip that audio has become: to extend, to cover, to take apart.

        ``source`` is an address (http, https), a file, or its bytes (at most 100 MiB; mp3, wav, flac, ogg, m4a).
        Addresses go to ``/suno/uploads/audio-url`` and come as a task. Files go where the gateway wants them, without
        the key: https and a public address, or the gateway's own host. Nothing is sent twice that could be charged
        twice; where nobody can tell, SubmitUnknown.
        """
        end = self._deadline(timeout)
        if isinstance(source, str) and source.lower().startswith(("https://", "http://")):
            return str(await self._send("upload_url", _encode({"url": check_text("source", source)}), end))
        data = source if isinstance(source, bytes) else await _read(source)
        own = None if isinstance(source, bytes) else Path(source).name
        name, extension = check_audio(data[:16], filename or own)
        slot: Slot = await self._ask("upload_slot", end, body=_encode({"extension": extension}))
        await self._store(slot, data, name, end)
        finish = _encode({"upload_type": "file_upload", "upload_filename": name})
        await self._ask("upload_finish", end, body=finish, upload_id=slot.id)
        await self._ask("upload_status", end, upload_id=slot.id)
        return str(await self._send("upload_clip", b"{}", end, upload_id=slot.id))

    async def _store(self, slot: Slot, data: bytes, name: str, end: float) -> None:
        place = read_place(slot.url, self._base)
        seconds = end - asyncio.get_running_loop().time()
        stored = await store(place, data, filename=name, fields=slot.fields or None, timeout=max(seconds, 0.001))
        if isinstance(stored, Broken):
            raise GatewayUnavailable(stored.reason)
        if not 200 <= stored.status < 300:
            said = excerpt(stored.body)
            raise RequestRejected(f"the storage of the upload said no: {said} ({stored.status})", status=stored.status)

    # the account

    async def balance(self, *, timeout: float = 30.0) -> Balance:
        """What the key may spend, has spent and has left, in the unit the gateway displays (dollars by default).

        ``GET /dashboard/billing/subscription`` and ``/usage``, which new-api answers to every key. Its operator
        chooses whether they speak of the key or of the whole account.
        """
        end = self._deadline(timeout)
        limit, used = await self._ask("subscription", end), await self._ask("usage", end)
        balance: Balance = read_balance(limit, used)  # type: ignore[assignment] # both have been read once
        return balance

    def chat(self, prompt: str, *, model: str = "suno-v3", timeout: float = TIMEOUT) -> Chat:
        """A song by chatting: ``async for piece in chat`` gives its text as it streams, then ``chat.songs`` the songs.

        ``await chat`` reads it to its end. ``POST /v1/chat/completions``, as OpenAI's clients ask; sent once.
        """
        self._runtime.check_open()
        return Chat(self._runtime, check_text("prompt", prompt), model=check_text("model", model), timeout=timeout)

    # the way of each

    def _deadline(self, timeout: float) -> float:
        self._runtime.check_open()
        return asyncio.get_running_loop().time() + check_seconds("timeout", timeout)

    async def _ask(
        self, name: str, end: float, *, body: bytes | None = None, absent: bool = False, **parts: str
    ) -> Any:
        """What a route tells; it may be asked again. With ``absent``, None for what the gateway does not know."""
        route = ROUTES[name]
        request = route.request(body, **parts)
        return await self._told(route, self._runtime.acts.ask(route, request, end, absent=absent), end)

    async def _send(self, name: str, body: bytes, end: float, **parts: str) -> Any:
        """What a route tells that is asked once."""
        route = ROUTES[name]
        return await self._told(route, self._runtime.acts.send(route, route.request(body, **parts), end), end)

    async def _told(self, route: Route, asked: Coroutine[Any, Any, Any], end: float) -> Any:
        """The value; what comes as a task is waited for, and read from what that has become."""
        try:
            said = await asked
            if not isinstance(said, Made):
                return said
            task = await self._runtime.wait(said.task_id, end - asyncio.get_running_loop().time(), "done")
        except GatewayUnavailable:
            if self._runtime.over is not None:
                raise ending(self._runtime.over, ()) from None
            raise
        value = route.read(task.raw) if route.read is not None else None
        if value is None or isinstance(value, Later | Made | SunoError):
            message = f"task {said.task_id} has ended without what {route.path} was asked for"
            raise UnexpectedResponse(message, task_id=said.task_id, excerpt=excerpt(task.payload))
        return value


async def _read(source: str | os.PathLike[str]) -> bytes:
    """A file's bytes; what cannot be one is refused before it is read."""
    path = anyio.Path(check_file("source", source))
    try:
        if (await path.stat()).st_size > MOST_BYTES:
            raise ConfigurationError(f"{str(source)!r} is larger than {MOST_BYTES >> 20} MiB")
        return await path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{str(source)!r} cannot be read: {error.strerror}") from None
