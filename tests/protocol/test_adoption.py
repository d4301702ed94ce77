"""The adoption: a task becomes an unknown submission's only if it can be no other's."""

import pytest
from submitted import NOW, ZERO, accepted, findings, intent, moment

from suno_async.protocol.accounts import SLACK, Made, words_of
from suno_async.protocol.adoption import by_tasks, windows
from suno_async.protocol.reconciliation import LONGEST, Finding

ADOPTED, _, _, UNDECIDED = Finding
LOST = intent("lost", 3000, 3010)


def test_times_that_overlap_are_asked_for_once():
    """Each with ten minutes of room on both sides; old ones do not make the others' longer."""
    found = windows([intent("c", 90_000, 90_010), LOST, intent("b", 3300, 3310)])
    room = 2 * LONGEST
    times = [(span.start - ZERO, span.end - ZERO) for span in found]
    assert times == [(3000 - LONGEST, 3310 + room), (90_000 - LONGEST, 90_010 + room)]
    assert windows([]) == []
    assert windows([intent("long", 0, 5000), intent("inside", 100, 110)])[0].end == ZERO + 5000 + room


def task(name: str, at: float, words: object = None, action: str = "MUSIC") -> Made:
    return Made(name, action, ZERO + at, words_of(words if words is not None else []))


def adopt(judged, made, others=(), *, known=(), ahead=0.0, now=NOW, exclusive=True):
    return by_tasks(judged, [*others, *judged], made, known, ahead, ZERO + now, exclusive=exclusive)


SONG = {"prompt": "la la", "title": "Rain"}
SUNG = intent("sung", 3000, 3010, words=SONG)


def test_the_only_strange_task_of_its_time_is_its_own():
    """If nobody else submits with the account, a task that no other submission can have become is adopted."""
    [verdict] = adopt([LOST], [task("t1", 3001)])
    assert (verdict.finding, verdict.task_id) == (ADOPTED, "t1")
    assert verdict.evidence == "t1 can be no other submission's"


def test_without_the_account_to_itself_nothing_is_adopted():
    """Others may submit the very same words at the same time; the task is named all the same."""
    [verdict] = adopt([SUNG], [task("t1", 3001, SONG)], exclusive=False)
    assert (verdict.finding, verdict.task_id) == (UNDECIDED, None)
    assert verdict.evidence == "t1 is its own, unless somebody else submits there too"


STRANGERS = {
    "too early": task("t1", 3000 - SLACK - 0.1),
    "too late": task("t1", 3010 + LONGEST + SLACK + 0.1),
    "another action": task("t1", 3001, action="LYRICS"),
    "known": task("known", 3001),
    "a kept one's": task("task_other", 3001),
}


@pytest.mark.parametrize("stranger", STRANGERS.values(), ids=STRANGERS)
def test_a_task_that_cannot_be_its_own_is_not_adopted(stranger):
    """Of another time, another action, or known to be another submission's, also where only its intent says so."""
    [verdict] = adopt([LOST], [stranger], [accepted("other", 3000)], known=["known"])
    assert (verdict.finding, verdict.task_id) == (UNDECIDED, None)
    assert verdict.evidence == "the account has no task of its time that is not another's"


@pytest.mark.parametrize("ahead", [-7200.0, 0.0, 2.5, 10**6])
def test_tasks_are_timed_by_the_gateways_clock(ahead):
    """The first and the last moment at which it can have been made, however far its clock is from ours."""
    for at in (3000 - SLACK, 3010 + LONGEST + SLACK):
        assert findings(adopt([LOST], [task("t1", at + ahead)], ahead=ahead)) == [ADOPTED]
    if abs(ahead) > LONGEST:
        assert findings(adopt([LOST], [task("t1", 3001)], ahead=ahead)) == [UNDECIDED]


