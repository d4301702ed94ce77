"""The schedule: when each id is looked at next, and what every look teaches."""

import json
import math
from bisect import bisect_left
from datetime import UTC, datetime
from email.utils import formatdate
from itertools import count
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suno_async.protocol.beat import Beat
from suno_async.protocol.durations import Durations, Event
from suno_async.protocol.exchange import Answer
from suno_async.protocol.experience import Experience, unpacked
from suno_async.protocol.life import Life
from suno_async.protocol.look import Look
from suno_async.protocol.models import Status, Task
from suno_async.protocol.pace import Adaptive, Backoff, Fixed, Scaled
from suno_async.protocol.schedule import Offset, Schedule

QUICK = settings(max_examples=100, deadline=None, derandomize=True)
EPOCH = 1_700_000_000.0
"""What the gateway's clock says when the loop's says 0."""


def look(status=Status.IN_PROGRESS, *, mark=1, audio="", **fields):
    """One look at a row with these columns."""
    clips = [{"id": "c", "status": "complete", "audio_url": audio}] if audio else None
    row = {"task_id": "a", "action": "MUSIC", "status": status.value, "data": clips, **fields}
    return Look("a", status, mark, frozen=False, action="MUSIC", source=json.dumps(row).encode())


names = map("task-{}".format, count())


def life(born=0.0, **fields):
    """An id of this client's own, submitted at ``born``."""
    return Life(**{"task_id": next(names), "born": born, "looked": born, "dated": True, "kind": "MUSIC", **fields})


def dated(schedule, now, speed=1):
    """The schedule has seen an answer with a date, now."""
    date = {"Date": formatdate(EPOCH + math.floor(now), usegmt=True)}
    schedule.answered(Answer(200, date, b""), now / speed, now / speed)


def show(schedule, life, shown, now):
    """A look at an id, as the poller takes it in."""
    schedule.saw(life, shown, now)
    return life.observe(shown, now)


def finish(schedule, seconds, *, born=0.0, before=0.0, **fields):
    """A task that ends, seen ``seconds`` after its birth, the look before having been ``before`` seconds after it."""
    done = life(born, looked=born + before)
    show(schedule, done, look(Status.SUCCESS, audio="https://cdn/a.mp3", **fields), born + seconds)


def median(schedule, kind="MUSIC", event=Event.END):
    """How long half of them take, as far as is known."""
    hazard = schedule.durations.hazard(kind, event)
    there = bisect_left(hazard.expected, math.log(2))
    before, after = hazard.expected[there - 1 : there + 1]
    part = (math.log(2) - before) / (after - before)
    return hazard.ages[there - 1] + part * (hazard.ages[there] - hazard.ages[there - 1])


class Curious:
    """A pace of a user's own, whose answer depends on all that it is told."""

    floor = 0.5

    def after(self, age, looks, chance, share, kind=""):
        return 1 + age + 10 * looks + 100 * chance + 1000 * share + 10_000 * len(kind)


# when


@pytest.mark.parametrize(
    "pace", [Fixed(5), Backoff(), Scaled(Fixed(5), 2), Curious()], ids=["fixed", "backoff", "scaled", "own"]
)
def test_other_paces_are_asked_and_learn_nothing(pace):
    """With a pace that does not learn every delay is that pace's, and there is nothing to keep."""
    schedule = Schedule(pace)
    assert not schedule.learns
    assert schedule.floor == pace.floor
    assert schedule.delay(life(looks=3), 10.0, 0.4, 7.0) == pace.after(10.0, 3, 0.4, 7.0, "MUSIC")
    assert schedule.experience().durations == {}
    assert not schedule.taught


@pytest.mark.parametrize("allowed", [math.inf, 0.1], ids=["no budget", "a small budget"])
@pytest.mark.parametrize(
    "pace", [Fixed(5), Backoff(), Adaptive(), Curious()], ids=["fixed", "backoff", "adaptive", "own"]
)
def test_many_are_due_when_each_of_them_would_be(pace, allowed):
    """What many are told at once is what each would be told alone, with the chances in the same order."""
    together, apart = Schedule(pace), Schedule(pace)
    many, each = ([life(-age, looks=age) for age in range(9)] for _ in range(2))
    one, other = Random(7).random, Random(7).random
    for _ in range(2):
        together.ration(allowed)
        apart.ration(allowed)
        alone = [3.0 + apart.delay(one_of_them, 3.0, other(), 2.0) for one_of_them in each]
        assert together.dues(many, 3.0, one, 2.0) == alone


def test_a_first_task_is_served_by_what_is_known_before():
    """As long as nothing was seen, the delay is the pace's for the hazard of its kind, at the task's own age."""
    schedule, pace = Schedule(Adaptive()), Adaptive()
    known = Durations()
    for kind, age in (("MUSIC", 0.0), ("MUSIC", 80.0), ("LYRICS", 5.0), ("", 2000.0)):
        wanted = pace.delay(known.hazard(kind), age, 9.0)
        assert schedule.delay(life(100.0, kind=kind), 100.0 + age, 0.5, 9.0) == pytest.approx(wanted)


@QUICK
@given(st.floats(0, 5000), st.floats(1, 100), st.sampled_from(Event), st.integers(0, 2**32))
def test_no_delay_is_under_the_floor_or_over_the_ceiling(age, share, event, seed):
    """Whatever was learned, of durations and of a beat, the pace's bounds hold."""
    schedule, rng = Schedule(Adaptive(floor=2.0, ceiling=20.0)), Random(seed)
    now = 0.0
    for _ in range(20):
        now += rng.uniform(1, 20)
        finish(schedule, rng.uniform(1, 300), born=now, before=rng.uniform(0, 1))
        schedule.take_in(now)
    assert 2.0 <= schedule.delay(life(now - age, event=event, since=now), now, 0.5, share) <= 20.0


