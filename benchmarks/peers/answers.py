"""The answers: what each kind of server says of a task that runs, and of one that is done."""

from typing import Any

import msgspec

STAMP = 1_795_286_878
"""Seconds since 1970, as a server of that day would send them; nobody computes with them here."""
STORE = "vs_68f0a1b2c3d4e5f60718293a"
SECONDS = 8.5
"""How long a task says it took."""
_STREAMS = 0.5

_encode = msgspec.json.Encoder().encode


def _song(task_id: str, number: int, *, done: bool) -> dict[str, Any]:
    name = f"{task_id[5:13]}-6393-667c-0934-{number:012}"
    return {
        "id": name,
        "title": "Golden Letters",
        "status": "complete" if done else "streaming",
        "audio_url": f"https://cdn1.suno.ai/{name}.mp3" if done else f"https://audiopipe.suno.ai/?item_id={name}",
        "video_url": "",
        "image_url": f"https://cdn2.suno.ai/image_{name}.jpeg",
        "metadata": {
            "duration": 182.3 if done else None,
            "tags": None,
            "prompt": "[Verse]\nVelvet Machines are calling me home\nSilver Letters know the way\n\n"
            "[Chorus]\nVelvet Machines, Silver Letters\nStay with me",
        },
        "model_name": "chirp-v4",
    }


def row(task_id: str, way: float) -> bytes:
    """A gateway's row: no songs in the first half of its way, then two that stream, at its end two complete ones."""
    done = way >= 1
    return _encode(
        {
            "id": 1,
            "created_at": STAMP,
            "updated_at": STAMP,
            "task_id": task_id,
            "platform": "suno",
            "user_id": 1,
            "group": "default",
            "channel_id": 1,
            "quota": 50000,
            "action": "MUSIC",
            "status": "SUCCESS" if done else "IN_PROGRESS",
            "fail_reason": "",
            "submit_time": STAMP,
            "start_time": STAMP,
            "finish_time": STAMP if done else 0,
            "progress": "100%" if done else "30%" if way >= _STREAMS else "0%",
            "properties": {"input": "", "upstream_model_name": "suno_music", "origin_model_name": "suno_music"},
            "data": [_song(task_id, number, done=done) for number in range(2 if way >= _STREAMS else 0)],
        }
    )


def envelope(data: bytes) -> bytes:
    """What a gateway puts around a row, or around many."""
    return b'{"code":"success","message":"","data":' + data + b"}"


def azure(task_id: str, *, done: bool) -> bytes:
    """The status monitor of a long-running operation."""
    status: dict[str, Any] = {"id": task_id, "status": "Succeeded" if done else "Running"}
    return _encode(status | {"properties": {"url": f"https://cdn.example/{task_id}.mp3"}} if done else status)


def openai(task_id: str, *, done: bool) -> bytes:
    """A batch of files of a vector store: the smallest object of those that the SDK polls."""
    files = {"in_progress": 0 if done else 1, "completed": 1 if done else 0, "failed": 0, "cancelled": 0, "total": 1}
    return _encode(
        {
            "id": task_id,
            "object": "vector_store.file_batch",
            "created_at": STAMP,
            "vector_store_id": STORE,
            "status": "completed" if done else "in_progress",
            "file_counts": files,
        }
    )


def replicate(task_id: str, *, done: bool) -> bytes:
    """A prediction."""
    return _encode(
        {
            "id": task_id,
            "model": "meta/musicgen",
            "version": "671ac645ce5e552cc63a54a2bbff63fcf798043055d2dac5fc9e36a837eedcfb",
            "status": "succeeded" if done else "processing",
            "input": {"prompt": "a song about the sea"},
            "output": f"https://replicate.delivery/{task_id}.mp3" if done else None,
            "logs": "",
            "error": None,
            "metrics": {"predict_time": SECONDS} if done else None,
            "created_at": "2026-11-21T18:47:58.000Z",
            "started_at": "2026-11-21T18:47:58.100Z",
            "completed_at": "2026-11-21T18:48:06.600Z" if done else None,
            "urls": {"get": f"https://api.replicate.com/v1/predictions/{task_id}"},
        }
    )


def fal(task_id: str, *, done: bool) -> bytes:
    """The status of a request in a queue."""
    if not done:
        return _encode({"status": "IN_PROGRESS", "request_id": task_id, "logs": None})
    metrics = {"inference_time": SECONDS}
    return _encode({"status": "COMPLETED", "request_id": task_id, "logs": None, "metrics": metrics})


def fal_result(task_id: str) -> bytes:
    """What the request has made."""
    return _encode({"audio": {"url": f"https://v3.fal.media/files/{task_id}.mp3", "content_type": "audio/mpeg"}})


def acedatacloud(task_id: str, *, done: bool) -> bytes:
    """A task and its answer."""
    songs = [{"id": f"{task_id[5:]}{number}", "state": "succeeded" if done else "pending"} for number in range(2)]
    if done:
        songs = [song | {"audio_url": f"https://cdn1.suno.ai/{song['id']}.mp3"} for song in songs]
    response = {"success": True, "task_id": task_id, "data": songs}
    return _encode({"id": task_id, "created_at": STAMP, "request": {"action": "generate"}, "response": response})
