"""The planted bugs: each breaks the product in one plausible way, and the simulation has to find it.

One that is not found is a rule that nobody checks.
"""

import random
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from math import inf
from typing import Any, NamedTuple
from unittest.mock import patch

import aiohttp
import anyio
import msgspec

from suno_async.engine import poller, submissions
from suno_async.engine.journal import store
from suno_async.engine.journal.journal import Journal
from suno_async.engine.journal.store import Store
from suno_async.engine.lane import Lane
from suno_async.engine.poller import Poller
from suno_async.engine.streams import Inbox
from suno_async.engine.submissions import Submissions
from suno_async.engine.tracker import Tracker
from suno_async.engine.transport import Transport
from suno_async.engine.waits import Wait
from suno_async.protocol import life, outcome, refusals, wire
from suno_async.protocol.agenda import Agenda
from suno_async.protocol.batch import Search
from suno_async.protocol.errors import RequestRejected, SubmitUnknown, TaskNotFound
from suno_async.protocol.exchange import Answer, Broken, Request
from suno_async.protocol.intents import IntentState
from suno_async.protocol.life import Failed, Life
from suno_async.protocol.limits import Budget, Gate
from suno_async.protocol.redaction import Redaction
from suno_async.protocol.refusals import Kind

Plant = Callable[[], AbstractContextManager[Any]]


class Bug(NamedTuple):
    """One planted bug and the invariants of which one must catch it."""

    plant: Plant
    caught_by: frozenset[str]
    tier: int


def _put(owner: object, name: str, make: Callable[[Any], Any]) -> Plant:
    """In the place of an attribute something made of it."""
    return lambda: patch.object(owner, name, make(getattr(owner, name)))


BUGS: dict[str, Bug] = {}


def bug(*caught_by: str, tier: int = 1) -> Callable[[Plant], Plant]:
    """A function whose name says what is wrong while its context lasts."""

    def keep(plant: Plant) -> Plant:
        BUGS[plant.__name__] = Bug(plant, frozenset(caught_by), tier)
        return plant

    return keep


# looks


@bug("I1", "gate")
def an_answer_about_another_task_is_taken_for_ours() -> AbstractContextManager[Any]:
    real = poller.read_one

    def read_one(answer: Answer, task_id: str) -> Any:
        look = real(answer, task_id)
        if isinstance(look, refusals.Trouble) and look.kind is Kind.FOREIGN:
            body = answer.body.replace(b"stray-1", task_id.encode(), 1)
            return real(Answer(answer.status, answer.headers, body), task_id)
        return look

    return patch.object(poller, "read_one", read_one)


@bug("I1")
def a_payload_without_a_task_id_is_taken_for_ours() -> AbstractContextManager[Any]:
    return _put(
        poller,
        "read_one",
        lambda real: lambda answer, task_id: real(msgspec.structs.replace(answer, fresh=True), task_id),
    )()


@bug("I12", "I13")
def ids_of_a_request_that_broke_are_forgotten() -> AbstractContextManager[Any]:
    def make(real: Any) -> Any:
        def retry(self: Poller, lives: Any, trouble: Any, now: float) -> None:
            real(self, [] if trouble.kind is Kind.OUTAGE else lives, trouble, now)

        return retry

    return _put(Poller, "_retry", make)()


@bug("I12", "I13")
def ids_that_a_batch_leaves_out_are_forgotten() -> AbstractContextManager[Any]:
    def make(real: Any) -> Any:
        def miss(self: Poller, life: Life, now: float, *, single: bool) -> None:
            if single:
                real(self, life, now, single=single)
            else:
                # as if it stood in the agenda already
                life.slot = 0

        return miss

    return _put(Poller, "_miss", make)()


@bug("I12", "I13", "I6", "gate")
def any_retry_after_is_trusted() -> AbstractContextManager[Any]:
    def retry_after(headers: Any) -> float | None:
        try:
            return float(headers.get("Retry-After"))
        except (TypeError, ValueError):
            return None

    return patch.object(refusals, "retry_after", retry_after)


