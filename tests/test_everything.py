"""Everything a private gateway offers, from one end to the other: the client against the local gateway."""

import pytest

from suno_async import (
    Adaptive,
    Concat,
    ConfigurationError,
    Cover,
    Custom,
    Extend,
    GatewayUnavailable,
    Inspiration,
    Metadata,
    PersonaSong,
    ReplaceSection,
    RequestRejected,
    Scaled,
    Stems,
    Suno,
    SunoError,
    TaskFailed,
    WriteLyrics,
)
from suno_async.protocol.routes import ROUTES, Family
from suno_async.testing import Gateway

SPEED = 400
WORDS = "[Verse]\nGolden letters on the wall\nSilver rivers, hear them call\n\n[Chorus]\nStay with me"


@pytest.fixture
def anyio_backend():
    """Real sockets, real time."""
    return "asyncio"


@pytest.fixture
async def gateway():
    """A private one, quick, of which every song succeeds."""
    async with Gateway(profile="private", speed=SPEED, failure_rate=0, median=30) as opened:
        yield opened


@pytest.fixture
async def suno(gateway):
    """A client that looks as much quicker as the gateway is."""
    async with Suno(gateway.url, api_key=gateway.api_key, pace=Scaled(Adaptive(), SPEED)) as opened:
        yield opened


@pytest.fixture
async def song(suno):
    """A song with words that are known."""
    task = await suno.run(Custom(WORDS, tags="folk", title="Letters"), timeout=60)
    return task.songs[0]


async def test_every_scene_makes_songs(suno, song):
    """What is submitted of a song that is there has songs of its own."""
    persona = await suno.create_persona(song.id, name="Ann", description="low voice", timeout=60)
    scenes = [
        Inspiration("a song about a cat"),
        Inspiration("rain on a roof", make_instrumental=True),
        Custom(tags="piano", title="Rain", make_instrumental=True),
        Custom(WORDS, tags="folk", metadata=Metadata(vocal_gender="f", control_sliders={"style_weight": 0.5})),
        Extend(song.id, 30, prompt="and further on"),
        Cover(song.id, prompt=WORDS, tags="punk"),
        ReplaceSection(song.id, 5, 15, prompt="new words"),
        PersonaSong(persona.id, song.id, prompt=WORDS),
        Stems(song.id),
    ]
    jobs = [await suno.submit(scene) for scene in scenes]
    found = {task.task_id: task async for task in suno.as_completed([job.task_id for job in jobs], timeout=60)}
    counts = [len(found[job.task_id].songs) for job in jobs]
    assert counts == [2] * 9
    twelve = await suno.run(Stems(song.id, stem_task="twelve"), timeout=60)
    assert len(twelve.songs) == 12
    lyrics = await suno.run(WriteLyrics("a cat"), timeout=60)
    assert lyrics.lyrics is not None


async def test_a_continuation_is_joined_to_a_whole_song(suno, song):
    """Concat gives one song that is longer than what it began with."""
    more = await suno.run(Extend(song.id, 30, prompt="and further on"), timeout=60)
    whole = await suno.run(Concat(more.songs[0].id), timeout=60)
    assert len(whole.songs) == 1
    assert whole.songs[0].duration > song.duration


async def test_uploaded_audio_can_be_extended_covered_and_separated(suno, gateway, tmp_path):
    """By address and as a file: both are clips like any other afterwards."""
    wav = tmp_path / "mine.wav"
    first = await suno.run(Inspiration("a cat"), timeout=60)
    address = first.songs[0].audio_url
    wav.write_bytes(b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(4000))
    for clip_id in (await suno.upload(address, timeout=60), await suno.upload(wav, timeout=60)):
        extended = await suno.run(Extend(clip_id, 1, prompt="more", task="upload_extend"), timeout=60)
        covered = await suno.run(Cover(clip_id, prompt="other words", tags="jazz"), timeout=60)
        separated = await suno.stems(clip_id, timeout=60)
        assert extended.songs
        assert covered.songs
        assert len(separated) == 2


