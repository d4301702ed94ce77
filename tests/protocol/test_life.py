"""The life of one wait."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suno_async.protocol.errors import TaskNotFound
from suno_async.protocol.life import AGAIN, Again, Failed, Life, Settled, is_whole, news
from suno_async.protocol.look import Look
from suno_async.protocol.models import Lyrics, Song, Status, Task
from suno_async.protocol.refusals import Kind
from suno_async.protocol.setbacks import set_back

QUICK = settings(max_examples=150, deadline=None, derandomize=True)
URL = "https://cdn1.suno.ai/c.mp3"
GOOD, EMPTY, BROKEN = Song(id="c1", audio_url=URL), Song(id="c2"), Song(id="c3", status="error")
STREAMING = Song(id="c4", audio_url="https://audiopipe.suno.ai/?item_id=c4", status="streaming")
S = Status


def look(status, *songs, mark=None, frozen=False, action="", **fields):
    task = Task(task_id="t", status=status, songs=songs, **fields)
    return Look("t", status, hash((status, songs)) if mark is None else mark, frozen, action, task)


def whole():
    return look(S.SUCCESS, GOOD)


def bare(mark=None):
    return look(S.SUCCESS, mark=mark)


def icy(mark=7):
    return look(S.IN_PROGRESS, mark=mark, frozen=True, fail_reason="a name", progress=100)


def life(born=0.0, **fields):
    return Life(task_id="t", born=born, **fields)


MISS, ALONE = object(), object()


def lived(events, born=0, **fields):
    """What each (age, answer) of a life came to; ``MISS`` is a miss in a batch, ``ALONE`` one of a single look."""
    mine = life(born, **fields)
    return [
        mine.miss(born + age, single=what is ALONE) if what in (MISS, ALONE) else mine.observe(what, born + age)
        for age, what in events
    ]


def words(verdicts):
    """The verdicts in short: the seconds of an Again, the status of a Settled, or "gone"."""
    return [
        verdict.within
        if isinstance(verdict, Again)
        else verdict.task.status.value
        if isinstance(verdict, Settled)
        else "gone"
        for verdict in verdicts
    ]


def spread(what, times):
    return [(now, what) for now in times]


#: name, answers with their times, what each comes to, the life's own fields
LIVES = {
    "success at once": ([(0, whole())], ["SUCCESS"], {}),
    "failure at once": ([(0, look(S.FAILURE))], ["FAILURE"], {}),
    "the usual way": (
        [(0, look(S.NOT_START)), (15, look(S.QUEUED)), (30, look(S.IN_PROGRESS, STREAMING)), (90, whole())],
        [None, None, None, "SUCCESS"],
        {},
    ),
    # 68: SUCCESS with nothing in it
    "68 nothing in it, then whole": ([(0, bare()), (60, bare()), (75, whole())], [15, 15, "SUCCESS"], {}),
    "68 nothing in it for ten minutes": ([(0, bare()), (599, bare()), (600, bare())], [15, 15, "SUCCESS"], {}),
    "68 the grace begins at the first": (
        [(0, look(S.QUEUED)), (900, bare()), (1499, bare()), (1500, bare())],
        [None, 15, 15, "SUCCESS"],
        {},
    ),
    # 69: a song without an address
    "69 one of two without an address": (
        [(0, look(S.SUCCESS, GOOD, EMPTY)), (15, look(S.SUCCESS, GOOD, GOOD))],
        [15, "SUCCESS"],
        {},
    ),
    "69 it never comes": (
        [(0, look(S.SUCCESS, GOOD, EMPTY)), (601, look(S.SUCCESS, GOOD, EMPTY))],
        [15, "SUCCESS"],
        {},
    ),
    # 70: what a clip says
    "70 one song in error": ([(0, look(S.SUCCESS, GOOD, BROKEN))], ["SUCCESS"], {}),
    "70 one song failed": ([(0, look(S.SUCCESS, GOOD, Song(status="failed")))], ["SUCCESS"], {}),
    "70 one song streams": ([(0, look(S.SUCCESS, GOOD, STREAMING))], ["SUCCESS"], {}),
    # 71: SUCCESS stays SUCCESS
    "71 backwards after SUCCESS": (
        [(0, bare()), (15, look(S.IN_PROGRESS)), (599, look(S.NOT_START)), (600, look(S.QUEUED))],
        [15, 15, 15, "SUCCESS"],
        {},
    ),
    "71 backwards and there again": ([(0, bare()), (15, look(S.IN_PROGRESS)), (30, whole())], [15, 15, "SUCCESS"], {}),
    "71 frozen after SUCCESS": (
        [(0, bare()), *spread(icy(), [15, 60, 120]), (600, icy())],
        [15, 15, 15, 15, "SUCCESS"],
        {"keeps": True},
    ),
    "71 frozen, then running after SUCCESS": (
        [(0, bare()), (15, icy()), (600, look(S.IN_PROGRESS))],
        [15, 15, "SUCCESS"],
        {"keeps": True},
    ),
    "failure after an empty success": ([(0, bare()), (15, look(S.FAILURE))], [15, "FAILURE"], {}),
    # 73, 74
    "73 queued after running": (
        [(0, look(S.IN_PROGRESS)), (15, look(S.QUEUED)), (30, look(S.IN_PROGRESS))],
        [None] * 3,
        {},
    ),
    "74 unknown words for ever": (spread(look(S.UNKNOWN), range(0, 10**6, 10**5)), [None] * 10, {}),
    # 77, 88
    "77 running for ever": (spread(look(S.IN_PROGRESS), range(0, 10**6, 10**5)), [None] * 10, {}),
    "88 not started for an hour": (spread(look(S.NOT_START), range(0, 3600, 600)), [None] * 6, {}),
    # 78: the frozen row
    "78 frozen": (spread(icy(), [0, 30, 60]), [30, 30, "FAILURE"], {}),
    "78 two looks are not enough": (spread(icy(), [0, 3600]), [30, 30], {}),
    "78 fifty-nine seconds are not enough": (spread(icy(), [0, 20, 40, 59, 60]), [30, 30, 30, 30, "FAILURE"], {}),
    "78 ten seconds are not enough, later on": (
        [(0, look(S.QUEUED)), *spread(icy(), [100, 105, 110, 160])],
        [None, 30, 30, 30, "FAILURE"],
        {},
    ),
    "78 it changes": (
        [(0, icy(1)), (30, icy(2)), (60, icy(3)), (90, icy(3)), (120, icy(3))],
        [30, 30, 30, 30, "FAILURE"],
        {},
    ),
    "78 it thaws": (
        [*spread(icy(), [0, 30]), (45, look(S.IN_PROGRESS)), (60, icy()), (90, whole())],
        [30, 30, None, 30, "SUCCESS"],
        {},
    ),
    # 79: 100 % without a reason
    "79 all of it without a reason": (spread(look(S.IN_PROGRESS, progress=100), range(0, 6000, 600)), [None] * 10, {}),
    # 35, 75: unknown just after the submission
    "35 ours, then there": (
        [*spread(ALONE, [1, 6, 11]), (16, look(S.NOT_START)), (120, whole())],
        [5, 5, 5, None, "SUCCESS"],
        {"ours": True},
    ),
    "35 ours, never there": (spread(ALONE, [10, 40, 70, 100, 119, 120]), [5, 5, 5, 5, 5, "gone"], {"ours": True}),
    "35 ours, late but few looks": (spread(ALONE, [130, 135, 140, 145, 150]), [5, 5, 5, 5, "gone"], {"ours": True}),
    "35 ours, left out of a batch": (
        [*spread(MISS, [10, 60, 90, 110, 130]), (130, ALONE)],
        [5, 5, 5, 5, 0, "gone"],
        {"ours": True},
    ),
    "35 ours, left out but there": (
        [*spread(MISS, [10, 60, 90, 110, 130]), (130, look(S.QUEUED))],
        [5, 5, 5, 5, 0, None],
        {"ours": True},
    ),
    "75 a stranger's id": (spread(ALONE, [0, 5, 10]), [5, 5, "gone"], {}),
    "75 a stranger's id, looks too close": (spread(ALONE, [0, 1, 2, 9, 10]), [5, 5, 5, 5, "gone"], {}),
    "75 a stranger's id in batches": ([*spread(MISS, [0, 5, 10]), (10, ALONE)], [5, 5, 0, "gone"], {}),
    # 76: it was there
    "76 gone for nine looks": ([(0, look(S.QUEUED)), *spread(ALONE, range(100, 1000, 100))], [None, *[15] * 9], {}),
    "76 gone for ten looks in ten minutes": (
        [(0, look(S.QUEUED)), *spread(ALONE, range(100, 1100, 100))],
        [None, *[15] * 9, "gone"],
        {},
    ),
    "76 gone for ten looks in ten minutes sharp": (
        [(0, look(S.QUEUED)), *spread(ALONE, [*range(100, 190, 10), 700])],
        [None, *[15] * 9, "gone"],
        {},
    ),
    "76 gone for ten looks in nine minutes": (
        [(0, look(S.QUEUED)), *spread(ALONE, range(60, 660, 60))],
        [None, *[15] * 10],
        {},
    ),
    "76 it comes back": (
        [(0, look(S.QUEUED)), *spread(ALONE, range(100, 1000, 100)), (1000, look(S.QUEUED)), (2000, ALONE)],
        [None, *[15] * 9, None, 15],
        {},
    ),
    "76 gone after SUCCESS": ([(0, bare()), *spread(ALONE, range(100, 1100, 100))], [15, *[15] * 9, "SUCCESS"], {}),
    # 82: left out of a batch
    "82 left out once": ([(0, look(S.QUEUED)), (15, MISS), (30, look(S.QUEUED))], [None, 15, None], {}),
    "82 never gone by batches alone": (spread(MISS, range(0, 10**6, 10**5)), [5, 5, *[0] * 8], {}),
}


@pytest.mark.parametrize("born", [0, 50_000])
@pytest.mark.parametrize(("events", "verdicts", "fields"), LIVES.values(), ids=LIVES)
def test_what_a_life_comes_to(events, verdicts, fields, born):
    """Each answer of a life goes on for so many seconds at most (None: as the pace has it), or ends it."""
    assert words(lived(events, born, **fields)) == verdicts


def test_a_frozen_row_fails_by_our_reading():
    """What ends a frozen row is a FAILURE that says that it is inferred, with the gateway's reason."""
    task = lived(spread(icy(), [0, 30, 60]))[-1].task
    assert (task.status, task.inferred, task.fail_reason) == (S.FAILURE, True, "a name")
    assert lived([(0, look(S.FAILURE))])[-1].task.inferred is False


