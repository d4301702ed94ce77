"""The history: what children said before they died, and whether the journal and the gateway bear it out."""

import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from suno_async import JournalError
from suno_async.engine.journal import Store
from suno_async.protocol.intents import FREE, Intent, IntentState
from suno_async.testing import Gateway

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - for copies that nobody else looks at
UNDECIDED = frozenset({IntentState.INTENDED, IntentState.UNKNOWN})


class Records:
    """What a journal holds: intents by their ids and by the song they submit, the status of tasks by their ids."""

    def __init__(self, intents: Iterable[Intent] = (), tasks: Iterable[tuple[str, str]] = ()) -> None:
        self.intents = {intent.intent_id: intent for intent in intents}
        self.tasks = dict(tasks)
        self.songs: defaultdict[str, list[Intent]] = defaultdict(list)
        for intent in self.intents.values():
            self.songs[marker_of(intent.body)].append(intent)


@cache
def marker_of(body: bytes) -> str:
    """The name of the song that a body submits."""
    return msgspec.json.decode(body)["title"]


def read(journal: Path) -> Records:
    """What is in a journal whose owner was killed: in a copy, so that the next owner finds what the dead one left."""
    if not journal.exists():
        return Records()
    with TemporaryDirectory(dir=MEMORY) as folder:
        for file in journal.parent.glob(f"{journal.name}*"):
            if file.is_file():
                shutil.copy(file, folder)
        store = Store(Path(folder, journal.name))
        try:
            return Records(store.intents(), ((task[1], task[3]) for task in store.tasks()))
        finally:
            store.close()


class History:
    """Everything that was said, and every violation of what it promised."""

    def __init__(self, journal: Path, gateway: Gateway) -> None:
        self._journal, self._gateway = journal, gateway
        self.records = Records()
        self.violations: list[str] = []
        self.tally: Counter[str] = Counter()
        self._accepted: dict[str, str] = {}
        self._last: dict[str, str] = {}
        """What was last said of each song: trying, unknown, refused, cancelled."""
        self._ended: dict[str, str] = {}
        """What this life has said of tasks: nobody waits for the disk to know it, until the client is closed."""

    def hear(self, said: str, *words: Any) -> None:
        """A child says something."""
        self.tally[said] += 1
        if said in {"trying", "unknown", "refused", "cancelled"}:
            self._last[words[0]] = said
        elif said == "accepted":
            self._last[words[0]] = said
            earlier = self._accepted.setdefault(*words)
            self._expect(earlier == words[1], f"{words[0]} was accepted as {earlier} and as {words[1]}")
        elif said == "opened":
            self._ended.clear()
        elif said == "ended":
            self._ended[words[0]] = words[1]
        elif said == "resumed":
            self._resumed(*words)
        self._expect(said != "broke", f"a child broke: {words}")

    def _resumed(self, ids: list[str], unknown: list[str]) -> None:
        """The next process finds what the last one left, no more and no less."""
        left = {task_id for task_id, status in self.records.tasks.items() if status == "OPEN"}
        self._expect(set(ids) == left, f"resumed {set(ids) - left}, did not resume {left - set(ids)}")
        left = {name for name, intent in self.records.intents.items() if intent.state in UNDECIDED}
        self._expect(set(unknown) == left, f"unknown() differs from the journal in {left ^ set(unknown)}")

    def check(self, *, closed: bool) -> None:
        """After the death of a child, or after its end in good order (``closed``)."""
        try:
            records = read(self._journal)
        except JournalError as error:
            self.violations.append(f"the journal does not open: {error}")
            return
        self._check_nothing_vanished(records)
        self._check_gateway(records)
        self._check_words(records)
        if closed:
            for task_id, status in self._ended.items():
                found = records.tasks.get(task_id)
                self._expect(found == status, f"{task_id} ended as {status}, the journal says {found}")
        self.tally["left intended"] += sum(
            intent.state is IntentState.INTENDED and name not in self.records.intents
            for name, intent in records.intents.items()
        )
        self.records = records

    def _check_nothing_vanished(self, records: Records) -> None:
        """What was on the disk once is there for good, and what was decided, or could not be, stays so."""
        for name, before in self.records.intents.items():
            now = records.intents.get(name)
            self._expect(now is not None, f"the intent {name} ({before.state}) is gone")
            free = before.state in FREE and before.idempotency_key is not None
            if now is not None and not free:
                same = (before.state, before.task_id) == (now.state, now.task_id)
                self._expect(same, f"the intent {name} was {before.state}, and became {now.state} after its process")
        for task_id, status in self.records.tasks.items():
            now_status = records.tasks.get(task_id)
            self._expect(status in {now_status, "OPEN"}, f"the task {task_id} was {status}, and is {now_status}")

    def _check_gateway(self, records: Records) -> None:
        """What the gateway has read was intended, once; what it has accepted is known, or known to be unknown."""
        for body, times in self._gateway.submissions.items():
            marker = marker_of(body)
            intents = records.songs[marker]
            self._expect(times == 1, f"{marker} was submitted {times} times")
            self._expect(len(intents) == 1, f"{marker} was submitted, and is intended {len(intents)} times")
        for body, ids in self._gateway.accepted.items():
            marker = marker_of(body)
            self._expect(len(ids) == 1, f"{marker} was accepted as {ids}")
            for intent in records.songs[marker]:
                known = intent.state in UNDECIDED or intent.task_id == ids[0]
                self._expect(known, f"{marker} was accepted as {ids[0]}, the journal says {intent.state}")
        paid = {task_id for ids in self._gateway.accepted.values() for task_id in ids}
        self._expect(records.tasks.keys() <= paid, f"tasks from nowhere: {records.tasks.keys() - paid}")

    def _check_words(self, records: Records) -> None:
        """What a caller was told was on the disk before."""
        for marker, task_id in self._accepted.items():
            found = [(intent.state, intent.task_id) for intent in records.songs[marker]]
            self._expect(found == [(IntentState.ACCEPTED, task_id)], f"{marker} was told as {task_id}, and is {found}")
            self._expect(task_id in records.tasks, f"{marker} was told as {task_id}, which is no task of the journal")
        sent = {marker_of(body) for body in self._gateway.submissions}
        for marker, said in self._last.items():
            states = [intent.state for intent in records.songs[marker]]
            allowed = _allowed(said, keyed=marker.startswith("order"), sent=marker in sent)
            self._expect(set(states or [None]) <= allowed, f"{marker} was told as {said}, and is {states}")

    def _expect(self, holds: object, violation: str) -> None:
        if not holds:
            self.violations.append(violation)


def _allowed(said: str, *, keyed: bool, sent: bool) -> frozenset[IntentState | None]:
    """What may be on the disk after the last word about a song; None is nothing at all."""
    if said == "accepted":
        return frozenset({IntentState.ACCEPTED})
    if said == "refused":
        return FREE
    if said == "unknown":
        # the key of a process that is gone is not written anew
        return UNDECIDED if keyed else frozenset({IntentState.UNKNOWN})
    if said == "cancelled" and not keyed:
        # its outcome was waited for; what never left may not have been written down at all
        return frozenset(IntentState if sent else {None, *IntentState}) - {IntentState.INTENDED}
    return frozenset({None, *IntentState})
