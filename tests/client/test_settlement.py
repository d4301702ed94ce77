"""Unknown submissions, settled end to end: a real gateway that loses answers, a real journal, and its accounts.

Nobody waits ten minutes here. The gateway's clock and the journal's begin some hours ago and go on together when a
test lets time pass; the client that reconciles has the machine's own clock.
"""

import logging
import math
from datetime import UTC, datetime
from functools import partial

import anyio
import msgspec
import pytest
from quick import CAT, KEY, SONG, ignore, to
from wire import Unhurt, Wire, answer, raw, row, then_stall, told, until

from suno_async import (
    ConfigurationError,
    Custom,
    Finding,
    Fixed,
    Inspiration,
    IntentState,
    JournalError,
    RateLimited,
    SubmitUnknown,
    Suno,
    Verdict,
    WaitTimeout,
    WriteLyrics,
)
from suno_async.client import settlement
from suno_async.engine.journal import Journal
from suno_async.engine.journal.store import Store
from suno_async.engine.journal.writer import Writer
from suno_async.protocol.accounts import MOST_PAGES
from suno_async.protocol.requests import submission
from suno_async.testing import Gateway

ADOPTED, NOT_CHARGED, CHARGED, UNDECIDED = Finding
DOG = Inspiration("a song about a dog")
RAIN = Custom(prompt="drops on the roof", title="Rain", tags="lofi")
SNOW = Custom(prompt="flakes on the roof", title="Snow", tags="lofi")
HOURS = 3600.0


class Past:
    """A gateway and a journal some hours ago."""

    def __init__(self, gateway: Gateway, path) -> None:
        self.gateway, self.path = gateway, path
        self.back = 6 * HOURS
        gateway._desk.clock._epoch -= self.back

    def passes(self, seconds: float) -> None:
        """So much later, for both."""
        self.back -= seconds
        self.gateway._desk.clock._epoch += seconds

    def now(self) -> float:
        """What the journal writes down as the time."""
        return datetime.now(UTC).timestamp() - self.back

    def suno(self, **options) -> Suno:
        """A client of that time, or of now where no time is left."""
        made = {
            "api_key": self.gateway.api_key,
            "pace": Fixed(0.02),
            "rng": Unhurt(),
            "journal": self.path,
            "timeout": 5,
        }
        suno = Suno(self.gateway.url, **made | options)
        if self.back:
            suno._runtime.journal = Journal(
                self.path, self.gateway.url, Writer(partial(Store, self.path, now=self.now))
            )
        return suno

    async def accepted(self) -> str:
        """One more submission that nothing happens to."""
        async with self.suno() as suno:
            return (await suno.submit(DOG)).task_id

    async def lost(self, *faults: str, body=CAT, **options) -> None:
        """Submissions at once, each with its fault: afterwards nobody can tell what came of them."""
        async with self.suno() as suno:
            for fault in faults:
                self.gateway.faults.once(fault)
                with pytest.raises(SubmitUnknown):
                    await suno.submit(body, **options)

    async def ends(self) -> None:
        """The last submission of the past is accepted, and it is now."""
        self.passes(1 * HOURS)
        await self.accepted()
        self.passes(self.back)

    def states(self) -> list[str]:
        """What the journal says, the oldest first, when nobody has it open."""
        store = Store(self.path)
        try:
            return [intent.state.value for intent in store.intents()]
        finally:
            store.close()


@pytest.fixture
async def past(gateway, tmp_path):
    """Six hours ago, when a first submission was accepted."""
    found = Past(gateway, tmp_path / "suno.journal")
    await found.accepted()
    found.passes(1 * HOURS)
    return found


@pytest.fixture
async def old(tmp_path):
    """The same at a gateway of 2025."""
    async with Gateway(era="2025", beat=math.inf, failure_rate=0) as gateway:
        found = Past(gateway, tmp_path / "old.journal")
        await found.accepted()
        found.passes(1 * HOURS)
        yield found


def account(gateway: Gateway) -> dict:
    return {"access_token": gateway.access_token, "user_id": gateway.user_id}


def findings(verdicts) -> list[Finding]:
    return [verdict.finding for verdict in verdicts]


def asked(gateway: Gateway) -> list[str]:
    return [seen.path for seen in gateway.requests if seen.path.startswith("/api/")]


