"""The schedule: when each id is looked at next, and what every look teaches for the ones to come.

For most paces that is the pace's own answer. `Adaptive` also learns: how long tasks take, from the times that the
gateway writes down or else from the looks; the age of ids that were submitted elsewhere; and the gateway's beat.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from .beat import SLEEP, Beat
from .durations import Durations, Event, Hazard
from .exchange import Answer
from .experience import Experience
from .forecast import Forecast
from .lenient import moment
from .life import Life
from .look import Look, is_final
from .models import Status
from .pace import Adaptive, Fixed, Pace, Scaled
from .refusals import http_date

_LONGEST = 86_400.0
_WAITING = frozenset({Status.NOT_START, Status.SUBMITTED, Status.QUEUED})
_QUEUED_SECONDS = 45.0
"""A row that is older than this and has not begun is one that the gateway has no time for (protocol: only the 1,000
oldest unfinished rows are refreshed): it says nothing about how long songs take, nor about the beat."""
_CERTAIN = 0.97
_NEWS_SECONDS, _NO_NEWS_SECONDS, _CERTAIN_SECONDS = 0.2, 1.0, 4.0
_DATE_SECONDS = 0.5
_CLOCK_DRIFT = 5e-5
_UNSURE = 5.0
"""Seconds by which times of different machines may be at odds."""
_MILLISECONDS = 10**11
_HAZARD_SECONDS = 0.5
_ROUND_SECONDS = 16.0
_MOST_KNOWN = 4096
_ASTRAY_SECONDS = 600.0
"""Rounds make a row late by less, time zones by more."""
_RECENT_SECONDS = 600.0
_CHANGE, _PLAYABLE, _END = Event.CHANGE, Event.PLAYABLE, Event.END
_SLACK = 1.05
"""A budget that is used up to the last look makes a queue."""


class Offset:
    """How much a gateway's clock is ahead of ours, between two bounds that each ``Date`` narrows."""

    def __init__(self) -> None:
        self._least, self._most = -math.inf, math.inf
        self._at = 0.0
        self._next = -math.inf

    @property
    def seconds(self) -> float | None:
        """The middle of what it may be; None as long as no answer had a date."""
        return (self._least + self._most) / 2 if self._least > -math.inf else None

    def narrow(self, headers: Mapping[str, str], sent: float, received: float) -> None:
        """Takes in an answer: its date, in whole seconds, was the gateway's time at some moment in between."""
        if received < self._next:
            return
        self._next = received + _DATE_SECONDS
        date = http_date(headers.get("Date", ""))
        if date is None:
            return
        wider = (received - self._at) * _CLOCK_DRIFT
        least, most = date.timestamp() - received, date.timestamp() + 1 - sent
        self._at = received
        self._least, self._most = max(self._least - wider, least), min(self._most + wider, most)
        if self._least > self._most:
            # somebody has set a clock, or another machine answers
            self._least, self._most = least, most


