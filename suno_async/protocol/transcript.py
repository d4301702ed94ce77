"""The transcript: what a chat says, read while it comes.

Suno-API answers so (chat.go): one letter in a chunk, ``delta`` also where nothing streams, errors and "timeout" as
words of the text, and a ``[DONE]`` without a line end behind it, or none.
"""

import re
from typing import Any

from .errors import SunoError, TaskFailed, UnexpectedResponse, WaitTimeout
from .exchange import Answer
from .lenient import Unreadable, one_line, read_json, text
from .links import songs_in
from .models import Song
from .outcome import judge
from .redaction import Redaction
from .refusals import error_words

ACTION = "chat"
"""What a chat is called where submissions are called music or lyrics."""
_MOST_BYTES = 4 * 2**20
_MOST_TEXT = 2**20
_MOST_LINES = 1000
"""Of one event; and of those that look like a document and are none: to try one takes a hundred times as long."""
_NO_SECRETS = Redaction(())
_LINE_END = re.compile(rb"\r\n|\r|\n")
_BLANKS = re.compile(rb"[\s\xef\xbb\xbf]*")
"""Blanks, and the bytes of a byte order mark."""
_MARKS = b"\xef\xbb\xbf \t\r\n"
_FIELDS = (b"data:", b"event:", b"retry:", b"id:", b":")
_PAGE = re.compile(rb"<[!?/A-Za-z]").match
_TIMED_OUT = re.compile(r"(?:\A|[^A-Za-z])timeout\s*\Z").search


