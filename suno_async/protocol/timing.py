"""The timing: when each word of a song is sung, and the same as lyrics that players and video tools can show."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec

from .lenient import number, one_line, snake

MOST_WORDS, MOST_LINES, MOST_POINTS = 20_000, 20_000, 100_000
_LONGEST = 500
"""Of a word and of a line, in characters."""
_MARK = re.compile(r"\[[^\[\]\r\n]{0,200}\]")
_BREAK = re.compile(r"\r\n|\r|\n")
_LATEST = 359_999_999
"""The last millisecond that is written with two digits for the hours."""


class Word(msgspec.Struct, frozen=True, gc=False):
    """One word, or a few, with the blanks and line breaks behind them; times are seconds from the song's start."""

    word: str
    start_s: float | None = None
    end_s: float | None = None
    success: bool = True
    """False where the gateway could not find the word in the song."""
    p_align: float | None = None
    """How sure it is of the place, 0 to 1."""


class Timing(msgspec.Struct, frozen=True):
    """When each word of a song is sung."""

    words: tuple[Word, ...] = ()
    waveform: tuple[float, ...] = ()
    """The loudness over the song's length, for drawing."""
    hoot_cer: float | None = None
    """The share of characters heard otherwise than written, 0 to 1."""
    is_streamed: bool | None = None

    def lrc(self) -> str:
        """The words as an LRC file: one ``[mm:ss.xx]`` line for each line of the lyrics.

        Section marks such as ``[Verse]`` are left out, because players take what is in brackets for times.
        """
        return "".join(f"[{_minutes(start)}]{text}\n" for start, _, text in _lines(self.words))

    def srt(self) -> str:
        """The words as SubRip subtitles: numbered cues that never overlap, without section marks.

        Lines that begin at the same moment share a cue, and each cue is at least a millisecond long.
        """
        cues = enumerate(_cues(self.words), 1)
        return "\n".join(f"{count}\n{_hours(start)} --> {_hours(end)}\n{text}\n" for count, (start, end, text) in cues)


def read_timing(value: Any) -> Timing | None:
    """The timing in an answer's innermost object, or in a bare list of words; None for anything else."""
    fields = snake(value) if isinstance(value, dict) else {}
    words = value if isinstance(value, list) else fields.get("aligned_words", fields.get("words"))
    if words is None and "aligned_words" in fields:
        words = []
    if not isinstance(words, list) or (words is value and not (words and _is_word(words[0]))):
        return None
    points = fields.get("waveform_data")
    streamed = fields.get("is_streamed")
    return Timing(
        words=tuple(_word(snake(row)) for row in islice(words, MOST_WORDS) if _is_word(row)),
        waveform=tuple(map(_point, islice(points, MOST_POINTS))) if isinstance(points, list) else (),
        hoot_cer=number(fields.get("hoot_cer")),
        is_streamed=streamed if isinstance(streamed, bool) else None,
    )


def _is_word(row: Any) -> bool:
    return isinstance(row, dict) and isinstance(row.get("word"), str)


def _word(fields: dict[str, Any]) -> Word:
    return Word(
        word=fields["word"][:_LONGEST],
        start_s=number(fields.get("start_s"), fields.get("start")),
        end_s=number(fields.get("end_s"), fields.get("end")),
        success=fields.get("success") is not False,
        p_align=number(fields.get("p_align"), fields.get("palign")),
    )


def _point(value: Any) -> float:
    return number(value) or 0.0


Line = tuple[int, int, str]
"""When it begins and ends, in milliseconds, and its text."""


def _lines(words: tuple[Word, ...]) -> Iterator[Line]:
    """The lines that have words, in order; none begins before the one before it, and none ends before it begins."""
    last = 0
    for pieces in islice(_broken(words), MOST_LINES):
        text = _plain("".join(piece for piece, _ in pieces))
        if not text:
            continue
        found = [word for piece, word in pieces if word.success and _MARK.sub("", piece).strip()]
        start = max(next((_millis(word.start_s) for word in found if word.start_s is not None), last), last)
        start = min(start, _LATEST - 1)
        end = next((_millis(word.end_s) for word in reversed(found) if word.end_s is not None), start)
        yield start, max(start, end), text
        last = start


def _broken(words: tuple[Word, ...]) -> Iterator[list[tuple[str, Word]]]:
    """The words of each line; one word may end a line and begin the next."""
    line: list[tuple[str, Word]] = []
    for word in words:
        first, *others = _BREAK.split(word.word)
        line.append((first, word))
        for piece in others:
            yield line
            line = [(piece, word)]
    yield line


def _plain(line: str) -> str:
    """What is sung, safe in both formats: no marks, no brackets, no arrows, no control characters."""
    text = _MARK.sub("", line).replace("[", "").replace("]", "").replace("-->", "->")
    return one_line(text, _LONGEST)


def _cues(words: tuple[Word, ...]) -> Iterator[Line]:
    shared: list[tuple[int, int, list[str]]] = []
    for start, end, text in _lines(words):
        if shared and shared[-1][0] == start:
            _, before, texts = shared.pop()
            texts.append(text)
            shared.append((start, max(before, end), texts))
        else:
            shared.append((start, end, [text]))
    for count, (start, end, texts) in enumerate(shared, 1):
        most = shared[count][0] if count < len(shared) else _LATEST
        yield start, min(max(end, start + 1), most), "\n".join(texts)


def _millis(seconds: float | None) -> int:
    # a time nobody can tell apart from nonsense, such as NaN, is none
    return round(max(number(seconds) or 0.0, 0.0) * 1000)


def _minutes(millis: int) -> str:
    minutes, rest = divmod(millis // 10, 6000)
    return f"{minutes:02}:{rest // 100:02}.{rest % 100:02}"


def _hours(millis: int) -> str:
    seconds, rest = divmod(millis, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02},{rest:03}"
