"""The wire: structs to bytes, and answers to looks. The fast path, typed; what it cannot read goes to `dialects`."""

from collections.abc import Sequence

import msgspec

from .blanks import is_blank, knows_none
from .dialects import has_made, read_tasks
from .errors import UnexpectedResponse
from .exchange import Answer, Request
from .lenient import excerpt, read_json
from .models import FAILURE, SUCCESS, Status, Task
from .refusals import Kind, Trouble, error_words, foreign, trouble_of
from .rows import MOST_ROWS, Times, read_row, read_times, task_of

BATCH_PATH = "/suno/fetch"
_MOST_ODD_ROWS = 1000
"""Less than some ask for: then it is as many as that."""
_MOST_TWICE = 100
"""Of rows that come twice, so many are read to see which one has more in it."""
_STOCK = {status.value: status for status in Status}


class Look(msgspec.Struct, gc=False, eq=False):
    """What one answer says about one task, read only as far as is needed to go on."""

    task_id: str
    status: Status
    mark: int
    """Two looks with the same mark show the same: nothing a watcher could see has changed."""
    frozen: bool
    """A reason to fail and progress 100 % without FAILURE: stock gateways never touch such a row again."""
    action: str
    source: "Task | bytes | _Page"
    """The task, its row, or the answer its row is in."""
    index: int = 0

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
        except _UNREAD:
            return Times()

    def kept(self) -> "Look":
        """The same look, which from now on holds its own row only: the answer it was cut from may be large."""
        if isinstance(self.source, _Page):
            self.source = self.source.row(self.index)
        return self


class _Page:
    """An answer to a look at many tasks, whose rows are cut out when one of them is wanted."""

    __slots__ = ("_body", "_rows")

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._rows: list[msgspec.Raw] | None = None

    def row(self, index: int) -> bytes:
        """One row, copied: a Raw would pin the whole answer."""
        try:
            self._rows = self._rows or _rows(self._body).data
        except RecursionError:
            # it could be read where the stack was less deep
            return b"null"
        return bytes(self._rows[index])


class _Envelope(msgspec.Struct, gc=False):
    code: str
    data: msgspec.Raw


class _Rows(msgspec.Struct, gc=False):
    code: str
    data: list[msgspec.Raw]


class _Glance(msgspec.Struct, gc=False):
    """The few fields of a row that every look needs."""

    task_id: str
    status: str
    action: str = ""
    fail_reason: str = ""
    progress: str = ""
    data: msgspec.Raw = msgspec.Raw(b"null")


class _Batch(msgspec.Struct, gc=False):
    code: str
    data: list[_Glance]


_envelope = msgspec.json.Decoder(_Envelope).decode
_rows = msgspec.json.Decoder(_Rows).decode
_batch = msgspec.json.Decoder(_Batch).decode
_glance = msgspec.json.Decoder(_Glance).decode
_encode = msgspec.json.Encoder().encode
# what msgspec raises for bytes it will not read: its own errors and UnicodeDecodeError are ValueErrors
_UNREAD = (ValueError, RecursionError)


def ask_one(task_id: str) -> Request:
    """The look at one task; the id has been checked."""
    return Request("GET", f"{BATCH_PATH}/{task_id}")


def ask_many(task_ids: Sequence[str]) -> Request:
    """One look at many tasks. Stock gateways parse ``action`` and ignore it, so it is left out."""
    return Request("POST", BATCH_PATH, _encode({"ids": task_ids}))


def read_one(answer: Answer, task_id: str) -> Look | Trouble:
    """What the answer to a look at one task says.

    An answer about another task is Trouble (a stray answer on a pooled connection), and so is one that names no task,
    unless its connection served nothing else: Suno-API's single look gives the payload alone.
    """
    if not 200 <= answer.status < 300:
        return trouble_of(answer, task_id)
    try:
        envelope = _envelope(answer.body)
        look = _look(_glance(envelope.data), bytes(envelope.data)) if envelope.code == "success" else None
    except _UNREAD:
        look = None
    if look is None or look.task_id != task_id:
        return _slow_one(answer, task_id)
    return look


