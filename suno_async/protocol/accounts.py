"""The accounts: what a gateway keeps of charges and tasks, asked for and read; new-api's shapes of 2025 and 2026.

A list is read whole or not at all: a charge that was skipped because it looks odd would be taken for none.
"""

import json
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

import msgspec

from .exchange import Answer, Broken, Request
from .inputs import is_task_id
from .lenient import Unreadable, moment, number, one_line, read_json, text
from .refusals import error_words, http_date

_CONSUMED = 2
FIRST_PAGE, MOST_PAGES = 0, 40
_PAGE = 50
_TENS = 10
_WORDS = frozenset({"title", "prompt", "gpt_description_prompt"})
_DEPTH = 4
"""Words stand in the clips of a task, and in their metadata; what lies deeper is somebody else's."""

SLACK = 15.0
"""Gateways write whole seconds down, and some do so a moment after they have answered."""

Words = frozenset[tuple[str, str]]


class Span(msgspec.Struct, frozen=True):
    """A time, in Unix seconds."""

    start: float
    end: float

    def holds(self, at: float) -> bool:
        """True if it was then."""
        return self.start <= at <= self.end

    def seen(self, ahead: float, most: float, *, slack: float = SLACK) -> "Span":
        """The same time on a clock that is between so much and so much ahead of ours."""
        return Span(self.start + ahead - slack, self.end + most + slack)


class Charge(msgspec.Struct, frozen=True):
    """One charge of this key (new-api model/log.go, type 2)."""

    at: float
    """When the gateway's upstream had accepted: Unix seconds, by the gateway's clock."""
    model: str
    """Such as ``suno_music``."""
    request_id: str = ""
    """``X-Oneapi-Request-Id`` of the answer it belongs to; "" before 2026."""


class Made(msgspec.Struct, frozen=True):
    """One task of the account (new-api controller/task.go, GetUserTask)."""

    task_id: str
    action: str
    """"" in 2025."""
    at: float
    """When it was written down: Unix seconds, by the gateway's clock."""
    words: Words = frozenset()
    """Titles and prompts in it: there are none until its upstream has begun."""


class Page(msgspec.Struct, frozen=True):
    """A part of the tasks of the account, and the number of the next one, if there is one."""

    tasks: tuple[Made, ...]
    now: float
    """The gateway's clock at the answer."""
    after: int | None


def ask_charges() -> Request:
    """The request for the charges of this key; gateways of 2026 answer 20 of them in 20 minutes."""
    return Request("GET", "/api/log/token")


def ask_made(start: float, end: float, page: int) -> Request:
    """The request for the account's tasks of a time; only with the account's own access token."""
    times = f"start_timestamp={int(start)}&end_timestamp={int(end) + 1}"
    return Request("GET", f"/api/task/self?platform=suno&{times}&p={page}&page_size={_PAGE}")


def read_charges(answer: Answer | Broken) -> tuple[Charge, ...] | str:
    """The charges, or why there are none to be read."""
    document = _read(answer)
    if isinstance(document, str):
        return document
    rows = document.get("data")
    if not isinstance(rows, list) or not all(map(_is_entry, rows)):
        return "it cannot be read"
    return tuple(_charge(row) for row in rows if number(row["type"]) == _CONSUMED)


def _is_entry(row: Any) -> bool:
    return isinstance(row, dict) and number(row.get("type")) is not None and _seconds(row.get("created_at")) is not None


def _charge(row: dict[str, Any]) -> Charge:
    at = _seconds(row["created_at"]) or 0.0
    return Charge(at, text(row.get("model_name")).strip().lower(), text(row.get("request_id")))


def read_made(answer: Answer | Broken, page: int) -> Page | str:
    """One page of the account's tasks, or why it cannot be read."""
    document = _read(answer)
    if isinstance(document, str):
        return document
    now = http_date(answer.headers.get("Date", "")) if isinstance(answer, Answer) else None
    if now is None:
        return "the answer has no Date to compare clocks by"
    data, size = document.get("data"), float(_TENS)
    if isinstance(data, dict):
        # 2026 counts its pages from 1, and takes 0 for 1; 2025 counts from 0, ten to a page whatever is asked for
        page, size = max(page, 1), max(1.0, number(data.get("page_size")) or _PAGE)
        data = data.get("items")
    if not isinstance(data, list):
        return "it cannot be read"
    tasks = tuple(task for row in data if isinstance(row, dict) and (task := _made(row)))
    return Page(tasks, now.timestamp(), page + 1 if len(data) >= size else None)


