"""How fast we may go."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suno_async.protocol import errors
from suno_async.protocol.errors import GatewayUnavailable, RateLimited, RequestRejected
from suno_async.protocol.limits import RESUBMIT_ON, Budget, Gate, Quota, resend_delay, retry_delay
from suno_async.protocol.refusals import Kind, Trouble

QUICK = settings(max_examples=100, deadline=None, derandomize=True)

# the budget


@QUICK
@given(st.floats(0.1, 1000), st.integers(1, 20), st.lists(st.floats(0, 5), min_size=1, max_size=60))
def test_no_window_holds_more_than_the_rate_and_the_burst(rate, burst, gaps):
    """In any window of any length there are at most rate x window + burst requests, however they ask."""
    budget, now, sent = Budget(rate, burst), 1000.0, []
    for gap in gaps:
        now += gap
        sent.append(now + budget.reserve(now))
    for first in range(len(sent)):
        for last in range(first, len(sent)):
            assert last - first + 1 <= rate * (sent[last] - sent[first]) + burst + 1e-6


@QUICK
@given(st.floats(0.1, 100), st.lists(st.floats(0, 2), max_size=30))
def test_requests_go_in_the_order_they_asked(rate, gaps):
    """First come, first served."""
    budget, now, last = Budget(rate), 0.0, -math.inf
    for gap in gaps:
        now += gap
        goes = now + budget.reserve(now)
        assert goes >= last - 1e-9
        last = goes


def test_a_burst_goes_at_once_and_then_the_rate():
    """With a burst of three, three go now and each further one a step later; a pause earns no more than a burst."""
    budget = Budget(rate=2, burst=3)
    assert [budget.reserve(0) for _ in range(6)] == [0, 0, 0, 0.5, 1, 1.5]
    assert [budget.reserve(100) for _ in range(5)] == [0, 0, 0, 0.5, 1]


def test_without_a_burst_requests_are_evenly_spaced():
    """One request a second is one request a second, from the first second on."""
    budget = Budget(rate=1)
    assert [budget.reserve(10) for _ in range(4)] == [0, 1, 2, 3]


def test_no_rate_is_no_limit():
    """Without a rate nobody waits."""
    budget = Budget(rate=None)
    assert {budget.reserve(0) for _ in range(1000)} == {0.0}


# the gate


def closed(*, failures=3, chance=0.5, now=0.0, **more) -> Gate:
    gate = Gate()
    for _ in range(failures):
        gate.failed(now, chance, **more)
    return gate


def test_a_new_gate_is_open():
    """Nobody waits at a gate that has seen no failure, and nobody is its probe."""
    gate = Gate()
    assert gate.wait(0) == 0
    assert gate.enter() == 0


def test_one_failure_or_two_close_nothing():
    """A success between failures starts the count again: one failure in a hundred must not halve the throughput."""
    gate = Gate()
    for _ in range(10):
        gate.failed(0, 1)
        gate.failed(0, 1)
        assert gate.wait(0) == 0
        gate.passed(0)
    assert gate.failures == 0


def test_three_failures_close_it():
    """The third failure in a row closes the gate for a part of a second."""
    assert closed().wait(0) == 0.5
    assert closed(chance=0).wait(0) == 0.1
    assert closed(chance=1).wait(0) == 1.0
    assert closed().wait(0.2) == pytest.approx(0.3)
    assert closed().wait(9) == 0


def test_too_many_requests_close_it_at_once():
    """One 429 is enough, and what it asks for is the least, with the jitter on top."""
    assert closed(failures=1, limited=True).wait(0) == 0.5
    assert closed(failures=1, limited=True, retry_after=30.0).wait(0) == 30.5
    assert closed(failures=1, limited=True, retry_after=30.0, chance=0).wait(0) == 30.1


def test_the_pause_doubles_up_to_a_minute():
    """Each failed probe doubles the longest pause, from 1 s up to 60 s, however many there are."""
    gate, pauses = closed(chance=1), []
    for _ in range(12):
        probe = gate.enter()
        assert probe
        gate.failed(0, 1, probe=probe)
        pauses.append(gate.wait(0))
    assert pauses == [2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60, 60]


def test_repeated_429_double_it_too():
    """429 after 429 waits longer each time."""
    gate, pauses = Gate(), []
    for _ in range(4):
        gate.failed(0, 1, limited=True, probe=gate.enter())
        pauses.append(gate.wait(0))
    assert pauses == [1, 2, 4, 8]


def test_one_probe_goes_through_a_half_open_gate():
    """After the pause one request is the probe; the others wait for what becomes of it."""
    gate = closed()
    assert gate.wait(0.6) == 0
    assert gate.enter() > 0
    assert gate.wait(0.6) is None
    assert gate.wait(99) is None


def test_the_probe_opens_it():
    """The probe's success opens the gate and forgets the failures."""
    gate = closed()
    gate.passed(0.7, probe=gate.enter())
    assert (gate.wait(0.7), gate.failures, gate.enter(), gate.probing) == (0, 0, 0, False)


