"""The progress of one request: how far it has come, and what has come back."""


class Progress:
    """How far one request has come."""

    __slots__ = ("key", "known", "received", "sent", "status")

    def __init__(self, key: bytes, *, sent: bool) -> None:
        self.key = key
        """The one it is asked with: there may be another one when the answer comes."""
        self.known: tuple[bytes, ...] = ()
        """The secrets that its answer may echo, once it was asked."""
        self.sent = sent
        self.status = 0
        """The HTTP status; 0 while no headers have come."""
        self.received: bytes | bytearray = b""
        """What has come of the body."""

    def add(self, piece: bytes) -> None:
        """One more piece of the body has come.

        Most answers come in one, which is kept as it is. One may come in a million: from the second on they are put
        behind each other in place, where bytes would be copied for every piece.
        """
        if not self.received:
            self.received = piece
            return
        if isinstance(self.received, bytes):
            self.received = bytearray(self.received)
        self.received += piece
