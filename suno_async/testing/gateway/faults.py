"""Everything that can be made to go wrong, by name and rate."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from random import Random
from typing import Final

FAULTS: Final[dict[str, str]] = {
    # before any work: nothing is accepted, nothing is charged
    "rate_limited": "429 with an empty body and no Retry-After (new-api's own limiter)",
    "retry_after": "429 with Retry-After: 1 and a JSON body",
    "server_error": "500, 502, 503, 504 or 520 with HTML, as proxies and CDNs answer",
    "overloaded": "503 JSON: system cpu overloaded",
    "connection_reset": "the connection is reset before a byte of an answer",
    "hang": "no answer, for as long as the client stays",
    "empty_answer": "200 with an empty body",
    "html_page": "200 with the HTML of a captcha",
    # after the work: a submission is accepted and charged
    "answer_lost": "the work is done, then the connection is reset",
    "truncated": "Content-Length is larger than what is sent, then the connection is closed",
    "drip": "the answer comes in small pieces over some twenty seconds",
    "answer_withheld": "the work is done, then no answer, for as long as the client stays",
    # submissions only: nothing is accepted, nothing is charged
    "upstream_429": "429 fail_to_fetch_task: the upstream is saturated",
    "upstream_502": "502 fail_to_fetch_task: the upstream answered 502",
    "upstream_refuses": "500 sensitive_words: the upstream refused the prompt",
    "upstream_html": "500 unmarshal_response_body_failed: the upstream answered with HTML",
    "out_of_credit": "403: the account, not the key, has nothing left",
    # submissions only: accepted and charged
    "late_row": "task_not_exist for ten seconds after the submission",
    "lost_row": "task_not_exist for ever: the answer was sent, the row was not written",
    "slow_upstream": "the row, the log and the answer come twenty seconds later, also if the client has left",
    "charge_unlogged": "charged, but the account's log does not tell (LogConsumeEnabled is off)",
    # looks only
    "foreign_id": "the answer is about another task",
    "regression": "the status goes back, once for each task",
    "success_without_url": "the first two looks at a SUCCESS find no audio_url",
    "no_batch_route": "POST /suno/fetch is an unknown path: 200 with HTML",
    "batch_not_found": "POST /suno/fetch is 404 with HTML",
    # the routes about the account only; what strikes before or after any work strikes these too
    "no_account_routes": "log, usage, billing and the list of tasks are unknown paths: the gateway is no new-api",
    # private builds only
    "act_as_task": "a wav comes as the id of a task, which then tells its URL (K4U)",
    "upload_put": "the storage takes a PUT: a slot has a URL and no fields",
    "upload_matches": "an uploaded file is an error: it matches an existing recording",
    "chat_one_rune": "a stream has one character in each chunk, and [DONE] without a line's end (Suno-API)",
    "chat_delta_only": "a chat that does not stream is answered with delta, without message (Suno-API)",
    "chat_without_done": "a stream ends without [DONE]",
    "chat_error_as_content": "an error is told as the text of a chat, as JSON: StatusCode, Code (Suno-API)",
    # while a task runs
    "frozen_failure": "a failure shows as IN_PROGRESS, 100 %, with fail_reason, for ever",
    # files
    "audio_missing": "404 for an audio file",
    "audio_truncated": "an audio file breaks off in the middle",
}
BEFORE: Final = (
    "rate_limited",
    "retry_after",
    "server_error",
    "overloaded",
    "connection_reset",
    "hang",
    "empty_answer",
    "html_page",
)
AFTER: Final = ("answer_lost", "truncated", "drip", "answer_withheld")
UPSTREAM: Final = ("upstream_429", "upstream_502", "upstream_refuses", "upstream_html", "out_of_credit")


class Faults(MutableMapping[str, float]):
    """Rates between 0 and 1 by name; a name that is not set has rate 0.

    Each name has dice of its own, thrown once for each occasion, so that one fault does not move another.
    """

    def __init__(self, rates: Mapping[str, float], seed: object, counts: Counter[str]) -> None:
        if not isinstance(rates, Mapping):
            raise ValueError(f"faults are rates by name, such as {{'hang': 0.1}}, not {rates!r}")  # noqa: TRY004 - as for all else
        self._rates: dict[str, float] = {}
        self._next: Counter[str] = Counter()
        self._dice = {name: Random(f"{seed}/{name}") for name in FAULTS}
        self.counts = counts
        self.update(rates)

    def __getitem__(self, name: str) -> float:
        return self._rates.get(known(name), 0.0)

    def __setitem__(self, name: str, rate: float) -> None:
        if not isinstance(rate, int | float) or not 0 <= rate <= 1:
            raise ValueError(f"the rate of {known(name)} is between 0 and 1, not {rate!r}")
        self._rates[known(name)] = float(rate)

    def __delitem__(self, name: str) -> None:
        self._rates.pop(known(name), None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._rates)

    def __len__(self) -> int:
        return len(self._rates)

    @property
    def active(self) -> bool:
        """Whether anything can go wrong at all."""
        return bool(self._rates or self._next)

    def once(self, name: str, times: int = 1) -> None:
        """Let a fault strike on its next occasion, or on the next ``times``, whatever its rate."""
        self._next[known(name)] += times

    def strikes(self, name: str) -> bool:
        """Throw the dice for one occasion of one fault."""
        if name in self._next:
            self._next.subtract([name])
            self._next = +self._next  # without the names that are used up
        elif name not in self._rates or self._dice[name].random() >= self._rates[name]:
            return False
        self.counts[name] += 1
        return True

    def first(self, names: Iterable[str]) -> str | None:
        """The first of the named faults that strikes, None if all is well."""
        if not self.active:
            return None
        return next((name for name in names if self.strikes(name)), None)

    def choose(self, name: str, values: list[int]) -> int:
        """One of several ways in which a fault shows."""
        return self._dice[name].choice(values)


def known(name: str) -> str:
    """The name, if it is one; else ValueError that lists all names."""
    if name not in FAULTS:
        raise ValueError(f"no fault is called {name!r}; there are: {', '.join(sorted(FAULTS))}")
    return name
