"""The ledger: what the gateway saw of one client, look by look, and the rules that it must have kept.

It knows who waits for which id from those who wait, and what was told from the gateway; nothing of the engine. Its
shadows of the gate and of each id's life are lower bounds: what they forbid, the rules forbid, whatever the dice.
"""

from collections.abc import Callable, Sequence

from suno_async.protocol.errors import (
    ClientClosed,
    ConfigurationError,
    QuotaExceeded,
    SunoError,
    TaskFailed,
    TaskNotFound,
    Unauthorized,
    WaitTimeout,
)
from suno_async.protocol.models import Status, Task
from suno_async.protocol.pace import Adaptive, Pace

from .rows import FROZEN, HOLLOW, WHOLE, State
from .weather import ELSEWHERE, FOREIGN, KEY, LIMITED, NAMELESS, NO_NEWS, OUTAGE, REJECTED, Reply

EPSILON = 1e-5
_REFUSAL_SECONDS = 3.0
_REFUSALS_APART, _REFUSALS_WITHIN = 2.0, 600.0
_GRACE = 120.0

Report = Callable[[str, str], None]


class Epoch:
    """One life of an id: from the first who waits for it to its end, or to the last who leaves."""

    def __init__(self, task_id: str, now: float) -> None:
        self.task_id = task_id
        self.opened = self.active = self.born = now
        self.closed: float | None = None
        self.interests: list[Interest] = []
        self.ours = False
        self.kind = ""
        self.looks = 0
        self.due = self.soonest = now
        """Not due before; not even as a rider before."""
        self.confirms = False
        """It may be asked for by itself before it is due: its absence has to be confirmed."""
        self.flying = False
        self.seen = self.over = self.doubtful = False
        self.glances = 0
        self.state: State | None = None
        self.same = 0
        self.since = 0.0
        self.missed = 0
        self.missed_since = 0.0
        self.incomplete: State | None = None
        self.incomplete_since = 0.0
        self.spent = self.stuck = self.gone = self.stopped = False
        """SUCCESS without its songs for long enough; a frozen row; a row that is not there: each an end."""
        self.final: tuple[float, State] | None = None
        self.older: Epoch | None = None
        """One that may have ended unseen, or be this one."""
        self.perhaps: list[State] = []
        """Told on a connection of which nobody can say whose answers it bears."""

    def lives(self) -> "list[Epoch]":
        """This one, and those that may be the same."""
        found, epoch = [self], self.older
        while epoch is not None:
            if epoch.closed is None:
                found.append(epoch)
            epoch = epoch.older
        return found

    def bounds(self) -> tuple[bool, float, float]:
        """``confirms``, ``due`` and ``soonest`` of the one of its lives that allows most."""
        if self.older is None:
            return self.confirms, self.due, self.soonest
        lives = self.lives()
        confirms = any(each.confirms for each in lives)
        return confirms, min(each.due for each in lives), min(each.soonest for each in lives)


class Interest:
    """One caller's wish to know one id."""

    __slots__ = ("epoch", "expected", "glances", "opened", "playable", "prompt", "seen")

    def __init__(self, epoch: Epoch, now: float, *, playable: bool, glances: bool, prompt: bool) -> None:
        self.prompt = prompt
        """It hears of its end at once; a stream may read later."""
        self.epoch = epoch
        self.opened = now
        self.playable = playable
        self.glances = glances
        self.expected: tuple[float, State] | None = None
        """What ends it, and when it was told."""
        self.seen: State | None = None


class Look:
    """One look on its way."""

    __slots__ = ("at", "epochs", "fetch", "fresh", "ids", "number", "probe", "single")

    def __init__(self, number: int, at: float, ids: Sequence[str], *, single: bool, fetch: bool) -> None:
        self.number = number
        self.at = at
        self.ids = ids
        self.single = single
        self.fetch = fetch
        self.probe = self.fresh = False
        self.epochs: list[Epoch] = []


