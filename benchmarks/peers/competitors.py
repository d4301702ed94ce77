"""The competitors: how each waits for one task, as its own documentation has it, with one second between looks.

Each is a context that opens a client and gives ``prepare(task_id)``, which does what a submission would have done and
gives the wait itself. No logs and no traces; pools and retries are as they come.
"""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple

import anyio
import msgspec

from . import answers
from .schedule import EVERY

Wait = Callable[[], Awaitable[object]]
Prepare = Callable[[str], Awaitable[Wait]]
Open = Callable[[str, str], AbstractAsyncContextManager[Prepare]]

BATCH = 100
FINAL = frozenset({"SUCCESS", "FAILURE"})
_sleep = asyncio.sleep  # noqa: TID251 - what is compared with sleeps as everybody does


class Competitor(NamedTuple):
    """Who waits."""

    title: str
    open: Open
    package: str = ""
    """What has to be installed; empty for what comes with this library."""

    def version(self) -> str | None:
        """The version that is installed, if it has to be."""
        try:
            return version(self.package) if self.package else ""
        except PackageNotFoundError:
            return None


def _ready(wait: Callable[[str], Awaitable[object]]) -> Prepare:
    """For those whose wait takes an id: nothing to prepare."""

    async def prepare(task_id: str) -> Wait:
        return partial(wait, task_id)

    return prepare


@asynccontextmanager
async def ours(url: str, api_key: str, batch_size: int) -> AsyncIterator[Prepare]:
    """This library; as many connections as aiohttp gives to the others."""
    from suno_async import Fixed, Suno

    async with Suno(url, api_key=api_key, pace=Fixed(EVERY), batch_size=batch_size, concurrency=100) as suno:
        yield _ready(suno.wait)


class Song(msgspec.Struct):
    """What whoever waits has come for."""

    id: str
    title: str
    audio_url: str


class Row(msgspec.Struct):
    """What a loop by hand reads of a row; the songs only once they are there."""

    task_id: str
    status: str
    data: msgspec.Raw


class One(msgspec.Struct):
    """The answer to a look at one task."""

    code: str
    data: Row


class Many(msgspec.Struct):
    """The answer to a look at many tasks."""

    code: str
    data: list[Row]


_one, _many = msgspec.json.Decoder(One).decode, msgspec.json.Decoder(Many).decode
_songs = msgspec.json.Decoder(list[Song]).decode


@asynccontextmanager
async def bare_loop(url: str, api_key: str) -> AsyncIterator[Prepare]:
    """The leanest loop for each task: aiohttp and msgspec, the status decoded and at the end the songs."""
    from ..bare import session

    async with session(api_key) as http:

        async def wait(task_id: str) -> object:
            while True:
                async with http.get(f"{url}/suno/fetch/{task_id}") as response:
                    row = _one(await response.read()).data
                if row.status in FINAL:
                    return _songs(row.data)
                await _sleep(EVERY)

        yield _ready(wait)


@asynccontextmanager
async def batch_loop(url: str, api_key: str) -> AsyncIterator[Prepare]:
    """One loop by hand for all tasks: a hundred ids in a request, a future for each caller, the songs at the end."""
    from ..bare import session

    encode = msgspec.json.Encoder().encode
    futures: dict[str, asyncio.Future[list[Song]]] = {}

    async def rounds() -> None:
        while futures:
            ids = list(futures)
            for first in range(0, len(ids), BATCH):
                body = encode({"ids": ids[first : first + BATCH]})
                async with http.post(f"{url}/suno/fetch", data=body, headers=headers) as response:
                    for row in _many(await response.read()).data:
                        if row.status in FINAL:
                            futures.pop(row.task_id).set_result(_songs(row.data))
            if futures:
                await _sleep(EVERY)

    async def wait(task_id: str) -> object:
        if not futures:
            group.start_soon(rounds)
        future = futures[task_id] = asyncio.get_running_loop().create_future()
        return await future

    headers = {"Content-Type": "application/json"}
    async with session(api_key) as http, anyio.create_task_group() as group:
        yield _ready(wait)


@asynccontextmanager
async def naive(url: str, api_key: str) -> AsyncIterator[Prepare]:
    """What users write: a session, ``response.json()``, a sleep."""
    import aiohttp

    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {api_key}"}) as http:

        async def wait(task_id: str) -> object:
            while True:
                async with http.get(f"{url}/suno/fetch/{task_id}") as response:
                    response.raise_for_status()
                    task = (await response.json())["data"]
                if task["status"] in FINAL:
                    return task
                await _sleep(EVERY)

        yield _ready(wait)


