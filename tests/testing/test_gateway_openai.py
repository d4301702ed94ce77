"""OpenAI's own client talks to the chat of a private build."""

import openai
import pytest

from suno_async.testing import Gateway

MESSAGES = [{"role": "user", "content": "a song about a cat"}]


@pytest.fixture
async def fast():
    """A private build that makes a song in a blink."""
    async with Gateway(profile="private", speed=2000, failure_rate=0) as opened:
        yield opened


@pytest.fixture
async def client(fast):
    """The client as its documents show it, but for the URL and the key."""
    async with openai.AsyncOpenAI(base_url=f"{fast.url}/v1", api_key=fast.api_key, max_retries=0) as opened:
        yield opened


async def test_it_reads_a_whole_answer(client):
    """A message with the song, finished."""
    reply = await client.chat.completions.create(model="suno-v3", messages=MESSAGES)
    assert (reply.object, reply.model, reply.choices[0].finish_reason) == ("chat.completion", "suno-v3", "stop")
    assert reply.choices[0].message.role == "assistant"
    assert reply.choices[0].message.content.count("[点击听歌](http") == 2


@pytest.mark.parametrize("fault", [None, "chat_one_rune", "chat_without_done"])
async def test_it_reads_a_stream(fast, client, fault):
    """Piece by piece, to its end; also one character at a time, and without [DONE]."""
    if fault:
        fast.faults.once(fault)
    stream = await client.chat.completions.create(model="suno-v3.5", messages=MESSAGES, stream=True)
    chunks = [chunk async for chunk in stream]
    text = "".join(chunk.choices[0].delta.content for chunk in chunks)
    assert text.count("[点击听歌](http") == 2
    assert text.startswith("请求成功")
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}


async def test_it_finds_no_message_in_suno_apis_answer(fast, client):
    """The oddity is real: with delta alone its message is None."""
    fast.faults.once("chat_delta_only")
    reply = await client.chat.completions.create(model="suno-v3", messages=MESSAGES)
    assert reply.choices[0].message is None


async def test_it_takes_an_error_for_a_text(fast, client):
    """What Suno-API writes into the text is no error to it."""
    fast.faults.once("chat_error_as_content")
    stream = await client.chat.completions.create(model="suno-v3", messages=MESSAGES, stream=True)
    assert [chunk.choices[0].delta.content async for chunk in stream][-1].startswith('{"StatusCode":500')


async def test_it_lists_the_models(client):
    """Those of the chat are among them."""
    listed = [model.id async for model in client.models.list()]
    assert {"suno-v3", "suno-v3.5", "suno_music"} <= set(listed)


async def test_it_raises_its_own_errors(fast, client):
    """A wrong key, no model, a refusal, a song that fails in the middle of a stream."""
    stranger = client.with_options(api_key="sk-x")
    with pytest.raises(openai.AuthenticationError):
        await stranger.chat.completions.create(model="suno-v3", messages=MESSAGES)
    with pytest.raises(openai.InternalServerError, match="No available channel for model suno-v9"):
        await client.chat.completions.create(model="suno-v9", messages=MESSAGES)
    with pytest.raises(openai.BadRequestError, match="messages is required"):
        await client.chat.completions.create(model="suno-v3", messages=[])
    async with Gateway(profile="private", speed=2000, failure_rate=1) as failing:
        other = client.with_options(base_url=f"{failing.url}/v1", api_key=failing.api_key)
        stream = await other.chat.completions.create(model="suno-v3", messages=MESSAGES, stream=True)
        with pytest.raises(openai.APIError):
            [chunk async for chunk in stream]


async def test_it_may_leave_early(fast, client):
    """It closes a stream after the first piece; the next chat is answered."""
    async with await client.chat.completions.create(model="suno-v3", messages=MESSAGES, stream=True) as stream:
        first = await anext(aiter(stream))
    assert first.choices[0].delta.content
    reply = await client.chat.completions.create(model="suno-v3", messages=MESSAGES)
    assert "[点击听歌]" in reply.choices[0].message.content