class Shadow:
    """What is certain of the client's gate."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self.failures = 0
        self.closed_at: float | None = None
        self.not_before = 0.0
        self.probing = False
        self.vague = False
        """It may be closed although nothing is certain of that."""

    def begin(self, at: float) -> bool:
        """A look leaves; True if it is a probe."""
        if self.closed_at is None or at <= self.closed_at:
            return False
        if at + EPSILON < self.not_before:
            self._report("gate", f"a look left {self.not_before - at:.3f} s before the pause was over")
        if self.probing:
            self._report("gate", "a look left while a probe was out")
        self.probing = True
        return True

    def ended(self, *, probe: bool) -> None:
        """A look came home, whatever it brought."""
        if probe:
            self.probing = False

    def failed(self, now: float, *, limited: bool, retry_after: float) -> None:
        """An answer that certainly counts as a failure."""
        if self.closed_at is not None and not self.probing:
            self.not_before = max(self.not_before, now + retry_after)
            return
        self.failures += 1
        self.probing = False
        if limited or self.failures >= 3:
            self.closed_at = now
            self.not_before = now + retry_after
            self.vague = False

    def doubted(self) -> None:
        """An answer that may count as a failure: then the way is free for another probe, after a pause."""
        self.probing = False
        self.vague = True

    def passed(self, now: float) -> None:
        """An answer that opens it, unless it left before it closed and came back within the pause."""
        if self.closed_at is not None and not self.probing:
            if now < self.not_before:
                return
            # the pause may be longer than what is known of it
            self.vague = True
        self.failures = 0
        self.closed_at = None
        self.probing = False

    def held(self, now: float) -> None:
        """The key was refused: nothing leaves for a while, unless the end of a pause was set before."""
        self.passed(now)
        if self.closed_at is None and not self.vague:
            self.closed_at = now
            self.not_before = now + _REFUSAL_SECONDS
            self.failures = 1


class Refusals:
    """The key was refused, and again."""

    def __init__(self) -> None:
        self.at: float | None = None
        """The first time, since somebody was answered."""

    def again(self, now: float) -> bool:
        """Refused; True if that is to be believed."""
        if self.at is None or now - self.at > _REFUSALS_WITHIN:
            self.at = now
        return now - self.at >= _REFUSALS_APART


class Session:
    """One client, from its opening to its end."""

    def __init__(
        self,
        report: Report,
        *,
        pace: Pace,
        slots: int,
        posts: int,
        rate: float | None,
        share: float,
        starving: float,
        calm: float,
        fetched: set[str],
        renewable: bool,
    ) -> None:
        self._report = report
        self._pace = pace
        self._slots = slots
        self._posts = posts
        self._rate = rate
        self._share = share
        self._starving = starving
        self._calm = calm
        """From then on nothing of the bad weather is left."""
        self._fetched = fetched
        self._renewable = renewable
        self._epochs: dict[str, Epoch] = {}
        self._submitted: dict[str, tuple[float, str]] = {}
        self._arrival = float("-inf")
        self._refused_perhaps, self._refused_surely = Refusals(), Refusals()
        """A refusal of one id may be its own affair."""
        self._readable = False
        self.shadow = Shadow(report)
        self.flying = 0
        self.looks = self.looked = self.allowed = self.fetches = 0
        self.requests_due = 0.0
        self._stops_surely = True
        self._stopping: float | None = None
        """When all waits have been ended at once, unless there was another key."""
        self._stops: list[tuple[float, str]] = []
        self.closing: float | None = None
        self.over: float | None = None

    # who waits

    def accepted(self, task_id: str, action: str, now: float) -> None:
        """A submission was accepted: whoever gives out a task is a gateway, and its pages are trouble from then on."""
        self._readable = True
        self.submitted(task_id, action, now)

    def submitted(self, task_id: str, action: str, now: float) -> None:
        """The client knows when a task was submitted, now or by a process before it."""
        self._submitted[task_id] = (now, action)

    def open(
        self, task_id: str, now: float, *, playable: bool = False, glances: bool = False, prompt: bool = False
    ) -> Interest:
        """Somebody begins to wait for an id."""
        self._settle(now)
        epoch = self._epochs.get(task_id)
        if epoch is None or epoch.final is not None or not epoch.interests or self._is_doubtful(epoch):
            older = epoch
            epoch = self._epochs[task_id] = Epoch(task_id, now)
            epoch.older = older if older is not None and older.closed is None and not older.stopped else None
            known = self._submitted.get(task_id)
            if known is not None:
                epoch.born, epoch.kind = known
                epoch.ours = now - epoch.born < _GRACE
                epoch.due = max(now, epoch.born + self._after(epoch, epoch.born))
                epoch.soonest = epoch.born + self._pace.floor
        interest = Interest(epoch, now, playable=playable, glances=glances, prompt=prompt)
        epoch.interests.append(interest)
        if glances:
            epoch.glances += 1
            self.requests_due += 1
            epoch.due = epoch.soonest = now
        return interest

    def _is_doubtful(self, epoch: Epoch) -> bool:
        """True if it may have ended, and nobody is left who would have heard of it at once."""
        return epoch.stopped or (epoch.over and not any(interest.prompt for interest in epoch.interests))

    def leave(self, interest: Interest, now: float) -> None:
        """Somebody does not wait any more."""
        epoch = interest.epoch
        if interest not in epoch.interests:
            return
        epoch.interests.remove(interest)
        epoch.glances -= interest.glances
        if not epoch.interests and epoch.closed is None:
            epoch.closed = now
            self._starve(epoch, now)
            self.requests_due += (now - epoch.opened) / self._pace.floor + 2

    def _after(self, epoch: Epoch, now: float) -> float:
        """The least the pace can give from now on."""
        if isinstance(self._pace, Adaptive):
            # what it has learned by then cannot be seen from here
            return self._pace.floor
        return self._pace.after(now - epoch.born, epoch.looks, 1.0, self._share, epoch.kind)

    # looks

    def begin(self, number: int, at: float, ids: Sequence[str], *, single: bool) -> Look:
        """A look has left the client."""
        self._settle(at)
        fetch = single and ids[0] in self._fetched
        look = Look(number, at, ids, single=single, fetch=fetch)
        self.flying += 1
        self.looks += 1
        self.fetches += fetch
        self.looked += len(ids)
        if self.flying > self._slots:
            self._report("I3", f"{self.flying} looks in flight, {self._slots} are allowed")
        if self.over is not None:
            self._report("I6", "a look left after the client was closed")
        self.spend(at)
        look.probe = self.shadow.begin(at)
        if not fetch:
            self._check_due(look)
        return look

    def post(self, at: float, flying: int) -> None:
        """A submission has left the client, or has tried to."""
        if flying > self._posts:
            self._report("I3", f"{flying} submissions in flight, {self._posts} are allowed")
        if self.over is not None:
            self._report("I6", "a submission left after the client was closed")
        self.spend(at)

    def spend(self, at: float) -> None:
        """One more request; GCRA, as the budget promises: at most the rate in any window, after a burst of one."""
        if self._rate is None:
            return
        if at + EPSILON < self._arrival:
            self._report("I4", f"a request {self._arrival - at:.4f} s too early for {self._rate:g} a second")
        self._arrival = max(self._arrival, at) + 1 / self._rate

    def _check_due(self, look: Look) -> None:
        at = look.at
        due = False
        if len(set(look.ids)) < len(look.ids):
            self._report("I5", "an id twice in one look")
        for task_id in look.ids:
            epoch = self._epochs.get(task_id)
            if epoch is None or (epoch.closed is not None and epoch.closed < at):
                self._report("I2", f"a look at {task_id}, for which nobody waits since {epoch and epoch.closed}")
                continue
            look.epochs.append(epoch)
            if epoch.final is not None and epoch.final[0] < at:
                self._report("I2", f"a look at {task_id} after its final record")
            if epoch.flying:
                self._report("I5", f"two looks at {task_id} at once")
            self._starve(epoch, at)
            epoch.flying = True
            confirms, due_at, soonest = epoch.bounds()
            if (look.single and confirms) or at + EPSILON >= due_at:
                due = True
            elif at + EPSILON < soonest:
                self._report("I5", f"{task_id} rides along {soonest - at:.6f} s before the floor is over")
        if not due:
            soonest = min((epoch.due for epoch in look.epochs), default=at)
            self._report("I5", f"nothing of {look.ids[:3]} is due, {soonest - at:.3f} s too early")

    def _starve(self, epoch: Epoch, now: float) -> None:
        if now - epoch.active <= self._starving:
            return
        waited = now - max(epoch.active, self._calm)
        if waited > self._starving and epoch.final is None and not epoch.flying and not epoch.over:
            self._report("I13", f"{epoch.task_id} was left alone for {waited:.1f} s")

    def _landed(self, look: Look, now: float) -> None:
        self.flying -= 1
        for epoch in look.epochs:
            epoch.flying = False
            epoch.active = now

    def lost(self, look: Look, now: float, *, timed_out: bool = False) -> None:
        """The client has given a look up."""
        self._landed(look, now)
        for epoch in look.epochs:
            self._free(epoch, now)
        self.allowed += len(look.ids)
        if timed_out:
            self._fails(look, now, limited=False, retry_after=0.0)
        self.shadow.ended(probe=look.probe)

    def told(self, look: Look, now: float, states: dict[str, State]) -> None:
        """An answer about tasks has reached the client."""
        self._landed(look, now)
        self._readable = True
        if states or not look.fetch:
            self._forget_refusals()
        self.shadow.passed(now)
        self.shadow.ended(probe=look.probe)
        for newest in look.epochs:
            for epoch in newest.lives():
                if epoch.closed is None:
                    self._answered(epoch, states.get(epoch.task_id), now, single=look.single)

    def _answered(self, epoch: Epoch, found: State | None, now: float, *, single: bool) -> None:
        if found is not None:
            self._sighted(epoch, found, now)
        else:
            self._missed(epoch, now, single=single)
        if epoch.glances:
            # one look is all they want
            for interest in [each for each in epoch.interests if each.glances]:
                self.leave(interest, now)

    def _sighted(self, epoch: Epoch, found: State, now: float) -> None:
        epoch.looks += 1
        epoch.missed = 0
        epoch.seen = True
        epoch.confirms = epoch.doubtful = False
        epoch.kind = epoch.kind or found.action
        if epoch.state is not None and epoch.state.mark == found.mark:
            epoch.same += 1
        else:
            epoch.state, epoch.same, epoch.since = found, 1, now
        for interest in epoch.interests:
            interest.seen = found
        if found.meaning == WHOLE:
            self._finish(epoch, found, now)
            return
        within = self._ripen(epoch, found, now)
        if found.playable:
            for interest in epoch.interests:
                if interest.playable and interest.expected is None:
                    interest.expected = (now, found)
        self._again(epoch, now, within)

    def _ripen(self, epoch: Epoch, found: State, now: float) -> float | None:
        """What is not the end, but is if it stays like that; within how many seconds it is looked at again."""
        if found.meaning == HOLLOW:
            if epoch.incomplete is None:
                epoch.incomplete_since = now
            epoch.incomplete = found
        if epoch.incomplete is not None:
            epoch.spent = now - epoch.incomplete_since >= 600.0 - EPSILON
            epoch.over = epoch.over or epoch.spent
            return 15.0
        if found.meaning == FROZEN:
            epoch.stuck = epoch.same >= 3 and now - epoch.since >= 60.0 - EPSILON
            epoch.over = epoch.over or epoch.stuck
            return 30.0
        return None

    def _finish(self, epoch: Epoch, found: State, now: float) -> None:
        epoch.final = (now, found)
        epoch.closed = now
        self.requests_due += (now - epoch.opened) / self._pace.floor + 2
        for interest in epoch.interests:
            interest.expected = interest.expected or (now, found)

    def _missed(self, epoch: Epoch, now: float, *, single: bool) -> None:
        epoch.looks += 1
        if epoch.missed == 0:
            epoch.missed_since = now
        epoch.missed += 1
        gone = self._is_gone(epoch, now)
        if gone and single:
            epoch.over = epoch.gone = True
            epoch.spent = epoch.spent or epoch.incomplete is not None
        epoch.confirms = gone
        epoch.doubtful = epoch.doubtful or gone
        self._again(epoch, now, 15.0 if epoch.seen else 5.0)

    def _is_gone(self, epoch: Epoch, now: float) -> bool:
        absent = now - epoch.missed_since + EPSILON
        if epoch.seen:
            return epoch.missed >= 10 and absent >= 600.0
        if epoch.ours:
            return now - epoch.born + EPSILON >= _GRACE and epoch.missed >= 5
        return epoch.missed >= 3 and absent >= 10.0

    def _again(self, epoch: Epoch, now: float, within: float | None) -> None:
        after = self._after(epoch, now)
        epoch.due = now + (after if within is None else min(after, within))
        epoch.soonest = now + self._pace.floor
        self._hasten(epoch, now)

    def _hasten(self, epoch: Epoch, now: float) -> None:
        if epoch.glances:
            epoch.due = epoch.soonest = now

    def _free(self, epoch: Epoch, now: float) -> None:
        """A failed request is no look: it may be asked for again at once."""
        epoch.due = epoch.soonest = now

    # trouble

    def troubled(self, look: Look, now: float, reply: Reply) -> None:
        """An answer that told nothing has reached the client, or its break has."""
        self._landed(look, now)
        self.allowed += len(look.ids)
        single = look.single
        divided = not single and reply.divisible
        routeless = not single and reply.routeless
        if reply.kind in {NO_NEWS, REJECTED} and not divided:
            for epoch in look.epochs:
                if epoch.closed is None:
                    self._pause(epoch, now)
        elif reply.kind == KEY and not self._renewable:
            for epoch in look.epochs:
                wait = (
                    min(_REFUSAL_SECONDS, self._after(epoch, now)) if self._may_be_its_own(look) else _REFUSAL_SECONDS
                )
                epoch.due, epoch.soonest = now + wait, now
                self._hasten(epoch, now)
        else:
            for epoch in look.epochs:
                self._free(epoch, now)
        if not divided and not routeless:
            self._weigh(look, now, reply)
        if divided or (single and reply.kind in {REJECTED, KEY, FOREIGN}):
            for epoch in look.epochs:
                epoch.doubtful = True
        self._readable = self._readable or (reply.readable and not routeless)
        self.shadow.ended(probe=look.probe)

    def _pause(self, epoch: Epoch, now: float) -> None:
        epoch.due = now + self._after(epoch, now)
        # no look was had, so riders need not wait
        epoch.soonest = now
        self._hasten(epoch, now)

    def _weigh(self, look: Look, now: float, reply: Reply) -> None:
        """What an answer about no id says about the gateway as a whole."""
        kind = reply.kind
        if kind == KEY:
            self._refused(look, now)
        elif kind == ELSEWHERE and not self._readable:
            if not look.fetch:
                self._stop(now, ELSEWHERE)
        elif kind in {OUTAGE, LIMITED, FOREIGN, ELSEWHERE}:
            self._fails(look, now, limited=kind == LIMITED, retry_after=reply.retry_after)
        elif kind != NAMELESS:
            self.shadow.passed(now)

    def _fails(self, look: Look, now: float, *, limited: bool, retry_after: float) -> None:
        # an id with trouble of its own, or a caller in a hurry, says nothing about the gateway
        certain = not look.fetch and not (look.single and any(epoch.doubtful for epoch in look.epochs))
        if limited or certain:
            self.shadow.failed(now, limited=limited, retry_after=retry_after)
        else:
            self.shadow.doubted()

    def _refused(self, look: Look, now: float) -> None:
        if self._may_be_its_own(look):
            self.shadow.passed(now)
            self.shadow.vague = True
        elif look.fetch or self._renewable:
            self.shadow.passed(now)
        else:
            self.shadow.held(now)
        if look.fetch or self._is_its_own(look):
            return
        perhaps = self._refused_perhaps.again(now)
        surely = not self._may_be_its_own(look) and self._refused_surely.again(now)
        if perhaps:
            self._stop(now, KEY, surely=surely)
            # if it was one, the next refusal is a first one again
            self._refused_surely.at = None
        if surely:
            self._forget_refusals()

    def _forget_refusals(self) -> None:
        self._refused_perhaps.at = self._refused_surely.at = None

    def _may_be_its_own(self, look: Look) -> bool:
        """A refusal of one id says nothing of the key where others have been answered, or if it is not the first."""
        doubtful = any(epoch.doubtful for epoch in look.epochs)
        return look.single and (doubtful or any(epoch.seen for epoch in self._others(look)))

    def _is_its_own(self, look: Look) -> bool:
        """It certainly says nothing of the key: the id was never answered, and another one without trouble was."""
        seen = any(epoch.seen for newest in look.epochs for epoch in newest.lives())
        healthy = (each.seen and not each.doubtful and not each.flying and not each.over for each in self._others(look))
        return look.single and not seen and any(healthy)

    def _others(self, look: Look) -> list[Epoch]:
        return [epoch for epoch in self._epochs.values() if epoch.closed is None and epoch not in look.epochs]

    def renewed(self, look: Look | None, now: float) -> None:
        """The client has another key after this look: what waits were refused before does not count."""
        if look is not None and not look.fetch:
            if self._stopping == now:
                self._stops.pop()
                self._stopping = None
            self._forget_refusals()

    def _stop(self, now: float, kind: str, *, surely: bool = True) -> None:
        self._stopping, self._stops_surely = now, surely
        self._stops.append((now, kind))

    def _settle(self, now: float) -> None:
        """All waits have been ended: who waits from now on begins anew."""
        if self._stopping is not None and self._stopping < now:
            self._stopping = None
            for epoch in self._epochs.values():
                epoch.over = True
                epoch.stopped = epoch.stopped or self._stops_surely

    # ends

    def got(self, interest: Interest, task: Task, now: float, *, prompt: bool = True) -> None:
        """Somebody was given a task as the end of a wait, ``prompt`` if that had to be at the moment it was told."""
        self.leave(interest, now)
        self._judge(interest, task, now, prompt=prompt)

    def _judge(self, interest: Interest, task: Task, now: float, *, prompt: bool) -> None:
        epoch = interest.epoch
        self.check_data(task, epoch.task_id)
        if interest.expected is not None:
            told, state = interest.expected
            if prompt and abs(now - told) > EPSILON:
                self._report("I1", f"{task.task_id} was final {now - told:.3f} s before its wait ended")
            if not _shows(task, state):
                self._report("I1", f"{task.task_id} ended as {task!r}, told was {state.meaning} {state.status}")
        elif task.inferred:
            if not epoch.stuck:
                self._report("I1", f"{task.task_id} was taken for frozen after {epoch.same} looks")
        elif task.succeeded and epoch.incomplete is not None and _shows(task, epoch.incomplete):
            if not epoch.spent:
                self._report("I1", f"{task.task_id} was given up as incomplete too early")
        elif not any(_shows(task, state) for state in epoch.perhaps):
            self._report("I1", f"{task.task_id} ended as {task!r}, which it never was")

    def check_data(self, task: Task, task_id: str) -> None:
        """Whatever is given out about an id is its own."""
        if task.task_id != task_id or any(task_id not in song.audio_url for song in task.songs if song.audio_url):
            self._report("I1", f"{task_id} was given the data of another: {task!r}")

    def failed(self, interest: Interest, error: SunoError, now: float, timeout: float | None = None) -> None:
        """Somebody's wait ended with an error; each kind has its own right to."""
        epoch = interest.epoch
        self.leave(interest, now)
        told = interest.expected
        if told is not None and not isinstance(error, TaskFailed) and now > told[0] + EPSILON:
            self._report("I1", f"{epoch.task_id} was final, and its wait ended with {error!r}")
        if isinstance(error, TaskFailed):
            if error.task is None:
                self._report("I1", f"{epoch.task_id} failed without its task")
            else:
                self._judge(interest, error.task, now, prompt=True)
                if error.task.status is not Status.FAILURE:
                    self._report("I1", f"{epoch.task_id} failed with {error.task!r}")
        elif isinstance(error, TaskNotFound):
            if not epoch.gone:
                self._report("I1", f"{epoch.task_id} was given up after {epoch.missed} misses")
        elif isinstance(error, WaitTimeout):
            self._timed_out(interest, error, now, timeout)
        else:
            self.check_stop(error, interest.opened)

    def _timed_out(self, interest: Interest, error: WaitTimeout, now: float, timeout: float | None) -> None:
        task_id = interest.epoch.task_id
        if timeout is None or abs(now - interest.opened - timeout) > EPSILON:
            self._report("I1", f"the wait for {task_id} timed out after {now - interest.opened:.3f} s, not {timeout}")
        if interest.seen is not None and (error.task is None or error.task.task_id != task_id):
            self._report("I1", f"the wait for {task_id} timed out and forgot what it had seen")

    def check_stop(self, error: SunoError, since: float) -> None:
        """An error that ends all waits at once: only a refused key, a page before any answer, or the client's end."""
        if isinstance(error, Unauthorized | QuotaExceeded):
            right = any(at >= since and kind == KEY for at, kind in self._stops)
        elif isinstance(error, ConfigurationError):
            right = any(at >= since and kind == ELSEWHERE for at, kind in self._stops)
        else:
            right = isinstance(error, ClientClosed) and self.closing is not None
        if not right:
            self._report("I1", f"waits ended with {type(error).__name__}: {error}")

    def check_closed(self, fetching: int) -> None:
        """Nothing is left once the client is closed, and no more was asked than had to be."""
        if self.flying > fetching:
            self._report("I6", f"{self.flying} looks are still in flight after the end of the client")
        looks = self.looks - self.fetches
        if looks > self.requests_due + self.allowed:
            self._report("I7", f"{looks} looks, {self.requests_due:.0f} were due and {self.allowed} asked again")


def _shows(task: Task, state: State) -> bool:
    songs = [song.audio_url for song in task.songs if song.audio_url]
    return (
        task.task_id == state.task_id
        and task.status is state.status
        and bool(songs) == bool(state.audio)
        and set(songs) <= {state.audio}
    )
