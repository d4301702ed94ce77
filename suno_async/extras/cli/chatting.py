"""The command that chats."""

from asyncio import CancelledError
from typing import TYPE_CHECKING, Annotated

import msgspec
from cyclopts import Parameter

from ...client.arguments import check_text
from ...protocol.errors import (
    RequestRejected,
    SubmitUnknown,
    SunoError,
    TaskFailed,
    UnexpectedResponse,
    WaitTimeout,
)
from .asking import CALMLY, Asking, checked
from .configuration import STANDARD, Options, open_suno
from .exits import DONE, NotKept
from .progress import bar
from .records import print_json
from .running import run
from .tables import print_table, song_row
from .words import harmless, read_text, say

if TYPE_CHECKING:
    from ...client.chat import Chat

_SONGS = ("clip", "title", "audio")
"""No chat tells more of them."""
_ERRORS: tuple[tuple[type[SunoError], str], ...] = (
    (WaitTimeout, "timeout"),
    (TaskFailed, "failed"),
    (RequestRejected, "rejected"),
    (SubmitUnknown, "unknown"),
    (UnexpectedResponse, "cut_off"),
)


def chat(
    prompt: Annotated[str, Parameter(help="What the song is about; - reads it from stdin, @FILE from a file.")],
    /,
    *,
    model: Annotated[str, Parameter(help="The gateway's name for it, such as suno-v3.5.")] = "suno-v3",
    asking: Asking = CALMLY,
    options: Options = STANDARD,
) -> int:
    """A song by chatting: its text as it comes, then the songs. What was sent is charged, also if you stop."""
    said, name = checked(check_text, "PROMPT", read_text(prompt)), checked(check_text, "--model", model)

    async def talk() -> int:
        async with open_suno(options) as suno:
            heard = suno.chat(said, model=name, timeout=asking.timeout)
            error: SunoError | None = None
            try:
                await (_collect(heard) if asking.as_json else _show(heard))
            except CancelledError:
                _tell(heard, name, "interrupted", as_json=asking.as_json)
                say("interrupted: no gateway names the task of a chat, so nothing can go on with it; it may be charged")
                raise
            except SunoError as caught:
                error = caught
        _tell(heard, name, None if error is None else _word(error), as_json=asking.as_json)
        if isinstance(error, SubmitUnknown):
            raise NotKept(str(error))
        if error is not None:
            raise error
        return DONE

    return run(talk)


async def _collect(heard: "Chat") -> None:
    with bar(1, streaming=False):
        await heard


async def _show(heard: "Chat") -> None:
    """Each piece as it comes; the last line gets its end, however it came to it."""
    shown = ""
    try:
        async for piece in heard:
            text = harmless(piece)
            shown = text or shown
            print(text, end="", flush=True)
    finally:
        await heard.aclose()
        if shown and not shown.endswith("\n"):
            print(flush=True)


def _tell(heard: "Chat", model: str, error: str | None, *, as_json: bool) -> None:
    """What is told at the end, however it came."""
    if as_json:
        songs = [msgspec.structs.asdict(song) for song in heard.songs]
        print_json({"model": model, "text": heard.text, "songs": songs, "error": error})
    elif heard.songs:
        print()
        print_table(_SONGS, [song_row(song) for song in heard.songs])


def _word(error: SunoError) -> str:
    return next((word for kind, word in _ERRORS if isinstance(error, kind)), "unanswered")
