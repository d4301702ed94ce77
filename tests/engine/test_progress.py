"""The progress of a request: what came of its answer."""

from suno_async.engine.progress import Progress


def test_at_first_nothing_has_come():
    """Neither a status nor a byte; whether it was sent says who made it."""
    for sent in (False, True):
        progress = Progress(b"sk-1", sent=sent)
        assert (progress.key, progress.sent, progress.status, progress.received) == (b"sk-1", sent, 0, b"")


def test_an_answer_in_one_piece_is_that_piece():
    """It is not copied, also where nothing came before it or comes behind it."""
    progress, whole = Progress(b"sk-1", sent=True), b"x" * 1000
    for piece in (b"", whole):
        progress.add(piece)
    assert progress.received is whole
    progress.add(b"")
    assert progress.received == whole


def test_pieces_are_put_together_in_their_order():
    """And none of those that came is changed."""
    progress, pieces = Progress(b"sk-1", sent=True), [b"one ", b"two ", b"three"]
    for piece in pieces:
        progress.add(piece)
    assert progress.received == b"one two three"
    assert pieces == [b"one ", b"two ", b"three"]


def test_a_million_pieces_are_put_together_in_place():
    """To copy all that came before for each of them would be two terabytes."""
    progress = Progress(b"sk-1", sent=True)
    for _ in range(2):
        progress.add(b"abcd")
    grown = progress.received
    for _ in range(2**20):
        progress.add(b"abcd")
    assert progress.received is grown
    assert grown == b"abcd" * (2**20 + 2)