@bug("I1", "I5")
def an_unknown_id_is_gone_at_once() -> AbstractContextManager[Any]:
    return patch.object(Life, "_is_gone", lambda _self, _now: True)


@bug("I1")
def a_missing_row_of_a_batch_ends_a_wait() -> AbstractContextManager[Any]:
    return _put(
        Life,
        "miss",
        lambda real: (
            lambda self, now, *, single: (
                real(self, now, single=True)
                if single
                else Failed(TaskNotFound(task_id=self.task_id, task_ids=(self.task_id,)))
            )
        ),
    )()


@bug("I1", "I12")
def a_frozen_row_is_looked_at_for_ever() -> AbstractContextManager[Any]:
    return patch.object(Life, "_freeze", lambda _self, _look, _now: life.AGAIN)


@bug("I1")
def a_row_is_taken_for_frozen_at_first_sight() -> AbstractContextManager[Any]:
    return patch.multiple(life, _FROZEN_LOOKS=1, _FROZEN_SECONDS=0.0)


@bug("I1")
def success_without_its_songs_is_the_end() -> AbstractContextManager[Any]:
    return patch.object(life, "is_whole", lambda _task: True)


@bug("I1", "I2")
def of_two_rows_about_one_task_the_last_one_counts() -> AbstractContextManager[Any]:
    return patch.object(wire, "by_id", lambda looks: {look.task_id: look for look in looks})


@bug("I2", "I5")
def a_final_task_is_looked_at_again() -> AbstractContextManager[Any]:
    def end(self: Poller, life: Life, verdict: Any) -> None:
        self._listener.ended(life, verdict)
        self.add(life, life.looked + 5.0)

    return patch.object(Poller, "_end", end)


@bug("I2", "I5")
def an_id_that_nobody_waits_for_is_looked_at() -> AbstractContextManager[Any]:
    return patch.object(Poller, "drop", lambda self, _life: setattr(self, "outstanding", self.outstanding - 1))


@bug("I5")
def riders_come_along_however_soon() -> AbstractContextManager[Any]:
    return _put(Agenda, "take", lambda real: lambda self, now, room, **_: real(self, now, room, soonest=inf))()


@bug("I5")
def looks_come_two_seconds_early() -> AbstractContextManager[Any]:
    patches = ExitStack()
    patches.enter_context(_put(Agenda, "put", lambda real: lambda self, entry, due: real(self, entry, due - 2.0))())
    sooner = lambda real: lambda self, entries, dues: real(self, entries, [due - 2.0 for due in dues])  # noqa: E731
    patches.enter_context(_put(Agenda, "put_all", sooner)())
    return patches


@bug("I3")
def a_slot_is_given_back_twice() -> AbstractContextManager[Any]:
    def make(real: Any) -> Any:
        def leave(self: Lane, *, probe: bool = False) -> None:
            real(self, probe=probe)
            self.slots.release()

        return leave

    return _put(Lane, "leave", make)()


@bug("I6", "I12", "I13")
def a_slot_is_kept_when_a_request_breaks() -> AbstractContextManager[Any]:
    def make(real: Any) -> Any:
        async def ask(self: Lane, *args: Any, **kwargs: Any) -> Any:
            answer = await real(self, *args, **kwargs)
            if isinstance(answer, Broken):
                self.slots.acquire_nowait() if self.slots.value else None
            return answer

        return ask

    return _put(Lane, "ask", make)()


@bug("gate")
def the_gate_is_ignored() -> AbstractContextManager[Any]:
    return patch.object(Gate, "wait", lambda _self, _now: 0.0)


@bug("gate")
def any_answer_opens_the_gate_in_its_pause() -> AbstractContextManager[Any]:
    def make(real: Any) -> Any:
        def passed(self: Gate, *given: Any, **named: Any) -> None:
            self.until = 0.0
            real(self, *given, **named)

        return passed

    return _put(Gate, "passed", make)()


