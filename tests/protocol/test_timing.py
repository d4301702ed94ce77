"""When words are sung, and files that players can show."""

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suno_async.protocol.timing import MOST_LINES, MOST_POINTS, MOST_WORDS, Timing, Word, read_timing

QUICK = settings(max_examples=300, deadline=None, derandomize=True)
NAN, INFINITY = float("nan"), float("inf")

SONG = Timing(
    (
        Word("[Verse]\nWinter ", 8.38, 8.78),
        Word("wind\n", 8.8, 9.5),
        Word("[Chorus]\n", None, None, success=False),
        Word("Oh ", 10.0, 10.4),
        Word("(ooh-yeah!)\n\n", 61.25, 3661.5),
    )
)

# reading


def test_a_whole_timing():
    """Every field of gpt-best's documents."""
    words = [
        {"word": "[Verse]\nWinter ", "success": True, "start_s": 8.38, "end_s": 8.78, "p_align": 0.982},
        {"word": "x", "success": False},
    ]
    document = {"aligned_words": words, "waveform_data": [0.001, "0.5", None], "hoot_cer": 0.0355, "is_streamed": False}
    read = Word("[Verse]\nWinter ", 8.38, 8.78, True, 0.982), Word("x", success=False)
    assert read_timing(document) == Timing(read, (0.001, 0.5, 0.0), 0.0355, False)


def test_other_spellings():
    """In camelCase (sunoapi.org), APICore's ``words``, and a bare list."""
    rows = [{"word": "a", "startS": 1, "endS": "2.5", "palign": 0.5}, {"word": "b", "start": 3, "end": 4}]
    read = (Word("a", 1, 2.5, True, 0.5), Word("b", 3, 4))
    for document in ({"alignedWords": rows}, {"words": rows}, rows):
        assert read_timing(document).words == read


def test_an_instrumental_has_no_words():
    """An empty list, or none at all, is a timing without words."""
    assert read_timing({"aligned_words": []}) == read_timing({"aligned_words": None}) == Timing()
    assert (Timing().lrc(), Timing().srt()) == ("", "")


@pytest.mark.parametrize(
    "value",
    [
        None,
        7,
        "words",
        {},
        [],
        [7],
        [{"text": "a"}, {"word": "b"}],
        {"words": "a"},
        {"words": None},
        {"aligned_words": {"a": 1}},
    ],
)
def test_what_is_no_timing(value):
    """None, so that whoever asked can say so."""
    assert read_timing(value) is None


def test_what_is_broken_in_it_is_left_out():
    """Rows that are no words, times that are none, and lists that are none."""
    rows = [7, {"word": 7}, {"word": "a", "start_s": NAN, "end_s": "soon", "success": None}, {}]
    document = {"aligned_words": rows, "waveform_data": "x", "hoot_cer": INFINITY, "is_streamed": "no"}
    assert read_timing(document) == Timing((Word("a"),))


def test_timings_are_bounded():
    """Twenty thousand words of five hundred letters, a hundred thousand points."""
    found = read_timing({"words": [{"word": "a" * 600}] * (MOST_WORDS + 1), "waveform_data": [1] * (MOST_POINTS + 1)})
    assert (len(found.words), len(found.waveform), len(found.words[0].word)) == (20_000, 100_000, 500)


# LRC


def test_lrc():
    """A line for each line of the lyrics, at its first word; section marks are left out."""
    assert SONG.lrc() == "[00:08.38]Winter wind\n[00:10.00]Oh (ooh-yeah!)\n"


@pytest.mark.parametrize(
    ("seconds", "tag"),
    [
        (0, "[00:00.00]"),
        (0.994, "[00:00.99]"),
        (59.99, "[00:59.99]"),
        (59.9999, "[01:00.00]"),
        (6000, "[100:00.00]"),
        (-5, "[00:00.00]"),
        (1e15, "[5999:59.99]"),
        (None, "[00:00.00]"),
    ],
)
def test_times_of_lrc(seconds, tag):
    """Minutes, seconds, hundredths; never below zero, and never longer than a hundred hours."""
    assert Timing((Word("a", seconds),)).lrc() == f"{tag}a\n"


