"""Every clip and every persona."""

import pytest

from suno_async.testing.gateway.answers import RefusalError
from suno_async.testing.gateway.library import Library


@pytest.fixture
def library(private):
    return Library(private._desk)


async def test_clips_are_found_once_their_task_shows_them(private, library, ask_private, row_of):
    """Not while it is queued; then streaming, then complete, always with one length and one text."""
    task_id = (await ask_private("POST", "/suno/submit/music", json={"prompt": "la", "title": "T"})).data
    row = row_of(private, task_id)
    private.finish(task_id)
    clip_id = (await ask_private("GET", f"/suno/fetch/{task_id}")).data["data"][1]["id"]
    found = {}
    for status in ("NOT_START", "QUEUED", "IN_PROGRESS", "SUCCESS"):
        row.status = status
        private._desk.encoder.forget(row)
        clip = found[status] = library.find(clip_id, 1)
        assert clip is None or clip.complete == (status == "SUCCESS")
    assert (found["NOT_START"], found["QUEUED"]) == (None, None)
    assert [found[status].shown["status"] for status in ("IN_PROGRESS", "SUCCESS")] == ["streaming", "complete"]
    assert found["IN_PROGRESS"].length == found["SUCCESS"].length == found["SUCCESS"].shown["duration"]
    assert (found["SUCCESS"].words, found["SUCCESS"].metadata["type"]) == ("la", "gen")


async def test_planted_tasks_have_clips_too(private, library, ask_private):
    """Also those that were planted after the first search, and those of a table that was searched in vain."""
    assert library.find("nobody's", 1) is None
    for task_id in (private.put(), private.seed_tasks(1)[0]):
        clip = (await ask_private("GET", f"/suno/fetch/{task_id}")).data["data"][0]
        assert library.find(clip["id"], 1).shown == clip
    assert library.find("nobody's", 1) is None


async def test_a_clip_is_its_accounts(private, library, clips_of):
    """To another account it does not exist."""
    clip = (await clips_of(prompt="la"))[0]
    assert library.get(clip["id"], 1).id == clip["id"]
    with pytest.raises(RefusalError, match="clip not found"):
        library.get(clip["id"], 2)


async def test_the_clips_of_a_failure_are_gone(private, library, ask_private):
    """They show in their task, and cannot be used."""
    task_id = private.seed_tasks(1)[0]
    private.fail(task_id)
    clip = (await ask_private("GET", f"/suno/fetch/{task_id}")).data["data"][0]
    assert library.find(clip["id"], 1).shown == clip
    with pytest.raises(RefusalError, match="record not found"):
        library.get(clip["id"], 1)


async def test_what_a_test_shows_instead_counts(private, library, ask_private, clips_of):
    """A task whose data a test has set has the clips of that data only, however poor."""
    task_id = private.put()
    clip_id = (await ask_private("GET", f"/suno/fetch/{task_id}")).data["data"][0]["id"]
    private.finish(task_id, data=None)
    assert library.find(clip_id, 1) is None
    private.finish(task_id, data=[{"title": "x"}])
    assert library.find(clip_id, 1) is None
    private.finish(task_id, data=[{"id": clip_id, "metadata": None}])
    assert (library.find(clip_id, 1).words, library.find(clip_id, 1).metadata) == ("", {})


async def test_a_persona_is_its_accounts(library):
    """It is found by id, in its account."""
    library.add_persona(1, {"id": "p", "name": "N"})
    assert library.persona("p", 1)["name"] == "N"
    for persona_id, account in (("p", 2), ("q", 1)):
        with pytest.raises(RefusalError, match="record not found"):
            library.persona(persona_id, account)
