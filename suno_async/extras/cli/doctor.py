"""The doctor: why tasks are looked at when they are, out of what the journals have kept. It asks no gateway."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec
from cyclopts import Parameter

from ...engine.journal import Store
from ...protocol.errors import JournalError
from ...protocol.experience import Experience, unpacked
from ...protocol.explanation import explain, figures
from .configuration import Options, check_said, gateway_of, read_settings
from .contents import tell_unread
from .exits import CONFIGURATION, DONE
from .journals import all_files, named, owner
from .looking import Json
from .records import print_json
from .words import clean, say

_TAUGHT = ("LYRICS", "MUSIC")
"""The kinds of which something is known before they are seen."""
_TOLD = 10


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Whose:
    """Which gateway is meant, and which journals."""

    base_url: Annotated[
        str | None,
        Parameter(
            help="The gateway; where none is known, all that the journals have learned of.", validator=check_said
        ),
    ] = None
    journal: Annotated[
        str | None,
        Parameter(
            help="This journal only, not all of your own that no process uses.", metavar="PATH", validator=check_said
        ),
    ] = None
    config: Annotated[Path | None, Parameter(help="The TOML file to read instead of ./suno.toml.")] = None

    @property
    def gateway(self) -> str | None:
        """Its address as journals have it; None where nobody names one."""
        told = (self.base_url or os.environ.get("SUNO_BASE_URL") or "").strip()
        if not told and not read_settings(self.config).base_url:
            return None
        # nothing is sent there
        return gateway_of(Options(base_url=self.base_url, config=self.config, allow_insecure=True))


class Lesson(NamedTuple):
    """What one journal has learned of a gateway."""

    seen: int
    path: Path
    experience: Experience


ALL = Whose()


def doctor(
    *,
    kind: Annotated[str, Parameter(help="The kind of task that is looked at, such as LYRICS.")] = "MUSIC",
    as_json: Json = False,
    whose: Whose = ALL,
) -> int:
    """See how long tasks took, when a new one is looked at because of that, and what that costs. Sends nothing."""
    gateway, code = whose.gateway, DONE
    learned: dict[str, Lesson] = {}
    setting = named(whose.journal, whose.config)
    for path in all_files(setting):
        try:
            _add(learned, path, gateway)
        except JournalError as error:
            tell_unread(path, error)
            # one that was named is all there is to tell
            code = CONFIGURATION if owner(error) is None or setting is not None else code
    if not learned:
        say(f"nothing has been learned{f' of {gateway}' if gateway else ''} yet: this is what is known before")
        _tell(gateway, None, kind, as_json=as_json)
    for name, lesson in sorted(learned.items()):
        _tell(name, lesson, kind, as_json=as_json)
    return code


def _add(learned: dict[str, Lesson], path: Path, gateway: str | None) -> None:
    """Takes in one journal: of what several have learned of a gateway, that counts which comes from most tasks.

    They are not added up, since each client goes on from its own journal.
    """
    store = Store(path)
    try:
        names = {gateway} if gateway else _gateways(store)
        found = {name: unpacked(store.learned(name)) for name in names}
    finally:
        store.close()
    for name, experience in found.items():
        seen = sum(histogram.seen for histogram in experience.durations.values())
        if experience != Experience() and (name not in learned or learned[name].seen < seen):
            learned[name] = Lesson(seen, path, experience)


def _gateways(store: Store) -> set[str]:
    return {row[0] for row in store.tasks()} | {intent.gateway for intent in store.intents()}


def _tell(gateway: str | None, lesson: Lesson | None, kind: str, *, as_json: bool) -> None:
    experience = lesson.experience if lesson else Experience()
    # gateways write actions like that
    action, slash, model = kind.partition("/")
    kind = action.upper() + slash + model
    known = sorted({*_TAUGHT, *(name.partition(":")[2] for name in experience.durations)} - {""})
    if kind and kind not in known:
        say(f"of the kind {kind} nothing is known by itself; of these there is: {', '.join(known[:_TOLD])}")
    if as_json:
        told = figures(experience, kind=kind)
        journal = str(lesson.path) if lesson else None
        print_json({"gateway": gateway, "journal": journal, **msgspec.to_builtins(told)})
        return
    if lesson:
        print(clean(f"{gateway}, as {lesson.path.name} has learned it"), end="\n\n")
    print(explain(experience, kind=kind))
