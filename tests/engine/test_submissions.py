"""The submissions: sent once, their outcome told or logged whatever happens to who asked."""

import asyncio
import logging
from collections import deque
from itertools import pairwise
from random import Random

import anyio
import anyio.lowlevel
import pytest
from virtual import Engine, World, journaled, limited, said

from suno_async.engine.fingerprint import Fingerprint
from suno_async.engine.submissions import DRAIN_SECONDS, Submissions
from suno_async.protocol.errors import (
    ClientClosed,
    ConfigurationError,
    GatewayUnavailable,
    JournalError,
    QuotaExceeded,
    RateLimited,
    RequestRejected,
    SubmitUnknown,
    SunoError,
    Unauthorized,
)
from suno_async.protocol.exchange import Answer, Broken, Request
from suno_async.protocol.intents import IntentState
from suno_async.protocol.limits import Quota

SONG = Request("POST", "/suno/submit/music", b'{"gpt_description_prompt":"a cat"}')
NOT_SENT = Broken("the connection was refused", sent=False)
LOST = Broken("no answer in time", sent=True)


async def outcome(awaitable):
    """What it gives or raises."""
    try:
        return await awaitable
    except Exception as error:  # noqa: BLE001
        return error


@pytest.fixture
def warnings(caplog):
    caplog.set_level(logging.WARNING, "suno_async")
    return lambda: [record.getMessage() for record in caplog.records]


async def test_an_accepted_submission_gives_its_id(warnings):
    """One POST, one id, nothing to warn of."""
    world = World()
    async with Engine(world) as engine:
        assert await engine.submissions.submit(SONG) == "task-1"
        assert [request for _, request in world.posts] == [SONG]
        await engine.settle()
    assert warnings() == []


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (said(400, "prompt_empty"), RequestRejected),
        (said(403, "quota_not_enough", "quota"), QuotaExceeded),
        (said(500, "do_request_failed", "eof"), SubmitUnknown),
        (Answer(502, {}, b"<html>"), SubmitUnknown),
        (Answer(200, {}, b""), SubmitUnknown),
        (LOST, SubmitUnknown),
        (Broken("bad certificate", sent=False, certificate=True), ConfigurationError),
    ],
    ids=repr,
)
async def test_what_may_have_been_read_is_never_sent_again(answer, kind):
    """A no, an unknown outcome and a refused certificate are told after one POST."""
    world = World()
    world.outcomes = deque([answer])
    async with Engine(world) as engine:
        error = await outcome(engine.submissions.submit(SONG))
        assert type(error) is kind
        assert len(world.posts) == 1
        if kind is SubmitUnknown:
            assert (error.intent.action, error.intent.body, error.intent.sent) == ("music", SONG.body, True)
        await engine.settle()


async def test_what_was_proven_not_to_have_left_is_sent_again():
    """A connection that was refused is tried again at most twice."""
    world = World()
    world.outcomes = deque([NOT_SENT, NOT_SENT])
    async with Engine(world) as engine:
        assert await engine.submissions.submit(SONG) == "task-3"
        world.posts.clear()
        world.outcomes = deque([NOT_SENT] * 9)
        error = await outcome(engine.submissions.submit(SONG))
        assert type(error) is GatewayUnavailable
        assert len(world.posts) == 3
        await engine.settle()


async def test_an_id_in_a_broken_answer_is_found():
    """An accepted answer that was cut off still names its task."""
    world = World()
    world.outcomes = deque([Broken("cut", received=b'{"code":"success","data":"task-9","mess')])
    async with Engine(world) as engine:
        assert await engine.submissions.submit(SONG) == "task-9"


@pytest.mark.parametrize("status", [400, 401, 403, 502])
async def test_a_refusal_that_was_cut_off_is_never_accepted(status):
    """Whatever an answer of 4xx or 5xx names before it breaks, it is no id of an accepted task."""
    world = World()
    world.outcomes = deque([Broken("cut", received=b'{"code":"success","data":"task-9","mess', status=status)])
    async with Engine(world) as engine:
        assert isinstance(await outcome(engine.submissions.submit(SONG)), SunoError)
        assert len(world.posts) == 1


REFUSED = Answer(401, {}, b'{"error":{"message":"Invalid token","type":"new_api_error"}}', True)


