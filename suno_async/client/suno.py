"""Suno: the verbs of an open client."""

import logging
import os
from collections.abc import Callable, Collection
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Self

from ..engine.streams import Stream, TaskIds
from ..engine.transport import Transport
from ..engine.waits import Glance, Until, ending
from ..protocol.batch import Batch
from ..protocol.errors import ConfigurationError, GatewayUnavailable, SunoError
from ..protocol.experience import Experience
from ..protocol.inputs import (
    Secret,
    check_count,
    check_flag,
    check_idempotency_key,
    check_random,
    check_rate,
    check_seconds,
    check_task_id,
    check_timeout,
    read_address,
)
from ..protocol.intents import Intent
from ..protocol.limits import RESUBMIT_ON, Budget
from ..protocol.models import Task
from ..protocol.pace import Pace, check_pace
from ..protocol.requests import Submittable, submission
from .arguments import TIMEOUT, check_account, check_path, check_statuses, check_wait, collected, iterable, place_of
from .endpoints import Endpoints
from .job import Job
from .runtime import Runtime

if TYPE_CHECKING:
    from ..engine.journal import Journal
    from ..protocol.profiles import Profile
    from ..protocol.reconciliation import Verdict

logger = logging.getLogger("suno_async")

_MOST_IN_A_BATCH = 5000
"""A gateway on SQLite answers 500 to 32,767 ids, and needs 50 ms for 5,000."""


