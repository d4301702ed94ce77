"""The fingerprint of a key: the same key is known again, and nothing else is known of it."""

import pytest

from suno_async.engine.fingerprint import Fingerprint

KEY, OTHER = b"sk-0123456789abcdefghijklmnop", b"sk-0123456789abcdefghijklmnoq"


def test_a_key_is_known_again():
    """By what was written down of it, in another process too; another key is not."""
    first, second, other = Fingerprint(KEY), Fingerprint(KEY), Fingerprint(OTHER)
    for mine in (first, second):
        assert mine.fits(first.text)
        assert mine.fits(second.text)
        assert not mine.fits(other.text)
        assert not other.fits(mine.text)


def test_no_two_are_alike():
    """Each has a salt of its own: a key that is taken into use again is seen to be, and journals cannot be compared."""
    assert len({Fingerprint(KEY).text for _ in range(100)}) == 100


def test_the_key_is_not_in_it():
    """Neither in its text, which is as long for every key, nor in its repr; and no four bytes of it are."""
    for key in (KEY, b"x", b"k" * 5000):
        found = Fingerprint(key)
        assert len(found.text) == 32
        # one letter may stand there by chance
        assert len(key) == 1 or key.hex() not in found.text
        assert key.decode() not in repr(found)
    text = Fingerprint(KEY).text
    assert not any(KEY[start : start + 4].hex() in text for start in range(len(KEY) - 3))


@pytest.mark.parametrize("text", ["", "x", "zz" * 16, "é" * 32, "00", "00" * 16, "00" * 17])
def test_what_is_no_fingerprint_fits_no_key(text):
    """Of an older journal, or damaged: nothing is known."""
    assert not Fingerprint(KEY).fits(text)


def test_a_part_of_one_does_not_fit():
    """All of it has to be there."""
    found = Fingerprint(KEY)
    for end in range(len(found.text)):
        assert not found.fits(found.text[:end])
    assert not found.fits(found.text + "00")
    assert not found.fits(found.text.upper()) or found.text == found.text.upper()