async def test_a_refused_key_is_renewed_and_the_submission_sent_once_more():
    """401 proves that nothing was accepted: with another key it is sent again, also after connections refused."""
    world = World()
    world.keys = 9
    async with Engine(world) as engine:
        engine.submissions._renew = world.renew_key
        for before in ([], [NOT_SENT, NOT_SENT]):
            world.posts.clear()
            world.outcomes = deque([*before, REFUSED])
            assert await engine.submissions.submit(SONG) == f"task-{len(before) + 2}"
        world.outcomes = deque([REFUSED, REFUSED])
        world.renewals = 0
        assert type(await outcome(engine.submissions.submit(SONG))) is Unauthorized
        assert world.renewals == 1


@pytest.mark.parametrize(
    ("answer", "keys"), [(REFUSED, 0), (said(403, "", "not for you"), 9), (said(200, "401", "no"), 9)], ids=repr
)
async def test_without_another_key_or_without_proof_a_submission_is_not_sent_again(answer, keys):
    """No other key, or any refusal but HTTP 401: one POST."""
    world = World()
    world.keys, world.outcomes = keys, deque([answer])
    async with Engine(world) as engine:
        engine.submissions._renew = world.renew_key
        assert isinstance(await outcome(engine.submissions.submit(SONG)), SunoError)
        assert len(world.posts) == 1


async def test_a_cancelled_submission_that_is_refused_is_not_sent_again(warnings):
    """Nobody wants it any more, whatever other key there is; the refusal is logged."""
    world = World(latency=5)
    world.keys, world.outcomes = 9, deque([REFUSED])
    async with Engine(world) as engine:
        engine.submissions._renew = world.renew_key
        await cancelled_natively(engine.submissions.submit(SONG))
        await engine.settle()
        assert (len(world.posts), world.renewals) == (1, 0)
        assert "refuses the key" in warnings()[0]


async def test_submissions_have_slots_and_share_the_budget():
    """No more submissions are under way than there are slots, and the rate holds for them too."""
    world = World(latency=10)
    async with Engine(world, slots=2) as engine:
        ids = await asyncio.gather(*(engine.submissions.submit(SONG) for _ in range(5)))
        assert len(set(ids)) == 5
        assert [at for at, _ in world.posts] == [0, 0, 10, 10, 20]
    world = World(latency=0)
    async with Engine(world, rate=0.5) as engine:
        start = anyio.current_time()
        await asyncio.gather(*(engine.submissions.submit(SONG) for _ in range(3)))
        assert [at - start for at, _ in world.posts] == [0, 2, 4]


