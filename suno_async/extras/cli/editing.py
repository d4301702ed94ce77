"""The commands that submit what is made from a clip."""

from typing import Annotated, Literal

from cyclopts import App, Parameter

from ...protocol.requests import Concat, Cover, Extend, PersonaSong, ReplaceSection, Stems
from .configuration import JOURNALED, Journaled
from .sending import NOTHING, After, send
from .styling import REWORK, Hook, Owner, Rework, Title, Words
from .words import read_text

Clip = Annotated[str, Parameter(help="The id of the song, or of the clip you have uploaded.")]


def extend(
    *,
    continue_clip_id: Clip,
    continue_at: Annotated[float, Parameter(help="Where to go on.", metavar="SECONDS")],
    upload: Annotated[bool, Parameter(help="The clip is one you have uploaded.", show_default=False)] = False,
    rework: Rework = REWORK,
    after: After = NOTHING,
    options: Journaled = JOURNALED,
) -> int:
    """The continuation of a song."""
    task: Literal["extend", "upload_extend"] = "upload_extend" if upload else "extend"
    return send(lambda: Extend(continue_clip_id, continue_at, task=task, **rework.fields), after, options)


def concat(
    clip_id: Annotated[str, Parameter(help="The id of the last part.")],
    *,
    is_infill: Annotated[bool, Parameter(help="The part is a section that was replaced.", show_default=False)] = False,
    after: After = NOTHING,
    options: Journaled = JOURNALED,
) -> int:
    """The whole song, out of a continuation or a replaced section."""
    return send(lambda: Concat(clip_id, is_infill), after, options)


def cover(
    cover_clip_id: Clip, *, rework: Rework = REWORK, after: After = NOTHING, options: Journaled = JOURNALED
) -> int:
    """The same song in another style."""
    return send(lambda: Cover(cover_clip_id, **rework.fields), after, options)


def replace(
    continue_clip_id: Clip,
    *,
    infill_start_s: Annotated[float, Parameter(help="Where the section begins.", metavar="SECONDS")],
    infill_end_s: Annotated[float, Parameter(help="Where it ends.", metavar="SECONDS")],
    continued_aligned_prompt: Words = "",
    rework: Rework = REWORK,
    after: After = NOTHING,
    options: Journaled = JOURNALED,
) -> int:
    """A section of a song with other words; concat --is-infill makes the whole song of it."""
    section, aligned = (continue_clip_id, infill_start_s, infill_end_s), read_text(continued_aligned_prompt)

    def make() -> ReplaceSection:
        return ReplaceSection(*section, continued_aligned_prompt=aligned, **rework.fields)

    return send(make, after, options)


def persona(
    persona_id: Annotated[str, Parameter(help="The id of the persona.")],
    *,
    artist_clip_id: Annotated[str, Parameter(help="The id of the song it was made from.")],
    rework: Rework = REWORK,
    after: After = NOTHING,
    options: Journaled = JOURNALED,
) -> int:
    """A song in the voice of another one."""
    return send(lambda: PersonaSong(persona_id, artist_clip_id, **rework.fields), after, options)


def stems(
    continue_clip_id: Clip,
    *,
    stem_task: Annotated[
        Literal["two", "twelve"], Parameter(help="How many tracks; twelve may cost five times as much.")
    ] = "two",
    task_id: Owner = "",
    title: Title = "",
    mv: Annotated[str, Parameter(help="The model that takes it apart.")] = "chirp-auk",
    notify_hook: Hook = "",
    after: After = NOTHING,
    options: Journaled = JOURNALED,
) -> int:
    """The tracks of a song, each as a clip of its own."""
    return send(lambda: Stems(continue_clip_id, stem_task, task_id, title, mv, notify_hook), after, options)


def add_edits(submit: App) -> None:
    """Every edit becomes a command of ``submit``."""
    for edit in (extend, concat, cover, replace, persona, stems):
        submit.command(edit)
