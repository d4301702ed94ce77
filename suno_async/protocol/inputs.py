"""What callers hand us: each value is checked before any request, and refused with what to do instead."""

import re
import sys
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec

from .errors import ConfigurationError

_TASK_ID = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9_.:-]{1,128}").fullmatch
_ACTION = re.compile(r"[A-Za-z0-9_-]{1,64}(/[A-Za-z0-9_-]{1,64}){0,3}").fullmatch
_IDEMPOTENCY_KEY = re.compile(r"[\x20-\x7e]{1,200}").fullmatch
# nothing but signs of escapes could be in any answer, and could not be taken out of one
_KEY = re.compile(r"(?![%\\]*$)[\x21-\x7e]{8,512}").fullmatch
_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(rf"\[[0-9A-Fa-f:.]{{2,45}}\]|(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})*\.?").fullmatch
_PORTS = {"https": 443, "http": 80}
_Dice = TypeVar("_Dice")
_LARGEST = sys.float_info.max
_LOOPBACK = re.compile(r"localhost|127(\.\d{1,3}){3}|\[::1\]", re.IGNORECASE).fullmatch


class Secret:
    """A key that shows itself to nobody: its text is "***" everywhere but in ``reveal()``."""

    __slots__ = ("_value",)

    def __init__(self, value: object) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "***"

    def __reduce__(self) -> str:
        raise TypeError("a Secret does not leave its process")

    def reveal(self) -> str:
        """The key itself; raises ConfigurationError, without the value, if it cannot be one."""
        value = self._value() if callable(self._value) else self._value
        if isinstance(value, str) and _KEY(value) is not None:
            return value
        missing = not isinstance(value, str) or not value
        del value  # a traceback shows the locals of its frames, and bytes are no key but may hold one
        if missing:
            raise ConfigurationError("there is no API key: pass api_key=... or set SUNO_API_KEY")
        raise ConfigurationError(
            "the API key has blanks, line ends or other characters no key has, or is not 8 to 512 characters long:"
            " copy it again"
        )

    @property
    def renewable(self) -> bool:
        """True if the key comes from a callable, so that asking again may give another one."""
        return callable(self._value)


class Address(msgspec.Struct, frozen=True):
    """Where a gateway is: ``base`` to put paths behind, ``host`` to name it in messages."""

    base: str
    host: str
    stripped_v1: bool = False
    """A ``/v1`` at the end was taken off: gateways answer there with 404 (new-api, controller/relay.go)."""


def read_address(base_url: object, *, allow_insecure: bool = False) -> Address:
    """The checked address of a gateway; raises ConfigurationError that says what is wrong with it."""
    check_flag("allow_insecure", allow_insecure)
    if not isinstance(base_url, str) or not base_url.strip():
        raise ConfigurationError("there is no base URL: pass Suno('https://...') or set SUNO_BASE_URL")
    if not base_url.isascii() or re.search(r"[\x00-\x20\x7f\\]", base_url):
        raise ConfigurationError("the base URL has characters no URL has; write hosts of other scripts as xn--...")
    try:
        parts = urlsplit(base_url)
        port = parts.port
    except ValueError:
        raise ConfigurationError("the base URL cannot be read: it should look like https://gateway.example") from None
    host = parts.netloc.rpartition("@")[2].rpartition(":")[0] if port is not None else parts.netloc
    _refuse_address(parts.scheme, parts.netloc, host, base_url, allow_insecure=allow_insecure)
    path = parts.path.rstrip("/")
    v1 = path.endswith("/v1")
    # one gateway has one name, in the journal too: idempotency keys belong to it
    name = host.lower().rstrip(".")
    place = name if port in {None, _PORTS[parts.scheme]} else f"{name}:{port}"
    return Address(f"{parts.scheme}://{place}{path.removesuffix('/v1')}", name, v1)


