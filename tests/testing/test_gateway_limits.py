"""How often one client may ask."""

from suno_async.testing.gateway.limits import Limit


def test_a_limit_slides_over_whole_seconds():
    """Three in ten seconds: the fourth waits until the first is ten seconds old, and only it makes room."""
    limit = Limit(3, 10)
    assert [limit.admits(now) for now in (0.9, 4.0, 4.5, 9.9, 10.1, 13.0, 14.2)] == [True] * 3 + [
        False,
        True,
        False,
        True,
    ]


def test_what_is_refused_does_not_count():
    """Asking on and on does not put the next chance off."""
    limit = Limit(1, 10)
    assert limit.admits(0.0)
    assert not any(limit.admits(float(second)) for second in range(1, 10))
    assert limit.admits(10.0)
