"""The network of tier 1: takes the place of the client's transport, and asks the gateway directly."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, Self

from virtual import said

from suno_async.engine.fingerprint import Fingerprint
from suno_async.protocol.exchange import Answer, Broken, Request

from .desk import ACCEPTED, UNSENT, Arrival, Fate
from .gateway import Gateway
from .ledger import Look, Session
from .weather import KEY, Reply

_SUBMIT_SECONDS = 120.0
_CONNECT_SECONDS = 10.0
_CLOSED = Broken("the client was closed")
_LATE = Broken("no answer in time")
REFUSED = said(401, "invalid_token", "the key is no good")
OLD_KEY = Reply("old key", KEY, REFUSED, readable=True)
_REASONS = {"gone": "it closed the connection before it answered", "refused": "the connection was refused"}


class Network:
    """One client's way to the gateway; it keeps the client's key, as the transport does."""

    def __init__(
        self,
        gateway: Gateway,
        session: Session,
        note: Any,
        *,
        timeout: float,
        key: int | None,
        check_post: Callable[[bytes], None],
    ) -> None:
        self._check_post = check_post
        self._gateway = gateway
        self._session = session
        self._note = note
        self._timeout = timeout
        self._loop = asyncio.get_running_loop()
        self._key = key
        self.fingerprint = Fingerprint(b"%d" % (key or 0))
        self._refused: int | None = None
        self._latest: Look | None = None
        """The last one that told nothing."""
        self.dead = self._closed = False
        """The process has crashed: nothing reaches the gateway any more."""
        self._naps: dict[asyncio.Future[None], None] = {}
        self.looks = 0
        self.submitting = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """What is still on its way breaks; nothing leaves any more."""
        self._closed = True
        for nap in self._naps:
            _wake(nap)

    async def look(self, request: Request, *, fresh: bool = False, timeout: float | None = None) -> Answer | Broken:
        """The answer to a look, or its break."""
        loop = self._loop
        if self.dead or self._closed:
            return _CLOSED
        now = loop.time()
        single = request.method == "GET"
        ids = [request.path.rpartition("/")[2]] if single else json.loads(request.body or b"")["ids"]
        self.looks += 1
        self._note("look", self.looks, *ids)
        look = self._session.begin(self.looks, now, ids, single=single)
        key, landed = self._key, False
        try:
            limit = self._timeout if timeout is None else timeout
            delay = self._gateway.weather.delay(now)
            if delay >= limit:
                await self._sleep(limit)
                if self._closed:
                    return _CLOSED
                landed = True
                self._note("late", look.number)
                self._session.lost(look, loop.time(), timed_out=True)
                return _LATE
            await self._sleep(delay)
            if self._closed:
                return _CLOSED
            answer, told, fault = self._gateway.answer(ids, loop.time(), single=single, fresh=fresh)
            if key is not None and key != self._gateway.key(loop.time()):
                self._refused, answer, told, fault = key, REFUSED, {}, OLD_KEY
            if fault is not None and fault.breaks in {"silence", "drip"}:
                await self._sleep(limit - delay)
            if self._closed:
                return _CLOSED
            landed = True
            return self._land(look, loop.time(), answer, told, fault)
        finally:
            if not landed and not self.dead:
                self._session.lost(look, loop.time())

    def _land(self, look: Look, now: float, answer: Answer | None, told: Any, fault: Reply | None) -> Answer | Broken:
        if fault is None:
            self._note("told", look.number, *told)
            self._session.told(look, now, told)
        else:
            self._note(fault.name, look.number)
            self._latest = look
            self._session.troubled(look, now, fault)
        if answer is not None:
            return answer
        breaks = fault.breaks if fault is not None else ""
        if breaks == "cut":
            return Broken("the answer was cut off", received=b'{"code":"success","da', status=200)
        if breaks == "huge":
            return Broken("the answer is longer than 4,194,304 bytes", received=b'{"code"', oversized=True, status=200)
        return Broken(_REASONS["gone"]) if breaks == "gone" else _LATE

    async def _sleep(self, seconds: float) -> None:
        """Like anyio's, at a third of its price; cut short when the client is closed."""
        woken = asyncio.Future(loop=self._loop)
        self._naps[woken] = None
        timer = self._loop.call_later(seconds, _wake, woken)
        try:
            await woken
        finally:
            timer.cancel()
            del self._naps[woken]

    async def distrust(self) -> None:
        """There are no connections."""

    def renew_key(self) -> bool:
        """True if there is another key than the one refused last."""
        refused, self._refused = self._refused, None
        if self._key is None:
            return False
        if refused is not None and refused != self._key:
            self._session.renewed(self._latest, self._loop.time())
            return True
        current = self._gateway.key(self._loop.time())
        changed, self._key = current != self._key, current
        if changed:
            self.fingerprint = Fingerprint(b"%d" % current)
            self._session.renewed(self._latest, self._loop.time())
        return changed

    async def submit(self, request: Request) -> Answer | Broken:
        """The answer to a submission, or how far it came."""
        if self.dead or self._closed:
            return _CLOSED
        self.submitting += 1
        try:
            return await self._submit(request.body or b"")
        finally:
            self.submitting -= 1

    async def _submit(self, body: bytes) -> Answer | Broken:
        loop, desk = self._loop, self._gateway.desk
        self._session.post(loop.time(), self.submitting)
        fate = desk.fate(loop.time())
        if fate.meaning == UNSENT:
            return await self._unsent(fate)
        self._gateway.tick(loop.time())
        key = self._key
        if key is not None and key != self._gateway.key(loop.time()):
            fate = Fate("401", takes=False, meaning="refused", answer=REFUSED, resend=True)
            self._refused, self._latest = key, None
        self._check_post(body)
        arrival = desk.arrive(body, fate, loop.time())
        self._note("post", body, fate.name, arrival.task_id)
        if fate.breaks == "silence":
            await self._sleep(_SUBMIT_SECONDS)
            return _LATE
        await self._sleep(desk.delay(loop.time()))
        if fate.breaks == "gone":
            return Broken(_REASONS["gone"])
        arrival.answered = True
        if fate.breaks == "cut":
            part = desk.cut(arrival)
            self._accepted(arrival)
            return Broken("the answer was cut off", received=part, status=200)
        self._accepted(arrival)
        return desk.answer(arrival)

    def _accepted(self, arrival: Arrival) -> None:
        if arrival.meaning == ACCEPTED and arrival.task_id is not None:
            self._session.accepted(arrival.task_id, "MUSIC", self._loop.time())

    async def _unsent(self, fate: Fate) -> Broken:
        await self._sleep(_CONNECT_SECONDS if fate.breaks == "stuck" else 0.01)
        return Broken(_REASONS.get(fate.breaks, "no connection in time"), sent=False)


def _wake(woken: "asyncio.Future[None]") -> None:
    if not woken.done():
        woken.set_result(None)
