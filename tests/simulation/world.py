"""One world: from a seed a gateway, its weather, a client and its users; run to the end and judged."""

import asyncio
import gc
import hashlib
import inspect
import logging
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from unittest.mock import patch
from zlib import crc32

import anyio
from aiohttp import connector
from anyio._backends import _asyncio
from anyio._core import _eventloop

from suno_async import Adaptive, Backoff, Fixed, Suno
from suno_async.engine import tracker
from suno_async.engine.journal import Journal, Store
from suno_async.engine.journal import journal as journal_module
from suno_async.protocol.errors import JournalError, SubmitUnknown, SunoError

from .clock import SimLoop
from .desk import UNKNOWN
from .disk import FILE, Crash, Disk, Scribe, State, held
from .gateway import Gateway
from .ledger import Session
from .network import Network
from .rows import ODD, PLAIN, WHOLE, Row
from .users import Errand, Users
from .wires import HOST, Wires

START = 50.0
KEY = "sk-simulation-0123456789abcdef"
SECRET = "0123456789abcdef"
PACES = (
    (Fixed(5.0), 5.0),
    (Fixed(2.0), 2.0),
    (Backoff(), 30.0),
    (Backoff(2.0, 2.0, 20.0, 0.0), 20.0),
    (Adaptive(ceiling=30.0), 30.0),
)
_WALL = 1_800_000_000.0
_DRAIN_SECONDS = 30.0
_QUIET_SECONDS = 100.0
_MEMORY = Path("/dev/shm")  # noqa: S108 - the folders in it are made by tempfile


class Violation(NamedTuple):
    """A rule that was broken."""

    invariant: str
    message: str
    at: float


class Result(NamedTuple):
    """What came of one seed."""

    seed: int
    digest: str
    """Of everything that happened, in order."""
    violations: list[Violation]
    looks: int
    """Ids that were asked for."""
    requests: int
    seconds: float
    """Of virtual time."""
    crashes: int
    events: list[str]
    """The last ones."""


class Plan:
    """Something that a user begins at its time, in whichever process runs then."""

    def __init__(self, at: float, user: Callable[..., Any], *args: Any) -> None:
        self.at = at
        self.user = user
        self.args = args
        self.begun = False


class _Ear(logging.Handler):
    """Hears what the client says in its log."""

    def __init__(self, heard: Callable[[str], None]) -> None:
        super().__init__()
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        self._heard(f"{record.getMessage()} {record.exc_info or ''}")


