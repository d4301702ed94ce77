"""Looks that lie."""

import pytest


async def test_a_foreign_answer_is_about_another_task(ask, ask_old, gateway, old):
    """foreign_id: the id answered was not asked for, and it claims SUCCESS."""
    for call, where in ((ask, gateway), (ask_old, old)):
        task_id = where.seed_tasks(1)[0]
        where.faults.once("foreign_id")
        row = (await call("GET", f"/suno/fetch/{task_id}")).data
        assert row["task_id"] != task_id
        assert len(row["task_id"]) == len(task_id)
        assert row["status"] == "SUCCESS"
        assert (await call("GET", f"/suno/fetch/{task_id}")).data["task_id"] == task_id


async def test_a_status_goes_back_once(ask, gateway):
    """regression: a task that has begun shows NOT_START at one look, then the truth for ever."""
    gateway.faults["regression"] = 1.0
    fresh, begun = gateway.seed_tasks(1, status="NOT_START")[0], gateway.seed_tasks(1)[0]
    seen = [(await ask("GET", f"/suno/fetch/{begun}")).data["status"] for _ in range(3)]
    assert seen == ["NOT_START", "IN_PROGRESS", "IN_PROGRESS"]
    assert (await ask("GET", f"/suno/fetch/{fresh}")).data["status"] == "NOT_START"
    assert gateway.counts["regression"] == 1


@pytest.mark.parametrize("rate", [0.0, 1.0])
async def test_a_success_comes_without_its_url_first(ask, gateway, rate):
    """success_without_url: two looks at a SUCCESS find no audio_url, the third does; lyrics keep their text."""
    gateway.faults["success_without_url"] = rate
    song, words, running = gateway.put(), gateway.put(action="LYRICS"), gateway.seed_tasks(1)[0]
    asked = {"ids": [song, words, running]}
    seen = []
    for _ in range(4):
        found, lyrics, _streaming = (await ask("POST", "/suno/fetch", json=asked)).data
        assert lyrics["data"]["text"]
        seen.append(all(clip["audio_url"] for clip in found["data"]))
    assert seen == ([False, False, True, True] if rate else [True] * 4)
