"""The chat: at the local gateway, and at raw sockets that break in every way."""

import asyncio
import contextlib
import gc
import json
import sys
from itertools import pairwise

import anyio
import pytest
from quick import KEY, others, stall, to
from wire import HASTY, Call, Unhurt, Wire, answer, raw, then_fin, then_stall, until

from suno_async import (
    ClientClosed,
    ConfigurationError,
    GatewayUnavailable,
    QuotaExceeded,
    SubmitUnknown,
    Suno,
    SunoError,
    TaskFailed,
    Unauthorized,
    UnexpectedResponse,
    WaitTimeout,
)
from suno_async.client.chat import Chat
from suno_async.testing import Gateway

CLIP = "0f3a1b2c-1111-4222-8333-944445555666"
LINK = f"[点击听歌](https://cdn1.suno.ai/{CLIP}.mp3)"
HEAD = raw("HTTP/1.1 200 OK", "Content-Type: text/event-stream")
hasty = pytest.mark.parametrize("anyio_backend", [HASTY], ids=["hasty"])


def said(*pieces: str) -> bytes:
    """A stream's chunks."""
    chunks = [json.dumps({"choices": [{"delta": {"content": piece}}]}, ensure_ascii=False) for piece in pieces]
    return "".join(f"data: {chunk}\n\n" for chunk in chunks).encode()


DONE = b"data: [DONE]"


def asked(suno: Suno, **options) -> Chat:
    return Chat(suno._runtime, "a song about a cat", **options)


async def test_a_chat_tells_of_itself_while_the_song_is_made():
    """Piece by piece; behind them the whole text, and the songs in it."""
    heard = anyio.Event()

    async def step(call: Call) -> None:
        await call.send(HEAD + said("请求成功\n"))
        await heard.wait()
        await call.send(said("🎵", f"**版本ID： ** {CLIP}\n{LINK}") + DONE)
        call.fin()

    async with Wire(step) as wire, to(wire) as suno:
        chat = asked(suno, model="suno-v3.5")
        assert (wire.asked, chat.text, chat.songs) == (0, "", ())
        pieces = []
        async for piece in chat:
            pieces.append(piece)
            heard.set()
        # what comes in one segment is one piece
        assert pieces == ["请求成功\n", f"🎵**版本ID： ** {CLIP}\n{LINK}"]
        assert chat.text == "".join(pieces)
        assert [(song.id, song.audio_url) for song in chat.songs] == [(CLIP, f"https://cdn1.suno.ai/{CLIP}.mp3")]
        assert repr(chat) == f"Chat({len(chat.text)} characters)"
        (call,) = wire.calls
        assert (call.method, call.path) == ("POST", "/v1/chat/completions")
        assert json.loads(call.body)["model"] == "suno-v3.5"
        assert ("Authorization", f"Bearer {KEY}") in call.headers
        await until(lambda: wire.open == 0)


SHAPES = {
    "a stream": (HEAD + said("a", "b") + DONE, "ab"),
    "without an end": (HEAD + said("a", "b"), "ab"),
    "a message": (answer({"choices": [{"message": {"content": "ab"}}]}), "ab"),
    "a delta": (answer({"choices": [{"delta": {"content": "ab"}}]}), "ab"),
    "a JSON text": (answer('"ab"'), "ab"),
    "a text": (answer("ab", headers={"Content-Type": "text/plain"}), "ab"),
}


@pytest.mark.parametrize(("body", "text"), SHAPES.values(), ids=SHAPES)
async def test_every_shape_is_read_to_its_end(body, text):
    """``await`` gives the chat itself."""
    async with Wire(then_fin(body)) as wire, to(wire) as suno:
        chat = asked(suno)
        assert await chat is chat
        assert chat.text == text


async def test_nobody_waits_behind_done():
    """A gateway that leaves the connection open has said all there is."""
    async with Wire(then_stall(HEAD + said("a") + DONE + b"\n\n")) as wire, to(wire) as suno:
        with anyio.fail_after(5):
            assert (await asked(suno)).text == "a"
        await until(lambda: wire.open == 0)


@pytest.mark.parametrize("faults", [{}, {"chat_one_rune": 1.0}, {"chat_without_done": 1.0}])
async def test_the_local_gateways_chat_ends_with_its_songs(faults):
    """As Suno-API's does: a letter in each chunk, and no end, too."""
    async with (
        Gateway(profile="private", speed=2000, failure_rate=0, faults=faults) as gateway,
        Suno(gateway.url, api_key=gateway.api_key, rng=Unhurt()) as suno,
    ):
        chat = await asked(suno)
        assert len(chat.songs) == 2
        assert all(song.id and song.audio_url.startswith("http") and song.title for song in chat.songs)
        assert gateway.counts["submissions"] == 1