async def cancelled_natively(submit):
    task = asyncio.get_running_loop().create_task(submit)
    await anyio.sleep(0.5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def cancelled_by_wait_for(submit):
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(submit, 0.5)


async def cancelled_by_timeout(submit):
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await submit


async def cancelled_by_scope(submit):
    with anyio.move_on_after(0.5) as scope:
        await submit
    assert scope.cancelled_caught


CANCELS = [cancelled_natively, cancelled_by_wait_for, cancelled_by_timeout, cancelled_by_scope]


@pytest.mark.parametrize("cancel", CANCELS)
async def test_a_cancelled_submission_is_read_to_its_end(cancel, warnings):
    """However it is cancelled: sent once, its outcome waited for and logged before the cancellation leaves."""
    world = World(latency=5)
    async with Engine(world) as engine:
        await cancel(engine.submissions.submit(SONG))
        assert anyio.current_time() == 5
        assert len(world.posts) == 1
        assert len(warnings()) == 1
        assert "task-1" in warnings()[0]
        await engine.settle()


@pytest.mark.parametrize("cancel", CANCELS)
async def test_a_cancelled_submission_does_not_wait_for_ever(cancel, warnings):
    """After half a minute the cancellation leaves; the outcome is logged when it comes."""
    world = World(latency=100)
    async with Engine(world) as engine:
        await cancel(engine.submissions.submit(SONG))
        assert anyio.current_time() == 0.5 + DRAIN_SECONDS
        assert warnings() == []
        await engine.settle(100)
        assert "task-1" in warnings()[0]


@pytest.mark.parametrize("cancel", CANCELS)
async def test_a_submission_cancelled_before_it_was_sent_is_not_sent(cancel, warnings):
    """In the queue, in the budget's sleep and between two attempts nothing has left, and nothing will."""
    world = World(latency=20)
    async with Engine(world, slots=1) as engine, anyio.create_task_group() as group:
        group.start_soon(engine.submissions.submit, SONG)
        await anyio.sleep(1)
        await cancel(engine.submissions.submit(SONG))
        assert anyio.current_time() == 1.5
        await anyio.sleep(50)
        assert len(world.posts) == 1
    world = World(latency=0)
    async with Engine(world, rate=0.1) as engine:
        await engine.submissions.submit(SONG)
        await cancel(engine.submissions.submit(SONG))
        await anyio.sleep(50)
        assert len(world.posts) == 1
        world.outcomes = deque([NOT_SENT, NOT_SENT, NOT_SENT])
        engine.submissions._chance = lambda: 1.0
        await cancel(engine.submissions.submit(SONG))
        await anyio.sleep(50)
        assert len(world.posts) == 2
        await engine.settle()
    assert warnings() == []


async def test_a_second_cancellation_ends_the_draining(warnings):
    """Who is cancelled twice leaves at once; the outcome is logged all the same."""
    world = World(latency=5)
    async with Engine(world) as engine:
        task = asyncio.get_running_loop().create_task(engine.submissions.submit(SONG))
        await anyio.sleep(1)
        task.cancel()
        await anyio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert anyio.current_time() == 2
        await engine.settle()
        assert "task-1" in warnings()[0]


@pytest.mark.parametrize("steps", range(8))
async def test_an_outcome_that_comes_with_the_cancellation_is_told(steps, warnings):
    """Cancelled in any turn of the loop about the moment of the answer: the id is given or logged, never neither."""
    world = World(latency=5)
    async with Engine(world) as engine:
        found = []

        async def submitting():
            found.append(await engine.submissions.submit(SONG))

        task = asyncio.get_running_loop().create_task(submitting())
        await anyio.sleep(4.999)
        loop = asyncio.get_running_loop()
        loop.call_at(5.0, lambda: loop.at_step.update({loop.steps + steps: task.cancel}))
        await asyncio.wait([task])
        await engine.settle()
        assert (found == ["task-1"]) != (len(warnings()) == 1 and "task-1" in warnings()[0])


async def test_a_client_that_closes_reads_what_was_sent(warnings):
    """Draining returns when what was sent is known; what was not sent yet is not sent, and says so."""
    world = World(latency=20)
    async with Engine(world, slots=1) as engine, asyncio.TaskGroup() as group:
        sent = group.create_task(outcome(engine.submissions.submit(SONG)))
        queued = group.create_task(outcome(engine.submissions.submit(SONG)))
        await anyio.sleep(1)
        await engine.submissions.drain()
        assert anyio.current_time() == 20
        await anyio.sleep(0.1)
        assert sent.result() == "task-1"
        assert type(queued.result()) is GatewayUnavailable
        assert len(world.posts) == 1
        await engine.submissions.drain()
        await engine.settle()
    assert warnings() == []


async def test_a_client_that_closes_still_logs_what_nobody_hears(warnings):
    """An outcome whose caller was cancelled is logged, also if the client is closing by then."""
    world = World(latency=20)
    async with Engine(world) as engine, asyncio.TaskGroup() as group:
        task = group.create_task(engine.submissions.submit(SONG))
        await anyio.sleep(1)
        task.cancel()
        await anyio.sleep(1)
        await engine.submissions.drain()
        await engine.settle()
        assert "task-1" in warnings()[0]


async def test_a_client_that_is_gone_says_what_is_unknown():
    """What was sent and not answered when the client's group ends is unknown; what was not sent was not sent."""
    world = World(latency=100)
    found = []
    async with asyncio.TaskGroup() as group, Engine(world, slots=1) as engine:
        for _ in range(2):
            found.append(group.create_task(outcome(engine.submissions.submit(SONG))))  # noqa: PERF401
        await anyio.sleep(1)
        await engine.submissions.drain()
        assert anyio.current_time() == 1 + DRAIN_SECONDS
    sent, queued = (task.result() for task in found)
    assert type(sent) is SubmitUnknown
    assert "closed before the answer came" in str(sent)
    assert type(queued) is GatewayUnavailable


async def test_a_network_that_raises_leaves_an_unknown_outcome():
    """If sending itself breaks after something may have left, nobody is told that nothing did."""
    world = World()
    world.outcomes = deque([ZeroDivisionError()])
    found = []

    async def submitting():
        async with Engine(world) as engine:
            found.append(await outcome(engine.submissions.submit(SONG)))
            await anyio.sleep(1)

    assert type(await outcome(submitting())) is ExceptionGroup
    assert type(found[0]) is SubmitUnknown


async def test_a_client_that_cannot_take_it_keeps_nothing():
    """What cannot be spawned is not on its way."""

    def refuse(_function):
        raise ClientClosed

    engine = Engine(World())
    submissions = Submissions(None, spawn=refuse, budget=engine.lane.budget, slots=1, rng=Random(0))
    with pytest.raises(ClientClosed):
        await submissions.submit(SONG)
    assert submissions._open == set()
    await submissions.drain()


def test_the_kinds_are_told_apart():
    """ConfigurationError is not what a gateway's no is."""
    assert not issubclass(RequestRejected, ConfigurationError)


# again, where nothing was accepted


BUSY = Answer(503, {}, b'{"error":{"message":"no available channel","type":"new_api_error"}}')
EARLY = said(425, "too_early")


@pytest.mark.parametrize("answer", [limited(), said(429, "429"), BUSY, EARLY], ids=["429", "429 JSON", "503", "425"])
async def test_what_was_refused_for_now_is_sent_again(answer):
    """Up to five attempts, further and further apart; then the refusal is told."""
    world = World(latency=0)
    async with Engine(world) as engine:
        engine.submissions._chance = lambda: 1.0
        start = anyio.current_time()
        world.outcomes = deque([answer] * 4)
        assert await engine.submissions.submit(SONG) == "task-5"
        assert [at - start for at, _ in world.posts] == [0, 1, 3, 7, 15]
        world.posts.clear()
        world.outcomes = deque([answer] * 9)
        assert isinstance(await outcome(engine.submissions.submit(SONG)), RequestRejected | GatewayUnavailable)
        assert len(world.posts) == 5
        await engine.settle()


async def test_no_other_statuses_than_those_asked_for_are_sent_again():
    """``resubmit_on`` empty: one POST, whatever the gateway says."""
    world = World(latency=0)
    async with Engine(world) as engine:
        engine.submissions._resubmit_on = frozenset()
        for answer in (limited(), BUSY, EARLY):
            world.posts.clear()
            world.outcomes = deque([answer])
            assert isinstance(await outcome(engine.submissions.submit(SONG)), SunoError)
            assert len(world.posts) == 1


async def test_a_slot_is_not_held_while_a_refused_submission_waits():
    """Others are sent meanwhile."""
    world = World(latency=0)
    async with Engine(world, slots=1) as engine:
        engine.submissions._chance = lambda: 1.0
        start = anyio.current_time()
        world.outcomes = deque([limited(30)])
        async with asyncio.TaskGroup() as group:
            late = group.create_task(engine.submissions.submit(SONG))
            await anyio.sleep(1)
            assert await engine.submissions.submit(SONG) == "task-2"
        assert late.result() == "task-3"
        assert [at - start for at, _ in world.posts] == [0, 1, 31]


async def test_a_gateway_that_asks_for_minutes_is_told_at_once():
    """Nobody waits five minutes in ``submit`` without having asked for it."""
    world = World(latency=0)
    world.outcomes = deque([limited(300)])
    async with Engine(world) as engine:
        error = await outcome(engine.submissions.submit(SONG))
        assert (type(error), error.retry_after, len(world.posts)) == (RateLimited, 300, 1)


async def test_retries_have_a_quota_over_all_submissions():
    """Once it is spent each submission is sent once; what is accepted earns it back."""
    world = World(latency=0)
    async with Engine(world) as engine:
        engine.submissions._quota = Quota(most=10, cost=5)
        world.outcomes = deque([limited()] * 99)
        for posts in (3, 1, 1):
            world.posts.clear()
            assert type(await outcome(engine.submissions.submit(SONG))) is RateLimited
            assert len(world.posts) == posts
        world.outcomes.clear()
        for _ in range(5):
            await engine.submissions.submit(SONG)
        world.outcomes = deque([limited()])
        assert (await engine.submissions.submit(SONG)).startswith("task-")


async def test_a_cancelled_caller_ends_the_attempts(warnings):
    """While it waits for its next attempt nothing is with the gateway, and nothing will be."""
    world = World(latency=0)
    world.outcomes = deque([limited(50)])
    async with Engine(world) as engine:
        await cancelled_natively(engine.submissions.submit(SONG))
        assert anyio.current_time() < 2
        await engine.settle(100)
        assert len(world.posts) == 1


# written down


@pytest.fixture
async def written(tmp_path):
    """A journal whose writes take a second of virtual time each."""
    async with journaled(tmp_path, latency=1) as journal:
        yield journal


def states(journal):
    """(state, task id, sent) of every intent on the disk, the oldest first."""
    return [(str(one.state), one.task_id, one.sent) for one in journal._scribe.store.intents()]


async def test_the_intent_is_written_before_the_first_byte_and_the_outcome_before_it_is_told(written):
    """Two writes of a second each, one before the POST, one after the answer; then the id."""
    world = World(latency=5)
    async with Engine(world, journal=written) as engine, asyncio.TaskGroup() as group:
        start = anyio.current_time()
        task = group.create_task(engine.submissions.submit(SONG))
        await anyio.sleep(0.9)
        assert (states(written), world.posts) == ([], [])
        await anyio.sleep(0.2)
        assert states(written) == [("intended", None, False)]
        assert [at - start for at, _ in world.posts] == [1]
        await anyio.sleep(5.5)
        assert not task.done()
        await anyio.sleep(0.5)
        assert task.result() == "task-1"
        assert states(written) == [("accepted", "task-1", True)]
        assert [one.task_id for one in await written.open_tasks()] == ["task-1"]


@pytest.mark.parametrize(
    ("answer", "state", "sent"),
    [
        (said(400, "prompt_empty"), "rejected", True),
        (NOT_SENT, "not_sent", False),
        (LOST, "unknown", True),
        (Answer(502, {"X-Oneapi-Request-Id": "r1"}, b"<html>"), "unknown", True),
        (BUSY, "rejected", True),
        (Broken("bad certificate", sent=False, certificate=True), "not_sent", False),
    ],
    ids=["no", "not sent", "lost", "page", "busy", "certificate"],
)
async def test_each_outcome_is_written(written, answer, state, sent):
    """What the caller is told stands in the journal, with what is known of it."""
    world = World()
    world.outcomes = deque([answer] * 9)
    async with Engine(world, journal=written) as engine:
        error = await outcome(engine.submissions.submit(SONG))
        assert states(written) == [(state, None, sent)]
        (intent,) = written._scribe.store.intents()
        assert (intent.gateway, intent.action, intent.body) == ("https://gateway", "music", SONG.body)
        assert intent.reason == str(error)
        assert intent.status == getattr(error, "status", 0) or error.intent.status == intent.status
        await engine.settle()


async def test_while_it_waits_for_its_next_attempt_the_journal_says_that_nothing_was_accepted(written):
    """A crash between two attempts leaves no unknown submission."""
    world = World(latency=5)
    world.outcomes = deque([limited(30)])
    async with Engine(world, journal=written) as engine, asyncio.TaskGroup() as group:
        task = group.create_task(engine.submissions.submit(SONG))
        await anyio.sleep(7.1)
        assert states(written) == [("rejected", None, True)]
        await anyio.sleep(32.5)
        assert states(written) == [("intended", None, True)]
        assert await task == "task-2"
        assert states(written) == [("accepted", "task-2", True)]


@pytest.mark.parametrize("cancel", CANCELS)
async def test_the_outcome_of_a_cancelled_submission_is_written_before_the_cancellation_leaves(written, cancel):
    """However it is cancelled while it is with the gateway, the id is on the disk when the caller goes on."""
    written._scribe.latency = 0.1
    world = World(latency=5)
    async with Engine(world, journal=written) as engine:
        await cancel(engine.submissions.submit(SONG))
        assert states(written) == [("accepted", "task-1", True)]
        await engine.settle()


@pytest.mark.parametrize("cancel", CANCELS)
async def test_a_submission_cancelled_while_its_intent_is_written_is_not_sent(written, cancel):
    """It is marked as not sent: it must not look unknown after a crash."""
    world = World(latency=5)
    async with Engine(world, journal=written) as engine:
        await cancel(engine.submissions.submit(SONG))
        await engine.settle()
        assert world.posts == []
        assert states(written) == [("not_sent", None, False)]


async def test_a_client_that_closes_marks_what_was_not_answered(written):
    """What was sent is unknown, what was about to be sent is not sent; both are on the disk."""
    world = World(latency=100)
    found = []
    async with asyncio.TaskGroup() as group, Engine(world, slots=1, journal=written) as engine:
        found.append(group.create_task(outcome(engine.submissions.submit(SONG))))
        await anyio.sleep(1.5)
        found.append(group.create_task(outcome(engine.submissions.submit(SONG))))
        await engine.submissions.drain()
    assert [type(task.result()) for task in found] == [SubmitUnknown, GatewayUnavailable]
    assert [state for state, _, _ in states(written)] == ["unknown"]


@pytest.mark.parametrize("steps", range(0, 60, 3))
async def test_wherever_the_client_ends_the_journal_tells_no_lie(written, steps):
    """Ended at any turn of the loop: what was sent is never 'not sent', and what was not is never 'intended'."""
    written._scribe.latency = 0
    world = World(latency=0)
    world.outcomes = deque([NOT_SENT, limited()])
    found = []
    async with asyncio.TaskGroup() as group, Engine(world, journal=written) as engine:
        engine.submissions._chance = lambda: 0.0
        found.append(group.create_task(outcome(engine.submissions.submit(SONG))))
        for _ in range(steps):
            await anyio.lowlevel.checkpoint()
    result = found[0].result()
    for state, task_id, _ in states(written):
        assert state != "intended"
        assert (state == "accepted") == (result == task_id)
        assert (state == "unknown") == isinstance(result, SubmitUnknown)
        if len(world.posts) == 3:
            assert state in {"accepted", "unknown"}


async def test_a_journal_that_cannot_be_written_keeps_the_submission_back(written):
    """Nothing is sent that is not written down."""
    world = World()
    written._scribe.refusals = deque([JournalError("the disk is full")])
    async with Engine(world, journal=written) as engine:
        error = await outcome(engine.submissions.submit(SONG))
        assert (type(error), error.task_id, world.posts) == (JournalError, None, [])
        await engine.settle()


async def test_an_accepted_id_that_cannot_be_written_is_in_the_error_and_in_the_log(written, warnings):
    """The last place that knows a paid task must not swallow it."""
    world = World()
    written._scribe.refusals = deque([None, JournalError("the disk is full")])
    async with Engine(world, journal=written) as engine:
        error = await outcome(engine.submissions.submit(SONG))
        assert (type(error), error.task_id, error.task_ids) == (JournalError, "task-1", ("task-1",))
        assert "task-1" in warnings()[0]
        await engine.settle()


async def test_a_refusal_that_cannot_be_written_is_told_all_the_same(written):
    """The gateway's own no is worth more than the disk's; it is not tried again then."""
    world = World()
    world.outcomes = deque([limited(), None])
    written._scribe.refusals = deque([None, JournalError("the disk is full")])
    async with Engine(world, journal=written) as engine:
        assert type(await outcome(engine.submissions.submit(SONG))) is RateLimited
        assert len(world.posts) == 1


# the same one again


OTHER = Request("POST", "/suno/submit/music", b'{"gpt_description_prompt":"a dog"}')


async def test_two_at_once_with_one_key_are_one_submission(written):
    """Both have the id of the one POST; another body with that key is refused; one cancelled, the other goes on."""
    world = World(latency=5)
    async with Engine(world, journal=written) as engine, asyncio.TaskGroup() as group:
        tasks = [group.create_task(engine.submissions.submit(SONG, idempotency_key="k")) for _ in range(3)]
        await anyio.sleep(2)
        with pytest.raises(ConfigurationError, match="another submission"):
            await engine.submissions.submit(OTHER, idempotency_key="k")
        tasks[0].cancel()
        await asyncio.wait(tasks)
        assert [task.result() for task in tasks[1:]] == ["task-1", "task-1"]
        assert len(world.posts) == 1
        await engine.settle()


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_key_that_was_used_gives_the_first_task(written, restarted):
    """Later, and after a restart: the id of the first submission, and nothing is sent."""
    world = World()
    async with Engine(world, journal=written) as engine:
        assert await engine.submissions.submit(SONG, idempotency_key="k") == "task-1"
        if restarted:
            await written.close()
            await written.open()
        assert await engine.submissions.submit(SONG, idempotency_key="k") == "task-1"
        assert len(world.posts) == 1
        with pytest.raises(ConfigurationError, match="another submission"):
            await engine.submissions.submit(OTHER, idempotency_key="k")
        assert await engine.submissions.submit(SONG, idempotency_key="j") == "task-2"
        assert len(states(written)) == 2


async def test_a_key_may_come_with_its_fields_in_another_order(written):
    """The same submission, spelled otherwise, under way and afterwards: the id of the one POST."""
    spelled = [
        Request("POST", "/suno/submit/music", body)
        for body in (b'{"prompt":"a","title":"b"}', b'{ "title": "b", "prompt": "a" }')
    ]
    world = World(latency=5)
    async with Engine(world, journal=written) as engine, asyncio.TaskGroup() as group:
        tasks = [group.create_task(engine.submissions.submit(each, idempotency_key="k")) for each in spelled]
        await asyncio.wait(tasks)
        assert [task.result() for task in tasks] == ["task-1", "task-1"]
        assert await engine.submissions.submit(spelled[1], idempotency_key="k") == "task-1"
        assert len(world.posts) == 1


async def test_a_key_whose_outcome_is_unknown_is_never_sent_again(written):
    """Not now, and not after a crash: the same unknown submission is told."""
    world = World()
    world.outcomes = deque([LOST])
    async with Engine(world, journal=written) as engine:
        first = await outcome(engine.submissions.submit(SONG, idempotency_key="k"))
        again = await outcome(engine.submissions.submit(SONG, idempotency_key="k"))
        assert (type(first), type(again)) == (SubmitUnknown, SubmitUnknown)
        assert again.intent.intent_id == first.intent.intent_id != ""
        assert (first.intent.gateway, first.intent.idempotency_key) == ("https://gateway", "k")
        assert "reconcile()" in str(again)
        assert f"forget('{first.intent.intent_id}')" in str(again)
        assert again.intent.state is IntentState.UNKNOWN
        assert len(world.posts) == 1


@pytest.mark.parametrize("answer", [said(400, "prompt_empty"), said(403, "quota_not_enough", "quota")], ids=repr)
async def test_a_key_of_which_nothing_came_may_be_used_again(written, answer):
    """Refused, and so neither accepted nor charged: the next try is sent, with another body too, as the same intent."""
    world = World()
    world.outcomes = deque([answer])
    async with Engine(world, journal=written) as engine:
        assert isinstance(await outcome(engine.submissions.submit(SONG, idempotency_key="k")), RequestRejected)
        assert await engine.submissions.submit(OTHER, idempotency_key="k") == "task-2"
        assert states(written) == [("accepted", "task-2", True)]


async def test_what_is_under_way_is_not_unknown(written):
    """Its name is known while it is sent, and no longer afterwards."""
    world = World(latency=5)
    async with Engine(world, journal=written) as engine, asyncio.TaskGroup() as group:
        group.create_task(engine.submissions.submit(SONG))
        await anyio.sleep(2)
        (intent,) = await written.undecided()
        assert engine.submissions.under_way == {intent.intent_id}
        await anyio.sleep(10)
        assert engine.submissions.under_way == frozenset()


async def test_the_budget_counts_from_when_a_submission_leaves(written):
    """However long its intent takes to be written, no two leave closer than ``rate`` allows, and few intents wait."""
    world = World(latency=0)
    written._scribe.latency = 3
    async with Engine(world, rate=0.5, journal=written) as engine, asyncio.TaskGroup() as group:
        tasks = [group.create_task(engine.submissions.submit(SONG)) for _ in range(4)]
        await anyio.sleep(4)
        assert [state for state, _, _ in states(written)].count("intended") <= 1
        await asyncio.wait(tasks)
        times = [at for at, _ in world.posts]
        assert all(later - sooner >= 2 for sooner, later in pairwise(times))


async def test_a_submission_cancelled_between_its_intent_and_its_place_is_not_sent(written):
    """A look has taken the place meanwhile: the intent is marked as not sent."""
    world = World(latency=0)
    written._scribe.latency = 0.1
    async with Engine(world, rate=0.1, journal=written) as engine:
        task = asyncio.get_running_loop().create_task(engine.submissions.submit(SONG))
        await anyio.sleep(0.05)
        engine.lane.budget.reserve(anyio.current_time())
        await anyio.sleep(1)
        assert states(written) == [("intended", None, False)]
        task.cancel()
        await asyncio.wait([task])
        await engine.settle()
        assert (world.posts, states(written)) == ([], [("not_sent", None, False)])


async def test_a_caller_cancelled_while_the_client_closes_waits_for_what_is_written(written):
    """What was being written when the client began to close is marked as not sent, once, before anybody leaves."""
    world = World(latency=5)
    async with Engine(world, journal=written) as engine:
        task = asyncio.get_running_loop().create_task(engine.submissions.submit(SONG))
        await anyio.sleep(0.5)
        async with anyio.create_task_group() as group:
            group.start_soon(engine.submissions.drain)
            await anyio.sleep(0.1)
            task.cancel()
            await asyncio.wait([task])
            assert states(written) == [("not_sent", None, False)]
        assert anyio.current_time() < 3
        assert world.posts == []


async def test_who_joins_a_submission_whose_first_caller_has_left_is_waited_for(written):
    """A client that closes reads on for the second caller, though the first one has waited its half minute."""
    world = World(latency=50)
    written._scribe.latency = 0
    async with Engine(world, journal=written) as engine:
        first = asyncio.get_running_loop().create_task(engine.submissions.submit(SONG, idempotency_key="k"))
        await anyio.sleep(1)
        first.cancel()
        await asyncio.wait([first])
        second = asyncio.get_running_loop().create_task(engine.submissions.submit(SONG, idempotency_key="k"))
        await anyio.sleep(1)
        await engine.submissions.drain()
        assert await second == "task-1"


# with which key it was sent


class Keyed:
    """An engine whose key may change: what its journal says of each submission at the moment when it is sent."""

    def __init__(self, journal) -> None:
        self.journal, self.key, self.sent = journal, Fingerprint(b"first"), []
        journal.key = lambda: self.key
        self.world = World(latency=0)

    def engine(self, **options) -> Engine:
        engine = Engine(self.world, journal=self.journal, **options)
        send = engine.submissions._send

        async def noted(request):
            self.sent.append((self.key.text, self.told()))
            return await send(request)

        engine.submissions._send = noted
        return engine

    def told(self) -> list[str]:
        """What is on the disk just now."""
        return [intent.fingerprint for intent in self.journal._scribe.store.intents()]

    def renew(self) -> bool:
        self.key = Fingerprint(b"second")
        return True


async def test_an_intent_tells_with_which_key_it_is_sent(written):
    """From before its first byte, in each attempt, also where an earlier one was refused with another key."""
    keyed = Keyed(written)
    keyed.world.outcomes = deque([None, REFUSED])
    async with keyed.engine() as engine:
        engine.submissions._renew = keyed.renew
        assert await engine.submissions.submit(SONG) == "task-1"
        first = keyed.key.text
        assert await engine.submissions.submit(OTHER, idempotency_key="k") == "task-3"
        second = keyed.key.text
        assert keyed.sent == [(first, [first]), (first, [first, first]), (second, [first, second])]
        assert keyed.told() == [first, second]


@pytest.mark.parametrize("key", [None, "k"])
async def test_what_was_written_for_another_key_is_not_sent(written, key):
    """A key that is taken into use while the intent is written: a process that died then would lie about its key."""
    keyed = Keyed(written)
    written._scribe.latency = 1
    async with keyed.engine() as engine, asyncio.TaskGroup() as group:
        task = group.create_task(engine.submissions.submit(SONG, idempotency_key=key))
        await anyio.sleep(0.5)
        keyed.renew()
        await anyio.sleep(1)
        assert keyed.sent == []
        assert await task == "task-1"
        assert keyed.sent == [(keyed.key.text, [keyed.key.text])]
        assert states(written) == [("accepted", "task-1", True)]


async def test_a_key_that_changes_each_time_is_given_up(written):
    """What never left was not accepted, and says so."""
    keyed = Keyed(written)
    written.key = lambda: Fingerprint(b"always another")
    async with keyed.engine() as engine:
        error = await outcome(engine.submissions.submit(SONG))
        assert (type(error), keyed.sent) == (GatewayUnavailable, [])
        assert str(error) == "the submission was not sent: another key was taken into use first"
        assert [state for state, _, _ in states(written)] == ["not_sent"]
