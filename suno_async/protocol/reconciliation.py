"""The reconciliation: what the gateway's own accounts say about submissions whose outcome nobody saw.

No account names the submission itself (new-api keeps neither its body nor a key of ours), so most findings are made
of times, and of what is known of the other submissions. A log is believed for a time only if it lists what is known to
have been accepted before that time, in it and after it: so one that is switched off, is cut short or comes out of a
cache proves nothing. And it is the log of one key: of what was sent with another, or nobody knows with which, it proves
nothing either. What nothing proves stays undecided.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from itertools import accumulate
from math import inf

import msgspec

from .accounts import SLACK, Charge, Span
from .intents import Intent, IntentState


class Finding(StrEnum):
    """What became of a submission, as far as the gateway's accounts can tell."""

    ADOPTED = "adopted"
    """Its task was found; it is an accepted one from now on."""
    NOT_CHARGED = "not charged"
    """It was not accepted. It may be submitted again."""
    CHARGED = "charged"
    """It was accepted and paid for, but its task id is not known."""
    UNDECIDED = "undecided"
    """The accounts do not tell, or not yet."""


class Verdict(msgspec.Struct, frozen=True):
    """What was found out about one submission."""

    intent: Intent
    finding: Finding
    evidence: str
    """Why, in one line."""
    task_id: str | None = None


LONGEST = 600.0
"""How long a gateway may still work on what its client has given up: its own limits are rarely longer."""
_SENDING = 120.0
"""A process that died had sent it by then, or given it up."""
_REDIRECTION = 300
"""From here on, a status is no success."""


def span_of(intent: Intent) -> Span:
    """The time in which a submission was accepted, if it was: by our clock."""
    times = [moment.timestamp() for moment in (intent.created_at, intent.attempted_at, intent.settled_at) if moment]
    if times != sorted(times):
        # our clock was set back meanwhile: one of its times is wrong, and nobody knows which
        return Span(min(times) - _SENDING, max(times) + _SENDING + LONGEST)
    first = seconds_of(intent.created_at)
    last = seconds_of(intent.settled_at) if intent.settled_at else seconds_of(intent.attempted_at, first) + _SENDING
    return Span(first, last + LONGEST)


def seconds_of(moment: datetime | None, otherwise: float = 0.0) -> float:
    """Unix seconds."""
    return otherwise if moment is None else moment.timestamp()


def open_spans(judged: Sequence[Intent], kept: Sequence[Intent]) -> list[tuple[Intent, Span]]:
    """The time of each intent that nobody knows the outcome of; that of one under way has not ended."""
    names, homes, found = {intent.intent_id for intent in judged}, homes_of(judged), []
    for intent in kept:
        if intent.state is IntentState.UNKNOWN:
            span = span_of(intent)
            # a journal has one client at a time, so nothing is under way to a gateway that it calls otherwise
            over = intent.intent_id in names or intent.gateway not in homes
            found.append((intent, span if over else Span(span.start, inf)))
    return found


def homes_of(judged: Sequence[Intent]) -> set[str]:
    """What their gateway is called."""
    return {intent.gateway for intent in judged}


def too_early(span: Span, now: float) -> str:
    """Why a submission cannot be judged before its time is over; "" if it is."""
    return f"the gateway may still be at work on it: ask again in {span.end - now:.0f} s" if now < span.end else ""


# charges


class _Mark(msgspec.Struct, frozen=True):
    """What is known to be accepted, and the charge that the log lists for it."""

    sent: float
    answered: float
    row: Charge | None


