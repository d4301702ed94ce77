"""The upstream that makes the songs: how long each takes, whether it fails, and what its clips look like."""

import math
from random import Random
from typing import Any

from msgspec import Struct

from .keys import Key
from .names import digest, title, uuid_text, verse

LYRICS_MEDIAN = 12.0  # seconds
REASONS = (
    "Song Description contained artist name: the band",
    "Unable to generate lyrics from song description",
    "Lyrics matches an existing recording",
    "moderation_failure: prompt was flagged",
    "time out",
)


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
        if action == "LYRICS":
            return Plan(1.0, 1.0 + LYRICS_MEDIAN * factor)
        ends = self._median * factor
        return Plan(ends * (0.25 + 0.1 * early), ends)


def clips(order: Order, task_id: str, url: str, *, complete: bool) -> list[dict[str, Any]]:
    """Both clips of a song, streaming or complete; they follow from its task's id."""
    chance = digest(task_id, 48)
    song = {
        "title": order.title or title(chance),
        "tags": order.tags,
        "prompt": order.prompt or verse(chance),
        "model": order.model,
    }
    return [_clip(song, uuid_text(half), url, complete=complete) for half in (chance[16:32], chance[32:])]


def lyrics(order: Order, task_id: str) -> dict[str, Any]:
    """Finished lyrics."""
    chance = digest(task_id, 16)
    text = verse(chance)
    return {"id": uuid_text(chance), "text": text, "title": order.title or title(chance), "status": "complete"}


def _clip(song: dict[str, str | None], clip_id: str, url: str, *, complete: bool) -> dict[str, Any]:
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