class Schedule:
    """When the ids of one client are looked at, at one gateway. Times are in seconds of the loop's clock."""

    def __init__(self, pace: Pace, experience: Experience | None = None) -> None:
        inner = pace.pace if isinstance(pace, Scaled) else pace
        self.floor = pace.floor
        self.learns = isinstance(inner, Adaptive)
        """It wants to see every look."""
        self._pace = pace
        self._speed = pace.speed if isinstance(pace, Scaled) else 1.0
        self._adaptive = inner if isinstance(inner, Adaptive) else Adaptive(beat=None)
        given = self._adaptive.experience
        self._before = experience or given or Experience()
        self.taught = experience is None and given is not None
        """Something was learned here, or brought along, that may be worth keeping."""
        self.durations = Durations(self._before.durations)
        self.offset = Offset()
        self.beat: Beat | None = None
        self._tempo = self._speed * SLEEP / (self._adaptive.beat or SLEEP)
        self._forecast: Forecast | None = None
        self._taken = -math.inf
        self._ceiling = self._adaptive.ceiling / self._speed
        self._hazards: dict[tuple[str, Event], Hazard] = {}
        self._renewed = -math.inf
        self._known: dict[str, None] = {}
        self._astray = False
        """The times of the rows are not those of the gateway's own clock."""
        self._stretch, self._wanted, self._allowed, self._until = 1.0, 0.0, math.inf, math.inf
        self._longest = 1.0

    # when

    def delay(self, life: Life, now: float, chance: float, share: float) -> float:
        """Seconds until the next look at this id, where ``share`` ids share the price of a request."""
        if not self.learns:
            return self._stretched(life, self._pace.after(now - life.born, life.looks, chance, share, life.kind), now)
        delay = self._stretched(life, self._worth(life, now, share), now)
        if self._forecast is not None and now * self._tempo - self._taken > _NO_NEWS_SECONDS:
            # an id that comes long after the last answer
            self.take_in(now)
        if self._forecast is not None:
            delay = self._forecast.delay(now * self._tempo, delay * self._tempo) / self._tempo
        if self._is_queued(life, now):
            delay = max(delay, _ROUND_SECONDS / self._speed)
        return max(self.floor, min(delay, self._ceiling * self._stretch))

    def dues(self, lives: Sequence[Life], now: float, chance: Callable[[], float], share: float) -> list[float]:
        """When the next looks at these ids are due."""
        if self.learns or self._allowed < math.inf:
            return [now + self.delay(life, now, chance(), share) for life in lives]
        if isinstance(self._pace, Fixed):
            # the same for all of them
            return [now + self._pace.every] * len(lives)
        after = self._pace.after
        return [now + after(now - life.born, life.looks, chance(), share, life.kind) for life in lives]

    def ration(self, allowed: float, until: float = math.inf) -> None:
        """The budget allows looks at so many ids a second: all delays are longer by as much as is needed to fit.

        That is the same as a higher price, by the square: every id is late by its share. An id that is looked at
        every T seconds wants 1 / T looks a second, which is kept with it. From ``until`` on more may be allowed: what
        is put down for later than that is no later than its own delay behind it.
        """
        self._allowed, self._until = allowed, until
        self._fit()

    def forget(self, life: Life) -> None:
        """This id is not looked at any more."""
        self._wanted -= life.wanted
        life.wanted = 0.0
        self._fit()

    def relaxed(self) -> bool:
        """True once after so many ids have gone that what was put down before is due far too late."""
        is_less = self._stretch < self._longest / 2
        if is_less:
            self._longest = self._stretch
        return is_less

    def _fit(self) -> None:
        self._stretch = max(1.0, _SLACK * self._wanted / self._allowed)
        self._longest = max(self._longest, self._stretch)

    def _stretched(self, life: Life, delay: float, now: float) -> float:
        if self._allowed == math.inf:
            return delay
        self._wanted += 1 / delay - life.wanted
        life.wanted = 1 / delay
        return min(delay * self._stretch, max(0.0, self._until - now) + delay)

    def _worth(self, life: Life, now: float, share: float) -> float:
        """The delay after which a look is worth its price, if there is no beat."""
        age = (now - life.born) * self._speed
        delay = self._adaptive.delay(self._hazard(life.kind, _END, now), age, share)
        if life.event is not _END:
            hazard = self._hazard(life.kind, life.event, now)
            since = age if life.event is _PLAYABLE else (now - max(life.since, life.born)) * self._speed
            delay = min(delay, self._adaptive.delay(hazard, since, share))
        return delay / self._speed

    def _is_queued(self, life: Life, now: float) -> bool:
        return life.queued and now - life.born > _QUEUED_SECONDS / self._speed

    def _hazard(self, kind: str, event: Event, now: float) -> Hazard:
        """What is known, and was half a second ago: what follows from it takes longer to work out than a look."""
        if now >= self._renewed + _HAZARD_SECONDS:
            self._renewed = now
            self._hazards.clear()
        known = self._hazards.get((kind, event))
        if known is None:
            known = self._hazards[kind, event] = self.durations.hazard(kind, event)
        return known

    # what is learned

    def answered(self, answer: Answer, sent: float, received: float) -> None:
        """An answer came: its date tells how the gateway's clock stands."""
        self.offset.narrow(answer.headers, sent * self._speed, received * self._speed)

    def saw(self, life: Life, look: Look, now: float) -> None:
        """A look at an id, before its life has observed it."""
        is_new, is_ours = not life.seen, life.dated
        if is_new and not is_ours:
            self._date(life, look, now)
        final, changed = is_final(look.status), look.mark != life.mark
        queued = self._is_queued(life, now)
        if queued:
            # what it takes from its birth on is not what a song takes
            life.dated = False
        if self.beat is not None and life.looked > -math.inf and not queued:
            news = changed and (not is_new or (final and life.dated))
            self._feel(self.beat, life, look, now, changed=news)
        if final and self._is_first(life) and (is_ours or not is_new or self._is_recent(look, now)):
            self.taught = True
            self._time(life, look, now)
        if life.event is _CHANGE and changed and not is_new:
            self._took(life, life.since, now, _CHANGE)
        elif life.event is _PLAYABLE and changed and life.dated and look.task().playable:
            self._took(life, life.born, now, _PLAYABLE)
        life.queued = look.status in _WAITING

    def take_in(self, now: float) -> None:
        """Every look of an answer was seen: from here on the delays know of it."""
        if self._adaptive.beat is None:
            return
        time = now * self._tempo
        if self.beat is None:
            self.beat = Beat(time, self._before.no_beat, self._before.widths)
            self._taken = time
        if time - self._taken < self._pause(self.beat):
            return
        self._taken = time
        self.beat.take_in(time)
        self._forecast = Forecast(self.beat, time) if self.beat.no_beat < _CERTAIN else None

    @staticmethod
    def _pause(beat: Beat) -> float:
        """For how long what was seen may wait until it is made part of what is known."""
        if beat.no_beat >= _CERTAIN:
            return _CERTAIN_SECONDS
        return _NEWS_SECONDS if beat.has_news else _NO_NEWS_SECONDS

    def experience(self) -> Experience:
        """What was learned so far, for a client to come."""
        beat = self.beat
        known = (self._before.no_beat, self._before.widths) if beat is None else (beat.no_beat, beat.widths())
        return Experience(self.durations.copy(), *known)

    def _is_first(self, life: Life) -> bool:
        """True unless this id was final before: who asks for it once more is not taught once more."""
        if life.task_id in self._known:
            return life.seen
        if len(self._known) >= _MOST_KNOWN:
            del self._known[next(iter(self._known))]
        self._known[life.task_id] = None
        return True

    def _date(self, life: Life, look: Look, now: float) -> None:
        """Finds out how old an id is that was submitted elsewhere."""
        offset, submitted = self.offset.seconds, _seconds(look.times().submit_time)
        if offset is None or submitted is None or self._astray:
            return
        age = now * self._speed + offset - submitted
        if -_UNSURE <= age < _LONGEST:
            life.born = now - max(0.0, age) / self._speed
            life.dated = True

    def _feel(self, beat: Beat, life: Life, look: Look, now: float, *, changed: bool) -> None:
        """Tells the beat of a look."""
        before = max(life.looked, life.born)
        age = ((before + now) / 2 - life.born) * self._speed
        rate = self._hazard(life.kind, _END, now).rate(max(0.0, age)) * self._speed / self._tempo
        beat.looked(before * self._tempo, now * self._tempo, rate)
        if changed:
            beat.changed(before * self._tempo, now * self._tempo, self._updated(look))

    def _updated(self, look: Look) -> float | None:
        """When the gateway last touched a row, in the beat's time."""
        updated, offset = _seconds(look.times().updated_at), self.offset.seconds
        if updated is None or offset is None:
            return None
        # it is cut to the second
        return (updated + 0.5 - offset) / self._speed * self._tempo

    def _time(self, life: Life, look: Look, now: float) -> None:
        """Learns how long a task took: as the gateway says, where that can be, or else as was seen."""
        times = look.times()
        submitted, finished = _seconds(times.submit_time), _seconds(times.finish_time)
        self._astray = self._astray or self._is_astray(life, finished)
        most = (now - life.born) * self._speed + _UNSURE if life.dated else _LONGEST
        if submitted is not None and finished is not None and 0 < finished - submitted <= most:
            self._visible(life, look, finished - submitted, now)
        elif life.dated:
            self._took(life, life.born, now, _END)

    def _is_astray(self, life: Life, finished: float | None) -> bool:
        """True if a task says that it ended long before it was last seen unfinished: as of a clock in another zone."""
        offset = self.offset.seconds
        if finished is None or offset is None or not life.seen or life.missed:
            return False
        return finished - offset < life.looked * self._speed - _ASTRAY_SECONDS

    def _is_recent(self, look: Look, now: float) -> bool:
        """True if it ended a moment ago, as the gateway says: last year's songs, asked for every day, teach nothing."""
        finished, offset = _seconds(look.times().finish_time), self.offset.seconds
        return finished is not None and offset is not None and now * self._speed + offset - finished < _RECENT_SECONDS

    def _visible(self, life: Life, look: Look, took: float, now: float) -> None:
        """Learns when an end could be seen: with a beat up to a round later than it was, as far as is known."""
        kind = life.kind or look.action
        if self.beat is None or not life.dated or self._astray:
            self.durations.took(kind, took)
            return
        seen, last = (now - life.born) * self._speed, (max(life.looked, life.born) - life.born) * self._speed
        before = min(seen, max(took, last))
        lag = _ROUND_SECONDS * self._speed / self._tempo * (1 - self.beat.no_beat)
        self.durations.took(kind, max(before, min(seen, took + lag)), least=before)

    def _took(self, life: Life, since: float, now: float, event: Event) -> None:
        least = max(0.0, (max(life.looked, since) - since) * self._speed)
        self.durations.took(life.kind, (now - since) * self._speed, least=least, event=event)


def _seconds(value: object) -> float | None:
    """A time on the wire as Unix seconds."""
    if type(value) is int and 0 < value < _MILLISECONDS:
        return float(value)
    found = value if isinstance(value, datetime) else moment(value)
    return found.timestamp() if found else None