async def test_a_chat_is_read_once():
    """To iterate again, or to await it, is refused: it would cost again."""
    async with Wire(then_fin(HEAD + said("a"))) as wire, to(wire) as suno:
        chat = await asked(suno)
        with pytest.raises(ConfigurationError, match="has been read"):
            await chat
        with pytest.raises(ConfigurationError, match="has been read"):
            aiter(chat)
        assert wire.asked == 1
        begun = asked(suno)
        reader = aiter(begun)
        with pytest.raises(ConfigurationError, match="has been read"):
            await begun
        assert [piece async for piece in reader] == ["a"]


async def test_what_cannot_be_asked_is_refused_before_anything():
    """A prompt that is none, a time that is none."""
    async with Wire(answer()) as wire, to(wire) as suno:
        for refused in (
            lambda: Chat(suno._runtime, " "),
            lambda: asked(suno, timeout=0),
            lambda: asked(suno, model=""),
        ):
            with pytest.raises(ConfigurationError):
                refused()
        assert wire.asked == 0


# stopping


@pytest.mark.parametrize("way", ["break", "aclose", "aclosing", "cancel", "raise"])
async def test_who_stops_reading_closes_the_connection(way):
    """However it stops, what was said is kept, and nothing runs on."""
    async with Wire(then_stall(HEAD + said("a"))) as wire, to(wire) as suno:
        before = others()
        chat = asked(suno)
        with anyio.move_on_after(5) as scope, contextlib.suppress(ZeroDivisionError):
            async with contextlib.aclosing(chat) if way == "aclosing" else contextlib.nullcontext():
                reader = aiter(chat)
                assert await anext(reader) == "a"
                if way == "aclose":
                    await chat.aclose()
                if way == "raise":
                    raise ZeroDivisionError
                if way == "cancel":
                    scope.cancel()
                    await anext(reader)
        if way in {"break", "raise"}:
            # what a for loop does when it is left
            del reader
            gc.collect()
        await until(lambda: wire.open == 0)
        assert chat.text == "a"
        assert wire.asked == 1
        await until(lambda: others() == before)


async def test_leaving_the_loop_is_enough():
    """The chat itself may be kept."""
    async with Wire(then_stall(HEAD + said("a", "b"))) as wire, to(wire) as suno:
        chat = asked(suno)
        async for piece in chat:
            assert piece == "ab"
            break
        await until(lambda: wire.open == 0)
        assert chat.text == "ab"


@contextlib.contextmanager
def left_open():
    """The readers that were forgotten before they were closed; the loop would close them some time later."""
    before, left = sys.get_asyncgen_hooks().finalizer, []
    sys.set_asyncgen_hooks(finalizer=left.append)
    try:
        yield left
    finally:
        sys.set_asyncgen_hooks(finalizer=before)


async def test_who_closes_the_reading_closes_the_connection_with_it():
    """``aclose()`` leaves nothing to the loop; of a loop that was left only the iterator itself is left to it."""
    async with Wire(then_stall(HEAD + said("a"))) as wire, to(wire) as suno:
        with left_open() as left:
            chat = asked(suno)
            reader = aiter(chat)
            assert await anext(reader) == "a"
            await chat.aclose()
            assert left == []
            async for piece in asked(suno):
                assert piece == "a"
                break
            gc.collect()
            (forgotten,) = left
            await forgotten.aclose()
            assert left == [forgotten]
        await until(lambda: wire.open == 0)


async def test_a_chat_that_another_task_reads_is_not_closed():
    """It says what to do; and that ends it."""
    async with Wire(then_stall(HEAD)) as wire, to(wire) as suno:
        chat = asked(suno)
        reading = asyncio.ensure_future(chat._whole())  # noqa: TID251 - it is cancelled alone
        await until(lambda: wire.asked == 1)
        with pytest.raises(ConfigurationError, match="cancel that task"):
            await chat.aclose()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await chat.aclose()
        await until(lambda: wire.open == 0)