# what was not charged


@pytest.mark.parametrize("fault", ["connection_reset", "hang", "empty_answer", "html_page", "server_error"])
async def test_what_was_never_taken_is_not_charged(past, gateway, monkeypatch, fault):
    """Its intent is refused from then on, after a restart too, and its idempotency key is free again."""
    monkeypatch.setattr("suno_async.engine.transport._SUBMIT_SECONDS", 0.3)
    await past.lost(fault, idempotency_key="k")
    await past.ends()
    async with past.suno() as suno:
        [lost] = await suno.unknown()
        [verdict] = await suno.reconcile()
        assert (verdict.intent, verdict.finding, verdict.task_id) == (lost, NOT_CHARGED, None)
        assert await suno.unknown() == await suno.reconcile() == []
    assert past.states() == ["accepted", "rejected", "accepted"]
    async with past.suno() as suno:
        assert await suno.unknown() == []
        before = gateway.counts["accepted"]
        job = await suno.submit(CAT, idempotency_key="k")
        assert (await suno.submit(CAT, idempotency_key="k")).task_id == job.task_id
        assert gateway.counts["accepted"] == before + 1
    assert past.states() == ["accepted", "accepted", "accepted"]


async def test_an_error_of_the_gateways_own_is_settled_by_its_request_id(past):
    """Whoever else is charged at that time: there is no charge under the name that the answer told."""
    await past.lost("upstream_html")
    await past.lost("answer_lost")
    await past.ends()
    async with past.suno() as suno:
        first, second = await suno.reconcile()
    assert (first.finding, first.evidence) == (NOT_CHARGED, "there is no charge under its request id")
    assert first.intent.request_id
    assert second.finding is UNDECIDED


# what was charged


@pytest.mark.parametrize("fault", ["answer_lost", "answer_withheld", "slow_upstream"])
async def test_what_was_charged_is_never_not_charged(past, monkeypatch, fault):
    """With the key to ourselves it is charged, else nobody can tell; it stays unknown, also after a restart."""
    monkeypatch.setattr("suno_async.engine.transport._SUBMIT_SECONDS", 0.3)
    await past.lost(fault, idempotency_key="k")
    await past.ends()
    for exclusive, finding in ((False, UNDECIDED), (True, CHARGED)):
        async with past.suno() as suno:
            [verdict] = await suno.reconcile(exclusive_key=exclusive)
            assert (verdict.finding, verdict.task_id) == (finding, None)
            assert len(await suno.unknown()) == 1
            with pytest.raises(SubmitUnknown):
                await suno.submit(CAT, idempotency_key="k")


async def test_a_refund_takes_no_charge_back(past, gateway):
    """A task that failed meanwhile was accepted all the same."""
    await past.lost("answer_lost")
    [task_id] = gateway.accepted[next(iter(gateway.accepted.keys() - {_bytes(DOG)}))]
    past.passes(1 * HOURS)
    gateway.fail(task_id)
    await past.ends()
    async with past.suno() as suno:
        assert findings(await suno.reconcile(exclusive_key=True)) == [CHARGED]


async def test_several_at_once_are_told_apart_by_their_number(past, gateway):
    """Three were lost and three are charged: all of them. Of two of three nobody knows which."""
    await past.lost("answer_lost", "answer_lost", "answer_lost")
    past.passes(1 * HOURS)
    await past.lost("answer_lost", "connection_reset", "answer_lost")
    past.passes(1 * HOURS)
    await past.accepted()
    past.passes(0.2 * HOURS)
    await past.lost("connection_reset", "connection_reset")
    await past.ends()
    async with past.suno() as suno:
        verdicts = await suno.reconcile(exclusive_key=True)
    assert findings(verdicts) == [CHARGED] * 3 + [UNDECIDED] * 3 + [NOT_CHARGED] * 2
    assert asked(gateway) == ["/api/log/token"]


async def test_another_user_of_the_key_makes_it_undecided(past, gateway):
    """A charge of its time may be theirs."""
    await past.lost("connection_reset")
    async with Suno(gateway.url, api_key=gateway.api_key) as other:
        await other.submit(CAT)
    await past.ends()
    async with past.suno() as suno:
        [verdict] = await suno.reconcile()
        assert (verdict.finding, verdict.evidence) == (
            UNDECIDED,
            "1 charge of its time may be its own, or another's",
        )