def by_charges(
    judged: Sequence[Intent],
    kept: Sequence[Intent],
    charges: Sequence[Charge],
    now: float,
    *,
    fingerprints: Collection[str],
    exclusive: bool,
) -> list[Verdict]:
    """What one key's charges say about each intent: that there is none, only of those that were sent with this key.

    Args:
        judged: the intents in question.
        kept: all intents of the journal, whatever their key, and whatever their gateway is called, as they were when
            the charges had been told.
        charges: the log of the key.
        now: our clock when it was asked for.
        fingerprints: those of the key, among those of the intents.
        exclusive: nobody else uses this key.
    """
    named, homes = {row.request_id: row for row in charges if row.request_id}, homes_of(judged)
    keys = {*fingerprints, ""}
    possible = [intent for intent in kept if intent.fingerprint in keys]
    own = [intent for intent in possible if intent.fingerprint and intent.gateway in homes]
    log = _Log(_marks(own, named), now)
    told = {intent.request_id for intent in kept if intent.request_id and intent.settled_at is not None}
    loose = sorted(row.at for row in charges if _is_suno(row) and row.request_id not in told)
    groups = _groups(_timed(judged, possible, named, log, {intent.intent_id for intent in own}), loose)
    strays = _strays(groups.values(), loose)
    found = []
    for intent in judged:
        proof = log.proof(span_of(intent)) if intent.fingerprint in fingerprints else _strange(intent)
        if _is_named(intent, named):
            found.append(_by_name(intent, proof, charged=intent.request_id in named))
        elif isinstance(proof, str):
            found.append(Verdict(intent, Finding.UNDECIDED, proof))
        else:
            found.append(_by_time(intent, groups[intent.intent_id], proof, strays, exclusive=exclusive))
    return found


def _strange(intent: Intent) -> str:
    """Why the log of this key tells nothing of it."""
    if intent.fingerprint:
        return "it was sent with another key than the one whose log this is"
    return "nobody knows with which key it was sent"


def _is_named(intent: Intent, named: Collection[str]) -> bool:
    """True if the gateway has told the name under which its log has the latest attempt, if it has it.

    A gateway in front of another passes on the other's name with a success: then its own log need not have it.
    """
    failed = intent.state is IntentState.UNKNOWN and intent.status >= _REDIRECTION
    return bool(intent.request_id) and intent.settled_at is not None and (failed or intent.request_id in named)


def _is_suno(row: Charge) -> bool:
    """True unless it is clearly a charge for something else; some call it ``suno_music``, some ``suno-concat``."""
    return "suno" in row.model or not row.model


def _marks(kept: Sequence[Intent], named: dict[str, Charge]) -> list[_Mark]:
    marks = []
    for intent in kept:
        # what was adopted has a reason: it was not answered when it was settled
        if intent.state is IntentState.ACCEPTED and intent.request_id and intent.settled_at and not intent.reason:
            row = named.get(intent.request_id)
            sent = seconds_of(intent.attempted_at or intent.created_at)
            marks.append(_Mark(sent, seconds_of(intent.settled_at), row if row is not None and _is_suno(row) else None))
    return sorted(marks, key=lambda mark: mark.answered)


class _Log:
    """For which times the log is right, by what is known to be accepted."""

    def __init__(self, marks: list[_Mark], now: float) -> None:
        self._marks, self._now = marks, now
        self._missing = list(accumulate((mark.row is None for mark in marks), initial=0))
        # something was charged after it was sent, and before it was answered
        times = [(mark.row.at - mark.answered, mark.row.at - mark.sent) for mark in marks if mark.row is not None]
        self.ahead = min((low for low, _ in times), default=0.0), max((high for _, high in times), default=0.0)
        """How far the gateway's clock is ahead of ours: at least, and at most."""

    def proof(self, span: Span) -> Span | str:
        """From when to when, by the gateway's clock, it is seen to list all; or why it proves nothing for a time."""
        if early := too_early(span, self._now):
            return early
        marks = self._marks
        before = bisect_right(marks, span.start - SLACK, key=lambda mark: mark.answered) - 1
        later = bisect_left(marks, span.end, key=lambda mark: mark.answered)
        after = next((place for place in range(later, len(marks)) if marks[place].sent >= span.end), None)
        if before < 0:
            return "nothing is known to be accepted before it, so the log cannot be checked for its time"
        if after is None:
            return "nothing is known to be accepted since, so the log cannot be checked for its time: ask again later"
        first, last = marks[before].row, marks[after].row
        if first is None or last is None or self._missing[before] != self._missing[after + 1]:
            return "the log of this key does not list all that was accepted around its time"
        return Span(first.at, last.at)


