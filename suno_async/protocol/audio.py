"""The audio: what kind of file something is, told by its name and its first bytes."""

import re

from .errors import ConfigurationError

MOST_BYTES = 100 * 2**20
"""More is no song: the documents speak of mp3 and wav of some minutes."""
_EXTENSION = re.compile(r"[a-z0-9]{1,5}").fullmatch
_NAME = re.compile(r"[^\x00-\x1f\x7f/\\\"\ud800-\udfff]{1,200}").fullmatch
_MAGIC: tuple[tuple[str, re.Pattern[bytes]], ...] = (
    ("wav", re.compile(rb"RIFF....WAVE", re.DOTALL)),
    ("flac", re.compile(rb"fLaC")),
    ("ogg", re.compile(rb"OggS")),
    ("m4a", re.compile(rb"....ftyp", re.DOTALL)),
    ("mp3", re.compile(rb"ID3|\xff[\xe2-\xff]")),
)


def check_audio(start: bytes, filename: str | None = None) -> tuple[str, str]:
    """The (file name, extension) under which audio is uploaded.

    ``start`` is the beginning of the file. Its name decides, and where it has none, its first bytes.

    Raises:
        ConfigurationError: the file is empty, or nobody can tell what kind of audio it is.
    """
    if not start:
        raise ConfigurationError("the audio is empty")
    kind = next((name for name, magic in _MAGIC if magic.match(start)), "")
    name = filename or f"audio.{kind}"
    extension = name.rpartition(".")[2].lower() if "." in name else kind
    if _NAME(name) is None or _EXTENSION(extension) is None:
        raise ConfigurationError(
            "this is no audio that is known here (mp3, wav, flac, ogg, m4a): pass filename='....mp3' if it is some"
        )
    return name, extension
