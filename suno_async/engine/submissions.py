"""The submissions: each is sent in a task of its own that outlives its caller, and its outcome is written and told.

Every attempt stands between two records of the journal: the intent before its first byte, the outcome before anybody
hears of it. Whenever the process ends, what is on the disk says how far each submission may have come.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Coroutine
from contextlib import nullcontext
from random import Random
from typing import Any, Protocol

import anyio
import msgspec

from ..protocol.errors import ConfigurationError, JournalError, SubmitUnknown, SunoError, Unauthorized
from ..protocol.exchange import Answer, Broken, Request
from ..protocol.intents import Intent, IntentState
from ..protocol.limits import RESUBMIT_ON, Budget, Quota, resend_delay
from ..protocol.outcome import concluded, judge, unanswered
from ..protocol.refusals import request_id

logger = logging.getLogger("suno_async")

DRAIN_SECONDS = 30.0
"""How long a cancelled caller, or a client that closes, waits for the outcome of what has been sent."""
_REFUSED = 401
"""The gateway's own no, before anything goes upstream."""

Outcome = str | SunoError
"""The id of an accepted task, or what is known instead."""


class Ledger(Protocol):
    """What submissions need of the journal."""

    @property
    def fingerprint(self) -> str:
        """That of the key in use."""
        ...

    async def intend(self, intent: Intent) -> tuple[Intent, bool]:
        """Writes it down and gives (it, True), or (the earlier one that had the same idempotency key, False)."""
        ...

    async def conclude(self, intent: Intent) -> None:
        """Writes down how it ended."""
        ...