def test_line_breaks_of_every_system():
    """Each of them ends a line, inside a word too; a word that begins a line gives it its time."""
    words = (Word("a\r\nb", 1, 2), Word("\rc\n\n", 3, 4), Word("d", 5, 6))
    assert Timing(words).lrc() == "[00:01.00]a\n[00:01.00]b\n[00:03.00]c\n[00:05.00]d\n"


@pytest.mark.parametrize("word", ["[Verse]", "[Verse 1: Ada] ", "\n[Guitar Solo]\n", "  ", "\x00", "\u202e", "["])
def test_what_is_not_sung_is_no_line(word):
    """Marks, blanks and characters nobody sees."""
    timing = Timing((Word(word, 1, 2), Word("\nla", 3, 4)))
    assert timing.lrc() == "[00:03.00]la\n"
    assert timing.srt() == "1\n00:00:03,000 --> 00:00:04,000\nla\n"


def test_a_mark_gives_a_line_no_time():
    """The word behind it does."""
    timing = Timing((Word("[Verse] ", 1, 2), Word("la ", 3, 4), Word("[x]", 5, 6)))
    assert timing.lrc() == "[00:03.00]la\n"
    assert timing.srt().splitlines()[1] == "00:00:03,000 --> 00:00:04,000"


def test_words_that_were_not_found_give_no_time():
    """What a gateway writes beside success: false is a guess."""
    timing = Timing((Word("oh ", 900, 901, success=False), Word("la", 3, 4), Word(" da", 0, 0, success=False)))
    assert timing.lrc() == "[00:03.00]oh la da\n"
    assert timing.srt().splitlines()[1] == "00:00:03,000 --> 00:00:04,000"


def test_lines_without_times_stay_in_their_place():
    """At the time of the line before."""
    words = (Word("a\n", 2, 3), Word("b\n"), Word("c\n", 1, 1), Word("d", 5))
    assert Timing(words).lrc() == "[00:02.00]a\n[00:02.00]b\n[00:02.00]c\n[00:05.00]d\n"


def test_a_line_may_hold_nothing_that_breaks_the_format():
    """No tags, arrows, control or direction characters."""
    hostile = "a [00:01.00] <b>\x00\x1b] --> \u202ec [31m \u2028d"
    assert Timing((Word(hostile, 1, 2),)).lrc() == "[00:01.00]a  <b>  ->  c 31m  d\n"
    assert Timing((Word("a" * 500, 1), Word("b" * 500))).lrc() == f"[00:01.00]{'a' * 500}\n"


# SRT


def test_srt():
    """Numbered cues with hours, minutes, seconds and thousandths."""
    assert SONG.srt() == (
        "1\n00:00:08,380 --> 00:00:09,500\nWinter wind\n\n2\n00:00:10,000 --> 01:01:01,500\nOh (ooh-yeah!)\n"
    )


def test_cues_do_not_overlap():
    """A cue that lasts into the next one ends where that begins."""
    timing = Timing((Word("a\n", 1, 9), Word("b\n", 3, 4)))
    assert timing.srt() == "1\n00:00:01,000 --> 00:00:03,000\na\n\n2\n00:00:03,000 --> 00:00:04,000\nb\n"


def test_cues_that_begin_together_are_one():
    """Both lines, and the longer of their times."""
    timing = Timing((Word("a\n", 1, 9), Word("b\n", 1, 4), Word("c", 1, None)))
    assert timing.srt() == "1\n00:00:01,000 --> 00:00:09,000\na\nb\nc\n"


@pytest.mark.parametrize("end", [None, 0.5, 1, -3])
def test_a_cue_lasts_a_millisecond_at_least(end):
    """Also where its end is missing or before its start."""
    assert Timing((Word("a", 1, end),)).srt() == "1\n00:00:01,000 --> 00:00:01,001\na\n"


