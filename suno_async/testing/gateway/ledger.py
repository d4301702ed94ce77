"""What was charged and paid back, as the gateway's log tells it."""

from collections import defaultdict
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from .eras import Era
from .keys import Key

CONSUMED, REFUNDED = 2, 6  # LogTypeConsume, LogTypeRefund of model/log.go
DOLLAR = 500_000  # QuotaPerUnit


class Origin(NamedTuple):
    """Where a charge comes from: the path of the submission and the id of its request."""

    path: str = ""
    request_id: str = ""


class Entry(Struct, frozen=True, kw_only=True, gc=False):
    """One movement of a key's quota; ``listed`` is False when the log does not tell of it."""

    number: int
    second: int
    action: str
    quota: int
    origin: Origin | None = None  # None: paid back
    task_id: str = ""
    reason: str = ""
    listed: bool = True


class Ledger:
    """The log of every key. A moment lies in the future when the upstream has yet to answer."""

    def __init__(self, era: Era) -> None:
        self._era = era
        self._entries: defaultdict[int, list[Entry]] = defaultdict(list)
        self._number = 0

    def charge(self, key: Key, action: str, quota: int, origin: Origin, when: float, *, listed: bool) -> None:
        """A submission was accepted."""
        self._add(key, action=action, quota=quota, origin=origin, second=int(when), listed=listed)

    def pay_back(self, key: Key, action: str, quota: int, task_id: str, reason: str, when: float) -> None:
        """A task has failed."""
        self._add(key, action=action, quota=quota, task_id=task_id, reason=reason, second=int(when))

    def _add(self, key: Key, **fields: Any) -> None:
        self._number += 1
        self._entries[key.number].append(Entry(number=self._number, **fields))

    def used(self, key: Key, now: float) -> int:
        """What a key has spent: 2026 takes the price before it asks the upstream, 2025 when that has accepted."""
        early = self._era.name == "2026"
        entries = [entry for entry in self._entries[key.number] if early or entry.second <= now]
        return sum(entry.quota if entry.origin else -entry.quota for entry in entries)

    def rows(self, key: Key, now: float) -> list[dict[str, Any]]:
        """The rows of GET /api/log/token.

        2026 (GetLogByTokenId in model/log.go): the newest 1,000, newest first, ``id`` is no more than the place. 2025
        (GetLogByKey): all, oldest first, ``id`` modulo 1,024.
        """
        entries = [entry for entry in self._entries[key.number] if entry.listed and entry.second <= now]
        entries.sort(key=lambda entry: entry.second)
        if self._era.name == "2025":
            return [columns_2025(entry, key, self._era) for entry in entries]
        entries = entries[: -(self._era.logged or 0) - 1 : -1]
        return [columns_2026(entry, key, place, self._era) for place, entry in enumerate(entries, 1)]


def columns_2025(entry: Entry, key: Key, era: Era) -> dict[str, Any]:
    """The columns of struct Log in model/log.go of 2025."""
    return {**_columns(entry, key, entry.number % 1024, era), "other": _json(_price(entry))}


def columns_2026(entry: Entry, key: Key, place: int, era: Era) -> dict[str, Any]:
    """The columns of struct Log in model/log.go of 2026; ``request_id`` is the header of the submission's answer.

    ``other`` is written by LogTaskConsumption and RefundTaskQuota in service/task_billing.go.
    """
    columns = _columns(entry, key, place, era) | {"ip": ""}
    if entry.origin is None:
        return {**columns, "other": _json(_price(entry) | {"reason": entry.reason, "task_id": entry.task_id})}
    columns["request_id"] = entry.origin.request_id
    return {**columns, "other": _json(_price(entry) | {"is_task": True, "request_path": entry.origin.path})}


def _columns(entry: Entry, key: Key, number: int, era: Era) -> dict[str, Any]:
    """What both eras tell of an entry, in their order."""
    said = era.charge_logged.format(action=entry.action, price=entry.quota / DOLLAR)
    return {
        "id": number,
        "user_id": key.account,
        "created_at": entry.second,
        "type": CONSUMED if entry.origin else REFUNDED,
        "content": said if entry.origin else "",
        "username": f"user{key.account}",
        "token_name": f"key{key.number}",
        "model_name": f"suno_{entry.action.lower()}",
        "quota": entry.quota,
        "prompt_tokens": 0,
        "completion_tokens": 0,
        "use_time": 0,
        "is_stream": False,
        "channel": 1,
        "channel_name": "",
        "token_id": key.number,
        "group": "default",
    }


def _price(entry: Entry) -> dict[str, Any]:
    return {"group_ratio": 1, "model_price": entry.quota / DOLLAR}


def _json(fields: dict[str, Any]) -> str:
    """JSON in a string, with its names in order, as Go writes a map."""
    return msgspec.json.encode(fields, order="sorted").decode()
