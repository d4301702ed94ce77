"""A command line in this process, and a gateway in a thread beside it."""

import json
import os
import signal
import sqlite3
import sys
import threading
from contextlib import ExitStack
from functools import partial
from http.client import HTTPConnection
from io import StringIO
from typing import Any, NamedTuple

import pytest
from anyio.from_thread import start_blocking_portal
from wire import Call, Wire, answer

from suno_async.engine.journal import Store
from suno_async.extras.cli import main
from suno_async.testing import Gateway


class Ended(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[Any]:
        """Each line of stdout, decoded."""
        return [json.loads(line) for line in self.out.splitlines()]


class Served:
    """A gateway in a loop and thread of its own."""

    def __init__(self, gateway: Gateway, portal: Any) -> None:
        self.url, self.api_key, self.counts, self.faults = gateway.url, gateway.api_key, gateway.counts, gateway.faults
        self.access_token, self.user_id = gateway.access_token, gateway.user_id
        self.requests = gateway.requests
        self._gateway, self._portal = gateway, portal

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._gateway, name)
        return lambda *args, **named: self._portal.call(partial(method, *args, **named))


class Terminal(StringIO):
    """What a terminal was sent."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch):
    """No configuration and no journal but the test's own, and a terminal that is no particular one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    ours = "SUNO_BASE_URL", "SUNO_API_KEY", "SUNO_JOURNAL", "SUNO_ACCESS_TOKEN"
    for name in (*ours, "NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")


@pytest.fixture
def folder(tmp_path):
    """Where the journals lie that nobody has named."""
    return tmp_path / "state" / "suno-async" / "journal"


@pytest.fixture
def write_journal(folder):
    """Write a journal as a process that is gone has left it, and close it."""

    def write(name, *operations):
        folder.mkdir(parents=True, exist_ok=True)
        store = Store(folder / name)
        store.commit(operations)
        store.close()
        return folder / name

    return write


@pytest.fixture
def spoil():
    """Change a row of a journal behind its back."""

    def change(path, statement="UPDATE tasks SET reason = 'changed' WHERE task_id = 'spoilt'"):
        connection = sqlite3.connect(path)
        connection.execute(statement)
        connection.commit()
        connection.close()

    return change


@pytest.fixture
def held():
    """Journals that are in use, by this process, until the test is over."""
    stores = []

    def hold(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        stores.append(Store(path))
        return path

    yield hold
    for store in stores:
        store.close()


@pytest.fixture
def over():
    """Set once a command line has ended."""
    return threading.Event()


@pytest.fixture
def cli(capsys, over):
    """Run one command line, and what it ended with."""

    def run(*words):
        code = main([str(word) for word in words])
        over.set()
        return Ended(code, *capsys.readouterr())

    return run


@pytest.fixture
def make_gateway():
    """A gateway whose rows move only when they are told to, unless ``beat`` says otherwise."""
    with start_blocking_portal() as portal:

        class Opened:
            def __init__(self):
                self.stack = []

            def __call__(self, **knobs):
                async def make():
                    return Gateway(**{"beat": float("inf"), "failure_rate": 0, **knobs})

                gateway = portal.call(make)
                context = portal.wrap_async_context_manager(gateway)
                context.__enter__()
                self.stack.append(context)
                return Served(gateway, portal)

        opened = Opened()
        yield opened
        for context in opened.stack:
            context.__exit__(None, None, None)


@pytest.fixture
def gateway(make_gateway, monkeypatch):
    """A quiet gateway, exported as the command ``gateway`` would have it."""
    served = make_gateway()
    monkeypatch.setenv("SUNO_BASE_URL", served.url)
    monkeypatch.setenv("SUNO_API_KEY", served.api_key)
    return served


@pytest.fixture
def private(make_gateway, monkeypatch):
    """A gateway with everything that is not stock's, where whatever is asked for is there a moment later."""
    served = make_gateway(profile="private", speed=1e5)
    monkeypatch.setenv("SUNO_BASE_URL", served.url)
    monkeypatch.setenv("SUNO_API_KEY", served.api_key)
    return served


@pytest.fixture
def clip(private, cli):
    """A song's own id."""
    return cli("fetch", private.put(), "--json").lines[0]["songs"][0]["id"]


@pytest.fixture
def set_going(private, clip):
    """Have an act of the clip made, so that it is there when it is asked for."""

    def ask(act):
        connection = HTTPConnection(private.url.partition("//")[2])
        connection.request("GET", f"/suno/act/{act}/{clip}", headers={"Authorization": f"Bearer {private.api_key}"})
        connection.getresponse().read()
        connection.close()

    return ask


@pytest.fixture
def make_wire(monkeypatch):
    """A raw server that says exactly what it is told to, as the gateway."""
    with start_blocking_portal() as portal, ExitStack() as stack:

        def make(*steps):
            wire = Wire(*steps)
            stack.enter_context(portal.wrap_async_context_manager(wire))
            monkeypatch.setenv("SUNO_BASE_URL", wire.url)
            monkeypatch.setenv("SUNO_API_KEY", "sk-0123456789abcdef")
            return wire

        yield make


@pytest.fixture
def sent(make_wire):
    """What was submitted to a gateway that accepts everything: each action, and its body."""
    submitted = []

    def accept(call: Call) -> bytes:
        submitted.append((call.path.removeprefix("/suno/submit/"), json.loads(call.body)))
        return answer({"code": "success", "message": "", "data": f"task_{len(submitted)}"})

    make_wire(accept)
    return submitted


@pytest.fixture
def stdin(monkeypatch):
    """Put a text on stdin."""
    return lambda text: monkeypatch.setattr(sys, "stdin", StringIO(text))


@pytest.fixture
def terminal(monkeypatch):
    """Make stderr, or stdout, a terminal, and see what it is sent."""

    def open_(name="stderr"):
        screen = Terminal()
        monkeypatch.setattr(sys, name, screen)
        return screen

    return open_


@pytest.fixture
def interrupt(over):
    """Send this process a signal as soon as a condition holds."""
    threads = []

    def later(condition, number=signal.SIGINT):
        def watch():
            while not condition() and not over.wait(0.01):
                pass
            if not over.wait(0.05):
                os.kill(os.getpid(), number)

        threads.append(threading.Thread(target=watch))
        threads[-1].start()

    yield later
    over.set()
    for thread in threads:
        thread.join()
