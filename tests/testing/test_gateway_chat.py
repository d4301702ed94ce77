"""A song for a message."""

import json

import aiohttp
import pytest

from suno_async.testing import Gateway
from suno_async.testing.gateway.chat import STARTED, prompt_of

ASKED = {"model": "suno-v3.5", "messages": [{"role": "user", "content": "a song about a cat"}]}
CHAT = "/v1/chat/completions"


@pytest.fixture
async def fast():
    """A private build that makes a song in a blink."""
    async with Gateway(profile="private", speed=2000, failure_rate=0) as opened:
        yield opened


@pytest.fixture
async def ask(fast, dial):
    async with dial(fast) as call:
        yield call


def events(body):
    """The events of a stream, decoded; the end as text."""
    lines = body.decode().split("\n\n")
    assert all(line.startswith("data: ") for line in lines if line)
    found = [line.removeprefix("data: ") for line in lines if line]
    return [one if one == "[DONE]" else json.loads(one) for one in found]


def texts(found):
    return [one["choices"][0]["delta"]["content"] for one in found if "choices" in one]


async def test_a_song_is_told_in_markdown(fast, ask):
    """Title, model, words, and for each clip its id and its URLs, which are those of the task behind it."""
    reply = await ask("POST", CHAT, json=ASKED)
    choice = reply.json["choices"][0]
    assert (reply.status, reply.json["object"], reply.json["model"]) == (200, "chat.completion", "suno-v3.5")
    assert (choice["finish_reason"], choice["message"]["role"]) == ("stop", "assistant")
    row = fast._desk.table.of(1, fast.now())[0]
    await fast.round()
    clips = (await ask("GET", f"/suno/fetch/{row.task_id}")).data["data"]
    text = choice["message"]["content"]
    assert f"###🎵 歌曲名： {clips[0]['title']}\n**模型版本：** chirp-v3-5" in text
    for clip in clips:
        assert f"**版本ID： ** {clip['id']}\n" in text
        assert f"[点击听歌]({clip['audio_url']})" in text
        assert f"[点击观看]({clip['video_url']})" in text
    assert clips[0]["metadata"]["gpt_description_prompt"] == "a song about a cat"


async def test_it_takes_the_time_of_a_song(fast, ask):
    """The answer comes when the song is there, at the next look, which is every five seconds; it costs as much."""
    began = fast.now()
    await ask("POST", CHAT, json=ASKED)
    row = fast._desk.table.of(1, fast.now())[0]
    assert began < row.ends <= fast.now()
    assert [charge["quota"] for charge in (await ask("GET", "/api/log/token")).data] == [50_000]
    assert (fast.counts["submissions"], fast.counts["accepted"]) == (1, 1)


async def test_a_stream_shows_signs_of_life_then_the_song(ask):
    """Events of one id: that it was accepted, a note every five seconds, the song line by line, stop, [DONE]."""
    whole = await ask("POST", CHAT, json={**ASKED, "stream": True})
    assert whole.headers["Content-Type"] == "text/event-stream"
    found = events(whole.body)
    told = texts(found[:-1])
    assert (found[-1], found[-2]["choices"][0]["finish_reason"]) == ("[DONE]", "stop")
    assert told[0] == STARTED
    notes = told.index("***\n") - 1
    assert told[1 : notes + 1] == ["🎵"] * notes
    assert "[点击听歌](http" in "".join(told)
    assert len({(one["id"], one["created"], one["object"]) for one in found[:-1]}) == 1
    assert whole.body.endswith(b"data: [DONE]\n\n")


async def test_runes_come_one_by_one(fast, ask):
    """To chat_one_rune no chunk has more than one character, and [DONE] has no end of line."""
    fast.faults.once("chat_one_rune")
    body = (await ask("POST", CHAT, json={**ASKED, "stream": True})).body
    told = texts(events(body)[:-1])
    assert {len(text) for text in told} == {0, 1}
    assert "".join(told).startswith(STARTED)
    assert body.endswith(b"data: [DONE]")


async def test_an_answer_may_have_a_delta_only(fast, ask):
    """To chat_delta_only the whole answer has no message."""
    fast.faults.once("chat_delta_only")
    choice = (await ask("POST", CHAT, json=ASKED)).json["choices"][0]
    assert "message" not in choice
    assert "[点击听歌]" in choice["delta"]["content"]