class Suno(Endpoints):
    """A client of one Suno-compatible gateway; open it with ``async with``.

    Args:
        base_url: such as ``https://gateway.example``; without it, ``SUNO_BASE_URL``. ``http://`` only to this machine,
            or with ``allow_insecure=True``.
        api_key: the bearer key, or a function that gives it (asked again when the gateway refuses the key); without
            it, ``SUNO_API_KEY``.
        pace: when to look: ``Adaptive()``, ``Backoff()``, ``Fixed(5)``.
        concurrency: looks in flight at once.
        batch_size: ids in one look; 1 never uses the gateway's batch route.
        rate: requests a second at most, for everything this client does; None for no limit.
        timeout: seconds for one ``fetch``, or for one request of a bulk look, its retries included.
        submissions: submissions in flight at once; they do not count against ``concurrency``.
        resubmit_on: statuses after which a submission is sent again, up to four times: answered so, it is neither
            accepted nor charged. Empty: never.
        profile: how this gateway's paths differ from stock's: a name of ``PROFILES`` ("v1", "bltcy", "uniapi", ...), or
            a ``Profile`` of your own. Nothing is guessed.
        journal: a file, made if it is not there, that keeps every submission and wait across crashes; one for each
            client, of one account. There are prompts in it, and no key; what has ended stays for 30 days.
        rng: the one source of randomness (jitter).

    Raises:
        ConfigurationError: a value cannot be right; the message says what to do.
        JournalError: on opening, the journal is in use, damaged, or cannot be written.
    """

    _base = ""  # tools that show the locals of frames ask a client that was refused for its repr

    def __init__(
        self,
        base_url: str | None = None,
        *,
        api_key: str | Callable[[], str] | None = None,
        pace: Pace | None = None,
        concurrency: int = 16,
        batch_size: int = 100,
        rate: float | None = None,
        timeout: float = 30.0,
        submissions: int = 8,
        resubmit_on: Collection[int] = RESUBMIT_ON,
        profile: "str | Profile" = "stock",
        journal: str | os.PathLike[str] | None = None,
        allow_insecure: bool = False,
        rng: Random | None = None,
    ) -> None:
        # from here on no frame of ours has the key among its locals
        api_key = key = Secret(api_key if api_key is not None else os.environ.get("SUNO_API_KEY"))  # type: ignore[assignment]
        if not key.renewable:
            key.reveal()
        url = base_url if base_url is not None else os.environ.get("SUNO_BASE_URL")
        address = read_address(url, allow_insecure=allow_insecure)
        self._timeout = check_seconds("timeout", timeout)
        looks = check_count("concurrency", concurrency, 1000)
        self._budget = Budget(check_rate("rate", rate))
        self._runtime = Runtime(
            Transport(address, key, timeout=self._timeout, concurrency=looks, place=place_of(profile)),
            None if journal is None else _journal_at(check_path("journal", journal), address.base),
            gateway=address.base,
            timeout=self._timeout,
            pace=check_pace(pace),
            batch=Batch(check_count("batch_size", batch_size, _MOST_IN_A_BATCH)),
            budget=self._budget,
            looks=looks,
            submissions=check_count("submissions", submissions, 1000),
            resubmit_on=check_statuses("resubmit_on", resubmit_on),
            rng=check_random("rng", rng) or Random(),
        )
        self._base = address.base
        if address.stripped_v1:
            logger.warning("the /v1 at the end of the base URL was left out: gateways answer there with 404")

    def __repr__(self) -> str:
        return f"Suno({self._base!r})"

    # opening and closing

    async def __aenter__(self) -> Self:
        await self._runtime.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes the client: open waits end with ClientClosed, submissions that were sent are read to their end."""
        await self._runtime.close()

    # looking

    async def fetch(self, task_id: str) -> Task:
        """The task as it is now: one look.

        Transient faults are tried again at most twice, within the client's ``timeout``.

        Raises:
            TaskNotFound: the gateway does not know the id (for a moment after a submission that is normal).
            Unauthorized, RateLimited, RequestRejected: the gateway said no.
            GatewayUnavailable, UnexpectedResponse: no answer that could be read.
            ConfigurationError: the id is no id, or the base URL leads to no gateway.
            ClientClosed: the client was closed.
        """
        self._runtime.check_open()
        try:
            task = await self._runtime.lane.fetch(check_task_id(task_id), self._timeout)
        except GatewayUnavailable:
            if self._runtime.over is not None:
                raise ending(self._runtime.over, (task_id,)) from None
            raise
        self._runtime.fetched(task)
        return task

    async def fetch_many(self, task_ids: TaskIds) -> dict[str, Task | None]:
        """The tasks as they are now, in the order asked; None for an id that the gateway does not know.

        One look at each id, many in a request. What goes wrong is tried again at most twice.

        Raises:
            SunoError: as in ``fetch``; ``.tasks`` is what was seen, ``.task_ids`` what was not.
        """
        self._runtime.check_open()
        ids = await collected(task_ids)
        glance = Glance(ids, self._timeout, self._runtime.tracker.leave_all)
        if not ids:
            return glance.found
        try:
            await self._runtime.tracker.admit(ids, glance, at_once=True)
            if self._runtime.tracker.paused or self._budget.rate is None:
                # only a budget may keep what comes further apart than that
                glance.hurry()
            await glance.future
        except SunoError as error:
            # closed before all ids were let in: the others have to be named too
            glance.stopped(error)
            await glance.future
        finally:
            glance.close()
        return glance.found

    async def wait(self, task_id: str, *, timeout: float | None = TIMEOUT, until: Until = "done") -> Task:
        """The task once it has succeeded, or with ``until="playable"`` as soon as a song can be streamed.

        Nothing but a final answer, ``timeout`` seconds (None for no end) or a refused key ends it: outages are
        waited out.

        Raises:
            TaskFailed: with ``.task``, which keeps the songs that can be played.
            TaskNotFound: the gateway does not know the id, and goes on not to know it.
            WaitTimeout: ``.task`` is what was last seen; the task runs on.
            Unauthorized: the key is refused; the task runs on.
            ClientClosed: the client was closed.
        """
        self._runtime.check_open()
        check_task_id(task_id)
        return await self._runtime.wait(task_id, check_wait(timeout, until), until)

    def as_completed(self, task_ids: TaskIds, *, timeout: float | None = TIMEOUT) -> Stream:
        """Each task once, SUCCESS or FAILURE, as they finish.

        The ids come from any iterable or async iterable and are asked for once each.

        Raises, at the end of the iteration:
            ExceptionGroup: of the ids that ended otherwise, such as TaskNotFound, each error with ``.task_ids``.
            WaitTimeout, Unauthorized, ClientClosed: ``.task_ids`` are still open.
        """
        return self._stream(task_ids, timeout, changes=False)

    def watch(self, task_ids: TaskIds, *, timeout: float | None = TIMEOUT) -> Stream:
        """Every visible change of each task, until all are final.

        A slow reader gets the latest state of each id; final states are never dropped. Raises as ``as_completed``.
        """
        return self._stream(task_ids, timeout, changes=True)

    def _stream(self, task_ids: TaskIds, timeout: float | None, *, changes: bool) -> Stream:
        self._runtime.check_open()
        ids, seconds = iterable(task_ids), check_timeout("timeout", timeout)
        return Stream(ids, ledger=self._runtime.tracker, spawn=self._runtime.spawn, changes=changes, timeout=seconds)

    # submitting

    async def submit(self, body: Submittable, *, idempotency_key: str | None = None) -> Job:
        """The job of an accepted submission.

        It is sent once, and again only where it is proven that nothing was accepted. With a journal, the intent is on
        the disk before its first byte leaves, and the outcome before this returns; an ``idempotency_key`` that was
        used before in this journal, also by a process that crashed, gives the job of that time, and nothing is sent.
        Cancelled once it may have left, it reads on for up to 30 s; what came of it is in the journal and the log.

        Raises:
            ConfigurationError: what is submitted cannot be right, or its key was used for something else.
            RequestRejected: the gateway said no (QuotaExceeded, RateLimited, Unauthorized); nothing is charged.
            GatewayUnavailable: it could not be sent, or the gateway cannot take it now; nothing is charged.
            SubmitUnknown: nobody can tell whether it was accepted; ``.intent`` says what is known.
            JournalError: it could not be written down, so it was not sent; or, with ``.task_id``, it was accepted.
        """
        self._runtime.check_open()
        request = submission(body)
        if idempotency_key is not None:
            check_idempotency_key(idempotency_key)
            self._journal("idempotency_key")
        return Job(self, await self._runtime.submissions.submit(request, idempotency_key=idempotency_key))

    async def run(
        self,
        body: Submittable,
        *,
        timeout: float | None = TIMEOUT,
        until: Until = "done",
        idempotency_key: str | None = None,
    ) -> Task:
        """The task of a submission once it has succeeded: ``submit`` and ``wait`` in one, raising what they raise."""
        seconds = check_wait(timeout, until)
        job = await self.submit(body, idempotency_key=idempotency_key)
        return await job.wait(timeout=seconds, until=until)

    # after a crash

    async def resume(self) -> list[Job]:
        """The tasks of this gateway that the journal has as not ended, the oldest first: wait for them to go on."""
        self._runtime.check_open()
        tasks = await self._journal("resume()").open_tasks()
        for task in tasks:
            if task.submitted:
                self._runtime.tracker.submitted(task.task_id, task.action, task.age)
        return [Job(self, task.task_id) for task in tasks]

    async def unknown(self) -> list[Intent]:
        """The submissions to this gateway of which nobody can tell what came of them, the oldest first.

        They are never sent again on their own. Those that are on their way just now are not among them.
        """
        self._runtime.check_open()
        intents = await self._journal("unknown()").undecided()
        under_way = self._runtime.submissions.under_way
        return [intent for intent in intents if intent.intent_id not in under_way]

    async def reconcile(
        self, *, access_token: str | None = None, user_id: int | None = None, exclusive_key: bool = False
    ) -> "list[Verdict]":
        """What the gateway's own accounts say about each of the ``unknown()`` submissions, each with its evidence.

        ADOPTED: its task was found, and is among those of ``resume()`` now. NOT_CHARGED: it was not accepted and may
        be submitted again. CHARGED: it was paid for, but its id is not known; it stays among the unknown ones.
        UNDECIDED: the accounts do not tell, or not yet: the evidence says when to ask again. Nothing is ever
        submitted here.

        The key's charges are asked for once (new-api 2026; that of 2025 shows none to a key), and say nothing of what
        another key sent. That something is not among them counts only between two submissions of this journal that
        are, one twelve minutes later: a log may be switched off. Tasks can be found only with the ``access_token`` of
        the user, from the settings page, and the user's number. ``exclusive_key``: nothing but this one journal
        submits with this account, no other journal, key or page, and no ``chat()`` about that time, so that what
        nothing else explains is ours; without it no task is adopted.

        Raises:
            ConfigurationError: there is no journal, or one of the two without the other.
        """
        access_token = token = None if access_token is None else Secret(access_token)  # type: ignore[assignment]
        self._runtime.check_open()
        account, alone = check_account(token, user_id), check_flag("exclusive_key", exclusive_key)
        from .settlement import Settlement  # noqa: PLC0415 - few have anything to settle

        settlement = Settlement(self._runtime.lane, self._journal("reconcile()"), self._timeout)
        return await settlement.settle(await self.unknown(), account, exclusive=alone)

    def experience(self) -> Experience:
        """What this client knows of when to look, also once it is closed; ``explain`` makes a text of it.

        ``Adaptive(experience=...)`` goes on from there, with a journal by itself. Other paces learn nothing.
        """
        if self._runtime.runner is None:
            self._runtime.check_open()
        return self._runtime.tracker.schedule.experience()

    async def forget(self, name: str) -> bool:
        """Takes the intent or the task of this id out of the journal; True if it was there.

        An unknown submission that you have settled otherwise is forgotten so. With an intent its idempotency key is
        free again: to submit with it once more is charged once more. A task that is forgotten is not in ``resume()``.
        """
        self._runtime.check_open()
        if not isinstance(name, str):
            raise ConfigurationError("forget() takes the id of a task or of an intent, as text")
        if name in self._runtime.submissions.under_way:
            raise ConfigurationError("this submission is on its way: its outcome will be written down")
        return await self._journal("forget()").forget(name) > 0

    def _journal(self, what: str) -> "Journal":
        if self._runtime.journal is None:
            raise ConfigurationError(f"{what} needs a journal: Suno(..., journal='suno.journal')")
        return self._runtime.journal


def _journal_at(path: Path, gateway: str) -> "Journal":
    # SQLite is loaded only for those who want it
    from ..engine.journal import Journal  # noqa: PLC0415

    return Journal(path, gateway)
