"""The experience: what was learned of when to look at one gateway, as a value that outlives the process."""

from typing import Annotated

import msgspec

from .beat import WIDTHS
from .durations import Histogram
from .errors import ConfigurationError

_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Experience(msgspec.Struct, frozen=True):
    """How long tasks took at one gateway, and whether it has a beat; `msgspec.json` writes and reads it.

    The phase of the beat is not kept: it is over before the next process begins.
    """

    durations: dict[str, Histogram] = {}
    no_beat: _Share | None = None
    """How likely it is that the gateway shows changes as they come; None where nothing was seen yet."""
    widths: Annotated[list[_Share], msgspec.Meta(min_length=len(WIDTHS), max_length=len(WIDTHS))] | None = None
    """How likely each width of its rounds is, if there are rounds."""

    def __post_init__(self) -> None:
        # called by hand, msgspec looks at no types
        if not isinstance(self.durations, dict):
            raise ConfigurationError("Experience.durations must be those of another Experience, a dict")
        widths = self.widths
        if widths is not None and not (len(widths) == len(WIDTHS) and abs(sum(widths) - 1) < _UNEXACT):
            raise ConfigurationError(f"Experience.widths must be {len(WIDTHS)} shares that are 1 all together")

    def __repr__(self) -> str:
        return f"Experience({sum(histogram.seen for histogram in self.durations.values())} durations)"

    def packed(self) -> bytes:
        """The same, as few bytes."""
        return _pack(self)


def unpacked(record: bytes | None) -> Experience:
    """What ``packed`` made; nothing learned if it cannot be read, as that of another version may be."""
    if record is None:
        return Experience()
    try:
        return _unpack(record)
    except (ValueError, RecursionError):
        return Experience()


_UNEXACT = 1e-6
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Experience).decode
