"""Damaged answers to looks: the same songs, or another look.

What is allowed, and why. No answer carries a checksum, so damage inside an id, a title, a text or an address is not to
be seen: such a field may read otherwise, and no other field may (`properties.check_songs`). A song of which a byte is
touched may be missing; a song of which none is touched may not (`check_end`). Two objects run into one, when what
stood between them is lost, and the fields of both that were touched go to one song. A page (a ``<`` with a letter
behind it at the very beginning) is taken for a page. Everything else is the same as before, or another look.
"""

from random import Random

import pytest
from corpus import BATCHES, SINGLES, Told, things
from documents import written
from examples import DICE, each, some
from hypothesis import example, given
from hypothesis import strategies as st
from mutations import LAST_WORDS, ODD, STYLES, WRAPS, Damaged, Strip, at, damage, hurt, places, put
from properties import check_any, check_damaged, check_damaged_batch

from suno_async.protocol.exchange import Answer
from suno_async.protocol.life import Life, Settled
from suno_async.protocol.look import Look
from suno_async.protocol.models import Status
from suno_async.protocol.refusals import Kind, Trouble, trouble_of
from suno_async.protocol.wire import read_many, read_one

NAMES = [told.name for told in SINGLES]
UNHURT = [
    "a mark",
    "blanks",
    "heartbeats",
    "a zero behind",
    "words behind",
    "a second document",
    "twice",
    "a tag behind",
]
"""What stands around a document and takes nothing from it."""


def look_at(told: Told, body: bytes) -> Look | Trouble:
    return read_one(Answer(200, {}, body), told.task_id)


def test_the_corpus_holds_songs_and_words():
    """Recordings of every shape are damaged here: songs, lyrics, lists, maps, nested envelopes and batches."""
    assert len(SINGLES) >= 10
    assert len(BATCHES) >= 3
    made = [thing for told in SINGLES for thing in things(told.tasks[told.task_id])]
    assert sum("audio_url" in thing for thing in made) >= 8
    assert sum("text" in thing for thing in made) >= 4
    assert all(len(told.parts) >= 3 * len(told.owners) for told in SINGLES + BATCHES)


@pytest.mark.parametrize("told", SINGLES, ids=NAMES)
def test_an_undamaged_answer_ends_a_wait(told):
    """Every answer of the corpus is whole: so that it is damage, where one does not end a wait."""
    for style in STYLES:
        found = check_damaged(told, Damaged(written(told.document, style)[0], frozenset()), fresh=False)
        assert isinstance(found, Look)
        assert isinstance(Life(task_id=told.task_id, born=0.0).observe(found, 0.0), Settled)
        assert things(found.task()) == things(told.tasks[told.task_id])


@some(600)
@given(DICE, st.sampled_from(SINGLES), st.booleans())
def test_a_damaged_success_is_the_same_song_or_another_look(dice, told, fresh):
    """No failure, no refusal, no song of somebody else and no address but the gateway's comes out of damage."""
    check_damaged(told, damage(told, dice), fresh=fresh)


@some(250)
@given(DICE, st.sampled_from(BATCHES))
def test_a_damaged_batch_gives_each_id_its_own_or_nothing(dice, told):
    """In a batch, too, and no id is seen with the songs of another one."""
    check_damaged_batch(told, damage(told, dice))


def check_bits(told: Told, most: int) -> None:
    """A flipped bit, at so many places: the wait ends with as many songs as there were, or there is another look."""
    body, spans = written(told.document)
    whole = len(things(told.tasks[told.task_id]))
    for place in range(0, len(body), 1 + len(body) // most):
        for bit in range(8):
            strip = Strip(body)
            strip.replace(place, place + 1, bytes([body[place] ^ 1 << bit]))
            found = check_damaged(told, Damaged(bytes(strip.body), hurt(strip, told, spans)), fresh=False)
            if isinstance(found, Look) and isinstance(Life(task_id="", born=0.0).observe(found, 0.0), Settled):
                assert len(things(found.task())) == whole


@pytest.mark.parametrize("told", SINGLES, ids=NAMES)
def test_no_flipped_bit_costs_a_song(told):
    """Each bit of a byte here and there: all songs, one field of one of them other, or another look."""
    check_bits(told, 120)


@pytest.mark.long
@pytest.mark.parametrize("told", SINGLES, ids=NAMES)
def test_no_flipped_bit_anywhere_costs_a_song(told):
    """The same for each byte (of the longest answers every second to eighth)."""
    check_bits(told, 600)


@pytest.mark.parametrize("told", SINGLES, ids=NAMES)
def test_an_answer_that_is_cut_tells_nothing(told):
    """Cut at any byte, the last one too, it is trouble that passes: what is left is not read as the whole."""
    body, _ = written(told.document)
    for end in range(0, len(body), 1 + len(body) // 1000):
        found = check_damaged(told, Damaged(body[:end], frozenset()), fresh=True)
        assert isinstance(found, Trouble)
        assert found.kind is (Kind.OUTAGE if end else Kind.NO_NEWS)


@pytest.mark.parametrize("told", SINGLES, ids=NAMES)
@pytest.mark.parametrize("wrap", WRAPS)
def test_what_stands_around_an_answer_takes_no_song(told, wrap):
    """Blanks, marks, words and second documents cost nothing; other wrappings cost a look."""
    body = WRAPS[wrap](written(told.document)[0])
    found = check_damaged(told, Damaged(body, frozenset()), fresh=False)
    if wrap in UNHURT:
        assert isinstance(found, Look)
        assert things(found.task()) == things(told.tasks[told.task_id])


def check_types(told: Told, step: int) -> None:
    """Each field in turn holds things that it should not: the songs it does not belong to are the same."""
    for number, place in enumerate(places(told.document)[1:]):
        for odd in ODD[number % step :: step]:
            body, _ = written(put(told.document, place, odd))
            check_damaged(told, Damaged(body, told.hurt(place)), fresh=False)


@pytest.mark.parametrize("told", SINGLES, ids=NAMES)
def test_no_field_of_the_wrong_type_costs_a_song(told):
    """Each field in turn holds a few of the things that it should not."""
    check_types(told, 5)


@pytest.mark.long
@pytest.mark.parametrize("told", SINGLES, ids=NAMES)
def test_no_field_of_any_wrong_type_costs_a_song(told):
    """Each field in turn holds all of them."""
    check_types(told, 1)


@pytest.mark.parametrize("told", SINGLES, ids=NAMES)
def test_an_address_is_text(told):
    """What is no text is no address: a song without one is incomplete, and its wait goes on."""
    for place, (_, name) in told.parts.items():
        for odd in [None, True, 7, 1.5, 10**40, {}, {"a": 1}, []] if name == "audio_url" else []:
            found = look_at(told, written(put(told.document, place, odd))[0])
            assert isinstance(found, Look)
            assert "" in [song.audio_url for song in found.task().songs]
            assert not isinstance(Life(task_id="", born=0.0).observe(found, 0.0), Settled)


@pytest.mark.parametrize("told", [told for told in SINGLES if told.name == "clips-as-map"])
@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd)[:20])
def test_something_else_in_a_map_of_clips_spoils_none_of_them(told, odd):
    """A map from clip id to clip is one also if it holds something that is no clip."""
    clips = at(told.document, ("data", "clips"))
    for members in ({"x": odd, **clips}, {**clips, "x": odd}):
        body, _ = written(put(told.document, ("data", "clips"), members))
        found = look_at(told, body)
        if isinstance(found, Look):
            assert things(found.task()) == things(told.tasks[told.task_id])
        else:
            assert found.kind is Kind.OUTAGE