def test_2025_does_not_tell_the_action():
    """A task without one may be a song or lyrics, so it may be either's."""
    lyrics = intent("words", 3000, 3010, action="lyrics")
    assert findings(adopt([LOST], [task("t1", 3001, action="")])) == [ADOPTED]
    assert findings(adopt([LOST, lyrics], [task("t1", 3001, action="")])) == [UNDECIDED, UNDECIDED]
    assert findings(adopt([LOST, lyrics], [task("t1", 3001)])) == [ADOPTED, UNDECIDED]


@pytest.mark.parametrize("exclusive", [False, True])
@pytest.mark.parametrize(
    ("lost", "end"),
    [
        (LOST, 3010 + LONGEST),
        (intent("died", 3000), 3120 + LONGEST),
        (intent("late", 3000, attempted_at=moment(3700)), 3820 + LONGEST),
    ],
)
def test_nothing_is_adopted_before_its_time_is_over(lost, end, exclusive):
    """Until then another submission may start that the task belongs to; the evidence says when to ask again."""
    made = [task("t1", 3001)]
    [verdict] = adopt([lost], made, now=end - 2, exclusive=exclusive)
    assert (verdict.finding, verdict.task_id) == (UNDECIDED, None)
    assert verdict.evidence == "t1 may be its own, but the gateway may still be at work on it: ask again in 2 s"
    [verdict] = adopt([lost], made, now=end, exclusive=exclusive)
    assert verdict.finding is (ADOPTED if exclusive else UNDECIDED)


def test_very_many_are_told_apart():
    """A thousand at one time among two thousand tasks: each finds the one with its words, and none without any."""
    judged = [intent(f"i{number}", 3000, 3010, words={"prompt": f"p{number}"}) for number in range(1000)]
    made = [task(f"t{number}", 3001, {"prompt": f"p{number}"}) for number in range(2000)]
    found = adopt(judged, made[:1000])
    assert [verdict.task_id for verdict in found] == [f"t{number}" for number in range(1000)]
    for verdict in adopt(judged, made):
        # those with other words may be anybody's, but each has one that is nobody else's
        assert verdict.task_id == f"t{verdict.intent.intent_id[1:]}"
    found = adopt(judged, [task(f"t{number}", 3001) for number in range(2000)])
    assert {verdict.evidence for verdict in found} == {"2000 tasks of its time may be its own"}


def test_two_explanations_are_none():
    """Two intents for one task, or two tasks for one intent: nothing is adopted, and the count is told."""
    other = intent("other", 3005, 3011)
    for verdict in adopt([LOST, other], [task("t1", 3006)]):
        assert (verdict.finding, verdict.evidence) == (UNDECIDED, "1 task of its time may be its own")
    [verdict] = adopt([LOST], [task("t1", 3001), task("t2", 3002)])
    assert (verdict.finding, verdict.evidence) == (UNDECIDED, "2 tasks of its time may be its own")


def test_one_under_way_is_an_explanation():
    """A task whose answer is still to come is not taken for another's, however long it has been tried."""
    for sent in (2990, 100):
        assert findings(adopt([LOST], [task("t1", 3001)], [intent("under way", sent)])) == [UNDECIDED]
    assert findings(adopt([LOST], [task("t1", 3001)], [intent("under way", 3100)])) == [ADOPTED]


def test_pages_may_overlap():
    """A list that grew while it was read tells a task twice; it is one."""
    assert findings(adopt([LOST], [task("t1", 3001), task("t1", 3001)])) == [ADOPTED]


def test_words_tell_tasks_of_one_time_apart():
    """Each of several goes to the intent whose prompt it has, in any order; those without words may be anybody's."""
    first, second = intent("a", 3000, 3010), intent("b", 3001, 3011)
    found = adopt([first, second], [task("tb", 3002, {"prompt": "b"}), task("ta", 3003, {"prompt": "a"})])
    assert [(verdict.finding, verdict.task_id) for verdict in found] == [(ADOPTED, "ta"), (ADOPTED, "tb")]
    found = adopt([first, second], [task("tb", 3002, {"prompt": "b"}), task("ta", 3003)])
    assert [(verdict.finding, verdict.task_id) for verdict in found] == [(UNDECIDED, None), (ADOPTED, "tb")]