def _by_name(intent: Intent, proof: Span | str, *, charged: bool) -> Verdict:
    if charged:
        return Verdict(intent, Finding.CHARGED, "there is a charge under its request id")
    if isinstance(proof, str):
        return Verdict(intent, Finding.UNDECIDED, proof)
    return Verdict(intent, Finding.NOT_CHARGED, "there is no charge under its request id")


class _Timed(msgspec.Struct, frozen=True):
    """An intent that no request id tells from others, and when it was charged, if it was: by the gateway's clock."""

    name: str
    time: Span
    sure: bool
    """It is accepted, in a time that the log is right for: one of the charges is its own."""


class _Group(msgspec.Struct):
    """Intents that may be each other's rivals for charges that no request id explains, and the places of these."""

    names: int
    sure: int
    start: int
    stop: int

    @property
    def left(self) -> int:
        """How many charges are not those of the intents that have one for sure."""
        return self.stop - self.start - self.sure


def _timed(
    judged: Sequence[Intent], kept: Sequence[Intent], named: Collection[str], log: _Log, own: Collection[str]
) -> list[_Timed]:
    accepted = [(intent, span_of(intent)) for intent in kept if intent.state is IntentState.ACCEPTED]
    found = []
    for intent, span in [*open_spans(judged, kept), *accepted]:
        if not _is_named(intent, named):
            # a charge under a name that the log does not have may be there under another, or not at all
            sure = intent.state is IntentState.ACCEPTED and not intent.request_id and intent.intent_id in own
            sure = sure and not isinstance(log.proof(span), str)
            found.append(_Timed(intent.intent_id, span.seen(*log.ahead), sure))
    return found


def _groups(timed: Iterable[_Timed], loose: list[float]) -> dict[str, _Group]:
    """The group of each intent, by its name."""
    groups: dict[str, _Group] = {}
    latest = _Group(0, 0, 0, 0)
    for each in sorted(timed, key=lambda each: each.time.start):
        start, stop = bisect_left(loose, each.time.start), bisect_right(loose, each.time.end)
        group = latest if start < min(stop, latest.stop) else _Group(0, 0, start, stop)
        group.names, group.sure, group.stop = group.names + 1, group.sure + each.sure, max(group.stop, stop)
        groups[each.name] = group
        # without charges nobody is its rival
        latest = group if start < stop else latest
    return groups


def _strays(groups: Iterable[_Group], loose: list[float]) -> list[float]:
    """The charges that are not known to be anybody's."""
    explained = {place for group in groups if group.left == 0 for place in range(group.start, group.stop)}
    return [at for place, at in enumerate(loose) if place not in explained]


def _by_time(intent: Intent, group: _Group, proof: Span, strays: list[float], *, exclusive: bool) -> Verdict:
    # where our clock was wrong for this one submission, its charge stands elsewhere
    near = bisect_right(strays, proof.end) - bisect_left(strays, proof.start)
    if group.left == near == 0:
        return Verdict(intent, Finding.NOT_CHARGED, "there is no charge of its time that is not another's")
    if group.left == 0:
        return Verdict(intent, Finding.UNDECIDED, f"{counted(near, 'charge')} may be its own, if a clock was wrong")
    if exclusive and group.stop - group.start == group.names:
        return Verdict(intent, Finding.CHARGED, "there are as many charges of its time as submissions")
    if group.left < 0:
        return Verdict(intent, Finding.UNDECIDED, "the log lists fewer charges of its time than were accepted")
    return Verdict(
        intent, Finding.UNDECIDED, f"{counted(group.left, 'charge')} of its time may be its own, or another's"
    )


def undecided(judged: Iterable[Intent], evidence: str) -> list[Verdict]:
    """The verdict that the accounts do not tell."""
    return [Verdict(intent, Finding.UNDECIDED, evidence) for intent in judged]


def counted(number: int, what: str) -> str:
    """So many of something, in words."""
    return f"{number} {what}{'s' * (number != 1)}"
