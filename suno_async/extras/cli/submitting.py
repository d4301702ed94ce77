"""The commands that submit."""

import json
from typing import Annotated, Any

from cyclopts import App, Parameter

from ...protocol.requests import Custom, Inspiration, Submission, WriteLyrics
from .configuration import JOURNALED, Journaled
from .editing import add_edits
from .exits import UsageError
from .sending import NOTHING, After, send
from .styling import SOUND, STYLE, Hook, Sound, Style, Words
from .words import read_text

Idea = Annotated[str, Parameter(help="What it is about; - reads it from stdin, @FILE from a file.")]
Body = Annotated[str, Parameter(help="The JSON object to send; - reads it from stdin, @FILE from a file.")]

submit = App(name="submit", help="Submit a song, lyrics, or whatever the gateway offers; prints the task id.")


@submit.command
def inspiration(
    gpt_description_prompt: Idea, *, sound: Sound = SOUND, after: After = NOTHING, options: Journaled = JOURNALED
) -> int:
    """A song from a description; its words are written for you."""
    idea = read_text(gpt_description_prompt)
    return send(lambda: Inspiration(idea, **sound.fields), after, options)


@submit.command
def custom(prompt: Words = "", *, style: Style = STYLE, after: After = NOTHING, options: Journaled = JOURNALED) -> int:
    """A song with your own words."""
    words = read_text(prompt)
    return send(lambda: Custom(words, **style.fields), after, options)


add_edits(submit)


@submit.command
def lyrics(prompt: Idea, *, notify_hook: Hook = "", after: After = NOTHING, options: Journaled = JOURNALED) -> int:
    """Words only, no song."""
    idea = read_text(prompt)
    return send(lambda: WriteLyrics(idea, notify_hook), after, options)


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
    return send(lambda: Submission(action, fields), after, options)


def _json_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise UsageError(f"--body is no JSON: {error}") from None
    if not isinstance(value, dict):
        raise UsageError("--body must be a JSON object")
    return value