def test_who_waits_for_less_is_served_sooner():
    """For a change, and for something to hear, looks come sooner than for the end; changes count from the last one."""
    schedule = Schedule(Adaptive())
    delays = {event: schedule.delay(life(event=event), 25.0, 0.5, 1.0) for event in Event}
    assert delays[Event.CHANGE] < delays[Event.END]
    assert delays[Event.PLAYABLE] < delays[Event.END]
    early, late = (schedule.delay(life(event=Event.CHANGE, since=since), 25.0, 0.5, 1.0) for since in (25.0, 10.0))
    assert early > late
    assert schedule.delay(life(event=Event.PLAYABLE, since=25.0), 25.0, 0.5, 1.0) == delays[Event.PLAYABLE]


def test_a_scaled_pace_lives_in_the_gateways_time():
    """Twenty times as fast: a twentieth of the delay at a twentieth of the age, and the same durations are learned."""
    plain, fast = Schedule(Adaptive()), Schedule(Scaled(Adaptive(), 20))
    for _ in range(50):
        finish(plain, 60.0, before=59.0)
        finish(fast, 3.0, before=2.95)
    assert median(fast) == pytest.approx(median(plain))
    assert fast.delay(life(), 2.0, 0.5, 1.0) == pytest.approx(plain.delay(life(), 40.0, 0.5, 1.0) / 20)
    assert fast.floor == plain.floor / 20


def test_what_is_known_is_looked_up_twice_a_second():
    """What was learned a moment ago counts half a second later: until then delays are as they were."""
    schedule = Schedule(Adaptive(beat=None))
    before = schedule.delay(life(-15.0), 0.0, 0.5, 1.0)
    for _ in range(50):
        finish(schedule, 20.0, born=-20.0)
    assert schedule.delay(life(-14.75), 0.25, 0.5, 1.0) == before
    assert schedule.delay(life(-14.5), 0.5, 0.5, 1.0) < before


# the budget


def test_a_budget_that_is_too_small_makes_all_delays_longer_alike():
    """With ten times the looks wanted that the budget has, every delay is about ten times as long, whatever it was."""
    schedule = Schedule(Adaptive(ceiling=30.0))
    ages = (0, 50, 90, 150)
    plain = [schedule.delay(life(-age), 0.0, 0.5, 1.0) for age in ages]
    allowed = sum(1 / delay for delay in plain) / 10
    schedule.ration(allowed)
    lives = [life(-age) for age in ages]
    for one in lives:
        schedule.delay(one, 0.0, 0.5, 1.0)
    schedule.ration(allowed)
    for one, before in zip(lives, plain, strict=True):
        assert schedule.delay(one, 0.0, 0.5, 1.0) == pytest.approx(10.5 * before, rel=0.05)


def crowded(size: int) -> tuple[Schedule, list[Life]]:
    """So many ids that each want a look every five seconds, where one look a second is allowed."""
    schedule, lives = Schedule(Fixed(5.0)), [life() for _ in range(size)]
    schedule.ration(1.0)
    for one in lives:
        schedule.delay(one, 0.0, 0.5, 1.0)
    return schedule, lives


def test_a_budget_that_is_large_enough_changes_nothing():
    """Where fewer looks are wanted than allowed the delays are the pace's; and they are again once the ids are gone."""
    schedule = Schedule(Fixed(5.0))
    schedule.ration(1.0)
    lives = [life() for _ in range(50)]
    assert [schedule.delay(one, 0.0, 0.5, 1.0) for one in lives[:4]] == [5.0] * 4
    for one in lives[4:]:
        schedule.delay(one, 0.0, 0.5, 1.0)
    schedule.ration(1.0)
    assert schedule.delay(lives[0], 0.0, 0.5, 1.0) == pytest.approx(52.5)
    for one in lives[4:]:
        schedule.forget(one)
    schedule.ration(1.0)
    assert schedule.delay(lives[0], 0.0, 0.5, 1.0) == 5.0


def test_what_is_allowed_for_a_while_only_puts_nobody_down_for_long_after_it():
    """A budget that is small until a moment makes a delay end at most the pace's own delay behind that moment."""
    schedule, lives = crowded(400)
    schedule.ration(1.0)
    assert schedule.delay(lives[0], 100.0, 0.5, 1.0) == pytest.approx(420.0)
    for until, delay in ((1000.0, 420.0), (520.0, 420.0), (300.0, 205.0), (101.0, 6.0), (100.0, 5.0), (50.0, 5.0)):
        schedule.ration(1.0, until)
        assert schedule.delay(lives[0], 100.0, 0.5, 1.0) == pytest.approx(delay)
    schedule.ration(1.0)
    assert schedule.delay(lives[0], 100.0, 0.5, 1.0) == pytest.approx(420.0)


def test_who_is_forgotten_twice_wants_nothing_less():
    """What an id wanted is taken back once, however often it is said that nobody waits for it."""
    schedule, lives = crowded(50)
    for _ in range(3):
        schedule.forget(lives[0])
    assert schedule.delay(lives[1], 0.0, 0.5, 1.0) == pytest.approx(5 * 1.05 * 49 / 5)


def test_what_was_brought_along_is_worth_keeping():
    """An experience that a pace was given is kept, where there is none of the gateway's own yet."""
    known = Experience(no_beat=0.5)
    assert Schedule(Adaptive(experience=known)).taught
    assert Schedule(Scaled(Adaptive(experience=known), 2)).taught
    kept = Experience(no_beat=0.75)
    assert not Schedule(Adaptive(experience=known), kept).taught
    assert Schedule(Adaptive(experience=known), kept).experience() == kept
    assert not Schedule(Adaptive()).taught
    assert not Schedule(Fixed(5)).taught