def test_an_incomplete_success_settles_with_what_was_seen():
    """After the grace the task is the last SUCCESS that was seen, not the row that went backwards."""
    verdicts = lived(
        [(0, bare()), (15, look(S.SUCCESS, GOOD, EMPTY)), (30, look(S.IN_PROGRESS)), (600, look(S.QUEUED))]
    )
    assert verdicts[-1].task.status is S.SUCCESS
    assert verdicts[-1].task.songs == (GOOD, EMPTY)


@pytest.mark.parametrize(
    ("events", "said", "seen"),
    [
        (spread(ALONE, [0, 5, 10]), "the gateway does not know task t after 3 looks", None),
        (
            [(0, look(S.QUEUED)), *spread(ALONE, range(100, 1100, 100))],
            "the gateway does not know task t any more",
            S.QUEUED,
        ),
    ],
    ids=["never seen", "vanished"],
)
def test_a_task_that_is_gone_says_what_is_known(events, said, seen):
    """The error names the id, says whether it was ever there, and keeps how it was last seen."""
    error = lived(events, keeps=True)[-1].error
    assert type(error) is TaskNotFound
    assert (str(error), error.task_id, error.task_ids) == (said, "t", ("t",))
    assert (error.last_seen and error.last_seen.status) == seen


def test_only_a_life_that_is_watched_keeps_its_last_look():
    """A life keeps what it last saw if somebody wants to see it, also if that was the same as before, else nothing."""
    watched, plain = life(keeps=True), life()
    for each in (watched, plain):
        each.observe(look(S.QUEUED, mark=1), 0)
    assert watched.last_task().status is S.QUEUED
    assert plain.last_task() is None
    plain.want(sees=True, hears=False)
    plain.observe(look(S.QUEUED, mark=1), 5)
    assert plain.last_task().status is S.QUEUED
    watched.observe(icy(), 10)
    assert watched.last_task().fail_reason == "a name"
    watched.observe(look(S.IN_PROGRESS, STREAMING, mark=3), 15)
    assert watched.last_task().playable


