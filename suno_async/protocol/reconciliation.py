"""The reconciliation: what the gateway's own accounts say about submissions whose outcome nobody saw.

No account names the submission itself (new-api keeps neither its body nor a key of ours), so most findings are made
of times, and of what is known of the other submissions. A log is believed for a time only if it lists what is known to
have been accepted before that time, in it and after it: so one that is switched off, is cut short, is another key's or
comes out of a cache proves nothing. What nothing proves stays undecided.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from itertools import accumulate
from math import inf

import msgspec

from .accounts import SLACK, Charge, Claim, Made, Rivals, Span, Words, made_at, rivals_of, words_of
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
    first = _seconds(intent.created_at)
    last = _seconds(intent.settled_at) if intent.settled_at else _seconds(intent.attempted_at, first) + _SENDING
    return Span(first, last + LONGEST)


def _seconds(moment: datetime | None, otherwise: float = 0.0) -> float:
    return otherwise if moment is None else moment.timestamp()


# tasks


def windows(intents: Iterable[Intent]) -> list[Span]:
    """The times whose tasks have to be asked for: those of the intents, with room for a clock that is wrong."""
    found: list[Span] = []
    for start, end in sorted((span.start - LONGEST, span.end + LONGEST) for span in map(span_of, intents)):
        if found and start <= found[-1].end:
            found[-1] = Span(found[-1].start, max(end, found[-1].end))
        else:
            found.append(Span(start, end))
    return found


def by_tasks(
    judged: Sequence[Intent],
    kept: Sequence[Intent],
    made: Iterable[Made],
    known: Collection[str],
    ahead: float,
    now: float,
    *,
    exclusive: bool,
) -> list[Verdict]:
    """Which of the account's tasks each intent became: one that no other submission can have become.

    Args:
        judged: the intents in question.
        kept: all intents of the journal: those in question, those under way, and the others.
        made: the account's tasks of their times.
        known: ids that belong to other submissions.
        ahead: how far the gateway's clock is ahead of ours.
        now: our clock when the tasks were asked for.
        exclusive: nobody else submits with this account. Without it nothing is adopted: others may submit the same.
    """
    tasks = {task.task_id: task for task in made}
    if not _clocks_agree(kept, tasks, ahead):
        return undecided(judged, "the gateway's clock and the times of its tasks do not agree")
    known = {*known, *(intent.task_id for intent in kept if intent.task_id)}
    strange = sorted((task for task in tasks.values() if task.task_id not in known), key=made_at)
    claims = {
        intent.intent_id: Claim(intent.action.upper(), span.seen(ahead, ahead), words_of(intent.body))
        for intent, span in _open_spans(judged, kept)
    }
    rivals = rivals_of(strange, list(claims.values()))
    return [_by_tasks(intent, claims[intent.intent_id], rivals, now, exclusive=exclusive) for intent in judged]


def _by_tasks(
    intent: Intent, claim: Claim, rivals: dict[tuple[str, Words], Rivals], now: float, *, exclusive: bool
) -> Verdict:
    found = [rivals[claim.action, words].of(claim.time) for words in {claim.telling, frozenset()}]
    count, sole = sum(number for number, _ in found), [task for _, tasks in found for task in tasks]
    if not count:
        return Verdict(intent, Finding.UNDECIDED, "the account has no task of its time that is not another's")
    if len(sole) != 1 or _contradicts(sole[0], claim.words):
        return Verdict(intent, Finding.UNDECIDED, f"{_count(count, 'task')} of its time may be its own")
    task_id = sole[0].task_id
    if early := _too_early(span_of(intent), now):
        return Verdict(intent, Finding.UNDECIDED, f"{task_id} may be its own, but {early}")
    if not exclusive:
        return Verdict(intent, Finding.UNDECIDED, f"{task_id} is its own, unless somebody else submits there too")
    return Verdict(intent, Finding.ADOPTED, f"{task_id} can be no other submission's", task_id)


def _clocks_agree(kept: Sequence[Intent], tasks: dict[str, Made], ahead: float) -> bool:
    """True unless a task that is known to be ours was made when it cannot have been."""
    mine = [intent for intent in kept if intent.task_id in tasks and intent.settled_at is not None]
    times = [(Span(_seconds(i.created_at), _seconds(i.settled_at)), tasks[str(i.task_id)].at) for i in mine]
    return all(span.seen(ahead, ahead).holds(at) for span, at in times)


def _open_spans(judged: Sequence[Intent], kept: Sequence[Intent]) -> list[tuple[Intent, Span]]:
    """The time of each intent that nobody knows the outcome of; that of one under way has not ended."""
    names = {intent.intent_id for intent in judged}
    doubtful = [intent for intent in kept if intent.state is IntentState.UNKNOWN]
    spans = [(intent, span_of(intent)) for intent in doubtful]
    return [(intent, span if intent.intent_id in names else Span(span.start, inf)) for intent, span in spans]


def _contradicts(task: Made, words: Words) -> bool:
    """True if it has other words where the intent has some."""
    names = {name for name, _ in words}
    same = {pair for pair in task.words if pair[0] in names}
    return bool(same) and not same & words


def _too_early(span: Span, now: float) -> str:
    """Why a submission cannot be judged before its time is over; "" if it is."""
    return f"the gateway may still be at work on it: ask again in {span.end - now:.0f} s" if now < span.end else ""


# charges


class _Mark(msgspec.Struct, frozen=True):
    """What is known to be accepted, and the charge that the log lists for it."""

    sent: float
    answered: float
    row: Charge | None


def by_charges(
    judged: Sequence[Intent], kept: Sequence[Intent], charges: Sequence[Charge], now: float, *, exclusive: bool
) -> list[Verdict]:
    """What this key's charges say about each intent.

    Args:
        judged: the intents in question.
        kept: all intents of the journal, as they were when the charges had been told.
        charges: the log of this key.
        now: our clock when it was asked for.
        exclusive: nobody else uses this key.
    """
    named = {row.request_id: row for row in charges if row.request_id}
    log = _Log(_marks(kept, named), now)
    told = {intent.request_id for intent in kept if intent.request_id and intent.settled_at is not None}
    loose = sorted(row.at for row in charges if _is_suno(row) and row.request_id not in told)
    groups = _groups(_timed(judged, kept, named, log), loose)
    strays = _strays(groups.values(), loose)
    found = []
    for intent in judged:
        proof = log.proof(span_of(intent))
        if _is_named(intent, named):
            found.append(_by_name(intent, proof, charged=intent.request_id in named))
        else:
            found.append(_by_time(intent, groups[intent.intent_id], proof, strays, exclusive=exclusive))
    return found


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
            sent = _seconds(intent.attempted_at or intent.created_at)
            marks.append(_Mark(sent, _seconds(intent.settled_at), row if row is not None and _is_suno(row) else None))
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
        if early := _too_early(span, self._now):
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


def _timed(judged: Sequence[Intent], kept: Sequence[Intent], named: Collection[str], log: _Log) -> list[_Timed]:
    accepted = [(intent, span_of(intent)) for intent in kept if intent.state is IntentState.ACCEPTED]
    found = []
    for intent, span in [*_open_spans(judged, kept), *accepted]:
        if not _is_named(intent, named):
            # a charge under a name that the log does not have may be there under another, or not at all
            sure = intent.state is IntentState.ACCEPTED and not intent.request_id
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


def _by_time(intent: Intent, group: _Group, proof: Span | str, strays: list[float], *, exclusive: bool) -> Verdict:
    if isinstance(proof, str):
        return Verdict(intent, Finding.UNDECIDED, proof)
    # where our clock was wrong for this one submission, its charge stands elsewhere
    near = bisect_right(strays, proof.end) - bisect_left(strays, proof.start)
    if group.left == near == 0:
        return Verdict(intent, Finding.NOT_CHARGED, "there is no charge of its time that is not another's")
    if group.left == 0:
        return Verdict(intent, Finding.UNDECIDED, f"{_count(near, 'charge')} may be its own, if a clock was wrong")
    if exclusive and group.stop - group.start == group.names:
        return Verdict(intent, Finding.CHARGED, "there are as many charges of its time as submissions")
    if group.left < 0:
        return Verdict(intent, Finding.UNDECIDED, "the log lists fewer charges of its time than were accepted")
    return Verdict(
        intent, Finding.UNDECIDED, f"{_count(group.left, 'charge')} of its time may be its own, or another's"
    )


def undecided(judged: Iterable[Intent], evidence: str) -> list[Verdict]:
    """The verdict that the accounts do not tell."""
    return [Verdict(intent, Finding.UNDECIDED, evidence) for intent in judged]


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
