"""One request and its answer, as values."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from .inputs import Secret


class Account(msgspec.Struct, frozen=True):
    """Whose account it is: some of a gateway's routes want the user's own access token instead of a key."""

    access_token: Secret
    user_id: int


class Request(msgspec.Struct, frozen=True, gc=False):
    """What is to be sent: a method, a path that is safe in a URL as it stands, and a JSON body or none."""

    method: Literal["GET", "POST"]
    path: str
    body: bytes | None = None
    account: Account | None = None
    """Asked as this user instead of with the key."""


class Answer(msgspec.Struct, frozen=True):
    """What came back: status, headers (looked up without regard to case) and the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    fresh: bool = False
    """The connection was opened for this request alone, so the answer cannot be another request's."""


class Broken(msgspec.Struct, frozen=True):
    """A request that got no whole answer."""

    reason: str
    """What happened, in a few words that hold no secret."""
    sent: bool = True
    """False only where it is proven that not one byte left."""
    received: bytes = b""
    """What came of the answer before it broke."""
    oversized: bool = False
    """The answer was longer than we read."""
    certificate: bool = False
    """The gateway's TLS certificate was refused."""
    status: int = 0
    """The HTTP status of the answer that broke; 0 where no headers came."""
    late: bool = False
    """It ran out of time."""
