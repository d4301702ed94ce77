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
SINE = [math.sin(2 * math.pi * step / 256) for step in range(256)]
CLIP_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@lru_cache(maxsize=256)
def melody(clip_id: str) -> bytes:
    """Three seconds of a tune that belongs to the clip: WAV, PCM, 16 bit, mono, 11,025 Hz."""
    rng = Random(clip_id)
    root = rng.choice((220.0, 246.94, 261.63, 293.66))
    samples = array("h")
    for _ in range(NOTES):
        samples.extend(_note(root * 2 ** (rng.choice(SCALE) / 12)))
    data = struct.pack(f"<{len(samples)}h", *samples)
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, 1, RATE, RATE * 2, 2, 16,
                       b"data", len(data))  # fmt: skip
    return head + data


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
    body = melody(clip_id)
    tag = etag(body)
    headers = {"Accept-Ranges": "bytes", "ETag": tag}
    span = span_of(wanted, len(body)) if if_range in {None, tag} else None
    if span is None:
        return Answer(200, body, "audio/wav", headers)
    first, last = span
    if first > last:
        return Answer(416, b"", "audio/wav", {**headers, "Content-Range": f"bytes */{len(body)}"})
    headers["Content-Range"] = f"bytes {first}-{last}/{len(body)}"
    return Answer(206, body[first : last + 1], "audio/wav", headers)


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