def test_the_first_moment():
    """A line whose time nobody knows begins with the song."""
    assert Timing((Word("a"),)).srt() == "1\n00:00:00,000 --> 00:00:00,001\na\n"


def test_hours_are_hours():
    """Two of them, to the millisecond."""
    timing = Timing((Word("a", 7199.999, 7200.0),))
    assert timing.srt() == "1\n01:59:59,999 --> 02:00:00,000\na\n"


def test_the_last_moment():
    """Times have two digits for the hours, even of what would be later."""
    timing = Timing((Word("a\n", 359_999.997, 1e9), Word("b", 1e9, 1e9)))
    assert timing.srt() == "1\n99:59:59,997 --> 99:59:59,998\na\n\n2\n99:59:59,998 --> 99:59:59,999\nb\n"


@pytest.mark.parametrize("seconds", [NAN, INFINITY, -INFINITY, 1e300, 10**400])
def test_times_that_are_none(seconds):
    """A Word may be made of anything; what is no time is taken for the time of the line before."""
    timing = Timing((Word("a\n", 1, 2), Word("b\n", seconds, seconds), Word("c", 3, 4)))
    assert timing.lrc() == "[00:01.00]a\n[00:01.00]b\n[00:03.00]c\n"
    assert timing.srt().startswith("1\n00:00:01,000 --> 00:00:02,000\na\nb\n")


def test_files_are_bounded():
    """Twenty thousand lines, also of words that are all at one time and all line breaks; each line 500 letters."""
    assert MOST_LINES == 20_000
    words = (Word("a" * 500), *(Word("\na" * 250, 1, 2) for _ in range(MOST_WORDS)))
    assert Timing(words).lrc().count("\n") == 20_000
    assert Timing(words).srt().count("\na") == 20_000
    assert len(Timing((Word("b" * 500),) * MOST_WORDS).lrc()) == len("[00:00.00]\n") + 500


# anything

NUMBERS = st.none() | st.floats(-10, 400) | st.floats(allow_nan=False, allow_infinity=False) | st.integers()
TEXTS = st.text(max_size=12) | st.sampled_from(["[Verse]\n", "la ", "\n", "-->", "\r\n", "1\n", "[", "\n\n"])
WORDS = st.builds(Word, TEXTS, NUMBERS, NUMBERS, st.booleans(), NUMBERS)
LRC_LINE = re.compile(r"\[(\d{2,4}):([0-5]\d)\.(\d\d)\]([^\[\]\r\n\x00-\x1f]+)").fullmatch
SRT_TIME = re.compile(r"(\d\d):([0-5]\d):([0-5]\d),(\d{3})")


def millis(time) -> int:
    hours, minutes, seconds, rest = map(int, SRT_TIME.fullmatch(time).groups())
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + rest


@given(st.lists(WORDS, max_size=12))
@QUICK
def test_any_timing_is_a_well_formed_lrc(words):
    """Every line has its tag and a text, and times never go back."""
    found = [LRC_LINE(line) for line in Timing(tuple(words)).lrc().split("\n")[:-1]]
    assert None not in found
    times = [(int(line[1]) * 60 + int(line[2])) * 100 + int(line[3]) for line in found]
    assert times == sorted(times)


@given(st.lists(WORDS, max_size=12))
@QUICK
def test_any_timing_is_a_well_formed_srt(words):
    """Numbers from one on, times that go forward and never overlap, and text in every cue."""
    timing = Timing(tuple(words))
    cues = [cue.split("\n") for cue in timing.srt().removesuffix("\n").split("\n\n") if cue]
    assert [cue[0] for cue in cues] == [str(count + 1) for count in range(len(cues))]
    spans = [tuple(map(millis, cue[1].split(" --> "))) for cue in cues]
    assert all(start < end for start, end in spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    texts = [line for cue in cues for line in cue[2:]]
    assert all(line.strip() for line in texts)
    assert texts == [line.partition("]")[2] for line in timing.lrc().split("\n")[:-1]]