class _Errand:
    """One submission on its way."""

    def __init__(self, request: Request, idempotency_key: str | None, gateway: str) -> None:
        self.request = request
        self.intent = Intent(
            gateway=gateway,
            action=request.path.rpartition("/suno/submit/")[2],
            body=request.body or b"",
            sent=False,
            idempotency_key=idempotency_key,
            state=IntentState.INTENDED,
        )
        self.outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self.latest = self.broken(Broken("it was not sent any more", sent=False))
        self.pending = False
        """Its intent is being written, or has been."""
        self.written = False
        """It has an intent without an outcome."""
        self.sending = False
        """And it may be with the gateway."""
        self.callers = 0
        self.given_up = False
        """The client closes, and it had not been sent yet."""
        self.drained = False
        """Its callers have waited as long as anybody will."""
        self.hopeless = False
        """Another attempt would end as this one did."""
        self.request_id: str | None = None
        """The gateway's name for the latest attempt, where it told."""
        self.fingerprint = ""
        """That of the key that its intent was written for."""

    @property
    def wanted(self) -> bool:
        """Somebody waits for it, and it may be sent."""
        return self.callers > 0 and not self.given_up

    def broken(self, broken: Broken) -> Outcome:
        """What a submission without a whole answer means."""
        return unanswered(
            broken.reason,
            sent=broken.sent,
            action=self.intent.action,
            body=self.intent.body,
            received=broken.received,
            status=broken.status,
            certificate=broken.certificate,
        )

    def answered(self, answer: Answer | Broken) -> Outcome:
        """What an answer means."""
        if isinstance(answer, Broken):
            self.request_id = None
            return self.broken(answer)
        self.request_id = request_id(answer.headers)
        return judge(answer, action=self.intent.action, body=self.intent.body)


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
        quota: Quota | None = None,
        renew: Callable[[], bool] = lambda: False,
        accepted: Callable[[str, str], None] = lambda _task_id, _action: None,
        ledger: Ledger | None = None,
        gateway: str = "",
        resubmit_on: Collection[int] = RESUBMIT_ON,
    ) -> None:
        self._send = send
        self._renew = renew
        self._spawn = spawn
        self._budget = budget
        self._slots = anyio.Semaphore(slots, fast_acquire=True)
        self._chance = rng.random
        self._quota = quota or Quota()
        self._accepted = accepted
        self._ledger = ledger
        self._gateway = gateway
        self._resubmit_on = resubmit_on
        self._turn = anyio.Lock(fast_acquire=True)
        self._open: set[_Errand] = set()
        self._keyed: dict[str, _Errand] = {}

    @property
    def under_way(self) -> frozenset[str]:
        """The intents whose outcome is still to come."""
        return frozenset(errand.intent.intent_id for errand in self._open)

    async def submit(self, request: Request, *, idempotency_key: str | None = None) -> str:
        """The task id of an accepted submission; with a key that was used before, that of the earlier one.

        Raises RequestRejected and its kinds or GatewayUnavailable if nothing was accepted, SubmitUnknown if nobody
        can tell, and JournalError if it could not be written down: before it was sent, or with ``task_id`` after it
        was accepted. Cancelled before anything was sent, nothing is sent; cancelled later, it reads on for up to
        30 s, so that the outcome is known (and written) before the cancellation leaves.
        """
        errand = self._errand(request, idempotency_key)
        errand.callers += 1
        errand.drained = False
        try:
            # shielded: cancelling the caller must not cancel the outcome
            outcome = await asyncio.shield(errand.outcome)
        except asyncio.CancelledError:
            errand.callers -= 1
            await self._leave(errand)
            raise
        if isinstance(outcome, SunoError):
            raise outcome
        return outcome

    def _errand(self, request: Request, key: str | None) -> _Errand:
        """A new one, or the one under way that has the same idempotency key."""
        errand = self._keyed.get(key) if key is not None else None
        if errand is not None:
            _check_same(errand.intent, request)
            return errand
        errand = _Errand(request, key, self._gateway)
        self._spawn(lambda: self._run(errand))
        self._open.add(errand)
        if key is not None:
            self._keyed[key] = errand
        return errand

    async def _leave(self, errand: _Errand) -> None:
        """A caller was cancelled: what may be with the gateway is read on for a while."""
        if errand.callers:
            return
        if errand.outcome.done():
            self._tell(errand)
        elif errand.pending:
            with anyio.CancelScope(shield=True):
                await asyncio.wait([errand.outcome], timeout=DRAIN_SECONDS)
            errand.drained = True

    async def drain(self) -> None:
        """Returns when nothing is on its way any more, or after 30 s; what was not sent yet is not sent."""
        for errand in self._open:
            errand.given_up = not errand.sending
        outcomes = [errand.outcome for errand in self._open if errand.pending and not errand.drained]
        if outcomes:
            await asyncio.wait(outcomes, timeout=DRAIN_SECONDS)

    async def _run(self, errand: _Errand) -> None:
        try:
            await self._deliver(errand)
        except SunoError as error:
            errand.latest = error
        finally:
            self._open.discard(errand)
            if errand.intent.idempotency_key is not None:
                del self._keyed[errand.intent.idempotency_key]
            errand.outcome.set_result(errand.latest)
            if not errand.callers:
                self._tell(errand)

    def _tell(self, errand: _Errand) -> None:
        """Nobody else will hear of this outcome."""
        if errand.intent.sent:
            logger.warning("a submission whose caller was cancelled: %s", errand.outcome.result())

    async def _deliver(self, errand: _Errand) -> None:
        """Attempts until something is decided: again only where it is proven that nothing was accepted."""
        attempts, renewed = 0, False
        while True:
            async with self._slots:
                await self._attempt(errand)
            attempts += 1
            if not errand.wanted or errand.hopeless or not isinstance(errand.latest, SunoError):
                return
            refused = isinstance(errand.latest, Unauthorized) and errand.latest.status == _REFUSED
            if refused and not renewed and self._renew():
                renewed, attempts = True, 0
                continue
            delay = resend_delay(errand.latest, attempts, self._chance(), self._resubmit_on)
            if delay is None or not self._quota.spend():
                return
            await anyio.sleep(delay)

    async def _attempt(self, errand: _Errand) -> None:
        try:
            if await self._prepare(errand):
                if self._renewed(errand):
                    errand.latest = errand.broken(Broken("another key was taken into use first", sent=False))
                    return
                errand.sending = True
                errand.latest = errand.broken(Broken("the client was closed before the answer came"))
                errand.latest = errand.answered(await self._send(errand.request))
        finally:
            if errand.written:
                # also where the client is closed under it
                with anyio.CancelScope(shield=True):
                    await self._conclude(errand)
            errand.pending = errand.sending = errand.written = False

    def _renewed(self, errand: _Errand) -> bool:
        """True if its intent tells of another key than it would be sent with now: whoever died then would mislead."""
        return self._ledger is not None and errand.fingerprint != self._ledger.fingerprint

    async def _prepare(self, errand: _Errand) -> bool:
        """Writes the intent down when its turn has come; True if it is to be sent now.

        Under a ``rate`` one after the other: an intent waits for its place unwritten, because one that is written and
        not sent looks unknown after a crash; and the place counts from when it leaves, however slow the disk is.
        """
        async with self._turn if self._budget.rate is not None else nullcontext():
            await self._afford()
            if not errand.wanted:
                return False
            errand.pending = True
            errand.written = await self._intend(errand)
            if errand.written:
                await anyio.sleep(self._budget.reserve(anyio.current_time()))
            return errand.written and errand.wanted

    async def _afford(self) -> None:
        """Returns when the budget would let a request leave; looks take places of it meanwhile."""
        while True:
            delay = self._budget.wait(anyio.current_time())
            if delay <= 0:
                return
            await anyio.sleep(delay)

    async def _intend(self, errand: _Errand) -> bool:
        """Writes the intent down; False if an earlier one had the same key, and its outcome is this one's."""
        if self._ledger is None:
            return True
        # shielded: what is written and not sent has to be marked so
        with anyio.CancelScope(shield=True):
            try:
                errand.fingerprint = self._ledger.fingerprint
                intent = msgspec.structs.replace(errand.intent, fingerprint=errand.fingerprint)
                stored, fresh = await self._ledger.intend(intent)
            except JournalError as error:
                raise JournalError(f"nothing was sent: {error}") from None
        if fresh:
            errand.intent = stored
            return True
        _check_same(stored, errand.request)
        errand.hopeless = True
        errand.latest = stored.task_id or SubmitUnknown(
            f"this idempotency_key was used before: {stored.reason}; reconcile() may settle it. Once you have settled "
            f"it yourself, forget({stored.intent_id!r}) frees the key",
            intent=stored,
        )
        return False

    async def _conclude(self, errand: _Errand) -> None:
        """Writes the outcome down, before anybody hears of it."""
        outcome = errand.latest
        errand.intent = concluded(errand.intent, outcome, errand.request_id)
        if isinstance(outcome, SubmitUnknown):
            # under the name it has in the journal
            outcome.intent = errand.intent
        if isinstance(outcome, str):
            self._quota.earn()
            self._accepted(outcome, errand.intent.action.upper())
        if self._ledger is None:
            return
        try:
            await self._ledger.conclude(errand.intent)
        except JournalError as error:
            errand.hopeless = True
            logger.critical("the outcome of a submission could not be written down: %s (%s)", outcome, error)
            if isinstance(outcome, str):
                message = f"task {outcome} was accepted, but that could not be written down: {error}"
                errand.latest = JournalError(message, task_id=outcome, task_ids=(outcome,))


def _check_same(earlier: Intent, request: Request) -> None:
    if not earlier.means(request.path.rpartition("/suno/submit/")[2], request.body or b""):
        key = ascii(earlier.idempotency_key)
        raise ConfigurationError(
            f"the idempotency_key {key} was used for another submission: each needs one of its own"
        )