async def test_a_song_is_asked_about(suno, song):
    """Files, notes, stems and the feed; the timing has the words that were sent."""
    assert (await suno.wav(song.id, timeout=60)).endswith(".wav")
    assert "mp4" in await suno.mp4(song.id, timeout=60)
    assert (await suno.midi(song.id, timeout=60)).instruments
    assert [stem.title.rpartition(" - ")[2] for stem in await suno.stems(song.id, timeout=60)] == [
        "Vocals",
        "Instrumental",
    ]
    timing = await suno.timing(song.id, timeout=60)
    sung = "".join(word.word for word in timing.words)
    assert sung.split() == WORDS.split()
    assert all(0 <= word.start_s <= word.end_s <= song.duration for word in timing.words)
    assert "Golden letters on the wall" in timing.lrc()
    assert "00:00:" in timing.srt()
    found = await suno.feed([song.id, "0ffe0000-0000-4000-8000-000000000000"])
    assert [one.title if one else None for one in found.values()] == ["Letters", None]


async def test_a_wav_that_comes_as_a_task_is_the_same_to_the_caller(suno, gateway, song):
    """One gateway gives the address, another a task that ends with it."""
    gateway.faults["act_as_task"] = 1.0
    assert (await suno.wav(song.id, timeout=60)).endswith(".wav")


async def test_the_rest(suno):
    """Tags, the balance, and a chat that ends with songs."""
    assert len(await suno.upsample_tags("dark")) > len("dark")
    balance = await suno.balance()
    assert balance.unlimited
    assert balance.remaining is None
    chat = suno.chat("a song about a cat", timeout=60)
    pieces = [piece async for piece in chat]
    assert len(pieces) > 1
    assert "".join(pieces) == chat.text
    assert len(chat.songs) == 2


@pytest.mark.parametrize("fault", ["chat_one_rune", "chat_delta_only", "chat_without_done"])
async def test_odd_chats_end_with_the_same_songs(suno, gateway, fault):
    """What Suno-API sends, and what others leave out."""
    gateway.faults[fault] = 1.0
    assert len((await suno.chat("a song about a cat", timeout=60)).songs) == 2


async def test_a_chat_that_fails_says_so(suno, gateway):
    """Suno-API writes its errors into the text."""
    gateway.faults["chat_error_as_content"] = 1.0
    with pytest.raises(TaskFailed):
        await suno.chat("a song about a cat", timeout=60)


ACTS = {
    "wav": lambda suno: suno.wav("c1"),
    "mp4": lambda suno: suno.mp4("c1"),
    "timing": lambda suno: suno.timing("c1"),
    "midi": lambda suno: suno.midi("c1"),
    "stems": lambda suno: suno.stems("c1"),
    "feed": lambda suno: suno.feed(["c1"]),
    "tags": lambda suno: suno.upsample_tags("dark"),
    "persona": lambda suno: suno.create_persona("c1", name="Ann"),
    "upload_url": lambda suno: suno.upload("https://example.com/a.mp3"),
    "upload_slot": lambda suno: suno.upload(b"ID3" + bytes(100)),
    "chat": lambda suno: suno.chat("a cat"),
    "concat": lambda suno: suno.submit(Concat("c1")),
}


def test_every_private_route_is_asked_here():
    """One that is added to the table is added to this list."""
    steps = {"submit", "edits", "upload_finish", "upload_status", "upload_clip"}
    assert {name for name, route in ROUTES.items() if route.family is Family.PRIVATE} == set(ACTS) | steps


@pytest.mark.parametrize("known", [False, True], ids=["never answered", "answered before"])
@pytest.mark.parametrize("name", sorted(set(ACTS) - {"concat"}))
async def test_a_stock_gateway_has_none_of_it_and_says_so(name, known):
    """ConfigurationError for a page from whoever never answered as a gateway, else a plain no; nothing is lost."""
    async with Gateway() as gateway, Suno(gateway.url, api_key=gateway.api_key) as suno:
        if known:
            await suno.balance()
        with pytest.raises(SunoError) as caught:
            await ACTS[name](suno)
        if name != "chat":
            assert type(caught.value) is (RequestRejected if known else ConfigurationError)
            assert ROUTES[name].path.partition("{")[0] in str(caught.value)
            assert "127.0.0.1" in str(caught.value)
        assert gateway.counts["accepted"] == 0


@pytest.mark.parametrize("known", [False, True], ids=["never answered", "answered before"])
async def test_a_stock_gateway_has_no_channel_for_what_only_others_make(known):
    """A submission that it has no channel for is charged to nobody, and says so."""
    async with Gateway() as gateway, Suno(gateway.url, api_key=gateway.api_key) as suno:
        if known:
            await suno.balance()
        with pytest.raises(GatewayUnavailable, match="concat"):
            await ACTS["concat"](suno)
        assert gateway.counts["accepted"] == 0
