"""HTTP in, HTTP out: three stock routes, the models, the files, what a build adds, and a page for all else."""

from collections import deque
from random import Random
from typing import Any, NamedTuple

import msgspec
from aiohttp import web

from . import audio, delivery, names
from .account import Account
from .answers import CAPTCHA, HTML, NOT_FOUND, SATURATED, Answer, RefusalError, invalid_url, models, page, server_error
from .desk import Desk
from .faults import AFTER, BEFORE
from .ledger import Origin
from .private import Private
from .submissions import read_ids

NO_PAGE = ("/v1", "/api", "/assets")  # unknown paths under these get JSON, all others the page
PREFLIGHT = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "GET,POST,PUT,DELETE,OPTIONS"}
PROXY_ERRORS = {
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Temporarily Unavailable",
    504: "Gateway Time-out",
    520: "Web server is returning an unknown error",
}


class Seen(NamedTuple):
    """One request as it came in; ``ids`` are those a look asked for."""

    method: str
    path: str
    ids: tuple[Any, ...]


class Routes:
    """The handler of the server."""

    def __init__(self, desk: Desk, seed: object, private: Private | None = None) -> None:
        self._desk, self._private = desk, private
        self._account = Account(desk)
        self._request_ids = Random(f"{seed}/request ids")
        self.requests: deque[Seen] = deque(maxlen=1000)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        parts = ["", *request.path.removeprefix("/").split("/")]
        if request.method in {"GET", "HEAD"} and parts[1] in {"audio", "audiopipe", "image"}:
            return await self._file(request, parts)
        if self._private is not None and parts[1] in {"storage", "video"}:
            return await self._stored(request, self._private)
        desk = self._desk
        request_id = self._request_id()
        spoilable = parts[1] == "suno" or self._account.serves(request) or self._extra(request) is not None
        fault = desk.faults.first(BEFORE) if spoilable else None
        if fault is not None:
            self._note(request, ())
            return await self._before(request, fault, request_id)
        try:
            answer = await self._work(request, parts, request_id)
        except RefusalError as refusal:
            answer = refusal.answer(desk.era, request_id)
        headers = self._headers(answer, request_id)
        if answer.delay:
            await desk.clock.sleep(answer.delay)
        if answer.pieces is not None:
            return await delivery.live(request, answer, headers, answer.pieces)
        after = desk.faults.first(AFTER) if spoilable else None
        if after is None:
            return await delivery.whole(answer, headers)
        return await self._after(request, after, answer, headers)

    async def _work(self, request: web.BaseRequest, parts: list[str], request_id: str) -> Answer:
        """Find the route and do its work."""
        match request.method, parts:
            case "GET", ["", "suno", "fetch", task_id] if task_id:
                return self._one(request, task_id)
            case "POST", ["", "suno", "fetch"]:
                return await self._many(request)
            case "POST", ["", "suno", "submit", action] if action:
                return await self._submit(request, action, request_id)
            case "POST", ["", "suno", "fetch", ""]:
                self._note(request, ())
                return Answer(307, content_type="", headers={"Location": "/suno/fetch"})
            case "GET", ["", "v1", "models"]:
                self._note(request, ())
                key = self._desk.keys.find(request.headers.get("Authorization"))
                return models(
                    [name for name in self._desk.models if not key.models or name in key.models], self._desk.era
                )
        self._note(request, ())
        if (extra := self._extra(request)) is not None:
            return await extra.answer(request, request_id)
        return self._account.answer(request, request_id) if self._account.serves(request) else _unknown(request)

    def _extra(self, request: web.BaseRequest) -> Private | None:
        """The private build, if there is one that serves this."""
        return self._private if self._private is not None and self._private.serves(request) else None

    def _one(self, request: web.BaseRequest, task_id: str) -> Answer:
        self._note(request, (task_id,))
        key = self._desk.keys.find(request.headers.get("Authorization"))
        return self._desk.one(task_id, key)

    async def _many(self, request: web.BaseRequest) -> Answer:
        desk = self._desk
        if (fault := desk.faults.first(("no_batch_route", "batch_not_found"))) is not None:
            self._note(request, ())
            return page() if fault == "no_batch_route" else Answer(404, NOT_FOUND, HTML)
        body = await request.read()
        try:
            key = desk.keys.find(request.headers.get("Authorization"))
            desk.keys.check_model(key, "")
            ids = read_ids(body)
        except RefusalError:
            self._note(request, ())
            raise
        self._note(request, tuple(ids))
        return desk.many(ids, key)

    async def _submit(self, request: web.BaseRequest, action: str, request_id: str) -> Answer:
        self._note(request, ())
        body = await request.read()
        self._desk.submissions[body] += 1
        key = self._desk.keys.find(request.headers.get("Authorization"))
        return self._desk.submit(action, key, body, Origin(request.path, request_id))

    async def _before(self, request: web.BaseRequest, fault: str, request_id: str) -> web.StreamResponse:
        """Fail before any work."""
        if fault == "connection_reset":
            return await delivery.reset(request)
        if fault == "hang":
            await delivery.hang()
        answer = self._broken(fault)
        return await delivery.whole(answer, self._headers(answer, request_id))

    def _broken(self, fault: str) -> Answer:
        if fault == "rate_limited":
            return Answer(429, b"", "")
        if fault == "retry_after":
            body = msgspec.json.encode({"code": "fail_to_fetch_task", "message": SATURATED, "data": None})
            return Answer(429, body, headers={"Retry-After": "1"})
        if fault == "server_error":
            status = self._desk.faults.choose(fault, list(PROXY_ERRORS))
            return server_error(status, PROXY_ERRORS[status])
        if fault == "overloaded":
            error = {"message": "system cpu overloaded (current: 95.1%, threshold: 90%)", "type": "new_api_error"}
            return Answer(503, msgspec.json.encode({"error": {**error, "param": "", "code": "system_cpu_overloaded"}}))
        return Answer(200, CAPTCHA, HTML) if fault == "html_page" else Answer(200, b"", "")

    async def _after(
        self, request: web.BaseRequest, fault: str, answer: Answer, headers: dict[str, str]
    ) -> web.StreamResponse:
        """Do the work, then spoil its answer."""
        if fault == "answer_lost":
            return await delivery.reset(request)
        if fault == "truncated":
            return await delivery.truncated(request, answer, headers)
        if fault == "answer_withheld":
            await delivery.hang()
        return await delivery.drip(request, answer, headers, self._desk.clock)

    async def _file(self, request: web.BaseRequest, parts: list[str]) -> web.StreamResponse:
        """An audio file, a stream of one, or a cover."""
        desk, pipe = self._desk, parts[1] == "audiopipe"
        self._note(request, ())
        clip_id = request.query.get("item_id", "") if pipe else parts[-1].rpartition(".")[0]
        if parts[1] == "image" or not audio.CLIP_ID.fullmatch(clip_id):
            answer = audio.cover(clip_id) if audio.CLIP_ID.fullmatch(clip_id) else audio.missing()
            return await delivery.whole(answer, self._file_headers(answer))
        desk.counts["audio"] += 1
        if desk.faults.first(("audio_missing",)):
            return await delivery.whole(audio.missing(), self._file_headers(audio.missing()))
        wanted = None if pipe else request.headers.get("Range")
        answer = audio.file(clip_id, wanted, request.headers.get("If-Range"))
        headers = self._file_headers(answer)
        if desk.faults.first(("audio_truncated",)):
            return await delivery.truncated(request, answer, headers)
        return await (delivery.stream(request, answer, headers) if pipe else delivery.whole(answer, headers))

    async def _stored(self, request: web.BaseRequest, private: Private) -> web.StreamResponse:
        """A film, or something of the storage; neither knows of keys."""
        self._note(request, ())
        answer = await private.stored(request)
        return await delivery.whole(answer, self._file_headers(answer))

    def _file_headers(self, answer: Answer) -> dict[str, str]:
        clock = self._desk.clock
        return {"Content-Type": answer.content_type, "Date": clock.date(clock.now()), **answer.headers}

    def _note(self, request: web.BaseRequest, ids: tuple[Any, ...]) -> None:
        self.requests.append(Seen(request.method, request.path, ids))

    def _request_id(self) -> str:
        now = self._desk.clock.compact(self._desk.clock.now())
        node = "8268d9d6" if self._desk.era.name == "2026" else ""
        return f"{now}{node}{names.alnum(self._request_ids, 8)}"

    def _headers(self, answer: Answer, request_id: str) -> dict[str, str]:
        """Headers of an answer; a ``Date`` of gateway time, which is the clock of ``updated_at`` too."""
        clock = self._desk.clock
        headers = {"Date": clock.date(clock.now()), "X-Oneapi-Request-Id": request_id}
        headers |= self._desk.era.version
        if answer.content_type:
            headers["Content-Type"] = answer.content_type
        headers |= answer.headers
        return headers


def _unknown(request: web.BaseRequest) -> Answer:
    """A path that is no route."""
    if "Access-Control-Request-Method" in request.headers:
        return Answer(204, content_type="", headers=PREFLIGHT)
    if request.path.startswith(NO_PAGE):
        return invalid_url(request.method, request.path_qs)
    return page()
