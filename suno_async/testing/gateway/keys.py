"""The keys of the gateway: who may ask, for what, and how much is left."""

import re
from base64 import b64encode
from collections.abc import Iterable
from random import Random

from msgspec import Struct

from .answers import AccountRefusalError, MiddlewareRefusalError, RefusalError
from .eras import Era
from .names import alnum

PRICES = {"MUSIC": 50_000, "LYRICS": 5_000}  # 500,000 are one dollar
MODELS = [f"suno_{action.lower()}" for action in PRICES]
PRIVATE_PRICES = {**PRICES, "CONCAT": PRICES["MUSIC"], "UPLOAD": 0, "WAV": 0}
TWELVE = 5  # times the price of a song: twelve stems
CHAT_MODELS = {"suno-v3": "chirp-v3-0", "suno-v3.5": "chirp-v3-5"}
PRIVATE_MODELS = [*MODELS, "suno_concat", *CHAT_MODELS]


class Key(Struct, eq=False):
    """One key; ``remain`` is None when it is unlimited, ``models`` is empty when it may use all."""

    text: str
    remain: int | None
    models: frozenset[str]
    account: int
    number: int = 0
    granted: int = 0


class Keys:
    """All keys of the gateway, and the rules of its token middleware."""

    def __init__(self, era: Era, seed: object) -> None:
        self._era = era
        self._rng, self._token_rng = Random(f"{seed}/keys"), Random(f"{seed}/access tokens")
        self._known: dict[str, Key] = {}
        self._accounts: dict[str, int] = {}  # by access token

    def add(self, quota: int | None, models: Iterable[str], account: int) -> Key:
        """A new key that looks like one: ``sk-`` and 48 letters and digits."""
        number = len(self._known) + 1
        key = Key(f"sk-{alnum(self._rng, 48)}", quota, frozenset(models), account, number, quota or 0)
        self._known[key.text] = key
        return key

    def find(self, header: str | None) -> Key:
        """The key of an Authorization header.

        new-api strips ``Bearer`` (2026 also ``bearer``) and ``sk-``, and uses what stands before the next ``-``; what
        follows would choose a channel, which is for administrators.
        """
        if not header:
            raise MiddlewareRefusalError(401, "", self._era.no_key)
        bare, channel = self._split(header)
        key = self.get(bare)
        if key is None:
            raise MiddlewareRefusalError(401, "", self._era.bad_key)
        self._check_quota(key)
        if channel:
            raise MiddlewareRefusalError(403, "", "普通用户不支持指定渠道")
        return key

    def _split(self, header: str) -> tuple[str, str]:
        """The key without its ``sk-``, and the channel behind it."""
        pattern = "(Bearer|bearer) +" if self._era.name == "2026" else "Bearer +"
        bare, _, channel = re.sub(f"^{pattern}", "", header).removeprefix("sk-").partition("-")
        return bare, channel

    def get(self, text: str) -> Key | None:
        """The key of this very text, with or without its ``sk-``."""
        return self._known.get(f"sk-{text.removeprefix('sk-')}")

    def read_only(self, header: str | None) -> Key:
        """The key of an Authorization header, for those who only read: a spent one is as good as any.

        TokenAuthReadOnly in middleware/auth.go of 2026.
        """
        if not header:
            raise AccountRefusalError(401, self._era.account["no_key"])
        key = self.get(self._split(header)[0])
        if key is None:
            raise AccountRefusalError(401, self._era.account["bad_key"])
        return key

    def add_access_token(self, account: int) -> str:
        """A token with which an account, not one of its keys, may ask: 32 characters of base64."""
        token = b64encode(self._token_rng.randbytes(22)).decode()
        self._accounts[token] = account
        return token

    def account(self, header: str | None, user: str | None) -> int:
        """The account behind an access token, which must say whose it is in ``New-Api-User``.

        authHelper in middleware/auth.go of both eras; an unknown token is 200, the rest 401.
        """
        texts = self._era.account
        if not header:
            raise AccountRefusalError(401, texts["no_access_token"])
        account = self._accounts.get(header.replace("Bearer ", "", 1))
        if account is None:
            raise AccountRefusalError(200, texts["bad_access_token"])
        if not user:
            raise AccountRefusalError(401, texts["no_user"])
        if not re.fullmatch("[+-]?[0-9]{1,18}", user):
            raise AccountRefusalError(401, texts["bad_user"])
        if int(user) != account:
            raise AccountRefusalError(401, texts["other_user"])
        return account

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
