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
        durations, no_beat, widths = self.durations, self.no_beat, self.widths
        if not (isinstance(durations, dict) and all(map(_is_learned, durations.items()))):
            raise ConfigurationError("Experience.durations must be those of another Experience, a dict")
        if no_beat is not None and not _is_share(no_beat):
            raise ConfigurationError(f"Experience.no_beat must be a share from 0 to 1, or None, not {no_beat!r}")
        if widths is not None and not (isinstance(widths, list) and len(widths) == len(WIDTHS) and _are_shares(widths)):
            raise ConfigurationError(f"Experience.widths must be {len(WIDTHS)} shares that are 1 all together")

    def __repr__(self) -> str:
        return f"Experience({sum(histogram.seen for histogram in self.durations.values())} durations)"

    def packed(self) -> bytes:
        """The same, as few bytes."""
        return _pack(self)


def _is_learned(item: tuple[object, object]) -> bool:
    name, histogram = item
    return isinstance(name, str) and isinstance(histogram, Histogram)


def _is_share(value: object) -> bool:
    """True for what can be written down, and read again, as a number from 0 to 1."""
    return type(value) in {int, float} and 0 <= value <= 1  # type: ignore[operator]


def _are_shares(values: list[float]) -> bool:
    return all(map(_is_share, values)) and abs(sum(values) - 1) < _UNEXACT


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
