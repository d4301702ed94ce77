"""What a fault must come to: for one look, for a wait, for a bulk wait, and for a submission, which costs money."""

from collections.abc import Awaitable, Callable
from random import Random
from typing import Any, NamedTuple

import anyio
from wire import Call, Step, Unhurt, Wire, answer, follow, seen, until

from suno_async import (
    Fixed,
    GatewayUnavailable,
    Inspiration,
    RequestRejected,
    SubmitUnknown,
    Suno,
    SunoError,
    Task,
)

KEY = "sk-0123456789abcdefABCDEF"
CAT = Inspiration("a song about a cat")
TASK_IDS = ("task_1", "task_2", "task_3")
ACCEPTED, REJECTED, UNAVAILABLE, UNKNOWN = "accepted", "rejected", "unavailable", "unknown"
_MOST_RESENT = 6
"""A submission that was refused before anything happened (425, 429, 503 in JSON) is sent again five times at most."""
Loop = tuple[str, dict[str, object]]


class Patient(Random):
    """Dice that always show the most: every retry waits for as long as it may."""

    def random(self) -> float:
        """Almost 1."""
        return 0.99


class Fault(NamedTuple):
    """One way to answer badly, and what must come of it."""

    step: Step
    look: type[SunoError] | None
    """What one look raises at a gateway that says nothing else; None where it reads the task all the same."""
    submit: str
    wait: type[SunoError] | None = None
    """What ends a wait; None where it goes on."""
    resent: bool = False
    """A submission may be sent again: this answer says that it was refused before anything happened."""


def whole(call: Call) -> bytes:
    """What a well-behaved gateway answers, to looks and to submissions."""
    if "/submit/" in call.path:
        return answer({"code": "success", "message": "", "data": "task_1"})
    return seen(call)


def spoiled(damage: Callable[[bytes], bytes]) -> Step:
    """The right answer, its JSON damaged on the way; the length is that of what is sent."""

    def step(call: Call) -> bytes:
        return answer(damage(whole(call).partition(b"\r\n\r\n")[2]))

    return step


def client(url: str, **options: Any) -> Suno:
    """A client in a hurry, whose retries wait for no longer than they must."""
    return Suno(url, **{"api_key": KEY, "pace": Fixed(1.0), "rng": Unhurt(), "timeout": 20.0} | options)


async def assert_look(fault: Fault, **options: Any) -> None:
    """One look raises what it must, within three requests, and the next look at a healed gateway is fine."""
    healed = False

    async def step(call: Call) -> bytes | None:
        return await follow(whole if healed else fault.step, call)

    async with Wire(step) as wire, client(wire.url, **options) as suno:
        caught: SunoError | None = None
        try:
            task = await suno.fetch("task_1")
        except SunoError as error:
            caught = error
        assert type(caught) is (fault.look or type(None)), caught
        if caught is None:
            assert_song(task)
        else:
            assert_fit_to_be_shown(caught)
            assert caught.task_id == "task_1"
        assert 1 <= wire.asked <= 3
        healed = True
        assert_song(await suno.fetch("task_1"))
        await until(lambda: wire.open <= 1)


def assert_song(task: Task) -> None:
    """The task as the well-behaved gateway has it: nothing that can be played was lost."""
    assert (task.task_id, task.status, task.playable) == ("task_1", "SUCCESS", True)
    assert task.songs[0].audio_url == "https://cdn.example/task_1.mp3"


def assert_fit_to_be_shown(error: SunoError) -> None:
    """One line, not too long, without the key."""
    text = str(error)
    assert text.isprintable()
    assert len(text) < 400
    assert KEY[3:] not in text
    assert error.__cause__ is None


def then_healed(fault: Fault) -> tuple[Step, ...]:
    """In progress; the fault, twice; from then on all is well."""

    def first(call: Call) -> bytes:
        return seen(call, "IN_PROGRESS")

    return first, fault.step, fault.step, whole


async def assert_wait(fault: Fault, **options: Any) -> None:
    """A wait at what is known to be a gateway goes on to the song; only a refused key ends it."""
    async with Wire(*then_healed(fault)) as wire, client(wire.url, **options) as suno:
        with anyio.fail_after(900):
            caught: SunoError | None = None
            try:
                assert_song(await suno.wait("task_1", timeout=600))
            except SunoError as error:
                caught = error
        assert type(caught) is (fault.wait or type(None)), caught
        assert caught is None or caught.task_ids == ("task_1",)
        assert wire.asked >= 2


async def assert_many(fault: Fault, **options: Any) -> None:
    """A bulk wait goes on to all songs, each once; only a refused key ends it."""
    async with Wire(*then_healed(fault)) as wire, client(wire.url, **options) as suno:
        done: list[str] = []
        caught: SunoError | None = None
        with anyio.fail_after(900):
            try:
                done = [task.task_id async for task in suno.as_completed(TASK_IDS, timeout=600)]
            except SunoError as error:
                caught = error
        assert type(caught) is (fault.wait or type(None)), caught
        assert sorted(done) == ([] if fault.wait else list(TASK_IDS))


async def assert_submission(fault: Fault, **options: Any) -> None:
    """A submission ends as it must, and nothing that may have been accepted is sent twice, whoever waits or closes."""
    async with Wire(fault.step) as wire:
        async with client(wire.url, **options) as suno:
            outcome = await outcome_of(suno.submit(CAT), wire)
        assert outcome == fault.submit
        assert 1 <= wire.asked <= (_MOST_RESENT if fault.resent else 1)
        for call in wire.calls:
            assert (call.method, call.path) == ("POST", "/suno/submit/music")
            assert b"a song about a cat" in call.body
        await until(lambda: wire.open == 0)


async def outcome_of(submission: Awaitable[Any], wire: Wire) -> str:
    """The outcome in one word; the errors say what is known."""
    caught: SunoError | None = None
    try:
        job = await submission
    except SunoError as error:
        caught = error
    if caught is None:
        assert job.task_id == "task_1"
        return ACCEPTED
    assert_fit_to_be_shown(caught)
    if isinstance(caught, SubmitUnknown):
        assert caught.intent is not None
        assert caught.intent.sent
        assert caught.intent.body == wire.posts[0].body
        return UNKNOWN
    if isinstance(caught, RequestRejected):
        assert caught.status >= 200
        return REJECTED
    assert isinstance(caught, GatewayUnavailable)
    return UNAVAILABLE
