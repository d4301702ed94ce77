"""How fast we may go: the budget of requests, and the gate that closes when the gateway is in trouble.

Numbers in, numbers out; the callers own the clock, the sleep and the dice.
"""

from collections.abc import Collection

import msgspec

from .errors import GatewayUnavailable, RateLimited, RequestRejected, SunoError
from .refusals import Kind, Trouble

_CLOSE_AFTER = 3
"""Failures in a row that close the gate: one failure in a hundred must not halve the throughput."""
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0
_REFUSALS_APART = 2.0
_REFUSALS_WITHIN = 600.0


def _unless_rounding(wait: float) -> float:
    """Less than a microsecond is the rounding of floats: a loop that sleeps for it may never come to its end."""
    return wait if wait > 1e-6 else 0.0


class Budget(msgspec.Struct):
    """At most ``rate`` requests a second, in any window, after a burst: GCRA, the cell rate algorithm of ATM.

    ``AsyncLimiter``-like buckets let twice the rate through in the first second; this one does not.
    """

    rate: float | None
    burst: int = 1
    _due: float = float("-inf")

    def wait(self, now: float) -> float:
        """Seconds until a request may leave; no place is taken."""
        if self.rate is None:
            return 0.0
        return _unless_rounding(self._due + (1 - self.burst) / self.rate - now)

    def reserve(self, now: float) -> float:
        """Seconds the caller has to sleep before its request; the place is taken either way, first come first."""
        if self.rate is None:
            return 0.0
        self._due = max(self._due, now) + 1 / self.rate
        return max(0.0, self._due - self.burst / self.rate - now)


class Gate(msgspec.Struct):
    """Open, closed for a pause, or half open with one probe out.

    It closes after three failures in a row, and at once when the gateway asks for fewer requests. Each further
    failure doubles the longest pause (1 s up to 60 s, full jitter, as AWS's standard retry mode); the first success
    opens it.
    """

    failures: int = 0
    until: float = 0.0
    closed: bool = False
    _probe: int = 0
    _probes: int = 0
    _refused_at: float = float("-inf")

    @property
    def probing(self) -> bool:
        """A probe is out, and its result decides."""
        return self._probe > 0

    def wait(self, now: float) -> float | None:
        """Seconds until a request may go: 0 for now, None while a probe is out and its result decides."""
        if not self.closed:
            return 0.0
        if self.probing:
            return None
        return _unless_rounding(self.until - now)

    def enter(self) -> int:
        """Take the way through: 0, or the number of the probe that this request is, where the gate is half open."""
        if self.closed:
            self._probes += 1
            self._probe = self._probes
        return self._probe

    def _is_late(self, probe: int) -> bool:
        """True for a request that left before the gate closed: whatever comes of it, the probe's result decides."""
        return self.closed and (probe == 0 or probe != self._probe)

    def passed(self, now: float = float("inf"), *, probe: int = 0) -> None:
        """A request came back with an answer of the gateway's own.

        One that left before the gate closed does not cut the pause short: the gateway has asked for it since.
        """
        if self._is_late(probe) and now < self.until:
            return
        self.failures = self._probe = 0
        self.closed = False

    def failed(
        self, now: float, chance: float, *, limited: bool = False, retry_after: float | None = None, probe: int = 0
    ) -> None:
        """A request failed; ``limited`` for 429, ``chance`` from 0 to 1 for the jitter."""
        if self._is_late(probe):
            # only what the gateway asks for moves the end of the pause
            self.until = max(self.until, now + (retry_after or 0.0))
            return
        self.failures += 1
        self._probe = 0
        if not limited and self.failures < _CLOSE_AFTER:
            return
        beyond = max(0, self.failures - (1 if limited else _CLOSE_AFTER))
        longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(beyond, 10))
        self.closed = True
        # what the gateway asked for is the least; the jitter goes on top, so that not all come back at once
        # and a longer pause that was asked for while the probe was out is not forgotten
        self.until = max(self.until, now + max(chance * longest, _FIRST_PAUSE / 10) + (retry_after or 0.0))

    def hold(self, until: float) -> None:
        """Closes it until then, without a failure: somebody else has to be asked first."""
        if not self.closed:
            self.closed, self.until = True, until
            self.failures = max(1, self.failures)

    def returned(self, probe: int) -> None:
        """This probe is back; where it brought no result (cancelled), the next request may probe."""
        if probe == self._probe:
            self._probe = 0

    def refused(self, now: float) -> bool:
        """The key was refused; True if that is to be believed: a second time, at least 2 s after the first."""
        if now - self._refused_at > _REFUSALS_WITHIN:
            self._refused_at = now
        return now - self._refused_at >= _REFUSALS_APART

    def welcomed(self) -> None:
        """The key was accepted."""
        self._refused_at = float("-inf")


