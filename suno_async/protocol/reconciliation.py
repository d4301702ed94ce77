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
from math import inf

import msgspec

from .accounts import Charge, Made, words_of
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


SLACK = 15.0
"""Gateways write whole seconds down, and some do so a moment after they have answered."""
LONGEST = 600.0
"""How long a gateway may still work on what its client has given up: its own limits are rarely longer."""
_SENDING = 120.0
"""A process that died had sent it by then, or given it up."""


class Span(msgspec.Struct, frozen=True):
    """A time, in Unix seconds."""

    start: float
    end: float

    def holds(self, at: float) -> bool:
        """True if it was then."""
        return self.start <= at <= self.end

    def seen(self, ahead: float, most: float, *, slack: float = SLACK) -> "Span":
        """The same time on a clock that is between so much and so much ahead of ours."""
        return Span(self.start + ahead - slack, self.end + most + slack)


def span_of(intent: Intent) -> Span:
    """The time in which a submission was accepted, if it was: by our clock."""
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
        exclusive: nobody else submits with this account. Without it nothing is adopted: others may submit the same.
    """
    tasks = {task.task_id: task for task in made}
    if not _clocks_agree(kept, tasks, ahead):
        return undecided(judged, "the gateway's clock and the times of its tasks do not agree")
    known = {*known, *(intent.task_id for intent in kept if intent.task_id)}
    strange = [task for task in tasks.values() if task.task_id not in known]
    spans = _open_spans(judged, kept)
    owners = {task.task_id: _owners(task, spans, ahead) for task in strange}
    return [_by_tasks(intent, strange, owners, exclusive=exclusive) for intent in judged]


def _by_tasks(intent: Intent, strange: list[Made], owners: dict[str, list[Intent]], *, exclusive: bool) -> Verdict:
    own = [task for task in strange if intent in owners[task.task_id]]
    sole = [task for task in own if len(owners[task.task_id]) == 1]
    if not own:
        return Verdict(intent, Finding.UNDECIDED, "the account has no task of its time that is not another's")
    if len(sole) != 1 or _contradicts(sole[0], intent):
        return Verdict(intent, Finding.UNDECIDED, f"{_count(len(own), 'task')} of its time may be its own")
    task_id = sole[0].task_id
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


def _owners(task: Made, spans: list[tuple[Intent, Span]], ahead: float) -> list[Intent]:
    """Whose task it may be: by its time, and among those by its words if it has somebody's."""
    near = [
        intent
        for intent, span in spans
        if task.action in {"", intent.action.upper()} and span.seen(ahead, ahead).holds(task.at)
    ]
    return [intent for intent in near if _has_words_of(task, intent)] or near


def _has_words_of(task: Made, intent: Intent) -> bool:
    # a title alone may be anybody's
    words = words_of(intent.body)
    return words <= task.words and any(name != "title" for name, _ in words)


def _contradicts(task: Made, intent: Intent) -> bool:
    """True if it has other words where the intent has some."""
    words = words_of(intent.body)
    names = {name for name, _ in words}
    same = {pair for pair in task.words if pair[0] in names}
    return bool(same) and not same & words


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
    marks = _marks(kept, named)
    timed = [intent for intent in kept if intent.state is IntentState.UNKNOWN or not _is_named(intent)]
    doubts = {intent.intent_id: _doubt(span_of(intent), marks, now) for intent in timed}
    groups = _groups(judged, kept, charges, _ahead(marks), doubts)
    found = []
    for intent in judged:
        doubt = doubts[intent.intent_id]
        if _is_named(intent):
            found.append(_by_name(intent, charged=intent.request_id in named, doubt=doubt))
        else:
            [group] = [group for group in groups if intent.intent_id in group.names]
            found.append(_by_time(intent, group, doubt, exclusive=exclusive))
    return found


def _is_named(intent: Intent) -> bool:
    """True if the gateway has told the name under which its log has the latest attempt, if it has it."""
    return bool(intent.request_id) and intent.settled_at is not None


def _model(intent: Intent) -> str:
    return f"suno_{intent.action.partition('/')[0].lower()}"