@bug("I6", "I12", "I13")
def the_permit_of_a_probe_without_a_result_is_lost() -> AbstractContextManager[Any]:
    return patch.object(Gate, "returned", lambda _self, *_: None)


@bug("I4")
def the_budget_is_not_kept() -> AbstractContextManager[Any]:
    return patch.object(Budget, "wait", lambda _self, _now: 0.0)


@bug("I12", "I13")
def halving_a_batch_loses_half() -> AbstractContextManager[Any]:
    def make(real: Any) -> Any:
        def refused(self: Search[Any], part: list[Any]) -> None:
            real(self, part)
            del self._parts[-2:-1]

        return refused

    return _put(Search, "refused", make)()


@bug("I1")
def one_refusal_of_the_key_ends_all_waits() -> AbstractContextManager[Any]:
    return patch.object(Gate, "refused", lambda _self, _now: True)


@bug("I1")
def what_is_refused_to_one_id_is_refused_to_all() -> AbstractContextManager[Any]:
    return patch.object(poller, "is_refused_alone", lambda _life, _others: False)


@bug("I14")
def the_jitter_comes_from_somewhere_else() -> AbstractContextManager[Any]:
    return _put(
        Lane, "__init__", lambda real: lambda self, network, **given: real(self, network, **given | {"rng": random})
    )()


# who waits


@bug("I1")
def a_stream_is_told_twice() -> AbstractContextManager[Any]:
    def make(real: Any) -> Any:
        def ended(self: Inbox, life: Life, verdict: Any) -> None:
            real(self, life, verdict)
            real(self, life, verdict)

        return ended

    return _put(Inbox, "ended", make)()


@bug("I1")
def a_slow_reader_loses_final_states() -> AbstractContextManager[Any]:
    def make(real: Any) -> Any:
        def init(self: Inbox, *, changes: bool) -> None:
            real(self, changes=changes)
            self._finals = deque(maxlen=1)

        return init

    return _put(Inbox, "__init__", make)()


@bug("I1")
def a_song_that_can_be_heard_is_not_told() -> AbstractContextManager[Any]:
    return patch.object(Wait, "looked", lambda _self, _life, _look: None)


@bug("I1", "I12", "I13")
def only_the_first_who_waits_is_told() -> AbstractContextManager[Any]:
    return _put(Tracker, "_waiters", lambda real: lambda self, life: real(self, life)[:1])()


@bug("I12", "I13", "I2")
def a_second_wait_replaces_the_first() -> AbstractContextManager[Any]:
    def make(real: Any) -> Any:
        def join(self: Tracker, task_id: str, alone: Any, now: float, wait: float) -> Any:
            life = real(self, task_id, alone, now, wait)
            life.waiters = alone
            return life

        return join

    return _put(Tracker, "_join", make)()


# submissions


@bug("I8", "I9")
def a_submission_without_an_answer_is_sent_again() -> AbstractContextManager[Any]:
    def make(real: Any) -> Any:
        def resend_delay(outcome: Any, attempts: int, *rest: Any) -> float | None:
            return 1.0 if isinstance(outcome, SubmitUnknown) and attempts < 3 else real(outcome, attempts, *rest)

        return resend_delay

    return _put(submissions, "resend_delay", make)()


@bug("I8")
def a_bad_gateway_is_taken_for_a_refusal() -> AbstractContextManager[Any]:
    def make(real: Any) -> Any:
        def judge(answer: Answer, **facts: Any) -> Any:
            found = real(answer, **facts)
            return RequestRejected("no") if isinstance(found, SubmitUnknown) and answer.status >= 500 else found

        return judge

    return _put(submissions, "judge", make)()


@bug("I8")
def an_id_in_an_answer_that_was_cut_off_is_not_seen() -> AbstractContextManager[Any]:
    return patch.object(outcome, "_salvaged", lambda *_: None)