class Transcript:
    """What a chat says, read from the bytes of its answer in whatever pieces they come.

    Reads a stream of events (of chunks, or of whole messages), one JSON document, a JSON text and a plain text. At
    most 4 MiB of bytes, 2**20 characters of text and a thousand lines of one event are read. Nothing that
    comes can make it raise.

    No secret of the redaction comes out, though its letters came one by one, or escaped.
    """

    def __init__(self, redaction: Redaction = _NO_SECRETS) -> None:
        self.done = False
        """It said ``[DONE]``."""
        self.refusal = b""
        """The first document that says "no", as it came but for the secrets."""
        self.body = b""
        """Where it was no stream of events: all of it, once it has ended."""
        self._redaction = redaction
        self._parts: list[str] = []
        self._fresh: list[str] = []
        """What the piece that is being read has said."""
        self._held = b""
        """The end of the text, which may be the beginning of a secret."""
        self._size = 0
        self._room = _MOST_BYTES
        self._long = ""
        self._waiting = bytearray()
        """All that came, until it is known whether it is a stream of events; then the last line."""
        self._blank = 0
        self._events: bool | None = None
        self._after_cr = False
        self._data: list[bytes] = []
        """The lines of an event that is not whole yet."""
        self._vain = 0

    @property
    def text(self) -> str:
        """What it has said so far."""
        if len(self._parts) > 1:
            self._parts = ["".join(self._parts)]
        return self._parts[0] if self._parts else ""

    @property
    def page(self) -> bool:
        """It was a web page: it has no text."""
        return _PAGE(self.body[:800].lstrip(_MARKS)) is not None

    @property
    def songs(self) -> tuple[Song, ...]:
        """The songs in what it has said so far."""
        return songs_in(self.text)

    @property
    def error(self) -> SunoError | None:
        """What went wrong, as far as the answer itself says so; once it has ended.

        TaskFailed where the chat ends in the words of an error, or an error comes behind some text: it was accepted.
        WaitTimeout where it ends in "timeout" (Suno-API, after five minutes: the song may still come).
        UnexpectedResponse where it was longer than is read. An error and nothing else is judged as that of a
        submission inside a 200.
        """
        if self._long:
            return UnexpectedResponse(f"the chat is longer than {self._long}", excerpt=one_line(self.text), status=200)
        if self.refusal and not self._size:
            found = judge(Answer(200, {}, self.refusal), action=ACTION, body=b"")
            return found if isinstance(found, SunoError) else None
        # cleaned once more: a document in the text has escapes of its own
        reason = _reason(self.refusal or self._redaction.clean(_confession(self.text)))
        if reason:
            return TaskFailed(f"the chat says that it failed: {reason}", reason=reason)
        if not self.done and _TIMED_OUT(self.text) and not self.songs:
            return WaitTimeout("the gateway waited no longer for the song; it may still come")
        return None

    def feed(self, data: bytes) -> str:
        """The text that this piece brings; "" for most of what is no stream of events, until it has ended."""
        before, self._room = self._room, max(0, self._room - len(data))
        if len(data) > before:
            data = data[:before]
            self._long = self._long or f"{_MOST_BYTES:,} bytes"
        if self._events is None:
            data = self._begin(data)
        if self._events:
            self._split(data)
        elif self._events is not None:
            self._waiting += data
        return self._release(over=self.done)

    def end(self) -> str:
        """The text that was left when nothing more came."""
        if self._events:
            self._line(bytes(self._waiting))
            self._flush()
        elif self._events is not None:
            self.body = self._redaction.clean_cut(self._waiting)
            self._read_body()
        self._waiting.clear()
        self._events = None
        return self._release(over=True)

    def _release(self, *, over: bool) -> str:
        """What may be shown of what was said, all of it where nothing more comes."""
        shown, self._held = self._redaction.split(self._held + "".join(self._fresh).encode())
        self._fresh.clear()
        if over:
            shown, self._held = shown + self._redaction.clean_cut(self._held), b""
        piece = shown.decode()
        if piece:
            self._parts.append(piece)
        return piece

    def _begin(self, data: bytes) -> bytes:
        """Finds out what it is; the bytes to go on with."""
        self._waiting += data
        blank = _BLANKS.match(self._waiting, self._blank)
        self._blank = blank.end() if blank else self._blank
        start = bytes(self._waiting[self._blank : self._blank + 6])
        if start.startswith(_FIELDS):
            self._events = True
            data = bytes(self._waiting[self._blank :])
            self._waiting.clear()
            return data
        if not any(field.startswith(start) for field in _FIELDS):
            self._events = False
        return b""

    def _split(self, data: bytes) -> None:
        if not data:
            return
        if self._after_cr and data.startswith(b"\n"):
            data = data[1:]
        self._after_cr = data.endswith(b"\r")
        first, *rest = _LINE_END.split(data)
        self._waiting += first
        if not rest:
            return
        self._line(bytes(self._waiting))
        for line in rest[:-1]:
            self._line(line)
        self._waiting[:] = rest[-1]

    def _line(self, line: bytes) -> None:
        if not line.strip():
            self._flush()
        name, _, value = line.partition(b":")
        if name == b"data":
            value = value.strip()
        elif line.startswith(b"{"):
            # an error of the gateway's own, with no "data:" before it
            value = line.strip()
        else:
            return
        if value == b"[DONE]":
            self._flush()
            self.done = True
        elif len(self._data) >= _MOST_LINES:
            self._long = self._long or f"{_MOST_LINES:,} lines of one event"
        elif self._data or not self._read(value):
            self._data.append(value)

    def _flush(self) -> None:
        """An event has ended: it is one document, or one in each line."""
        lines, self._data = self._data, []
        if len(lines) > 1 and not self._read(b"\n".join(lines)):
            # the first one has been tried by itself
            for line in lines[1:]:
                self._read(line)

    def _read(self, value: bytes) -> bool:
        """One document of a stream; False if it is none, or not yet."""
        if not value.startswith(b"{") or not value.endswith(b"}"):
            return False
        if self._vain >= _MOST_LINES:
            self._long = self._long or f"{_MOST_LINES:,} lines that nobody can read"
            return False
        try:
            document = read_json(value)
        except Unreadable:
            self._vain += 1
            return False
        self._hear(document, value)
        return True

    def _read_body(self) -> None:
        start = self.body.lstrip(_MARKS)
        try:
            document = read_json(self.body)
        except Unreadable:
            document = None
        if start.startswith(b"{"):
            # what is left of a document is no text
            self._hear(document or {}, self.body)
        elif isinstance(document, str) and start.rstrip().endswith(b'"'):
            self._say(document)
        elif not self.page:
            self._say(self.body.decode("utf-8-sig", "replace"))

    def _hear(self, document: Any, value: bytes) -> None:
        if self.done:
            return
        if error_words(document) is not None:
            self.refusal = self.refusal or self._redaction.clean(value)
        else:
            self._say(_content(document))

    def _say(self, piece: str) -> None:
        left = _MOST_TEXT - self._size
        if len(piece) > left:
            piece = piece[:left]
            self._long = self._long or f"{_MOST_TEXT:,} characters"
        if piece:
            self._size += len(piece)
            self._fresh.append(piece)


def _content(document: dict[str, Any]) -> str:
    """The text of a chunk, or of a whole message; "" for what has none."""
    choices = document.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, dict):
        return ""
    found = (_words(choice.get(name)) for name in ("delta", "message"))
    return next(filter(None, found), "") or (choice["text"] if isinstance(choice.get("text"), str) else "")


def _words(message: Any) -> str:
    content = message.get("content") if isinstance(message, dict) else None
    if isinstance(content, list):
        # OpenAI's parts
        return "".join(part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str))
    return content if isinstance(content, str) else ""


def _confession(said: str) -> bytes:
    """The document in a text that may be an error of Suno-API's or end in one, or be nothing but a gateway's error."""
    whole = said[max(said.rfind('{"StatusCode"'), 0) :]
    if not whole.lstrip().startswith("{") or not whole.rstrip().endswith("}"):
        return b""
    return whole.encode()


def _reason(value: bytes) -> str:
    """What a document that says "no" says, or an error of Suno-API's; "" for what is none."""
    try:
        document = read_json(value)
    except Unreadable:
        return ""
    said = error_words(document)
    if said is not None:
        return one_line(said[1] or said[0] or "no reason given")
    if not isinstance(document, dict) or "StatusCode" not in document:
        return ""
    return one_line(f"{text(document.get('Code')) or 'no reason given'} ({text(document['StatusCode'])})")
