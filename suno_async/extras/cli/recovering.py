"""The commands of the journal that ask the gateway: resume, reconcile."""

import os
from collections import Counter
from typing import Annotated

from cyclopts import Parameter

from ...protocol.reconciliation import Finding, Verdict
from .configuration import JOURNALED, Journaled, gateway_of, open_suno
from .contents import OPEN, UNDECIDED, Kept, read_all, tell_nothing, together
from .entries import Entry, entry_record, gist
from .exits import DONE, FAILED, UNKNOWN, UsageError
from .journals import named
from .looking import PATIENT, Json, Waiting, wait_for
from .records import print_json
from .running import run
from .words import STDIN, clean, read_text, say

_CODES = {Finding.UNDECIDED: UNKNOWN, Finding.CHARGED: FAILED}


def resume(*, waiting: Waiting = PATIENT, options: Journaled = JOURNALED) -> int:
    """Wait for all tasks of this gateway that are not known to have ended."""
    kept = _kept(options)
    tasks = [task.gateway for task in kept.tasks().values() if task.status == OPEN]
    _tell_left_out(tasks, "open tasks", kept, options)
    with together(kept.files) as path:

        async def go_on() -> int:
            async with open_suno(options, journal=path) as suno:
                ids = [job.task_id for job in await suno.resume()]
                return await wait_for(suno, ids, waiting, options, of_the_journal=True)

        code = run(go_on)
    return max(code, kept.code)


def reconcile(
    *,
    access_token_file: Annotated[
        str | None,
        Parameter(
            help="Where the user's access token is, not the key; - reads it from stdin. Else SUNO_ACCESS_TOKEN.",
            metavar="FILE",
        ),
    ] = None,
    user_id: Annotated[int | None, Parameter(help="The number of the user whose access token it is.")] = None,
    exclusive_key: Annotated[
        bool, Parameter(help="Nobody else submits with this account, here or elsewhere.", show_default=False)
    ] = False,
    as_json: Json = False,
    options: Journaled = JOURNALED,
) -> int:
    """Ask the gateway's accounts what became of the submissions of which nobody can tell. Nothing is submitted."""
    token = _access_token(access_token_file)
    if token is None and user_id is not None:
        raise UsageError("--user-id needs the user's access token beside it: --access-token-file, or SUNO_ACCESS_TOKEN")
    if token is not None and user_id is None:
        raise UsageError("an access token, of --access-token-file or SUNO_ACCESS_TOKEN, needs --user-id beside it")
    kept = _kept(options)
    if exclusive_key and (kept.in_use or kept.code != DONE):
        raise UsageError("--exclusive-key cannot be: not every journal here can be read, so others may submit")
    unknown = [intent.gateway for intent, _ in kept.intents() if intent.state in UNDECIDED]
    _tell_left_out(unknown, "submissions of which nobody can tell", kept, options)
    with together(kept.files) as path:

        async def ask() -> list[Verdict]:
            async with open_suno(options, journal=path) as suno:
                if not await suno.unknown():
                    return []
                return await suno.reconcile(access_token=token, user_id=user_id, exclusive_key=exclusive_key)

        verdicts = run(ask)
    return _told(verdicts, kept, as_json=as_json)


def _kept(options: Journaled) -> Kept:
    return read_all(named(options.journal, options.config))


def _tell_left_out(gateways: list[str], what: str, kept: Kept, options: Journaled) -> None:
    """What a command about one gateway does not reach; or that there is nothing for it at any."""
    if not gateways:
        tell_nothing(kept, named(options.journal, options.config))
        return
    here = gateway_of(options)
    others = Counter(gateway for gateway in gateways if gateway != here)
    if others:
        told = ", ".join(f"{count} at {gateway}" for gateway, count in sorted(others.items()))
        say(f"{what} of other gateways than {here} are left out: {told}; --base-url names another one")


def _access_token(file: str | None) -> str | None:
    """Never from the command line itself, which every user of the machine can see."""
    if file is None:
        return os.environ.get("SUNO_ACCESS_TOKEN") or None
    return read_text(file if file == STDIN else f"@{file}").strip()


def _told(verdicts: list[Verdict], kept: Kept, *, as_json: bool) -> int:
    """The exit code: what is not known is a 6, what is paid for and lost a 1."""
    own = {intent.intent_id: (intent, path) for intent, path in kept.intents()}
    for verdict in verdicts:
        intent, path = own[verdict.intent.intent_id]
        if as_json:
            record = entry_record(Entry(intent, None, path))
            found = {"finding": verdict.finding.value, "task_id": verdict.task_id, "evidence": verdict.evidence}
            print_json({**found, **{name: value for name, value in record.items() if name not in found}})
        else:
            task = f" as {clean(verdict.task_id)}" if verdict.task_id is not None else ""
            print(f"{intent.intent_id}  {verdict.finding.value}{task}  {gist(intent)}: {clean(verdict.evidence)}")
    if any(verdict.finding is Finding.ADOPTED for verdict in verdicts):
        say("what was adopted can be waited for: suno-async journal resume")
    return max([kept.code, *(_CODES.get(verdict.finding, DONE) for verdict in verdicts)])