def read_task(answer: Answer, task_id: str) -> Task | Trouble:
    """The whole task that the answer to a look at it tells; else as `read_one`."""
    if answer.status == 200:
        try:
            envelope = _envelope(answer.body)
            row = read_row(envelope.data)
            status = _STOCK.get(row.status)
            # a SUCCESS with nothing made may have it in another place
            made = row.data or status is not SUCCESS
            if envelope.code == "success" and row.task_id == task_id and status is not None and made:
                return task_of(row, status, bytes(envelope.data))
        except _UNREAD:
            pass
    look = read_one(answer, task_id)
    return look if isinstance(look, Trouble) else look.task()


def _slow_one(answer: Answer, task_id: str) -> Look | Trouble:
    tasks = _slow(answer, task_id)
    if isinstance(tasks, Trouble):
        return tasks
    for task in tasks:
        if task.task_id == task_id:
            return _known(task)
    if len(tasks) == 1 and not tasks[0].task_id:
        if answer.fresh:
            return _known(msgspec.structs.replace(tasks[0], task_id=task_id))
        error = UnexpectedResponse("the answer names no task", task_id=task_id, status=200)
        return Trouble(Kind.NAMELESS, error, readable=True)
    return foreign(task_id)


def read_many(answer: Answer, most: int = MOST_ROWS, *, asked: int = 0) -> dict[str, Look] | Trouble:
    """What the answer to a look at ``asked`` tasks says: the looks by id, none for ids the gateway left out.

    ``data: null`` is how new-api writes that it knows none of the ids; others have a place with nothing in it for each.
    An answer of more than ``most`` rows is no answer to what was asked, and reading it would hold up everything else.
    """
    if not 200 <= answer.status < 300:
        return trouble_of(answer)
    try:
        envelope = _batch(answer.body)
        if envelope.code == "success":
            if len(envelope.data) > most:
                return _too_many(answer, len(envelope.data))
            page, odd = _Page(answer.body), _Odd(asked)
            rows = enumerate(envelope.data)
            return odd.told([_look(seen, page, index) or odd.read(page.row(index)) for index, seen in rows])
    except _UNREAD:
        pass
    return _slow_many(answer, most, asked)


def _too_many(answer: Answer, count: int) -> Trouble:
    message = f"the gateway's answer tells of {count:,} tasks"
    error = UnexpectedResponse(message, status=answer.status, excerpt=excerpt(answer.body))
    return Trouble(Kind.OUTAGE, error)


def _slow_many(answer: Answer, most: int, asked: int) -> dict[str, Look] | Trouble:
    """Row by row, so that a damaged one spoils no other; or the whole answer, if it has another shape."""
    try:
        envelope = _rows(answer.body)
        if envelope.code == "success":
            if len(envelope.data) > most:
                return _too_many(answer, len(envelope.data))
            odd = _Odd(asked)
            return odd.told([_fast_row(row) or odd.read(bytes(row)) for row in envelope.data])
    except _UNREAD:
        pass
    tasks = _slow(answer, None, asked)
    return tasks if isinstance(tasks, Trouble) else by_id([_known(task) for task in tasks])


def by_id(looks: list[Look]) -> dict[str, Look]:
    """One look for each id: where an answer tells of one twice, the one further along, and of those the last."""
    last = {look.task_id: look for look in looks}
    if len(last) < len(looks):
        how_far = _how_far if len(looks) - len(last) <= _MOST_TWICE else _about_how_far
        far: dict[str, int] = {}
        for look in looks:
            task_id = look.task_id
            if task_id not in far:
                far[task_id] = how_far(last[task_id])
            reached = how_far(look)
            if reached >= far[task_id]:
                last[task_id], far[task_id] = look, reached
    return last


