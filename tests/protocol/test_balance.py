"""What the two billing routes say of a key."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suno_async.protocol.balance import UNLIMITED, Balance, read_balance, read_subscription, read_usage

QUICK = settings(max_examples=200, deadline=None, derandomize=True)


def subscription(dollars) -> dict:
    """As new-api's controller/billing.go writes it, 2025 and 2026."""
    limits = dict.fromkeys(("soft_limit_usd", "hard_limit_usd", "system_hard_limit_usd"), dollars)
    return {"object": "billing_subscription", "has_payment_method": True, **limits, "access_until": 0}


def usage(cents) -> dict:
    return {"object": "list", "total_usage": cents}


@pytest.mark.parametrize(
    ("limit", "cents", "balance"),
    [
        (10, 250, Balance(10, 2.5, 7.5)),
        (0.2, 20, Balance(0.2, 0.2, 0.0)),
        (0, 0, Balance(0, 0, 0)),
        (1, 104, Balance(1, 1.04, pytest.approx(-0.04))),
        ("10", "250", Balance(10, 2.5, 7.5)),
        (100_000_000, 250, Balance(UNLIMITED, 2.5, None, unlimited=True)),
        (100_000_001, 0, Balance(100_000_001, 0, None, unlimited=True)),
        (99_999_999, 0, Balance(99_999_999, 0, 99_999_999)),
    ],
)
def test_a_balance(limit, cents, balance):
    """The limit in the gateway's unit, what was used in hundredths; a hundred million is no limit."""
    assert read_balance(subscription(limit), usage(cents)) == balance


@pytest.mark.parametrize("name", ["hard_limit_usd", "hardLimitUsd", "system_hard_limit_usd", "soft_limit_usd"])
def test_one_limit_is_enough(name):
    """Whichever is there."""
    assert read_balance({name: 3}, usage(100)) == Balance(3, 1, 2)


def test_the_hard_limit_comes_first():
    """The soft one may be a mere warning."""
    assert read_balance({"soft_limit_usd": 1, "system_hard_limit_usd": 2, "hard_limit_usd": 3}, usage(0)).limit == 3
    assert read_balance({"soft_limit_usd": 1, "system_hard_limit_usd": 2}, usage(0)).limit == 2


def test_an_envelope_may_be_around_it():
    """One is opened."""
    told = read_balance({"code": "success", "data": {"hard_limit_usd": 3}}, {"data": {"totalUsage": 100}})
    assert told == Balance(3, 1, 2)


@pytest.mark.parametrize(
    "document", [None, 7, [], "x", {}, {"data": None}, {"hard_limit_usd": None, "total_usage": "x"}]
)
def test_other_shapes_are_none(document):
    """Neither decoder reads them, and there is no balance."""
    assert read_subscription(document) is None
    assert read_usage(document) is None
    assert read_balance(document, usage(0)) is None
    assert read_balance(subscription(1), document) is None


def test_the_decoders_tell_the_documents():
    """Each of its own route, so that the two can be put together."""
    assert read_subscription(subscription(0)) == subscription(0)
    assert read_usage(usage(0)) == usage(0)
    assert read_subscription(usage(0)) is None
    assert read_usage(subscription(0)) is None


@given(st.floats(0, 99_999_999), st.floats(0, 1e12))
@QUICK
def test_what_remains_is_what_was_not_used(limit, cents):
    """For every key with a limit."""
    found = read_balance(subscription(limit), usage(cents))
    assert not found.unlimited
    assert found.remaining == pytest.approx(found.limit - found.used)
    assert found.used == pytest.approx(cents / 100)
