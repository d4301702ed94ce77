"""The submissions: each is sent once, in a task of its own that outlives its caller, and its outcome is told."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from random import Random
from typing import Any

import anyio

from ..protocol.errors import SunoError, Unauthorized
from ..protocol.exchange import Answer, Broken, Request
from ..protocol.limits import Budget
from ..protocol.outcome import judge, unanswered

logger = logging.getLogger("suno_async")

DRAIN_SECONDS = 30.0
"""How long a cancelled caller, or a client that closes, waits for the outcome of what has been sent."""
_ATTEMPTS = 3
_REFUSED = 401
"""The gateway's own no, before anything goes upstream."""


class _Errand:
    """One submission on its way."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.action = request.path.rpartition("/suno/submit/")[2]
        self.outcome: asyncio.Future[str | SunoError] = asyncio.get_running_loop().create_future()
        self.sending = False
        self.wanted = True
        self.drained = False
        """Its caller has waited as long as anybody will."""


class Submissions:
    """Sends submissions, a few at a time. They have slots of their own: slow ones must not stop the looks."""

    def __init__(
        self,
        send: Callable[[Request], Awaitable[Answer | Broken]],
        *,
        spawn: Callable[[Callable[[], Coroutine[Any, Any, None]]], None],
        budget: Budget,
        slots: int,
        rng: Random,
        renew: Callable[[], bool] = lambda: False,
    ) -> None:
        self._send = send
        self._renew = renew
        self._spawn = spawn
        self._budget = budget
        self._slots = anyio.Semaphore(slots, fast_acquire=True)
        self._chance = rng.random
        self._open: set[_Errand] = set()

    async def submit(self, request: Request) -> str:
        """The task id of an accepted submission.

        Raises RequestRejected and its kinds or GatewayUnavailable if nothing was accepted, SubmitUnknown if nobody
        can tell. Cancelled before anything was sent, nothing is sent; cancelled later, it reads on for up to 30 s, so
        that the outcome is known (and logged) before the cancellation leaves.
        """
        errand = _Errand(request)
        self._spawn(lambda: self._run(errand))
        self._open.add(errand)
        try:
            # shielded: cancelling the caller must not cancel the outcome
            outcome = await asyncio.shield(errand.outcome)
        except asyncio.CancelledError:
            errand.wanted = False
            if errand.outcome.done():
                self._tell(errand)
            elif errand.sending:
                with anyio.CancelScope(shield=True):
                    await asyncio.wait([errand.outcome], timeout=DRAIN_SECONDS)
                errand.drained = True
            raise
        if isinstance(outcome, SunoError):
            raise outcome
        return outcome

    async def drain(self) -> None:
        """Returns when nothing is on its way any more, or after 30 s; what was not sent yet is not sent."""
        for errand in self._open:
            errand.wanted = errand.wanted and errand.sending
        outcomes = [errand.outcome for errand in self._open if errand.sending and not errand.drained]
        if outcomes:
            await asyncio.wait(outcomes, timeout=DRAIN_SECONDS)

    async def _run(self, errand: _Errand) -> None:
        outcome: str | SunoError = unanswered("it was not sent any more", sent=False, action=errand.action, body=b"")
        try:
            async with self._slots:
                outcome = await self._deliver(errand, outcome)
        except BaseException:
            if errand.sending:
                outcome = self._broken(errand, Broken("the client was closed before the answer came"))
            raise
        finally:
            self._open.discard(errand)
            errand.outcome.set_result(outcome)
            if not errand.wanted:
                self._tell(errand)

    def _tell(self, errand: _Errand) -> None:
        """Nobody else will hear of this outcome."""
        if errand.sending:
            logger.warning("a submission whose caller was cancelled: %s", errand.outcome.result())

    async def _deliver(self, errand: _Errand, outcome: str | SunoError) -> str | SunoError:
        """Sends it; once more with another key, if there is one, where it is proven that the first one was refused."""
        outcome = await self._send_once(errand, outcome)
        refused = isinstance(outcome, Unauthorized) and outcome.status == _REFUSED
        if refused and errand.wanted and self._renew():
            errand.sending = False
            outcome = await self._send_once(errand, outcome)
        return outcome

    async def _send_once(self, errand: _Errand, outcome: str | SunoError) -> str | SunoError:
        """Sends it; again only where it is proven that nothing left."""
        for attempt in range(_ATTEMPTS):
            await anyio.sleep(self._budget.reserve(anyio.current_time()))
            if not errand.wanted:
                return outcome
            errand.sending = True
            answer = await self._send(errand.request)
            body = errand.request.body or b""
            if isinstance(answer, Answer):
                return judge(answer, action=errand.action, body=body)
            outcome = self._broken(errand, answer)
            if answer.sent or answer.certificate:
                return outcome
            errand.sending = False
            if attempt + 1 < _ATTEMPTS:
                await anyio.sleep(self._chance() * 2.0**attempt)
        return outcome

    def _broken(self, errand: _Errand, broken: Broken) -> str | SunoError:
        body = errand.request.body or b""
        return unanswered(
            broken.reason,
            sent=broken.sent,
            action=errand.action,
            body=body,
            received=broken.received,
            status=broken.status,
        )