def test_an_unwatched_frozen_row_is_not_kept():
    """A frozen row is kept only where somebody wants to see it, and then what was kept before is no longer so."""
    plain = life(keeps=True)
    plain.observe(look(S.QUEUED, mark=1), 0)
    plain.keeps = False
    plain.observe(icy(), 1)
    assert plain.last is None


def test_a_life_counts_its_looks():
    """Every look and every miss is counted, and its time kept."""
    mine = life()
    assert (mine.looks, mine.seen) == (0, False)
    mine.miss(3, single=True)
    assert (mine.looks, mine.looked, mine.seen, mine.missed) == (1, 3, False, 1)
    mine.observe(look(S.QUEUED, action="MUSIC"), 8)
    assert (mine.looks, mine.looked, mine.seen, mine.missed, mine.kind) == (2, 8, True, 0, "MUSIC")
    mine.observe(look(S.QUEUED, action="LYRICS"), 9)
    assert mine.kind == "MUSIC"


def test_an_answer_ends_the_need_to_be_asked_alone():
    """An id that spoiled a batch, or whose absence was to be confirmed, joins the others once it was seen."""
    mine = life(alone=True)
    mine.observe(look(S.QUEUED), 0)
    assert mine.alone is False
    for now in (0, 5, 10):
        mine.miss(now, single=False)
    assert mine.alone is False
    stranger = life()
    assert [stranger.miss(now, single=False).within for now in (0, 5, 10)] == [5, 5, 0]
    assert stranger.alone is True