@pytest.mark.parametrize(
    ("sent", "made", "finding"),
    [
        (SONG, SONG | {"tags": "pop"}, ADOPTED),
        (SONG, [{"title": "Rain", "metadata": {"prompt": " la la\n"}}], ADOPTED),
        (SONG, {"prompt": "la la", "title": "Snow"}, ADOPTED),
        (SONG, {"prompt": "lo lo", "title": "Snow"}, UNDECIDED),
        (SONG, {"prompt": "lo lo"}, UNDECIDED),
        ({"gpt_description_prompt": "a cat"}, {"prompt": "meow", "title": "Cat"}, ADOPTED),
        ({"gpt_description_prompt": "a cat"}, {"gpt_description_prompt": "a dog"}, UNDECIDED),
        ({"gpt_description_prompt": "a cat", "title": "X"}, {"prompt": "meow", "title": "Cat"}, UNDECIDED),
        ({"make_instrumental": True}, {"title": "Cat"}, ADOPTED),
    ],
)
def test_a_task_with_other_words_is_not_adopted(sent, made, finding):
    """Even if it is the only one: somebody else has submitted that. Where its upstream writes the words, any may be."""
    assert findings(adopt([intent("x", 3000, 3010, words=sent)], [task("t1", 3001, made)])) == [finding]


def test_a_title_alone_tells_nobody_apart():
    """An upstream makes up titles: one that fits is no proof against another submission of the time."""
    titled, described = (
        intent("a", 3000, 3010, words={"title": "Rain"}),
        intent("b", 3000, 3010, words={"gpt_description_prompt": "it rains"}),
    )
    made = [task("t1", 3001, {"title": "Rain", "prompt": "drops"})]
    assert findings(adopt([titled, described], made)) == [UNDECIDED, UNDECIDED]


@pytest.mark.parametrize(
    "other",
    [
        accepted("other", 3000, task_id="t1", gateway="elsewhere"),
        intent("other", 3000, 3010, gateway="elsewhere"),
        intent("other", 3000, gateway="elsewhere", fingerprint="another"),
    ],
)
def test_a_gateway_may_have_two_names(other):
    """What is known, or unknown, of a gateway that is called otherwise may be this one's: nothing of it is adopted."""
    assert findings(adopt([LOST], [task("t1", 3001)])) == [ADOPTED]
    [verdict] = adopt([LOST], [task("t1", 3001)], [other])
    assert (verdict.finding, verdict.task_id) == (UNDECIDED, None)


def test_nothing_is_under_way_to_another_gateway():
    """A journal has one client at a time: what a process left long ago under another name is no rival for ever."""
    left = intent("left", 100, gateway="elsewhere")
    assert findings(adopt([LOST], [task("t1", 3001)], [left])) == [ADOPTED]


@pytest.mark.parametrize("at", [3000 - SLACK - 1, 3002 + SLACK + 1])
def test_clocks_that_do_not_agree_tell_nothing(at):
    """Where a task of ours was made when it cannot have been, no time is believed."""
    mine = accepted("mine", 3000)
    [verdict] = adopt([LOST], [task("task_mine", at), task("t1", 3001)], [mine])
    assert (verdict.finding, verdict.evidence) == (
        UNDECIDED,
        "the gateway's clock and the times of its tasks do not agree",
    )
    assert findings(adopt([LOST], [task("task_mine", 3001), task("t1", 3001)], [mine])) == [ADOPTED]


def test_one_whose_times_go_backwards_does_not_hide_that_two_others_are_rivals():
    """Its own time is never counted as less than none, so one task does not become two submissions."""
    judged = [intent("a", 5000, 5010), intent("b", 5001, 5011), intent("set back", 9000, 3410)]
    assert findings(adopt(judged, [task("t1", 5002)], now=20_000)) == [UNDECIDED] * 3
