"""What kind of audio a file is."""

import pytest

from suno_async.protocol.audio import check_audio
from suno_async.protocol.errors import ConfigurationError

UNKNOWN = "this is no audio that is known here (mp3, wav, flac, ogg, m4a): pass filename='....mp3' if it is some"


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "wav"),
        (b"ID3\x04rest", "mp3"),
        (b"\xff\xfb\x90\x00", "mp3"),
        (b"fLaC\x00", "flac"),
        (b"OggS\x00", "ogg"),
        (b"\x00\x00\x00\x20ftypM4A ", "m4a"),
    ],
)
def test_audio_without_a_name_is_known_by_its_first_bytes(start, kind):
    """Each kind that the documents speak of."""
    assert check_audio(start) == (f"audio.{kind}", kind)


@pytest.mark.parametrize(
    ("filename", "expected"),
    [("My Song.MP3", ("My Song.MP3", "mp3")), ("song", ("song", "wav")), ("a.b.opus", ("a.b.opus", "opus"))],
)
def test_a_name_decides(filename, expected):
    """Its extension, in small letters; where it has none, the bytes do."""
    assert check_audio(b"RIFF\x24\x00\x00\x00WAVEfmt ", filename) == expected


@pytest.mark.parametrize(
    ("start", "filename", "said"),
    [
        (b"", "song.mp3", "the audio is empty"),
        (b"<html>", None, UNKNOWN),
        (b"ID3", "a/b.mp3", UNKNOWN),
        (b"ID3", 'a"b.mp3', UNKNOWN),
        (b"ID3", "a\nb.mp3", UNKNOWN),
        (b"ID3", "song.", UNKNOWN),
        (b"ID3", "x" * 300 + ".mp3", UNKNOWN),
        (b"ID3", "a\udcff.mp3", UNKNOWN),
        (b"ID3", "\ud800b.mp3", UNKNOWN),
        (b"junk", "junk", UNKNOWN),
    ],
)
def test_what_is_no_audio_is_refused(start, filename, said):
    """Before any request, and the message says what to do."""
    with pytest.raises(ConfigurationError) as caught:
        check_audio(start, filename)
    assert str(caught.value) == said