@pytest.mark.parametrize(
    ("task", "answer"),
    [
        (Task(task_id="t", songs=(GOOD, GOOD)), True),
        (Task(task_id="t", songs=(GOOD, BROKEN)), True),
        (Task(task_id="t", songs=(BROKEN, Song(status="FAILED"))), True),
        (Task(task_id="t", songs=(GOOD, EMPTY)), False),
        (Task(task_id="t", lyrics=Lyrics(text="la")), True),
        (Task(task_id="t", payload=b'{"data":{"wav_file_url":"u"}}'), True),
        (Task(task_id="t", payload=b'{"data":[1]}'), True),
        (Task(task_id="t", payload=b'{"data":null}'), False),
        (Task(task_id="t", payload=b'{"data":[]}'), False),
        (Task(task_id="t", payload=b'{"data":{}}'), False),
        (Task(task_id="t", payload=b'{"data":""}'), False),
        (Task(task_id="t", payload=b'{"data":"[]"}'), False),
        (Task(task_id="t", payload=b'{"data":[null]}'), False),
        (Task(task_id="t", payload=b'{"data":{"clips":[]}}'), False),
        (Task(task_id="t", payload=b'{"data":{"code":200,"data":{"taskBatchId":"t","items":[]}}}'), False),
        (Task(task_id="t", payload=b'{"data":{"id":"l","text":"","status":"complete"}}'), False),
        (Task(task_id="t", payload=b'{"data":{"persona_id":"p"}}'), True),
        (Task(task_id="t", payload=b"{}"), False),
        (Task(task_id="t", payload=b"[]"), False),
        (Task(task_id="t", payload=b"<"), False),
        (Task(task_id="t"), False),
    ],
)
def test_what_a_whole_task_is(task, answer):
    """A succeeded task is whole when each song is there or in error, its words are, or whatever else it made is."""
    assert is_whole(task) is answer


