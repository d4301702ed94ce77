"""The adoption: which of an account's tasks an unknown submission became, by its time, its words and its rivals."""

from collections.abc import Collection, Iterable, Sequence

from .accounts import Claim, Made, Rivals, Span, Words, made_at, rivals_of, words_of
from .intents import Intent
from .reconciliation import LONGEST, Finding, Verdict, counted, open_spans, seconds_of, span_of, too_early, undecided


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
        kept: all intents of the journal, whatever their gateway is called: it may have two names.
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
        for intent, span in open_spans(judged, kept)
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
        return Verdict(intent, Finding.UNDECIDED, f"{counted(count, 'task')} of its time may be its own")
    task_id = sole[0].task_id
    if early := too_early(span_of(intent), now):
        return Verdict(intent, Finding.UNDECIDED, f"{task_id} may be its own, but {early}")
    if not exclusive:
        return Verdict(intent, Finding.UNDECIDED, f"{task_id} is its own, unless somebody else submits there too")
    return Verdict(intent, Finding.ADOPTED, f"{task_id} can be no other submission's", task_id)


def _clocks_agree(kept: Sequence[Intent], tasks: dict[str, Made], ahead: float) -> bool:
    """True unless a task that is known to be ours was made when it cannot have been."""
    mine = [intent for intent in kept if intent.task_id in tasks and intent.settled_at is not None]
    times = [(Span(seconds_of(i.created_at), seconds_of(i.settled_at)), tasks[str(i.task_id)].at) for i in mine]
    return all(span.seen(ahead, ahead).holds(at) for span, at in times)


def _contradicts(task: Made, words: Words) -> bool:
    """True if it has other words where the intent has some."""
    names = {name for name, _ in words}
    same = {pair for pair in task.words if pair[0] in names}
    return bool(same) and not same & words
