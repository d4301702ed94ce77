"""When each word is sung."""

import pytest

from suno_async.testing.gateway.alignment import POINTS, aligned, timing, waveform

CLIP = "12345678-1234-1234-1234-123456789abc"
WORDS = "[Verse]\nWinter is here\nla\n\n[Chorus 2] \n[soft]\nlo (lo) [x\n[End]\n[Fade out]"


def test_words_are_split_as_the_documents_show_them():
    """Each with the space behind it; section marks stand in front of the next word, or alone at the end."""
    words = [line["word"] for line in aligned(CLIP, WORDS, 100.0)]
    assert words == [
        "[Verse]\nWinter ",
        "is ",
        "here\n",
        "la\n\n",
        "[Chorus 2] \n[soft]\nlo ",
        "(lo) ",
        "[x\n",
        "[End]\n[Fade out]",
    ]


@pytest.mark.parametrize("words", [WORDS, "la", " [Verse]\n ", "一 二\n三", "la " * 5000])
def test_joined_they_are_what_was_sent(words):
    """No letter is lost but the blanks around it all."""
    assert "".join(line["word"] for line in aligned(CLIP, words, 100.0)) == words.strip()


@pytest.mark.parametrize("words", [WORDS, "la " * 5000])
def test_words_follow_each_other_within_the_clip(words):
    """Each ends after it begins and before the next one begins, all of them between start and end."""
    lines = aligned(CLIP, words, 123.4)
    times = [moment for line in lines for moment in (line["start_s"], line["end_s"])]
    assert times == sorted(times)
    assert 0 < times[0] < times[-1] < 123.4
    assert all(line["success"] and 0.9 <= line["p_align"] <= 1 for line in lines)


def test_an_instrumental_has_no_words():
    """No words, and yet a waveform."""
    found = timing(CLIP, "", 100.0)
    assert (found["aligned_words"], found["is_streamed"], len(found["waveform_data"])) == ([], False, POINTS)
    assert 0 <= found["hoot_cer"] < 0.1


def test_the_waveform_is_that_of_the_file():
    """Peaks between 0 and 1, the same for the same clip only."""
    assert waveform(CLIP) == waveform(CLIP) != waveform(CLIP.replace("1", "2"))
    assert all(0 <= peak <= 1 for peak in waveform(CLIP))
    assert max(waveform(CLIP)) > 0.2
