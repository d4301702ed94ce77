"""A request and its answer, as values."""

import pytest

from suno_async.protocol.exchange import Answer, Broken, Request


def test_a_request_has_no_body_unless_given():
    """A GET is a method and a path."""
    assert Request("GET", "/suno/fetch/t") == Request("GET", "/suno/fetch/t", None)


def test_an_answer_is_not_fresh_unless_said():
    """An answer is taken for one on a used connection until the transport knows better."""
    assert Answer(200, {}, b"").fresh is False


def test_a_broken_request_counts_as_sent():
    """A request that broke may have reached the gateway, unless the contrary is proven."""
    broken = Broken("reset")
    assert (broken.sent, broken.received, broken.oversized, broken.certificate) == (True, b"", False, False)


def test_a_broken_answer_has_a_status_only_if_said():
    """Where no headers came there is no status."""
    assert Broken("reset").status == 0
    assert Broken("reset", status=502).status == 502


@pytest.mark.parametrize(
    "value", [Request("GET", "/"), Answer(200, {}, b""), Broken("x")], ids=lambda v: type(v).__name__
)
def test_the_values_are_frozen(value):
    """Nobody changes a request or an answer on its way."""
    with pytest.raises(AttributeError, match="immutable"):
        setattr(value, value.__struct_fields__[0], 1)
