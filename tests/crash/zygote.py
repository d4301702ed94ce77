"""The zygote: it has imported everything and has no loop, so that a child costs a fork and not half a second."""

import gc
import os
import socket
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import IO, Self

import msgspec

ROOT = Path(__file__).parent.parent.parent


class Birth(msgspec.Struct):
    """A child, and the parent's end of its pipe."""

    process: int
    pipe: socket.socket


class Zygote:
    """The parent's side: children to order, and to bury."""

    def __init__(self, errors: IO[bytes]) -> None:
        self._control, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-m", "tests.crash.zygote", str(theirs.fileno())]
            self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], cwd=ROOT, stderr=errors)  # noqa: S603

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._control.close()
        self._process.wait()

    def bear(self, life: bytes) -> Birth:
        """A child with this life before it."""
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._control, [life], [theirs.fileno()])
            return Birth(int(self._control.recv(20)), ours)

    def bury(self, child: int) -> int:
        """What a child that is dead died of: a signal, or 0. Until now nobody else could get its number."""
        self._control.send(str(child).encode())
        return os.WTERMSIG(int(self._control.recv(20)))


def serve(control: socket.socket) -> None:
    """Fork and wait as the parent says, until it is gone."""
    from .lives import Life, run

    import_module("anyio._backends._asyncio")  # which anyio itself would import in every child, for 50 ms
    gc.collect()
    gc.freeze()
    while message := socket.recv_fds(control, 65_536, 1):
        order, pipes = message[0], message[1]
        if not order:
            return
        if not pipes:
            control.send(str(os.waitpid(int(order), 0)[1]).encode())
            continue
        child = os.fork()
        if child == 0:
            control.close()
            try:
                run(msgspec.json.decode(order, type=Life), pipes[0])
            finally:
                os._exit(0)
        os.close(pipes[0])
        control.send(str(child).encode())


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
