"""The metadata of a song: who sings it, and how far it may go."""

from collections.abc import Iterable, Mapping
from typing import Literal, get_args

import msgspec

from ..inputs import check_factor
from .checked import Checked, wrong

Slider = Literal["style_weight", "weirdness_constraint", "audio_weight"]
SLIDERS: tuple[Slider, ...] = get_args(Slider)


class Metadata(Checked, frozen=True):
    """How a song is made beside its words: ``Metadata(vocal_gender="f", control_sliders={"style_weight": 0.7})``.

    So gpt-best, yunwu and 302.ai have it. What others have instead (``vocal_gender`` beside ``prompt``: yunwu, too;
    ``metadata_params``: key4u) goes with ``Submission("music", {...})``.
    """

    create_mode: str = ""
    """What the web page calls the mode, such as ``custom``."""
    vocal_gender: Literal["", "m", "f"] = ""
    """Who sings; "" leaves it open."""
    control_sliders: Mapping[Slider, float] = msgspec.field(default_factory=dict)
    """Each from 0 to 1: ``style_weight`` (how close it keeps to the tags), ``weirdness_constraint`` (how odd it may
    get), ``audio_weight`` (how close it keeps to the clip it is made from)."""
    can_control_sliders: tuple[Slider, ...] = ()
    """The names of the sliders on the page, which some clients send along."""
    is_remix: bool = False
    """True for what is made from another clip; the web page says so of covers."""

    def __post_init__(self) -> None:
        _check_names(self, "control_sliders", self.control_sliders)
        _check_names(self, "can_control_sliders", self.can_control_sliders)
        super().__post_init__()
        # in one order and as floats, for an idempotency key compares bytes; a copy, for what was checked must stay so
        sliders = {name: float(self.control_sliders[name]) for name in SLIDERS if name in self.control_sliders}
        msgspec.structs.force_setattr(self, "control_sliders", sliders)
        shown = tuple(name for name in SLIDERS if name in self.can_control_sliders)
        msgspec.structs.force_setattr(self, "can_control_sliders", shown)


def _check_names(body: Metadata, field: str, given: object) -> None:
    """Raises ConfigurationError for a slider that does not exist, or that is set to what it cannot be set to."""
    for name in given if isinstance(given, Iterable) and not isinstance(given, str) else ():
        if name not in SLIDERS:
            raise wrong(body, field, f"{ascii(name)[:60]} is no slider: there are {', '.join(SLIDERS)}")
        if isinstance(given, Mapping):
            check_factor(f"{type(body).__name__}.{field}[{name!r}]", given[name], 0, 1)
