"""The life of one wait: what each answer means for it. `observe(look, now)` says go on, settled or failed.

An answer is evidence, not truth. What makes an id end: SUCCESS with everything there, FAILURE, a row that is frozen
with a reason, SUCCESS that stays incomplete for ten minutes, or an id that stays unknown. Everything else goes on.
"""

from collections.abc import Iterable, Mapping

import msgspec

from .agenda import NOWHERE
from .dialects import has_made
from .durations import Event
from .errors import SunoError, TaskNotFound
from .look import Look
from .models import FAILURE, SUCCESS, Task

SUBMITTED_GRACE = 120.0
"""new-api answers a submission before it inserts the row, so the id may be unknown for a moment (or for ever)."""
_SUBMITTED_LOOKS = 5
_STRANGE_LOOKS, _STRANGE_SECONDS = 3, 10.0
_VANISHED_LOOKS, _VANISHED_SECONDS = 10, 600.0
_FROZEN_LOOKS, _FROZEN_SECONDS = 3, 60.0
_INCOMPLETE_SECONDS = 600.0


class Again(msgspec.Struct, frozen=True, gc=False):
    """Look again when the pace says so, or ``within`` so many seconds if that is sooner."""

    within: float | None = None


class Settled(msgspec.Struct, frozen=True, gc=False):
    """The task is final."""

    task: Task


class Failed(msgspec.Struct, frozen=True):
    """The wait is over without a final task."""

    error: SunoError


AGAIN = Again()
_SOON = Again(within=5.0)
_ROUND = Again(within=15.0)
"""A gateway refreshes its rows every 15 s (new-api service/task_polling.go)."""


