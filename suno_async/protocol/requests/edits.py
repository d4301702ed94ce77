"""The edits: what is made from a clip that is there already, your own upload among them."""

from typing import ClassVar, Literal

from .checked import Body, Why
from .metadata import Metadata
from .songs import wordless


class Extend(Body, frozen=True):
    """The continuation of a song: ``Extend(continue_clip_id=song.id, continue_at=80, task_id=task.task_id, ...)``.

    It begins where it goes on; ``Concat`` of one of its clips makes the whole song.
    """

    continue_clip_id: str
    """The ``Song.id`` to go on from."""
    continue_at: float
    """Where to go on, in seconds from its start."""
    task_id: str = ""
    """The task that made the clip. new-api before 2026 and Suno-API refuse a continuation without it."""
    prompt: str = ""
    tags: str = ""
    title: str = ""
    mv: str = ""
    make_instrumental: bool = False
    notify_hook: str = ""
    """Stock new-api drops it without a word (dto/suno.go)."""
    negative_tags: str = ""
    """What it must not sound like, comma separated. Stock new-api drops it without a word."""
    metadata: Metadata | None = None
    """Who sings, and how freely. Stock new-api drops it without a word."""
    task: Literal["extend", "upload_extend"] = "extend"
    """``upload_extend`` for a clip you have uploaded, which gpt-best does not continue otherwise. Always sent. Stock
    new-api drops it without a word."""

    needed: ClassVar[tuple[str, ...]] = ("continue_clip_id",)

    def _contradiction(self) -> Why | None:
        if self.continue_at < 0:
            return "continue_at", "must be zero or more seconds"
        return wordless(self.prompt, self.metadata) if self.make_instrumental else None

    def _always(self) -> dict[str, object]:
        return {"task": self.task}


class Concat(Body, frozen=True):
    """The whole song out of its last part: ``Concat(clip.id)``; one clip, not two.

    Its action is ``concat``, which stock new-api does not have: it answers 503, no channel for model suno_concat.
    """

    clip_id: str
    """The clip that ``Extend`` or ``ReplaceSection`` made; the gateway knows what came before it."""
    is_infill: bool = False
    """True for a clip of ``ReplaceSection``."""

    action: ClassVar[str] = "concat"
    needed: ClassVar[tuple[str, ...]] = ("clip_id",)


class Cover(Body, frozen=True):
    """The same song in another style: ``Cover(song.id, tags="bossa nova")``; also of a clip you have uploaded.

    gpt-best wants a ``mv`` that ends in ``-tau``, or ``chirp-auk`` or ``chirp-bluejay``; an upload is covered by the
    upstream account it is in, or by none. ``task`` is always sent as ``cover``. Stock new-api drops that and the clip
    without a word (dto/suno.go): what comes is a song of the words.
    """

    cover_clip_id: str
    """The clip to cover. Stock new-api drops it without a word."""
    prompt: str = ""
    """The words; "" where the gateway keeps those of the clip."""
    tags: str = ""
    """The new style, comma separated."""
    title: str = ""
    mv: str = ""
    make_instrumental: bool = False
    notify_hook: str = ""
    """Stock new-api drops it without a word."""
    negative_tags: str = ""
    """What it must not sound like, comma separated. Stock new-api drops it without a word."""
    metadata: Metadata | None = None
    """Who sings, how freely, and how much of the clip stays. Stock new-api drops it without a word."""
    task_id: str = ""
    """The task that made the clip, where the gateway wants to know."""

    needed: ClassVar[tuple[str, ...]] = ("cover_clip_id",)

    def _contradiction(self) -> Why | None:
        return wordless(self.prompt, self.metadata) if self.make_instrumental else None

    def _always(self) -> dict[str, object]:
        return {"task": "cover"}


class ReplaceSection(Body, frozen=True):
    """A song with other words in one place: ``ReplaceSection(song.id, 50, 64.8, prompt=words)``.

    ``Concat(clip.id, is_infill=True)`` of one of its clips makes the whole song. gpt-best wants words that repeat some
    of those that were there, and the same ``mv`` as ``Cover``. ``task`` is always sent as ``infill``. Stock new-api
    drops that and both ends without a word (dto/suno.go), and is left with a clip to continue.
    """

    continue_clip_id: str
    """The ``Song.id`` to change."""
    infill_start_s: float
    """Where the place begins, in seconds from the song's start. Stock new-api drops it without a word."""
    infill_end_s: float
    """Where it ends, after its start. Stock new-api drops it without a word."""
    prompt: str = ""
    """The words of the place, and some of those around it."""
    tags: str = ""
    title: str = ""
    mv: str = ""
    make_instrumental: bool = False
    notify_hook: str = ""
    """Stock new-api drops it without a word."""
    negative_tags: str = ""
    """What it must not sound like, comma separated. Stock new-api drops it without a word."""
    metadata: Metadata | None = None
    """Who sings, and how freely. Stock new-api drops it without a word."""
    continued_aligned_prompt: str = ""
    """The words of the clip as they are timed; every example leaves it out. Stock new-api drops it without a word."""
    task_id: str = ""
    """The task that made the clip, where the gateway wants to know."""

    needed: ClassVar[tuple[str, ...]] = ("continue_clip_id",)

    def _contradiction(self) -> Why | None:
        if self.infill_start_s < 0:
            return "infill_start_s", "must be zero or more seconds"
        if self.infill_end_s <= self.infill_start_s:
            return "infill_end_s", "must be later than infill_start_s"
        return wordless(self.prompt, self.metadata) if self.make_instrumental else None

    def _always(self) -> dict[str, object]:
        return {"task": "infill"}


class Stems(Body, frozen=True):
    """The tracks of a song, each as a clip: ``Stems(song.id)`` for voice and rest, ``stem_task="twelve"`` for all.

    deerapi bills twelve five times as high. ``task`` (``gen_stem``), ``make_instrumental``, ``stem_type_id`` (91) and
    ``stem_type_group_name`` are always sent as gpt-best and suno.com have them. Stock new-api drops all of these but
    ``make_instrumental`` without a word (dto/suno.go), and is left with a clip to continue.
    """

    continue_clip_id: str
    """The ``Song.id`` to take apart."""
    stem_task: Literal["two", "twelve"] = "two"
    """How many tracks. Stock new-api drops it without a word."""
    task_id: str = ""
    """The task that made the clip; cometapi and deerapi want it."""
    title: str = ""
    mv: str = "chirp-auk"
    """The model; gpt-best asks for this one. It is always sent."""
    notify_hook: str = ""
    """Stock new-api drops it without a word."""

    needed: ClassVar[tuple[str, ...]] = ("continue_clip_id",)

    def _always(self) -> dict[str, object]:
        return {
            "mv": self.mv,
            "task": "gen_stem",
            "make_instrumental": True,
            "stem_type_id": 91,
            "stem_type_group_name": self.stem_task.capitalize(),
            "stem_task": self.stem_task,
        }
