"""The wire: structs to bytes, and answers to looks. The fast path, typed; what it cannot read goes to `dialects`."""

from collections.abc import Sequence
from typing import Any

import msgspec

from .dialects import read_tasks
from .errors import UnexpectedResponse
from .exchange import Answer, Request
from .lenient import moment, number, percent, read_json, text
from .models import Lyrics, Song, Status, Task
from .refusals import Kind, Trouble, error_words, foreign, trouble_of

BATCH_PATH = "/suno/fetch"
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

    def kept(self) -> "Look":
        """The same look, holding its own row only: the answer it was cut from may be large."""
        source = self.source.row(self.index) if isinstance(self.source, _Page) else self.source
        return Look(self.task_id, self.status, self.mark, self.frozen, self.action, source)


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


class _Metadata(msgspec.Struct, gc=False):
    tags: str | None = None
    prompt: str | None = None
    duration: float | None = None
    error_type: str | None = None
    error_message: str | None = None


class _Clip(msgspec.Struct, gc=False):
    id: str
    audio_url: str
    title: str | None = None
    video_url: str | None = None
    image_url: str | None = None
    image_large_url: str | None = None
    status: str | None = None
    state: str | None = None
    model_name: str | None = None
    mv: str | None = None
    metadata: _Metadata | None = None
    tags: str | None = None
    prompt: str | None = None
    duration: float | None = None
    error_message: str | None = None
    created_at: str | None = None


class _Words(msgspec.Struct, gc=False):
    text: str
    id: str | None = None
    title: str | None = None
    tags: str | None = None
    status: str | None = None


class _Row(msgspec.Struct, gc=False):
    task_id: str
    status: str
    data: list[_Clip] | _Words | None = None
    action: str = ""
    fail_reason: str = ""
    progress: str = ""
    submit_time: int = 0
    start_time: int = 0
    finish_time: int = 0
    quota: int | None = None


_envelope = msgspec.json.Decoder(_Envelope).decode
_rows = msgspec.json.Decoder(_Rows).decode
_batch = msgspec.json.Decoder(_Batch).decode
_glance = msgspec.json.Decoder(_Glance).decode
_row = msgspec.json.Decoder(_Row).decode
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
            row = _row(envelope.data)
            status = _STOCK.get(row.status)
            # a SUCCESS with nothing made may have it in another place
            made = row.data or status is not Status.SUCCESS
            if envelope.code == "success" and row.task_id == task_id and status is not None and made:
                return _task(row, status, bytes(envelope.data))
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
    return foreign(task_id) if tasks else trouble_of(answer, task_id)


def read_many(answer: Answer) -> list[Look] | Trouble:
    """What the answer to a look at many tasks says: looks in any order, none for ids the gateway left out.

    ``data: null`` is how new-api writes that it knows none of the ids.
    """
    if not 200 <= answer.status < 300:
        return trouble_of(answer)
    try:
        envelope = _batch(answer.body)
        if envelope.code == "success":
            page = _Page(answer.body)
            rows = enumerate(envelope.data)
            return unique([_look(seen, page, index) or _slow_row(page.row(index)) for index, seen in rows])
    except _UNREAD:
        pass
    return _slow_many(answer)


def _slow_many(answer: Answer) -> list[Look] | Trouble:
    """Row by row, so that a damaged one spoils no other; or the whole answer, if it has another shape."""
    try:
        envelope = _rows(answer.body)
        if envelope.code == "success":
            return unique([_slow_row(bytes(row)) for row in envelope.data])
    except _UNREAD:
        pass
    tasks = _slow(answer, None)
    return tasks if isinstance(tasks, Trouble) else unique([_known(task) for task in tasks])


def unique(looks: list[Look]) -> list[Look]:
    """One look for each id: where an answer tells of one twice, the one that is further along."""
    last = {look.task_id: look for look in looks}
    if len(last) < len(looks):
        for look in looks:
            if is_final(look.status) and not is_final(last[look.task_id].status):
                last[look.task_id] = look
    return list(last.values())


