"""The local gateway: opened, driven and watched."""

import math
import sys
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from random import Random
from types import TracebackType
from typing import Any, Literal, Self, get_args

import anyio
from aiohttp import web
from anyio.abc import TaskGroup, TaskStatus

from .clock import Clock
from .desk import Desk
from .encoding import STARTED
from .eras import ERAS, EraName
from .faults import Faults
from .keys import PRICES
from .private import Private
from .rounds import Rounds
from .routes import Routes, Seen
from .rows import FINAL, Row
from .songs import Order, Songs

HOST = "127.0.0.1"
ProfileName = Literal["stock", "private"]
BODY_LIMIT = 128 * 2**20  # MAX_REQUEST_BODY_MB of new-api 2026
_NUMBER = (int, float)
_SMALLEST, _LARGEST = math.ulp(0), sys.float_info.max
_RANGES: dict[str, tuple[Any, float, float, str]] = {
    "speed": (_NUMBER, _SMALLEST, _LARGEST, "greater than 0 and finite"),
    "median": (_NUMBER, _SMALLEST, math.inf, "greater than 0"),
    "sigma": (_NUMBER, 0, _LARGEST, "0 or more"),
    "failure_rate": (_NUMBER, 0, 1, "between 0 and 1"),
    "beat": (_NUMBER, _SMALLEST, math.inf, "greater than 0"),
    "port": (int, 0, 65_535, "a whole number from 0 to 65535"),
}


