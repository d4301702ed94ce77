"""Faults 21 and 22 by weight: in a process that may not grow, against servers that would have it grow without end.

The bound over all is (concurrency + submissions) x 5 MiB: for each request in flight the cap of 4 MiB, and one more.
"""

import json
import sys
from pathlib import Path
from typing import Any

import anyio
import brotli
import pytest
from verdicts import whole
from wire import Call, Wire, answer, raw

BOUNDED = Path(__file__).with_name("bounded.py")
MIB = 2**20


async def grown(wire: Wire, count: int, most: int) -> dict[str, Any]:
    """What a child process says that had twice ``count`` requests in flight, and ``most`` bytes to grow by."""
    words = [sys.executable, str(BOUNDED), wire.url, str(count), str(most)]
    with anyio.fail_after(60):
        done = await anyio.run_process(words, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


class Together:
    """Lets nobody go on before ``count`` are here."""

    def __init__(self, count: int) -> None:
        self._missing = count
        self._all = anyio.Event()

    async def wait(self) -> None:
        """Returns once all are here."""
        self._missing -= 1
        if self._missing == 0:
            self._all.set()
        await self._all.wait()


async def test_two_hundred_bombs_at_once_stay_closed():
    """21: 405 bytes that would be 256 MiB stay 405 bytes: 400 of them at once cost half a MiB each at most."""
    packed = brotli.compress(bytes(2**28), quality=9)
    assert len(packed) == 405
    bomb, together = answer(packed, headers={"Content-Encoding": "br"}), Together(400)

    async def step(call: Call) -> bytes:
        if not 1 < call.number <= 401:
            return whole(call)
        await together.wait()
        return bomb

    async with Wire(step) as wire:
        seen = await grown(wire, 200, 200 * MIB)
    assert seen["grown"] < 200 * MIB
    assert seen["ends"].pop("submit: SubmitUnknown") == 200
    # looks are made again, as far as the retry quota goes; submissions are not
    assert seen["ends"]["look: answered"] >= 1
    assert sum(seen["ends"].values()) == 200
    assert len(wire.posts) == 200


BLOCK = b"x" * 65536
FILLED = 4 * MIB - 2**17
FAT = [f"X-{number}: {'y' * 8000}" for number in range(120)]
LONG, AGAIN = "look: UnexpectedResponse", "look: answered"
FLOODS = {
    "chunks": (raw("HTTP/1.1 200 OK", "Transfer-Encoding: chunked"), b"10000\r\n" + BLOCK + b"\r\n", FILLED, LONG),
    "no end": (raw("HTTP/1.1 500 Whatever"), BLOCK, FILLED, LONG),
    "compressed": (raw("HTTP/1.1 200 OK", "Content-Encoding: br"), BLOCK, FILLED, AGAIN),
    "a fat head and a length": (raw("HTTP/1.1 200 OK", *FAT, f"Content-Length: {2**30}"), BLOCK, FILLED, LONG),
}


ALWAYS = {"chunks", "a fat head and a length"}
EACH = [
    pytest.param(*flood, id=name, marks=[pytest.mark.long] * (name not in ALWAYS)) for name, flood in FLOODS.items()
]


@pytest.mark.parametrize(("head", "piece", "filled", "look"), EACH)
async def test_answers_without_end_cost_five_megabytes_each(head, piece, filled, look):
    """22: with 32 requests in flight, each of them full, the process has grown by 32 times 5 MiB at most."""
    together = Together(32 if look == LONG else 16)

    async def step(call: Call) -> bytes | None:
        if not 1 < call.number <= 33:
            return whole(call)
        await call.send(head)
        await call.repeat(piece, filled)
        # so much as may still be kept, for everybody at once; and when everybody has it, more without end
        if look == LONG or call.method == "POST":
            await together.wait()
        await call.repeat(piece, 2**28)
        return None

    async with Wire(step) as wire:
        seen = await grown(wire, 16, 32 * 5 * MIB)
    assert seen["grown"] <= 32 * 5 * MIB
    assert seen["ends"] == {look: 16, "submit: SubmitUnknown": 16}
    assert len(wire.posts) == 16


HEADS = [
    (b"HTTP/1.1 200 OK\r\n", b"X: " + b"y" * 8000 + b"\r\n"),
    (b"HTTP/1.1 200 OK\r\nX: ", BLOCK),
    (b"HTTP/1.1 200 ", BLOCK),
]


async def test_heads_without_end_cost_less_than_a_megabyte_each():
    """25: headers, one header and a status line that never end are given up early."""

    async def step(call: Call) -> bytes | None:
        if not 1 < call.number <= 33:
            return whole(call)
        head, piece = HEADS[call.number % 3]
        await call.send(head)
        await call.repeat(piece, 2**28)
        return None

    async with Wire(step) as wire:
        seen = await grown(wire, 16, 32 * MIB)
    assert seen["grown"] <= 32 * MIB
    assert seen["ends"] == {"look: answered": 16, "submit: SubmitUnknown": 16}
    assert len(wire.posts) == 16