def _about_how_far(look: Look) -> int:
    """0 for what goes on, 1 for what failed and 2 for what succeeded."""
    return 2 if look.status is SUCCESS else int(look.status is FAILURE)


def _how_far(look: Look) -> int:
    """0 for what goes on, 1 for what is over, and more for what was made: the more songs, the more."""
    if look.status is not SUCCESS:
        return int(look.status is FAILURE)
    task = look.task()
    songs = sum(song.playable for song in task.songs)
    raw = task.raw
    return 1 + (songs or task.playable or (isinstance(raw, dict) and has_made(raw)))


class _Odd:
    """Reads the rows of one answer that are not stock, and stops where there are too many of them."""

    __slots__ = ("_count", "_most")

    def __init__(self, asked: int) -> None:
        self._count = 0
        self._most = max(asked, _MOST_ODD_ROWS)

    def read(self, row: bytes) -> Look:
        """The look at such a row; one too many is nobody's."""
        self._count += 1
        return _slow_row(row) if self._count <= self._most else _known(Task(task_id=""))

    def told(self, looks: list[Look]) -> dict[str, Look]:
        """The looks by id, without the places that hold nothing."""
        return by_id([look for look in looks if look is not _NOTHING] if self._count else looks)


def _fast_row(row: msgspec.Raw) -> Look | None:
    try:
        return _look(_glance(row), bytes(row))
    except _UNREAD:
        return None


def _slow_row(row: bytes) -> Look:
    try:
        document = read_json(row)
        if is_blank(document, 1):
            return _NOTHING
        tasks = read_tasks(document)
    except _UNREAD:
        tasks = []
    # a row that is no task is nobody's: the id "" is never asked for
    return _known(tasks[0] if tasks else Task(task_id=""))


def _slow(answer: Answer, task_id: str | None, asked: int = 0) -> list[Task] | Trouble:
    try:
        document = read_json(answer.body)
        refused = error_words(document) is not None
        if task_id is None and not refused and knows_none(document):
            return []
        tasks = [] if refused else read_tasks(document, max(asked, _MOST_ODD_ROWS))
    except _UNREAD:
        return trouble_of(answer, task_id)
    return tasks or trouble_of(answer, task_id)


def _look(seen: _Glance, source: bytes | _Page, index: int = 0) -> Look | None:
    """The look at a stock row, or None for one the slow path must read."""
    word, progress, reason, data = seen.status, seen.progress, seen.fail_reason, bytes(seen.data)
    status = _STOCK.get(word)
    if status is None or (status is SUCCESS and data == b"null"):
        return None
    # the text, not the member: an Enum's hash is a call
    mark = hash((word, progress, reason, data))
    frozen = reason != "" and progress == "100%" and not is_final(status)
    return Look(seen.task_id, status, mark, frozen, seen.action, source, index)


def is_final(status: Status) -> bool:
    """True for SUCCESS and FAILURE."""
    return status is SUCCESS or status is FAILURE


def _known(task: Task) -> Look:
    frozen = bool(task.fail_reason) and task.progress == 100 and not task.done
    mark = hash((task.status_text, task.progress, task.fail_reason, task.songs, task.lyrics))
    return Look(task.task_id, task.status, mark, frozen, task.action, task)


_NOTHING = _known(Task(task_id=""))
"""The look at a place without a row."""


def _read_row(look: Look, payload: bytes) -> Task:
    try:
        return task_of(read_row(payload), look.status, payload)
    except _UNREAD:
        return _read_odd_row(look, payload)


def _read_odd_row(look: Look, payload: bytes) -> Task:
    try:
        task = read_tasks(read_json(payload))[0]
    except (*_UNREAD, IndexError):
        task = Task(task_id="")
    # whose row it is, and how far, has been read already; the rest may have any shape
    word = look.status.value
    return msgspec.structs.replace(task, task_id=look.task_id, status=look.status, status_text=word, payload=payload)