# durations


def test_durations_are_taken_from_the_gateways_own_times():
    """What counts is finish_time less submit_time, not when somebody happened to look."""
    schedule = Schedule(Adaptive(), None)
    for _ in range(100):
        finish(schedule, 90.0, before=10.0, submit_time=int(EPOCH), finish_time=int(EPOCH) + 60)
    assert median(schedule) == pytest.approx(60, rel=0.1)
    assert schedule.taught


@pytest.mark.parametrize(
    "times",
    [
        {},
        {"submit_time": 0, "finish_time": 0},
        {"submit_time": int(EPOCH), "finish_time": int(EPOCH)},
        {"submit_time": int(EPOCH) + 60, "finish_time": int(EPOCH)},
        {"submit_time": int(EPOCH), "finish_time": int(EPOCH) + 4000},
        {"submit_time": "soon", "finish_time": [1]},
        {"submit_time": None, "finish_time": int(EPOCH)},
    ],
    ids=["none", "zero", "same", "backwards", "longer than it lived", "no times", "half"],
)
def test_times_that_cannot_be_are_not_believed(times):
    """Where the gateway's times make no sense, a task took as long as was seen: the end came between two looks."""
    schedule = Schedule(Adaptive())
    for _ in range(100):
        finish(schedule, 62.0, before=58.0, **times)
    assert median(schedule) == pytest.approx(60, rel=0.1)


@pytest.mark.parametrize("scale", [1, 1000], ids=["seconds", "milliseconds"])
def test_times_are_read_as_elsewhere(scale):
    """Milliseconds, text and ISO dates are times too."""
    schedule = Schedule(Adaptive())
    for _ in range(100):
        finish(schedule, 90.0, submit_time=str(int(EPOCH) * scale), finish_time=(int(EPOCH) + 60) * scale)
    assert median(schedule) == pytest.approx(60, rel=0.1)


def test_of_an_id_whose_age_is_not_known_nothing_is_learned():
    """Somebody asks for an old id of which the gateway tells no times: how long it took cannot be known."""
    schedule = Schedule(Adaptive())
    stranger = Life(task_id="a", born=50.0)
    show(schedule, stranger, look(), 50.0)
    show(schedule, stranger, look(Status.SUCCESS, mark=2, audio="https://cdn/a.mp3"), 60.0)
    assert schedule.experience().durations == {}


def test_a_row_in_the_gateways_own_queue_teaches_nothing_about_songs():
    """A row that stood at NOT_START for minutes and then jumped to SUCCESS took that long for the queue."""
    schedule = Schedule(Adaptive())
    for _ in range(50):
        waiting = life()
        show(schedule, waiting, look(Status.NOT_START), 100.0)
        show(schedule, waiting, look(Status.SUCCESS, mark=2, audio="https://cdn/a.mp3"), 300.0)
        waiting = life()
        show(schedule, waiting, look(Status.NOT_START), 100.0)
        assert schedule.delay(waiting, 100.0, 0.5, 100.0) >= 15.0
        show(schedule, waiting, look(mark=2), 200.0)
        show(schedule, waiting, look(Status.SUCCESS, mark=3, audio="https://cdn/a.mp3"), 300.0)
    assert schedule.experience().durations == {}
    before = median(schedule)
    waiting = life()
    show(schedule, waiting, look(Status.NOT_START), 100.0)
    times = {"submit_time": int(EPOCH), "finish_time": int(EPOCH) + 60}
    show(schedule, waiting, look(Status.SUCCESS, mark=2, audio="https://cdn/a.mp3", **times), 300.0)
    assert median(schedule) < before


def test_a_young_row_that_waits_is_no_old_one():
    """A row that has not begun is looked at like any other in its first 45 seconds."""
    schedule = Schedule(Adaptive(beat=None))
    waiting = life(1000.0, queued=True)
    young, old = (schedule.delay(waiting, 1000.0 + age, 0.5, 100.0) for age in (40.0, 50.0))
    assert young == schedule.delay(life(1000.0), 1040.0, 0.5, 100.0) < 10
    assert old == 16


@pytest.mark.parametrize(
    ("times", "seen", "took"), [(60, 61.0, 60.0), (64, 61.0, 64.0), (100, 61.0, None), (1, 61.0, 1.0)]
)
def test_times_are_believed_up_to_what_a_task_has_lived(times, seen, took):
    """By the gateway's clock, and five seconds more: the clocks of two machines are seldom the same."""
    schedule, expected = Schedule(Scaled(Adaptive(beat=None), 20)), Durations()
    finish(schedule, seen / 20, born=7.0, before=0.5, submit_time=int(EPOCH), finish_time=int(EPOCH) + times)
    if took is None:
        expected.took("MUSIC", (7.0 + seen / 20 - 7.0) * 20, least=10.0)
    else:
        expected.took("MUSIC", took)
    assert schedule.experience().durations == expected.copy()


def test_of_a_stranger_the_gateways_times_are_believed():
    """Where nobody knows how long an id has lived, it took what the gateway says, also if it was seen for less."""
    schedule, expected = Schedule(Adaptive(beat=None)), Durations()
    stranger = Life(task_id="a", born=50.0, kind="MUSIC")
    show(schedule, stranger, look(), 50.0)
    times = {"submit_time": int(EPOCH), "finish_time": int(EPOCH) + 80}
    show(schedule, stranger, look(Status.SUCCESS, mark=2, audio="https://cdn/a.mp3", **times), 60.0)
    expected.took("MUSIC", 80.0)
    assert schedule.experience().durations == expected.copy()