# what proves nothing


async def test_nobody_is_judged_too_early(past, gateway):
    """While the gateway may still be at work on it nothing is said, and the evidence says when to ask again."""
    await past.ends()
    await past.lost("connection_reset", "answer_lost")
    await past.accepted()
    async with past.suno() as suno:
        for verdict in await suno.reconcile(exclusive_key=True):
            assert verdict.finding is UNDECIDED
            assert "ask again in 6" in verdict.evidence
            assert verdict.evidence.endswith(" s")


async def test_nothing_is_said_before_something_was_accepted_since(past):
    """The log may have been switched off right after the last charge it lists."""
    await past.lost("connection_reset")
    past.passes(past.back)
    async with past.suno() as suno:
        [verdict] = await suno.reconcile()
        assert verdict.finding is UNDECIDED
        assert "nothing is known to be accepted since" in verdict.evidence
        await suno.submit(DOG)
        assert findings(await suno.reconcile()) == [NOT_CHARGED]


async def test_a_log_that_is_switched_off_proves_nothing(past, gateway):
    """A charge that nobody logged is not taken for none: what was accepted since is missing too."""
    gateway.faults["charge_unlogged"] = 1.0
    await past.lost("answer_lost")
    await past.ends()
    async with past.suno() as suno:
        [verdict] = await suno.reconcile(exclusive_key=True)
    assert (verdict.finding, verdict.evidence) == (
        UNDECIDED,
        "the log of this key does not list all that was accepted around its time",
    )


async def test_the_log_of_another_key_proves_nothing(past, gateway):
    """A key that was changed meanwhile has a log of its own, in which the charges of the old one are not."""
    await past.lost("answer_lost")
    past.passes(1 * HOURS)
    second = gateway.add_key()
    async with past.suno(api_key=second) as suno:
        await suno.submit(DOG)
    past.passes(past.back)
    async with past.suno(api_key=second) as suno:
        assert findings(await suno.reconcile(exclusive_key=True)) == [UNDECIDED]


@pytest.mark.parametrize("exclusive", [False, True])
async def test_what_another_key_has_paid_for_is_never_not_charged(past, gateway, exclusive):
    """Two keys of one account take turns: the log of the one lists all of its own, and nothing of the other's."""
    second = gateway.add_key()
    async with past.suno(api_key=second) as suno:
        await suno.submit(DOG)
    past.passes(1 * HOURS)
    await past.lost("answer_lost", idempotency_key="k")
    past.passes(1 * HOURS)
    async with past.suno(api_key=second) as suno:
        await suno.submit(DOG)
    past.passes(past.back)
    paid = gateway.counts["accepted"]
    async with past.suno(api_key=second) as suno:
        [verdict] = await suno.reconcile(exclusive_key=exclusive)
        assert (verdict.finding, verdict.evidence) == (
            UNDECIDED,
            "it was sent with another key than the one whose log this is",
        )
        with pytest.raises(SubmitUnknown):
            await suno.submit(CAT, idempotency_key="k")
    assert gateway.counts["accepted"] == paid


async def test_what_each_key_has_not_paid_for_is_not_charged(past, gateway):
    """With the key it was sent with it is judged as ever, whatever another key has accepted meanwhile."""
    await past.lost("connection_reset")
    past.passes(1 * HOURS)
    second = gateway.add_key()
    async with past.suno(api_key=second) as suno:
        await suno.submit(DOG)
    past.passes(1 * HOURS)
    await past.ends()
    async with past.suno() as suno:
        assert findings(await suno.reconcile()) == [NOT_CHARGED]


async def test_a_key_that_is_a_function_is_judged_by_the_key_that_it_gave(past, gateway):
    """Each intent tells the key that it was sent with, in the middle of a life too."""
    first, second = gateway.api_key, gateway.add_key()
    keys = iter([first, second])
    async with past.suno(api_key=lambda: next(keys)) as suno:
        gateway.faults.once("connection_reset")
        with pytest.raises(SubmitUnknown):
            await suno.submit(CAT)
        past.passes(1 * HOURS)
        assert suno._runtime.transport.renew_key()
        gateway.faults.once("answer_lost")
        with pytest.raises(SubmitUnknown):
            await suno.submit(RAIN)
    await past.ends()
    async with past.suno(api_key=first) as suno:
        assert findings(await suno.reconcile()) == [NOT_CHARGED, UNDECIDED]