async def test_a_stream_may_end_without_done(fast, ask):
    """To chat_without_done it just ends."""
    fast.faults.once("chat_without_done")
    found = events((await ask("POST", CHAT, json={**ASKED, "stream": True})).body)
    assert found[-1]["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("stream", [True, False])
async def test_an_error_may_be_told_as_text(fast, ask, stream):
    """To chat_error_as_content there is JSON where the song should be, and no [DONE]; it was accepted."""
    fast.faults.once("chat_error_as_content")
    reply = await ask("POST", CHAT, json={**ASKED, "stream": stream})
    assert reply.status == 200
    text = texts(events(reply.body))[-1] if stream else reply.json["choices"][0]["message"]["content"]
    assert (json.loads(text)["StatusCode"], json.loads(text)["Code"]) == (500, "internal_error")
    assert (b"[DONE]" in reply.body, fast.counts["accepted"]) == (False, 1)


@pytest.mark.parametrize(
    ("knobs", "status", "code"),
    [({"failure_rate": 1}, 500, "internal_error"), ({"median": 1e6}, 504, "request_timeout")],
)
async def test_a_song_may_fail_or_take_too_long(dial, knobs, status, code):
    """After sixty looks nobody waits any longer. Streaming, the error is an event; else it is a status."""
    async with Gateway(profile="private", speed=2000, **{"failure_rate": 0, **knobs}) as gateway, dial(gateway) as ask:
        reply = await ask("POST", CHAT, json=ASKED)
        assert (reply.status, reply.json["error"]["code"]) == (status, code)
        found = events((await ask("POST", CHAT, json={**ASKED, "stream": True})).body)
        assert (found[-1]["error"]["code"], texts(found)[0]) == (code, STARTED)
        if status == 504:
            assert texts(found)[1:] == ["🎵"] * 59


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({**ASKED, "model": "gpt-4"}, 503, "model_not_found"),
        ({"messages": ASKED["messages"]}, 503, "model_not_found"),
        ({**ASKED, "messages": []}, 400, "invalid_request"),
        ({**ASKED, "stream": "yes"}, 400, "invalid_request"),
    ],
)
async def test_what_cannot_be_answered_is_refused_in_openais_shape(fast, ask, body, status, code):
    """Unknown models, no message, wrong types: an error object, and nothing accepted."""
    reply = await ask("POST", CHAT, json=body)
    assert (reply.status, reply.json["error"]["code"]) == (status, code)
    assert fast.counts["accepted"] == 0


async def test_the_upstream_refuses_in_openais_shape(fast, ask):
    """What hits submissions hits the chat, which has one shape of errors; a slow upstream delays its answer."""
    fast.faults.once("upstream_refuses")
    reply = await ask("POST", CHAT, json=ASKED)
    assert (reply.status, reply.json["error"]["code"]) == (500, "sensitive_words")
    fast.faults.once("slow_upstream")
    for stream in (True, False):
        began = fast.now()
        assert (await ask("POST", CHAT, json={**ASKED, "stream": stream})).status == 200
        assert fast.now() >= began + 20


async def test_a_key_is_for_models(fast, dial):
    """A key for songs may not chat; one for a chat may."""
    for model, status in (("suno_music", 403), ("suno-v3.5", 200)):
        async with dial(fast, fast.add_key(models=[model])) as ask:
            assert (await ask("POST", CHAT, json=ASKED)).status == status


async def test_whoever_leaves_breaks_nothing(private, dial, eventually):
    """The connection is closed in the middle of a stream; the song goes on, and the next one is answered."""
    async with dial(private) as ask:
        timeout = aiohttp.ClientTimeout(total=0.2)
        with pytest.raises(TimeoutError):
            await ask("POST", CHAT, json={**ASKED, "stream": True}, timeout=timeout)
        await eventually(lambda: private.counts["accepted"] == 1)
        row = private._desk.table.of(1, private.now())[0]
        private.finish(row.task_id)
        assert (await ask("GET", f"/suno/fetch/{row.task_id}")).data["status"] == "SUCCESS"


def said(*contents):
    return {
        "messages": [{"role": "system", "content": "be brief"}, *({"role": "user", "content": c} for c in contents)]
    }


@pytest.mark.parametrize(
    ("asked", "prompt"),
    [
        (said("one", "two"), "two"),
        (said([{"type": "text", "text": "a"}, {"type": "image_url"}, {"type": "text", "text": "b"}]), "a\nb"),
    ],
)
def test_the_last_message_of_the_user_is_the_prompt(asked, prompt):
    """As text, or as parts of which some are text."""
    assert prompt_of(asked) == prompt


@pytest.mark.parametrize("asked", [{}, said(), said(" "), said(None), said([]), {"messages": ["x"]}])
def test_a_chat_without_words_is_refused(asked):
    """Nothing to sing about."""
    with pytest.raises(Exception, match="messages is required"):
        prompt_of(asked)
