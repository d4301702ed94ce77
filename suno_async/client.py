"""Suno: opens the engine, closes it, and gives it verbs. The only file that joins engine files together."""

import asyncio
import copy
import logging
import os
from collections.abc import AsyncIterable, Callable, Coroutine, Iterable
from random import Random
from typing import Any, Self

import anyio
import anyio.lowlevel
from anyio.abc import TaskGroup

from .engine.lane import Lane
from .engine.streams import Stream, TaskIds
from .engine.submissions import Submissions
from .engine.tracker import Tracker
from .engine.transport import Transport
from .engine.waits import Glance, Until, Wait, ending
from .protocol.batch import Batch
from .protocol.errors import ClientClosed, ConfigurationError, GatewayUnavailable, SunoError, innermost
from .protocol.inputs import Secret, check_count, check_rate, check_seconds, check_task_id, check_timeout, read_address
from .protocol.limits import Budget
from .protocol.models import Task
from .protocol.pace import Pace, check_pace
from .protocol.requests import Submittable, submission

logger = logging.getLogger("suno_async")

_TIMEOUT = 3600.0
_MOST_IN_A_BATCH = 5000
"""A gateway on SQLite answers 500 to 32,767 ids, and needs 50 ms for 5,000."""


class Suno:
    """A client of one Suno-compatible gateway; open it with ``async with``.

    Args:
        base_url: such as ``https://gateway.example``; without it, ``SUNO_BASE_URL``. ``http://`` only to this machine,
            or with ``allow_insecure=True``.
        api_key: the bearer key, or a function that gives it (asked again when the gateway refuses the key); without
            it, ``SUNO_API_KEY``.
        pace: when to look: ``Adaptive()``, ``Backoff()``, ``Fixed(5)``.
        concurrency: looks in flight at once.
        batch_size: ids in one look; 1 never uses the gateway's batch route.
        rate: requests a second at most, for everything this client does; None for no limit.
        timeout: seconds for one ``fetch``, or for one request of a bulk look, its retries included.
        submissions: submissions in flight at once; they do not count against ``concurrency``.
        rng: the one source of randomness (jitter).

    Raises:
        ConfigurationError: a value cannot be right; the message says what to do.
    """

    _base = ""  # tools that show the locals of frames ask a client that was refused for its repr

    def __init__(
        self,
        base_url: str | None = None,
        *,
        api_key: str | Callable[[], str] | None = None,
        pace: Pace | None = None,
        concurrency: int = 16,
        batch_size: int = 100,
        rate: float | None = None,
        timeout: float = 30.0,
        submissions: int = 8,
        allow_insecure: bool = False,
        rng: Random | None = None,
    ) -> None:
        # from here on no frame of ours has the key among its locals
        api_key = key = Secret(api_key if api_key is not None else os.environ.get("SUNO_API_KEY"))  # type: ignore[assignment]
        if not key.renewable:
            key.reveal()
        url = base_url if base_url is not None else os.environ.get("SUNO_BASE_URL")
        address = read_address(url, allow_insecure=allow_insecure)
        self._base = address.base
        self._timeout = check_seconds("timeout", timeout)
        self._concurrency = check_count("concurrency", concurrency, 1000)
        self._slots = check_count("submissions", submissions, 1000)
        self._rng = rng or Random()
        self._pace = check_pace(pace)
        self._batch = Batch(check_count("batch_size", batch_size, _MOST_IN_A_BATCH))
        self._budget = Budget(check_rate("rate", rate))
        self._transport = Transport(address, key, timeout=self._timeout, concurrency=self._concurrency)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._runner: asyncio.Task[None] | None = None
        self._over: SunoError | None = None
        if address.stripped_v1:
            logger.warning("the /v1 at the end of the base URL was left out: gateways answer there with 404")

    def __repr__(self) -> str:
        return f"Suno({self._base!r})"

    # opening and closing

    async def __aenter__(self) -> Self:
        if self._runner is not None:
            raise ConfigurationError("this Suno has been opened before: make a new one")
        self._closing = asyncio.Event()
        opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # a task group may only be left by the task that entered it, and __aexit__ may run in another one
        runner = self._runner = asyncio.create_task(self._run(opened))  # noqa: TID251 - the one that owns the group
        try:
            # shielded: a caller who is cancelled must not cancel what the runner has to say
            await asyncio.shield(opened)
        except BaseException:
            runner.cancel()
            await asyncio.wait([runner])
            self._runner = self._over = None
            raise
        self._loop = asyncio.get_running_loop()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes the client: open waits end with ClientClosed, submissions that were sent are read to their end."""
        if self._loop is None or self._runner is None or self._runner.done():
            return
        self._check_loop()
        self._end(ClientClosed("this Suno has been closed; what was submitted runs on: wait for it with a new one"))
        self._closing.set()
        # a stream's source runs inside the runner's group, which waits for it
        if anyio.get_current_task().parent_id != id(self._runner):
            with anyio.CancelScope(shield=True):
                await asyncio.wait([self._runner])

    async def _run(self, opened: asyncio.Future[None]) -> None:
        """Owns everything that runs: the sessions, the looks, the submissions."""
        try:
            async with self._transport, anyio.create_task_group() as group:
                self._build(group)
                opened.set_result(None)
                await self._closing.wait()
                await self._submissions.drain()
                group.cancel_scope.cancel()
        except Exception as error:
            if not opened.done():
                opened.set_exception(error)
                return
            logger.exception("the client broke")
            self._end(SunoError(f"the client broke: {innermost(error)!r}"))
        finally:
            # also where the loop itself is shut down: nobody is left waiting
            if opened.done() and not opened.exception():
                self._end(ClientClosed("this Suno was stopped; what was submitted runs on"))

    def _end(self, error: SunoError) -> None:
        """Open waits end with this error, and whatever is asked for from now on; the first one counts."""
        if self._over is None:
            self._over = error
            self._tracker.close(error)

    def _build(self, group: TaskGroup) -> None:
        def spawn(function: Callable[[], Coroutine[Any, Any, None]]) -> None:
            self._tracker.check_open()
            group.start_soon(function)

        net, budget = self._transport, self._budget
        self._lane = Lane(net, budget=budget, slots=self._concurrency, rng=self._rng)
        self._tracker = Tracker(self._lane, pace=self._pace, batch=self._batch)
        self._submissions = Submissions(
            net.submit, spawn=spawn, budget=budget, slots=self._slots, rng=self._rng, renew=net.renew_key
        )
        self._spawn = spawn
        group.start_soon(self._tracker.poller.run)

    def _check_open(self) -> None:
        if self._over is not None:
            raise copy.copy(self._over)
        if self._loop is None:
            raise ConfigurationError("this Suno is not open: use it inside `async with Suno(...) as suno:`")
        self._check_loop()

    def _check_loop(self) -> None:
        if asyncio.get_running_loop() is not self._loop:
            raise ConfigurationError("this Suno belongs to another event loop: make one for each loop")

    # looking

    async def fetch(self, task_id: str) -> Task:
        """The task as it is now: one look.

        Transient faults are tried again at most twice, within the client's ``timeout``.

        Raises:
            TaskNotFound: the gateway does not know the id (for a moment after a submission that is normal).
            Unauthorized, RateLimited, RequestRejected: the gateway said no.
            GatewayUnavailable, UnexpectedResponse: no answer that could be read.
            ConfigurationError: the id is no id, or the base URL leads to no gateway.
            ClientClosed: the client was closed.
        """
        self._check_open()
        try:
            return await self._lane.fetch(check_task_id(task_id), self._timeout)
        except GatewayUnavailable:
            if self._over is not None:
                raise ending(self._over, (task_id,)) from None
            raise

    async def fetch_many(self, task_ids: TaskIds) -> dict[str, Task | None]:
        """The tasks as they are now, in the order asked; None for an id that the gateway does not know.

        One look at each id, many in a request. What goes wrong is tried again at most twice.

        Raises:
            SunoError: as in ``fetch``; ``.tasks`` is what was seen, ``.task_ids`` what was not.
        """
        self._check_open()
        ids = await _collected(task_ids)
        glance = Glance(ids, self._timeout, self._tracker.leave_all)
        if not ids:
            return glance.found
        try:
            await self._tracker.admit(ids, glance, at_once=True)
            if self._tracker.paused or self._budget.rate is None:
                # only a budget may keep what comes further apart than that
                glance.hurry()
            await glance.future
        except SunoError as error:
            # closed before all ids were let in: the others have to be named too
            glance.stopped(error)
            await glance.future
        finally:
            glance.close()
        return glance.found

    async def wait(self, task_id: str, *, timeout: float | None = _TIMEOUT, until: Until = "done") -> Task:
        """The task once it has succeeded, or with ``until="playable"`` as soon as a song can be streamed.

        Nothing but a final answer, ``timeout`` seconds (None for no end) or a refused key ends it: outages are
        waited out.

        Raises:
            TaskFailed: with ``.task``, which keeps the songs that can be played.
            TaskNotFound: the gateway does not know the id, and goes on not to know it.
            WaitTimeout: ``.task`` is what was last seen; the task runs on.
            Unauthorized: the key is refused; the task runs on.
            ClientClosed: the client was closed.
        """
        self._check_open()
        check_task_id(task_id)
        seconds = _check_wait(timeout, until)
        wait = Wait(task_id, until)
        life = self._tracker.join(task_id, wait)
        loop = asyncio.get_running_loop()
        timer = None if seconds is None else loop.call_later(seconds, wait.expire, life, seconds)
        try:
            return await wait.future
        finally:
            if timer is not None:
                timer.cancel()
            self._tracker.leave(task_id, wait)

    def as_completed(self, task_ids: TaskIds, *, timeout: float | None = _TIMEOUT) -> Stream:
        """Each task once, SUCCESS or FAILURE, as they finish.

        The ids come from any iterable or async iterable and are asked for once each.

        Raises, at the end of the iteration:
            ExceptionGroup: of the ids that ended otherwise, such as TaskNotFound, each error with ``.task_ids``.
            WaitTimeout, Unauthorized, ClientClosed: ``.task_ids`` are still open.
        """
        return self._stream(task_ids, timeout, changes=False)

    def watch(self, task_ids: TaskIds, *, timeout: float | None = _TIMEOUT) -> Stream:
        """Every visible change of each task, until all are final.

        A slow reader gets the latest state of each id; final states are never dropped. Raises as ``as_completed``.
        """
        return self._stream(task_ids, timeout, changes=True)

    def _stream(self, task_ids: TaskIds, timeout: float | None, *, changes: bool) -> Stream:
        self._check_open()
        ids, seconds = _iterable(task_ids), check_timeout("timeout", timeout)
        return Stream(ids, ledger=self._tracker, spawn=self._spawn, changes=changes, timeout=seconds)

    # submitting

    async def submit(self, body: Submittable) -> "Job":
        """The job of an accepted submission. It is sent once, and never again unless it is proven that nothing left.

        Raises:
            ConfigurationError: what is submitted cannot be right.
            RequestRejected: the gateway said no (QuotaExceeded, RateLimited, Unauthorized); nothing is charged.
            GatewayUnavailable: it could not be sent, or the gateway cannot take it now; nothing is charged.
            SubmitUnknown: nobody can tell whether it was accepted; ``.intent`` says what is known.
        """
        self._check_open()
        request = submission(body)
        task_id = await self._submissions.submit(request)
        self._tracker.submitted(task_id, body.action.upper())
        return Job(self, task_id)

    async def run(self, body: Submittable, *, timeout: float | None = _TIMEOUT, until: Until = "done") -> Task:
        """The task of a submission once it has succeeded: ``submit`` and ``wait`` in one, raising what they raise."""
        seconds = _check_wait(timeout, until)
        job = await self.submit(body)
        return await job.wait(timeout=seconds, until=until)


class Job:
    """A submission that was accepted."""

    def __init__(self, suno: Suno, task_id: str) -> None:
        self.task_id = task_id
        self._suno = suno

    def __repr__(self) -> str:
        return f"Job({self.task_id!r})"

    async def wait(self, *, timeout: float | None = _TIMEOUT, until: Until = "done") -> Task:
        """The task once it has succeeded; see ``Suno.wait``."""
        return await self._suno.wait(self.task_id, timeout=timeout, until=until)

    def watch(self, *, timeout: float | None = _TIMEOUT) -> Stream:
        """Every visible change of the task, until it is final; see ``Suno.watch``."""
        return self._suno.watch([self.task_id], timeout=timeout)


def _check_wait(timeout: object, until: object) -> float | None:
    if until not in ("done", "playable"):
        raise ConfigurationError(f"until must be 'done' or 'playable', not {until!r}")
    return check_timeout("timeout", timeout)


def _iterable(task_ids: TaskIds) -> TaskIds:
    if isinstance(task_ids, str | bytes) or not isinstance(task_ids, Iterable | AsyncIterable):
        raise ConfigurationError(f"task ids come as a list or another iterable, not as {type(task_ids).__name__}")
    return task_ids


async def _collected(task_ids: TaskIds) -> list[str]:
    """Each id once, checked, in order; the loop gets its turn in between."""
    source = _iterable(task_ids)
    ids: dict[str, None] = {}
    if isinstance(source, AsyncIterable):
        async for task_id in source:
            ids[check_task_id(task_id)] = None
        return list(ids)
    for index, task_id in enumerate(source, 1):
        ids[check_task_id(task_id)] = None
        if index % 1000 == 0:
            await anyio.lowlevel.checkpoint()
    return list(ids)