async def test_a_key_that_is_renewed_while_its_charges_are_asked_for_proves_nothing(past, gateway):
    """Whose log it is nobody knows then; asked again it is told."""
    await past.lost("connection_reset")
    await past.ends()
    keys = iter([gateway.api_key, gateway.add_key(), gateway.api_key])
    async with past.suno(api_key=lambda: next(keys)) as suno:
        once = suno._runtime.lane.once

        async def renewed(request, seconds):
            told = await once(request, seconds)
            assert suno._runtime.transport.renew_key()
            return told

        suno._runtime.lane.once = renewed
        [verdict] = await suno.reconcile()
        assert (verdict.finding, verdict.evidence) == (
            UNDECIDED,
            "another key was taken into use meanwhile: ask again",
        )
        suno._runtime.lane.once = once
        assert findings(await suno.reconcile()) == [UNDECIDED]
        assert suno._runtime.transport.renew_key()
        assert findings(await suno.reconcile()) == [NOT_CHARGED]


async def test_of_what_an_older_journal_has_nobody_knows_the_key(past):
    """Its intents have no fingerprint: none of them is judged, and none is a check of the log."""
    await past.lost("connection_reset")
    await past.ends()
    store = Store(past.path)
    for intent in store.intents():
        store.commit([partial(Store.put, intent=msgspec.structs.replace(intent, fingerprint=""))])
    store.close()
    async with past.suno() as suno:
        [verdict] = await suno.reconcile(exclusive_key=True)
        assert (verdict.finding, verdict.evidence) == (UNDECIDED, "nobody knows with which key it was sent")


async def test_a_log_that_is_cut_off_proves_nothing(past, gateway):
    """A list of the newest charges does not reach back for ever."""
    await past.lost("answer_lost")
    await past.ends()
    async with past.suno() as suno:
        for _ in range(3):
            await suno.submit(DOG)
    gateway._desk.ledger._era = msgspec.structs.replace(gateway._desk.ledger._era, logged=4)
    async with past.suno() as suno:
        assert findings(await suno.reconcile()) == [UNDECIDED]


async def test_2025_shows_no_charges_to_a_key(old):
    """An empty list is no proof of anything there."""
    await old.lost("answer_lost", "connection_reset")
    await old.ends()
    async with old.suno() as suno:
        verdicts = await suno.reconcile(exclusive_key=True)
    assert findings(verdicts) == [UNDECIDED, UNDECIDED]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("no_account_routes", "it answered 404: Invalid URL (GET /api/log/token)"),
        ("rate_limited", "it answered 429 without JSON"),
        ("retry_after", "it answered 429"),
        ("html_page", "it answered 200 without JSON"),
        ("empty_answer", "it answered 200 without JSON"),
        ("server_error", "without JSON"),
        ("overloaded", "it answered 503: "),
        ("connection_reset", "the log of this key: it "),
        ("truncated", "the log of this key: "),
    ],
)
async def test_a_log_that_cannot_be_read_says_why(past, gateway, fault, words):
    """Nothing is decided and nothing is raised; the next one is asked anew."""
    await past.lost("connection_reset")
    await past.ends()
    async with past.suno() as suno:
        gateway.faults.once(fault)
        [verdict] = await suno.reconcile()
        assert verdict.finding is UNDECIDED
        assert words in verdict.evidence
        assert (await suno.fetch(gateway.put())).succeeded
        assert findings(await suno.reconcile()) == [NOT_CHARGED]


async def test_the_gateways_own_limit_is_an_answer_like_any_other(past, gateway):
    """Twenty in twenty minutes; each reconciliation asks once, however many are unknown, and never by itself again."""
    await past.lost(*["connection_reset"] * 5)
    past.passes(past.back)
    async with past.suno() as suno:
        for number in range(1, 22):
            verdicts = await suno.reconcile()
            assert findings(verdicts) == [UNDECIDED] * 5
            assert len(asked(gateway)) == number
            assert ("it answered 429" in verdicts[0].evidence) == (number == 21)


# what is found among the account's tasks