async def test_a_chat_that_was_never_read_can_be_closed():
    """And one that is over."""
    async with Wire(then_fin(HEAD + said("a"))) as wire, to(wire) as suno:
        chat = asked(suno)
        await chat.aclose()
        assert wire.asked == 0
        await chat
        await chat.aclose()
        assert chat.text == "a"


async def test_the_client_closes_under_a_chat():
    """It ends with ClientClosed; and so does one that begins later."""
    async with Wire(then_stall(HEAD + said("a"))) as wire:
        suno = to(wire)
        async with suno:
            chat, later = asked(suno), asked(suno)
            reader = aiter(chat)
            assert await anext(reader) == "a"
        for reading in (anext(reader), later):
            with pytest.raises(ClientClosed), anyio.fail_after(5):
                await reading
        assert (wire.asked, chat.text) == (1, "a")


async def test_what_was_all_said_is_no_error_when_the_client_closes():
    """``[DONE]`` without a line end is heard when the connection is."""
    async with Wire(then_stall(HEAD + said("a") + DONE)) as wire:
        suno = to(wire)
        async with suno:
            chat = asked(suno)
            reader = aiter(chat)
            assert await anext(reader) == "a"
        with anyio.fail_after(5):
            assert [piece async for piece in reader] == []


# what goes wrong

WRONG = {
    "no channel": (answer({"error": {"message": "no channel", "code": "model_not_found"}}, 503), GatewayUnavailable),
    "no credit": (answer({"error": {"message": "x", "code": "insufficient_user_quota"}}, 403), QuotaExceeded),
    "no gateway": (answer("<!doctype html>", 404), ConfigurationError),
    "a page": (answer("<!doctype html>"), ConfigurationError),
    "a proxy": (answer("<html>", 502), SubmitUnknown),
    "an error cut off": (then_fin(raw("HTTP/1.1 500 No", "Content-Length: 99", body=b'{"error"')), SubmitUnknown),
    "nothing": (then_fin(b""), SubmitUnknown),
    "nothing in it": (then_fin(HEAD), SubmitUnknown),
    "cut off at once": (then_fin(raw("HTTP/1.1 200 OK", "Content-Length: 99", body=b": PING\n\n")), SubmitUnknown),
    "failed": (then_fin(HEAD + said("a", '{"StatusCode":500,"Code":"internal_error"}')), TaskFailed),
    "timed out there": (then_fin(HEAD + said("🎵", "timeout")), WaitTimeout),
    "cut off": (then_fin(raw("HTTP/1.1 200 OK", "Content-Length: 999", body=said("a"))), UnexpectedResponse),
}  # fmt: skip


@pytest.mark.parametrize(("step", "kind"), WRONG.values(), ids=WRONG)
async def test_what_went_wrong_is_told_and_never_asked_again(step, kind):
    """One request, whatever comes of it: a second one would be charged."""
    async with Wire(step) as wire, to(wire) as suno:
        chat = asked(suno)
        with pytest.raises(kind) as caught:
            await chat
        assert type(caught.value) is kind
        assert wire.asked == 1
        assert KEY not in repr(caught.value)
        if kind is SubmitUnknown:
            assert caught.value.intent.body == wire.calls[0].body
            assert caught.value.intent.action == "chat"


async def test_what_was_refused_can_be_told_from_what_is_not_there():
    """Nobody listens: not sent, not charged."""
    async with Wire(answer()) as wire:
        suno = to(wire)
    async with suno:
        with pytest.raises(GatewayUnavailable, match="not sent"):
            await asked(suno)


async def test_a_refused_key_is_asked_for_anew_once():
    """It was not accepted: so it is asked with the other key, and not with a third one."""
    keys = iter(["sk-first-key", "sk-second-key", "sk-third-key", "sk-fourth-key"])
    no = answer({"error": {"message": "Invalid token"}}, 401)
    async with Wire(no, then_fin(HEAD + said("a")), no) as wire, to(wire, api_key=lambda: next(keys)) as suno:
        assert (await asked(suno)).text == "a"
        sent = [dict(call.headers)["Authorization"] for call in wire.calls]
        assert sent == ["Bearer sk-first-key", "Bearer sk-second-key"]
        with pytest.raises(Unauthorized):
            await asked(suno)
        assert wire.asked == 4


async def test_what_another_key_would_not_change_is_not_asked_again():
    """A 403 is about what was asked, or the account: with another key it might be charged twice."""
    keys = iter(["sk-first-key", "sk-second-key", "sk-third-key"])
    no = answer({"error": {"message": "no access to this model"}}, 403)
    async with Wire(no) as wire, to(wire, api_key=lambda: next(keys)) as suno:
        with pytest.raises(Unauthorized) as caught:
            await asked(suno)
        assert caught.value.status == 403
        assert wire.asked == 1
        assert next(keys) == "sk-second-key"


