"""The command that shows it all: a local gateway, some songs, no key, no network."""

from collections import Counter
from itertools import cycle, islice
from typing import Annotated

import anyio
from cyclopts import Parameter
from cyclopts.validators import Number
from rich.text import Text

from ...client import Suno
from ...protocol.models import Task
from ...protocol.pace import Adaptive, Scaled
from ...protocol.requests import Custom, Inspiration, Submittable, WriteLyrics
from ...testing.gateway import Gateway
from .board import Board, board
from .exits import DONE
from .looking import Json
from .records import demo_record, print_json
from .running import run
from .serving import Speed
from .tables import Cells, print_table, task_rows
from .words import say

COLUMNS = ("title", "task", "length", "status", "seconds", "looks", "audio")
WISHES: tuple[Submittable, ...] = (
    Inspiration("a slow song about a lighthouse keeper"),
    Custom("City lights are calling me home", tags="emotional punk", title="City Lights"),
    WriteLyrics("a lullaby for a robot"),
    Custom(tags="piano, rain", title="Monday in May", make_instrumental=True),
    Inspiration("a cheerful song about bread", mv="chirp-v4"),
)
_BREATH = 0.1


class Looks:
    """How often each task was asked for, counted at the gateway as the requests come in."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._counts: Counter[str] = Counter()

    def of(self, task_id: str) -> int:
        """The looks at one task so far."""
        self.count()
        return self._counts[task_id]

    def count(self) -> None:
        """Counts what has come in; the gateway keeps a thousand requests, so this is called often."""
        requests = self._gateway.requests
        while requests:
            self._counts.update(requests.popleft().ids)


def demo(
    *,
    tasks: Annotated[int, Parameter(help="How many songs and lyrics.", validator=Number(gte=1, lte=10_000))] = 8,
    speed: Speed = 25.0,
    as_json: Json = False,
) -> int:
    """Submit songs to a local gateway, wait for all of them, and count what it took."""
    return run(lambda: play(tasks, speed, as_json=as_json))


async def play(tasks: int, speed: float, *, as_json: bool) -> int:
    """The exit code of a demonstration, told on stdout."""
    began = anyio.current_time()
    pace = Scaled(Adaptive(), speed)
    async with (
        Gateway(speed=speed, failure_rate=0) as gateway,
        Suno(gateway.url, api_key=gateway.api_key, pace=pace) as suno,
        anyio.create_task_group() as group,
    ):
        looks = Looks(gateway)
        with board(gateway.now, looks.of, streaming=as_json) as shown:
            group.start_soon(_keep_up, looks, shown)
            rows = await _follow(suno, tasks, shown, looks, as_json=as_json)
            group.cancel_scope.cancel()
    if not as_json:
        print_table(COLUMNS, rows)
    _sum_up(gateway.counts, tasks, anyio.current_time() - began, speed)
    return DONE


async def _keep_up(looks: Looks, shown: Board) -> None:
    """Counts and draws for ever."""
    while True:
        looks.count()
        shown.draw()
        await anyio.sleep(_BREATH)


async def _follow(suno: Suno, tasks: int, shown: Board, looks: Looks, *, as_json: bool) -> list[Cells]:
    """The rows of all tasks, submitted together and followed until they are done."""
    ids: list[str] = []

    async def submit(wish: Submittable) -> None:
        ids.append((await suno.submit(wish)).task_id)

    async with anyio.create_task_group() as group:
        for wish in islice(cycle(WISHES), tasks):
            group.start_soon(submit, wish)
    shown.begin(ids)
    rows: list[Cells] = []
    async for task in suno.watch(ids):
        shown.change(task)
        if task.done:
            rows += _finish(task, looks.of(task.task_id), as_json=as_json)
    return rows


def _finish(task: Task, looks: int, *, as_json: bool) -> list[Cells]:
    """Prints a finished task, or gives its rows back to be printed together."""
    if as_json:
        print_json(demo_record(task, looks))
        return []
    return [{**cells, "looks": Text(str(looks))} for cells in task_rows(task)]


def _sum_up(counts: Counter[str], tasks: int, seconds: float, speed: float) -> None:
    """One line of measured figures."""
    looks, ids = counts["singles"] + counts["batches"], counts["ids_asked"]
    say(
        f"{tasks} tasks in {seconds:.1f} s at {speed:g} x speed: {counts['submissions']} requests to submit,"
        f" {looks} to look; one id at a time the same looks would have been {ids}"
    )