async def test_what_is_found_is_adopted_and_can_be_waited_for(past, gateway):
    """Its intent is accepted with its task, which resume() gives, after a restart too; the key gives it again."""
    await past.lost("answer_lost", body=RAIN, idempotency_key="k")
    past.passes(past.back)
    async with past.suno() as suno:
        [verdict] = await suno.reconcile(**account(gateway), exclusive_key=True)
        assert (verdict.finding, [verdict.task_id]) == (ADOPTED, gateway.accepted[_bytes(RAIN)])
        assert await suno.unknown() == []
        assert asked(gateway) == ["/api/task/self"]
    assert past.states() == ["accepted", "accepted"]
    async with past.suno() as suno:
        jobs = {job.task_id: job for job in await suno.resume()}
        job = jobs[verdict.task_id]
        assert (await suno.submit(RAIN, idempotency_key="k")).task_id == job.task_id
        async with anyio.create_task_group() as group:
            group.start_soon(job.wait)
            await anyio.sleep(0.05)
            gateway.finish(job.task_id)
    assert len(gateway.accepted[_bytes(RAIN)]) == 1


@pytest.mark.parametrize("body", [CAT, RAIN, WriteLyrics("about rain")])
async def test_a_gateway_of_2025_shows_its_tasks_too(old, body):
    """Ten a page from page zero, without their action."""
    await old.lost("answer_lost", body=body)
    gateway = old.gateway
    old.passes(old.back)
    async with old.suno() as suno:
        [verdict] = await suno.reconcile(**account(gateway), exclusive_key=True)
    assert (verdict.finding, [verdict.task_id]) == (ADOPTED, gateway.accepted[_bytes(body)])


async def test_words_tell_what_was_lost_at_once_apart(past, gateway):
    """Those whose upstream has begun have their words; what remains is told apart by the charges."""
    bodies = [Custom(prompt=f"verse {number}", title="T") for number in range(3)]
    for body, fault in zip(bodies, ("answer_lost", "connection_reset", "answer_lost"), strict=True):
        await past.lost(fault, body=body)
    for body in bodies:
        for task_id in gateway.accepted.get(_bytes(body), ()):
            gateway.finish(task_id)
    await past.ends()
    async with past.suno() as suno:
        verdicts = await suno.reconcile(**account(gateway), exclusive_key=True)
    assert findings(verdicts) == [ADOPTED, UNDECIDED, ADOPTED]
    assert [verdict.task_id for verdict in verdicts] == [
        gateway.accepted[_bytes(bodies[0])][0],
        None,
        gateway.accepted[_bytes(bodies[2])][0],
    ]
    assert "; " in verdicts[1].evidence


async def test_the_task_of_another_is_not_adopted(past, gateway):
    """Without the account to itself, and where nothing of it was accepted, the task of its time is somebody else's."""
    await past.lost("connection_reset", body=RAIN)
    async with Suno(gateway.url, api_key=gateway.add_key()) as other:
        stranger = await other.submit(RAIN)
    gateway.finish(stranger.task_id)
    past.passes(past.back)
    async with past.suno() as suno:
        [verdict] = await suno.reconcile(**account(gateway))
        assert (verdict.finding, verdict.task_id) == (UNDECIDED, None)
        assert f"{stranger.task_id} is its own, unless somebody else submits there too" in verdict.evidence
        assert {job.task_id for job in await suno.resume()} == set(gateway.accepted[_bytes(DOG)])


async def _among(past: Past, count: int) -> int:
    """How many pages it took to find the oldest and the newest task among so many others of ours."""
    await past.lost("answer_lost", body=RAIN)
    async with past.suno() as suno, anyio.create_task_group() as group:
        for _ in range(count):
            group.start_soon(suno.submit, DOG)
    await past.lost("answer_lost", body=SNOW)
    for body in (RAIN, SNOW):
        past.gateway.finish(past.gateway.accepted[_bytes(body)][0])
    past.passes(past.back)
    async with past.suno() as suno:
        verdicts = await suno.reconcile(**account(past.gateway), exclusive_key=True)
    assert findings(verdicts) == [ADOPTED, ADOPTED]
    assert [[verdict.task_id] for verdict in verdicts] == [past.gateway.accepted[_bytes(body)] for body in (RAIN, SNOW)]
    return asked(past.gateway).count("/api/task/self")


async def test_all_pages_of_2026_are_read(past):
    """Fifty a page, the oldest last; the first page is not asked for twice."""
    assert await _among(past, 60) == 2


