"""The balance: what the gateway's two billing routes say of a key, as OpenAI's old dashboard had them.

Read in new-api's controller/billing.go, 2025 and 2026: ``hard_limit_usd`` is what is left and what is spent together,
``total_usage`` is in hundredths, and a key without a limit has 100,000,000. The unit is what the gateway displays:
dollars, unless its operator chose otherwise.
"""

from typing import Any

import msgspec

from .lenient import number, snake

UNLIMITED = 100_000_000.0
"""How new-api writes that a key has no limit."""
_LIMITS = ("hard_limit_usd", "system_hard_limit_usd", "soft_limit_usd")
_HUNDREDTHS = 100


class Balance(msgspec.Struct, frozen=True):
    """What a key may spend and has spent, in the unit the gateway displays (dollars by default)."""

    limit: float
    """What is left and what is spent together; meaningless where ``unlimited``."""
    used: float
    remaining: float | None
    """None where ``unlimited``; below zero where the gateway let the key overdraw."""
    unlimited: bool = False


def read_subscription(document: Any) -> dict[str, Any] | None:
    """The answer of ``/dashboard/billing/subscription`` itself, if it names a limit."""
    return document if _limit(document) is not None else None


def read_usage(document: Any) -> dict[str, Any] | None:
    """The answer of ``/dashboard/billing/usage`` itself, if it names what was used."""
    return document if _used(document) is not None else None


def read_balance(subscription: Any, usage: Any) -> Balance | None:
    """The balance that two decoded answers tell of; None where one of them has another shape."""
    limit, used = _limit(subscription), _used(usage)
    if limit is None or used is None:
        return None
    unlimited = limit >= UNLIMITED
    return Balance(limit, used, None if unlimited else limit - used, unlimited)


def _limit(document: Any) -> float | None:
    fields = _fields(document)
    return number(*(fields.get(key) for key in _LIMITS))


def _used(document: Any) -> float | None:
    cents = number(_fields(document).get("total_usage"))
    return None if cents is None else cents / _HUNDREDTHS


def _fields(document: Any) -> dict[str, Any]:
    """The fields themselves, or those one envelope down."""
    fields = snake(document) if isinstance(document, dict) else {}
    inner = fields.get("data")
    return snake(inner) if isinstance(inner, dict) else fields
