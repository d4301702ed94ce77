"""The upstream that makes the songs: how long each takes, whether it fails, and what its clips look like."""

import math
from random import Random
from typing import Any

from msgspec import Struct

from .keys import Key
from .names import digest, title, uuid_text, verse

LYRICS_MEDIAN = 12.0  # seconds
SHORT = frozenset({"LYRICS", "UPLOAD", "WAV"})  # what takes about as long as lyrics
REASONS = (
    "Song Description contained artist name: the band",
    "Unable to generate lyrics from song description",
    "Lyrics matches an existing recording",
    "moderation_failure: prompt was flagged",
    "time out",
)


class Recipe(Struct, frozen=True, kw_only=True, gc=False):
    """How a private build makes what an order asks for; a stock one knows of one way only, and has none."""

    kind: str = "gen"
    fields: dict[str, Any] = {}  # everything that was asked for
    parts: tuple[str, ...] = ("", "")  # one clip for each; its title ends with the words
    source: str = ""  # the clip it is made from
    head: float = 0.0  # seconds taken over from the source
    length: float | None = None  # of every clip; None: the head, and a new part whose length follows from its id
    url: str = ""  # where the audio is, unless that follows from the clip's id
    result: dict[str, Any] | None = None  # what a task ends in that makes no clips


class Order(Struct, frozen=True, kw_only=True, gc=False):
    """What was asked for, by which key, at which price."""

    action: str = "MUSIC"
    title: str = ""
    tags: str | None = None
    prompt: str = ""
    model: str = "chirp-v3-0"
    price: int = 50_000
    account: int = 1
    key: Key | None = None
    recipe: Recipe | None = None


class Plan(Struct, frozen=True, gc=False):
    """What will become of a task: seconds until it streams and until it ends, and why it fails ("": it does not)."""

    starts: float
    ends: float
    reason: str = ""


class Songs:
    """Plans for tasks: log-normal lengths, some early failures."""

    def __init__(self, rng: Random, *, median: float, sigma: float, failure_rate: float) -> None:
        self._rng = rng
        self._median, self._sigma, self._failure_rate = median, sigma, failure_rate

    def plan(self, action: str) -> Plan:
        """The fate of one task; every plan takes the same number of dice, so that one does not move the next."""
        chance, early, shape = self._rng.random(), self._rng.random(), self._rng.gauss()
        factor = math.exp(self._sigma * shape)
        if chance < self._failure_rate:
            starts = 1.0 + 2.0 * early
            reason = REASONS[int(early * 1e6) % len(REASONS)]
            return Plan(starts, starts + 3.0 + 17.0 * early, reason)
        if action in SHORT:
            return Plan(1.0, 1.0 + LYRICS_MEDIAN * factor)
        ends = self._median * factor
        return Plan(ends * (0.25 + 0.1 * early), ends)


def clips(order: Order, task_id: str, url: str, *, complete: bool) -> list[dict[str, Any]]:
    """Both clips of a song, streaming or complete; they follow from its task's id."""
    song = song_of(order, task_id)
    return [clip(song, clip_id, url, complete=complete) for clip_id in clip_ids(task_id, 2)]


def song_of(order: Order, task_id: str) -> dict[str, str | None]:
    """Title, style, words and model; what was not asked for is made up."""
    chance = digest(task_id, 48)
    return {
        "title": order.title or title(chance),
        "tags": order.tags,
        "prompt": order.prompt or verse(chance),
        "model": order.model,
    }


def clip_ids(task_id: str, count: int) -> list[str]:
    """The ids of a task's clips."""
    chance = digest(task_id, 48)
    ids = [uuid_text(chance[16:32]), uuid_text(chance[32:])]
    ids += [uuid_text(digest(f"{task_id}/{place}", 16)) for place in range(2, count)]
    return ids[:count]


def lyrics(order: Order, task_id: str) -> dict[str, Any]:
    """Finished lyrics."""
    chance = digest(task_id, 16)
    text = verse(chance)
    return {"id": uuid_text(chance), "text": text, "title": order.title or title(chance), "status": "complete"}


def clip(song: dict[str, str | None], clip_id: str, url: str, *, complete: bool) -> dict[str, Any]:
    """One clip as stock gateways show it."""
    duration = claimed_length(clip_id) if complete else None
    return {
        "id": clip_id,
        "title": song["title"],
        "status": "complete" if complete else "streaming",
        "audio_url": f"{url}/audio/{clip_id}.wav" if complete else f"{url}/audiopipe/?item_id={clip_id}",
        "video_url": "",
        "image_url": f"{url}/image/{clip_id}.svg",
        "metadata": {"duration": duration, "tags": song["tags"], "prompt": song["prompt"]},
        "model_name": song["model"],
    }


def claimed_length(clip_id: str) -> float:
    """The song's length as the wire tells it: 60 to 240 s. The file behind its URL is shorter."""
    return 60.0 + int(clip_id[:4], 16) % 1800 / 10.0
