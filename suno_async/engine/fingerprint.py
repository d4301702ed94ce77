"""The fingerprint of a key: it tells which of our submissions were sent with one key, and nothing of the key itself."""

import hmac
import os

_SALT, _KEPT = 8, 8
"""Bytes. Keys are long and random, so nobody finds one by trying, least of all from a part of a hash; and the salt is
another one each time, so that no two journals, and no table made beforehand, can be compared."""


class Fingerprint:
    """That of one key, from when it was taken into use until another one is."""

    __slots__ = ("_key", "text")

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.text = _text(key, os.urandom(_SALT))
        """What is written down. A key that is taken into use again has another one."""

    def __repr__(self) -> str:
        return f"Fingerprint({self.text!r})"

    def fits(self, text: str) -> bool:
        """True if this was written down of the same key."""
        try:
            salt = bytes.fromhex(text[: 2 * _SALT])
        except ValueError:
            return False
        return text == _text(self._key, salt)


def _text(key: bytes, salt: bytes) -> str:
    return salt.hex() + hmac.digest(salt, key, "sha256")[:_KEPT].hex()