async def test_all_pages_of_2025_are_read(old):
    """Ten a page."""
    assert await _among(old, 23) == 3


async def test_each_time_is_asked_for_by_itself(past, gateway):
    """What was lost hours apart is found without reading what was made in between."""
    await past.lost("answer_lost", body=CAT)
    past.passes(1 * HOURS)
    gateway.seed_tasks(50 * MOST_PAGES)
    past.passes(1 * HOURS)
    await past.lost("answer_lost", body=CAT)
    past.passes(past.back)
    async with past.suno() as suno:
        verdicts = await suno.reconcile(**account(gateway), exclusive_key=True)
    assert [verdict.task_id for verdict in verdicts] == gateway.accepted[_bytes(CAT)]
    assert asked(gateway) == ["/api/task/self"] * 2


@pytest.mark.parametrize(("ago", "finding"), [(300, UNDECIDED), (900, ADOPTED)])
async def test_nothing_is_adopted_before_its_time_is_over(past, gateway, ago, finding):
    """Until then the only task may be that of a submission that starts meanwhile; the evidence says when to ask."""
    past.passes(past.back - ago)
    await past.lost("answer_lost", body=RAIN)
    past.passes(past.back)
    async with past.suno() as suno:
        [verdict] = await suno.reconcile(**account(gateway), exclusive_key=True)
    assert verdict.finding is finding
    early = "may be its own, but the gateway may still be at work on it: ask again in "
    assert (early in verdict.evidence) == (finding is UNDECIDED)


async def test_what_is_waited_for_here_is_somebodys(past, gateway):
    """A task whose id came from elsewhere is not the one that was lost."""
    await past.lost("connection_reset", body=RAIN)
    async with Suno(gateway.url, api_key=gateway.api_key) as other:
        stranger = await other.submit(RAIN)
    past.passes(past.back)
    async with past.suno() as suno:
        with pytest.raises(WaitTimeout):
            await suno.wait(stranger.task_id, timeout=0.1)
        [verdict] = await suno.reconcile(**account(gateway), exclusive_key=True)
    assert verdict.finding is UNDECIDED
    assert verdict.evidence.startswith("the account has no task of its time that is not another's; ")


async def test_a_gateway_with_two_names_gives_nobody_anothers_task(past, gateway):
    """Accepted under one name, never taken under the other: neither its task nor its charge is the lost one's."""
    other = gateway.url.replace("127.0.0.1", "localhost")
    suno = Suno(other, api_key=gateway.api_key, pace=Fixed(0.02))
    suno._runtime.journal = Journal(past.path, other, Writer(partial(Store, past.path, now=past.now)))
    async with suno:
        await suno.submit(RAIN)
    await past.lost("connection_reset", body=RAIN)
    await past.ends()
    async with past.suno() as suno:
        [verdict] = await suno.reconcile(**account(gateway), exclusive_key=True)
    assert (verdict.finding, verdict.task_id) == (NOT_CHARGED, None)
    assert past.states() == ["accepted", "accepted", "rejected", "accepted"]


async def test_too_many_tasks_are_not_told_apart(old):
    """After forty pages it stops, and says so."""
    await old.lost("answer_lost")
    old.gateway.seed_tasks(10 * MOST_PAGES)
    old.passes(old.back)
    async with old.suno() as suno:
        [verdict] = await suno.reconcile(**account(old.gateway), exclusive_key=True)
    assert verdict.finding is UNDECIDED
    assert "the account's tasks: they are too many to be told apart; " in verdict.evidence
    assert len(asked(old.gateway)) == MOST_PAGES + 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"access_token": "x" * 32}, "invalid access token"),
        ({"user_id": 2}, "New-Api-User does not match"),
    ],
)
async def test_an_account_that_is_refused_says_so(past, gateway, change, words):
    """The refusal is part of the evidence, and the charges are asked for all the same."""
    await past.lost("connection_reset", "answer_lost")
    await past.ends()
    async with past.suno() as suno:
        verdicts = await suno.reconcile(**account(gateway) | change)
    assert findings(verdicts) == [UNDECIDED, UNDECIDED]
    assert words in verdicts[0].evidence
    assert "2 charges" not in verdicts[0].evidence
    assert "1 charge of its time may be its own" in verdicts[0].evidence


