"""Rows as JSON: the columns of each era."""

from typing import Any

import msgspec

from .clips import made
from .eras import Era
from .rows import FINAL, Row
from .songs import clips, lyrics

CACHE = 20_000  # encoded rows kept: enough for every batch of a busy test, and under 40 MB
STARTED = frozenset({"IN_PROGRESS", "SUCCESS", "FAILURE"})


class Encoder:
    """Rows as the bytes that answers are made of, kept until the row changes."""

    def __init__(self, era: Era) -> None:
        self._era = era
        self._columns = columns_2026 if era.name == "2026" else columns_2025
        self._kept: dict[str, bytes] = {}
        self.url = ""

    def encode(self, row: Row) -> bytes:
        """One row as JSON."""
        kept = self._kept.get(row.task_id)
        if kept is None:
            if len(self._kept) >= CACHE:
                del self._kept[next(iter(self._kept))]
            kept = self._kept[row.task_id] = msgspec.json.encode(self.columns(row))
        return kept

    def columns(self, row: Row) -> dict[str, Any]:
        """One row as a dict, for those who want to change it before it is encoded."""
        columns = self._columns(row, self.url)
        if row.order.recipe is not None:
            columns["notify_hook"] = row.order.recipe.fields.get("notify_hook", "")
        if row.fixed:
            columns.update(row.fixed)
        return columns

    def account_columns(self, row: Row) -> dict[str, Any]:
        """One row as the list of an account's tasks shows it: all columns in both eras, the channel left out."""
        columns = self.columns(row)
        return {**(columns if self._era.name == "2026" else _record_2025(row, columns)), "channel_id": 0}

    def filters(self, row: Row) -> dict[str, str]:
        """What a list of tasks can be asked for; 2025 never filled the action in."""
        action = row.order.action if self._era.name == "2026" else ""
        status = (row.fixed or {}).get("status", row.status)
        return {"platform": "suno", "task_id": row.task_id, "action": action, "status": status}

    def forget(self, row: Row) -> None:
        """The row has changed."""
        self._kept.pop(row.task_id, None)


def columns_2026(row: Row, url: str) -> dict[str, Any]:
    """The columns of 2026, in its order."""
    order, failed = row.order, row.status == "FAILURE"
    model = f"suno_{order.action.lower()}"
    columns: dict[str, Any] = {
        "id": row.number,
        "created_at": int(row.submitted),
        "updated_at": row.updated,
        "task_id": row.task_id,
        "platform": "suno",
        "user_id": order.account,
        "group": "default",
        "channel_id": 1,
        "quota": order.price,
        "action": order.action,
        "status": row.status,
        "fail_reason": row.reason if failed else "",
    }
    if failed and row.reason:
        columns["result_url"] = row.reason  # new-api 2026: GetResultURL falls back to the reason
    columns |= _times(row)
    columns["properties"] = {"input": "", "upstream_model_name": model, "origin_model_name": model}
    columns["data"] = data(row, url)
    return columns


def columns_2025(row: Row, url: str) -> dict[str, Any]:
    """The columns of 2025; it never filled the action in."""
    columns: dict[str, Any] = {
        "task_id": row.task_id,
        "action": "",
        "status": row.status,
        "fail_reason": row.reason if row.status == "FAILURE" else "",
    }
    columns |= _times(row)
    columns["data"] = data(row, url)
    return columns


def _record_2025(row: Row, columns: dict[str, Any]) -> dict[str, Any]:
    """All of struct Task in model/task.go of 2025, in its order."""
    shown = dict(columns)
    record = {
        "id": row.number,
        "created_at": int(row.submitted),
        "updated_at": row.updated,
        "task_id": shown.pop("task_id"),
        "platform": "suno",
        "user_id": row.order.account,
        "channel_id": 0,
        "quota": row.order.price,
    }
    found = shown.pop("data")
    return {**record, **shown, "properties": {"input": ""}, "data": found}


def _times(row: Row) -> dict[str, Any]:
    """Submit is the gateway's time, start and finish are the upstream's: they lie before the row changed."""
    return {
        "submit_time": int(row.submitted),
        "start_time": int(row.starts) if row.status in STARTED else 0,
        "finish_time": int(row.ends) if row.status in FINAL else 0,
        "progress": "100%" if row.status in FINAL else "0%",  # never a real percentage
    }


def data(row: Row, url: str) -> Any:
    """What the upstream had to show when the row changed: null until it was asked for the first time."""
    if row.order.action == "LYRICS":
        return lyrics(row.order, row.task_id) if row.status == "SUCCESS" else None
    recipe = row.order.recipe
    if recipe is not None and recipe.result is not None:
        return recipe.result if row.status == "SUCCESS" else None
    if row.status in STARTED:
        return (made if recipe else clips)(row.order, row.task_id, url, complete=row.status == "SUCCESS")
    return [] if row.status == "QUEUED" else None
