"""The keys of the gateway: who may ask, for what, and how much is left."""

import re
from collections.abc import Iterable
from random import Random

from msgspec import Struct

from .answers import MiddlewareRefusalError, RefusalError
from .eras import Era
from .names import alnum

PRICES = {"MUSIC": 50_000, "LYRICS": 5_000}  # 500,000 are one dollar
MODELS = [f"suno_{action.lower()}" for action in PRICES]


class Key(Struct, eq=False):
    """One key; ``remain`` is None when it is unlimited, ``models`` is empty when it may use all."""

    text: str
    remain: int | None
    models: frozenset[str]
    account: int


class Keys:
    """All keys of the gateway, and the rules of its token middleware."""

    def __init__(self, era: Era, rng: Random) -> None:
        self._era = era
        self._rng = rng
        self._known: dict[str, Key] = {}

    def add(self, quota: int | None, models: Iterable[str], account: int) -> Key:
        """A new key that looks like one: ``sk-`` and 48 letters and digits."""
        key = Key(f"sk-{alnum(self._rng, 48)}", quota, frozenset(models), account)
        self._known[key.text] = key
        return key

    def find(self, header: str | None) -> Key:
        """The key of an Authorization header.

        new-api strips ``Bearer`` (2026 also ``bearer``) and ``sk-``, and uses what stands before the next ``-``; what
        follows would choose a channel, which is for administrators.
        """
        if not header:
            raise MiddlewareRefusalError(401, "", self._era.no_key)
        pattern = "(Bearer|bearer) +" if self._era.name == "2026" else "Bearer +"
        bare, _, channel = re.sub(f"^{pattern}", "", header).removeprefix("sk-").partition("-")
        key = self._known.get(f"sk-{bare}")
        if key is None:
            raise MiddlewareRefusalError(401, "", self._era.bad_key)
        self._check_quota(key)
        if channel:
            raise MiddlewareRefusalError(403, "", "普通用户不支持指定渠道")
        return key

    def _check_quota(self, key: Key) -> None:
        """A key with nothing left is refused everywhere: looks at tasks that are paid for included."""
        if key.remain is not None and key.remain <= 0:
            masked = f"{key.text[:6]}***{key.text[-3:]}"
            raise MiddlewareRefusalError(401, "", self._era.spent_key.format(masked=masked, remain=key.remain))

    def check_model(self, key: Key, model: str) -> None:
        """Refuse a model that the key is not for; on looks the model is empty, so a limited key may never look."""
        if key.models and model not in key.models:
            raise MiddlewareRefusalError(403, "", self._era.no_access.format(model=model))

    def check_price(self, key: Key, price: int) -> None:
        """2026 refuses a price above what is left; 2025 lets a key overdraw."""
        if self._era.name == "2026" and key.remain is not None and key.remain < price:
            left, need = (f"＄{units / 500_000:.6f}" for units in (key.remain, price))
            message = f"token quota is not enough, token remain quota: {left}, need quota: {need}"
            raise RefusalError(403, "pre_consume_token_quota_failed", message)

    def charge(self, key: Key, price: int) -> None:
        """Take the price of an accepted submission; a negative price is a refund."""
        if key.remain is not None:
            key.remain -= price