def _made(row: dict[str, Any]) -> Made | None:
    # an upstream may replace submit_time by its own
    at = _seconds(row.get("created_at"), row.get("submit_time"))
    if at is None or not is_task_id(row.get("task_id")) or text(row.get("platform")) not in {"suno", ""}:
        return None
    return Made(row["task_id"], text(row.get("action")).upper(), at, words_of(row.get("data")))


def _seconds(*values: Any) -> float | None:
    found = moment(*values)
    return None if found is None else found.timestamp()


def _read(answer: Answer | Broken) -> dict[str, Any] | str:
    if isinstance(answer, Broken):
        return answer.reason
    try:
        document = read_json(answer.body)
    except Unreadable:
        return f"it answered {answer.status} without JSON"
    said = error_words(document)
    if answer.status != 200 or said is not None:
        code, message = said or ("", "")
        return f"it answered {answer.status}: {one_line(message or code)}".removesuffix(": ")
    return document if isinstance(document, dict) else "it cannot be read"


def words_of(value: Any, depth: int = _DEPTH) -> Words:
    """The titles and prompts in a payload, each with its name, or in the body of a submission (bytes)."""
    if isinstance(value, bytes):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return frozenset()
    if depth == 0 or not isinstance(value, dict | list):
        return frozenset()
    if isinstance(value, list):
        return frozenset[tuple[str, str]]().union(*(words_of(item, depth - 1) for item in value[:100]))
    texts = {(key, item.strip()) for key, item in value.items() if isinstance(item, str)}
    found = frozenset((key, item) for key, item in texts if key in _WORDS and item)
    return found.union(*(words_of(item, depth - 1) for item in value.values()))


# whose a task may be


class Claim(msgspec.Struct, frozen=True):
    """What the task of an intent is like."""

    action: str
    time: Span
    """By the gateway's clock."""
    words: Words

    @property
    def telling(self) -> Words:
        """Its words, unless they may be anybody's: a title alone."""
        return self.words if any(name != "title" for name, _ in self.words) else frozenset()


class Rivals:
    """Claims that only their times tell apart, and the tasks that each of them may be right about."""

    def __init__(self, claims: Iterable[Claim]) -> None:
        times = [claim.time for claim in claims]
        self._starts = sorted(time.start for time in times)
        self._ends = sorted(time.end for time in times)
        self._tasks: list[Made] = []
        self._sole: list[Made] = []

    def count(self, at: float) -> int:
        """How many of them may be right about a task of that moment."""
        return bisect_right(self._starts, at) - bisect_left(self._ends, at)

    def add(self, task: Made, *, sole: bool) -> None:
        """The next task by time; ``sole`` if only one claim may be right about it."""
        self._tasks.append(task)
        if sole:
            self._sole.append(task)

    def of(self, time: Span) -> tuple[int, list[Made]]:
        """How many tasks there are of that time, and which of them are no other claim's."""
        return len(_within(self._tasks, time)), _within(self._sole, time)


def made_at(task: Made) -> float:
    """What tasks are sorted by."""
    return task.at


def _within(tasks: list[Made], time: Span) -> list[Made]:
    return tasks[bisect_left(tasks, time.start, key=made_at) : bisect_right(tasks, time.end, key=made_at)]


def rivals_of(strange: list[Made], claims: list[Claim]) -> dict[tuple[str, Words], Rivals]:
    """The claims of each action, and of each action and words: a task is of those whose words it has, if there are any.

    Each is looked up by the rarest of its words, as most submissions have some in common.
    """
    groups: dict[tuple[str, Words], list[Claim]] = defaultdict(list)
    for claim in claims:
        for words in {claim.telling, frozenset()}:
            groups[claim.action, words].append(claim)
    rivals = {key: Rivals(group) for key, group in groups.items()}
    often = Counter(word for _, words in groups for word in words)
    named: dict[tuple[str, str], list[tuple[str, Words]]] = defaultdict(list)
    for key in groups:
        for word in sorted(key[1], key=lambda word: (often[word], word))[:1]:
            named[word].append(key)
    plain = [key for key in groups if not key[1]]
    for task in strange:
        own = [key for word in task.words for key in named.get(word, ()) if key[1] <= task.words]
        for keys in (own, plain):
            if _share(task, [rivals[key] for key in keys if task.action in {"", key[0]}]):
                break
    return rivals


def _share(task: Made, among: list[Rivals]) -> bool:
    """Gives the task to these; False if it is of none of their times."""
    count = sum(rivals.count(task.at) for rivals in among)
    for rivals in among:
        rivals.add(task, sole=count == 1)
    return count > 0