@asynccontextmanager
async def azure(url: str, api_key: str) -> AsyncIterator[Prepare]:
    """A poller of long-running operations, in a pipeline as generated clients build it."""
    core, rest, policies = map(import_module, ("azure.core", "azure.core.rest", "azure.core.pipeline.policies"))
    polling: Any = import_module("azure.core.polling")
    method: Any = import_module("azure.core.polling.async_base_polling").AsyncLROBasePolling
    chain = [
        policies.RequestIdPolicy(),
        policies.HeadersPolicy({"Authorization": f"Bearer {api_key}"}),
        policies.UserAgentPolicy(),
        policies.ContentDecodePolicy(),
        policies.AsyncRedirectPolicy(),
        policies.AsyncRetryPolicy(),
    ]
    async with core.AsyncPipelineClient(url, policies=chain) as client:

        async def prepare(task_id: str) -> Wait:
            request = rest.HttpRequest("POST", f"{url}/azure/operations/{task_id}")
            first = await client.send_request(request, _return_pipeline_response=True)
            poller = polling.AsyncLROPoller(client, first, lambda response: response, method(timeout=EVERY))
            result: Wait = poller.result
            return result

        yield prepare


@asynccontextmanager
async def openai(url: str, api_key: str, transport: str = "") -> AsyncIterator[Prepare]:
    """The poll of a vector store's batch of files, over the transport of that name or the default one."""
    package: Any = import_module("openai")
    http = {"http_client": getattr(package, transport)()} if transport else {}
    async with package.AsyncOpenAI(api_key=api_key, base_url=f"{url}/openai", **http) as client:
        poll = client.vector_stores.file_batches.poll
        yield _ready(partial(poll, vector_store_id=answers.STORE, poll_interval_ms=int(EVERY * 1000)))


@asynccontextmanager
async def replicate(url: str, api_key: str) -> AsyncIterator[Prepare]:
    """``async_wait()`` of a prediction that runs."""
    client: Any = import_module("replicate").Client(api_token=api_key, base_url=url)
    client.poll_interval = EVERY

    async def prepare(task_id: str) -> Wait:
        wait: Wait = (await client.predictions.async_get(task_id)).async_wait
        return wait

    yield prepare


@asynccontextmanager
async def fal(url: str, api_key: str) -> AsyncIterator[Prepare]:
    """``get()`` of a handle; its addresses are replaced, because the package has https:// written into it."""
    client: Any = import_module("fal_client").AsyncClient(key=api_key)

    async def prepare(task_id: str) -> Wait:
        handle = await client.get_handle("fal-ai/music", task_id)
        here = f"{url}/fal/requests/{task_id}"
        handle = dataclasses.replace(handle, status_url=f"{here}/status", response_url=here)
        return partial(handle.get, interval=EVERY)

    yield prepare


@asynccontextmanager
async def acedatacloud(url: str, api_key: str) -> AsyncIterator[Prepare]:
    """``tasks.wait()`` of another service for Suno."""
    client: Any = import_module("acedatacloud").AsyncAceDataCloud(api_token=api_key, base_url=url)
    async with client:
        yield _ready(partial(client.tasks.wait, service="suno", poll_interval=EVERY))


COMPETITORS = {
    "ours-get": Competitor("suno_async, by GET", partial(ours, batch_size=1)),
    "bare-loop": Competitor("a bare loop for each task: aiohttp + msgspec", bare_loop),
    "ours-batch": Competitor("suno_async, by batch", partial(ours, batch_size=BATCH)),
    "batch-loop": Competitor("a batch loop by hand: aiohttp + msgspec", batch_loop),
    "naive": Competitor("gather and sleep: aiohttp + json", naive),
    "azure": Competitor("azure-core", azure, "azure-core"),
    "openai": Competitor("openai, httpx", openai, "openai"),
    "openai-aiohttp": Competitor("openai, aiohttp", partial(openai, transport="DefaultAioHttpClient"), "openai"),
    "replicate": Competitor("replicate", replicate, "replicate"),
    "fal": Competitor("fal-client", fal, "fal-client"),
    "acedatacloud": Competitor("acedatacloud", acedatacloud, "acedatacloud"),
}
"""By the name that ``python -m benchmarks.peers.run`` knows them by."""
