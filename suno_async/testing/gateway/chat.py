"""The chat of a private build: a song for a message, told in Markdown as Suno-API does, streaming or at once."""

from collections.abc import AsyncGenerator
from random import Random
from typing import Any

import msgspec

from .acts import plain
from .answers import Answer, MiddlewareRefusalError, RefusalError
from .clips import made
from .desk import Desk
from .keys import CHAT_MODELS
from .names import alnum
from .orders import Orders
from .rounds import upstream_status
from .rows import Row
from .submissions import Ask, read_submission

TICK = 5.0  # seconds between two looks
PATIENCE = 300.0  # seconds
STARTED = "请求成功，正在生成歌曲，请稍等片刻...\n"
NOTE = "🎵"
DONE = b"data: [DONE]"
EVENTS = "text/event-stream"
FIELDS: dict[str, type] = {"model": str, "messages": list, "stream": bool}


class Chat:
    """The handler of POST /v1/chat/completions: chat.go of Suno-API, with the shapes that OpenAI's clients read."""

    def __init__(self, desk: Desk, orders: Orders, seed: object) -> None:
        self._desk, self._orders = desk, orders
        self._ids = Random(f"{seed}/chat")

    async def answer(self, ask: Ask) -> Answer:
        """Accept a song, as a submission would, and tell of it until it is there."""
        desk = self._desk
        try:
            asked = read_submission(ask.body, FIELDS)
            model = asked.get("model", "")
            desk.keys.check_model(ask.key, model)
            if model not in CHAT_MODELS:
                raise desk.no_channel(model)
            song = {"gpt_description_prompt": prompt_of(asked), "mv": CHAT_MODELS[model]}
            desk.counts["submissions"] += 1
            task_id, delay = desk.take(self._orders.order("MUSIC", song, ask.key), ask.key, ask.origin)
        except RefusalError as refusal:  # whoever chats knows one shape of errors
            raise MiddlewareRefusalError(refusal.status, refusal.code, refusal.message) from None
        row, reply = desk.table.get(task_id), Reply(f"chatcmpl-{alnum(self._ids, 29)}", model, int(desk.clock.now()))
        if asked.get("stream"):
            return Answer(200, content_type=EVENTS, delay=delay, pieces=self._stream(reply, row))
        return msgspec.structs.replace(await self._whole(reply, row), delay=delay)

    async def _whole(self, reply: "Reply", row: Row) -> Answer:
        """The answer to whom does not stream."""
        faults = self._desk.faults
        if faults.first(("chat_error_as_content",)):
            return plain(reply.whole(error_content(), "message"))
        async for _ in self._progress(row):
            pass
        return plain(reply.whole(self._told(row), "delta" if faults.first(("chat_delta_only",)) else "message"))

    async def _stream(self, reply: "Reply", row: Row) -> AsyncGenerator[bytes, None]:
        """The events of a stream. An error comes as one: the status has been sent."""
        faults = self._desk.faults
        runes, broken = faults.first(("chat_one_rune",)), faults.first(("chat_error_as_content",))
        async for text in self._progress(row):
            for piece in text if runes else [text]:
                yield reply.chunk(piece)
            if broken:
                yield reply.chunk(error_content())
                return
        try:
            told = self._told(row)
        except MiddlewareRefusalError as refusal:
            error = {"message": refusal.message, "type": "new_api_error", "param": "", "code": refusal.code}
            yield event({"error": error})
            return
        for piece in told if runes else told.splitlines(keepends=True):
            yield reply.chunk(piece)
        yield reply.chunk("", "stop")
        if not faults.first(("chat_without_done",)):
            yield DONE if runes else DONE + b"\n\n"

    async def _progress(self, row: Row) -> AsyncGenerator[str, None]:
        """A sign of life every five seconds until the song is there, for five minutes at most."""
        clock = self._desk.clock
        for tick in range(1, int(PATIENCE / TICK) + 1):
            await clock.sleep_until(row.submitted + tick * TICK)
            yield STARTED if tick == 1 else NOTE
            if upstream_status(row, clock.now()) in {"SUCCESS", "FAILURE"}:
                return

    def _told(self, row: Row) -> str:
        """The finished song; MiddlewareRefusalError if it has failed, or takes too long."""
        status = upstream_status(row, self._desk.clock.now())
        if status == "SUCCESS":
            return markdown(made(row.order, row.task_id, self._desk.encoder.url, complete=True))
        if status == "FAILURE":
            raise MiddlewareRefusalError(500, "internal_error", row.reason)
        raise MiddlewareRefusalError(504, "request_timeout", "get feed task timeout")


class Reply(msgspec.Struct, frozen=True):
    """What every piece of one answer has in common."""

    id: str
    model: str
    created: int

    def chunk(self, text: str, reason: str | None = None) -> bytes:
        """One event of a stream."""
        choice = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": reason}
        return event(self._object("chat.completion.chunk", choice))

    def whole(self, text: str, field: str) -> dict[str, Any]:
        """The answer in one piece."""
        choice = {"index": 0, field: {"role": "assistant", "content": text}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
        return {**self._object("chat.completion", choice), "usage": usage}

    def _object(self, kind: str, choice: dict[str, Any]) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model, "choices": [choice]}


def prompt_of(asked: dict[str, Any]) -> str:
    """What the last message of the user says; RefusalError if that is nothing."""
    messages = [one for one in asked.get("messages", ()) if isinstance(one, dict) and one.get("role") == "user"]
    content = messages[-1].get("content") if messages else None
    if isinstance(content, list):
        content = "\n".join(str(part["text"]) for part in content if isinstance(part, dict) and part.get("text"))
    if not isinstance(content, str) or not content.strip():
        raise RefusalError(400, "invalid_request", "field messages is required")
    return content


def markdown(clips: list[dict[str, Any]]) -> str:
    """The song as Suno-API's template/suno.yaml lays it out."""
    first = clips[0]
    lines = ["***", f"###🎵 歌曲名： {first['title']}", f"**模型版本：** {first['model_name']}"]
    lines += ["**歌词：**", str(first["metadata"]["prompt"]), ""]
    for clip in clips:
        lines += [
            f"**版本ID： ** {clip['id']}",
            f"**音乐时长： ** {clip['metadata']['duration']}秒",
            f"**风格：   ** {clip['metadata']['tags'] or ''}",
            "**资源链接：**",
            f"- 🖼 封面: ![封面]({clip['image_url']})",
            f"- 🎧 音频: [点击听歌]({clip['audio_url']})",
            f"- 🎬 视频: [点击观看]({clip['video_url']})",
            "",
        ]
    return "\n".join(lines)


def error_content() -> str:
    """An error as Suno-API writes it into the text (common/errs.go)."""
    error = {"StatusCode": 500, "Code": "internal_error", "Err": {}, "LocalErr": False}
    return msgspec.json.encode(error).decode()


def event(found: dict[str, Any]) -> bytes:
    """One server-sent event."""
    return b"data: " + msgspec.json.encode(found) + b"\n\n"