ANSWERS = st.one_of(
    st.builds(
        look,
        st.sampled_from(Status),
        st.sampled_from([GOOD, EMPTY, BROKEN, STREAMING]),
        mark=st.integers(0, 3),
        frozen=st.booleans(),
        action=st.sampled_from(["", "MUSIC"]),
    ),
    st.builds(bare, mark=st.integers(0, 3)),
    st.builds(icy, mark=st.integers(0, 3)),
    st.sampled_from([MISS, ALONE]),
)
GAPS = st.sampled_from([0, 0.5, 5, 15, 60, 130, 700]) | st.floats(0, 700)


@QUICK
@given(st.lists(st.tuples(GAPS, ANSWERS), max_size=40), st.booleans(), st.booleans())
def test_no_sequence_is_a_surprise(events, ours, keeps):
    """Any answers at any times go on until one ends it; FAILURE always does, and only SUCCESS or FAILURE settles."""
    mine, now = life(ours=ours, keeps=keeps), 0.0
    for count, (gap, what) in enumerate(events, 1):
        now += gap
        missed = what is MISS or what is ALONE
        verdict = mine.miss(now, single=what is ALONE) if missed else mine.observe(what, now)
        assert (mine.looks, mine.looked) == (count, now)
        if isinstance(verdict, Again):
            assert verdict is AGAIN or 0 <= verdict.within <= 30
            assert missed or what.status is not S.FAILURE
            assert missed or what.status is not S.SUCCESS or not is_whole(what.task())
            continue
        if isinstance(verdict, Settled):
            assert verdict.task.done
            assert verdict.task.status is not S.FAILURE or what.status is S.FAILURE or verdict.task.inferred
            assert not missed
        else:
            assert isinstance(verdict, Failed)
            assert what is ALONE
            assert verdict.error.task_ids == ("t",)
        break


@QUICK
@given(st.lists(st.tuples(GAPS, ANSWERS), max_size=20))
def test_a_failure_ends_any_life(events):
    """Whatever came before, FAILURE is the end."""
    mine, now = life(), 0.0
    for gap, what in events:
        now += gap
        if what is MISS or what is ALONE:
            mine.miss(now, single=what is ALONE)
        else:
            mine.observe(what, now)
    verdict = mine.observe(look(S.FAILURE, GOOD), now)
    assert isinstance(verdict, Settled)
    assert verdict.task.songs == (GOOD,)


def test_what_shows_nothing_new_is_not_kept_again():
    """The first of those that show the same is kept: each of them would have to be cut out of its answer."""
    one = life(keeps=True)
    looks = [look(S.IN_PROGRESS, mark=mark) for mark in (1, 1, 2, 2)]
    kept = []
    for seen in looks:
        one.observe(seen, 1.0)
        kept.append(one.last)
    assert [looks.index(seen) for seen in kept] == [0, 0, 2, 2]


def test_what_is_no_longer_so_is_not_kept():
    """Somebody saw it at 10 % and left; who comes when it stands elsewhere is not told of that."""
    one = life(keeps=True)
    one.observe(look(S.IN_PROGRESS, mark=1), 1.0)
    assert one.last is not None
    one.keeps = False
    one.observe(look(S.IN_PROGRESS, mark=1), 2.0)
    assert one.last is not None
    one.observe(look(S.IN_PROGRESS, mark=2), 3.0)
    assert one.last is None


def test_a_look_at_what_goes_on_as_before_is_no_news():
    """A life whose look shows what the last one did is passed over, and counts it; any other is not."""
    same, other, away, new = (Life(task_id=name, born=0.0) for name in "abcd")
    for each in (same, other, away):
        each.observe(look(S.QUEUED, mark=1, action="MUSIC"), 1)
    looks = {"a": look(S.QUEUED, mark=1), "b": look(S.QUEUED, mark=2), "d": look(S.QUEUED, mark=1)}
    assert news([same, other, away, new], looks, 5) == [other, away, new]
    assert [(each.looks, each.looked) for each in (same, other, away)] == [(2, 5), (1, 1), (1, 1)]
    assert (new.looks, new.seen) == (0, False)


