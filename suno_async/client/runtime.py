"""The runtime: everything of an open client that runs. Opened once, closed once, and owned by one task."""

import asyncio
import copy
import logging
import os
import sys
from collections.abc import Callable, Collection, Coroutine
from random import Random
from typing import TYPE_CHECKING, Any

import anyio
from anyio.abc import TaskGroup

from ..engine.lane import Lane
from ..engine.submissions import Submissions
from ..engine.tracker import Tracker
from ..engine.transport import Transport
from ..engine.waits import Until, Wait
from ..protocol.batch import Batch
from ..protocol.errors import ClientClosed, ConfigurationError, JournalError, SunoError, innermost
from ..protocol.experience import Experience, unpacked
from ..protocol.life import is_whole
from ..protocol.limits import Budget
from ..protocol.models import Task
from ..protocol.pace import Pace, Scaled

if TYPE_CHECKING:
    from ..engine.journal import Journal

logger = logging.getLogger("suno_async")

_STRANGE = (
    "the journal %s has open tasks, unknown submissions or idempotency keys of %s, but none of %s: if that is the same"
    " gateway, open it under the address of before, or resume(), unknown() and idempotency keys know nothing of them"
)
_STOPPED = "this Suno was stopped; what was submitted runs on"


class Runtime:
    """The sessions, the looks, the submissions and the journal of one client."""

    lane: Lane
    tracker: Tracker
    submissions: Submissions

    def __init__(
        self,
        transport: Transport,
        journal: "Journal | None",
        *,
        gateway: str,
        timeout: float,
        pace: Pace,
        batch: Batch,
        budget: Budget,
        looks: int,
        submissions: int,
        resubmit_on: Collection[int],
        rng: Random,
    ) -> None:
        self.transport = transport
        self.journal = journal
        self.budget = budget
        self.over: SunoError | None = None
        """What ended everything here."""
        self.runner: asyncio.Task[None] | None = None
        self._gateway = gateway
        self.timeout = timeout
        """Seconds for one request that may be asked again."""
        self._pace = pace
        self.speed = pace.speed if isinstance(pace, Scaled) else 1.0
        self._batch = batch
        self._looks = looks
        self._slots = submissions
        self._resubmit_on = resubmit_on
        self._rng = rng
        self._loop: asyncio.AbstractEventLoop | None = None
        self._process = 0

    async def open(self) -> None:
        """Opens the journal and the sessions; from here on looks and submissions may leave."""
        if self.runner is not None:
            raise ConfigurationError("this Suno has been opened before: make a new one")
        self._closing = asyncio.Event()
        opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # a task group may only be left by the task that entered it, and __aexit__ may run in another one
        runner = self.runner = asyncio.create_task(self._run(opened))  # noqa: TID251 - the one that owns the group
        try:
            # shielded: a caller who is cancelled must not cancel what the runner has to say
            await asyncio.shield(opened)
        except BaseException:
            runner.cancel()
            await asyncio.wait([runner])
            self.runner = self.over = None
            raise
        self._loop, self._process = asyncio.get_running_loop(), os.getpid()

    async def close(self) -> None:
        """Open waits end with ClientClosed, what was sent is read to its end."""
        if self._loop is None or self.runner is None or self.runner.done():
            return
        self._check_loop()
        self._end(ClientClosed("this Suno has been closed; what was submitted runs on: wait for it with a new one"))
        self._closing.set()
        # a stream's source runs inside the runner's group, which waits for it
        if anyio.get_current_task().parent_id != id(self.runner):
            with anyio.CancelScope(shield=True):
                await asyncio.wait([self.runner])

    def check_open(self) -> None:
        """Raises what ended everything here, or what keeps this caller out."""
        if self.over is not None:
            raise copy.copy(self.over)
        if self._loop is None:
            raise ConfigurationError("this Suno is not open: use it inside `async with Suno(...) as suno:`")
        self._check_loop()

    async def wait(self, task_id: str, seconds: float | None, until: Until) -> Task:
        """The task once it has succeeded, or can be heard; raises TaskFailed, WaitTimeout and whatever ends waits."""
        wait, tracker = Wait(task_id, until), self.tracker
        life = tracker.join(task_id, wait)
        if seconds is not None:
            tracker.deadlines.add(wait, life, seconds)
        try:
            return await wait.future
        finally:
            if seconds is not None:
                tracker.deadlines.discard(wait, seconds)
            tracker.leave(task_id, wait)

    def fetched(self, task: Task) -> None:
        """A task was seen by itself: if it is over, nobody need wait for it any more, also after a crash."""
        # a song without an address may still get it
        if not task.done or (task.succeeded and not is_whole(task)):
            return
        self.tracker.finished(task.task_id)
        if self.journal is not None:
            self.journal.ended(task.task_id, task.status.value, task.fail_reason)

    def spawn(self, function: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Runs a function until it ends, or the client does."""
        self.tracker.check_open()
        self._group.start_soon(function)

    async def _run(self, opened: asyncio.Future[None]) -> None:
        """Owns everything that runs."""
        try:
            experience = await self._open_journal()
            async with self.transport, anyio.create_task_group() as group:
                self._build(group, experience)
                opened.set_result(None)
                await self._closing.wait()
                await self.submissions.drain()
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
                self._end(ClientClosed(_STOPPED))
            if self.journal is not None:
                await self.journal.close()

    def _end(self, error: SunoError) -> None:
        """Open waits end with this error, and whatever is asked for from now on; the first one counts."""
        if self.over is None:
            self.over = error
            self.tracker.close(error)

    async def _open_journal(self) -> Experience | None:
        """Opens it, where there is one; gives back what was learned when it was open before."""
        if self.journal is None:
            return None
        self.journal.key = lambda: self.transport.fingerprint
        await self.journal.open()
        try:
            known = unpacked(await self.journal.learned())
            if others := await self.journal.strangers():
                logger.warning(_STRANGE, self.journal.path, ", ".join(others), self._gateway)
        except JournalError as error:
            # a disk in trouble: what was learned is not worth a client that does not open
            logger.warning("what was learned cannot be read: %s", error)
            return None
        # a record that cannot be read does not hide what the pace was given
        return None if known == Experience() else known

    def _build(self, group: TaskGroup, experience: Experience | None) -> None:
        net, journal = self.transport, self.journal
        self._group = group
        self.lane = Lane(net, budget=self.budget, slots=self._looks, rng=self._rng)
        self.tracker = Tracker(self.lane, pace=self._pace, batch=self._batch, record=journal, experience=experience)
        self.submissions = Submissions(
            net.submit,
            spawn=self.spawn,
            budget=self.budget,
            slots=self._slots,
            rng=self._rng,
            quota=self.lane.quota,
            renew=net.renew_key,
            accepted=self._accepted,
            ledger=journal,
            gateway=self._gateway,
            resubmit_on=self._resubmit_on,
        )
        group.start_soon(self._poll)

    def _accepted(self, task_id: str, action: str) -> None:
        # whoever gives out a task is a gateway
        self.lane.readable = True
        self.tracker.submitted(task_id, action)

    async def _poll(self) -> None:
        try:
            await self.tracker.poller.run()
        finally:
            # what broke is told by the runner; where somebody has cancelled one of our tasks, nobody is left to look
            if not self._closing.is_set() and not isinstance(sys.exception(), Exception):
                self._end(ClientClosed(_STOPPED))

    def _check_loop(self) -> None:
        # first: asyncio takes no loop of the process before the fork for a running one
        if os.getpid() != self._process:
            raise ConfigurationError("this Suno belongs to the process this one was forked from: make one for each")
        if asyncio.get_running_loop() is not self._loop:
            raise ConfigurationError("this Suno belongs to another event loop: make one for each loop")