def test_the_times_of_a_row_of_another_shape_are_times_too():
    """Where a row was read the long way, its times have become dates."""
    schedule, expected = Schedule(Adaptive(beat=None)), Durations()
    begin, end = (datetime.fromtimestamp(EPOCH + seconds, UTC) for seconds in (0, 60))
    task = Task(task_id="a", action="MUSIC", status=Status.FAILURE, submit_time=begin, finish_time=end)
    show(schedule, life(), Look("a", Status.FAILURE, 1, frozen=False, action="MUSIC", source=task), 90.0)
    expected.took("MUSIC", 60.0)
    assert schedule.experience().durations == expected.copy()


def test_who_asks_again_is_not_taught_again():
    """An id that was final before teaches nothing more, however often it is waited for; others do."""
    schedule = Schedule(Adaptive())
    for number in range(3):
        for _ in range(5):
            show(schedule, life(task_id=f"again-{number}"), look(Status.FAILURE), 30.0)
    assert schedule.experience().durations["end:MUSIC"].seen == 3


def test_an_id_that_was_seen_on_its_way_teaches_once():
    """Also where the first wait saw it unfinished, those that come later teach nothing more."""
    schedule = Schedule(Adaptive())
    first = life(task_id="again")
    show(schedule, first, look(mark=1), 20.0)
    show(schedule, first, look(Status.FAILURE, mark=2), 30.0)
    for _ in range(5):
        show(schedule, life(task_id="again"), look(Status.FAILURE, mark=2), 40.0)
    assert schedule.experience().durations["end:MUSIC"].seen == 1


@pytest.mark.parametrize(("ago", "seen"), [(30, 1), (3000, 0), (None, 0)], ids=["just now", "long ago", "unknown"])
def test_a_strangers_old_song_teaches_nothing(ago, seen):
    """Of ids from elsewhere that are final at the first look, only those that ended a moment ago teach."""
    schedule = Schedule(Adaptive())
    dated(schedule, 5000.0)
    finished = 0 if ago is None else int(EPOCH) + 5000 - ago
    stranger = Life(task_id="old", born=5000.0, kind="MUSIC")
    show(schedule, stranger, look(Status.FAILURE, submit_time=finished - 80, finish_time=finished), 5000.0)
    known = schedule.experience().durations.get("end:MUSIC")
    assert (known.seen if known else 0) == seen


def test_what_was_final_before_is_not_remembered_for_ever():
    """Of very many ids the first ones are forgotten: what is kept is bounded."""
    schedule = Schedule(Adaptive())
    for number in range(5000):
        show(schedule, life(task_id=f"again-{number}"), look(Status.FAILURE), 30.0)
    assert len(schedule._known) == 4096
    show(schedule, life(task_id="again-4999"), look(Status.FAILURE), 30.0)
    assert schedule.experience().durations["end:MUSIC"].seen == 5000


def test_with_a_beat_an_end_is_learned_as_it_could_be_seen():
    """Where rounds are likely, a song that took 60 s and was not final to a look at 70 s could be seen from 70 s on."""
    schedule = Schedule(Adaptive())
    schedule.take_in(0.0)
    for _ in range(60):
        times = {"submit_time": int(EPOCH), "finish_time": int(EPOCH) + 60}
        finish(schedule, 75.0, before=70.0, **times)
    assert 69 <= median(schedule) <= 76


@pytest.mark.parametrize("beat", [15.0, 30.0])
@pytest.mark.parametrize(
    ("last", "seen", "least", "most"),
    [(30.0, 100.0, 60.0, math.inf), (30.0, 64.0, 60.0, 64.0), (66.0, 100.0, 66.0, math.inf)],
    ids=["seen late", "seen at once", "looked at in between"],
)
def test_an_end_can_be_seen_from_when_it_was_to_a_round_later(beat, last, seen, least, most):
    """From its own time, or the last look that did not show it, for a round as far as there are any: not longer."""
    schedule = Schedule(Scaled(Adaptive(beat=beat), 20))
    schedule.take_in(0.0)
    finish(schedule, seen / 20, born=7.0, before=last / 20, submit_time=int(EPOCH), finish_time=int(EPOCH) + 60)
    lag = 16 * beat / 15 * (1 - schedule.beat.no_beat)
    expected = Durations()
    expected.took("MUSIC", min(most, 60 + lag), least=least)
    assert schedule.experience().durations == expected.copy()


def test_the_first_look_may_come_after_the_end():
    """What had ended when it was first looked at may have ended at any moment of its life, also in its first second."""
    schedule = Schedule(Adaptive())
    finish(schedule, 100.0)
    expected = Durations()
    expected.took("MUSIC", 100.0, least=0.0)
    assert schedule.experience().durations == expected.copy()


def test_a_model_of_its_own_is_learned_for_itself():
    """Songs of a fast model teach its own hazard most, and that of songs too."""
    schedule = Schedule(Adaptive())
    for _ in range(100):
        fast = life(kind="MUSIC/quick")
        show(schedule, fast, look(Status.SUCCESS, audio="https://cdn/a.mp3"), 30.0)
    assert set(schedule.experience().durations) == {"end:MUSIC", "end:MUSIC/quick"}
    assert median(schedule, "MUSIC/quick") <= median(schedule, "MUSIC") < 60


def test_a_failure_teaches_as_a_success_does():
    """What is waited for is the end, whatever it is."""
    schedule = Schedule(Adaptive())
    for _ in range(100):
        show(schedule, life(looked=9.0), look(Status.FAILURE, fail_reason="no"), 11.0)
    assert median(schedule) == pytest.approx(10, rel=0.1)


