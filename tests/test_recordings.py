"""Every recorded answer, byte for byte through the public door: it ends as its ``expect`` says."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from wire import HASTY, Call, Unhurt, Wire, answer, seen

import suno_async
from suno_async import Adaptive, Fixed, Inspiration, Status, Submission, Suno, Task, TaskFailed, UnexpectedResponse
from suno_async.protocol.limits import RESUBMIT_ON

KEY = "sk-0123456789abcdef"
FILES = sorted(Path(__file__).with_name("recordings").glob("*.json"))
RECORDINGS = {path.name: json.loads(path.read_text()) for path in FILES}
ASKED = {"GET /suno/fetch/{task_id}": "fetch", "POST /suno/fetch": "fetch_many", "POST /suno/submit/": "submit"}
ELSEWHERE = [
    "feed-bare-list.json",
    "live-2026-unknown-path.json",
    "live-2026-v1-path.json",
    "timing.json",
    "wav-direct.json",
    "wav-enveloped.json",
]
"""Answers of endpoints that this version does not ask."""


def bytes_of(recording: dict[str, Any]) -> bytes:
    """The answer as it came: status, content type, headers and body."""
    kind = recording["content_type"]
    headers = ({"Content-Type": kind} if kind else {}) | (recording.get("headers") or {})
    body = recording["body"]
    payload = (body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)).encode()
    return answer(payload, recording["status"], headers)


def asking(verb: str) -> list[str]:
    beginning = next(ask for ask in ASKED if ASKED[ask] == verb)
    return [name for name, recording in RECORDINGS.items() if recording["ask"].startswith(beginning)]


def those(verb: str, wanted: Callable[[dict[str, Any]], object] = bool) -> list[str]:
    found = [name for name in asking(verb) if wanted(RECORDINGS[name]["expect"])]
    assert found
    return found


def id_in(recording: dict[str, Any]) -> str:
    """The id that the recording is about, or any."""
    data = recording["body"]["data"] if isinstance(recording["body"], dict) and "data" in recording["body"] else None
    for row in data if isinstance(data, list) else [data]:
        if isinstance(row, dict) and "task_id" in row:
            return row["task_id"]
    return "task_1"


READ: dict[str, Callable[[Task], Any]] = {
    "status": lambda task: task.status.name,
    "action": lambda task: task.action,
    "done": lambda task: task.done,
    "succeeded": lambda task: task.succeeded,
    "failed": lambda task: task.failed,
    "playable": lambda task: task.playable,
    "songs": lambda task: len(task.songs),
    "song_id": lambda task: task.songs[0].id,
    "title": lambda task: task.songs[0].title,
    "duration": lambda task: task.songs[0].duration,
    "audio_url": lambda task: task.songs[0].audio_url,
    "lyrics_title": lambda task: task.lyrics and task.lyrics.title,
    "seconds_taken": lambda task: (task.finish_time - task.submit_time).total_seconds(),
    "submit_time": lambda task: task.submit_time and task.submit_time.timestamp(),
    "start_time": lambda task: task.start_time and task.start_time.timestamp(),
    "fail_reason": lambda task: task.fail_reason,
    "playable_songs": lambda task: sum(song.playable for song in task.songs),
    # how it ends is another test's
    "frozen_failure": lambda task: not task.done,
}


def check(task: Task, expect: dict[str, Any], *without: str) -> None:
    for fact, value in expect.items():
        if fact not in without:
            assert READ[fact](task) == value, fact


def error_of(expect: dict[str, Any]) -> type[Exception]:
    return getattr(suno_async, expect["error"])


def is_final(expect: dict[str, Any]) -> bool:
    return "succeeded" in expect or "failed" in expect or expect.get("status") in {"SUCCESS", "FAILURE"}


@pytest.mark.parametrize("name", those("fetch", lambda expect: not {"error", "transient"} & set(expect)))
async def test_a_recorded_task_is_read(name):
    """``fetch`` gives what the recording says, and asks once (twice where the first answer named no task)."""
    recording = RECORDINGS[name]
    async with Wire(bytes_of(recording)) as wire, Suno(wire.url, api_key=KEY, rng=Unhurt()) as suno:
        task = await suno.fetch(id_in(recording))
        check(task, recording["expect"])
        assert task.task_id == id_in(recording)
        assert wire.asked == (2 if name == "payload-only.json" else 1)
        for secret in ("user_id", "channel_id", "group", "quota"):
            assert secret not in repr(task)


@pytest.mark.parametrize("name", those("fetch", lambda expect: "error" in expect))
async def test_a_recorded_refusal_of_a_look_is_that_error(name):
    """``fetch`` raises the recorded class itself, which names the id."""
    recording = RECORDINGS[name]
    async with Wire(bytes_of(recording)) as wire, Suno(wire.url, api_key=KEY, rng=Unhurt()) as suno:
        with pytest.raises(error_of(recording["expect"])) as caught:
            await suno.fetch("task_1")
        assert type(caught.value) is error_of(recording["expect"])
        assert caught.value.task_id == "task_1"
        assert wire.asked <= 3
        sent = (recording.get("headers") or {}).get("X-Oneapi-Request-Id")
        assert getattr(caught.value, "request_id", sent) == sent


@pytest.mark.parametrize("name", those("fetch", lambda expect: "transient" in expect))
async def test_a_recorded_answer_without_news_changes_nothing(name):
    """``fetch`` ends in UnexpectedResponse after three tries; a ``wait`` goes on and gets its song."""
    recording = RECORDINGS[name]
    async with Wire(bytes_of(recording)) as wire, Suno(wire.url, api_key=KEY, rng=Unhurt()) as suno:
        with pytest.raises(UnexpectedResponse):
            await suno.fetch("task_1")
        assert wire.asked == 3
    async with Wire(bytes_of(recording), seen) as wire, Suno(wire.url, api_key=KEY, pace=Fixed(0.01)) as suno:
        assert (await suno.wait("task_1")).succeeded
        assert wire.asked == 2


@pytest.mark.parametrize("name", those("fetch", lambda expect: is_final(expect) or "playable" in expect))
@pytest.mark.parametrize("until", ["done", "playable"])
async def test_a_wait_for_a_recorded_task_ends_as_it_says(name, until):
    """SUCCESS is the result of ``wait``, FAILURE raises TaskFailed; what only plays ends a wait for that."""
    recording = RECORDINGS[name]
    expect = recording["expect"]
    steps = (bytes_of(recording),) if is_final(expect) else (bytes_of(recording),) * 3 + (seen,)
    async with Wire(*steps) as wire, Suno(wire.url, api_key=KEY, pace=Fixed(0.01)) as suno:
        if expect.get("failed") or expect.get("status") == "FAILURE":
            with pytest.raises(TaskFailed) as caught:
                await suno.wait(id_in(recording), until=until)
            assert caught.value.task is not None
            assert caught.value.reason == caught.value.task.fail_reason
            check(caught.value.task, expect)
            return
        task = await suno.wait(id_in(recording), until=until)
        if is_final(expect) or until == "playable":
            check(task, expect)
        else:
            assert task.succeeded
            assert wire.asked == 4


@pytest.mark.parametrize("anyio_backend", [HASTY], ids=["hasty"])
@pytest.mark.parametrize("name", those("fetch", lambda expect: "frozen_failure" in expect))
async def test_a_frozen_row_ends_as_failed(name, anyio_backend):
    """A row with a reason that never changes again is a failure after three looks and a minute, not at the deadline."""
    recording = RECORDINGS[name]
    async with Wire(bytes_of(recording)) as wire, Suno(wire.url, api_key=KEY, pace=Adaptive()) as suno:
        began = anyio.current_time()
        with pytest.raises(TaskFailed) as caught:
            await suno.wait(id_in(recording))
        assert 60 <= anyio.current_time() - began < 120
        assert wire.asked >= 3
        assert caught.value.inferred
        assert caught.value.task is not None
        assert caught.value.task.failed
        assert caught.value.reason == recording["body"]["data"]["fail_reason"]


@pytest.mark.parametrize("name", those("fetch_many", lambda expect: "error" not in expect))
async def test_a_recorded_batch_is_read(name):
    """``fetch_many`` gives each id its own row, in the order asked, and None where there is none, in one request."""
    recording = RECORDINGS[name]
    expect = recording["expect"]
    here = expect.get("ids", [id_in(recording)])
    asked = [*sorted(here), *expect.get("missing", []), "task_nobody_knows", "task_unknown_too"]
    async with Wire(bytes_of(recording)) as wire, Suno(wire.url, api_key=KEY, rng=Unhurt()) as suno:
        tasks = await suno.fetch_many(asked)
        assert list(tasks) == asked
        assert {task_id for task_id, task in tasks.items() if task is not None} == set(here)
        for task_id in here:
            task = tasks[task_id]
            assert task is not None
            assert task.task_id == task_id
            check(task, expect, "ids", "missing")
        assert wire.asked == 1


@pytest.mark.parametrize("name", those("fetch_many", lambda expect: "error" in expect))
async def test_a_recorded_refusal_of_a_batch_is_that_error_once_each_id_bears_it(name):
    """The batch is halved down to single looks; when those are refused too, that is the error, with all ids in it."""
    recording = RECORDINGS[name]
    async with Wire(bytes_of(recording)) as wire, Suno(wire.url, api_key=KEY, timeout=5, rng=Unhurt()) as suno:
        with pytest.raises(error_of(recording["expect"])) as caught:
            await suno.fetch_many(["a", "b"])
        assert type(caught.value) is error_of(recording["expect"])
        assert set(caught.value.task_ids) <= {"a", "b"}
        assert {call.method for call in wire.calls} == {"POST", "GET"}


@pytest.mark.parametrize("name", those("fetch_many", lambda expect: "error" in expect))
async def test_a_recorded_refusal_of_a_batch_costs_no_healthy_id(name):
    """Where only the batch is refused, every id is found by looks of its own."""
    recording = RECORDINGS[name]

    def step(call: Call) -> bytes:
        return bytes_of(recording) if call.method == "POST" else seen(call)

    async with Wire(step) as wire, Suno(wire.url, api_key=KEY, rng=Unhurt()) as suno:
        tasks = await suno.fetch_many(["a", "b", "c"])
        assert [task and task.status for task in tasks.values()] == [Status.SUCCESS] * 3


def submitted(recording: dict[str, Any]) -> Inspiration | Submission:
    action = recording["ask"].rpartition("/")[2]
    return Inspiration("a song about a cat") if action == "music" else Submission(action, {"clip_id": "c"})


@pytest.mark.parametrize("name", those("submit", lambda expect: "task_id" in expect))
async def test_a_recorded_acceptance_is_a_job(name):
    """``submit`` gives the recorded id, and has asked once."""
    recording = RECORDINGS[name]
    async with Wire(bytes_of(recording)) as wire, Suno(wire.url, api_key=KEY, rng=Unhurt()) as suno:
        job = await suno.submit(submitted(recording))
        assert job.task_id == recording["expect"]["task_id"]
        assert [f"{call.method} {call.path}" for call in wire.calls] == [recording["ask"]]


@pytest.mark.parametrize("name", those("submit", lambda expect: "error" in expect))
async def test_a_recorded_refusal_of_a_submission_is_that_error(name):
    """``submit`` raises the recorded class itself; it has asked once, or five times where nothing is charged for it."""
    recording = RECORDINGS[name]
    async with Wire(bytes_of(recording)) as wire, Suno(wire.url, api_key=KEY, rng=Unhurt()) as suno:
        with pytest.raises(error_of(recording["expect"])) as caught:
            await suno.submit(submitted(recording))
        assert type(caught.value) is error_of(recording["expect"])
        assert wire.asked == (5 if recording["status"] in RESUBMIT_ON else 1)
        sent = (recording.get("headers") or {}).get("X-Oneapi-Request-Id")
        held = caught.value.intent if isinstance(caught.value, suno_async.SubmitUnknown) else caught.value
        assert held is not None
        assert held.request_id == sent


def test_every_recording_is_used():
    """No recording is passed over: each is asked for by a verb here, or is an answer of an endpoint nobody asks."""
    used = [name for verb in ("fetch", "fetch_many", "submit") for name in asking(verb)]
    assert len(RECORDINGS) > 60
    assert sorted(set(RECORDINGS) - set(used)) == ELSEWHERE


def test_every_expectation_is_checked():
    """A word in ``expect`` that no test here reads would be passed over in silence."""
    known = {*READ, "error", "transient", "ids", "missing", "task_id"}
    for name in asking("fetch") + asking("fetch_many") + asking("submit"):
        assert set(RECORDINGS[name]["expect"]) <= known, name