def _marks(kept: Sequence[Intent], named: dict[str, Charge]) -> list[_Mark]:
    marks = []
    for intent in kept:
        # what was adopted has a reason: it was not answered when it was settled
        if intent.state is IntentState.ACCEPTED and _is_named(intent) and not intent.reason:
            row = named.get(intent.request_id or "")
            listed = row if row is not None and row.model == _model(intent) else None
            sent = _seconds(intent.attempted_at or intent.created_at)
            marks.append(_Mark(sent, _seconds(intent.settled_at), listed))
    return sorted(marks, key=lambda mark: mark.answered)


def _ahead(marks: list[_Mark]) -> tuple[float, float]:
    """How far the gateway's clock is ahead of ours: something was charged after it was sent, before it was answered."""
    times = [(mark.row.at - mark.answered, mark.row.at - mark.sent) for mark in marks if mark.row is not None]
    return min((low for low, _ in times), default=0.0), max((high for _, high in times), default=0.0)


def _doubt(span: Span, marks: list[_Mark], now: float) -> str:
    """Why it proves nothing that the log lists no charge of a time; "" if it proves that there was none."""
    if now < span.end:
        return f"the gateway may still be at work on it: ask again in {span.end - now:.0f} s"
    before = bisect_right(marks, span.start - SLACK, key=lambda mark: mark.answered)
    later = bisect_left(marks, span.end, key=lambda mark: mark.answered)
    after = next((place for place in range(later, len(marks)) if marks[place].sent >= span.end), None)
    if before == 0:
        return "nothing is known to be accepted before it, so the log cannot be checked for its time"
    if after is None:
        return "nothing is known to be accepted since, so the log cannot be checked for its time: ask again later"
    if any(mark.row is None for mark in marks[before - 1 : after + 1]):
        return "the log of this key does not list all that was accepted around its time"
    return ""


def _by_name(intent: Intent, *, charged: bool, doubt: str) -> Verdict:
    if charged:
        return Verdict(intent, Finding.CHARGED, "there is a charge under its request id")
    if doubt:
        return Verdict(intent, Finding.UNDECIDED, doubt)
    return Verdict(intent, Finding.NOT_CHARGED, "there is no charge under its request id")


class _Group(msgspec.Struct):
    """Intents that may be each other's rivals for charges that no request id explains, and these charges."""

    names: set[str]
    sure: int
    """How many of them are accepted, in a time that the log is right for: so many of the charges are theirs."""
    rows: set[int]


def _groups(
    judged: Sequence[Intent],
    kept: Sequence[Intent],
    charges: Sequence[Charge],
    ahead: tuple[float, float],
    doubts: dict[str, str],
) -> list[_Group]:
    names = {intent.request_id for intent in kept if _is_named(intent)}
    loose = [row for row in charges if row.request_id not in names]
    accepted = [(intent, span_of(intent)) for intent in kept if intent.state is IntentState.ACCEPTED]
    groups: list[_Group] = []
    for intent, span in [*_open_spans(judged, kept), *accepted]:
        if _is_named(intent):
            continue
        time, model = span.seen(*ahead), _model(intent)
        rows = {place for place, row in enumerate(loose) if row.model == model and time.holds(row.at)}
        sure = intent.state is IntentState.ACCEPTED and not doubts[intent.intent_id]
        group = _Group({intent.intent_id}, int(sure), rows)
        rivals = [other for other in groups if other.rows & rows]
        groups = [other for other in groups if other not in rivals]
        for other in rivals:
            group = _Group(group.names | other.names, group.sure + other.sure, group.rows | other.rows)
        groups.append(group)
    return groups


def _by_time(intent: Intent, group: _Group, doubt: str, *, exclusive: bool) -> Verdict:
    left = len(group.rows) - group.sure
    if doubt:
        return Verdict(intent, Finding.UNDECIDED, doubt)
    if left == 0:
        return Verdict(intent, Finding.NOT_CHARGED, "there is no charge of its time that is not another's")
    if exclusive and len(group.rows) == len(group.names):
        return Verdict(intent, Finding.CHARGED, "there are as many charges of its time as submissions")
    if left < 0:
        return Verdict(intent, Finding.UNDECIDED, "the log lists fewer charges of its time than were accepted")
    return Verdict(intent, Finding.UNDECIDED, f"{_count(left, 'charge')} of its time may be its own, or another's")


def undecided(judged: Iterable[Intent], evidence: str) -> list[Verdict]:
    """The verdict that the accounts do not tell."""
    return [Verdict(intent, Finding.UNDECIDED, evidence) for intent in judged]


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