# meanwhile


async def test_without_anything_unknown_nobody_is_asked(past, gateway):
    """With an access token or without."""
    async with past.suno() as suno:
        assert await suno.reconcile() == await suno.reconcile(**account(gateway), exclusive_key=True) == []
    assert asked(gateway) == []


async def test_what_is_on_its_way_is_neither_judged_nor_robbed(past, gateway, monkeypatch):
    """A submission that is charged, and whose answer is still to come, keeps its charge and its task."""
    past.passes(past.back - 100)
    await past.lost("connection_reset", body=RAIN)
    past.passes(past.back)
    monkeypatch.setattr("suno_async.engine.transport._SUBMIT_SECONDS", 1.0)
    async with past.suno() as suno:
        gateway.faults.once("answer_withheld")
        async with anyio.create_task_group() as group:
            group.start_soon(ignore, suno.submit(RAIN))
            await until(lambda: gateway.accepted.get(_bytes(RAIN)))
            [verdict] = await suno.reconcile(**account(gateway), exclusive_key=True)
            assert verdict.finding is UNDECIDED
            assert "1 task of its time may be its own; " in verdict.evidence
            assert verdict.intent.state is IntentState.UNKNOWN
    assert past.states() == ["accepted", "unknown", "unknown"]


async def test_what_was_forgotten_meanwhile_stays_forgotten(past):
    """A verdict that comes too late is not written down, and not told."""
    await past.lost("connection_reset", "connection_reset")
    await past.ends()
    async with past.suno(concurrency=1) as suno:
        first, second = await suno.unknown()
        slots, found = suno._runtime.lane.slots, []

        async def reconcile():
            found.extend(await suno.reconcile())

        slots.acquire_nowait()
        async with anyio.create_task_group() as group:
            group.start_soon(reconcile)
            await until(lambda: slots.statistics().tasks_waiting)
            assert await suno.forget(first.intent_id)
            slots.release()
        assert [(verdict.intent, verdict.finding) for verdict in found] == [(second, NOT_CHARGED)]
    assert past.states() == ["accepted", "rejected", "accepted"]


async def test_what_was_settled_and_sent_again_is_not_settled_twice(past, gateway):
    """Of two that reconcile at once one decides; what was submitted again since keeps its own outcome."""
    await past.lost("connection_reset", idempotency_key="k")
    await past.ends()
    async with past.suno() as suno:
        [lost] = await suno.unknown()
        late = settlement.Settlement(suno._runtime.lane, suno._runtime.journal, 5.0)
        assert findings(await suno.reconcile()) == [NOT_CHARGED]
        job = await suno.submit(CAT, idempotency_key="k")
        assert await late.settle([lost], None, exclusive=True) == []
        assert (await suno.submit(CAT, idempotency_key="k")).task_id == job.task_id
    assert past.states() == ["accepted", "accepted", "accepted"]


async def test_what_changes_at_the_last_moment_is_not_written_over(past):
    """Between the verdict and its record somebody forgets the intent: the record is left out."""
    await past.lost("connection_reset")
    past.passes(past.back)
    async with past.suno() as suno:
        [lost] = await suno.unknown()
        late = settlement.Settlement(suno._runtime.lane, suno._runtime.journal, 5.0)
        assert await suno.forget(lost.intent_id)
        written = {}
        await late._note(written, [Verdict(lost, NOT_CHARGED, "there was no charge")])
    assert written == {}
    assert past.states() == ["accepted"]


async def test_a_closed_gate_is_part_of_the_evidence(past, gateway):
    """Where the gateway has asked for a pause, reconcile() raises nothing."""
    await past.lost("connection_reset")
    past.passes(past.back)
    async with past.suno(timeout=0.2) as suno:
        suno._runtime.lane.gate.failed(anyio.current_time(), 1.0, limited=True, retry_after=60.0)
        suno._runtime.lane._error = RateLimited("the gateway asks for fewer requests", status=429)
        [verdict] = await suno.reconcile(**account(gateway))
    assert (verdict.finding, asked(gateway)) == (UNDECIDED, [])
    assert verdict.evidence.count("the gateway asks for fewer requests") == 2


