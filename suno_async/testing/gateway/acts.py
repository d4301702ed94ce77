"""The acts of a private build: what can be made of a clip that is there, and asked about it."""

import math
from random import Random
from typing import Any

import msgspec

from . import audio, names
from .alignment import timing
from .answers import Answer, RefusalError, success
from .desk import Desk
from .library import Clip, Library
from .orders import refused, stems_of
from .rows import Row
from .songs import Order, Recipe
from .submissions import Ask

MAKING = {"wav": 10.0, "mp4": 15.0, "midi": 20.0, "timing": 5.0, "stems": 60.0}  # seconds, give or take a half
WAITING = {"status": "processing"}
NOTE = audio.NOTE_SAMPLES / audio.RATE  # seconds
MOODS = ("warm analog synths", "tight drums", "close vocals", "wide reverb", "a driving bass line", "soft strings")


class Acts:
    """Answers as the documents of GB, YW and apiai show them: bare JSON, without the envelope."""

    def __init__(self, desk: Desk, library: Library, seed: object) -> None:
        self._desk, self._library, self._seed = desk, library, seed
        self._ready: dict[tuple[str, str], float] = {}  # when what was asked for will be there
        self._tasks: dict[str, str] = {}  # the tasks that make a wav, by clip
        self._stems: dict[str, Row] = {}
        self._ids = Random(f"{seed}/acts")

    async def wav(self, ask: Ask) -> Answer:
        """The URL of the clip as WAV; a task's id to act_as_task (K4U).

        No document shows what comes until it has been made: here it is what they show for stems.
        """
        clip = self._clip(ask)
        found = {"wav_file_url": f"{self._desk.encoder.url}/audio/{clip.id}.wav"}
        if clip.id not in self._tasks and self._desk.faults.first(("act_as_task",)):
            recipe = Recipe(kind="wav", parts=(), source=clip.id, result=found)
            order = Order(action="WAV", price=0, account=ask.account, recipe=recipe)
            self._tasks[clip.id] = self._desk.take(order, ask.key, ask.origin)[0]
        if clip.id in self._tasks:
            return success(msgspec.json.encode(self._tasks[clip.id]))
        return plain(found if self._made("wav", clip) else WAITING)

    async def mp4(self, ask: Ask) -> Answer:
        """The URL of the clip as a film."""
        clip = self._clip(ask)
        found = {"mp4": f"{self._desk.encoder.url}/video/{clip.id}.mp4"}
        return plain(found if self._made("mp4", clip) else WAITING)

    async def midi(self, ask: Ask) -> Answer:
        """The notes of the clip: those of the file behind it."""
        clip = self._clip(ask)
        if not self._made("midi", clip):
            return plain({"state": "running"})
        return plain({"state": "complete", "instruments": [{"name": "Lead", "notes": notes(clip.id)}]})

    async def timing(self, ask: Ask) -> Answer:
        """When each word is sung; task_not_exist until that is known."""
        clip = self._clip(ask)
        if not self._made("timing", clip):
            raise RefusalError(400, "task_not_exist", "task_not_exist")
        return plain(timing(clip.id, clip.words, clip.length))

    async def stems(self, ask: Ask) -> Answer:
        """Vocals and the rest, as two clips more."""
        clip = self._clip(ask)
        if not self._made("stems", clip):
            return plain(WAITING)
        if clip.id not in self._stems:
            fields = {"make_instrumental": True}  # as gen_stem is asked with
            recipe = msgspec.structs.replace(stems_of(clip, "two"), source=clip.id, fields=fields)
            order = Order(title=clip.shown.get("title", ""), price=0, account=ask.account, recipe=recipe)
            self._stems[clip.id] = plant(self._desk, order)
        return plain({"clips": self._desk.encoder.columns(self._stems[clip.id])["data"]})

    async def tags(self, ask: Ask) -> Answer:
        """A style in more words."""
        asked = ask.fields("original_tags")["original_tags"]
        dice = Random(f"{self._seed}/{asked}")
        more = ", ".join([asked, *dice.sample(MOODS, 3)])
        return plain({"upsampled_tags": more, "request_id": names.uuid_text(self._ids.randbytes(16))})

    async def persona(self, ask: Ask) -> Answer:
        """A singer, made of a clip; every field is needed."""
        asked = ask.fields("root_clip_id", "name", description=str, clips=list, is_public=bool)
        root = self._library.get(asked["root_clip_id"], ask.account)
        clips = [self._library.get(str(clip_id), ask.account).shown for clip_id in asked.pop("clips")]
        made = {
            "id": names.uuid_text(self._ids.randbytes(16)),
            **asked,
            "clip": root.shown,
            "persona_clips": [{"clip": clip, "id": number} for number, clip in enumerate(clips, 1)],
        }
        self._library.add_persona(ask.account, made)
        return plain(made)

    async def feed(self, ask: Ask) -> Answer:
        """The clips that are known, in the order asked: a bare list (GB, YW, aiznt)."""
        found = (self._library.find(clip_id, ask.account) for clip_id in ask.parts["clip_ids"].split(","))
        shown = [clip.shown for clip in found if clip is not None]
        if not shown:
            raise refused("clip not found")
        return plain(shown)

    def _clip(self, ask: Ask) -> Clip:
        return self._library.get(ask.parts["clip_id"], ask.account)

    def _made(self, act: str, clip: Clip) -> bool:
        """Whether it is there; the first question about a complete clip sets it going."""
        if not clip.complete:
            return False
        now, dice = self._desk.clock.now(), Random(f"{self._seed}/{act}/{clip.id}")
        return now >= self._ready.setdefault((act, clip.id), now + MAKING[act] * dice.uniform(0.5, 1.5))


def plain(found: Any) -> Answer:
    """What was found, without an envelope."""
    return Answer(200, msgspec.json.encode(found))


def plant(desk: Desk, order: Order) -> Row:
    """A task that is done already, and cost nothing."""
    row = desk.new_rows(order, 1, 0.0)[0]
    row.status = "SUCCESS"
    desk.table.plant(row)
    return row


def notes(clip_id: str) -> list[dict[str, Any]]:
    """The tune behind a clip as MIDI pitches; 69 is the A of 440 Hz."""
    root, steps = audio.tune(clip_id)
    lowest = round(69 + 12 * math.log2(root / 440.0))
    return [
        {
            "pitch": lowest + step,
            "start": round(place * NOTE, 3),
            "end": round((place + 1) * NOTE, 3),
            "velocity": 0.75,
        }
        for place, step in enumerate(steps)
    ]