class Gateway:
    """A real local server that behaves as the gateway software (new-api) does.

    ``async with Gateway() as gateway:`` listens on ``gateway.url``; ``gateway.api_key`` is an unlimited key. Songs take
    log-normal times and become visible only in rounds of 15 s, as on the real software; ``speed=100`` runs all of it a
    hundred times faster, while every length it reports stays real: its clock runs on as fast, away from yours, so
    ``Suno.reconcile()``, which compares the two, needs ``speed=1``. The same ``seed`` makes the same ids, lengths,
    failures and faults.

    Args:
        profile: ``"stock"``: new-api as it is published: songs and lyrics, every other field is dropped, every other
            path is a page. ``"private"``: as gateways extend it. Fields are kept; music has the tasks extend,
            upload_extend, cover, infill, artist_consistency and gen_stem (twelve stems cost five times as much), and
            there is concat; uploads by URL and of files; wav, mp4, midi, timing and stems of a clip, which are there
            some time after the first question; tags, personas, feed; a chat, whose models are suno-v3 and suno-v3.5.
            Clips and personas must exist, in the same account.
        era: ``"2026"`` (rows with id, updated_at, quota ...) or ``"2025"`` (short rows, uuid ids, Chinese texts).
        seed: what ids, keys, lengths, failures and faults follow from.
        speed: how many seconds of gateway time pass in one real second.
        port: where to listen on 127.0.0.1; 0 takes a free port.
        median: median length of a song's making, in seconds; lyrics take about 12.
        sigma: spread of the lengths (standard deviation of their logarithm).
        failure_rate: share of tasks that fail, 4 to 23 s after their submission.
        faults: what goes wrong, by name and rate between 0 and 1; ``FAULTS`` tells the names.
        beat: seconds of sleep between two rounds (``math.inf``: rows move only when they are told to).

    Attributes:
        api_key: an unlimited key of account 1.
        access_token: what account 1 shows, with ``New-Api-User: {user_id}``, to see its tasks.
        user_id: 1.
        faults: rates by name; set, change and clear them at run time, or ``faults.once(name)``.
        counts: submissions, accepted, singles, batches, ids_asked, audio, and how often each fault struck.

    Raises:
        ValueError: an unknown profile, era or fault, a rate outside 0 to 1, a speed, median or beat that is not
            positive, a port that is none, or whatever is not of its type.
    """

    def __init__(
        self,
        *,
        profile: ProfileName = "stock",
        era: EraName = "2026",
        seed: int | str = 0,
        speed: float = 1.0,
        port: int = 0,
        median: float = 100.0,
        sigma: float = 0.35,
        failure_rate: float = 0.05,
        faults: Mapping[str, float] | None = None,
        beat: float = 15.0,
    ) -> None:
        numbers = {"speed": speed, "median": median, "sigma": sigma, "failure_rate": failure_rate, "beat": beat}
        _check(profile, era, {**numbers, "port": port})
        self.counts: Counter[str] = Counter()
        self.faults = Faults({} if faults is None else faults, seed, self.counts)
        self._clock = Clock(speed)
        songs = Songs(Random(f"{seed}/songs"), median=median, sigma=sigma, failure_rate=failure_rate)
        self._desk = Desk(ERAS[era], self._clock, songs, self.faults, seed)
        self._routes = Routes(self._desk, seed, Private(self._desk, seed) if profile == "private" else None)
        self._rounds = Rounds(self._desk, Random(f"{seed}/rounds"), beat)
        self._port = port
        self._resources = AsyncExitStack()
        self._group: TaskGroup | None = None
        self._runner: web.ServerRunner | None = None
        self._pulse: anyio.CancelScope
        self.api_key = self.add_key()
        self.user_id = 1
        self.access_token = self.add_access_token()

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT``."""
        return f"http://{HOST}:{self._port}"

    @property
    def requests(self) -> deque[Seen]:
        """The last thousand requests: method, path, ids asked for."""
        return self._routes.requests

    @property
    def looks(self) -> Counter[str]:
        """How often each id was looked at, alone or in a batch."""
        return self._desk.looks

    @property
    def submissions(self) -> Counter[bytes]:
        """How often each body of a submission came in, whatever became of it."""
        return self._desk.submissions

    @property
    def accepted(self) -> dict[bytes, list[str]]:
        """The tasks, all of them charged, that each body of a submission was accepted as."""
        return self._desk.accepted

    def now(self) -> float:
        """Gateway time, in Unix seconds."""
        return self._clock.now()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self._clock.start()
            stack.push_async_callback(self._close)
            await self._listen()
            self._group = await stack.enter_async_context(anyio.create_task_group())
            stack.callback(self._group.cancel_scope.cancel)
            self._pulse = await self._group.start(self._beat)
            self._resources = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # not handed on to the task group: it would wrap the caller's own error in an ExceptionGroup
        self._group = None
        await self._resources.aclose()

    async def _beat(self, *, task_status: TaskStatus[anyio.CancelScope]) -> None:
        with anyio.CancelScope() as pulse:
            task_status.started(pulse)
            await self._rounds.run()

    async def _listen(self) -> None:
        server = web.Server(self._routes.handle, request_factory=_request, handler_cancellation=True, access_log=None)
        self._runner = web.ServerRunner(server, shutdown_timeout=0.05)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, self._port).start()
        self._port = self._runner.addresses[0][1]
        self._desk.encoder.url = self.url

    async def _close(self) -> None:
        runner, self._runner = self._runner, None
        if runner is not None:
            with anyio.CancelScope(shield=True):
                await runner.cleanup()

    async def restart(self, down: float = 0.0) -> None:
        """Go down, lose every connection, come back at the same address after ``down`` seconds of gateway time.

        The rows stay; the rounds begin anew, so their phase jumps.
        """
        group = self._opened()
        self._pulse.cancel()
        await self._close()
        await self._clock.sleep(down)
        await self._listen()
        self._pulse = await group.start(self._beat)

    def _opened(self) -> TaskGroup:
        if self._group is None:
            raise RuntimeError("the gateway is not open")
        return self._group

    async def serve_forever(self) -> None:
        """Open the gateway, unless it is open, and serve until cancelled."""
        if self._group is not None:
            await anyio.sleep_forever()
        async with self:
            await anyio.sleep_forever()

    def add_key(self, *, quota: int | None = None, models: Iterable[str] = (), account: int = 1) -> str:
        """A further key: unlimited or with a quota (a song costs 50,000, lyrics 5,000), for all models or for some.

        Keys of one account see each other's tasks.
        """
        return self._desk.keys.add(quota, models, account).text

    def add_access_token(self, account: int = 1) -> str:
        """A further token with which an account, not one of its keys, may list its tasks."""
        return self._desk.keys.add_access_token(account)

    def seed_tasks(
        self, count: int, *, status: str = "IN_PROGRESS", duration: float | None = None, action: str = "MUSIC"
    ) -> list[str]:
        """Plant so many running tasks at once and return their ids, in order of insertion.

        They go on as submitted tasks do, each for its own length or all for ``duration`` seconds from now
        (``math.inf``: for ever). A million takes a few seconds, in which the loop stands still.
        """
        rows = self._desk.new_rows(Order(action=action, price=PRICES[action]), count, duration)
        for row in rows:
            row.status = status
            if status in STARTED:
                row.starts = row.submitted
        self._desk.table.add(rows)
        return [row.task_id for row in rows]

    def put(
        self,
        task_id: str | None = None,
        *,
        status: str = "SUCCESS",
        action: str = "MUSIC",
        account: int = 1,
        **columns: Any,
    ) -> str:
        """Plant or replace one task that no round touches, and return its id.

        ``columns`` overrule what the row would show for its status: ``data=None``, ``progress="45%"``,
        ``fail_reason="..."``.
        """
        order = Order(action=action, price=PRICES.get(action, 0), account=account)
        row = self._desk.new_rows(order, 1, None)[0]
        row.task_id = task_id or row.task_id
        row.status, row.reason, row.fixed = status, columns.get("fail_reason", ""), columns or None
        _age(row)
        self._desk.table.plant(row)
        self._desk.encoder.forget(row)
        return row.task_id

    def finish(self, task_id: str, **columns: Any) -> None:
        """Let a task succeed now, visibly; KeyError if there is none."""
        self._settle(task_id, "SUCCESS", "", columns)

    def fail(self, task_id: str, reason: str = "moderation_failure: prompt was flagged", **columns: Any) -> None:
        """Let a task fail now, visibly; KeyError if there is none."""
        self._settle(task_id, "FAILURE", reason, columns)

    def _settle(self, task_id: str, status: str, reason: str, columns: dict[str, Any]) -> None:
        row, now = self._desk.table.get(task_id), self.now()
        changed = self._desk.encoder.forget if row.status in FINAL else self._desk.changed  # refunds come once
        row.status, row.reason, row.fixed = status, reason, columns or None
        row.starts, row.ends, row.updated = min(row.starts, now), now, int(now)
        changed(row)

    async def round(self) -> None:
        """Refresh the oldest unfinished rows once, now, beside the regular rounds."""
        self._opened()
        await self._rounds.one()


def _request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
    """A request that may be as large as the gateway allows."""
    return web.BaseRequest(message, payload, protocol, writer, task, task.get_loop(), client_max_size=BODY_LIMIT)


def _age(row: Row) -> None:
    """Move a planted row into the past, so that nothing it tells lies in the future."""
    if row.status in STARTED:
        age = (row.ends if row.status in FINAL else row.starts) - row.submitted
        row.submitted, row.starts, row.ends = row.submitted - age, row.starts - age, row.ends - age


def _check(profile: object, era: object, numbers: dict[str, object]) -> None:
    if profile not in get_args(ProfileName):
        raise ValueError(f"profile is stock or private, not {profile!r}")
    if era not in get_args(EraName):
        raise ValueError(f"era is one of {', '.join(ERAS)}, not {era!r}")
    for name, value in numbers.items():
        kind, least, most, words = _RANGES[name]
        if not isinstance(value, kind) or not least <= value <= most:
            raise ValueError(f"{name} is {words}, not {value!r}")
