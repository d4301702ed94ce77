"""The options that say how a song is to sound."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from ...protocol.requests import SLIDERS, Metadata
from .words import read_text

Words = Annotated[str, Parameter(help="The words; - reads them from stdin, @FILE from a file.", show_default=False)]
Title = Annotated[str, Parameter(help="The song's title.", show_default=False)]
Model = Annotated[str, Parameter(help="The model, such as chirp-v4.", show_default=False)]
Hook = Annotated[str, Parameter(help="A URL that some gateways call at the end.", show_default=False)]
Owner = Annotated[str, Parameter(help="The task that made it; some gateways want it.", show_default=False)]
Slide = Annotated[float | None, Parameter(metavar="0-1")]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Sound:
    """What every song may be told; ``fields`` are those of its struct."""

    make_instrumental: Annotated[bool, Parameter(help="No words.", show_default=False)] = False
    mv: Model = ""
    notify_hook: Hook = ""
    vocal_gender: Annotated[Literal["m", "f"] | None, Parameter(help="Who sings.")] = None
    style_weight: Annotated[Slide, Parameter(help="How close it keeps to the style.")] = None
    weirdness_constraint: Annotated[Slide, Parameter(help="How odd it may get.")] = None

    @property
    def fields(self) -> dict[str, Any]:
        """The struct's fields by their names; raises ConfigurationError for a slider that is out of bounds."""
        plain = {"make_instrumental": self.make_instrumental, "mv": self.mv, "notify_hook": self.notify_hook}
        return plain | {"metadata": self._metadata()}

    def _metadata(self) -> Metadata | None:
        moved = {name: getattr(self, name, None) for name in SLIDERS}
        sliders = {name: value for name, value in moved.items() if value is not None}
        if self.vocal_gender is None and not sliders:
            return None
        return Metadata(vocal_gender=self.vocal_gender or "", control_sliders=sliders)


@dataclass(frozen=True, kw_only=True)
class Style(Sound):
    """What a song with your own words may be told."""

    tags: Annotated[str, Parameter(help="The style, comma separated.", show_default=False)] = ""
    negative_tags: Annotated[str, Parameter(help="What it must not sound like.", show_default=False)] = ""
    title: Title = ""

    @property
    def fields(self) -> dict[str, Any]:
        """The struct's fields by their names."""
        return super().fields | {"tags": self.tags, "negative_tags": self.negative_tags, "title": self.title}


@dataclass(frozen=True, kw_only=True)
class Rework(Style):
    """What a song that is made from another one may be told."""

    prompt: Words = ""
    audio_weight: Annotated[Slide, Parameter(help="How close it keeps to the clip.")] = None
    task_id: Owner = ""

    @property
    def fields(self) -> dict[str, Any]:
        """The struct's fields by their names; raises UsageError where the words cannot be read."""
        return super().fields | {"prompt": read_text(self.prompt), "task_id": self.task_id}


SOUND, STYLE, REWORK = Sound(), Style(), Rework()
