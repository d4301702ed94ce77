"""Faults of the process: Ctrl-C in a program that uses the client, and no file descriptor left."""

import os
import resource
import signal
import subprocess
import sys
from contextlib import contextmanager

import anyio
import pytest
from verdicts import ACCEPTED, CAT, KEY, assert_fit_to_be_shown, assert_song, client, outcome_of, whole
from wire import HASTY, Call, Wire, answer, seen, until

from suno_async import GatewayUnavailable, Suno

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and limits of POSIX")

PROGRAM = """
import anyio, sys
from suno_async import Fixed, Inspiration, Suno

async def main():
    async with Suno(sys.argv[1], api_key=sys.argv[2], journal=sys.argv[3], pace=Fixed(0.05)) as suno:
        if sys.argv[4] == "wait":
            await suno.wait("task_1")
        elif sys.argv[4] == "stream":
            async for task in suno.as_completed(["task_1", "task_2"]):
                pass
        else:
            await suno.submit(Inspiration("a song about a cat"))
        print("not interrupted")

anyio.run(main)
"""


@pytest.mark.parametrize(
    ("verb", "kept"), [("wait", ["task_1"]), ("stream", ["task_1", "task_2"]), ("submit", ["task_9"])]
)
async def test_a_program_that_is_interrupted_ends_and_keeps_its_tasks(tmp_path, verb, kept):
    """91: KeyboardInterrupt comes out, nothing else is said; what is open, or was sent just then, is in the journal."""
    interrupted = anyio.Event()

    async def step(call: Call) -> bytes:
        if "/submit/" not in call.path:
            return seen(call, "IN_PROGRESS")
        await interrupted.wait()
        await anyio.sleep(0.2)
        return answer({"code": "success", "message": "", "data": "task_9"})

    journal = tmp_path / "a.journal"
    async with Wire(step) as wire:
        words = [sys.executable, "-X", "dev", "-W", "error", "-c", PROGRAM, wire.url, KEY, str(journal), verb]
        async with await anyio.open_process(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            await until(lambda: wire.asked)
            process.send_signal(signal.SIGINT)
            interrupted.set()
            with anyio.fail_after(30):
                told = b"".join([part async for part in process.stderr]).decode()
                printed = b"".join([part async for part in process.stdout])
                await process.wait()
        assert process.returncode == -signal.SIGINT
        assert printed == b""
        assert told.splitlines()[-1] == "KeyboardInterrupt"
        assert ("task_9" in told) == (verb == "submit")
        assert not any(word in told for word in ("Unclosed", "never awaited", "destroyed", "ResourceWarning", KEY))
        async with Suno(wire.url, api_key=KEY, journal=journal) as suno:
            assert sorted(job.task_id for job in await suno.resume()) == kept
            assert await suno.unknown() == []
        assert len(wire.posts) == (verb == "submit")


@contextmanager
def no_more_files():
    """Nothing can be opened, as where a process has used up its file descriptors."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    held = [os.open(os.devnull, os.O_RDONLY)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (held[0], hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        os.close(held[0])


@pytest.mark.parametrize("anyio_backend", [HASTY], ids=["hasty"])
async def test_a_process_without_file_descriptors_is_in_an_outage(anyio_backend):
    """99: looks and submissions end as not sent, a wait goes on; when there are files again, the song comes."""
    async with Wire(whole) as wire, client(wire.url) as suno, anyio.create_task_group() as group:
        found = []

        async def wait() -> None:
            found.append(await suno.wait("task_1", timeout=600))

        with no_more_files():
            with pytest.raises(OSError, match="Too many open files"):
                os.open(os.devnull, os.O_RDONLY)
            for verb in (suno.fetch("task_1"), suno.submit(CAT), suno.fetch_many(["task_1", "task_2"])):
                with pytest.raises(GatewayUnavailable) as caught:
                    await verb
                assert_fit_to_be_shown(caught.value)
            group.start_soon(wait)
            await anyio.sleep(5)
            assert not found
            assert wire.asked == 0
        await until(lambda: found)
        assert_song(found[0])
        assert await outcome_of(suno.submit(CAT), wire) == ACCEPTED
        assert len(wire.posts) == 1