def test_a_cancelled_probe_gives_its_permit_back():
    """A probe that came back without a result lets the next request be the probe."""
    gate = closed()
    gate.returned(gate.enter())
    assert gate.wait(0.6) == 0
    assert gate.enter() > 0


def test_who_left_before_it_closed_does_not_decide_for_the_probe():
    """Its failure neither ends the probe nor counts; its success opens the gate, and the probe is then one of many."""
    gate = closed()
    probe = gate.enter()
    gate.failed(0.7, 0.5)
    gate.returned(0)
    assert (gate.probing, gate.failures, gate.wait(0.7)) == (True, 3, None)
    gate.passed(0.8)
    assert (gate.probing, gate.closed) == (False, False)
    for _ in range(3):
        gate.failed(0.9, 0.5)
    second = gate.enter()
    gate.failed(5, 1, probe=probe)
    gate.passed(0.95, probe=probe)
    gate.returned(probe)
    assert (second > probe, gate.probing, gate.failures) == (True, True, 3)
    gate.returned(second)
    assert not gate.probing


def test_late_failures_do_not_stretch_the_pause():
    """Requests that left before the gate closed may fail as they like: they count once."""
    gate = closed()
    for _ in range(50):
        gate.failed(0.4, 1)
    assert gate.wait(0) == 0.5
    assert gate.failures == 3


def test_the_result_of_the_probe_decides():
    """A success from before does not open a gate whose probe is out; the probe's opens it, whatever was asked since."""
    gate = closed()
    probe = gate.enter()
    gate.passed(0.4)
    assert gate.closed
    gate.failed(0.6, 1, limited=True, retry_after=30.0)
    gate.passed(0.7, probe=probe)
    assert not gate.closed


def test_a_late_429_still_moves_the_end():
    """What the gateway asks for is honoured also in an answer that comes late, and never shortens the pause."""
    gate = closed()
    gate.failed(0.4, 1, limited=True, retry_after=20.0)
    assert gate.wait(0.4) == 20
    gate.failed(0.4, 1, limited=True, retry_after=5.0)
    assert gate.wait(0.4) == 20


def test_a_late_success_does_not_cut_the_pause_short():
    """A success that left before the gate closed does not undo what the gateway has asked for since."""
    gate = closed(failures=1, limited=True, retry_after=30.0)
    gate.passed(5)
    assert gate.wait(5) == 25.5
    gate.passed(30.5)
    assert gate.wait(30.5) == 0
    assert not gate.closed


def test_a_success_at_no_known_time_opens_it():
    """A caller that does not say when opens the gate."""
    gate = closed()
    gate.passed()
    assert not gate.closed


EVENTS = st.sampled_from(["fail", "limit", "pass", "enter", "return"])


@QUICK
@given(st.lists(st.tuples(EVENTS, st.floats(0, 10), st.floats(0, 1), st.none() | st.floats(0, 300)), max_size=60))
def test_a_gate_always_opens_again(events):
    """After any history, a gate that is left alone lets a request through within its bounds, and a success opens it."""
    gate, now, asked, probe = Gate(), 0.0, 0.0, 0
    for event, gap, chance, retry_after in events:
        now += gap
        if event == "enter" and gate.wait(now) == 0:
            probe = gate.enter()
            assert (probe > 0) is gate.closed is gate.probing
        elif event == "fail":
            gate.failed(now, chance, probe=probe)
        elif event == "limit":
            gate.failed(now, chance, limited=True, retry_after=retry_after)
            asked = max(asked, now + (retry_after or 0))
            assert gate.until >= now + (retry_after or 0)
        elif event == "pass":
            gate.passed(now, probe=probe)
        else:
            gate.returned(probe)
        wait = gate.wait(now)
        assert wait is None or 0 <= wait <= 361
    gate.returned(probe)
    now += gate.wait(now)
    gate.passed(now, probe=gate.enter())
    assert gate.wait(now) == 0
    assert not gate.closed