class World:
    """Everything of one seed."""

    def __init__(self, seed: int, tasks: int, tier: int = 1) -> None:
        self.seed = seed
        self.tier = tier
        rng = self.rng = Random(f"simulation {seed} {tasks} {tier}")
        self.base = f"http://{HOST}"
        self.calm = rng.random() < 0.1
        self.violations: list[Violation] = []
        self.trace: list[tuple[float, str, tuple[Any, ...]]] = []
        self.loop = SimLoop(START)
        self.client: tuple[Suno, Session] | None = None
        self.sessions: list[Session] = []
        self.networks: list[Network | Wires] = []
        self.scribe: Scribe | None = None
        self.loops = [self.loop]
        self.outcomes: dict[str, str | SunoError | None] = {}
        """What was told of each submission; None for those whose caller was cancelled."""
        self.logged: list[str] = []
        self.ids = count(1)
        self._frozen = False
        self._folders = 0
        self._configure(tasks)

    def _configure(self, tasks: int) -> None:
        rng = self.rng
        self.pace, self.interval = rng.choice(PACES)
        self.concurrency = rng.choice([1, 2, 4, 16])
        self.batch_size = rng.choice([1, 5, 25, 100, 100, 100])
        self.rate = rng.choice([None, None, None, 5.0, 20.0, 50.0])
        self.posts = rng.choice([1, 2, 8])
        self.timeout = rng.choice([5.0, 30.0])
        self.renewable = rng.random() < 0.3
        odd = [kind for kind in ODD if rng.random() < 0.3]
        self.gateway = Gateway(rng, START, calm=self.calm, odd=odd, longest=rng.choice([20.0, 150.0]))
        if not self.renewable:
            self.gateway.keys = []
        weather = self.gateway.weather
        self.healed = weather.healed
        self.journaled = rng.random() < 0.4
        self.disk = Disk(rng, self.healed, calm=self.calm)
        self.keyed: set[str] = set()
        self.users = Users(self, f"simulation {self.seed}")
        self._people(tasks, odd)
        self.grace = 0.0 if self.calm else 130.0 + weather.longest_retry_after + self.timeout
        each = max(weather.longest / self.concurrency, 1 / self.rate if self.rate else 0.0)
        singles = self.batch_size == 1 or self.gateway.without_route or self.gateway.most_in_batch < 100
        crowd = len(self.gateway.rows) + len(self.users_of_none)
        requests = crowd if singles or self.gateway.poison else crowd / self.batch_size + 4
        self.starving = 3 * (self.interval + 2 * requests * each) + weather.longest + 10.0
        self._slack = self.grace + 2 * self.starving + 250.0
        times = 0 if self.calm else rng.choice([0, 0, 1, 2])
        self.closings = sorted(rng.uniform(START + 5.0, self.healed) for _ in range(times))
        self.crashing = [rng.uniform(START, self.healed)] if self.disk.crashing and rng.random() < 0.3 else []

    def _people(self, tasks: int, odd: list[str]) -> None:
        """Who is there, and what they want."""
        rng, gateway = self.rng, self.gateway
        self.plans: list[Plan] = []
        ids = []
        for number in range(tasks):
            task_id = f"t{number:04d}-{rng.randrange(16**6):06x}"
            kind = rng.choice(odd) if odd and rng.random() < 0.1 else rng.choice(PLAIN)
            row = gateway.add(task_id, kind, START - rng.uniform(0.0, 60.0))
            if not self.calm and rng.random() < 0.05:
                row.unseen = rng.uniform(START, self.healed)
                row.hidden_until = row.unseen + rng.uniform(5.0, 500.0)
            ids.append(task_id)
            if not self.calm and rng.random() < 0.02:
                gateway.poison.add(task_id)
        self.fetched = {f"f{number}" for number in range(tasks // 20)}
        self.users_of_none = [f"none-{number}" for number in range(rng.choice([0, 1, 3]))]
        for task_id in sorted(self.fetched):
            gateway.add(task_id, "song", START)
            self._plan(self.users.fetch, task_id)
        self._plan_waits(ids)
        self._plan_submissions(len(ids))

    def _plan(self, user: Callable[..., Any], *args: Any) -> None:
        begin = self.rng.choice([0.0, 0.0, self.rng.uniform(0.0, 60.0)])
        self.plans.append(Plan(START + begin, user, *args))

    def _plan_waits(self, ids: list[str]) -> None:
        rng, users = self.rng, self.users
        first, second, third = sorted(rng.randrange(len(ids) + 1) for _ in range(3))
        for task_id in ids[:first] + self.users_of_none:
            self._plan(users.wait, task_id)
        for task_id in ids[first:second]:
            # two who want different things of one id
            self._plan(users.wait, task_id, "playable")
            self._plan(users.wait, task_id)
        for some, changes in ((ids[second:third], False), (ids[third:], True)):
            size = rng.choice([5, 40, 100])
            for at in range(0, len(some), size):
                self._plan(users.stream, some[at : at + size], changes, rng.random() < 0.2)
        for _ in range(len(ids) // 7):
            self._plan(users.hesitate, rng.choice(ids))
        for _ in range(rng.choice([0, 1, 3])):
            self._plan(users.glance, sorted({rng.choice(ids) for _ in range(len(ids) // 3 + 1)}))

    def _plan_submissions(self, tasks: int) -> None:
        rng, users = self.rng, self.users
        for number in range(rng.choice([0, tasks // 5, tasks // 3])):
            marker = f"song-{number}"
            keyed = self.journaled and rng.random() < 0.5
            if keyed:
                self.keyed.add(marker)
            at = START + rng.uniform(0.0, 100.0)
            self.plans.append(Plan(at, users.submit if rng.random() < 0.75 else users.submit_and_go, marker, keyed))
            if keyed and rng.random() < 0.4:
                # somebody else with the same key, at once or later
                self.plans.append(Plan(at + rng.choice([0.0, 0.1, 30.0]), users.submit, marker, keyed))

    # what happens

    def note(self, what: str, *facts: Any) -> None:
        """Something happened."""
        self.trace.append((self.loop.time(), what, facts))

    def report(self, invariant: str, message: str) -> None:
        """A rule was broken; the first one ends the run."""
        if not self._frozen:
            self.violations.append(Violation(invariant, message, self.loop.time()))
            self.loop.stop()

    def saw(self, error: BaseException) -> None:
        """An error has come to a user."""
        self._check_secret(f"{error!r} {error} {vars(error)}")

    def heard(self, message: str) -> None:
        """The client has logged something."""
        self.logged.append(message)
        self._check_secret(message)
        if "client broke" in message:
            self.report("I6", f"the client said: {message}")

    def _check_secret(self, text: str) -> None:
        if SECRET in text:
            self.report("I11", f"the key is in {text!r}")

    def _broke(self, _: Any, context: dict[str, Any]) -> None:
        self.report("I6", f"the loop heard of {context.get('message')}: {context.get('exception')!r}")

    def is_lost(self, task_id: str) -> bool:
        """True if the gateway will never know this id."""
        row = self.gateway.rows.get(task_id)
        return row is None or row.forgotten

    # submissions

    def concluded(self, marker: str, outcome: str | SunoError | None, earlier: int = 0) -> None:
        """A submission has told its outcome, or its caller was cancelled.

        ``earlier`` ones with the same idempotency key had come to the gateway before it was asked.
        """
        before = self.outcomes.get(marker)
        if isinstance(before, str) and isinstance(outcome, str) and before != outcome:
            self.report("I9", f"{marker} was told to be {before}, and then {outcome}")
        if not isinstance(before, str):
            self.outcomes[marker] = outcome
        if outcome is None or (isinstance(outcome, JournalError) and outcome.task_id is None and self.disk.refused):
            return
        told = outcome.task_id if isinstance(outcome, JournalError) else outcome
        unheard = marker not in self.gateway.desk.arrivals and len(self.loops) > 1
        # a crash between the intent and its sending, or a disk that refused an outcome, leaves an honest "unknown"
        if not (isinstance(outcome, SubmitUnknown) and (self.disk.refused or unheard)):
            fault = self.gateway.desk.faults(marker, told or outcome, earlier)
            if fault:
                self.report("I8", fault)
        if self.scribe is not None and not self.disk.refused and self.client is not None:
            self._check_written(self.scribe, marker, outcome)

    def _check_written(self, scribe: Scribe, marker: str, outcome: str | SunoError) -> None:
        """What is told of a submission is on the disk."""
        mine = [each for each in scribe.held().intents if self._marker(each[3]) == marker]
        states = {str: "accepted", SubmitUnknown: "unknown"}
        wanted = states.get(type(outcome))
        if wanted is not None and not any(each[1] in {wanted, "intended"} for each in mine):
            self.report("I10", f"{marker} was told to be {wanted}, written is {mine}")
        if isinstance(outcome, str) and outcome not in {each[2] for each in mine}:
            self.report("I10", f"{marker} was told to be {outcome}, written is {mine}")

    def _marker(self, body: bytes) -> str:
        return body.decode().rpartition(':"')[2].partition('"')[0]

    def check_post(self, body: bytes) -> None:
        """A submission is about to leave: nobody has taken it before, and its intent is on the disk."""
        again = self.gateway.desk.again(body, keyed=self._marker(body) in self.keyed)
        if again:
            self.report("I9", again)
        if self.scribe is not None and not self.scribe.intends(body):
            self.report("I10", f"{self._marker(body)} is sent before its intent is written")

    # liveness

    def bound(self, errand: Errand, task_id: str) -> float:
        """When an id must be at its end: everything is healed, its row has come to rest, and it was looked at."""
        rows = self.gateway.rows
        row = rows.get(task_id)
        if len(errand.ids) > 1 and (row is None or row.forgotten or row.hidden_until > START):
            # a stream tells of those that are not found at its end
            return max(self._bound(errand.started, rows.get(name)) for name in errand.ids) + 800.0
        return self._bound(errand.started, row)

    def _soonest(self, started: float) -> float:
        """No id has to be at its end before, however early its row came to rest."""
        return max(self.healed, started) + self._slack

    def _bound(self, started: float, row: Row | None) -> float:
        soonest = self._soonest(started)
        if row is None or row.forgotten:
            return soonest + 800.0
        end = row.at(1e9)
        soonest = max(soonest, row.last_change + self._slack, row.hidden_until + self._slack)
        return soonest + (0.0 if end is not None and end.meaning == WHOLE else 700.0)

    def check_prompt(self, errand: Errand, task_id: str) -> None:
        """An id of an errand is at its end; was that in time?"""
        late = self.loop.time() - self.bound(errand, task_id)
        if late > 0:
            self.report("I12", f"{task_id} came to its end {late:.1f} s too late")

    def _check_alive(self) -> None:
        now = self.loop.time()
        for errand in self.users.errands.values():
            if now <= self._soonest(errand.started):
                continue
            for task_id in errand.open:
                if now > self.bound(errand, task_id):
                    self.report("I12", f"{errand.name}: {task_id} is not at its end")

    # a process

    async def _play(self, errands: list[Errand]) -> None:
        """One process, from its start to the end of all, or to its crash."""
        over = asyncio.Event()
        async with anyio.create_task_group() as group:
            group.start_soon(self._keep_client, over)
            async with anyio.create_task_group() as users:
                for plan in self.plans:
                    if not plan.begun:
                        users.start_soon(self._later, plan)
                for errand in errands:
                    for name in errand.open:
                        users.start_soon(self._again, name)
                users.start_soon(self._check_on, over)
            over.set()

    async def _later(self, plan: Plan) -> None:
        dice = self.users.dice()
        await anyio.sleep(max(0.0, plan.at - self.loop.time()))
        plan.begun = True
        await plan.user(dice, *plan.args)

    async def _again(self, name: str) -> None:
        """What was going on when the process crashed, begun anew."""
        if name in self.keyed:
            await self.users.submit(self.users.dice(), name, keyed=True)
        elif not name.startswith("song-"):
            await self.users.wait(self.users.dice(), name)

    async def _check_on(self, over: asyncio.Event) -> None:
        while self.users.errands or not all(plan.begun for plan in self.plans):
            await anyio.sleep(20.0)
            self._check_alive()

    async def _keep_client(self, over: asyncio.Event) -> None:
        """Opens a client, closes it when its time has come, and opens the next one."""
        while not over.is_set():
            suno, session, network = self._open()
            await suno.__aenter__()
            if self.scribe is not None:
                await self._resume(suno, session, self.scribe)
            self.client = suno, session
            self.note("opened")
            if self.closings:
                with anyio.CancelScope(deadline=self.closings.pop(0)):
                    await over.wait()
            else:
                await over.wait()
                await anyio.sleep(_QUIET_SECONDS)
            await self._close(suno, session, network)
            if not over.is_set():
                await anyio.sleep(self.rng.choice([0.0, 20.0]))

    def _open(self) -> tuple[Suno, Session, Network | Wires]:
        suno = Suno(
            self.base,
            api_key=self._key if self.renewable else KEY,
            pace=self.pace,
            concurrency=self.concurrency,
            batch_size=self.batch_size,
            rate=self.rate,
            timeout=self.timeout,
            submissions=self.posts,
            allow_insecure=True,
            rng=Random(f"client {self.seed} {len(self.sessions)}"),
        )
        session = Session(
            self.report,
            pace=self.pace,
            slots=self.concurrency,
            posts=self.posts,
            rate=self.rate,
            share=max(1.0, min(self.batch_size, (len(self.gateway.rows) + 500) ** 0.5)),
            starving=self.starving,
            calm=self.healed + self.grace,
            fetched=self.fetched,
            renewable=self.renewable,
        )
        self.sessions.append(session)
        network = self._network(session, suno)
        self.networks.append(network)
        suno._runtime.transport = network  # type: ignore[assignment]
        if self.journaled:
            self.scribe = Scribe(self._folder, self.disk, lambda: _WALL + self.loop.time(), self._crash)
            suno._runtime.journal = Journal(self.scribe.path, self.base, self.scribe)
        return suno, session, network

    def _network(self, session: Session, suno: Suno) -> Network | Wires:
        if self.tier == 2:
            return Wires(
                self.gateway,
                session,
                self.note,
                suno._runtime.transport,
                self.rng,
                report=self.report,
                check_post=self.check_post,
                is_old=lambda key: self.renewable and key != self._key(),
                secret=SECRET,
            )
        key = self.gateway.key(self.loop.time()) if self.renewable else None
        return Network(self.gateway, session, self.note, timeout=self.timeout, key=key, check_post=self.check_post)

    def _key(self) -> str:
        """The key that is right now."""
        return f"{KEY}-{self.gateway.key(self.loop.time())}"

    async def _resume(self, suno: Suno, session: Session, scribe: Scribe) -> None:
        """What the journal gives back is what was in it."""
        found = scribe.held()
        if self.disk.allowed and found not in self.disk.allowed:
            self.report("I10", f"the journal holds {found}, it may hold {self.disk.allowed}")
        self.disk.allowed = []
        resumed = [job.task_id for job in await self._asked(suno.resume)]
        unknown = [self._marker(intent.body) for intent in await self._asked(suno.unknown)]
        if sorted(resumed) != [row[1] for row in found.tasks if row[3] == "OPEN"]:
            self.report("I8", f"resumed were {resumed}, the journal has {found.tasks}")
        for marker in unknown:
            # the process has ended before it knew, or before it could write what it knew
            for arrival in self.gateway.desk.arrivals.get(marker, ())[-1:]:
                arrival.meaning = UNKNOWN
        for task in scribe.store.open_tasks():
            if task.submitted:
                session.submitted(task.task_id, task.action, self.loop.time() - task.age)
        self._check_accepted(found)

    async def _asked(self, question: Callable[[], Any]) -> Any:
        """What the journal says, once the disk lets it."""
        while True:
            try:
                return await question()
            except JournalError as error:
                if not self.disk.refused:
                    self.report("I10", f"the journal cannot be read: {error}")

    async def _close(self, suno: Suno, session: Session, network: Network | Wires) -> None:
        began = session.closing = self.loop.time()
        self.client = None
        self.note("closing")
        await suno.aclose()
        session.over = self.loop.time()
        self.note("closed")
        # who was in the middle of a fetch hears of it now
        await anyio.wait_all_tasks_blocked()
        if session.over - began > _DRAIN_SECONDS + 3 * self.disk.seconds + 0.1:
            self.report("I6", f"closing took {session.over - began:.1f} s")
        runtime = suno._runtime
        left = {
            # a fetch that was just connecting hears of the end when that ends
            "slots of looks": max(0, self.concurrency - runtime.lane.slots.value - self.users.fetching),
            "slots of submissions": self.posts - runtime.submissions._slots.value,
            "ids": len(runtime.tracker._lives) + runtime.tracker.poller.outstanding,
            "submissions": len(runtime.submissions._open) + network.submitting,
            "connections": len(network.lines) if isinstance(network, Wires) else 0,
            "probes": int(runtime.lane.gate.probing and not self.users.fetching),
        }
        if any(left.values()):
            self.report("I6", f"left after the end of the client: {left}")
        session.check_closed(self.users.fetching)

    # a crash

    def _crash(self, scribe: Scribe | None, allowed: list[State], size: int | None) -> None:
        """The process ends at this instant; the next one finds the bytes that were on the disk."""
        self.note("crash")
        self.disk.allowed = allowed
        if scribe is not None:
            self._folders += 1
            folder = self._root / str(self._folders)
            folder.mkdir()
            scribe.copy(folder, size)
            scribe.dead = True
            self._folder = folder
        raise Crash

    def _idle_crash(self) -> None:
        if self.scribe is not None and not self.scribe.dead and hasattr(self.scribe, "store"):
            self._crash(self.scribe, [self.scribe.held()], None)

    def _restart(self) -> list[Errand]:
        """A new process; what its users still want."""
        now = self.loop.time()
        self.client = self.scribe = None
        self.networks[-1].dead = True
        self.loop = SimLoop(now)
        self.loops.append(self.loop)
        errands = list(self.users.errands.values())
        self.users.errands.clear()
        return errands

    # the run

    def run(self) -> Result:
        """Everything, from the first step to the judgement."""
        ear, logger = _Ear(self.heard), logging.getLogger("suno_async")
        logger.addHandler(ear)
        propagate, logger.propagate = logger.propagate, False
        self._root = self._folder = Path(
            tempfile.mkdtemp(prefix="suno-simulation-", dir=_MEMORY if _MEMORY.is_dir() else None)
        )
        try:
            with self._patched():
                self._drive()
                self._judge()
                self._frozen = True
                self._bury()
        finally:
            logger.removeHandler(ear)
            logger.propagate = propagate
            shutil.rmtree(self._root)
        return self._result()

    @contextmanager
    def _patched(self) -> Iterator[None]:
        """What would be another on each run, or another file descriptor."""

        async def connect(*_: Any, **__: Any) -> object:
            return await self.networks[-1].connect()  # type: ignore[union-attr]

        with ExitStack() as stack:
            stack.enter_context(patch.object(journal_module, "_next_id", lambda: f"intent-{next(self.ids):06d}"))
            # ids are kept by their hash, which is another one in each process
            stack.enter_context(patch.object(tracker, "hash", lambda text: crc32(text.encode()), create=True))
            stack.enter_context(patch.object(connector, "monotonic", self._clock))
            # who waits for the same name is woken in the order of a set, which is that of addresses in memory
            stack.enter_context(patch.object(connector, "set", _InOrder, create=True))
            # anyio asks at every step, and until Python 3.12 each time the system is asked who this process is
            stack.enter_context(patch.object(_eventloop, "current_async_library", lambda: "asyncio", create=True))
            if sys.version_info < (3, 12):
                stack.enter_context(patch.object(_asyncio, "current_task", _current_task))
            stack.enter_context(patch.object(connector.aiohappyeyeballs, "start_connection", connect))
            yield

    def _clock(self) -> float:
        return self.loop.time()

    def _drive(self) -> None:
        errands: list[Errand] = []
        while True:
            loop = self.loop
            loop.set_exception_handler(self._broke)
            main = loop.create_task(self._play(errands))
            main.add_done_callback(lambda _, loop=loop: loop.stop())
            for at in self.crashing:
                loop.call_at(at, self._idle_crash)
            self.crashing = []
            try:
                loop.run_forever()
            except Crash:
                errands = self._restart()
                continue
            except RuntimeError as error:
                self.report("I12", f"the loop: {error!r}")
            if main.done() and main.exception() is not None:
                raise main.exception()  # type: ignore[misc]
            return

    def _judge(self) -> None:
        left = sorted(task.get_name() for task in asyncio.all_tasks(self.loop))
        if not self.violations and left:
            self.report("I6", f"{len(left)} tasks are left: {left[:3]}")
        if self.journaled and not self.violations:
            store = Store(self._folder / FILE)
            self._check_accepted(held(store))
            store.close()
            if SECRET.encode() in (self._folder / FILE).read_bytes():
                self.report("I11", "the key is in the journal")
        elif not self.violations:
            self._check_accepted(None)

    def _check_accepted(self, journal: State | None) -> None:
        """Every accepted id was told, is in the journal, or belongs to an intent that is known to be unknown."""
        kept = {row[1] for row in journal.tasks} if journal else set()
        unknown = {self._marker(each[3]) for each in journal.intents if each[1] != "accepted"} if journal else set()
        for task_id, marker in self.gateway.desk.accepted.items():
            outcome = self.outcomes.get(marker)
            known = task_id in kept or marker in unknown
            if journal is not None and not known and not self.disk.refused:
                self.report("I8", f"{task_id} was accepted, and the journal does not know it")
            known = known or outcome == task_id or isinstance(outcome, SubmitUnknown)
            known = known or (isinstance(outcome, JournalError) and outcome.task_id == task_id)
            if not known and not any(task_id in line or "may or may not" in line for line in self.logged):
                self.report("I8", f"{task_id} was accepted, and told was {outcome!r}")

    def _bury(self) -> None:
        """What still runs is ended after the judgement, where it can change nothing."""
        for network in self.networks:
            network.dead = True
        for loop in self.loops:
            while tasks := asyncio.all_tasks(loop):
                for task in tasks:
                    # cancelled before it begins, its coroutine would never have been awaited
                    if inspect.getcoroutinestate(task.get_coro()) != inspect.CORO_CREATED:  # type: ignore[arg-type]
                        task.cancel()
                _spin(loop)
            generators = loop.create_task(loop.shutdown_asyncgens())
            while not generators.done():
                _spin(loop)
            loop.close()

    def _result(self) -> Result:
        digest = hashlib.sha256()
        # who comes first in an instant may depend on where a set has put it
        lines = [line for _, line in sorted((at, f"{at!r} {what} {facts!r}") for at, what, facts in self.trace)]
        digest.update("\n".join(lines).encode())
        return Result(
            self.seed,
            digest.hexdigest(),
            self.violations,
            sum(session.looked for session in self.sessions),
            sum(session.looks for session in self.sessions),
            self.loop.time() - START,
            len(self.loops) - 1,
            lines[-40:],
        )


class _InOrder(dict[Any, None]):
    """A set whose members stand in the order in which they came."""

    def add(self, member: Any) -> None:
        self[member] = None

    def discard(self, member: Any) -> None:
        self.pop(member, None)

    def remove(self, member: Any) -> None:
        del self[member]


def _current_task() -> Any:
    """Of the one loop that runs."""
    return next(iter(asyncio.tasks._current_tasks.values()), None)


def _spin(loop: SimLoop) -> None:
    timer = loop.call_later(0.01, loop.stop)
    loop.run_forever()
    timer.cancel()


def simulate(seed: int, *, tasks: int = 100, tier: int = 1) -> Result:
    """What comes of one seed."""
    was = gc.isenabled()
    gc.disable()
    try:
        return World(seed, tasks, tier).run()
    finally:
        if was:
            gc.enable()
