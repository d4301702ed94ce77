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
_INTERNET = ipaddress.ip_network("2000::/3")
"""All that IANA has given out of IPv6 for the internet; whatever else there is leads to where this machine is."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_ASSIGNMENTS = ipaddress.ip_network("192.0.0.0/24")
"""For protocols, such as the metadata of a cloud; older Pythons take some of it for public."""


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
    inner = _inner(found)
    known = inner not in _ASSIGNMENTS if inner.version == 4 else inner in _INTERNET
    return known and inner.is_global and not inner.is_multicast


def _inner(
    found: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The IPv4 address that is reached through this one, or itself."""
    if isinstance(found, ipaddress.IPv4Address):
        return found
    if found in _NAT64:
        return ipaddress.IPv4Address(found.packed[-4:])
    return found.ipv4_mapped or found.sixtofour or found


def _refused(url: str, why: str) -> UnexpectedResponse:
    try:
        parts = urlsplit(url)
        # a path may be signed as well as a query, and before the host there may be a password
        shown = f": {one_line(f'{parts.scheme}://{parts.hostname}', 80)}" if parts.hostname else ""
    except ValueError:
        shown = ""
    return UnexpectedResponse(f"the gateway names an address that is not used, because {why}{shown}")
