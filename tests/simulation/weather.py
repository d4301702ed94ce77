"""The weather: which faults a seed has, how often, until when; and what each one means by the rules of the product."""

from collections.abc import Callable
from random import Random
from typing import NamedTuple

from virtual import one, page, row, rows, said

from suno_async.protocol.exchange import Answer

OUTAGE, LIMITED, FOREIGN, KEY = "outage", "limited", "foreign", "key"
NO_NEWS, REJECTED, NAMELESS, ELSEWHERE = "no news", "rejected", "nameless", "elsewhere"


class Reply(NamedTuple):
    """An answer, or a break, that tells about no task; and what the client has to make of it."""

    name: str
    kind: str
    answer: Answer | None = None
    breaks: str = ""
    """Instead of an answer: "gone", "cut", "silence", "drip", "huge"."""
    readable: bool = False
    """The gateway's own JSON: whoever answers like that is a gateway."""
    divisible: bool = False
    """In a batch, its ids or their number may be the cause: it is halved."""
    routeless: bool = False
    """In a batch, the gateway may lack the route."""
    retry_after: float = 0.0


STRAY = row("stray-1", "SUCCESS", progress="100%", audio="https://cdn.example/stray-1.mp3")
_STRAY_OPEN = row("stray-2")
_NAMELESS = one(b'[{"id":"c","audio_url":"https://cdn.example/stray-1.mp3"}]')
_HTML = b"<!doctype html><html><body>hello</body></html>"
_DATE = "Sat, 21 Nov 2026 10:00:00 GMT"
RETRY_AFTERS: tuple[tuple[str | None, float], ...] = (
    (None, 0.0),
    ("0", 0.0),
    ("7", 7.0),
    ("120", 120.0),
    ("300", 300.0),
    ("86400", 300.0),
    ("-1", 0.0),
    ("inf", 0.0),
    ("nan", 0.0),
    ("1e9", 0.0),
    ("1e18", 0.0),
    ("9" * 5000, 0.0),
    ("٣", 0.0),
    ("5, 10", 0.0),
    ("2026-11-21T10:00:30Z", 0.0),
    ("Sat, 21 Nov 2026 10:00:45 GMT", 45.0),
    ("Sat, 21 Nov 2026 09:00:00 GMT", 0.0),
    ("Sun, 21 Nov 2027 10:00:00 GMT", 300.0),
)
"""What a 429 may ask for, and the seconds that count."""


def _limited(value: str | None, seconds: float, *, text: bool) -> Reply:
    headers = {"Date": _DATE} if value is None else {"Date": _DATE, "Retry-After": value}
    body = b'{"code":"429","message":"too many","data":null}' if text else b""
    return Reply("429", LIMITED, Answer(429, headers, body), readable=text, retry_after=seconds)


def _json(status: int, code: str, kind: str = OUTAGE, *, divisible: bool = True) -> Reply:
    return Reply(f"{status}-{code}", kind, said(status, code, "words"), readable=True, divisible=divisible)


def _error(status: int, code: str, kind: str) -> Answer:
    return Answer(status, {}, b'{"error":{"message":"words","type":"new_api_error","code":"%s"}}' % code.encode())


def _foreign(batch: bool) -> Reply:
    return Reply("foreign", FOREIGN, rows(STRAY, _STRAY_OPEN) if batch else one(STRAY), readable=True)


LOOKS: dict[str, list[Reply]] = {
    "gone": [Reply("gone", OUTAGE, breaks="gone")],
    "cut": [Reply("cut", OUTAGE, breaks="cut")],
    "silence": [Reply("silence", OUTAGE, breaks="silence")],
    "drip": [Reply("drip", OUTAGE, breaks="drip")],
    "5xx": [
        Reply("502", OUTAGE, Answer(502, {}, b"<html>bad gateway</html>")),
        Reply("504", OUTAGE, Answer(504, {}, b"")),
        Reply("524", OUTAGE, Answer(524, {}, b"error code: 524")),
        _json(500, "get_tasks_failed"),
        _json(503, "busy", divisible=False),
        _json(408, "timeout"),
        _json(409, "conflict"),
        _json(425, "early"),
    ],
    "no channel": [Reply("503-no-channel", OUTAGE, _error(503, "model_not_found", ""), readable=True, routeless=True)],
    "pages": [
        Reply("page", ELSEWHERE, page(), routeless=True),
        Reply("302", ELSEWHERE, Answer(302, {"Location": "https://evil.example/x"}, b"")),
        Reply("307", ELSEWHERE, Answer(307, {"Location": "https://evil.example/x"}, _HTML)),
        Reply("404-page", ELSEWHERE, page(404), routeless=True),
        Reply("405", ELSEWHERE, Answer(405, {}, b""), routeless=True),
        Reply("403-page", OUTAGE, page(403)),
    ],
    "garbage": [
        Reply("garbled", OUTAGE, Answer(200, {}, b'{"code":"success","data":[{"task_i')),
        Reply("deep", OUTAGE, Answer(200, {}, b"[" * 3000)),
        Reply("words", OUTAGE, Answer(200, {}, b"upstream connect error")),
    ],
    "empty": [Reply("empty", NO_NEWS, Answer(200, {}, b"")), Reply("204", NO_NEWS, Answer(204, {}, b""))],
    "refused": [
        Reply("401", KEY, said(401, "invalid_token", "no"), readable=True),
        Reply("401-middleware", KEY, _error(401, "invalid_token", KEY), readable=True),
        Reply("403-quota", KEY, _error(403, "insufficient_user_quota", KEY), readable=True),
    ],
    "no": [_json(400, "invalid_request", REJECTED), _json(422, "unprocessable", REJECTED)],
    "huge": [Reply("huge", REJECTED, breaks="huge", divisible=True)],
    "foreign": [_foreign(batch=False)],
    "nameless": [Reply("nameless", NAMELESS, _NAMELESS, readable=True)],
    "429": [_limited(value, seconds, text=text) for value, seconds in RETRY_AFTERS for text in (False, True)],
}
FOREIGN_BATCH = _foreign(batch=True)
TOO_MANY = _json(500, "too many SQL variables")
POISON = _json(500, "unsupported_type")
NO_ROUTE = Reply("404-page", ELSEWHERE, page(404), routeless=True)
MANGLES = ("missing", "twice", "shuffled", "strangers", "bom", "nan", "surrogate", "two documents")