def test_changes_and_first_sounds_are_learned_where_they_are_waited_for():
    """A watcher's looks teach how far apart changes are, and a listener's when there is something to hear."""
    schedule = Schedule(Adaptive())
    for _ in range(60):
        watched = life(event=Event.CHANGE)
        show(schedule, watched, look(mark=1), 3.0)
        show(schedule, watched, look(mark=1), 39.0)
        show(schedule, watched, look(mark=2), 43.0)
        heard = life(event=Event.PLAYABLE)
        show(schedule, heard, look(mark=1), 28.0)
        show(schedule, heard, look(mark=2, audio="https://cdn/a.mp3"), 32.0)
    assert median(schedule, event=Event.CHANGE) == pytest.approx(38, rel=0.15)
    assert median(schedule, event=Event.PLAYABLE) == pytest.approx(30, rel=0.15)
    assert set(schedule.experience().durations) == {"change:MUSIC", "playable:MUSIC"}


# ages


def test_an_id_from_elsewhere_starts_at_its_true_age():
    """The gateway's submit_time, by the gateway's clock, says how old a task was when it was first asked for."""
    schedule = Schedule(Adaptive())
    dated(schedule, 500.0)
    stranger = Life(task_id="a", born=500.5, kind="MUSIC")
    show(schedule, stranger, look(submit_time=int(EPOCH) + 410), 500.5)
    assert stranger.dated
    assert 500.5 - stranger.born == pytest.approx(90.0, abs=1.0)
    assert schedule.delay(stranger, 500.5, 0.5, 1.0) < schedule.delay(life(500.5), 500.5, 0.5, 1.0)


def test_an_id_of_ones_own_has_the_age_it_has():
    """Who submitted it knows when, whatever the row says."""
    schedule = Schedule(Adaptive())
    dated(schedule, 500.0)
    mine = life(490.0)
    show(schedule, mine, look(submit_time=int(EPOCH) + 100), 500.5)
    assert mine.born == 490.0


def stranger(schedule, start, took, ahead):
    """A task of somebody else's, seen on its way and at its end; its times are of a clock that is so far ahead."""
    one = life(start, dated=False, looked=-math.inf)
    times = {"submit_time": int(EPOCH + start - 10 + ahead)}
    dated(schedule, start)
    show(schedule, one, look(**times), start)
    begun = start - one.born if one.dated else None
    show(schedule, one, look(mark=2, **times), start + took - 20)
    ended = times | {"finish_time": int(EPOCH + start - 10 + took + ahead)}
    show(schedule, one, look(Status.SUCCESS, mark=3, audio="https://cdn/a.mp3", **ended), start + took)
    return begun


@pytest.mark.parametrize(
    ("ahead", "is_believed"),
    [(0, True), (-500, True), (-700, False), (-5 * 3600, False), (-11 * 3600, False), (8 * 3600, None)],
)
def test_rows_of_another_time_zone_say_how_long_and_not_when(ahead, is_believed):
    """Who ended hours before it was last seen unfinished has other hours: what it took counts, its age does not."""
    schedule = Schedule(Adaptive(beat=None))
    begun = [stranger(schedule, 1000.0 * number, 100, ahead) for number in range(1, 61)]
    assert begun[0] == (None if is_believed is None else pytest.approx(10 - ahead, abs=2))
    assert (begun[1] is not None) is (is_believed is True)
    assert schedule.durations.histograms["end:MUSIC"].seen == 60
    if not is_believed:
        assert median(schedule) == pytest.approx(100, rel=0.1)


def test_rows_of_another_time_zone_say_how_long_where_there_is_a_beat_too():
    """What rounds have to do with how old a row is does not matter where its age is not known."""
    schedule, expected = Schedule(Adaptive()), Durations()
    schedule.take_in(0.0)
    assert schedule.beat is not None
    for start in (1000.0, 2000.0):
        mine = life(start)
        dated(schedule, start)
        times = {"submit_time": int(EPOCH + start - 5 * 3600), "finish_time": int(EPOCH + start + 100 - 5 * 3600)}
        show(schedule, mine, look(submit_time=times["submit_time"]), start + 80)
        show(schedule, mine, look(Status.SUCCESS, mark=2, audio="https://cdn/a.mp3", **times), start + 120)
        expected.took("MUSIC", 100.0)
        assert schedule.experience().durations == expected.copy()


def test_where_there_is_a_beat_a_strangers_times_are_believed_too():
    """Of a task whose age is not known nothing is known of when its end could be seen."""
    schedule, expected = Schedule(Adaptive()), Durations()
    schedule.take_in(0.0)
    stranger = Life(task_id="a", born=50.0, kind="MUSIC")
    show(schedule, stranger, look(), 50.0)
    times = {"submit_time": int(EPOCH), "finish_time": int(EPOCH) + 80}
    show(schedule, stranger, look(Status.SUCCESS, mark=2, audio="https://cdn/a.mp3", **times), 60.0)
    expected.took("MUSIC", 80.0)
    assert schedule.experience().durations == expected.copy()


@pytest.mark.parametrize(("behind", "is_believed"), [(0, True), (500, True), (700, False), (5 * 3600, False)])
def test_rows_of_another_time_zone_are_known_in_a_faster_world_too(behind, is_believed):
    """Ten minutes are those of the gateway, which has twenty of them while ours has a half."""
    schedule = Schedule(Scaled(Adaptive(beat=None), 20))
    mine, other = life(1000 / 20), life(2000 / 20, dated=False, looked=-math.inf)
    dated(schedule, 1000.0, 20)
    show(schedule, mine, look(), 1100 / 20)
    show(schedule, mine, look(Status.FAILURE, mark=2, finish_time=int(EPOCH + 1100 - behind)), 1101 / 20)
    dated(schedule, 2000.0, 20)
    show(schedule, other, look(submit_time=int(EPOCH + 1900)), 2000 / 20)
    assert other.dated is is_believed