@pytest.mark.parametrize("body", [b"<", b"<{", b'<"code":"success"}', b"\xef\xbb\xbf <\x00", b"<<<<", b"< html>"])
def test_a_damaged_beginning_makes_no_page(body):
    """One bad byte before an answer is no page of somebody else: it stops no wait with "check the base URL"."""
    assert trouble_of(Answer(200, {}, body)).kind is Kind.OUTAGE


@pytest.mark.parametrize("body", [b"<html>", b"<!doctype html>", b"<?xml?>", b"</p>", b" \r\n<H1>", b"\xef\xbb\xbf<a"])
def test_a_page_is_a_page(body):
    """What begins as a page does, whatever comes behind, is one."""
    assert trouble_of(Answer(200, {}, body)).kind is Kind.ELSEWHERE


DEPTHS = [*range(1, 12), *range(300, 1100, 29), 5_000, 60_000]


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize(
    ("beginning", "end"),
    [
        (b'{"code":"success","data":', b"}"),
        (b'{"data":', b"}"),
        (b'{"task_id":"t1","status":"SUCCESS","data":', b"}"),
        (b'{"code":"success","x":NaN,"data":', b"}"),
        (b'{"error":', b"}"),
        (b"[", b"]"),
    ],
)
def test_no_depth_is_a_surprise(beginning, end, status):
    """Envelopes in envelopes, as many as there may be, are read or are trouble: they overflow nobody's stack."""
    for depth in DEPTHS:
        answer = Answer(status, {}, beginning * depth + b"1" + end * depth)
        assert isinstance(read_one(answer, "t1"), Look | Trouble)
        assert isinstance(read_many(answer), dict | Trouble)
        assert isinstance(trouble_of(answer, "t1"), Trouble)


@some(500)
@given(st.binary(max_size=200), st.integers(100, 999), st.booleans())
@example(LAST_WORDS, 200, True)
def test_no_bytes_are_a_surprise(body, status, fresh):
    """No bytes under any status make a reader raise."""
    check_any(status, body, fresh=fresh)


@some(250)
@given(DICE, st.sampled_from(SINGLES + BATCHES), st.integers(100, 999), st.booleans())
def test_no_damaged_answer_is_a_surprise_under_any_status(dice, told, status, fresh):
    """A status that does not fit its body makes no reader raise, and only a 2xx tells of tasks."""
    check_any(status, damage(told, dice).body, fresh=fresh)


@pytest.mark.long
def test_many_damaged_answers():
    """The same with dice of four thousand seeds, for one task and for many."""

    def check(dice: Random) -> None:
        told = dice.choice(SINGLES)
        check_damaged(told, damage(told, dice), fresh=bool(dice.randrange(2)))
        batch = dice.choice(BATCHES)
        check_damaged_batch(batch, damage(batch, dice))

    each(range(4_000), check)


def test_the_statuses_of_damaged_answers_differ():
    """The damage is neither harmless nor total: all of it together ends in looks of many kinds, and in much trouble."""
    found = {}
    for seed in range(500):
        dice = Random(seed)
        told = dice.choice(SINGLES)
        seen = check_damaged(told, damage(told, dice), fresh=False)
        key = seen.kind if isinstance(seen, Trouble) else seen.status
        found[key] = found.get(key, 0) + 1
    assert found[Status.SUCCESS] > 100
    assert found[Kind.OUTAGE] > 100
    assert {Kind.NO_NEWS, Kind.FOREIGN, Kind.ELSEWHERE, Kind.NAMELESS, Status.UNKNOWN} <= set(found)
