"""The files behind the URLs."""

import io
import struct
import wave

import pytest

from suno_async.testing.gateway import audio

CLIP = "12345678-1234-1234-1234-123456789abc"
OTHER = "abcdef01-1234-1234-1234-123456789abc"


def test_a_melody_is_a_playable_wav():
    """The file opens as WAV: PCM, 16 bit, mono, 11,025 Hz, three seconds that are not silent."""
    with wave.open(io.BytesIO(audio.melody(CLIP))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, audio.RATE)
        assert 2.5 < file.getnframes() / file.getframerate() < 3.5
        assert max(file.readframes(file.getnframes())) > 0


def test_a_melody_belongs_to_its_clip():
    """The same clip sounds the same, another sounds different."""
    assert audio.melody(CLIP) == audio.melody.__wrapped__(CLIP)
    assert audio.melody(CLIP) != audio.melody(OTHER)
    assert audio.etag(audio.melody(CLIP)) != audio.etag(audio.melody(OTHER))


@pytest.mark.parametrize(
    ("wanted", "span"),
    [
        (None, None),
        ("bytes=-", None),
        ("bytes=0-1,4-5", None),
        ("items=0-1", None),
        ("bytes=0-", (0, 99)),
        ("bytes=10-19", (10, 19)),
        ("bytes=90-500", (90, 99)),
        ("bytes=-10", (90, 99)),
        ("bytes=-500", (0, 99)),
        ("bytes=100-", (100, 99)),
        ("bytes=-0", (100, 99)),
        ("bytes=5-4", (5, 4)),
    ],
)
def test_ranges_are_read(wanted, span):
    """A Range header names first and last byte, clipped to the file; what cannot be read asks for everything."""
    assert audio.span_of(wanted, 100) == span


async def test_a_file_is_served_whole_and_in_parts(ask):
    """The parts of a file are the file; the answer tells length, ETag and that ranges are accepted."""
    whole = await ask("GET", f"/audio/{CLIP}.wav")
    assert whole.body == audio.melody(CLIP)
    assert (whole.status, whole.headers["Content-Type"], whole.headers["Accept-Ranges"]) == (200, "audio/wav", "bytes")
    head = await ask("GET", f"/audio/{CLIP}.wav", headers={"Range": "bytes=0-999"})
    tail = await ask("GET", f"/audio/{CLIP}.wav", headers={"Range": "bytes=1000-", "If-Range": head.headers["ETag"]})
    assert (head.status, tail.status) == (206, 206)
    assert head.headers["Content-Range"] == f"bytes 0-999/{len(whole.body)}"
    assert head.body + tail.body == whole.body


async def test_a_stale_part_is_answered_with_the_whole_file(ask):
    """If-Range with another ETag makes the Range void."""
    reply = await ask("GET", f"/audio/{CLIP}.wav", headers={"Range": "bytes=1000-", "If-Range": '"old"'})
    assert (reply.status, reply.body) == (200, audio.melody(CLIP))


async def test_a_part_beyond_the_end_is_416(ask):
    """A Range behind the end is answered with the size of the file."""
    reply = await ask("GET", f"/audio/{CLIP}.wav", headers={"Range": "bytes=9999999-"})
    assert (reply.status, reply.headers["Content-Range"]) == (416, f"bytes */{len(audio.melody(CLIP))}")


async def test_the_stream_has_no_length(ask, gateway):
    """The pipe sends the same tune in chunks; both count as audio."""
    reply = await ask("GET", f"/audiopipe/?item_id={CLIP}")
    assert reply.body == audio.melody(CLIP)
    assert "Content-Length" not in reply.headers
    assert gateway.counts["audio"] == 1


async def test_a_head_tells_the_length(ask):
    """HEAD is answered with the headers of the file and no body."""
    reply = await ask("HEAD", f"/audio/{CLIP}.wav")
    assert (reply.status, int(reply.headers["Content-Length"]), reply.body) == (200, len(audio.melody(CLIP)), b"")


async def test_a_cover_is_a_picture(ask):
    """The image is SVG; a name that is no clip's is 404."""
    assert (await ask("GET", f"/image/{CLIP}.svg")).headers["Content-Type"] == "image/svg+xml"
    assert (await ask("GET", "/audio/none.wav")).status == 404


async def test_files_go_missing_and_break_off(ask, gateway):
    """audio_missing is 404; audio_truncated promises more than it sends."""
    gateway.faults.once("audio_missing")
    assert (await ask("GET", f"/audio/{CLIP}.wav")).status == 404
    gateway.faults.once("audio_truncated")
    with pytest.raises(Exception, match="payload"):
        await ask("GET", f"/audio/{CLIP}.wav")


def test_a_film_is_boxes_of_known_sizes():
    """ISO 14496-12: ftyp, moov with an mvhd of version 0 that has 100 bytes, free; three seconds long."""
    content = audio.film(CLIP)
    boxes, at = {}, 0
    while at < len(content):
        size, kind = struct.unpack_from(">I4s", content, at)
        boxes[kind] = content[at + 8 : at + size]
        at += size
    assert (at, list(boxes)) == (len(content), [b"ftyp", b"moov", b"free"])
    assert struct.unpack_from(">I4s", boxes[b"moov"]) == (108, b"mvhd") == (len(boxes[b"moov"]), b"mvhd")
    ticks, length = struct.unpack_from(">II", boxes[b"moov"], 8 + 12)
    assert length / ticks == pytest.approx(3, abs=0.01)
    assert boxes[b"free"] == CLIP.encode()


def test_a_tune_is_of_the_scale():
    """Twelve notes of the pentatonic scale above one of four roots, the same for the same clip."""
    root, steps = audio.tune(CLIP)
    assert (root in audio.ROOTS, len(steps), set(steps) <= set(audio.SCALE)) == (True, audio.NOTES, True)
    assert audio.tune(CLIP) == (root, steps)
