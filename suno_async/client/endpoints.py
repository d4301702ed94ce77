"""The endpoints: everything a gateway can be asked for beside its tasks.

They belong to private gateways; a stock one has none of them but ``balance()``. What a gateway answers as a task is
waited for, what is still being made is asked for again, and what comes at once is returned at once.
"""

import os
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import msgspec

from ..protocol.inputs import check_seconds
from ..protocol.models import Song
from .arguments import check_clip_id, check_clips, check_switch, check_text

if TYPE_CHECKING:
    from ..protocol.balance import Balance
    from ..protocol.materials import Midi, Persona
    from ..protocol.timing import Timing
    from .chat import Chat
    from .enquiry import Enquiry
    from .runtime import Runtime

TIMEOUT = 600.0
_encode = msgspec.json.encode


class Endpoints:
    """What an open client can ask a gateway for beside its tasks; a part of ``Suno``.

    Each raises, where the gateway has no such endpoint: RequestRejected with its "no", or GatewayUnavailable where it
    has no channel for it; ConfigurationError where nothing there has ever answered as a gateway does. All of them name
    the gateway, the path and the answer. `Later` answers are asked again until ``timeout`` seconds are over: then
    WaitTimeout, and to ask again goes on where this stopped.
    """

    _runtime: "Runtime"
    _base: str

    # songs

    async def feed(self, clip_ids: Collection[str], *, timeout: float = TIMEOUT) -> dict[str, Song | None]:
        """The songs of these clips as they are now, in the order asked; None for what the gateway does not know.

        ``GET /suno/feed/{ids}``, up to 50 ids in a request; a bare list (Suno's own shape), ``{"clips": [...]}`` or an
        envelope. Where one unknown id spoils the answer for all of them (gpt-best: "clip not found"), each is asked
        for by itself.
        """
        enquiry = self._enquiry(timeout)
        return await enquiry.feed(check_clips(clip_ids))

    async def stems(self, clip_id: str, *, timeout: float = TIMEOUT) -> tuple[Song, ...]:
        """A song taken apart: voice and instruments, each a song of its own.

        ``GET /suno/act/stems/{clip_id}``. Their ``audio_url`` may still be "": then ``feed`` of their ids tells it
        later. For two or twelve stems as a task that is paid for, submit ``Stems(...)``.
        """
        songs: tuple[Song, ...] = await self._enquiry(timeout).ask("stems", clip_id=check_clip_id(clip_id))
        return songs

    async def wav(self, clip_id: str, *, timeout: float = TIMEOUT) -> str:
        """The address of a song's WAV file.

        ``GET /suno/act/wav/{clip_id}``: the address (gpt-best, yunwu) or a task that ends with it (K4U).
        """
        url: str = await self._enquiry(timeout).ask("wav", clip_id=check_clip_id(clip_id))
        return url

    async def mp4(self, clip_id: str, *, timeout: float = TIMEOUT) -> str:
        """The address of a song's video: ``GET /suno/act/mp4/{clip_id}``."""
        url: str = await self._enquiry(timeout).ask("mp4", clip_id=check_clip_id(clip_id))
        return url

    async def midi(self, clip_id: str, *, timeout: float = TIMEOUT) -> "Midi":
        """A song's notes, instrument by instrument, in seconds from its start: ``GET /suno/act/midi/{clip_id}``."""
        midi: Midi = await self._enquiry(timeout).ask("midi", clip_id=check_clip_id(clip_id))
        return midi

    async def timing(self, clip_id: str, *, timeout: float = TIMEOUT) -> "Timing":
        """When each word of a song is sung, in seconds from its start; ``.lrc()`` and ``.srt()`` make files of it.

        ``GET /suno/act/timing/{clip_id}``. Gateways answer ``task_not_exist`` while they listen, and for clips that
        they do not know: so a wrong id ends with WaitTimeout.
        """
        timing: Timing = await self._enquiry(timeout).ask("timing", clip_id=check_clip_id(clip_id))
        return timing

    # what songs are made of

    async def upsample_tags(self, text: str, *, timeout: float = TIMEOUT) -> str:
        """A style in a few words made into a rich description: ``POST /suno/act/tags``."""
        enquiry = self._enquiry(timeout)
        tags: str = await enquiry.send("tags", _encode({"original_tags": check_text("text", text)}))
        return tags

    async def create_persona(
        self,
        root_clip_id: str,
        *,
        name: str,
        description: str = "",
        clips: Sequence[str] = (),
        is_public: bool = False,
        timeout: float = TIMEOUT,
    ) -> "Persona":
        """A singer made from a song, for ``PersonaSong(persona_id=...)``: ``POST /suno/persona/create/``.

        ``clips`` are further songs of the same voice; without them it is the one clip. Sent once: where nobody can
        tell whether it was made, SubmitUnknown.
        """
        enquiry = self._enquiry(timeout)
        fields = {
            "root_clip_id": check_clip_id(root_clip_id),
            "name": check_text("name", name),
            "description": check_text("description", description, empty=True),
            "clips": check_clips(clips) or [root_clip_id],
            "is_public": check_switch("is_public", is_public),
        }
        persona: Persona = await enquiry.send("persona", _encode(fields))
        return persona

    async def upload(
        self, source: str | os.PathLike[str] | bytes, *, filename: str | None = None, timeout: float = TIMEOUT
    ) -> str:
        """The id of the clip that audio has become: to extend, to cover, to take apart.

        ``source`` is an address (http, https), a file, or its bytes (at most 100 MiB; mp3, wav, flac, ogg, m4a).
        Addresses go to ``/suno/uploads/audio-url`` and come as a task. Files go where the gateway wants them, without
        the key: https and a public address, or the gateway's own host. Nothing is sent twice that could be charged
        twice; where nobody can tell, SubmitUnknown.
        """
        return await self._enquiry(timeout).upload(source, filename)

    # the account

    async def balance(self, *, timeout: float = 30.0) -> "Balance":
        """What the key may spend, has spent and has left, in the unit the gateway displays (dollars by default).

        ``GET /dashboard/billing/subscription`` and ``/usage``, which new-api answers to every key. Its operator
        chooses whether they speak of the key or of the whole account.
        """
        return await self._enquiry(timeout).balance()

    def chat(self, prompt: str, *, model: str = "suno-v3", timeout: float = TIMEOUT) -> "Chat":
        """A song by chatting: ``async for piece in chat`` gives its text as it streams, then ``chat.songs`` the songs.

        ``await chat`` reads it to its end. ``POST /v1/chat/completions``, as OpenAI's clients ask; sent once.
        """
        self._runtime.check_open()
        # as below: most callers only submit and wait
        from .chat import Chat  # noqa: PLC0415

        return Chat(self._runtime, check_text("prompt", prompt), model=check_text("model", model), timeout=timeout)

    def _enquiry(self, timeout: float) -> "Enquiry":
        self._runtime.check_open()
        # what reads all these answers is loaded only for those who ask
        from .enquiry import Enquiry  # noqa: PLC0415

        return Enquiry(self._runtime, self._base, check_seconds("timeout", timeout))