ESCAPED = KEY.replace("-", r"\u002d")
COMPLAINTS = {
    "as it is": answer({"error": {"message": f"bad key {KEY}"}}, 401),
    "escaped": answer(f'{{"error":{{"message":"bad key {ESCAPED}"}}}}', 401),
    "escaped, as an event": then_fin(HEAD + f'data: {{"error":{{"message":"bad key {ESCAPED}"}}}}\n\n'.encode()),
    "escaped and spelled": then_fin(HEAD + said(*f'{{"error":{{"message":"bad key {ESCAPED}"}}}}')),
    "escaped, cut off": then_fin(
        raw("HTTP/1.1 500 No", "Content-Length: 99", body=f'{{"error":"bad key {ESCAPED}'.encode())
    ),
}


@pytest.mark.parametrize("step", COMPLAINTS.values(), ids=COMPLAINTS)
async def test_the_key_is_in_no_error(step):
    """However a gateway echoes it."""
    async with Wire(step) as wire, to(wire) as suno:
        with pytest.raises(SunoError) as caught:
            await asked(suno)
        shown = f"{caught.value!r} {vars(caught.value)}"
        assert "bad key" in shown
        assert KEY not in shown
        assert ESCAPED not in shown
        assert ESCAPED not in shown.replace("\\\\", "\\")


@pytest.mark.parametrize("pieces", [[*f"key {KEY}!"], [f"key {KEY}!"]], ids=["letter by letter", "at once"])
@pytest.mark.parametrize("spelling", ["-", r"\u002d"], ids=["plain", "escaped"])
async def test_the_key_is_not_in_the_text(pieces, spelling):
    """Neither in a piece nor in all of them, also in an event for each letter."""

    async def step(call: Call) -> None:
        await call.send(HEAD)
        for piece in pieces:
            await call.send(said(piece).replace(b"-", spelling.encode()))
        call.fin()

    async with Wire(step) as wire, to(wire) as suno:
        chat = asked(suno)
        assert "".join([piece async for piece in chat]) == chat.text == "key ***!"


@hasty
async def test_a_chat_has_its_time_and_no_more(anyio_backend):
    """Half a minute: behind a word it may still come, before one nobody can tell."""

    async def ticks(call: Call) -> None:
        await call.send(HEAD)
        await call.drip(said("🎵") * 10**3, 0.1)

    async with Wire(ticks, stall) as wire, to(wire) as suno:
        began = anyio.current_time()
        with pytest.raises(WaitTimeout, match="not over in time"):
            await asked(suno, timeout=30)
        assert 29 < anyio.current_time() - began < 90
        with pytest.raises(SubmitUnknown):
            await asked(suno, timeout=30)
        assert wire.asked == 2


# the budget


@hasty
async def test_a_chat_takes_a_place_of_the_rate(anyio_backend):
    """One request in ten seconds, chats and looks together."""
    times = []

    def step(call: Call) -> bytes:
        times.append(anyio.current_time())
        return answer('"a"')

    async with Wire(step) as wire, to(wire, rate=0.1) as suno, anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(asked(suno)._whole)
    assert [later - sooner > 9.5 for sooner, later in pairwise(times)] == [True, True]


async def test_a_chat_that_gets_no_place_in_its_time_is_not_sent():
    """It says so at once, and takes nobody's place."""
    async with Wire(answer('"a"')) as wire, to(wire, rate=0.001) as suno:
        await asked(suno)
        for _ in range(2):
            with pytest.raises(GatewayUnavailable, match="rate= lets nothing leave") as caught, anyio.fail_after(5):
                await asked(suno, timeout=3)
            assert caught.value.attempts == 0
        assert wire.asked == 1


async def test_a_chat_that_waits_for_its_place_hears_that_the_client_closed():
    """Nothing is sent any more."""
    async with Wire(answer('"a"')) as wire:
        suno = to(wire, rate=4)
        async with suno:
            await asked(suno)
            waiting = asyncio.ensure_future(asked(suno)._whole())  # noqa: TID251 - it outlives the client
            await anyio.sleep(0.01)
        with pytest.raises(ClientClosed), anyio.fail_after(5):
            await waiting
        assert wire.asked == 1
