"""The routes about the account: what was charged, how much is left, which tasks there are.

The shapes were read in the source of new-api and observed on the running software, 2025-04 and 2026-06.
"""

import gzip
import math
import re
from collections.abc import Callable

import msgspec
from aiohttp import web

from .answers import AccountRefusalError, Answer, RefusalError, invalid_url, moved, page, told
from .desk import Desk
from .ledger import DOLLAR
from .limits import Limit
from .rows import Row

AUTH_VERSION = {"Auth-Version": "864b7076dbcd0a3c01b5520316720ebf"}  # 2026, behind an access token
UNLIMITED = 100_000_000  # what an unlimited key has, in dollars
PAGE = 10  # ItemsPerPage
LARGEST_PAGE = 100
FILTERS = ("platform", "task_id", "action", "status")


class Account:
    """Handlers of GET requests below /api and /dashboard (router/api-router.go, router/dashboard.go)."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._general = Limit(180, 180)  # GlobalAPIRateLimit
        self._critical = Limit(20, 20 * 60)  # CriticalRateLimit
        self._routes: dict[str, Callable[[web.BaseRequest], Answer]] = {
            "/api/log/token": self._log_2025 if desk.era.name == "2025" else self._log,
            "/api/task/self": self._tasks,
        }
        for prefix in ("", "/v1"):
            self._routes[f"{prefix}/dashboard/billing/usage"] = self._billed
            self._routes[f"{prefix}/dashboard/billing/subscription"] = self._subscription
        if desk.era.name == "2026":
            self._routes["/api/usage/token/"] = self._usage

    def serves(self, request: web.BaseRequest) -> bool:
        """Whether this is one of the routes, or differs from one by a slash at its end."""
        return request.method == "GET" and not {request.path, _twin(request.path)}.isdisjoint(self._routes)

    def answer(self, request: web.BaseRequest, request_id: str) -> Answer:
        """Answer a request that is served here; compressed, if the client can read that, as these routes alone are."""
        if self._desk.faults.first(("no_account_routes",)):
            dashboard = request.path.startswith("/dashboard")
            return page() if dashboard else invalid_url(request.method, request.path_qs)
        handler = self._routes.get(request.path)
        if handler is None:
            return moved(_twin(request.path) + request.path_qs.removeprefix(request.path))
        try:
            answer = self._limited(request) or handler(request)
        except RefusalError as refusal:
            answer = refusal.answer(self._desk.era, request_id)
        return _compressed(answer) if "gzip" in request.headers.get("Accept-Encoding", "") else answer

    def _limited(self, request: web.BaseRequest) -> Answer | None:
        """429 without a word to whom asks too often; 2026 guards what keys can read more closely."""
        now = self._desk.clock.now()
        close = self._desk.era.name == "2026" and request.path in {"/api/log/token", "/api/usage/token/"}
        admitted = self._general.admits(now) and (not close or self._critical.admits(now))
        return None if admitted else Answer(429, b"", "")

    def _log(self, request: web.BaseRequest) -> Answer:
        """GetLogByKey in controller/log.go of 2026."""
        desk = self._desk
        key = desk.keys.read_only(request.headers.get("Authorization"))
        return told(desk.ledger.rows(key, desk.clock.now()))

    def _log_2025(self, request: web.BaseRequest) -> Answer:
        """GetLogByKey in controller/log.go of 2025: the key is in the URL, a header counts for nothing."""
        desk = self._desk
        key = desk.keys.get(request.query.get("key", ""))
        return told(desk.ledger.rows(key, desk.clock.now()) if key else [])

    def _usage(self, request: web.BaseRequest) -> Answer:
        """GetTokenUsage in controller/token.go: it reads the header a second time, more strictly."""
        desk, texts = self._desk, self._desk.era.account
        header = request.headers.get("Authorization")
        desk.keys.read_only(header)
        scheme, _, text = (header or "").partition(" ")
        if scheme.lower() != "bearer" or " " in text:
            raise AccountRefusalError(401, texts["bad_header"])
        key = desk.keys.get(text)
        if key is None:
            raise AccountRefusalError(200, texts["no_info"])
        used = desk.ledger.used(key, desk.clock.now())
        data = {
            "expires_at": 0,
            "model_limits": dict.fromkeys(sorted(key.models), True),
            "model_limits_enabled": bool(key.models),
            "name": f"key{key.number}",
            "object": "token_usage",
            "total_available": key.granted - used,
            "total_granted": key.granted,
            "total_used": used,
            "unlimited_quota": key.remain is None,
        }
        return Answer(200, msgspec.json.encode({"code": True, "data": data, "message": "ok"}))

    def _billed(self, request: web.BaseRequest) -> Answer:
        """GetUsage in controller/billing.go: cents."""
        desk = self._desk
        key = desk.keys.find(request.headers.get("Authorization"))
        cents = desk.ledger.used(key, desk.clock.now()) / DOLLAR * 100
        return Answer(200, msgspec.json.encode({"object": "list", "total_usage": _number(cents)}))

    def _subscription(self, request: web.BaseRequest) -> Answer:
        """GetSubscription in controller/billing.go: dollars, what is left and what is spent together."""
        key = self._desk.keys.find(request.headers.get("Authorization"))
        dollars = _number(UNLIMITED if key.remain is None else key.granted / DOLLAR)
        limits = dict.fromkeys(("soft_limit_usd", "hard_limit_usd", "system_hard_limit_usd"), dollars)
        body = {"object": "billing_subscription", "has_payment_method": True, **limits, "access_until": 0}
        return Answer(200, msgspec.json.encode(body))

    def _tasks(self, request: web.BaseRequest) -> Answer:
        """GetUserTask in controller/task.go: pages of ten from 0 in 2025, of up to a hundred from 1 in 2026."""
        desk, headers = self._desk, request.headers
        account = desk.keys.account(headers.get("Authorization"), headers.get("New-Api-User"))
        rows = self._found(request, account)
        number = _integer(request, "p")
        if desk.era.name == "2025":
            start = max(0, number) * PAGE
            return told([desk.encoder.account_columns(row) for row in rows[start : start + PAGE]])
        sizes = (_integer(request, name) for name in ("page_size", "ps", "size"))
        size = min(LARGEST_PAGE, next(filter(None, sizes), PAGE))
        start = max(0, (number - 1) * size)
        shown = rows[start : start + size] if size > 0 else rows  # a negative limit is none
        items = [desk.encoder.account_columns(row) for row in shown]
        data = {"page": number or 1, "page_size": size, "total": len(rows), "items": items}
        return told(data, AUTH_VERSION)

    def _found(self, request: web.BaseRequest, account: int) -> list[Row]:
        """TaskGetAllUserTask in model/task.go: newest first; a moment that is no number is no bound."""
        desk, filters = self._desk, self._desk.encoder.filters
        first, last = _integer(request, "start_timestamp"), _integer(request, "end_timestamp") or math.inf
        asked = {name: request.query[name] for name in FILTERS if request.query.get(name)}
        rows = [row for row in desk.table.of(account, desk.clock.now()) if first <= int(row.submitted) <= last]
        return [row for row in rows if asked.items() <= filters(row).items()]


def _twin(path: str) -> str:
    """The path with its slash at the end, or without it."""
    return path[:-1] if path.endswith("/") else f"{path}/"


def _integer(request: web.BaseRequest, name: str) -> int:
    """A number of the query, 0 if it is none."""
    text = request.query.get(name, "")
    return int(text) if re.fullmatch("[+-]?[0-9]{1,18}", text) else 0


def _number(value: float) -> float:
    """As Go writes it: without a point if it is whole."""
    return int(value) if float(value).is_integer() else value


def _compressed(answer: Answer) -> Answer:
    """gin-contrib/gzip compresses whatever there is, the nothing of a 429 too."""
    headers = {**answer.headers, "Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    return msgspec.structs.replace(answer, body=gzip.compress(answer.body, mtime=0), headers=headers)