def test_who_wants_to_hear_has_news_at_every_look():
    """A look at a life that somebody follows, or that nobody waits for any more, is never passed over."""
    followed, left = life(hears=True), life()
    for each in (followed, left):
        each.observe(look(S.QUEUED, mark=1), 0)
        assert each.observe(look(S.QUEUED, mark=1), 1) is AGAIN
    left.leave()
    assert news([followed, left], {"t": look(S.QUEUED, mark=1)}, 5) == [followed, left]
    assert (left.gone, left.slot) == (True, -1)


def test_what_a_task_is_may_come_later():
    """An action that only a later row tells is taken up, also where nothing else has changed."""
    mine = life()
    mine.observe(look(S.QUEUED, mark=1), 0)
    assert news([mine], {"t": look(S.QUEUED, mark=1, action="MUSIC")}, 1) == [mine]
    mine.observe(look(S.QUEUED, mark=1, action="MUSIC"), 1)
    assert mine.kind == "MUSIC"
    assert news([mine], {"t": look(S.QUEUED, mark=1, action="MUSIC")}, 2) == []


def test_what_is_kept_is_let_go():
    """A look is kept by one life at most, and by none once it is not the last one, or nobody waits."""
    first, second = look(S.QUEUED, mark=1), look(S.QUEUED, mark=2)
    mine = life(keeps=True)
    mine.observe(first, 0)
    assert (first.keepers, second.keepers) == (1, 0)
    mine.observe(second, 1)
    assert (first.keepers, second.keepers) == (0, 1)
    mine.leave()
    mine.leave()
    assert (first.keepers, second.keepers) == (0, 0)
    assert mine.last is None


def state(mine: Life) -> dict[str, object]:
    """All there is to know of a life, but for how its looks are passed over."""
    return {name: value for name, value in msgspec.structs.asdict(mine).items() if name != "steady"}


GOING = [look(S.QUEUED, mark=1), look(S.IN_PROGRESS, mark=2), look(S.IN_PROGRESS, STREAMING, mark=3, action="MUSIC")]
EVENTS = st.sampled_from([*GOING, *GOING, icy(), bare(9), MISS, "sees", "hears", "set back"])


@QUICK
@given(st.lists(EVENTS, max_size=14), st.booleans())
def test_nothing_is_lost_by_what_is_passed_over(events, keeps):
    """Whatever happens to a life, it comes to the same whether looks without news are passed over or read."""
    passed, read = life(keeps=keeps), life(keeps=keeps)
    for now, event in enumerate(events):
        for mine in (passed, read):
            if event is MISS:
                mine.miss(now, single=False)
            elif event == "set back":
                set_back(mine, Kind.REJECTED, now, sought=False)
            elif isinstance(event, str):
                mine.want(sees=event == "sees", hears=event == "hears")
            elif mine is read or news([mine], {"t": event}, now):
                mine.steady = mine.steady and mine is passed
                mine.observe(event, now)
        assert state(passed) == state(read)


def test_who_comes_later_takes_nothing_from_those_before():
    """Once somebody wants to see a task on its way, or to hear of each look, that stays, whatever others want."""
    mine, wanted = life(), []
    for sees, hears in ((False, False), (True, False), (False, True), (False, False)):
        mine.want(sees=sees, hears=hears)
        wanted.append((mine.keeps, mine.hears))
    assert wanted == [(False, False), (True, False), (True, True), (True, True)]


def test_what_was_in_the_way_is_over_with_an_answer():
    """An id that is seen again is asked for with the others, and its next fault is its first one."""
    mine = life()
    for now in range(3):
        set_back(mine, Kind.REJECTED, now, sought=False)
    assert (mine.alone, mine.faults) == (True, 3)
    mine.observe(look(S.QUEUED, mark=1), 3)
    assert (mine.alone, mine.faults) == (False, 0)


def test_of_looks_that_show_the_same_the_first_is_kept():
    """While nothing changes no other look is kept in its place, and it stays when who wanted to see it has left."""
    first = look(S.QUEUED, mark=1)
    mine = life(keeps=True, hears=True)
    mine.observe(first, 0)
    mine.observe(look(S.QUEUED, mark=1), 1)
    assert mine.last is first
    mine.keeps = False
    mine.observe(look(S.QUEUED, mark=1), 2)
    assert mine.last is first
