"""Bugs for children to be born with: each breaks one promise of the journal, and each must be found."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import uuid4

import msgspec

from suno_async.engine.journal import Journal, Store
from suno_async.engine.submissions import Submissions
from suno_async.protocol.intents import Intent, IntentState


def outcome_told_before_it_is_durable() -> None:
    """``submit`` returns while the outcome is still on its way to the disk."""

    async def conclude(journal: Journal, intent: Intent) -> None:
        journal._scribe.note(lambda store: store.conclude(intent))

    Journal.conclude = conclude  # type: ignore[method-assign]


def sent_before_the_intent_is_durable() -> None:
    """The first byte leaves while the intent is still on its way to the disk; only a key is looked up first."""
    intend = Journal.intend

    async def hasty(journal: Journal, intent: Intent) -> tuple[Intent, bool]:
        if intent.idempotency_key is not None:
            return await intend(journal, intent)
        intent = msgspec.structs.replace(intent, intent_id=uuid4().hex)
        journal._scribe.note(lambda store: store.intend(intent))
        return intent, True

    Journal.intend = hasty  # type: ignore[method-assign]


def committed_every_other_time() -> None:
    """The transaction stays open, and is committed together with the next one: one fsync saved."""
    commit, held = Store.commit, []

    def lazy(store: Store, operations: Sequence[Any]) -> list[Any]:
        if not held:
            commit(store, [])
            store._connection.execute("BEGIN IMMEDIATE")
            held.append(True)
            return store._results(operations)
        held.clear()
        store._connection.execute("COMMIT")
        return commit(store, operations)

    Store.commit = lazy  # type: ignore[method-assign]


def intents_without_an_outcome_are_swept_away() -> None:
    """What was under way when the process died is taken for rubbish at the next start."""
    opened = Journal.open

    async def sweep(journal: Journal) -> None:
        await opened(journal)
        for intent in await journal.undecided():
            await journal.forget(intent.intent_id)

    Journal.open = sweep  # type: ignore[method-assign]


def an_unfinished_order_is_sent_again() -> None:
    """A key whose first submission has no outcome is taken for a free one."""
    attempt: Callable[..., Awaitable[bool]] = Submissions._intend

    async def hopeful(submissions: Submissions, errand: Any) -> bool:
        if await attempt(submissions, errand):
            return True
        if isinstance(errand.latest, str):
            return False
        errand.intent, errand.hopeless = errand.latest.intent, False
        return True

    Submissions._intend = hopeful  # type: ignore[method-assign,assignment]


def unknown_is_taken_for_refused() -> None:
    """An outcome that nobody knows is written down as a no."""
    conclude = Journal.conclude

    async def rash(journal: Journal, intent: Intent) -> None:
        if intent.state is IntentState.UNKNOWN:
            intent = msgspec.structs.replace(intent, state=IntentState.REJECTED)
        await conclude(journal, intent)

    Journal.conclude = rash  # type: ignore[method-assign]


BUGS = {
    bug.__name__: bug
    for bug in (
        outcome_told_before_it_is_durable,
        sent_before_the_intent_is_durable,
        committed_every_other_time,
        intents_without_an_outcome_are_swept_away,
        an_unfinished_order_is_sent_again,
        unknown_is_taken_for_refused,
    )
}