def test_an_end_that_came_while_it_was_missed_proves_no_clock_wrong():
    """A gateway that did not know a task for an hour may show then that it ended long ago."""
    schedule = Schedule(Adaptive(beat=None))
    one = life(1000.0)
    dated(schedule, 1000.0)
    submitted = {"submit_time": int(EPOCH + 1000)}
    show(schedule, one, look(**submitted), 1001.0)
    one.miss(4000.0, single=True)
    ended = submitted | {"finish_time": int(EPOCH + 1100)}
    dated(schedule, 4600.0)
    show(schedule, one, look(Status.SUCCESS, mark=2, audio="https://cdn/a.mp3", **ended), 4600.0)
    assert stranger(schedule, 5000.0, 100, 0) == pytest.approx(10, abs=2)


@pytest.mark.parametrize(("ahead", "age"), [(-90, 90.0), (-2, 2.0), (3, 0.0)])
def test_an_id_from_elsewhere_has_its_age_in_a_faster_world_too(ahead, age):
    """Twenty times as fast, an age is a twentieth of the one by the gateway's clock; what is a little ahead is new."""
    schedule = Schedule(Scaled(Adaptive(), 20))
    schedule.answered(Answer(200, {"Date": formatdate(EPOCH + 500, usegmt=True)}, b""), 25.0, 25.0)
    stranger = Life(task_id="a", born=25.5, kind="MUSIC")
    show(schedule, stranger, look(submit_time=int(EPOCH) + 510 + ahead), 25.5)
    assert stranger.dated
    assert 25.5 - stranger.born == pytest.approx(age / 20, abs=0.03)
    assert stranger.born <= 25.5


@pytest.mark.parametrize(("ago", "seen"), [(30, 1), (3000, 0)], ids=["just now", "long ago"])
def test_what_ended_long_ago_is_old_in_a_faster_world_too(ago, seen):
    """A moment ago is so by the gateway's clock, whatever ours says; the row tells the kind."""
    schedule = Schedule(Scaled(Adaptive(), 20))
    schedule.answered(Answer(200, {"Date": formatdate(EPOCH + 5000, usegmt=True)}, b""), 250.0, 250.0)
    finished = int(EPOCH) + 5000 - ago
    stranger = Life(task_id="old", born=250.0)
    show(schedule, stranger, look(Status.FAILURE, submit_time=finished - 80, finish_time=finished), 250.0)
    assert [(name, known.seen) for name, known in schedule.experience().durations.items()] == [("end:MUSIC", 1)] * seen


@pytest.mark.parametrize("submitted", [None, 0, "never", EPOCH + 10_000, EPOCH - 1e8], ids=str)
def test_a_submit_time_that_cannot_be_says_nothing(submitted):
    """A time to come, or of years ago, or none: the age counts from when it was first asked for."""
    schedule = Schedule(Adaptive())
    dated(schedule, 500.0)
    stranger = Life(task_id="a", born=500.0)
    show(schedule, stranger, look(submit_time=submitted), 500.0)
    assert not stranger.dated
    assert stranger.born == 500.0


def test_without_a_date_no_age_is_known():
    """Nobody knows how this machine's clock stands to the gateway's before an answer had a date."""
    schedule = Schedule(Adaptive())
    stranger = Life(task_id="a", born=500.0)
    show(schedule, stranger, look(submit_time=int(EPOCH)), 500.0)
    assert not stranger.dated


def test_dates_narrow_the_offset_to_less_than_the_way_there_and_back():
    """Each date is some second's beginning; many of them leave little more than the time that answers take."""
    offset, rng = Offset(), Random(1)
    assert offset.seconds is None
    for number in range(200):
        sent = number * 0.73
        date = EPOCH + 0.4 + sent + rng.uniform(0, 0.1)
        offset.narrow({"Date": formatdate(math.floor(date), usegmt=True)}, sent, sent + 0.1)
    assert offset.seconds == pytest.approx(EPOCH + 0.4, abs=0.08)


def test_a_clock_that_was_set_is_followed():
    """Bounds that contradict each other are forgotten; headers without a date, or with nonsense, change nothing."""
    offset = Offset()
    offset.narrow({"Date": formatdate(EPOCH, usegmt=True)}, 0.0, 0.1)
    offset.narrow({}, 1.0, 1.1)
    offset.narrow({"Date": "yesterday"}, 2.0, 2.1)
    assert offset.seconds == pytest.approx(EPOCH, abs=1)
    offset.narrow({"Date": formatdate(EPOCH + 3600, usegmt=True)}, 3.0, 3.1)
    assert offset.seconds == pytest.approx(EPOCH + 3597, abs=1)


def test_clocks_drift():
    """What a date said is worth less with time: two clocks may part by five seconds in 100,000."""
    offset = Offset()
    known = []
    for received, date, sent in ((0, 0, 0), (10_000, 9_999, 10_000), (20_000, 19_998, 19_999.75)):
        offset.narrow({"Date": formatdate(EPOCH + date, usegmt=True)}, sent, received)
        known.append(offset.seconds - EPOCH)
    assert known == pytest.approx([0.5, -0.25, -0.875], abs=1e-3)
    ahead = Offset()
    for received, date in ((0, 0), (10_000, 10_001)):
        ahead.narrow({"Date": formatdate(EPOCH + date, usegmt=True)}, received, received)
    assert ahead.seconds - EPOCH == pytest.approx(1.25, abs=1e-3)


def test_a_date_right_after_another_is_not_read():
    """Reading a date costs more than a look may: twice a second is enough."""
    offset = Offset()
    offset.narrow({"Date": formatdate(EPOCH, usegmt=True)}, 0.0, 0.1)
    offset.narrow({"Date": formatdate(EPOCH + 3600, usegmt=True)}, 0.2, 0.3)
    assert offset.seconds == pytest.approx(EPOCH, abs=1)