# the key

REFUSALS = [
    ([0], [False]),
    ([0, 0], [False, False]),
    ([0, 1.9], [False, False]),
    ([0, 2], [False, True]),
    ([0, 1, 2.5], [False, False, True]),
    ([0, 600], [False, True]),
    ([0, 601], [False, False]),
    ([0, 601, 603], [False, False, True]),
    ([0, 3, 4], [False, True, True]),
]


@pytest.mark.parametrize(("times", "believed"), REFUSALS, ids=[str(row[0]) for row in REFUSALS])
def test_a_refusal_is_believed_the_second_time(times, believed):
    """A refused key counts when it is refused twice, at least 2 s and at most ten minutes apart."""
    gate = Gate()
    assert [gate.refused(now) for now in times] == believed


def test_a_key_that_works_again_was_never_refused():
    """One accepted request between two refusals, and the first counts no more."""
    gate = Gate()
    assert not gate.refused(0)
    gate.welcomed()
    assert not gate.refused(10)
    assert gate.refused(12)


# single looks


def trouble(kind, retry_after=None):
    return Trouble(kind, GatewayUnavailable(), retry_after=retry_after)


@pytest.mark.parametrize("kind", list(Kind), ids=lambda kind: kind.name)
def test_only_what_may_pass_is_tried_again(kind):
    """An outage, 429, no news, and a foreign or nameless answer are tried again; a clear answer is not."""
    again = {Kind.OUTAGE, Kind.LIMITED, Kind.NO_NEWS, Kind.FOREIGN, Kind.NAMELESS}
    assert (retry_delay(trouble(kind), 1, 0.5) is not None) == (kind in again)
    assert retry_delay(trouble(kind), 3, 0.5) is None


@pytest.mark.parametrize(
    ("kind", "attempts", "chance", "asked", "delay"),
    [
        (Kind.OUTAGE, 1, 1, None, 0.5),
        (Kind.OUTAGE, 2, 1, None, 1),
        (Kind.OUTAGE, 2, 0, None, 0),
        (Kind.LIMITED, 1, 1, None, 1),
        (Kind.LIMITED, 2, 0.5, None, 1),
        (Kind.LIMITED, 1, 1, 7.0, 8),
        (Kind.OUTAGE, 1, 0, 300.0, 300),
        (Kind.NAMELESS, 1, 1, None, 0),
        (Kind.NAMELESS, 2, 1, 9.0, 0),
    ],
)
def test_tries_are_spread(kind, attempts, chance, asked, delay):
    """Tries come with full jitter, longer after 429, never before what the gateway asked for; a fresh one at once."""
    assert retry_delay(trouble(kind, asked), attempts, chance) == delay


# the retry quota


def test_retries_have_a_quota():
    """A hundred retries are allowed at once, then one for each five successes; no more than a hundred are saved up."""
    quota = Quota()
    assert [quota.spend() for _ in range(101)] == [True] * 100 + [False]
    for _ in range(4):
        quota.earn()
    assert not quota.spend()
    quota.earn()
    assert [quota.spend(), quota.spend()] == [True, False]
    for _ in range(501):
        quota.earn()
    assert quota.spent == 0
    assert [quota.spend() for _ in range(101)] == [True] * 100 + [False]


# submissions