async def test_what_cannot_be_written_down_is_not_told(past, monkeypatch):
    """JournalError, and the intent stays unknown."""
    await past.lost("connection_reset")
    await past.ends()

    def full(*_):
        raise OSError(28, "No space left on device")

    async with past.suno() as suno:
        monkeypatch.setattr(Store, "_put", full)
        with pytest.raises(JournalError):
            await suno.reconcile()
        monkeypatch.undo()
    assert past.states() == ["accepted", "unknown", "accepted"]


# secrets

TOKEN = "CANARY+canary/0123456789abcdef=="


class Ears(logging.Handler):
    """Hears every log record."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.heard: list[str] = []

    def emit(self, record):
        self.heard += [record.getMessage(), repr(record.__dict__)]


def echo(call):
    """The answer of a gateway that tells everything it was asked, in a refusal."""
    return answer({"success": False, "message": f"you said {dict(call.headers)}"})


@pytest.mark.parametrize(
    "step",
    [echo, answer(f"<html>{TOKEN}</html>"), raw("HTTP/1.1 200 OK", f"X: {TOKEN}", "Date: x"), then_stall(b"HTTP/1.1")],
)
async def test_the_access_token_is_in_no_text(tmp_path, step):
    """Not in a verdict, a log, an error or a repr, whatever the gateway answers; and the journal has never seen it."""
    ears = Ears()
    logging.getLogger().addHandler(ears)
    level = logging.getLogger().level
    logging.getLogger().setLevel(logging.DEBUG)
    path = tmp_path / "suno.journal"
    try:
        async with Wire(lambda call: call.reset(), step) as wire, to(wire, journal=path, timeout=0.5) as suno:
            await ignore(suno.submit(CAT))
            [verdict] = await suno.reconcile(access_token=TOKEN, user_id=7)
            said = [repr(verdict), repr(suno), repr(vars(suno)), repr(await suno.unknown())]
    finally:
        logging.getLogger().setLevel(level)
        logging.getLogger().removeHandler(ears)
    assert verdict.finding is UNDECIDED
    assert "CANARY" not in "".join([*said, *ears.heard])
    assert b"CANARY" not in path.read_bytes()


async def test_each_secret_is_shown_to_its_own_routes_only(tmp_path):
    """The access token to the list of tasks, where the key is not; the key everywhere else, where the token is not."""
    steps = [lambda call: call.reset(), answer({"success": False, "message": "no"}), answer({"data": []})]
    async with Wire(*steps, told(row("task_1")), SONG) as wire, to(wire, journal=tmp_path / "suno.journal") as suno:
        await ignore(suno.submit(CAT))
        await suno.reconcile(access_token=TOKEN, user_id=7)
        await ignore(suno.fetch("task_1"))
        await ignore(suno.submit(CAT))
    paths = [call.path.partition("?")[0] for call in wire.calls]
    assert paths == [
        "/suno/submit/music",
        "/api/task/self",
        "/api/log/token",
        "/suno/fetch/task_1",
        "/suno/submit/music",
    ]
    for call, path in zip(wire.calls, paths, strict=True):
        shown = dict(call.headers)
        if path == "/api/task/self":
            assert (shown["Authorization"], shown["New-Api-User"]) == (TOKEN, "7")
            assert KEY.encode() not in call.request
        else:
            assert shown["Authorization"] == f"Bearer {KEY}"
            assert "New-Api-User" not in shown
            assert b"CANARY" not in call.request
        assert "key" not in call.path
        assert len([name for name, _ in call.headers if name.lower() == "authorization"]) == 1


@pytest.mark.parametrize(
    "options",
    [
        {"access_token": TOKEN},
        {"user_id": 1},
        {"access_token": TOKEN, "user_id": 0},
        {"access_token": TOKEN, "user_id": "1"},
        {"access_token": f"{TOKEN}\n", "user_id": 1},
        {"access_token": "", "user_id": 1},
    ],
    ids=repr,
)
async def test_half_an_account_is_refused_before_anybody_is_asked(past, gateway, options):
    """ConfigurationError, which shows nothing of the token."""
    await past.lost("connection_reset")
    async with past.suno() as suno:
        with pytest.raises(ConfigurationError) as caught:
            await suno.reconcile(**options)
    assert "CANARY" not in repr(caught.value)
    assert asked(gateway) == []


def _bytes(body) -> bytes:
    """A submission as it is sent."""
    return submission(body).body or b""
