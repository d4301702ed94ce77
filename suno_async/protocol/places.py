"""The places: addresses that a gateway's answer names, and whether anything may be sent there.

What a gateway says is believed of songs, not of our own network: an answer that names a machine in it would have this
one reach where the gateway cannot (server-side request forgery).
"""

import ipaddress
import re
from urllib.parse import urlsplit

import msgspec

from .errors import UnexpectedResponse
from .lenient import one_line

_LONGEST = 4096
_PORTS = {"https": 443, "http": 80}


class Place(msgspec.Struct, frozen=True):
    """An address that may be reached."""

    url: str
    own: bool
    """It is on the gateway's own host, wherever that is; of others only public addresses may be reached."""


def read_place(url: str, gateway: str) -> Place:
    """The place that an answer of this gateway names; ``gateway`` is its base URL.

    Raises UnexpectedResponse for what is no address, is not https, or names a private machine: only the gateway's own
    host may be all of that.
    """
    try:
        parts = urlsplit(url)
        host, origin = parts.hostname or "", _origin(url)
    except ValueError:
        raise _refused(url, "it cannot be read") from None
    if len(url) > _LONGEST or not url.isascii() or re.search(r"[\x00-\x20\x7f\\]", url) or not host:
        raise _refused(url, "it is no address")
    if "@" in parts.netloc:
        raise _refused(url, "it holds a user name")
    if origin == _origin(gateway):
        return Place(url, own=True)
    if parts.scheme != "https":
        raise _refused(url, "it is not https")
    if is_literal(host) and not is_public(host):
        raise _refused(url, "it is a private address")
    return Place(url, own=False)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)


def is_literal(host: str) -> bool:
    """True for a host that is an address by itself, and is not looked up."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_public(address: str) -> bool:
    """True for an address on the internet; private, loopback, link-local and unreadable ones are not."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    inner = getattr(found, "ipv4_mapped", None) or getattr(found, "sixtofour", None) or found
    return bool(inner.is_global and not inner.is_multicast)


def _refused(url: str, why: str) -> UnexpectedResponse:
    shown = one_line(url.partition("?")[0], 80)
    return UnexpectedResponse(f"the gateway names an address that is not used, because {why}: {shown}")
