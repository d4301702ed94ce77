"""The alignment of a clip: when each of its words is sung, and how loud it is."""

import re
from array import array
from typing import Any

from .audio import melody
from .names import digest

MARK = r"\[[^\]\n]*\]\s*"  # [Verse], [Chorus]: they stand in front of the word that follows them
WORD = re.compile(rf"(?:{MARK})+\Z|(?:{MARK})*+\S+\s*")
FIRST, LAST = 0.05, 0.95  # shares of the clip: there is music before the first word and after the last
SUNG = 0.8  # of the time until the next word
HEAD = 44  # bytes in front of a WAV's samples
POINTS = 100


def timing(clip_id: str, words: str, length: float) -> dict[str, Any]:
    """The answer of the timing (E20): words with their spaces and section marks, waveform, error rate."""
    return {
        "aligned_words": aligned(clip_id, words, length),
        "waveform_data": waveform(clip_id),
        "hoot_cer": round(0.01 + digest(clip_id, 1)[0] / 5000, 4),
        "is_streamed": False,
    }


def aligned(clip_id: str, words: str, length: float) -> list[dict[str, Any]]:
    """Each word, longer ones for longer. Joined they are the words that were sent."""
    found = WORD.findall(words.strip())
    second = length * (LAST - FIRST) / max(1, sum(map(len, found)))  # for a letter
    at, lines = length * FIRST, []
    for place, word in enumerate(found):
        lasts = len(word) * second
        lines.append(
            {
                "word": word,
                "success": True,
                "start_s": round(at, 3),
                "end_s": round(at + lasts * SUNG, 3),
                "p_align": round(0.9 + digest(f"{clip_id}/{place}", 1)[0] / 2560, 3),
            }
        )
        at += lasts
    return lines


def waveform(clip_id: str) -> list[float]:
    """The peaks of the file behind the clip."""
    samples = array("h", melody(clip_id)[HEAD:])
    step = len(samples) // POINTS
    return [round(max(samples[at : at + step]) / 32_768, 3) for at in range(0, step * POINTS, step)]