def _refuse_address(scheme: str, netloc: str, host: str, url: str, *, allow_insecure: bool) -> None:
    if scheme not in {"http", "https"}:
        raise ConfigurationError("the base URL must begin with https:// (or http:// for a gateway on this machine)")
    if "@" in netloc:
        raise ConfigurationError("the base URL holds a user name or password: take it out, the key goes in api_key")
    if "?" in url or "#" in url:
        raise ConfigurationError("the base URL ends in a query or fragment: give only https://host and a path")
    if _HOST(host) is None:
        raise ConfigurationError("the base URL names no usable host: it should look like https://gateway.example")
    if scheme == "http" and not allow_insecure and _LOOPBACK(host) is None:
        raise ConfigurationError(
            f"http:// to {host} would send the key in clear: use https://, or allow_insecure=True (--allow-insecure)"
        )


def check_task_id(task_id: object) -> str:
    """The id itself, safe in a path; raises ConfigurationError for anything else."""
    if isinstance(task_id, str) and _TASK_ID(task_id) is not None:
        return task_id
    named = getattr(task_id, "task_id", None)
    hint = f"; pass its task_id, {_shown(named)}" if isinstance(named, str) else ""
    raise ConfigurationError(
        f"{_shown(task_id)} is no task id: one is 1 to 128 letters, digits and _ . : - as the gateway gave it{hint}"
    )


def check_action(action: object) -> str:
    """The action of a submission, safe in a path; raises ConfigurationError for anything else."""
    if isinstance(action, str) and _ACTION(action) is not None:
        return action
    raise ConfigurationError(f"{_shown(action)} is no action: one is letters, digits, _ and -, such as 'music'")


def check_idempotency_key(key: object) -> str:
    """The key itself; raises ConfigurationError for what is none."""
    if isinstance(key, str) and _IDEMPOTENCY_KEY(key) is not None:
        return key
    raise ConfigurationError(f"{_shown(key)} is no idempotency key: one is 1 to 200 printable ASCII characters")


def is_task_id(value: object) -> bool:
    """True for what a gateway may give out as a task id."""
    return isinstance(value, str) and _TASK_ID(value) is not None


def check_seconds(name: str, value: object, *, zero: bool = False) -> float:
    """A finite number of seconds above zero (or from zero on); raises ConfigurationError that names the parameter."""
    wanted = "a number of seconds from 0 on" if zero else "a number of seconds above 0"
    return _check_number(name, value, wanted, lambda x: x > 0 or (zero and x == 0))


def check_timeout(name: str, value: object) -> float | None:
    """A number of seconds from zero on, or None for no end."""
    if type(value) is float and 0 <= value <= _LARGEST:
        return value
    return None if value is None else check_seconds(name, value, zero=True)


def check_rate(name: str, value: object) -> float | None:
    """A number of requests a second above zero, or None for no limit."""
    if value is None:
        return None
    return _check_number(name, value, "a number of requests a second above 0", lambda x: x > 0)


def check_count(name: str, value: object, most: int) -> int:
    """A whole number from 1 to ``most``."""
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most:
        return value
    raise ConfigurationError(f"{name} must be a whole number from 1 to {most}, not {_shown(value)}")


def check_flag(name: str, value: object) -> bool:
    """True or False, and not what Python takes for it: the text "no" would mean yes."""
    if isinstance(value, bool):
        return value
    raise ConfigurationError(f"{name} must be True or False, not {_shown(value)}")


def check_random(name: str, value: _Dice) -> _Dice:
    """A source of chance, or None."""
    if value is None or callable(getattr(value, "random", None)):
        return value
    raise ConfigurationError(f"{name} must be a random.Random, not {_shown(value)}")


def check_factor(name: str, value: object, least: float, most: float) -> float:
    """A finite number between two bounds, both allowed."""
    return _check_number(name, value, f"a number from {least:g} to {most:g}", lambda x: least <= x <= most)


def _check_number(name: str, value: object, wanted: str, fits: Callable[[float], bool]) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    # not math.isfinite: an int may be too long for a float
    if number and abs(value) <= _LARGEST and fits(value):  # type: ignore[arg-type]
        return value  # type: ignore[return-value]
    raise ConfigurationError(f"{name} must be {wanted}, not {_shown(value)}")


def _shown(value: object) -> str:
    # an int may be too long to be written in digits
    shown = isinstance(value, str | float | None) or (isinstance(value, int) and abs(value) < 10**60)
    text = ascii(value) if shown else f"a {type(value).__name__}"
    return text if len(text) <= 60 else f"{text[:56]}...'"
