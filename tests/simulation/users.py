"""The users: those who wait, stream, glance, fetch, submit and change their minds, until each id has its end."""

from collections.abc import AsyncIterator, Sequence
from random import Random
from typing import TYPE_CHECKING, Any

import anyio

from suno_async import Inspiration, Suno
from suno_async.protocol.errors import (
    JournalError,
    SubmitUnknown,
    SunoError,
    TaskFailed,
    TaskNotFound,
    WaitTimeout,
    innermost,
)
from suno_async.protocol.models import Task

from .ledger import Interest, Session

if TYPE_CHECKING:
    from .world import World

_PATIENCE = (None, None, None, 20.0, 100.0)
_TRIES = 2
"""Then it waits for as long as it takes: each wait anew is a new life for an id."""


class Errand:
    """Something that has to come to its end, and since when it can."""

    def __init__(self, name: str, ids: Sequence[str], started: float) -> None:
        self.name = name
        self.open = dict.fromkeys(ids)
        self.started = started
        self.ids = tuple(ids)


class Users:
    """All users of one world; what they are given goes to the ledger of the client that gave it."""

    def __init__(self, world: "World", seed: str) -> None:
        self._world = world
        self._seed = seed
        self._count = self._number = 0
        self.fetching = 0
        self.errands: dict[str, Errand] = {}
        """What is not at its end; nobody who may be cancelled has one."""

    def dice(self) -> Random:
        """Each user has dice of its own: who wakes first in an instant must not matter."""
        self._count += 1
        return Random(f"{self._seed} user {self._count}")

    async def _client(self, dice: Random) -> tuple[Suno, Session]:
        """The client that is open now; who comes in between waits for the next one."""
        while True:
            client = self._world.client
            if client is not None:
                return client
            await anyio.sleep(dice.uniform(2.0, 6.0))

    def _errand(self, name: str, ids: Sequence[str]) -> Errand:
        self._number += 1
        name = f"{self._number} {name}"
        errand = self.errands[name] = Errand(name, ids, self._world.loop.time())
        return errand

    def _over(self, errand: Errand) -> None:
        del self.errands[errand.name]

    def _given(self, errand: Errand, task_id: str) -> None:
        """An id of an errand is at its end."""
        if task_id not in errand.open:
            self._world.report("I1", f"{errand.name} was given {task_id} twice, or unasked")
            return
        del errand.open[task_id]
        self._world.check_prompt(errand, task_id)

    # one id

    async def wait(self, dice: Random, task_id: str, until: str = "done") -> None:
        """Waits until it knows the end, whatever comes in between."""
        errand = self._errand(f"wait {task_id}", [task_id])
        await self._wait(dice, errand, task_id, until)
        self._over(errand)

    async def _wait(self, dice: Random, errand: Errand, task_id: str, until: str = "done") -> None:
        tries = 0
        while not await self._wait_once(dice, task_id, until, dice.choice(_PATIENCE) if tries < _TRIES else None):
            tries += 1
            await anyio.sleep(dice.uniform(0.5, 5.0))
        self._given(errand, task_id)

    async def _wait_once(self, dice: Random, task_id: str, until: str, timeout: float | None) -> bool:
        """True if that was the end of it."""
        world = self._world
        suno, session = await self._client(dice)
        interest = session.open(task_id, self._world.loop.time(), playable=until == "playable", prompt=True)
        try:
            task = await suno.wait(task_id, timeout=timeout, until=until)  # type: ignore[arg-type]
        except SunoError as error:
            return self._failed(session, interest, error, timeout)
        except BaseException:
            session.leave(interest, self._world.loop.time())
            raise
        world.note("given", task_id, task.status.value)
        session.got(interest, task, self._world.loop.time())
        return True

    def _failed(self, session: Session, interest: Interest, error: SunoError, timeout: float | None) -> bool:
        task_id = interest.epoch.task_id
        self._world.note("error", task_id, type(error).__name__)
        self._world.saw(error)
        session.failed(interest, error, self._world.loop.time(), timeout)
        if isinstance(error, TaskNotFound):
            return self._world.is_lost(task_id)
        return isinstance(error, TaskFailed)

    async def hesitate(self, dice: Random, task_id: str) -> None:
        """Waits, and changes its mind."""
        with anyio.move_on_after(dice.uniform(0.0, 60.0)):
            await self._wait_once(dice, task_id, dice.choice(["done", "playable"]), dice.choice(_PATIENCE))

    async def fetch(self, dice: Random, task_id: str) -> None:
        """Looks once, and once more."""
        for _ in range(3):
            suno, session = await self._client(dice)
            began = self._world.loop.time()
            self.fetching += 1
            try:
                with anyio.move_on_after(dice.choice([100.0, 100.0, 1.0])):
                    task = await suno.fetch(task_id)
                    session.check_data(task, task_id)
                    self._world.note("fetched", task_id, task.status.value)
            except SunoError as error:
                self._world.saw(error)
                self._world.note("not fetched", task_id, type(error).__name__)
            finally:
                self.fetching -= 1
            # aiohttp rounds ends up to a whole second
            if self._world.loop.time() > began + self._world.timeout + (0.01 if self._world.tier == 1 else 1.0):
                self._world.report("I12", f"a fetch took {self._world.loop.time() - began:.4f} s")
            await anyio.sleep(dice.uniform(1.0, 50.0))

    # many ids

    async def glance(self, dice: Random, ids: Sequence[str]) -> None:
        """Looks at many ids once."""
        suno, session = await self._client(dice)
        now = self._world.loop.time()
        interests = [session.open(task_id, now, glances=True) for task_id in ids]
        try:
            with anyio.move_on_after(dice.choice([1000.0, 1000.0, 5.0])):
                self._glanced(ids, session, await suno.fetch_many(ids), ())
        except SunoError as error:
            self._world.saw(error)
            self._world.note("not glanced", type(error).__name__)
            self._glanced(ids, session, error.tasks, error.task_ids)
        finally:
            for interest in interests:
                session.leave(interest, self._world.loop.time())

    def _glanced(self, ids: Sequence[str], session: Session, seen: Any, left: Sequence[str]) -> None:
        if [task_id for task_id in ids if task_id not in left] != list(seen) or not {*left} <= {*ids}:
            self._world.report("I1", f"of {len(ids)} ids {len(seen)} were seen and {len(left)} are open")
        for task_id, task in seen.items():
            if task is not None:
                session.check_data(task, task_id)

    async def stream(self, dice: Random, ids: Sequence[str], changes: bool, slow: bool) -> None:
        """Reads a stream of many ids, and another one of those that are left, to the end."""
        errand = self._errand(f"stream {ids[0]} {changes}", ids)
        tries = 0
        while errand.open:
            timeout = dice.choice(_PATIENCE) if tries < _TRIES else None
            await self._read(dice, errand, timeout, changes=changes, slow=slow)
            tries += 1
            await anyio.sleep(dice.uniform(0.5, 5.0))
        self._over(errand)

    async def _read(self, dice: Random, errand: Errand, timeout: float | None, *, changes: bool, slow: bool) -> None:
        world, ids = self._world, list(errand.open)
        suno, session = await self._client(dice)
        reader = Reader(world, session, ids, changes=changes)
        loose = dice.random() < 0.2
        source: Any = reader.trickle(dice) if loose else ids
        try:
            stream = suno.watch(source, timeout=timeout) if changes else suno.as_completed(source, timeout=timeout)
        except SunoError as error:
            world.saw(error)
            session.check_stop(error, self._world.loop.time())
            return
        reader.open(timeout, () if loose else ids)
        try:
            async for task in stream:
                if reader.read(task):
                    self._given(errand, task.task_id)
                if slow:
                    await anyio.sleep(dice.choice([0.0, 0.3, 5.0]))
        except* SunoError as group:
            reader.failed(group, timeout)
        finally:
            reader.close()
            await stream.aclose()
        for task_id in reader.gone:
            if world.is_lost(task_id):
                self._given(errand, task_id)

    # submissions

    async def submit(self, dice: Random, marker: str, keyed: bool) -> None:
        """Submits, and waits for what was accepted."""
        errand = self._errand(f"submit {marker}", [marker])
        task_id = await self._submit(dice, marker, keyed=keyed)
        del errand.open[marker]
        if task_id is not None:
            errand.started = self._world.loop.time()
            errand.open[task_id] = None
            await anyio.sleep(dice.choice([0.0, 0.0, 10.0, 150.0]))
            errand.started = self._world.loop.time()
            await self._wait(dice, errand, task_id)
        self._over(errand)

    async def _submit(self, dice: Random, marker: str, *, keyed: bool) -> str | None:
        """The id, if there is one; with an idempotency key it is tried again where that is safe."""
        for _ in range(20):
            outcome = await self._submit_once(dice, marker, keyed=keyed)
            again = keyed and isinstance(outcome, SunoError) and not isinstance(outcome, SubmitUnknown)
            if not again:
                break
            await anyio.sleep(dice.uniform(0.5, 20.0))
        return outcome if isinstance(outcome, str) else None

    async def _submit_once(self, dice: Random, marker: str, *, keyed: bool) -> str | SunoError:
        world = self._world
        suno, _ = await self._client(dice)
        before = len(world.gateway.desk.arrivals.get(marker, ())) if keyed else 0
        try:
            job = await suno.submit(Inspiration(marker), idempotency_key=marker if keyed else None)
        except SunoError as error:
            world.saw(error)
            world.note("not submitted", marker, type(error).__name__)
            world.concluded(marker, error, before)
            if isinstance(error, JournalError) and error.task_id is not None:
                return error.task_id
            return error
        except BaseException:
            world.concluded(marker, None)
            raise
        world.note("submitted", marker, job.task_id)
        world.concluded(marker, job.task_id)
        return job.task_id

    async def submit_and_go(self, dice: Random, marker: str, keyed: bool) -> None:
        """Submits, and is cancelled somewhere on the way."""
        with anyio.move_on_after(dice.choice([0.0, 0.01, 1.0, 20.0, 60.0])):
            await self._submit_once(dice, marker, keyed=keyed)


