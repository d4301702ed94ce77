"""The orders of a private build: songs from songs, stems, whole songs; it checks what it is asked for."""

from collections.abc import Callable
from typing import Any

import msgspec

from .answers import RefusalError
from .keys import TWELVE, Key
from .library import Clip, Library
from .songs import Order, Recipe
from .submissions import PRIVATE_FIELDS, read_order, read_submission

STEMS = {
    "two": ("Vocals", "Instrumental"),
    "twelve": (
        "Vocals",
        "Backing Vocals",
        "Drums",
        "Bass",
        "Guitar",
        "Keyboard",
        "Percussion",
        "Strings",
        "Synth",
        "Other",
        "Brass",
        "Woodwinds",
    ),
}
WHOLE = ("",)  # one clip, with its plain title
Source = tuple[Recipe, Clip | None]


class Orders:
    """Reads submissions as private builds do: every field is kept, every clip and persona must exist."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._tasks: dict[str, Callable[[dict[str, Any], int], Source]] = {
            "": self._song,
            "generate": self._song,
            "extend": self._extension,
            "upload_extend": self._upload_extension,
            "cover": self._cover,
            "infill": self._section,
            "artist_consistency": self._persona_song,
            "gen_stem": self._stems,
        }

    def read(self, action: str, body: bytes, key: Key) -> Order:
        """The order of a submission.

        Raises:
            RefusalError: 400 invalid_request: no such JSON, no such clip, persona or task, a place outside of a clip.
        """
        return self.order(action, read_submission(body, PRIVATE_FIELDS, keep=True), key)

    def order(self, action: str, asked: dict[str, Any], key: Key) -> Order:
        """The order of a submission that has been read; RefusalError as for ``read``."""
        order = read_order(action, asked, key)
        if action == "LYRICS":
            return msgspec.structs.replace(order, recipe=Recipe(fields=asked))
        recipe, source = self._concat(asked, key.account) if action == "CONCAT" else self._task(asked, key.account)
        recipe = msgspec.structs.replace(recipe, fields=asked)
        if source is None:
            return msgspec.structs.replace(order, recipe=recipe)
        return msgspec.structs.replace(
            order,
            recipe=msgspec.structs.replace(recipe, source=source.id),
            title=order.title or source.shown.get("title", ""),
            tags=order.tags or source.metadata.get("tags"),
            prompt=order.prompt or source.words,
            price=order.price * (TWELVE if len(recipe.parts) == len(STEMS["twelve"]) else 1),
        )

    def _task(self, asked: dict[str, Any], account: int) -> Source:
        """What ``task`` makes; a continuation needs none."""
        task = asked.get("task", "") or ("extend" if asked.get("continue_clip_id") else "")
        make = self._tasks.get(task)
        if make is None:
            raise refused(f"task {task} is not supported")
        return make(asked, account)

    def _song(self, _asked: dict[str, Any], _account: int) -> Source:
        return Recipe(), None

    def _extension(self, asked: dict[str, Any], account: int) -> Source:
        """As long as what is kept of the source, and a new part."""
        source = self._source(asked, "continue_clip_id", account)
        at = asked.get("continue_at", source.length)
        if not 0 <= at <= source.length:
            raise refused(f"continue_at is outside of the clip, which has {source.length:g} seconds")
        return Recipe(kind="extend", head=float(at)), source

    def _upload_extension(self, asked: dict[str, Any], account: int) -> Source:
        recipe, source = self._extension(asked, account)
        if source is None or kind_of(source) != "upload":
            raise refused("continue_clip_id is no uploaded clip")
        return msgspec.structs.replace(recipe, kind="upload_extend"), source

    def _cover(self, asked: dict[str, Any], account: int) -> Source:
        source = self._source(asked, "cover_clip_id", account)
        return Recipe(kind="cover", length=source.length), source

    def _section(self, asked: dict[str, Any], account: int) -> Source:
        """The new section alone; concat puts it into its place."""
        source = self._source(asked, "continue_clip_id", account)
        start, end = asked.get("infill_start_s"), asked.get("infill_end_s")
        if start is None or end is None or not 0 <= start < end <= source.length:
            raise refused(f"infill_start_s and infill_end_s lie in order within {source.length:g} seconds")
        return Recipe(kind="infill", length=round(float(end - start), 3)), source

    def _persona_song(self, asked: dict[str, Any], account: int) -> Source:
        self._library.persona(asked.get("persona_id", ""), account)
        if asked.get("artist_clip_id"):
            self._source(asked, "artist_clip_id", account)
        return Recipe(kind="artist_consistency"), None

    def _stems(self, asked: dict[str, Any], account: int) -> Source:
        source = self._source(asked, "continue_clip_id", account)
        which = (asked.get("stem_task") or asked.get("stem_type_group_name") or "two").lower()
        if which not in STEMS:
            raise refused(f"stem_task {which} is not supported")
        return stems_of(source, which), source

    def _concat(self, asked: dict[str, Any], account: int) -> Source:
        """The whole song: a continuation and what it continues, one after the other; or a section put back."""
        clip = self._source(asked, "clip_id", account)
        kind, recipe = kind_of(clip), clip.row.order.recipe
        if recipe is None or kind not in {"extend", "upload_extend", "infill"}:
            raise refused("clip_id is no continuation")
        if asked.get("is_infill", False) != (kind == "infill"):
            raise refused(f"is_infill does not go with a clip of {kind}")
        source = self._library.get(recipe.source, account)
        length = source.length if kind == "infill" else round(source.length + clip.length, 3)
        return Recipe(kind="concat", parts=WHOLE, length=length), clip

    def _source(self, asked: dict[str, Any], field: str, account: int) -> Clip:
        if not asked.get(field):
            raise refused(f"{field} is empty")
        return self._library.get(asked[field], account)


def stems_of(source: Clip, which: str) -> Recipe:
    """The recipe of two or twelve stems, each as long as the song."""
    return Recipe(kind="gen_stem", parts=tuple(f" - {name}" for name in STEMS[which]), length=source.length)


def kind_of(clip: Clip) -> str:
    """How a clip came about."""
    recipe = clip.row.order.recipe
    return "gen" if recipe is None else recipe.kind


def refused(why: str) -> RefusalError:
    """400, and why."""
    return RefusalError(400, "invalid_request", why)
