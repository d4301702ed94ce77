"""The campaign: children on one journal, one after the other, each killed at a moment of its own."""

import os
import signal
from asyncio import StreamReader, open_connection
from collections import Counter
from pathlib import Path
from random import Random

import anyio
import msgspec

from suno_async.testing import Gateway

from .history import History
from .lives import POINTS, Life
from .zygote import Birth, Zygote

SPEED = 300.0  # a round of the gateway takes 50 ms, a song a third of a second
FAULTS = {
    "answer_lost": 0.04,
    "truncated": 0.04,
    "answer_withheld": 0.03,
    "connection_reset": 0.03,
    "drip": 0.03,
    "slow_upstream": 0.05,
    "late_row": 0.05,
    "rate_limited": 0.03,
    "overloaded": 0.03,
}
"""None of them makes a gateway read a submission and refuse it: whatever it has read, it must not read again."""
HEARD = ("trying", "committing", "committed", "accepted", "resumed", "ended")
LONGEST = 0.35  # seconds: whatever a plan waits for may never come


class Plan(msgspec.Struct):
    """How one child will die."""

    kind: str
    """time, word, point, opening, or leave: which it survives if it is quick."""
    word: str = "opened"
    """What it says before its time comes ..."""
    times: int = 1
    """... so often ..."""
    delay: float = 0.0
    """... and how many seconds after that."""
    point: str = ""
    leaves_after: float | None = None
    disk: float = 0.0


def plan(rng: Random) -> Plan:
    """One of many deaths."""
    disk = rng.choice((0.0, 0.0, 0.003, 0.01))
    kind = rng.choices(("time", "word", "point", "opening", "leave"), (30, 30, 25, 8, 7))[0]
    if kind == "time":
        return Plan(kind, delay=rng.uniform(0, 0.08), disk=disk)
    if kind == "word":
        return Plan(kind, rng.choice(HEARD), rng.randint(1, 12), rng.choice((0.0, rng.uniform(0, 0.003))), disk=disk)
    if kind == "point":
        return Plan(kind, times=rng.randint(1, 12), delay=LONGEST, point=rng.choice(POINTS), disk=disk)
    if kind == "opening":
        return Plan(kind, "born", delay=rng.uniform(0, 0.04), disk=disk)
    return Plan(kind, "closing", delay=rng.uniform(0, 0.02), leaves_after=rng.uniform(0, 0.1), disk=disk)


class Found(AssertionError):
    """A promise of the journal was broken."""


async def run(folder: Path, *, kills: int, seed: int, bug: str = "") -> Counter[str]:
    """Kills so many children; raises Found with everything that is wrong after one of them, else tells what happened.

    After the last death a child without enemies waits for all that is open.
    """
    rng = Random(f"{seed}/plans")
    with (folder / "children.txt").open("wb") as errors, Zygote(errors) as zygote:
        async with Gateway(seed=seed, speed=SPEED, faults=FAULTS) as gateway:
            campaign = Campaign(zygote, gateway, folder / "suno.journal", seed, bug)
            while campaign.kills < kills:
                await campaign.one(plan(rng))
            gateway.faults.clear()
            await campaign.finish()
    return campaign.history.tally


class Campaign:
    """One journal, one gateway, many children."""

    def __init__(self, zygote: Zygote, gateway: Gateway, journal: Path, seed: int, bug: str) -> None:
        self._zygote, self._gateway, self._journal = zygote, gateway, journal
        self._seed, self._bug = seed, bug
        self._number = 0
        self.kills = 0
        self.history = History(journal, gateway)

    async def one(self, plan: Plan) -> None:
        """One life and its end."""
        life = self._life(point=plan.point, crossing=plan.times, disk=plan.disk, leaves_after=plan.leaves_after)
        killed = await self._live(life, plan, LONGEST)
        self.kills += killed
        self.history.tally[f"killed: {plan.kind}"] += killed
        self._check(plan, closed=not killed)

    async def finish(self) -> None:
        """A life that ends well: it waits for everything that is open."""
        plan = Plan("finish", "never")
        killed = await self._live(self._life(finishes=True), plan, 20.0)
        self._check(plan, closed=True)
        tasks = self.history.records.tasks
        still = [task_id for task_id, status in tasks.items() if status not in {"SUCCESS", "FAILURE"}]
        self._found([f"open after all: {still}"] if still or killed else [], plan)

    def _life(self, **how: object) -> Life:
        self._number += 1
        return msgspec.convert(
            {
                "url": self._gateway.url,
                "api_key": self._gateway.api_key,
                "journal": str(self._journal),
                "number": self._number,
                "seed": f"{self._seed}/{self._number}",
                "bug": self._bug,
                **how,
            },
            Life,
        )

    async def _live(self, life: Life, plan: Plan, longest: float) -> bool:
        """Let it live until the plan kills it, or it dies or leaves; True if it was killed."""
        birth = self._zygote.bear(msgspec.json.encode(life))
        reader, writer = await open_connection(sock=birth.pipe)
        due = anyio.Event()
        async with anyio.create_task_group() as group:
            group.start_soon(_kill, birth, due, plan.delay, longest)
            await self._listen(reader, plan, due)
            group.cancel_scope.cancel()
        writer.close()
        await writer.wait_closed()
        cause = self._zygote.bury(birth.process)
        if cause not in {0, signal.SIGKILL}:
            self.history.violations.append(f"a child died of signal {cause}")
        return cause == signal.SIGKILL

    async def _listen(self, reader: StreamReader, plan: Plan, due: anyio.Event) -> None:
        """Hear a child to its end; a line that was cut off was not said."""
        missing = plan.times if plan.kind == "word" else 1
        missing = self._count("born", plan, missing, due)
        while (line := await reader.readline()).endswith(b"\n"):
            said, *words = msgspec.json.decode(line)
            self.history.hear(said, *words)
            missing = self._count(said, plan, missing, due)

    @staticmethod
    def _count(said: str, plan: Plan, missing: int, due: anyio.Event) -> int:
        missing -= said == plan.word
        if missing <= 0:
            due.set()
        return missing

    def _check(self, plan: Plan, *, closed: bool) -> None:
        self.history.check(closed=closed)
        self._found(self.history.violations, plan)

    def _found(self, violations: list[str], plan: Plan) -> None:
        if violations:
            first = "\n  ".join(violations[:10])
            again = f"python -m tests.crash --seed {self._seed} --kills {self.kills + 20}"
            raise Found(f"after {self.kills} kills, the last by {plan}:\n  {first}\nagain, or nearly so: {again}")


async def _kill(birth: Birth, due: anyio.Event, delay: float, longest: float) -> None:
    """SIGKILL when it is due, or when it has taken too long; a dead child keeps its number until it is buried."""
    with anyio.move_on_after(longest):
        await due.wait()
        await anyio.sleep(delay)
    os.kill(birth.process, signal.SIGKILL)