class Reader:
    """What one stream gave, against what it owed."""

    def __init__(self, world: "World", session: Session, ids: Sequence[str], *, changes: bool) -> None:
        self._world = world
        self._session = session
        self._ids = ids
        self._changes = changes
        self._interests: dict[str, Interest] = {}
        self._deadline: Any = None
        self._began = self._world.loop.time()
        self._finals: list[tuple[float, str]] = []
        self.ended: dict[str, Task] = {}
        self.gone: list[str] = []
        self._left: list[str] = []

    async def trickle(self, dice: Random) -> AsyncIterator[str]:
        """A source whose ids come one by one."""
        for task_id in self._ids:
            await anyio.sleep(dice.choice([0.0, 0.0, 0.2]))
            self._let_in([task_id])
            yield task_id

    def open(self, timeout: float | None, ids: Sequence[str]) -> None:
        """The stream begins, with these ids."""
        self._let_in(ids)
        if timeout is not None:
            # nothing is looked at after the deadline, however slow the reader is
            self._deadline = self._world.loop.call_later(timeout, self._leave)

    def _let_in(self, ids: Sequence[str]) -> None:
        now = self._world.loop.time()
        for task_id in ids:
            self._interests[task_id] = self._session.open(task_id, now)

    def _leave(self) -> None:
        for interest in self._interests.values():
            self._session.leave(interest, self._world.loop.time())

    def read(self, task: Task) -> bool:
        """One thing came out of it; True if that was the end of its task."""
        task_id = task.task_id
        world = self._world
        world.note("streamed", task_id, task.status.value)
        interest = self._interests.get(task_id)
        if interest is None or task_id in self.ended:
            world.report("I1", f"a stream told of {task_id} after its end, or unasked")
            return False
        self._session.check_data(task, task_id)
        if task.done and not (task.succeeded and self._still_open(interest, task)):
            self.ended[task_id] = task
            self._session.got(interest, task, self._world.loop.time(), prompt=False)
            if interest.expected is not None:
                self._finals.append((interest.expected[0], task_id))
            return True
        if not self._changes:
            world.report("I1", f"as_completed gave {task_id}, which is not at its end: {task!r}")
        return False

    def _still_open(self, interest: Interest, task: Task) -> bool:
        """SUCCESS without its songs is a change to watch, not yet the end."""
        epoch = interest.epoch
        return self._changes and interest.expected is None and epoch.incomplete is not None and not epoch.spent

    def failed(self, group: BaseExceptionGroup[SunoError], timeout: float | None) -> None:
        """It ended with errors: ids that are gone, or one reason for all that are open."""
        for error in group.exceptions:
            last: Any = innermost(error)
            self._world.saw(last)
            self._world.note("stream ended", type(last).__name__, len(last.task_ids))
            cause = last.__cause__
            for each in cause.exceptions if isinstance(cause, BaseExceptionGroup) else ():
                self._gone(each)
            if isinstance(last, TaskNotFound):
                for each in error.exceptions if isinstance(error, BaseExceptionGroup) else (error,):
                    self._gone(each)
            else:
                self._stopped(last, timeout)

    def _gone(self, error: Any) -> None:
        for task_id in error.task_ids:
            self.gone.append(task_id)
            self._session.failed(self._interests[task_id], TaskNotFound(task_id=task_id), self._world.loop.time())

    def _stopped(self, error: SunoError, timeout: float | None) -> None:
        self._left = list(error.task_ids)
        if not isinstance(error, WaitTimeout):
            self._session.check_stop(error, self._began)
        elif timeout is None:
            self._world.report("I1", "a stream without an end timed out")

    def close(self) -> None:
        """The stream is over: each id ended, is gone, or was named as open."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._leave()
        told = [*self.ended, *self.gone, *self._left]
        if sorted(told) != sorted(self._interests):
            self._world.report("I1", f"of {len(self._ids)} ids a stream told {told}, of {self._ids}")
        if self._finals != sorted(self._finals, key=lambda final: final[0]):
            self._world.report("I1", "a stream told of the ends in another order than they came")
