"""The commands that submit."""

import json
from asyncio import CancelledError
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from cyclopts import App, Parameter

from ...client import Job, Suno
from ...protocol.errors import ConfigurationError, JournalError
from ...protocol.inputs import check_idempotency_key
from ...protocol.requests import Custom, Extend, Inspiration, Submission, Submittable, WriteLyrics
from .configuration import JOURNALED, Journaled
from .exits import DONE, KeyNotSafe, UsageError
from .journals import open_to_submit
from .looking import PATIENT, Waiting, wait_for
from .records import print_json
from .running import run
from .words import read_text, say

Words = Annotated[str, Parameter(help="The words; - reads them from stdin, @FILE from a file.", show_default=False)]
Idea = Annotated[str, Parameter(help="What it is about; - reads it from stdin, @FILE from a file.")]
Body = Annotated[str, Parameter(help="The JSON object to send; - reads it from stdin, @FILE from a file.")]
Tags = Annotated[str, Parameter(help="The style, comma separated.", show_default=False)]
Title = Annotated[str, Parameter(help="The song's title.", show_default=False)]
Model = Annotated[str, Parameter(help="The model, such as chirp-v4.", show_default=False)]
Instrumental = Annotated[bool, Parameter(help="No words.", show_default=False)]
Hook = Annotated[str, Parameter(help="A URL that some gateways call at the end.", show_default=False)]


@Parameter(name="*", group="Waiting")
@dataclass(frozen=True, kw_only=True)
class After:
    """What follows the submission, and what keeps it from being made twice."""

    idempotency_key: Annotated[
        str | None,
        Parameter(help="Your own name for it: used again, it gives the same task, and nothing is sent.", metavar="KEY"),
    ] = None
    wait: Annotated[bool, Parameter(help="Wait for the task, too.", show_default=False)] = False
    waiting: Waiting = PATIENT


NOTHING = After()
submit = App(name="submit", help="Submit a song, lyrics, or whatever the gateway offers; prints the task id.")


@submit.command
def inspiration(
    gpt_description_prompt: Idea,
    *,
    make_instrumental: Instrumental = False,
    mv: Model = "",
    notify_hook: Hook = "",
    after: After = NOTHING,
    options: Journaled = JOURNALED,
) -> int:
    """A song from a description; its words are written for you."""
    idea = read_text(gpt_description_prompt)
    return _submit(lambda: Inspiration(idea, make_instrumental, mv, notify_hook), after, options)


@submit.command
def custom(
    prompt: Words = "",
    *,
    tags: Tags = "",
    title: Title = "",
    mv: Model = "",
    make_instrumental: Instrumental = False,
    notify_hook: Hook = "",
    after: After = NOTHING,
    options: Journaled = JOURNALED,
) -> int:
    """A song with your own words."""
    words = read_text(prompt)
    return _submit(lambda: Custom(words, tags, title, mv, make_instrumental, notify_hook), after, options)


@submit.command
def extend(
    *,
    continue_clip_id: Annotated[str, Parameter(help="The id of the song to go on from.")],
    continue_at: Annotated[float, Parameter(help="Where to go on.", metavar="SECONDS")],
    task_id: Annotated[str, Parameter(help="The task that made it; older gateways want it.", show_default=False)] = "",
    prompt: Words = "",
    tags: Tags = "",
    title: Title = "",
    mv: Model = "",
    make_instrumental: Instrumental = False,
    notify_hook: Hook = "",
    after: After = NOTHING,
    options: Journaled = JOURNALED,
) -> int:
    """The continuation of a song."""
    words = read_text(prompt)
    where = continue_clip_id, continue_at, task_id
    return _submit(lambda: Extend(*where, words, tags, title, mv, make_instrumental, notify_hook), after, options)


@submit.command
def lyrics(prompt: Idea, *, notify_hook: Hook = "", after: After = NOTHING, options: Journaled = JOURNALED) -> int:
    """Words only, no song."""
    idea = read_text(prompt)
    return _submit(lambda: WriteLyrics(idea, notify_hook), after, options)


@submit.default
def other(
    action: Annotated[str, Parameter(help="Anything else the gateway offers.")],
    /,
    *,
    body: Body,
    after: After = NOTHING,
    options: Journaled = JOURNALED,
) -> int:
    """Submit a song, lyrics, or whatever the gateway offers; prints the task id."""
    fields = _json_object(read_text(body))
    return _submit(lambda: Submission(action, fields), after, options)


def _json_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise UsageError(f"--body is no JSON: {error}") from None
    if not isinstance(value, dict):
        raise UsageError("--body must be a JSON object")
    return value


def _submit(make: Callable[[], Submittable], after: After, options: Journaled) -> int:
    """The exit code of a submission; a body that cannot be right is a matter of usage."""
    try:
        body = make()
        if after.idempotency_key is not None:
            check_idempotency_key(after.idempotency_key)
    except ConfigurationError as error:
        raise UsageError(str(error)) from None

    async def send() -> int:
        async with open_to_submit(options, after.idempotency_key) as suno:
            job = await _send(suno, body, after)
            if after.wait:
                say(f"submitted as {job.task_id}")
                return await wait_for(suno, [job.task_id], after.waiting, options)
        _print_id(job.task_id, as_json=after.waiting.as_json)
        return DONE

    return run(send)


async def _send(suno: Suno, body: Submittable, after: After) -> Job:
    key = after.idempotency_key
    try:
        return await suno.submit(body, idempotency_key=key)
    except CancelledError:
        # the client has read on and logged what came of it
        say(
            "interrupted while submitting; if a line above names a task id, go on with: suno-async wait ID; what came"
            " of it is also told by: suno-async journal list"
        )
        raise
    except JournalError as error:
        if error.task_id is not None:
            _print_id(error.task_id, as_json=after.waiting.as_json)
        elif key is not None:
            raise KeyNotSafe(str(error)) from None
        raise


def _print_id(task_id: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"task_id": task_id})
    else:
        print(task_id)