# the beat


def rounds(schedule, *, updates, seconds=400.0, tasks=20, seed=3, speed=1):
    """A gateway that shows ends every 15.5 s only: looks at many tasks every 2 s, the ones that ended replaced."""
    rng = Random(seed)
    lives = [life(0.0) for _ in range(tasks)]
    ends = {id(one): rng.lognormvariate(math.log(100), 0.35) * rng.random() for one in lives}
    now = 0.0
    while now < seconds:
        now += 2.0
        dated(schedule, now, speed)
        shown = now - now % 15.5
        for index, one in enumerate(lives):
            if ends[id(one)] <= shown:
                columns = {"updated_at": math.floor(EPOCH + shown)} if updates else {}
                show(schedule, one, look(Status.SUCCESS, mark=2, audio="https://cdn/a.mp3", **columns), now / speed)
                lives[index] = life(now / speed)
                ends[id(lives[index])] = now + rng.lognormvariate(math.log(100), 0.35)
            else:
                show(schedule, one, look(), now / speed)
        schedule.take_in(now / speed)
    return now


@pytest.mark.parametrize("updates", [True, False], ids=["updated_at", "changes only"])
def test_looks_come_just_after_the_rounds_of_the_gateway(updates):
    """Once the beat is known, a delay that the hazard would have end anywhere ends just after a round."""
    schedule = Schedule(Adaptive(price=1.0))
    now = rounds(schedule, updates=updates)
    assert schedule.beat.no_beat < 0.2
    for wait in (0.0, 1.0, 2.0, 4.0):
        at = now + wait
        due = at + schedule.delay(life(at - 100.0), at, 0.5, 1.0)
        assert due % 15.5 < 2.5


@pytest.mark.parametrize("updates", [True, False], ids=["updated_at", "changes only"])
@pytest.mark.parametrize("beat", [15.0, 30.0])
def test_a_slower_gateway_is_looked_at_as_much_slower(beat, updates):
    """Sixteen times as slow, the same is learned of durations and of the beat, and all delays are 16 times as long."""
    pace = Adaptive(price=1.0, beat=beat)
    plain, slow = Schedule(pace), Schedule(Scaled(pace, 1 / 16))
    now = rounds(plain, updates=updates)
    rounds(slow, updates=updates, speed=1 / 16)
    assert slow.experience() == plain.experience()
    for wait, age in ((0.0, 100.0), (0.75, 20.0), (1.5, 100.0), (40.0, 100.0), (40.0, 3000.0)):
        for event, queued in [*((event, False) for event in Event), (Event.END, True)]:
            at = now + wait
            one = life(at - age, event=event, since=at - 30, queued=queued)
            other = life((at - age) * 16, event=event, since=(at - 30) * 16, queued=queued)
            assert slow.delay(other, at * 16, 0.5, 3.0) == pytest.approx(plain.delay(one, at, 0.5, 3.0) * 16)


def test_the_beat_is_told_of_every_look_in_its_own_time():
    """From which look to which, how likely an end was in between, and where a row says it when it was touched."""
    schedule = Schedule(Scaled(Adaptive(beat=30.0), 4))
    dated(schedule, 120.0, 4)
    schedule.take_in(30.0)
    beat, rate = Beat(60.0), schedule.durations.hazard("MUSIC").rate
    watched = life(2.0, looked=30.0)
    show(schedule, watched, look(mark=1), 34.0)
    show(schedule, watched, look(mark=2, updated_at=int(EPOCH) + 150), 38.0)
    beat.looked(60.0, 68.0, rate(120.0) * 2)
    beat.looked(68.0, 76.0, rate(136.0) * 2)
    beat.changed(68.0, 76.0, (EPOCH + 150.5 - schedule.offset.seconds) / 2)
    schedule.take_in(39.0)
    beat.take_in(78.0)
    for mine, other in zip(schedule.beat.cells, beat.cells, strict=True):
        assert mine == pytest.approx(other, rel=1e-9)
    assert beat.cells != Beat(60.0).cells


def test_news_is_taken_in_sooner_than_no_news():
    """A change waits for a fifth of a second until delays know of it, a look that showed nothing for a whole one."""
    schedule = Schedule(Adaptive())
    schedule.take_in(100.0)
    finish(schedule, 10.1, born=90.0, before=9.0)
    schedule.take_in(100.15)
    assert schedule.beat.has_news
    schedule.take_in(100.25)
    assert not schedule.beat.has_news
    show(schedule, life(0.0, looked=90.0), look(), 101.0)
    before = [cells.copy() for cells in schedule.beat.cells]
    schedule.take_in(101.0)
    assert schedule.beat.cells == before
    schedule.take_in(101.5)
    assert schedule.beat.cells != before


def test_the_widths_of_rounds_are_gone_on_from():
    """What another client has learned of the rounds' widths is where this one begins."""
    shares = [0.1, 0.2, 0.4, 0.2, 0.1]
    schedule = Schedule(Adaptive(), Experience(no_beat=0.2, widths=shares))
    schedule.take_in(0.0)
    assert schedule.beat.widths() == pytest.approx(Beat(0.0, 0.2, shares).widths())
    assert schedule.beat.widths() != pytest.approx(Beat(0.0, 0.2).widths())


def test_a_beat_can_be_switched_off():
    """``Adaptive(beat=None)`` has no beat, whatever the gateway does, and keeps what was known of one."""
    schedule = Schedule(Adaptive(beat=None))
    rounds(schedule, updates=True, seconds=100.0)
    assert schedule.beat is None
    assert schedule.experience().no_beat is None


