"""The clips of a private build: what it shows of each, stems, covers and uploads included."""

from typing import Any

from .songs import Order, Recipe, claimed_length, clip, clip_ids, song_of

SHOWN_ELSEWHERE = frozenset({"prompt", "tags", "title", "mv", "metadata", "notify_hook"})


def ids_of(order: Order, task_id: str) -> list[str]:
    """The ids of the clips that a task makes, as many as there are."""
    if order.action == "LYRICS":
        return []
    return clip_ids(task_id, 2 if order.recipe is None else len(order.recipe.parts))


def length_of(order: Order, clip_id: str) -> float:
    """The length of one of its clips, in seconds."""
    recipe = order.recipe
    if recipe is None:
        return claimed_length(clip_id)
    return round(recipe.head + claimed_length(clip_id), 3) if recipe.length is None else recipe.length


def made(order: Order, task_id: str, url: str, *, complete: bool) -> list[dict[str, Any]]:
    """All clips of a task, streaming or complete; they follow from its id and its recipe."""
    recipe = order.recipe or Recipe()
    song = song_of(order, task_id)
    if recipe.fields.get("make_instrumental"):
        song["prompt"] = ""
    clips = []
    for clip_id, part in zip(clip_ids(task_id, len(recipe.parts)), recipe.parts, strict=True):
        named = {**song, "title": f"{song['title']}{part}"}
        shown = clip(named, clip_id, url, complete=complete)
        clips.append(shown | _private(shown, order, recipe, url))
    return clips


def _private(shown: dict[str, Any], order: Order, recipe: Recipe, url: str) -> dict[str, Any]:
    """What a private build shows of a clip that stock ones do not (as E1 of aiznt, GB)."""
    complete = shown["status"] == "complete"
    duration = length_of(order, shown["id"]) if complete else None
    kept = {name: value for name, value in recipe.fields.items() if name not in SHOWN_ELSEWHERE}
    asked = {"gpt_description_prompt": None, "audio_prompt_id": recipe.source or None}
    wrong = {"error_type": None, "error_message": None}
    told = {**shown["metadata"], "duration": duration, "type": recipe.kind}
    return {
        "clip_id": shown["id"],
        "state": "succeeded" if complete else "running",
        "duration": duration,
        "tags": told["tags"],
        "prompt": told["prompt"],
        "audio_url": recipe.url if complete and recipe.url else shown["audio_url"],
        "video_url": f"{url}/video/{shown['id']}.mp4" if complete else "",
        "metadata": {**asked, **wrong, **recipe.fields.get("metadata", {}), **kept, **told},
    }
