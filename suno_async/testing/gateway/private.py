"""The routes that private builds have and stock new-api has not."""

import re
from collections.abc import Awaitable, Callable, Iterator
from typing import NamedTuple

from aiohttp import web

from ...protocol.routes import ROUTES
from . import audio
from .acts import Acts
from .answers import Answer
from .chat import Chat
from .desk import Desk
from .keys import PRIVATE_MODELS
from .ledger import Origin
from .library import Library
from .orders import Orders
from .submissions import Ask
from .uploads import Uploads

Handler = Callable[[Ask], Awaitable[Answer]]


class Place(NamedTuple):
    """Where a route is, and who answers there."""

    method: str
    path: re.Pattern[str]
    handler: Handler


class Private:
    """Makes a private build of a desk, and answers on its routes, whose paths are those of ``ROUTES``."""

    def __init__(self, desk: Desk, seed: object) -> None:
        self._desk = desk
        library = Library(desk)
        orders, acts = Orders(library), Acts(desk, library, seed)
        desk.models, desk.read = list(PRIVATE_MODELS), orders.read
        self._uploads, self._chat = Uploads(desk, seed), Chat(desk, orders, seed)
        self._places = list(self._listed(acts, self._uploads))

    def _listed(self, acts: Acts, uploads: Uploads) -> Iterator[Place]:
        """A place for each route of the table that is not stock's."""
        handlers: dict[str, Handler] = {
            "wav": acts.wav,
            "mp4": acts.mp4,
            "midi": acts.midi,
            "timing": acts.timing,
            "stems": acts.stems,
            "tags": acts.tags,
            "persona": acts.persona,
            "feed": acts.feed,
            "upload_url": uploads.by_url,
            "upload_slot": uploads.slot,
            "upload_finish": uploads.finish,
            "upload_status": uploads.status,
            "upload_clip": uploads.clip,
            "chat": self._chat.answer,
        }
        return (Place(ROUTES[name].method, pattern(ROUTES[name].path), handler) for name, handler in handlers.items())

    def serves(self, request: web.BaseRequest) -> bool:
        """Whether this is one of its routes, with a slash at its end or without."""
        return any(self._found(request))

    async def answer(self, request: web.BaseRequest, request_id: str) -> Answer:
        """Answer a request that is served here; RefusalError if that is refused."""
        desk = self._desk
        key = desk.keys.find(request.headers.get("Authorization"))
        handler, parts = next(self._found(request))
        ask = Ask(key, parts, await request.read(), Origin(request.path, request_id))
        if handler != self._chat.answer:  # which knows the model it has to check
            desk.keys.check_model(key, "")
        return await handler(ask)

    def _found(self, request: web.BaseRequest) -> Iterator[tuple[Handler, dict[str, str]]]:
        for method, path, handler in self._places:
            if method == request.method and (found := path.fullmatch(request.path)):
                yield handler, found.groupdict()

    async def stored(self, request: web.BaseRequest) -> Answer:
        """A film, or something of the storage."""
        _, room, name = (*request.path.split("/", 2), "")[:3]
        if room == "storage":
            return await self._uploads.storage(request, name)
        clip_id, _, kind = name.partition(".")
        if request.method not in {"GET", "HEAD"} or kind != "mp4" or not audio.CLIP_ID.fullmatch(clip_id):
            return audio.missing()
        wanted, if_range = request.headers.get("Range"), request.headers.get("If-Range")
        return audio.ranged(audio.film(clip_id), "video/mp4", wanted, if_range)


def pattern(template: str) -> re.Pattern[str]:
    """The paths of a template such as ``/suno/act/wav/{clip_id}``; a slash at the end is neither here nor there."""
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(template.rstrip("/"))) + "/?")