def _slow_row(row: bytes) -> Look:
    try:
        tasks = read_tasks(read_json(row))
    except _UNREAD:
        tasks = []
    # a row that is no task is nobody's: the id "" is never asked for
    return _known(tasks[0] if tasks else Task(task_id=""))


def _slow(answer: Answer, task_id: str | None) -> list[Task] | Trouble:
    try:
        document = read_json(answer.body)
        tasks = [] if (refused := error_words(document) is not None) else read_tasks(document)
    except _UNREAD:
        return trouble_of(answer, task_id)
    if task_id is None and not refused and isinstance(document, dict) and document.get("data", 0) in (None, []):
        # new-api writes "data": null for a batch of which it knows no id
        return []
    return tasks or trouble_of(answer, task_id)


def _look(seen: _Glance, source: bytes | _Page, index: int = 0) -> Look | None:
    """The look at a stock row, or None for one the slow path must read."""
    status = _STOCK.get(seen.status)
    data = bytes(seen.data)
    if status is None or (data == b"null" and status is Status.SUCCESS):
        return None
    reason = seen.fail_reason
    mark = hash((status, seen.progress, reason, data))
    frozen = bool(reason) and seen.progress == "100%" and not is_final(status)
    return Look(seen.task_id, status, mark, frozen, seen.action, source, index)


def is_final(status: Status) -> bool:
    """True for SUCCESS and FAILURE."""
    return status is Status.SUCCESS or status is Status.FAILURE


def _known(task: Task) -> Look:
    frozen = bool(task.fail_reason) and task.progress == 100 and not task.done
    mark = hash((task.status_text, task.progress, task.fail_reason, task.songs, task.lyrics))
    return Look(task.task_id, task.status, mark, frozen, task.action, task)


def _read_row(look: Look, payload: bytes) -> Task:
    try:
        return _task(_row(payload), look.status, payload)
    except _UNREAD:
        return _read_odd_row(look, payload)


def _task(row: _Row, status: Status, payload: bytes) -> Task:
    made: Any = row.data
    songs = tuple(map(_song, made)) if isinstance(made, list) else ()
    reason = row.fail_reason
    if not reason and status is Status.FAILURE:
        reason = text(*(song.error_message for song in songs))
    return Task(
        task_id=row.task_id,
        action=row.action.upper(),
        status=status,
        status_text=row.status,
        progress=0 if row.progress == "0%" else percent(row.progress),
        fail_reason=reason,
        submit_time=moment(row.submit_time) if row.submit_time else None,
        start_time=moment(row.start_time) if row.start_time else None,
        finish_time=moment(row.finish_time) if row.finish_time else None,
        songs=songs,
        lyrics=_lyrics(made) if isinstance(made, _Words) and made.text else None,
        quota=row.quota,
        payload=payload,
    )


def _read_odd_row(look: Look, payload: bytes) -> Task:
    try:
        task = read_tasks(read_json(payload))[0]
    except (*_UNREAD, IndexError):
        task = Task(task_id="")
    # whose row it is, and how far, has been read already; the rest may have any shape
    word = look.status.value
    return msgspec.structs.replace(task, task_id=look.task_id, status=look.status, status_text=word, payload=payload)


def _lyrics(words: _Words) -> Lyrics:
    return Lyrics(
        id=words.id or "",
        title=words.title or "",
        text=words.text,
        tags=words.tags or "",
        status=words.status or "",
    )


_NO_METADATA = _Metadata()


def _song(clip: _Clip) -> Song:
    meta = clip.metadata or _NO_METADATA
    return Song(
        id=clip.id,
        title=clip.title or "",
        audio_url="" if clip.audio_url.endswith("None.mp3") else clip.audio_url,
        video_url=clip.video_url or "",
        image_url=clip.image_url or "",
        image_large_url=clip.image_large_url or "",
        duration=number(meta.duration) or number(clip.duration) or None,
        tags=meta.tags or clip.tags or "",
        prompt=meta.prompt or clip.prompt or "",
        model=clip.model_name or clip.mv or "",
        status=clip.status or clip.state or "",
        error_message=meta.error_message or clip.error_message or meta.error_type or "",
        created_at=moment(clip.created_at) if clip.created_at else None,
    )