Latency = Callable[[Random], float]
LATENCIES: tuple[tuple[Latency, float], ...] = (
    (lambda _: 0.0, 0.0),
    (lambda _: 0.05, 0.05),
    (lambda rng: rng.uniform(0.01, 0.5), 0.5),
    (lambda rng: min(3.0, 0.1 * rng.lognormvariate(0, 1)), 3.0),
    (lambda rng: min(4.0, 0.02 * rng.paretovariate(0.8)), 4.0),
)
"""How long answers take, and the longest."""


class Storm(NamedTuple):
    """Some time in which nearly everything goes wrong in one way."""

    begin: float
    end: float
    fault: str
    share: float


class Weather:
    """What goes wrong in one seed, decided by its dice; from ``healed`` on nothing does."""

    def __init__(self, rng: Random, start: float, *, calm: bool) -> None:
        self._rng = rng
        self.healed = start if calm else start + rng.uniform(20.0, 240.0)
        self.latency, self.longest = rng.choice(LATENCIES)
        self.faults = [] if calm else [name for name in LOOKS if rng.random() < 0.35]
        self.share = rng.choice([0.02, 0.1, 0.3, 0.7]) if self.faults else 0.0
        self.mangles = [] if calm else [name for name in MANGLES if rng.random() < 0.25]
        self.mangled = rng.choice([0.1, 0.5])
        self.storms: list[Storm] = []
        self.clogs: list[tuple[float, float, float]] = []
        self.refused_names = self.slow_submits = False
        if not calm:
            self._brew(start)
        self._limits = [reply for reply in LOOKS["429"] if rng.random() < 0.4] or LOOKS["429"][:1]
        self.longest_retry_after = max(reply.retry_after for reply in self._limits)

    def _brew(self, start: float) -> None:
        rng = self._rng
        names = [*LOOKS]
        for _ in range(rng.choice([0, 1, 2, 4])):
            begin = rng.uniform(start, self.healed)
            end = min(self.healed, begin + rng.uniform(1.0, 60.0))
            self.storms.append(Storm(begin, end, rng.choice(names), rng.choice([0.5, 1.0])))
        for _ in range(rng.choice([0, 0, 1, 3])):
            begin = rng.uniform(start, self.healed)
            self.clogs.append((begin, min(self.healed, begin + rng.uniform(1.0, 80.0)), rng.choice([0.3, 1.0])))

    def fault(self, now: float, *, single: bool, fresh: bool) -> Reply | None:
        """What goes wrong with a look that is answered now."""
        if now >= self.healed:
            return None
        rng = self._rng
        name = next((storm.fault for storm in self.storms if storm.begin <= now < storm.end), None)
        share = next((storm.share for storm in self.storms if storm.begin <= now < storm.end), self.share)
        if rng.random() >= share:
            return None
        name = name or rng.choice(self.faults)
        if name == "foreign" and not single:
            return FOREIGN_BATCH
        if name == "nameless" and (fresh or not single):
            # on a connection of its own it would be the answer
            return None
        return rng.choice(self._limits if name == "429" else LOOKS[name])

    def delay(self, now: float) -> float:
        """How long an answer takes that is asked for now; a clogged one until its clog is gone, in any order."""
        delay = self.latency(self._rng)
        for begin, end, share in self.clogs:
            if begin <= now < end and self._rng.random() < share:
                delay += (end - now) + self._rng.uniform(0.0, 5.0)
        return delay

    def mangle(self, now: float) -> str:
        """What is odd about an answer that tells about tasks; "" for nothing."""
        if now >= self.healed or not self.mangles or self._rng.random() >= self.mangled:
            return ""
        return self._rng.choice(self.mangles)
