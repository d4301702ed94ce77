"""The desk: what the gateway makes of submissions, and the record of every one that came."""

import json
from collections.abc import Callable
from random import Random
from typing import NamedTuple

from virtual import page, said

from suno_async.protocol.errors import GatewayUnavailable, RequestRejected, SubmitUnknown, SunoError
from suno_async.protocol.exchange import Answer

ACCEPTED, REFUSED, UNKNOWN, UNSENT = "accepted", "refused", "unknown", "unsent"


class Fate(NamedTuple):
    """What becomes of one submission: whether the gateway takes it, and what the client can know."""

    name: str
    takes: bool
    meaning: str
    answer: Answer | None = None
    breaks: str = ""
    """Instead of an answer: "gone", "cut", "silence"; before anything left: "refused", "no name", "stuck"."""
    resend: bool = False
    """An answer from before the upstream: it may be sent again."""


class Arrival:
    """One submission as the gateway saw it."""

    def __init__(self, at: float, fate: Fate, task_id: str | None) -> None:
        self.at = at
        self.fate = fate
        self.task_id = task_id
        self.meaning = fate.meaning
        self.answered = False


def _refusal(status: int, code: str, *, resend: bool = False) -> Fate:
    return Fate(f"{status}-{code}", takes=False, meaning=REFUSED, answer=said(status, code, "words"), resend=resend)


def _doubtful(name: str, answer: Answer | None, breaks: str = "") -> list[Fate]:
    """The same answer with and without a task behind it: nobody can tell."""
    return [Fate(name, takes, UNKNOWN, answer, breaks) for takes in (True, False)]


_MIDDLEWARE = b'{"error":{"message":"no available channel","type":"new_api_error","code":"model_not_found"}}'
_QUOTA = b'{"error":{"message":"quota is not enough","type":"new_api_error","code":"insufficient_user_quota"}}'
ACCEPT = Fate("accept", takes=True, meaning=ACCEPTED)
FATES: dict[str, list[Fate]] = {
    "unsent": [Fate(name, takes=False, meaning=UNSENT, breaks=name) for name in ("refused", "no name", "stuck")],
    "gone": _doubtful("gone", None, "gone"),
    "silence": _doubtful("silence", None, "silence"),
    "cut": [Fate("cut", takes=True, meaning=UNKNOWN, breaks="cut")],
    "two documents": [Fate("two documents", takes=True, meaning=ACCEPTED)],
    "refused": [
        _refusal(400, "prompt_empty"),
        _refusal(413, "too_large"),
        _refusal(422, "bad"),
        _refusal(500, "sensitive_words"),
        Fate("403-quota", takes=False, meaning=REFUSED, answer=Answer(403, {}, _QUOTA)),
        Fate("302", takes=False, meaning=REFUSED, answer=Answer(302, {"Location": "https://evil.example/"}, b"")),
        Fate("307", takes=False, meaning=REFUSED, answer=Answer(307, {"Location": "https://evil.example/"}, b"")),
    ],
    "busy": [
        Fate("429", takes=False, meaning=REFUSED, answer=Answer(429, {}, b""), resend=True),
        Fate("429-7", takes=False, meaning=REFUSED, answer=Answer(429, {"Retry-After": "7"}, b""), resend=True),
        _refusal(429, "429", resend=True),
        _refusal(425, "early", resend=True),
        Fate("503", takes=False, meaning=REFUSED, answer=Answer(503, {}, _MIDDLEWARE), resend=True),
        _refusal(503, "no_channel", resend=True),
    ],
    "doubtful": [
        *_doubtful("502", Answer(502, {}, b"<html>bad gateway</html>")),
        *_doubtful("504", Answer(504, {}, b"")),
        *_doubtful("503-page", Answer(503, {}, b"<html>maintenance</html>")),
        *_doubtful("408", said(408, "timeout", "words")),
        *_doubtful("409", said(409, "conflict", "words")),
        *_doubtful("500", said(500, "do_request_failed", "eof")),
        *_doubtful("500-late", said(500, "fail_to_fetch_task", "read timeout")),
        *_doubtful("empty", Answer(200, {}, b"")),
        *_doubtful("page", page()),
        *_doubtful("no id", Answer(200, {}, b'{"code":"success","message":"","data":null}')),
        *_doubtful("garbled", Answer(200, {}, b'{"code":"succ')),
    ],
}
"""By the decision table: what proves a refusal, what proves nothing, and what never left."""


