"""The enquiry: one thing that a caller wants of a gateway beside its tasks, within the time there is for it."""

import asyncio
import os
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

import anyio
import msgspec

from ..engine.acts import Acts
from ..engine.uploads import store
from ..engine.waits import ending
from ..protocol.acts import Later, Made
from ..protocol.audio import MOST_BYTES, check_audio
from ..protocol.balance import Balance, read_balance
from ..protocol.errors import ConfigurationError, GatewayUnavailable, RequestRejected, SunoError, UnexpectedResponse
from ..protocol.exchange import Broken
from ..protocol.lenient import excerpt
from ..protocol.materials import Slot
from ..protocol.models import Song
from ..protocol.places import read_place
from ..protocol.routes import ROUTES, Route
from .arguments import check_file, check_link, check_text
from .runtime import Runtime

_MOST_IN_A_FEED = 50
"""Ids of 36 characters in one path; proxies cut paths of 4 to 8 KB."""
_LEAST_SECONDS = 0.001
_encode = msgspec.json.encode


class Enquiry:
    """Asks routes of the table; what comes as a task is waited for, so that the caller sees one thing."""

    def __init__(self, runtime: Runtime, gateway: str, seconds: float) -> None:
        self._runtime = runtime
        self._gateway = gateway
        network, place = runtime.transport, runtime.transport.place
        self._acts = Acts(
            runtime.lane, network.submit, gateway=gateway, timeout=runtime.timeout, place=place, speed=runtime.speed
        )
        self._now = asyncio.get_running_loop().time
        self._end = self._now() + seconds

    async def ask(self, name: str, *, body: bytes | None = None, absent: bool = False, **parts: str) -> Any:
        """What a route tells; it may be asked again. With ``absent``, None for what the gateway does not know."""
        route = ROUTES[name]
        asked = self._acts.ask(route, route.request(body, **parts), self._end, absent=absent)
        return await self._told(route, asked)

    async def send(self, name: str, body: bytes, **parts: str) -> Any:
        """What a route tells that is asked once."""
        route = ROUTES[name]
        return await self._told(route, self._acts.send(route, route.request(body, **parts), self._end))

    async def _told(self, route: Route, asked: Coroutine[Any, Any, Any]) -> Any:
        try:
            said = await asked
            if not isinstance(said, Made):
                return said
            task = await self._runtime.wait(said.task_id, max(0.0, self._end - self._now()), "done")
        except GatewayUnavailable:
            if self._runtime.over is not None:
                raise ending(self._runtime.over, ()) from None
            raise
        value = route.read(task.raw) if route.read is not None else None
        if value is None or isinstance(value, Later | Made | SunoError):
            message = f"task {said.task_id} has ended without what {route.path} was asked for"
            raise UnexpectedResponse(message, task_id=said.task_id, excerpt=excerpt(task.payload))
        return value

    async def feed(self, clip_ids: Sequence[str]) -> dict[str, Song | None]:
        """The songs of these clips, in the order asked."""
        found: dict[str, Song | None] = dict.fromkeys(clip_ids)
        for first in range(0, len(clip_ids), _MOST_IN_A_FEED):
            for song in await self._feed(clip_ids[first : first + _MOST_IN_A_FEED]):
                if song.id in found:
                    found[song.id] = song
        return found

    async def _feed(self, ids: Sequence[str]) -> list[Song]:
        songs: list[Song] | None = await self.ask("feed", absent=True, clip_ids=",".join(ids))
        if songs is not None:
            return songs
        # one that is unknown spoils it for all of them
        return [] if len(ids) == 1 else [song for one in ids for song in await self._feed([one])]

    async def balance(self) -> Balance:
        """What the key may spend and has spent."""
        limit, used = await self.ask("subscription"), await self.ask("usage")
        balance: Balance = read_balance(limit, used)  # type: ignore[assignment] # both have been read once
        return balance

    async def upload(self, source: str | os.PathLike[str] | bytes, filename: str | None) -> str:
        """The clip that an address, a file or its bytes have become."""
        if filename is not None:
            check_text("filename", filename, empty=True)
        if isinstance(source, str) and source.lower().startswith(("https://", "http://")):
            return str(await self.send("upload_url", _encode({"url": check_link("source", source)})))
        data = source if isinstance(source, bytes) else await _read(source)
        if len(data) > MOST_BYTES:
            raise _too_large("source")
        own = None if isinstance(source, bytes) else Path(source).name
        name, extension = check_audio(data[:16], filename or own)
        slot: Slot = await self.ask("upload_slot", body=_encode({"extension": extension}))
        await self._store(slot, data, name)
        finish = _encode({"upload_type": "file_upload", "upload_filename": name})
        await self.ask("upload_finish", body=finish, upload_id=slot.id)
        await self.ask("upload_status", upload_id=slot.id)
        return str(await self.send("upload_clip", b"{}", upload_id=slot.id))

    async def _store(self, slot: Slot, data: bytes, name: str) -> None:
        place = read_place(slot.url, self._gateway)
        seconds = max(_LEAST_SECONDS, self._end - self._now())
        stored = await store(place, data, filename=name, fields=slot.fields or None, timeout=seconds)
        if isinstance(stored, Broken):
            raise GatewayUnavailable(stored.reason)
        if not 200 <= stored.status < 300:
            said = excerpt(stored.body)
            raise RequestRejected(f"the storage of the upload said no: {said} ({stored.status})", status=stored.status)


def _too_large(what: str) -> ConfigurationError:
    return ConfigurationError(f"{what} is larger than {MOST_BYTES >> 20} MiB")


async def _read(source: str | os.PathLike[str]) -> bytes:
    """A file's bytes; what cannot be one is refused before it is read."""
    path = anyio.Path(check_file("source", source))
    try:
        if (await path.stat()).st_size > MOST_BYTES:
            raise _too_large(repr(str(source)))
        return await path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{str(source)!r} cannot be read: {error.strerror}") from None
