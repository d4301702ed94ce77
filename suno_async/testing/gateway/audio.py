"""The files behind the URLs: a short real WAV for each clip, and a cover."""

import math
import re
import struct
from array import array
from functools import lru_cache
from hashlib import blake2b
from random import Random

from .answers import HTML, NOT_FOUND, Answer

RATE = 11_025  # samples a second
NOTES = 12
NOTE_SAMPLES = RATE // 4
SCALE = (0, 2, 4, 7, 9, 12, 14, 16)  # pentatonic: no seed sounds wrong
TICKS = 1000  # a second of film
ROOTS = (220.0, 246.94, 261.63, 293.66)
SINE = [math.sin(2 * math.pi * step / 256) for step in range(256)]
CLIP_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@lru_cache(maxsize=256)
def melody(clip_id: str) -> bytes:
    """Three seconds of a tune that belongs to the clip: WAV, PCM, 16 bit, mono, 11,025 Hz."""
    root, steps = tune(clip_id)
    samples = array("h")
    for step in steps:
        samples.extend(_note(root * 2 ** (step / 12)))
    data = struct.pack(f"<{len(samples)}h", *samples)
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, 1, RATE, RATE * 2, 2, 16,
                       b"data", len(data))  # fmt: skip
    return head + data


def tune(clip_id: str) -> tuple[float, list[int]]:
    """The clip's key note in Hz, and how many semitones each note lies above it."""
    rng = Random(clip_id)
    return rng.choice(ROOTS), [rng.choice(SCALE) for _ in range(NOTES)]


def _note(pitch: float) -> list[int]:
    """One decaying note."""
    step, fade = pitch * 256 / RATE, 12_000 / NOTE_SAMPLES
    return [int((NOTE_SAMPLES - at) * fade * SINE[int(at * step) % 256]) for at in range(NOTE_SAMPLES)]


def etag(body: bytes) -> str:
    """A validator that follows from the bytes."""
    return f'"{blake2b(body, digest_size=8).hexdigest()}"'


def cover(clip_id: str) -> Answer:
    """A small picture, as SVG."""
    square = f'<rect width="64" height="64" fill="#{clip_id[:6]}"/>'
    body = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">{square}</svg>'
    return Answer(200, body.encode(), "image/svg+xml")


def missing() -> Answer:
    """There is no such file."""
    return Answer(404, NOT_FOUND, HTML)


def file(clip_id: str, wanted: str | None, if_range: str | None) -> Answer:
    """The clip's file or the part of it that a Range header names; 416 if there is no such part."""
    return ranged(melody(clip_id), "audio/wav", wanted, if_range)


def ranged(body: bytes, kind: str, wanted: str | None, if_range: str | None) -> Answer:
    """Such a file, or the part of it that is wanted; 416 if there is no such part."""
    tag = etag(body)
    headers = {"Accept-Ranges": "bytes", "ETag": tag}
    span = span_of(wanted, len(body)) if if_range in {None, tag} else None
    if span is None:
        return Answer(200, body, kind, headers)
    first, last = span
    if first > last:
        return Answer(416, b"", kind, {**headers, "Content-Range": f"bytes */{len(body)}"})
    headers["Content-Range"] = f"bytes {first}-{last}/{len(body)}"
    return Answer(206, body[first : last + 1], kind, headers)


def span_of(wanted: str | None, size: int) -> tuple[int, int] | None:
    """First and last byte of a Range header, first > last if it cannot be satisfied, None if it asks for everything."""
    found = re.fullmatch(r"bytes=(\d*)-(\d*)", wanted or "")
    if found is None or found[0] == "bytes=-":
        return None
    first, last = found[1], found[2]
    if not first:
        return max(0, size - int(last)), size - 1
    if int(first) >= size:
        return size, size - 1
    return int(first), min(int(last or size), size - 1)


def film(clip_id: str) -> bytes:
    """An MP4 file with its length and no picture: ftyp, and a moov that holds an mvhd (ISO 14496-12)."""
    kind = _box(b"ftyp", b"isom", struct.pack(">I", 0x200), b"isom", b"mp42")
    length = NOTES * NOTE_SAMPLES * TICKS // RATE
    matrix = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    head = struct.pack(">5IIH10x", 0, 0, 0, TICKS, length, 0x10000, 0x100)
    named = _box(b"free", clip_id.encode())
    return kind + _box(b"moov", _box(b"mvhd", head, matrix, bytes(24), struct.pack(">I", 1))) + named


def _box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I4s", 8 + len(body), kind) + body
