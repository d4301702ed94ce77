"""The acts: requests about clips, personas and accounts, asked until the gateway tells what was asked for."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import anyio

from ..protocol.acts import Later, told
from ..protocol.errors import GatewayUnavailable, SubmitUnknown, SunoError, WaitTimeout
from ..protocol.exchange import Answer, Broken, Request
from ..protocol.intents import Intent
from ..protocol.limits import retry_delay
from ..protocol.outcome import judge, unanswered
from ..protocol.refusals import Kind, Trouble
from ..protocol.routes import Route
from .lane import Lane
from .lane import told as copy_of

_LEAST_SECONDS = 0.001
_REFUSED = 401
"""The gateway's own no, before anything goes further."""


class Acts:
    """Asks one gateway, each act in the task of its caller.

    ``gateway`` is its host, for messages; ``speed`` how many times as fast as the real one its world runs.
    """

    def __init__(
        self,
        lane: Lane,
        send: Callable[[Request, float], Awaitable[Answer | Broken]],
        *,
        gateway: str,
        timeout: float,
        place: Callable[[str, str], str] | None = None,
        speed: float = 1.0,
    ) -> None:
        self._lane = lane
        self._send = send
        self._gateway = gateway
        self._timeout = timeout
        self._place = place
        self._speed = speed
        self._now = asyncio.get_running_loop().time

    async def ask(self, route: Route, request: Request, end: float, *, absent: bool = False) -> Any:
        """What the gateway tells, or the `Made` that it comes as; asked again while it is still being made.

        Transient faults are tried again at most twice in a row. With ``absent``, what the gateway does not know is
        None.

        Raises WaitTimeout at ``end``, and what the answer means: RequestRejected and its kinds, GatewayUnavailable,
        UnexpectedResponse, ConfigurationError.
        """
        while isinstance(said := await self._ask(route, request, end, absent=absent), Later):
            delay = said.after / self._speed
            if self._now() + delay >= end:
                place = f"{route.method} {self._path(request)} at {self._gateway}"
                raise WaitTimeout(f"{place}: it is still being made, or known to nobody; ask for it again")
            await anyio.sleep(delay)
        return said

    async def _ask(self, route: Route, request: Request, end: float, *, absent: bool) -> Any:
        attempts, renewed = 0, False
        while True:
            seconds = min(self._timeout, max(_LEAST_SECONDS, end - self._now()))
            said = self._told(await self._lane.once(request, seconds), route, request)
            if not isinstance(said, Trouble):
                return said
            if said.kind is Kind.MISSING and absent:
                return None
            if said.kind is Kind.KEY and not renewed and self._lane.renewed():
                renewed = True
                continue
            attempts += 1
            delay = None if said.routeless else retry_delay(said, attempts, self._lane.chance())
            if delay is None or self._now() + delay >= end or not self._lane.quota.spend(late=said.late):
                raise copy_of(said.error, attempts=attempts)
            await anyio.sleep(delay)

    async def send(self, route: Route, request: Request, end: float) -> Any:
        """What the gateway tells, or the `Made` that it comes as; sent once, as it may make or cost something.

        Again only with another key where the first one is refused (401): then it was not accepted. Raises as `ask`,
        and SubmitUnknown where nobody can tell whether it was accepted.
        """
        renewed = False
        while True:
            await self._afford(end)
            answer = await self._send(request, max(_LEAST_SECONDS, end - self._now()))
            said = self._told(answer, route, request)
            if isinstance(said, Later):
                raise _unknown("it is being made, and the answer names no task to wait for", answer, request)
            if not isinstance(said, Trouble):
                return said
            refused = isinstance(answer, Answer) and answer.status == _REFUSED and said.kind is Kind.KEY
            if renewed or not refused or not self._lane.renewed():
                raise _doubt(said, answer, request)
            renewed = True

    async def _afford(self, end: float) -> None:
        """Returns when the budget lets a request leave. It takes no slot: a slow one must not stop the looks."""
        while (delay := self._lane.budget.wait(self._now())) > 0:
            if self._now() + delay >= end:
                raise GatewayUnavailable("no request could leave in time: rate= allows too few", attempts=0)
            await anyio.sleep(delay)
        self._lane.budget.reserve(self._now())

    def _told(self, answer: Answer | Broken, route: Route, request: Request) -> Any:
        lane = self._lane
        said = told(answer, route, gateway=self._gateway, path=self._path(request), readable=lane.readable)
        lane.readable = lane.readable or not isinstance(said, Trouble) or said.readable
        return said

    def _path(self, request: Request) -> str:
        """As this gateway has it."""
        return request.path if self._place is None else self._place(request.method, request.path)


def _unknown(why: str, answer: Answer | Broken, request: Request) -> SubmitUnknown:
    action, body = _named(request)
    return SubmitUnknown(
        f"{request.path}: {why}", intent=Intent(action=action, body=body, sent=True, status=answer.status)
    )


def _named(request: Request) -> tuple[str, bytes]:
    return request.path.removeprefix("/suno/"), request.body or b""


def _doubt(trouble: Trouble, answer: Answer | Broken, request: Request) -> SunoError:
    """What is raised for something that was sent once: SubmitUnknown where it may have been accepted all the same."""
    action, body = _named(request)
    if trouble.routeless or trouble.kind is Kind.ELSEWHERE:
        # whoever has no such endpoint has accepted nothing
        return trouble.error
    if isinstance(answer, Answer):
        outcome = judge(answer, action=action, body=body)
    else:
        outcome = unanswered(answer.reason, sent=answer.sent, action=action, body=body, status=answer.status)
    return outcome if isinstance(outcome, SubmitUnknown) else trouble.error
