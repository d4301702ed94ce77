"""The commands of the journal that need no gateway: list, open, unknown, forget."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from ...engine.journal import Store
from ...protocol.errors import JournalError
from .configuration import check_said
from .contents import UNDECIDED, Kept, read_all, tell_nothing, tell_unread
from .entries import Entry, as_known, entries_of, entry_record, entry_row, lines_about
from .exits import CONFIGURATION, DONE, FAILED
from .journals import all_files, named
from .looking import Json
from .records import print_json
from .recovering import reconcile, resume
from .running import are_many
from .tables import print_table
from .words import read_ids, say

LISTED = ("when", "action", "state", "what", "task_id", "intent_id", "idempotency_key", "gateway")
WAITED_FOR = ("age", "action", "what", "task_id", "intent_id", "gateway")


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Which:
    """Which journals are meant."""

    journal: Annotated[
        str | None,
        Parameter(
            help="This journal only, not all of your own that no process uses.", metavar="PATH", validator=check_said
        ),
    ] = None
    config: Annotated[Path | None, Parameter(help="The TOML file to read instead of ./suno.toml.")] = None

    @property
    def setting(self) -> str | None:
        """The one that was named; None for all."""
        return named(self.journal, self.config)


ALL = Which()
journal = App(name="journal", help="What was submitted and waited for, also by what has crashed.")
journal.command(resume)
journal.command(reconcile)


@journal.command(name="list")
def list_(*, as_json: Json = False, which: Which = ALL) -> int:
    """Everything that is kept: submissions, and tasks that were waited for."""
    kept = read_all(which.setting)
    return _shown(kept, list(entries_of(kept)), LISTED, which, as_json=as_json)


@journal.command(name="open")
def open_(*, as_json: Json = False, which: Which = ALL) -> int:
    """The tasks that are not known to have ended."""
    kept = read_all(which.setting)
    return _shown(kept, [entry for entry in entries_of(kept) if entry.open], WAITED_FOR, which, as_json=as_json)


@journal.command
def unknown(*, as_json: Json = False, which: Which = ALL) -> int:
    """The submissions of which nobody can tell what came of them, and what to do: a 0, also with some."""
    kept = read_all(which.setting)
    found = [(as_known(intent), path) for intent, path in kept.intents() if intent.state in UNDECIDED]
    for intent, path in found:
        if as_json:
            print_json(entry_record(Entry(intent, None, path)))
        else:
            print(*lines_about(intent), sep="\n")
    if found:
        say(
            "ask the gateway's accounts with suno-async journal reconcile, or look at its own list of tasks; once you"
            " know: suno-async journal forget ID. None is ever sent again on its own"
        )
    else:
        tell_nothing(kept, which.setting)
    return kept.code


def _shown(kept: Kept, entries: list[Entry], columns: tuple[str, ...], which: Which, *, as_json: bool) -> int:
    if not entries:
        tell_nothing(kept, which.setting)
    elif as_json:
        for entry in entries:
            print_json(entry_record(entry))
    else:
        print_table(columns, [entry_row(entry) for entry in entries])
    return kept.code


@journal.command
def forget(
    *ids: Annotated[str, Parameter(help="Intent ids or task ids; - reads them from stdin, one a line.")],
    as_json: Json = False,
    which: Which = ALL,
) -> int:
    """Take submissions and tasks out of the journals. What the gateway has is not touched.

    A task's id ends the waiting for it; that it was submitted stays in the list, and its idempotency key in use, until
    the intent id is forgotten. With an intent id the key is free: used again, it is charged again.
    """
    names = read_ids(ids)
    counts, code = dict.fromkeys(names, 0), DONE
    left: dict[str, str] = {}
    for path in all_files(which.setting):
        try:
            forgotten, submitted = _forgotten(path, names)
        except JournalError as error:
            tell_unread(path, error)
            code = CONFIGURATION
            continue
        for name, count in zip(names, forgotten, strict=True):
            counts[name] += count
        left |= submitted
    for name, count in counts.items():
        if as_json:
            print_json({"id": name, "forgotten": count})
        elif not count:
            say(f"{name} is in no journal")
    if not as_json:
        print(f"{sum(counts.values())} forgotten")
    _tell_submitted([intent_id for intent_id, task_id in left.items() if counts[task_id]])
    return code if all(counts.values()) else max(code, FAILED)


def _forgotten(path: Path, names: list[str]) -> tuple[list[int], dict[str, str]]:
    """How many entries went, of each name; and the submissions that are left, with those that name their tasks."""
    store, wanted = Store(path), set(names)
    try:
        counts = store.commit([partial(Store.forget, name=name) for name in names])
        intents = store.intents()
    finally:
        store.close()
    return counts, {intent.intent_id: intent.task_id for intent in intents if intent.task_id in wanted}


def _tell_submitted(intent_ids: list[str]) -> None:
    if intent_ids:
        which = "" if are_many(intent_ids) else f": {' '.join(intent_ids)}"
        say(f"that it was submitted stays in the list, until it is forgotten by its intent id as well{which}")
