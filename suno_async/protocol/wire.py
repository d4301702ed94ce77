"""The wire: structs to bytes, and answers to looks. The fast path, typed; what it cannot read goes to `dialects`."""

from collections.abc import Sequence

import msgspec

from .blanks import is_blank, knows_none
from .dialects import has_made, read_tasks
from .errors import UnexpectedResponse
from .exchange import Answer, Request
from .lenient import excerpt, read_json
from .look import UNREAD, Look, Page, is_final, known, read_rows
from .models import FAILURE, SUCCESS, Status, Task
from .refusals import Kind, Trouble, error_words, foreign, trouble_of
from .rows import MOST_ROWS, read_row, task_of

BATCH_PATH = "/suno/fetch"
_MOST_ODD_ROWS = 1000
"""Less than some ask for: then it is as many as that."""
_MOST_TWICE = 100
"""Of rows that come twice, so many are read to see which one has more in it."""
_STOCK = {status.value: status for status in Status}


class _Envelope(msgspec.Struct, gc=False):
    code: str
    data: msgspec.Raw


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
_batch = msgspec.json.Decoder(_Batch).decode
_glance = msgspec.json.Decoder(_Glance).decode
_encode = msgspec.json.Encoder().encode


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
    except UNREAD:
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
        except UNREAD:
            pass
    look = read_one(answer, task_id)
    return look if isinstance(look, Trouble) else look.task()


def _slow_one(answer: Answer, task_id: str) -> Look | Trouble:
    tasks = _slow(answer, task_id)
    if isinstance(tasks, Trouble):
        return tasks
    for task in tasks:
        if task.task_id == task_id:
            return known(task)
    if len(tasks) == 1 and not tasks[0].task_id:
        if answer.fresh:
            return known(msgspec.structs.replace(tasks[0], task_id=task_id))
        error = UnexpectedResponse("the answer names no task", task_id=task_id, status=200)
        return Trouble(Kind.NAMELESS, error, readable=True)
    return foreign(task_id)


def read_many(
    answer: Answer, most: int = MOST_ROWS, *, asked: int = 0, remembered: bool = False
) -> dict[str, Look] | Trouble:
    """What the answer to a look at ``asked`` tasks says: the looks by id, none for ids the gateway left out.

    Who remembers the answer calls `look.forget` later.

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
            page, odd = Page(answer.body, remembered=remembered), _Odd(asked)
            rows = enumerate(envelope.data)
            return odd.told([_look(seen, page, index) or odd.read(page.row(index)) for index, seen in rows])
    except UNREAD:
        pass
    return _slow_many(answer, most, asked)


def _too_many(answer: Answer, count: int) -> Trouble:
    message = f"the gateway's answer tells of {count:,} tasks"
    error = UnexpectedResponse(message, status=answer.status, excerpt=excerpt(answer.body))
    return Trouble(Kind.OUTAGE, error)


def _slow_many(answer: Answer, most: int, asked: int) -> dict[str, Look] | Trouble:
    """Row by row, so that a damaged one spoils no other; or the whole answer, if it has another shape."""
    try:
        envelope = read_rows(answer.body)
        if envelope.code == "success":
            if len(envelope.data) > most:
                return _too_many(answer, len(envelope.data))
            odd = _Odd(asked)
            return odd.told([_fast_row(row) or odd.read(bytes(row)) for row in envelope.data])
    except UNREAD:
        pass
    tasks = _slow(answer, None, asked)
    return tasks if isinstance(tasks, Trouble) else by_id([known(task) for task in tasks])


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
        return _slow_row(row) if self._count <= self._most else known(Task(task_id=""))

    def told(self, looks: list[Look]) -> dict[str, Look]:
        """The looks by id, without the places that hold nothing."""
        return by_id([look for look in looks if look is not _NOTHING] if self._count else looks)


def _fast_row(row: msgspec.Raw) -> Look | None:
    try:
        return _look(_glance(row), bytes(row))
    except UNREAD:
        return None


def _slow_row(row: bytes) -> Look:
    try:
        document = read_json(row)
        if is_blank(document, 1):
            return _NOTHING
        tasks = read_tasks(document)
    except UNREAD:
        tasks = []
    # a row that is no task is nobody's: the id "" is never asked for
    return known(tasks[0] if tasks else Task(task_id=""))


def _slow(answer: Answer, task_id: str | None, asked: int = 0) -> list[Task] | Trouble:
    try:
        document = read_json(answer.body)
        refused = error_words(document) is not None
        if task_id is None and not refused and knows_none(document):
            return []
        tasks = [] if refused else read_tasks(document, max(asked, _MOST_ODD_ROWS))
    except UNREAD:
        return trouble_of(answer, task_id)
    return tasks or trouble_of(answer, task_id)


def _look(seen: _Glance, source: bytes | Page, index: int = 0) -> Look | None:
    """The look at a stock row, or None for one the slow path must read."""
    word, data = seen.status, bytes(seen.data)
    status = _STOCK.get(word)
    if status is None or (status is SUCCESS and data == b"null"):
        return None
    # the text, not the member: an Enum's hash is a call
    mark = hash((word, seen.progress, seen.fail_reason, data))
    frozen = seen.fail_reason != "" and seen.progress == "100%" and not is_final(status)
    return Look(seen.task_id, status, mark, frozen, seen.action, source, index)


_NOTHING = known(Task(task_id=""))
"""The look at a place without a row."""