class Quota(msgspec.Struct):
    """How many retries there may be for each success, over everything: AWS's retry quota (botocore, retries/quota.py).

    A retry costs five of 500 tokens, ten after a request that ran out of time; each success gives one back. So a
    gateway in trouble is not brought down by those who ask again.
    """

    most: float = 500.0
    cost: float = 5.0
    spent: float = 0.0

    def spend(self, *, late: bool = False) -> bool:
        """True if there may be a retry now; it is paid for. ``late`` after a request that ran out of time."""
        cost = 2 * self.cost if late else self.cost
        if self.spent + cost > self.most:
            return False
        self.spent += cost
        return True

    def earn(self) -> None:
        """A request succeeded."""
        if self.spent:
            self.spent = max(0.0, self.spent - 1.0)


_RETRIED = frozenset({Kind.OUTAGE, Kind.LIMITED, Kind.NO_NEWS, Kind.FOREIGN, Kind.NAMELESS})
_MOST_ATTEMPTS = 3


def retry_delay(trouble: Trouble, attempts: int, chance: float) -> float | None:
    """Seconds until a single look is tried again after ``attempts`` tries, or None to give up: at most twice.

    Full jitter up to 0.5 s and 1 s (1 s and 2 s after 429), and not before the gateway's Retry-After.
    """
    if trouble.kind not in _RETRIED or attempts >= _MOST_ATTEMPTS:
        return None
    if trouble.kind is Kind.NAMELESS:
        return 0.0
    longest = (1.0 if trouble.kind is Kind.LIMITED else 0.5) * 2.0 ** (attempts - 1)
    return (trouble.retry_after or 0.0) + chance * longest


RESUBMIT_ON = frozenset({425, 429, 503})
"""new-api answers so before it hands a submission to anybody, and charges nothing for it."""
_MOST_NOT_SENT = 3
_MOST_RESUBMITTED = 5
_LONGEST_HOLD = 60.0


def resend_delay(outcome: SunoError, attempts: int, chance: float, resubmit_on: Collection[int]) -> float | None:
    """Seconds until a submission is sent again after ``attempts`` attempts, or None if it must not, or need not, be.

    Again is only what is proven not to have left (three attempts), and what the gateway refused with one of these
    statuses (five; full jitter from 1 s, doubling, and not before its Retry-After). A gateway that asks
    for more than a minute is told to the caller instead.
    """
    status = getattr(outcome, "status", 0)
    if isinstance(outcome, GatewayUnavailable) and status == 0:
        return chance * 2.0 ** (attempts - 1) if attempts < _MOST_NOT_SENT else None
    hold = (outcome.retry_after or 0.0) if isinstance(outcome, GatewayUnavailable | RateLimited) else 0.0
    refused = isinstance(outcome, GatewayUnavailable | RequestRejected) and status in resubmit_on
    if not refused or attempts >= _MOST_RESUBMITTED or hold > _LONGEST_HOLD:
        return None
    return hold + chance * 2.0 ** (attempts - 1)
