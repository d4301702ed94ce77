"""What anybody would write by hand, to compare with: aiohttp and msgspec, no limits, no retries, no second thought."""

import time

import aiohttp
import anyio
import msgspec

_encode = msgspec.json.Encoder().encode


class Row(msgspec.Struct):
    """The fields a loop needs."""

    task_id: str
    status: str


class One(msgspec.Struct):
    """The answer to a look at one task."""

    code: str
    data: Row


class Many(msgspec.Struct):
    """The answer to a look at many tasks."""

    code: str
    data: list[Row]


_one = msgspec.json.Decoder(One).decode
_many = msgspec.json.Decoder(Many).decode


def session(api_key: str) -> aiohttp.ClientSession:
    """A session as everybody makes it."""
    return aiohttp.ClientSession(headers={"Authorization": f"Bearer {api_key}"})


async def fetch(http: aiohttp.ClientSession, url: str, task_id: str) -> Row:
    """One look at one task."""
    async with http.get(f"{url}/suno/fetch/{task_id}") as response:
        return _one(await response.read()).data


async def batches(http: aiohttp.ClientSession, url: str, ids: list[str], size: int, pace: float) -> tuple[int, float]:
    """Every id looked at once, evenly over ``pace`` seconds: how many looks, and the processor seconds they took."""
    looks, cpu, start = 0, time.process_time(), time.monotonic()
    for first in range(0, len(ids), size):
        body = _encode({"ids": ids[first : first + size]})
        async with http.post(f"{url}/suno/fetch", data=body, headers={"Content-Type": "application/json"}) as response:
            looks += len(_many(await response.read()).data)
        late = time.monotonic() - start - pace * (first + size) / len(ids)
        await anyio.sleep(max(0.0, -late))
    return looks, time.process_time() - cpu
