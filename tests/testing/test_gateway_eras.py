"""The two generations."""

from suno_async.testing.gateway.eras import ERAS


def test_both_eras_are_known_by_their_year():
    """Each era is filed under its own name and refreshes as many rows a round as its source says."""
    assert {name: era.name for name, era in ERAS.items()} == {"2026": "2026", "2025": "2025"}
    assert {name: era.rows_per_round for name, era in ERAS.items()} == {"2026": 1000, "2025": 500}


def test_both_eras_have_words_for_whoever_shows_no_access_token():
    """What 2025 says of an account, 2026 says too; of keys that only read, 2026 alone."""
    assert set(ERAS["2025"].account) < set(ERAS["2026"].account)
    assert set(ERAS["2026"].account) - set(ERAS["2025"].account) == {"no_key", "bad_key", "bad_header", "no_info"}
