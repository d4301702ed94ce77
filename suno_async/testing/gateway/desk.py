"""The work behind the routes: accept submissions, answer looks. No HTTP but its words."""

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import msgspec

from . import names
from .answers import SATURATED, Answer, MiddlewareRefusalError, RefusalError, success
from .clock import Clock
from .distortions import Distortions
from .encoding import Encoder
from .eras import Era
from .faults import UPSTREAM, Faults
from .keys import MODELS, Key, Keys
from .ledger import Ledger, Origin
from .rows import Row, Table
from .songs import Order, Songs
from .submissions import kind, read_order, read_submission

SQL_VARIABLES = 32_766  # SQLite's limit
GO_POISON = {"object": "map[string]interface {}, a map", "array": "[]interface {}, a slice"}
LATE = 10.0  # seconds a late row stays away
SLOW = 20.0  # seconds a slow upstream takes to accept


class Desk:
    """Everything the gateway knows, and what it does with a request."""

    def __init__(self, era: Era, clock: Clock, songs: Songs, faults: Faults, seed: object) -> None:
        self.era, self.clock, self.songs, self.faults = era, clock, songs, faults
        self.counts = faults.counts
        self.keys = Keys(era, seed)
        self.ledger = Ledger(era)
        self.table = Table()
        self.looks: Counter[str] = Counter()
        self.submissions: Counter[bytes] = Counter()
        self.accepted: dict[bytes, list[str]] = {}
        self.encoder = Encoder(era)
        self.models = list(MODELS)
        self.read: Callable[[str, bytes, Key], Order] = self._read
        self._distortions = Distortions(faults, self.encoder)
        self._ids = Random(f"{seed}/ids")
        self._order = Random(f"{seed}/order")

    def submit(self, action: str, key: Key, body: bytes, origin: Origin) -> Answer:
        """Accept one submission: 200 with the task's id, or RefusalError. Only what is accepted is charged."""
        self.counts["submissions"] += 1
        action = action.upper()
        model = f"suno_{action.lower()}"
        self.keys.check_model(key, model)
        if model not in self.models:
            raise self.no_channel(model)
        task_id, delay = self.take(self.read(action, body, key), key, origin)
        self.accepted.setdefault(body, []).append(task_id)
        return self.submitted(task_id, delay)

    def no_channel(self, model: str) -> MiddlewareRefusalError:
        """The refusal of a model that nobody behind the gateway has."""
        return MiddlewareRefusalError(503, self.era.no_channel_code, self.era.no_channel.format(model=model))

    def submitted(self, task_id: str, delay: float) -> Answer:
        """The answer to a submission that was accepted."""
        return success(msgspec.json.encode(task_id), self.era.submit_type, self.era.submit_headers, delay)

    def take(self, order: Order, key: Key, origin: Origin) -> tuple[str, float]:
        """Accept an order and charge its price: the id of its task, and how long the upstream takes over it."""
        self.keys.check_price(key, order.price)
        self._check_upstream()
        self.keys.charge(key, order.price)
        delay = SLOW if self.faults.first(("slow_upstream",)) else 0.0
        listed = not self.faults.first(("charge_unlogged",))
        if order.price:
            self.ledger.charge(key, order.action, order.price, origin, self.clock.now() + delay, listed=listed)
        return self._accept(order, delay), delay

    def _read(self, action: str, body: bytes, key: Key) -> Order:
        """The order of a submission, as stock reads it."""
        asked = read_submission(body)
        order = read_order(action, asked, key)
        self._check_origin(asked, key)
        return order

    def _accept(self, order: Order, delay: float) -> str:
        """The id of a new row. What a slow upstream accepts later is written now, but seen by nobody before."""
        self.counts["accepted"] += 1
        row = self.new_rows(order, 1, None, delay)[0]
        self.table.add([row])
        late = self.faults.first(("late_row", "lost_row"))
        away = {None: delay, "late_row": delay + LATE, "lost_row": float("inf")}[late]
        if away:
            self.table.hide(row.task_id, self.clock.now() + away)
        return row.task_id

    def new_rows(self, order: Order, count: int, duration: float | None, delay: float = 0.0) -> list[Row]:
        """Rows as they stand right after the submission; ``duration`` overrules the dice."""
        now, table, songs = self.clock.now() + delay, self.table, self.songs
        second, rows = int(now), []
        for task_id in names.task_ids(self._ids, count, self.era.name):
            plan = songs.plan(order.action)
            starts, ends, reason = plan.starts, plan.ends, plan.reason
            if duration is not None:
                starts, ends, reason = 0.3 * duration, duration, ""
            rows.append(Row(table.number(), task_id, order, now, now + starts, now + ends, reason, "NOT_START", second))
        return rows

    def _check_origin(self, asked: dict[str, Any], key: Key) -> None:
        """2025 wants to know the task of a clip that is continued, and looks it up; 2026 no longer does."""
        if self.era.name == "2026" or not asked.get("continue_clip_id"):
            return
        if not asked.get("task_id"):
            raise RefusalError(400, "invalid_request", "task id is empty")
        if self.table.find(asked["task_id"], key.account, self.clock.now()) is None:
            raise RefusalError(400, "task_not_exist", "task_origin_not_exist")

    def _check_upstream(self) -> None:
        """What the upstream, or the account, may say instead of accepting."""
        fault = self.faults.first(UPSTREAM)
        if fault == "upstream_429":
            raise RefusalError(429, "fail_to_fetch_task", SATURATED)
        if fault == "upstream_502":
            raise RefusalError(502, "fail_to_fetch_task", "<html>bad gateway</html>")
        if fault == "upstream_refuses":
            raise RefusalError(500, "sensitive_words", "prompt was refused", headers=self.era.refusal_headers)
        if fault == "upstream_html":
            message = "invalid character '<' looking for beginning of value"
            raise RefusalError(500, "unmarshal_response_body_failed", message, headers=self.era.refusal_headers)
        if fault == "out_of_credit":
            raise RefusalError(403, *self.era.no_credit)

    def one(self, task_id: str, key: Key) -> Answer:
        """One look at one task: 200, or 400 task_not_exist; never asks the upstream."""
        self.counts["singles"] += 1
        self.counts["ids_asked"] += 1
        self.looks[task_id] += 1
        self.keys.check_model(key, "")
        row = self.table.find(task_id, key.account, self.clock.now())
        if row is None:
            raise RefusalError(400, "task_not_exist", "task_not_exist")
        return success(self._distortions.encode(row))

    def many(self, ids: list[Any], key: Key) -> Answer:
        """One look at many tasks: those that are known, each once; ``null`` if ids were given and none is known."""
        self.counts["batches"] += 1
        self.counts["ids_asked"] += len(ids)
        self.looks.update(task_id for task_id in ids if isinstance(task_id, str))
        self.keys.check_model(key, "")
        self._check_sql(ids)
        now, account, find = self.clock.now(), key.account, self.table.find
        rows = {row.task_id: row for task_id in ids if (row := find(task_id, account, now))}
        if ids and not rows:
            return success(b"null")
        encode = self._distortions.encode
        return success(b"[" + b",".join([encode(row) for row in self._ordered(list(rows.values()))]) + b"]")

    def _ordered(self, rows: list[Row]) -> list[Row]:
        """2026 keeps the order of insertion, 2025 keeps none."""
        if self.era.name == "2026":
            rows.sort(key=lambda row: row.number)
        else:
            self._order.shuffle(rows)
        return rows

    @staticmethod
    def _check_sql(ids: list[Any]) -> None:
        """The ids go into one SQL statement as they are; $1 is the user."""
        if len(ids) > SQL_VARIABLES:
            raise RefusalError(500, "get_tasks_failed", "SQL logic error: too many SQL variables (1)")
        for place, task_id in enumerate(ids, 2):
            if (poison := GO_POISON.get(kind(task_id))) is not None:
                message = f"sql: converting argument ${place} type: unsupported type {poison}"
                raise RefusalError(500, "get_tasks_failed", message)

    def changed(self, row: Row) -> None:
        """A round has changed a row: pay back what failed, freeze what shall be frozen.

        2025 pays the user back, never the key (controller/task.go); 2026 both, and logs it (RefundTaskQuota).
        """
        self.encoder.forget(row)
        if row.status != "FAILURE":
            return
        order = row.order
        if order.key is not None and self.era.name == "2026":
            self.keys.charge(order.key, -order.price)
            now = self.clock.now()
            self.ledger.pay_back(order.key, order.action, order.price, row.task_id, row.reason, now)
        if self.faults.first(("frozen_failure",)):
            row.fixed = {"status": "IN_PROGRESS"}
