"""The reply: pieces without the key, and how they ended."""

import pytest

from suno_async.engine.reply import Reply
from suno_async.protocol.exchange import Answer, Broken
from suno_async.protocol.redaction import Redaction

KEY = b"sk-0123456789abcdefABCDEF"
BROKEN = Broken("it broke", status=200)


def reply(*pieces: bytes | Broken, most: int = 2**20) -> Reply:
    """A reply to which these pieces come; what would come behind them fails."""
    made, left = Reply(Redaction([KEY.decode()])), list(pieces)

    async def read() -> bytes | Broken:
        return left.pop(0)

    made.begin(read, status=200, headers={"X": "1"}, most=most)
    return made


async def test_pieces_come_as_they_are():
    """Until an empty one: then it has ended in good order, and goes on having ended."""
    made = reply(b"a", b"bc", b"")
    assert made.end is None
    assert [piece async for piece in made] == [b"a", b"bc"]
    assert made.end == Answer(200, {"X": "1"}, b"", fresh=True)
    assert [piece async for piece in made] == []


async def test_a_break_is_told_behind_the_pieces():
    """It raises nothing."""
    made = reply(b"a", BROKEN)
    assert [piece async for piece in made] == [b"a"]
    assert made.end is BROKEN


async def test_what_never_began_has_no_pieces():
    """No answer came: nobody is asked for one."""
    made = Reply(Redaction([KEY.decode()]))
    made.end = BROKEN
    assert [piece async for piece in made] == []
    assert made.status == 0


@pytest.mark.parametrize("size", [1, 2, 5, len(KEY) - 1, len(KEY)])
@pytest.mark.parametrize("last", [b"", BROKEN])
async def test_the_key_does_not_come_through_in_pieces(size, last):
    """However small they are, whole or begun at the end; what only looks like its beginning does."""
    said = b"key " + KEY + b" or " + KEY[:3] + b" " + KEY[:9]
    made = reply(*(said[place : place + size] for place in range(0, len(said), size)), last)
    pieces = [piece async for piece in made]
    assert b"".join(pieces) == b"key *** or sk- "
    assert all(pieces)


async def test_what_was_held_back_comes_at_the_end():
    """Three letters are no key."""
    made = reply(b"ask", b"")
    assert [piece async for piece in made] == [b"a", b"sk"]


async def test_no_more_comes_than_was_allowed():
    """The cap is exact, and nothing is read behind it."""
    fits, too_long = reply(b"abc", b"de", b"", most=5), reply(b"abc", b"def", b"never read", most=5)
    assert [piece async for piece in fits] == [b"abc", b"de"]
    assert isinstance(fits.end, Answer)
    assert [piece async for piece in too_long] == [b"abc", b"de"]
    assert too_long.end == Broken("the answer is longer than 5 bytes", oversized=True, status=200)
    full = reply(b"abcde", b"f", most=5)
    assert [piece async for piece in full] == [b"abcde"]
    assert full.end.oversized
