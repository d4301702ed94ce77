"""The endpoints: what each gives, whatever way the gateway tells it, and what each refuses before any request."""

import json

import pytest
from quick import CLIP, MP3, OTHER, WAV, bodies, serving, to
from wire import Wire, answer

from suno_async import (
    ConfigurationError,
    GatewayUnavailable,
    RequestRejected,
    Song,
    SubmitUnknown,
    WaitTimeout,
)

WORDS = {"aligned_words": [{"word": "Hello ", "success": True, "start_s": 1.0, "end_s": 1.5, "p_align": 0.9}]}
PAGE = answer(b"<!doctype html><html></html>", headers={"Content-Type": "text/html"})
NO_CHANNEL = answer({"error": {"code": "model_not_found", "message": "No available channel", "type": "x"}}, 503)


@pytest.fixture
def anyio_backend():
    """Real sockets, real time."""
    return "asyncio"


@pytest.mark.parametrize(
    ("verb", "path", "said", "expected"),
    [
        ("wav", "/suno/act/wav/c1", WAV, WAV["wav_file_url"]),
        ("wav", "/suno/act/wav/c1", {"code": "success", "data": WAV}, WAV["wav_file_url"]),
        ("mp4", "/suno/act/mp4/c1", {"mp4": "https://cdn1.suno.ai/c1.mp4"}, "https://cdn1.suno.ai/c1.mp4"),
    ],
)
async def test_an_address_comes_in_one_request(verb, path, said, expected):
    """Bare or in an envelope: the caller sees one thing."""
    async with serving({path: said}) as wire, to(wire) as suno:
        assert await getattr(suno, verb)("c1") == expected
        assert wire.asked == 1
        assert wire.calls[0].method == "GET"


async def test_timing_is_asked_for_until_it_is_there():
    """A gateway that still listens says task_not_exist."""
    not_yet = answer({"code": "task_not_exist", "message": "task_not_exist", "data": None}, 400)
    async with serving({"/suno/act/timing/c1": not_yet}) as wire, to(wire) as suno:
        with pytest.raises(WaitTimeout, match="/suno/act/timing/c1"):
            await suno.timing("c1", timeout=0.2)
    async with serving({"/suno/act/timing/c1": WORDS}) as wire, to(wire) as suno:
        timing = await suno.timing("c1")
        assert [(word.start_s, word.end_s) for word in timing.words] == [(1.0, 1.5)]
        assert "Hello" in timing.lrc()


async def test_midi_and_stems():
    """Notes by instrument, and songs of their own."""
    notes = {"name": "bass", "notes": [{"pitch": 40, "start": 0.5, "end": 1.0, "velocity": 0.8}]}
    table = {
        "/suno/act/midi/c1": {"state": "complete", "instruments": [notes]},
        "/suno/act/stems/c1": {"clips": [CLIP | {"title": "A - Vocals"}, OTHER | {"title": "A - Instrumental"}]},
    }
    async with serving(table) as wire, to(wire) as suno:
        midi = await suno.midi("c1")
        assert (midi.instruments[0].name, midi.instruments[0].notes[0].pitch) == ("bass", 40)
        assert [song.title for song in await suno.stems("c1")] == ["A - Vocals", "A - Instrumental"]


@pytest.mark.parametrize(
    "said", [[[OTHER, CLIP]], {"clips": [OTHER, CLIP]}, {"code": "success", "data": [OTHER, CLIP]}]
)
async def test_feed_keeps_the_order_asked(said):
    """Each id once; None for what the gateway left out."""
    async with serving({"/suno/feed/c1,nobody,c2": said}) as wire, to(wire) as suno:
        found = await suno.feed(["c1", "nobody", "c2", "c1"])
        assert list(found) == ["c1", "nobody", "c2"]
        assert found["nobody"] is None
        assert isinstance(found["c1"], Song)
        assert found["c2"].title == "B"


async def test_feed_of_nothing_asks_nothing():
    """An empty result."""
    async with serving({}) as wire, to(wire) as suno:
        assert await suno.feed([]) == {}
        assert wire.asked == 0


async def test_tags_and_personas_are_sent_once():
    """With the wire's own field names."""
    table = {
        "/suno/act/tags": {"upsampled_tags": "dark, slow", "request_id": "r"},
        "/suno/persona/create/": {"id": "p1", "name": "Ann", "root_clip_id": "c1"},
    }
    async with serving(table) as wire, to(wire) as suno:
        assert await suno.upsample_tags("dark") == "dark, slow"
        persona = await suno.create_persona("c1", name="Ann", description="low voice")
        assert (persona.id, persona.name) == ("p1", "Ann")
        assert bodies(wire) == [
            {"original_tags": "dark"},
            {"root_clip_id": "c1", "name": "Ann", "description": "low voice", "clips": ["c1"], "is_public": False},
        ]