class Life(msgspec.Struct, gc=False, eq=False, kw_only=True):
    """One task from first look to last. A record of this size is all that a waiting id costs."""

    # first what every look needs: where a million ids wait, a look costs about as much as the memory it touches
    task_id: str
    gone: bool = False
    """Nobody waits for it any more."""
    slot: int = NOWHERE
    """Where it stands in the agenda; nowhere while it is looked at."""
    alone: bool = False
    """Ask for it by itself: it spoiled a batch, or its absence has to be confirmed."""
    looks: int = 0
    looked: float = float("-inf")
    mark: int | None = None
    """The mark of the last look; None while it was never seen."""
    steady: bool = False
    """The same look once more would change nothing, and nobody wants to be told of it."""
    missed: int = 0
    kind: str = ""
    """Its action, and after a slash its model, where they are known, for the pace."""
    incomplete_since: float | None = None
    keeps: bool = False
    """Somebody wants to see the task on its way, so the last look is kept."""
    hears: bool = False
    """Somebody wants to be told of every look."""
    faults: int = 0
    """Single looks in a row that told nothing, while other ids had their answers."""
    last: Look | None = None
    since: float = 0.0
    """When it was first seen as it is."""
    frozen: int = 0
    """Looks in a row at the same frozen row."""
    born: float
    """Loop time of its submission, or of the first time it was asked for."""
    ours: bool = False
    """This client submitted it."""
    event: Event = Event.END
    """The first thing that somebody waits for."""
    dated: bool = False
    """``born`` is when it was submitted."""
    queued: bool = False
    """It had not begun when it was last seen."""
    failed: float = float("-inf")
    """When the last of its faults was."""
    wanted: float = 0.0
    """Looks a second that it would have, where a budget has to be shared."""
    missed_since: float = 0.0

    @property
    def seen(self) -> bool:
        """The gateway has told about it at least once."""
        return self.mark is not None

    def last_task(self) -> Task | None:
        """The task as it was last seen, if somebody wanted it kept."""
        return self.last.task() if self.last is not None else None

    def want(self, *, sees: bool, hears: bool) -> None:
        """One more waits for it, who wants to see it on its way, or to be told of every look."""
        self.keeps, self.hears, self.steady = self.keeps or sees, self.hears or hears, False

    def leave(self) -> None:
        """Nobody waits for it any more: it is not looked at, and what was last seen of it is of no use."""
        self.gone, self.slot, self.steady = True, NOWHERE, False
        self._keep(None)

    def observe(self, look: Look, now: float) -> Again | Settled:
        """What a look says: SUCCESS and FAILURE end it once they are whole, everything else goes on."""
        self.looks += 1
        self.looked = now
        if self.steady and look.mark == self.mark:
            return AGAIN
        if self.missed or self.alone:
            # the gateway has answered for it: what was in the way before is over
            self.missed, self.alone, self.faults = 0, False, 0
        if not self.kind:
            self.kind = look.action
        changed = look.mark != self.mark
        if changed:
            self.mark, self.since, self.frozen, self.steady = look.mark, now, 0, False
        status = look.status
        if status is FAILURE:
            return Settled(look.task())
        if status is SUCCESS:
            return self._succeed(look, now)
        if self.incomplete_since is not None and self.last is not None:
            # SUCCESS was seen and stays seen, whatever the row says now; what it lacked may still come
            return self._unless_over(self.last.task(), self.incomplete_since, now)
        if look.frozen:
            return self._freeze(look, now)
        if changed or (self.keeps and self.last is None):
            # else who comes later would be told what is no longer so
            self._keep(look if self.keeps else None)
        # a row that does not tell what it is may tell it later, without another change
        self.steady = self.kind != "" and not self.hears
        return AGAIN

    def _keep(self, look: Look | None) -> None:
        """From now on this is what was last seen."""
        if self.last is not None:
            self.last.keepers -= 1
        self.last = None if look is None else look.kept()

    def _succeed(self, look: Look, now: float) -> Again | Settled:
        task = look.task()
        if is_whole(task):
            return Settled(task)
        if self.incomplete_since is None:
            self.incomplete_since = now
        self._keep(look)
        return self._unless_over(task, self.incomplete_since, now)

    def _unless_over(self, task: Task, since: float, now: float) -> Again | Settled:
        return Settled(task) if now - since >= _INCOMPLETE_SECONDS else _ROUND

    def _freeze(self, look: Look, now: float) -> Again | Settled:
        """A reason, 100 % and no FAILURE: new-api refunds such a row and never looks at it again."""
        self.frozen += 1
        if self.frozen >= _FROZEN_LOOKS and now - self.since >= _FROZEN_SECONDS:
            return Settled(msgspec.structs.replace(look.task(), status=FAILURE, inferred=True))
        self._keep(look if self.keeps else None)
        return Again(within=_FROZEN_SECONDS / 2)

    def miss(self, now: float, *, single: bool) -> Again | Settled | Failed:
        """The gateway does not know the id, or left it out of a batch; only a single look can end a wait."""
        self.looks += 1
        self.looked = now
        self.steady = False
        if self.missed == 0:
            self.missed_since = now
        self.missed += 1
        if not self._is_gone(now):
            return _SOON if not self.seen else _ROUND
        if not single:
            self.alone = True
            return Again(within=0.0)
        last = self.last_task()
        if self.incomplete_since is not None and last is not None:
            # it has succeeded: what the gateway forgets afterwards does not undo that
            return Settled(last)
        said = "any more" if self.seen else f"after {self.missed} looks"
        message = f"the gateway does not know task {self.task_id} {said}"
        return Failed(TaskNotFound(message, task_id=self.task_id, task_ids=(self.task_id,), last_seen=last))

    def _is_gone(self, now: float) -> bool:
        absent = now - self.missed_since
        if self.seen:
            return self.missed >= _VANISHED_LOOKS and absent >= _VANISHED_SECONDS
        if self.ours and now - self.born < SUBMITTED_GRACE:
            return False
        if self.ours:
            return self.missed >= _SUBMITTED_LOOKS
        return self.missed >= _STRANGE_LOOKS and absent >= _STRANGE_SECONDS


def news(lives: Iterable[Life], looks: Mapping[str, Look], now: float) -> list[Life]:
    """The lives of which these looks may say something new; of the others it is noted that they were looked at."""
    found = []
    for life in lives:
        if life.steady:
            look = looks.get(life.task_id)
            if look is not None and look.mark == life.mark:
                life.looks += 1
                life.looked = now
                continue
        found.append(life)
    return found


def is_whole(task: Task) -> bool:
    """True if a succeeded task has what it promises: an address for each song not in error, or its words.

    Other things that a gateway serves in the same envelope are whole if there is anything of them at all.
    """
    if task.songs:
        return all(song.audio_url or song.broken for song in task.songs)
    if task.lyrics is not None:
        return True
    raw = task.raw
    return isinstance(raw, dict) and has_made(raw)