class Desk:
    """Every submission that came, by the marker that its body bears."""

    def __init__(self, rng: Random, start: float, healed: float, *, calm: bool, insert: Callable[[str], None]) -> None:
        self._rng = rng
        self._healed = healed
        self._insert = insert
        self.names = [] if calm else [name for name in FATES if rng.random() < 0.5]
        self.share = rng.choice([0.1, 0.4, 0.9])
        self.slow = not calm and rng.random() < 0.3
        self.arrivals: dict[str, list[Arrival]] = {}
        self.accepted: dict[str, str] = {}
        """Task ids and the markers of what was submitted."""

    def fate(self, now: float) -> Fate:
        """What becomes of a submission that is sent now."""
        if now >= self._healed or not self.names or self._rng.random() >= self.share:
            return ACCEPT
        return self._rng.choice(FATES[self._rng.choice(self.names)])

    def delay(self, now: float) -> float:
        """Seconds until it is answered."""
        if now < self._healed and self.slow and self._rng.random() < 0.3:
            return self._rng.uniform(5.0, 110.0)
        return self._rng.uniform(0.05, 2.0)

    def arrive(self, body: bytes, fate: Fate, now: float) -> Arrival:
        """A submission has reached the gateway; from here on it runs, whatever becomes of the answer."""
        marker = json.loads(body)["gpt_description_prompt"]
        task_id = None
        if fate.takes:
            task_id = f"task-{len(self.accepted):04d}-{self._rng.randrange(16**6):06x}"
            self.accepted[task_id] = marker
            self._insert(task_id)
        arrival = Arrival(now, fate, task_id)
        self.arrivals.setdefault(marker, []).append(arrival)
        return arrival

    def answer(self, arrival: Arrival) -> Answer:
        """The answer to a submission."""
        fate = arrival.fate
        if fate.answer is not None:
            return fate.answer
        body = b'{"code":"success","message":"","data":"%s"}' % str(arrival.task_id).encode()
        if fate.name == "two documents":
            body += b'{"code":"insert_task_failed","message":"duplicate entry","data":null}'
        return Answer(200, {}, body, True)

    def cut(self, arrival: Arrival) -> bytes:
        """What comes of an answer that is cut off; its id may be in it."""
        body = b'{"code":"success","data":"%s","message":"it is queued"}' % str(arrival.task_id).encode()
        part = body[: self._rng.randrange(len(body))]
        if b'"%s"' % str(arrival.task_id).encode() in part:
            arrival.meaning = ACCEPTED
        return part

    def again(self, body: bytes, *, keyed: bool) -> str | None:
        """What is wrong with sending this once more; None if nobody has taken it, or it is the first time.

        With an idempotency key its user may try again after any refusal.
        """
        marker = json.loads(body)["gpt_description_prompt"]
        for before in self.arrivals.get(marker, ()):
            proven = before.fate.resend or (keyed and before.meaning == REFUSED)
            if not (proven and before.answered):
                return f"{marker} is sent again after {before.fate.name}"
        return None

    # what the client may say of it

    def faults(self, marker: str, outcome: str | SunoError, earlier: int) -> str | None:
        """What is wrong with what the client told of a submission; None if it is what it must be."""
        came = self.arrivals.get(marker, [])
        last = came[-1] if came else None
        taken = [arrival for arrival in came if arrival.task_id is not None]
        if isinstance(outcome, str):
            fits = [arrival.task_id for arrival in taken] == [outcome]
        elif isinstance(outcome, SubmitUnknown):
            # an answer on its way when the client was closed is not known either
            fits = last is not None and (last.meaning == UNKNOWN or not last.answered)
        elif isinstance(outcome, RequestRejected):
            fits = last is not None and not taken and last.meaning == REFUSED
        elif isinstance(outcome, GatewayUnavailable):
            # closed before it could look into its journal, it says nothing about those that came before
            fits = all(arrival.meaning == REFUSED and arrival.task_id is None for arrival in came[earlier:])
        else:
            fits = not taken
        if fits:
            return None
        return f"{marker}: told was {outcome!r}, the gateway saw {[arrival.fate.name for arrival in came]}"
