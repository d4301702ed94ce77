"""The commands of the journal that need no gateway: list, open, unknown, forget."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from ...engine.journal import Store
from ...protocol.errors import JournalError
from .contents import UNDECIDED, Kept, read_all, tell_unread
from .entries import Entry, as_known, entries_of, entry_record, entry_row, lines_about
from .exits import CONFIGURATION, DONE, FAILED
from .journals import all_files, named
from .looking import Json
from .records import print_json
from .recovering import reconcile, resume
from .tables import print_table
from .words import read_ids, say

LISTED = ("when", "action", "state", "what", "task_id", "intent_id", "idempotency_key", "gateway")
WAITED_FOR = ("age", "action", "what", "task_id", "intent_id", "gateway")


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Which:
    """Which journals are meant."""

    journal: Annotated[
        str | None, Parameter(help="This journal only, not all of your own that no process uses.", metavar="PATH")
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
    return _shown(kept, list(entries_of(kept)), LISTED, as_json=as_json)


@journal.command(name="open")
def open_(*, as_json: Json = False, which: Which = ALL) -> int:
    """The tasks that are not known to have ended."""
    kept = read_all(which.setting)
    return _shown(kept, [entry for entry in entries_of(kept) if entry.open], WAITED_FOR, as_json=as_json)


@journal.command
def unknown(*, as_json: Json = False, which: Which = ALL) -> int:
    """The submissions of which nobody can tell what came of them, and what to do."""
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
    return kept.code


def _shown(kept: Kept, entries: list[Entry], columns: tuple[str, ...], *, as_json: bool) -> int:
    if as_json:
        for entry in entries:
            print_json(entry_record(entry))
    elif entries:
        print_table(columns, [entry_row(entry) for entry in entries])
    return kept.code


@journal.command
def forget(
    *ids: Annotated[str, Parameter(help="Intent ids or task ids; - reads them from stdin, one a line.")],
    as_json: Json = False,
    which: Which = ALL,
) -> int:
    """Take submissions and tasks out of the journals. What the gateway has is not touched."""
    names = read_ids(ids)
    counts, code = dict.fromkeys(names, 0), DONE
    for path in all_files(which.setting):
        try:
            for name, count in zip(names, _forgotten(path, names), strict=True):
                counts[name] += count
        except JournalError as error:
            tell_unread(path, error)
            code = CONFIGURATION
    for name, count in counts.items():
        if as_json:
            print_json({"id": name, "forgotten": count})
        elif not count:
            say(f"{name} is in no journal")
    if not as_json:
        print(f"{sum(counts.values())} forgotten")
    return code if any(counts.values()) else max(code, FAILED)


def _forgotten(path: Path, names: list[str]) -> list[int]:
    """How many entries went, of each name."""
    store = Store(path)
    try:
        return store.commit([partial(Store.forget, name=name) for name in names])
    finally:
        store.close()