@bug("I3")
def a_submission_is_sent_without_its_slot() -> AbstractContextManager[Any]:
    def make(real: Any) -> Any:
        async def attempt(self: Submissions, errand: Any) -> None:
            self._slots.release()
            try:
                await real(self, errand)
            finally:
                with anyio.CancelScope(shield=True):
                    await self._slots.acquire()

        return attempt

    return _put(Submissions, "_attempt", make)()


@bug("I10")
def the_intent_is_written_after_the_sending() -> AbstractContextManager[Any]:
    async def attempt(self: Submissions, errand: Any) -> None:
        errand.sending = True
        errand.latest = errand.answered(await self._send(errand.request))
        if await self._intend(errand):
            await self._conclude(errand)
        errand.sending = False

    return patch.object(Submissions, "_attempt", attempt)


@bug("I8", "I10")
def an_outcome_is_not_written() -> AbstractContextManager[Any]:
    async def conclude(self: Journal, intent: Any) -> None:
        """Nothing."""

    return patch.object(Journal, "conclude", conclude)


@bug("I8", "I10")
def an_outcome_is_told_before_it_is_written() -> AbstractContextManager[Any]:
    async def conclude(self: Journal, intent: Any) -> None:
        self._scribe.note(lambda store: store.conclude(intent))

    return patch.object(Journal, "conclude", conclude)


@bug("I9")
def the_idempotency_key_is_ignored() -> AbstractContextManager[Any]:
    return _put(Submissions, "_errand", lambda real: lambda self, request, _key: real(self, request, None))()


@bug("I9")
def an_unknown_outcome_frees_its_idempotency_key() -> AbstractContextManager[Any]:
    return patch.object(store, "FREE", frozenset(IntentState) - {IntentState.ACCEPTED})


@bug("I8")
def resume_forgets_a_task() -> AbstractContextManager[Any]:
    return _put(Store, "open_tasks", lambda real: lambda self, gateway=None: real(self, gateway)[1:])()


@bug("I8", "I10")
def unknown_submissions_are_forgotten_when_the_journal_is_opened() -> AbstractContextManager[Any]:
    def make(real: Any) -> Any:
        def prepare(self: Store, connection: Any, *rest: Any) -> None:
            real(self, connection, *rest)
            connection.execute("DELETE FROM intents WHERE state IN ('intended', 'unknown')")

        return prepare

    return _put(Store, "_prepare", make)()


# the network


@bug("I11", tier=2)
def a_key_that_is_echoed_is_not_taken_out() -> AbstractContextManager[Any]:
    return patch.object(Redaction, "clean", lambda _self, data: data)


@bug("I7", "I9", tier=2)
def what_broke_is_sent_again_by_aiohttp() -> AbstractContextManager[Any]:
    def make(real: Any) -> Any:
        def session(self: Transport, *given: Any, **named: Any) -> Any:
            made = real(self, *given, **named)
            made._retry_connection = True
            return made

        return session

    return _put(Transport, "_session", make)()


@bug("I11", tier=2)
def redirects_are_followed() -> AbstractContextManager[Any]:
    def make(real: Any) -> Any:
        async def request(self: aiohttp.ClientSession, *given: Any, **named: Any) -> Any:
            return await real(self, *given, **named | {"allow_redirects": True})

        return request

    return _put(aiohttp.ClientSession, "_request", make)()


@bug("I8", tier=2)
def submissions_share_the_connections_of_looks() -> AbstractContextManager[Any]:
    async def submit(self: Transport, request: Request) -> Any:
        limits = aiohttp.ClientTimeout(total=120.0)
        return await self._exchange(self._looks, request, limits, fresh=False)

    return patch.object(Transport, "submit", submit)


@bug("I6", tier=2)
def connections_stay_open_at_the_end() -> AbstractContextManager[Any]:
    async def aexit(self: Transport, *_: object) -> None:
        """Nothing."""

    return patch.object(Transport, "__aexit__", aexit)


@contextmanager
def planted(name: str) -> Iterator[None]:
    """The product with one bug more."""
    with ExitStack() as stack:
        stack.enter_context(BUGS[name].plant())
        yield