RESENT = [
    # not one byte left: three attempts
    (GatewayUnavailable(), 1, 1, 1),
    (GatewayUnavailable(), 1, 0.25, 0.25),
    (GatewayUnavailable(), 2, 1, 2),
    (GatewayUnavailable(), 3, 1, None),
    # refused before anybody got it: five
    (GatewayUnavailable(status=503), 1, 1, 1),
    (GatewayUnavailable(status=503), 2, 0.5, 1),
    (GatewayUnavailable(status=503), 4, 1, 8),
    (GatewayUnavailable(status=503), 5, 1, None),
    (GatewayUnavailable(status=503, retry_after=7.0), 1, 1, 8),
    (GatewayUnavailable(status=503, retry_after=60.5), 1, 0, None),
    (GatewayUnavailable(status=503, retry_after=7.0), 2, 1, 9),
    (GatewayUnavailable(status=503, retry_after=60.5), 1, 0, None),
    (RequestRejected(status=425), 3, 1, 4),
    (RateLimited(status=429), 1, 1, 1),
    (RateLimited(status=429, retry_after=7.0), 1, 1, 8),
    (RateLimited(status=429, retry_after=60.0), 1, 0, 60),
    (RateLimited(status=429, retry_after=60.5), 1, 0, None),
    # anything else may have been accepted, or will be refused again
    (GatewayUnavailable(status=502), 1, 1, None),
    (RequestRejected(status=400), 1, 1, None),
    (errors.QuotaExceeded(status=402), 1, 1, None),
    (errors.SubmitUnknown(), 1, 1, None),
    (errors.UnexpectedResponse(status=503), 1, 1, None),
]


@pytest.mark.parametrize(("outcome", "attempts", "chance", "delay"), RESENT, ids=[str(i) for i in range(len(RESENT))])
def test_only_what_was_not_taken_is_sent_again(outcome, attempts, chance, delay):
    """A submission is sent again if it never left or was refused for now, in growing steps, a few times at most."""
    assert resend_delay(outcome, attempts, chance, RESUBMIT_ON) == delay


def test_what_is_sent_again_can_be_chosen():
    """Which refusals are for now is the caller's to say; what never left is sent again in any case."""
    assert resend_delay(GatewayUnavailable(status=502), 1, 1, {502}) == 1
    assert resend_delay(GatewayUnavailable(status=503), 1, 1, ()) is None
    assert resend_delay(GatewayUnavailable(), 1, 1, ()) == 1


# waits


def test_a_budget_tells_how_long_it_takes():
    """Asking takes no place; what has been taken has to pass; what rounding leaves of a wait is none."""
    budget = Budget(2.0)
    assert [budget.wait(10.0), budget.wait(10.0)] == [0.0, 0.0]
    assert budget.reserve(10.0) == 0.0
    assert budget.wait(10.1) == pytest.approx(0.4)
    assert budget.wait(10.4999999) == 0.0
    assert budget.wait(10.5) == 0.0
    assert Budget(None).wait(0.0) == 0.0
    burst = Budget(2.0, burst=2)
    assert [burst.reserve(0.0), burst.wait(0.0), burst.reserve(0.0)] == [0.0, 0.0, 0.0]
    assert burst.wait(0.0) == pytest.approx(0.5)


def test_a_gate_can_be_held():
    """Held without a failure it is closed until then, lets one probe through, and opens with its success."""
    gate = Gate()
    gate.hold(13.0)
    assert (gate.wait(10.0), gate.wait(12.9999999), gate.wait(13.0)) == (3.0, 0.0, 0.0)
    gate.hold(99.0)
    assert gate.until == 13.0
    assert gate.enter()
    assert gate.wait(14.0) is None
    gate.passed(14.0)
    assert (gate.closed, gate.failures) == (False, 0)


def test_a_held_gate_is_closed_by_its_second_failed_probe():
    """To be held counts as the first of three failures in a row."""
    gate = Gate()
    gate.hold(13.0)
    for pause in (0.0, 1.0):
        gate.failed(13.0, 1, probe=gate.enter())
        assert gate.wait(13.0) == pause


def test_a_longer_pause_that_was_asked_for_meanwhile_is_not_forgotten():
    """A late 429 asks for five minutes while the probe is out; the probe's failure does not make that shorter."""
    gate = closed()
    probe = gate.enter()
    gate.failed(1.0, 0.5, limited=True, retry_after=300.0)
    gate.failed(2.0, 0.5, probe=probe)
    assert gate.wait(2.0) == 299.0


def test_a_retry_after_a_request_that_ran_out_of_time_costs_twice():
    """Ten tokens instead of five, and only if there are ten."""
    quota = Quota(most=15.0, cost=5.0)
    assert quota.spend(late=True)
    assert not quota.spend(late=True)
    assert quota.spend()
    assert quota.spent == 15.0
