"""The contents: what all journals hold together, and how what is found out about it gets back into them.

Each journal is opened, read and closed again, so that no other process finds it in use for longer than that.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import msgspec

from ...engine.journal import Store
from ...protocol.errors import JournalError
from ...protocol.intents import FREE, Intent, IntentState
from .exits import CONFIGURATION, DONE
from .journals import all_files, folder, owner
from .running import tell_how_to_go_on
from .words import say

OPEN = "OPEN"
UNDECIDED = frozenset({IntentState.INTENDED, IntentState.UNKNOWN})
_WEIGHT = {"NOT_FOUND": 0, OPEN: 1}
"""Of what several journals say of one task. That the gateway did not know it may have been said with another key."""

Name = tuple[str, str]
"""A gateway and a task id."""
Operation = Callable[[Store], Any]


class KeptTask(NamedTuple):
    """A task as a journal has it."""

    gateway: str
    task_id: str
    action: str
    status: str
    reason: str
    path: Path
    age: float | None
    """Seconds, of one that has not ended."""


class Contents(NamedTuple):
    """What one journal holds."""

    path: Path
    intents: list[Intent]
    tasks: dict[Name, KeptTask]


class Kept(NamedTuple):
    """What was read of all journals."""

    files: list[Contents]
    code: int
    """An exit code: what cannot be read is no success."""
    in_use: bool
    """A journal that another process has is not among them."""

    def intents(self) -> list[tuple[Intent, Path]]:
        """All of them, the oldest first."""
        found = [(intent, file.path) for file in self.files for intent in file.intents]
        return sorted(found, key=lambda one: one[0].intent_id)

    def tasks(self) -> dict[Name, KeptTask]:
        """All of them, each once: one that has ended somewhere has ended."""
        return _merged(self.files)


def read_all(setting: str | None) -> Kept:
    """What is in the journals; those that cannot be read are named on stderr."""
    files: list[Contents] = []
    code, in_use = DONE, False
    for path in all_files(setting):
        try:
            files.append(_read(path))
        except JournalError as error:
            free = owner(error) is None
            in_use = in_use or not free
            tell_unread(path, error)
            # one that was named is all there is to tell
            code = CONFIGURATION if free or setting is not None else code
    return Kept(files, code, in_use)


def tell_unread(path: Path, error: JournalError) -> None:
    """Why a journal is left out, and what can still be told of it."""
    who = owner(error)
    if who is not None:
        say(f"{path} is in use by {who}: what it holds is left out")
        return
    say(str(error))
    tell_how_to_go_on(error.task_ids, ["wait"], f"read from {path.name}")


def tell_nothing(kept: Kept, setting: str | None) -> None:
    """There is nothing to show: where that was looked for, as there may be other journals."""
    read = len(kept.files)
    if setting is not None and read:
        say(f"nothing of that in {setting}")
    elif read or (kept.code == DONE and not kept.in_use):
        these = f"nothing of that in {read} journal{'s' * (read > 1)} in" if read else "no journals in"
        say(f"{these} {folder()}; one that lies elsewhere, as a program's own, is named with --journal PATH")


def _read(path: Path) -> Contents:
    store = Store(path)
    try:
        ages = {(task.gateway, task.task_id): task.age for task in store.open_tasks()}
        tasks = {row[:2]: KeptTask(*row, path, ages.get(row[:2])) for row in store.tasks()}
        return Contents(path, store.intents(), tasks)
    finally:
        store.close()


def _merged(files: Iterable[Contents]) -> dict[Name, KeptTask]:
    found: dict[Name, KeptTask] = {}
    for file in files:
        for name, task in file.tasks.items():
            other = found.get(name)
            if other is None or _WEIGHT.get(other.status, 2) < _WEIGHT.get(task.status, 2):
                found[name] = task
    return found


@contextmanager
def together(files: Sequence[Contents]) -> Iterator[Path]:
    """One journal with all that these hold of tasks, and of submissions that became one or may have.

    What has changed in it goes back into them at the end.
    """
    with TemporaryDirectory(prefix="suno-async-") as folder:
        path = Path(folder, "all.journal")
        _copy(files, path)
        try:
            yield path
        finally:
            try:
                _bring_back(_read(path), files)
            except JournalError as error:
                # a second Ctrl-C did not wait until it was closed
                say(f"what was found out is not written down, and will be asked for again: {error}")


class _Clock:
    """Says the time at which what is copied was written."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC).timestamp()

    def __call__(self) -> float:
        return self.at


def _copy(files: Sequence[Contents], path: Path) -> None:
    clock, tasks = _Clock(), _merged(files)
    now = clock.at
    # what is written in one commit has one time
    written: dict[float, list[Operation]] = defaultdict(list)
    for intent in (intent for file in files for intent in file.intents if intent.state not in FREE):
        # the key would be refused where two files have it, and a task that was forgotten stays so
        known = intent.task_id if (intent.gateway, intent.task_id) in tasks else None
        copy = msgspec.structs.replace(intent, idempotency_key=None, task_id=known)
        if known is None:
            written[now].append(partial(Store.put, intent=copy))
        else:
            written[now] += [partial(Store.conclude, intent=copy), partial(Store.put, intent=copy)]
    for task in tasks.values():
        wait = partial(Store.wait_for, gateway=task.gateway, task_ids=(task.task_id,))
        written[now - (task.age or 0.0)].append(wait)
    ends = [_end_of(task) for task in tasks.values() if task.status != OPEN]
    store = Store(path, now=clock)
    try:
        for at, operations in written.items():
            clock.at = at
            store.commit(operations)
        clock.at = now
        store.commit(ends)
    finally:
        store.close()


def _end_of(task: KeptTask) -> Operation:
    return partial(Store.end, gateway=task.gateway, task_id=task.task_id, status=task.status, reason=task.reason)


def _bring_back(found: Contents, files: Sequence[Contents]) -> None:
    decided = {intent.intent_id: intent for intent in found.intents if intent.state not in UNDECIDED}
    for file in files:
        intents = [
            (intent, msgspec.structs.replace(decided[intent.intent_id], idempotency_key=intent.idempotency_key))
            for intent in file.intents
            if intent.state in UNDECIDED and intent.intent_id in decided
        ]
        ends = [found.tasks[name] for name, task in file.tasks.items() if task.status == OPEN]
        _write(file.path, intents, [task for task in ends if task.status != OPEN])


def _write(path: Path, intents: list[tuple[Intent, Intent]], ends: list[KeptTask]) -> None:
    if not intents and not ends:
        return

    def write(store: Store) -> None:
        for read, settled in intents:
            # it may have been settled meanwhile, and submitted again under the same name
            if store.find(read.intent_id) == read:
                store.conclude(settled)

    try:
        store = Store(path)
    except JournalError as error:
        say(f"what was found out is not written to {path}, and will be asked for again: {error}")
        return
    try:
        store.commit([write, *map(_end_of, ends)])
    finally:
        store.close()
