"""The server of all competitors, in a process of its own: it speaks each one's routes and knows one schedule.

``python -m benchmarks.peers.server --tasks N`` writes the ids to ``--ids``, prints one JSON line with url and key, and
answers each line on its standard input with its counts, until that closes. The first of these lines starts the clock
of all tasks; ``begin_ns`` says when that was, on the clock that all processes of a machine share.
"""

import argparse
import json
import math
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import msgspec
from aiohttp import web
from anyio import to_thread

from . import answers
from .schedule import WARM, endings, task_ids

_decode = msgspec.json.Decoder(dict[str, list[str] | str]).decode
KEY = f"sk-{'Zk3vPq8LmN2x' * 4}"
"""As long as a gateway gives them out."""
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def told(body: bytes, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """An answer."""
    return web.Response(body=body, status=status, content_type="application/json", headers=headers)


class Tasks:
    """When each task is done, and how often it was asked for."""

    def __init__(self, waits: int) -> None:
        self.ids = task_ids(waits)
        self.looks = self.requests = 0
        self.begin = math.inf
        self._after = dict(zip(self.ids, [*endings(waits), *[0.0] * WARM], strict=True))

    def look(self, task_id: str) -> float:
        """One more look at a task: how far it is on its way, from 0 to 1."""
        self.looks += 1
        if self.begin == math.inf:
            # those to warm up with are done already
            return float(self._after[task_id] == 0)
        return min(1.0, (time.monotonic() - self.begin) / self._after[task_id])

    def counts(self) -> dict[str, int]:
        """The counts; the first time, the clock starts."""
        if self.begin == math.inf:
            self.begin = time.monotonic()
        return {"begin_ns": int(self.begin * 1e9), "requests": self.requests, "looks": self.looks}


class Routes:
    """What is asked for where."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks

    def app(self) -> web.Application:
        """All of them."""
        app = web.Application(middlewares=[self._count])
        app.add_routes(
            [
                web.get("/suno/fetch/{id}", self._one(lambda i, way: answers.envelope(answers.row(i, way)))),
                web.post("/suno/fetch", self._rows),
                web.post("/azure/operations/{id}", self._accept),
                web.get("/azure/operations/{id}", self._one(lambda i, way: answers.azure(i, done=way >= 1))),
                web.get(
                    f"/openai/vector_stores/{answers.STORE}/file_batches/{{id}}",
                    self._one(lambda i, way: answers.openai(i, done=way >= 1)),
                ),
                web.get("/v1/predictions/{id}", self._one(lambda i, way: answers.replicate(i, done=way >= 1))),
                web.get("/fal/requests/{id}/status", self._one(lambda i, way: answers.fal(i, done=way >= 1))),
                web.get("/fal/requests/{id}", self._result),
                web.post("/suno/tasks", self._retrieve),
            ]
        )
        return app

    @web.middleware
    async def _count(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self._tasks.requests += 1
        return await handler(request)

    def _one(self, body: Callable[[str, float], bytes]) -> Handler:
        async def answer(request: web.Request) -> web.Response:
            task_id = request.match_info["id"]
            return told(body(task_id, self._tasks.look(task_id)))

        return answer

    async def _rows(self, request: web.Request) -> web.Response:
        ids = _decode(await request.read())["ids"]
        return told(answers.envelope(b"[" + b",".join(answers.row(i, self._tasks.look(i)) for i in ids) + b"]"))

    async def _accept(self, request: web.Request) -> web.Response:
        return told(b"{}", status=202, headers={"Operation-Location": str(request.url)})

    async def _result(self, request: web.Request) -> web.Response:
        return told(answers.fal_result(request.match_info["id"]))

    async def _retrieve(self, request: web.Request) -> web.Response:
        task_id = str(_decode(await request.read())["id"])
        return told(answers.acedatacloud(task_id, done=self._tasks.look(task_id) >= 1))


async def serve(waits: int, ids: Path) -> None:
    """Serves until standard input closes."""
    tasks = Tasks(waits)
    runner = web.AppRunner(Routes(tasks).app(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    await anyio.Path(ids).write_text("\n".join(tasks.ids))
    host, port = runner.addresses[0][:2]
    print(json.dumps({"url": f"http://{host}:{port}", "api_key": KEY}), flush=True)
    while await to_thread.run_sync(sys.stdin.readline):
        print(json.dumps(tasks.counts()), flush=True)
    await runner.cleanup()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, required=True)
    parser.add_argument("--ids", type=Path, required=True)
    arguments = parser.parse_args()
    anyio.run(serve, arguments.tasks, arguments.ids)
