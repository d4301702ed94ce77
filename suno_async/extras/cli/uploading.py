"""The command that uploads."""

import sys
from asyncio import CancelledError
from collections.abc import Collection
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ...client import Suno
from ...client.arguments import check_file, check_text
from ...protocol.audio import MOST_BYTES, check_audio
from ...protocol.errors import ConfigurationError, SubmitUnknown, SunoError, WaitTimeout
from .asking import CALMLY, Asking, checked
from .configuration import JOURNALED, Journaled
from .exits import DONE, NotKept, UsageError, advice, code_of
from .journals import open_journaled
from .progress import bar
from .records import print_json
from .running import run, tell_how_to_go_on
from .words import STDIN, clean, say

Source = Annotated[str, Parameter(help="An address (https://...) or a file; - reads the file from stdin.")]


def upload(
    source: Source,
    /,
    *,
    filename: Annotated[
        str | None, Parameter(help="What the file is called, such as song.mp3.", metavar="NAME")
    ] = None,
    asking: Asking = CALMLY,
    options: Journaled = JOURNALED,
) -> int:
    """Upload audio and print the id of the clip that it becomes: to extend, to cover, to take apart."""
    audio = _audio(source, filename)

    async def send() -> int:
        async with open_journaled(options) as suno:
            before = await _open_ids(suno)
            try:
                with bar(1, streaming=False):
                    clip_id = await suno.upload(audio, filename=filename, timeout=asking.timeout)
            except CancelledError:
                _tell_left("interrupted", await _open_ids(suno) - before, options)
                raise
            except WaitTimeout as error:
                say(f"{error}{advice(error)}")
                _tell_left("the wait is over", error.task_ids, options)
                return code_of(error)
            except SubmitUnknown as error:
                raise NotKept(str(error)) from None
        if asking.as_json:
            print_json({"source": "-" if source == STDIN else source, "clip_id": clip_id})
        else:
            print(clean(clip_id))
        return DONE

    return run(send)


def _audio(source: str, filename: str | None) -> str | Path | bytes:
    """What is uploaded; what can be none is refused before anything is sent."""
    if source.lower().startswith(("https://", "http://")):
        return checked(check_text, "SOURCE", source)
    audio = sys.stdin.buffer.read(MOST_BYTES + 1) if source == STDIN else checked(check_file, "SOURCE", source)
    try:
        if isinstance(audio, Path):
            with audio.open("rb") as file:
                check_audio(file.read(16), filename or audio.name)
        elif len(audio) > MOST_BYTES:
            raise UsageError(f"there is more than {MOST_BYTES >> 20} MiB on stdin")
        else:
            check_audio(audio[:16], filename)
    except OSError as error:
        raise UsageError(f"{source} cannot be read: {error.strerror}") from None
    except ConfigurationError as error:
        raise UsageError(str(error).replace("filename='....mp3'", "--filename song.mp3")) from None
    return audio


async def _open_ids(suno: Suno) -> set[str]:
    """The tasks that the journal has as open; none where there is no journal."""
    try:
        return {job.task_id for job in await suno.resume()}
    except SunoError:
        return set()


def _tell_left(why: str, ids: Collection[str], options: Journaled) -> None:
    if ids:
        tell_how_to_go_on(
            ids, ["wait", *options.flags(), "--json"], f"{why}, and the clip will be the song of its task"
        )
    else:
        say(f"{why}: the gateway may have taken it in all the same, and nothing names the clip; it is not sent again")
