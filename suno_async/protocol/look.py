"""The look: what one answer says about one task, and its row, which is read only if somebody wants it."""

from collections.abc import Iterable

import msgspec

from .dialects import read_tasks
from .lenient import read_json
from .models import FAILURE, SUCCESS, Status, Task
from .rows import Times, read_row, read_times, task_of

# what msgspec raises for bytes it will not read: its own errors and UnicodeDecodeError are ValueErrors
UNREAD = (ValueError, RecursionError)


class Look(msgspec.Struct, gc=False, eq=False):
    """What one answer says about one task, read only as far as is needed to go on."""

    task_id: str
    status: Status
    mark: int
    """Two looks with the same mark show the same: nothing a watcher could see has changed."""
    frozen: bool
    """A reason to fail and progress 100 % without FAILURE: stock gateways never touch such a row again."""
    action: str
    source: "Task | bytes | Page"
    """The task, its row, or the answer its row is in."""
    index: int = 0
    keepers: int = 0
    """So many keep it who have no use for the rest of the answer."""

    def task(self) -> Task:
        """The whole task; the work of reading it is done here."""
        source = self.source
        if isinstance(source, Task):
            return source
        return _read_row(self, source if isinstance(source, bytes) else source.row(self.index))

    def times(self) -> Times:
        """When the gateway says that something happened to it; empty where that cannot be read."""
        source = self.source
        if isinstance(source, Task):
            return Times(source.submit_time, source.start_time, source.finish_time)
        try:
            return read_times(source if isinstance(source, bytes) else source.row(self.index))
        except UNREAD:
            return Times()

    def kept(self) -> "Look":
        """The same look, which holds its own row only, as soon as the answer it was cut from is forgotten."""
        self.keepers += 1
        if isinstance(self.source, Page) and not self.source.remembered:
            self.source = self.source.row(self.index)
        return self


class Page:
    """An answer to a look at many tasks, whose rows are cut out when one of them is wanted."""

    __slots__ = ("_body", "_rows", "remembered")

    def __init__(self, body: bytes, *, remembered: bool) -> None:
        self._body = body
        self._rows: list[msgspec.Raw] | None = None
        self.remembered = remembered
        """Somebody else holds the body anyway."""

    def row(self, index: int) -> bytes:
        """One row, copied: a Raw would pin the whole answer."""
        try:
            self._rows = self._rows or read_rows(self._body).data
        except RecursionError:
            # it could be read where the stack was less deep
            return b"null"
        return bytes(self._rows[index])


class _Rows(msgspec.Struct, gc=False):
    code: str
    data: list[msgspec.Raw]


read_rows = msgspec.json.Decoder(_Rows).decode
"""The rows of an answer, each as it came; raises ValueError or RecursionError for one that has another shape."""


def forget(looks: Iterable[Look]) -> None:
    """The answer of these looks is remembered no longer: those that are kept hold their own rows from now on."""
    for look in looks:
        if isinstance(look.source, Page):
            look.source.remembered = False
            if look.keepers > 0:
                look.source = look.source.row(look.index)


def is_final(status: Status) -> bool:
    """True for SUCCESS and FAILURE."""
    return status is SUCCESS or status is FAILURE


def known(task: Task) -> Look:
    """The look at a task that has been read already."""
    frozen = bool(task.fail_reason) and task.progress == 100 and not task.done
    mark = hash((task.status_text, task.progress, task.fail_reason, task.songs, task.lyrics))
    return Look(task.task_id, task.status, mark, frozen, task.action, task)


def _read_row(look: Look, payload: bytes) -> Task:
    try:
        return task_of(read_row(payload), look.status, payload)
    except UNREAD:
        return _read_odd_row(look, payload)


def _read_odd_row(look: Look, payload: bytes) -> Task:
    try:
        task = read_tasks(read_json(payload))[0]
    except (*UNREAD, IndexError):
        task = Task(task_id="")
    # whose row it is, and how far, has been read already; the rest may have any shape
    word = look.status.value
    return msgspec.structs.replace(task, task_id=look.task_id, status=look.status, status_text=word, payload=payload)