def test_a_queued_row_says_nothing_about_the_beat():
    """A row for which the gateway has no time shows no end for another reason than the beat: it is as if not seen."""

    def known(*looks):
        schedule = Schedule(Adaptive())
        schedule.take_in(0.0)
        waiting = life(queued=True)
        for now in (100.0, 120.0, 140.0):
            for shown in looks:
                show(schedule, waiting, shown, now)
            schedule.take_in(now)
        return schedule.beat.no_beat, schedule.beat.widths()

    assert known(look(Status.NOT_START)) == known()
    assert known(look(Status.IN_PROGRESS)) != known()


def test_a_first_look_at_a_strangers_id_says_nothing_about_the_beat():
    """What it did not show before nobody knows: there was no look before."""
    schedule, silent = Schedule(Adaptive()), Schedule(Adaptive())
    for each in (schedule, silent):
        each.take_in(0.0)
    show(schedule, Life(task_id="a", born=90.0, kind="MUSIC"), look(), 100.0)
    for each in (schedule, silent):
        each.take_in(100.0)
    assert schedule.beat.cells == silent.beat.cells


def test_a_row_without_a_time_of_its_own_says_nothing_about_the_clock():
    """Where ``updated_at`` is 0 it is not there: that makes those that are there no less believed."""

    def known(**columns):
        schedule = Schedule(Adaptive())
        dated(schedule, 100.0)
        schedule.take_in(100.0)
        for _ in range(20):
            show(schedule, life(90.0, looked=98.0), look(Status.FAILURE, **columns), 104.0)
        told = look(Status.FAILURE, updated_at=int(EPOCH) + 101)
        show(schedule, life(90.0, looked=98.0), told, 104.0)
        schedule.take_in(104.0)
        return schedule.beat.cells

    assert known(updated_at=0) == known()


# what is kept


def test_what_was_learned_goes_on_in_another_client():
    """Durations and the likelihood of a beat are known at once, from what was written down; and nothing is shared."""
    schedule = Schedule(Adaptive())
    now = rounds(schedule, updates=True)
    kept = unpacked(schedule.experience().packed())
    again = Schedule(Adaptive(), kept)
    assert median(again) == pytest.approx(median(schedule), rel=0.03)
    assert again.experience().no_beat == schedule.experience().no_beat
    again.take_in(now)
    assert again.beat.no_beat == pytest.approx(0.05)
    finish(again, 10.0)
    assert Schedule(Adaptive(), kept).experience().durations["end:MUSIC"] == kept.durations["end:MUSIC"]


def test_a_damaged_record_is_nothing_learned():
    """What cannot be read is as if there were nothing."""
    assert unpacked(b"\xc1rubbish").durations == {}
    assert unpacked(None).no_beat is None


def test_an_id_that_comes_long_after_the_last_answer_is_planned_by_what_is_known_by_then():
    """What was known of the beat's phase has become vaguer meanwhile: the plan does not pretend to know it still."""
    schedule = Schedule(Adaptive(price=1.0))
    now = rounds(schedule, updates=True)
    sharp = schedule.beat.no_beat
    schedule.delay(life(now + 4000.0), now + 4000.0, 0.5, 1.0)
    assert schedule.beat.no_beat > sharp
    assert schedule.delay(life(now + 4000.0), now + 4000.0, 0.5, 1.0) > 0.5


def test_a_plan_is_a_second_old_at_most():
    """What was seen since the last answer is taken in by the first plan that is a second later, not by each."""
    schedule = Schedule(Scaled(Adaptive(), 2))
    schedule.take_in(50.0)
    finish(schedule, 6.0, born=44.5, before=5.0)
    schedule.take_in(50.5)
    finish(schedule, 6.0, born=44.75, before=5.25)
    known = []
    for now in (50.75, 50.9, 51.1):
        schedule.delay(life(now), now, 0.5, 1.0)
        known.append(not schedule.beat.has_news)
    assert known == [False, False, True]


def test_where_there_is_no_beat_it_is_not_asked_for_all_the_time():
    """Once it is as good as certain that there is none, looks are taken in every four seconds, and plans are plain."""
    schedule = Schedule(Adaptive())
    schedule.take_in(0.0)
    schedule.beat.no_beat, schedule.beat.cells = 1.0, [[0.0] * len(cells) for cells in schedule.beat.cells]
    schedule.take_in(1.0)
    one = life(1.0)
    plain = Adaptive().delay(schedule.durations.hazard("MUSIC"), 0.0, 1.0)
    assert schedule.delay(one, 1.0, 0.5, 1.0) == pytest.approx(plain)
    finish(schedule, 1.5, born=1.0, before=1.0)
    for now in (2.5, 3.9):
        schedule.take_in(now)
        assert schedule.beat.has_news
    schedule.take_in(4.1)
    assert not schedule.beat.has_news
    plain = Adaptive().delay(schedule.durations.hazard("MUSIC"), 0.0, 1.0)
    assert schedule.delay(life(4.1), 4.1, 0.5, 1.0) == pytest.approx(plain)


def test_it_says_once_that_there_is_much_less_to_do():
    """Each time that half of what was wanted is gone, and only then, what was put down is due too late."""
    schedule = Schedule(Fixed(4.0))
    assert not schedule.relaxed()
    schedule.ration(1.0)
    lives = [life() for _ in range(100)]
    for one in lives:
        schedule.delay(one, 0.0, 0.5, 1.0)
    schedule.ration(1.0)
    assert not schedule.relaxed()
    told = []
    for number, one in enumerate(lives):
        schedule.forget(one)
        if schedule.relaxed():
            told.append(number + 1)
    assert told[0] == 51
    assert len(told) == 4
    assert schedule.delay(life(), 0.0, 0.5, 1.0) == 4.0
