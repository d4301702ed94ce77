"""Whether anything may be sent to an address that a gateway's answer names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suno_async.protocol.errors import SunoError, UnexpectedResponse
from suno_async.protocol.places import Place, is_literal, is_public, read_place

GATEWAY = "https://gateway.example"
REFUSED = "the gateway names an address that is not used, because "
LONGEST = "https://s3.example/".ljust(4096, "x")


@pytest.mark.parametrize(
    ("url", "gateway", "own"),
    [
        ("https://suno-uploads.s3.amazonaws.com/", GATEWAY, False),
        ("https://1.1.1.1/upload", GATEWAY, False),
        ("https://[2606:4700::1111]/", GATEWAY, False),
        ("https://[64:ff9b::808:808]/", GATEWAY, False),
        (LONGEST, GATEWAY, False),
        ("https://gateway.example/storage/x?y=1", GATEWAY, True),
        ("https://gateway.example:443/storage", GATEWAY, True),
        ("https://GATEWAY.example/storage", GATEWAY, True),
        ("http://127.0.0.1:8080/storage", "http://127.0.0.1:8080", True),
    ],
)
def test_what_may_be_reached(url, gateway, own):
    """Public addresses by https, and whatever is on the gateway's own host."""
    assert read_place(url, gateway) == Place(url, own=own)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://suno-uploads.s3.amazonaws.com/", "not https"),
        ("http://gateway.example/storage", "not https"),
        ("https://127.0.0.1/", "private"),
        ("https://10.0.0.8/latest", "private"),
        ("https://169.254.169.254/latest/meta-data", "private"),
        ("https://[::1]/", "private"),
        ("https://[fe80::1]/", "private"),
        ("https://[::ffff:192.168.0.1]/", "private"),
        ("https://[2002:7f00:1::]/", "private"),
        ("https://[64:ff9b::a00:1]/", "private"),
        ("https://[::127.0.0.1]/", "private"),
        ("https://0.0.0.0/", "private"),
        ("https://224.0.0.1/", "private"),
        ("https://user@s3.example/", "user name"),
        ("https://s3.example/a b", "no address"),
        ("https://s3.example/\nX: y", "no address"),
        ("https://s3.exämple/", "no address"),
        ("https://s3.example\\@10.0.0.8/", "no address"),
        ("https:///storage", "no address"),
        ("", "no address"),
        ("file:///etc/passwd", "no address"),
        ("https://s3.example:99999/", "cannot be read"),
        ("https://[::1/", "cannot be read"),
        ("https://s3.example/\x7f", "no address"),
        (f"{LONGEST}x", "no address"),
    ],
)
def test_what_may_not_be_reached(url, why):
    """Neither plain http nor our own network, and nothing that two readers could read differently."""
    with pytest.raises(UnexpectedResponse, match=why):
        read_place(url, GATEWAY)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://s3.example/upload/SECRET?signature=SECRET#SECRET", "it is not https: http://s3.example"),
        ("https://127.0.0.1/SECRET", "it is a private address: https://127.0.0.1"),
        ("http://" + "a" * 99 + ".example/SECRET", "it is not https: http://" + "a" * 73),
        ("https://u:SECRET@s3.example/", "it holds a user name: https://s3.example"),
        ("https://SECRET@s3.example:99999/", "it cannot be read: https://s3.example"),
        ("https://u:SECRET@[::1/", "it cannot be read"),
        ("https://SECRET:x@/", "it is no address"),
        ("u:SECRET@s3.example", "it is no address"),
        ("//u:SE CRET@s3.example/", "it is no address: ://s3.example"),
    ],
)
def test_of_a_refused_address_only_scheme_and_host_are_shown(url, shown):
    """At most 80 characters of them: a path or a query may be signed, and a password may stand before the host."""
    with pytest.raises(UnexpectedResponse) as refused:
        read_place(url, GATEWAY)
    assert str(refused.value) == REFUSED + shown


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("1.1.1.1", True),
        ("127.0.0.1", False),
        ("fe80::1%eth0", False),
        ("2606:4700::1111", True),
        # what follows % is the name of an interface, whatever that is
        ("2606:4700::1111%eth0", True),
        ("2606:4700::1111%eth%0", True),
        ("2001:db8::1", False),
        ("::ffff:8.8.8.8", True),
        ("::ffff:10.0.0.1", False),
        ("2002:808:808::1", True),
        ("2002:a00:1::1", False),
        # NAT64: the last four bytes are reached
        ("64:ff9b::808:808", True),
        ("64:ff9b::a00:1", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("64:ff9b:1::1", False),
        ("64:ff9b:1::808:808", False),
        # site-local, IPv4-compatible, IPv4-translated, what nobody has been given
        ("fec0::1", False),
        ("::127.0.0.1", False),
        ("::8.8.8.8", False),
        ("::ffff:0:127.0.0.1", False),
        ("::ffff:0:8.8.8.8", False),
        ("4000::1", False),
        ("ff0e::1", False),
        # the metadata of a cloud
        ("192.0.0.192", False),
        ("::ffff:192.0.0.192", False),
        ("64:ff9b::c000:c0", False),
        ("192.0.1.1", True),
        ("nonsense", False),
    ],
)
def test_which_addresses_are_on_the_internet(address, public):
    """Those a resolver gave are judged one by one."""
    assert is_public(address) is public


def test_names_are_no_literals():
    """A name is looked up, an address is not."""
    assert [is_literal(host) for host in ("gateway.example", "10.0.0.1", "::1", "2130706433")] == [
        False,
        True,
        True,
        False,
    ]


@given(st.text())
def test_any_text_is_a_place_or_is_refused(url):
    """Whatever an answer says, it is never an exception of another kind."""
    try:
        place = read_place(url, GATEWAY)
    except SunoError:
        return
    assert place.url == url