async def test_a_persona_of_which_nobody_can_tell_is_unknown():
    """The connection is lost after it was sent: it is not made twice."""

    async def lost(call):
        call.fin()

    async with Wire(lost) as wire, to(wire) as suno:
        with pytest.raises(SubmitUnknown) as caught:
            await suno.create_persona("c1", name="Ann")
        assert b'"Ann"' in caught.value.intent.body
        assert wire.asked == 1


# uploads


# what a gateway does not have, and what cannot be asked


VERBS = {
    "wav": lambda suno: suno.wav("c1"),
    "mp4": lambda suno: suno.mp4("c1"),
    "midi": lambda suno: suno.midi("c1"),
    "timing": lambda suno: suno.timing("c1"),
    "stems": lambda suno: suno.stems("c1"),
    "feed": lambda suno: suno.feed(["c1"]),
    "upsample_tags": lambda suno: suno.upsample_tags("dark"),
    "create_persona": lambda suno: suno.create_persona("c1", name="Ann"),
    "upload": lambda suno: suno.upload("https://example.com/a.mp3"),
    "upload of bytes": lambda suno: suno.upload(MP3),
    "balance": lambda suno: suno.balance(),
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (NO_CHANNEL, GatewayUnavailable),
        (PAGE, ConfigurationError),
        (answer({"code": "invalid_request", "message": "no", "data": None}, 400), RequestRejected),
        (answer({"error": {"message": "Invalid URL", "type": "invalid_request_error"}}, 404), RequestRejected),
    ],
    ids=["no channel", "a page", "400", "404"],
)
async def test_an_endpoint_that_is_not_there_says_which(verb, said, kind):
    """Which gateway, which path, and what it answered."""
    async with Wire(said) as wire, to(wire) as suno:
        with pytest.raises(kind) as caught:
            await VERBS[verb](suno)
        assert "127.0.0.1" in str(caught.value)
        assert wire.calls[0].path in str(caught.value)
        assert wire.asked == 1


@pytest.mark.parametrize("verb", VERBS)
async def test_a_client_that_is_not_open_asks_nothing(verb):
    """It says so."""
    async with Wire(PAGE) as wire:
        with pytest.raises(ConfigurationError, match="not open"):
            await VERBS[verb](to(wire))
        assert wire.asked == 0


@pytest.mark.parametrize("clip", ["", "a/b", "..", "a b", None, 7, "x" * 200])
async def test_what_is_no_clip_id_is_refused(clip):
    """Before any request."""
    async with Wire(PAGE) as wire, to(wire) as suno:
        for ask in (suno.wav, suno.stems, suno.timing):
            with pytest.raises(ConfigurationError, match="no clip id"):
                await ask(clip)
        with pytest.raises(ConfigurationError, match="no clip id"):
            await suno.feed([clip])
        assert wire.asked == 0


async def test_other_arguments_are_checked_too():
    """Each names itself."""
    async with Wire(PAGE) as wire, to(wire) as suno:
        for call, why in [
            (suno.feed("c1"), "clip ids"),
            (suno.feed(7), "clip ids"),
            (suno.upsample_tags(" "), "text"),
            (suno.upsample_tags("\ud800"), "surrogate"),
            (suno.create_persona("c1", name=""), "name"),
            (suno.create_persona("c1", name="Ann", description=None), "description"),
            (suno.create_persona("c1", name="Ann", is_public="false"), "is_public must be True or False"),
            (suno.create_persona("c1", name="Ann", is_public=None), "is_public must be True or False"),
            (suno.create_persona("c1", name="Ann", is_public=object()), "is_public must be True or False"),
            (suno.wav("c1", timeout=0), "timeout"),
            (suno.wav("c1", timeout="soon"), "timeout"),
        ]:
            with pytest.raises(ConfigurationError, match=why):
                await call
        assert wire.asked == 0


async def test_chat_is_read_as_it_comes():
    """The prompt goes out as OpenAI's clients send it, once, and the songs are those of the text."""
    said = [{"choices": [{"delta": {"content": text}}]} for text in ("a song: ", "https://cdn1.suno.ai/c1.mp3")]
    events = b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in said) + b"data: [DONE]\n\n"
    stream = answer(events, headers={"Content-Type": "text/event-stream"})
    async with serving({"/v1/chat/completions": stream}) as wire, to(wire) as suno:
        chat = suno.chat("a song about a cat")
        assert wire.asked == 0
        assert "".join([piece async for piece in chat]) == chat.text == "a song: https://cdn1.suno.ai/c1.mp3"
        assert [song.audio_url for song in chat.songs] == ["https://cdn1.suno.ai/c1.mp3"]
        assert (await suno.chat("another", model="suno-v3.5")).songs == chat.songs
        assert [body["model"] for body in bodies(wire)] == ["suno-v3", "suno-v3.5"]


async def test_a_chat_that_cannot_be_is_refused_before_any_request():
    """Its prompt, its model, its timeout."""
    async with serving({}) as wire, to(wire) as suno:
        for more in ({"prompt": " "}, {"prompt": "x", "model": ""}, {"prompt": "x", "timeout": 0}):
            with pytest.raises(ConfigurationError):
                suno.chat(**more)
        assert wire.asked == 0
