"""Audio of one's own."""

import io
import wave

import aiohttp
import pytest

from suno_async.testing import Gateway
from suno_async.testing.gateway import uploads
from suno_async.testing.gateway.uploads import EXAMINED

FINISH = {"upload_type": "file_upload", "upload_filename": "my tune.mp3"}


def tune(seconds, rate=8000):
    """A silent WAV."""
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(rate)
        file.writeframes(bytes(int(seconds * rate)))
    return content.getvalue()


@pytest.fixture
async def bare():
    """A client that shows no key."""
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def slot(ask_private):
    async def ask(extension="mp3"):
        return (await ask_private("POST", "/suno/uploads/audio", json={"extension": extension})).json

    return ask


@pytest.fixture
def put(bare):
    """Put a file where a slot says, and return the status and the body."""

    async def send(slot, content=b"ID3 tune", **more):
        form = aiohttp.FormData()
        for name, value in slot["fields"].items():
            form.add_field(name, value)
        form.add_field("file", content, filename="x.mp3")
        async with bare.post(slot["url"], data=form, **more) as reply:
            return reply.status, await reply.read()

    return send


@pytest.fixture
def uploaded(private, ask_private, slot, put, later):
    """A file, with all five steps done; the clip of it."""

    async def make(content=b"ID3 tune", extension="mp3"):
        made = await slot(extension)
        assert (await put(made, content))[0] == 204
        path = f"/suno/uploads/audio/{made['id']}"
        assert (await ask_private("POST", f"{path}/upload-finish", json=FINISH)).json == {}
        later(private, EXAMINED)
        assert (await ask_private("GET", path)).json["status"] == "complete"
        clip_id = (await ask_private("POST", f"{path}/initialize-clip", json={})).json["clip_id"]
        return (await ask_private("GET", f"/suno/feed/{clip_id}")).json[0]

    return make


async def test_a_url_becomes_a_task_with_one_clip(private, ask_private):
    """Named after its file; it runs as a task does and costs nothing."""
    reply = await ask_private("POST", "/suno/uploads/audio-url", json={"url": "https://h/a/my.tune.mp3?sig=x.y"})
    row = (await ask_private("GET", f"/suno/fetch/{reply.data}")).data
    assert (row["status"], row["action"], row["quota"]) == ("NOT_START", "UPLOAD", 0)
    private.finish(reply.data)
    clips = (await ask_private("GET", f"/suno/fetch/{reply.data}")).data["data"]
    assert [(clip["title"], clip["prompt"], clip["metadata"]["type"]) for clip in clips] == [("my.tune", "", "upload")]


@pytest.mark.parametrize(("url", "said"), [("file:///etc/passwd", "url is no URL"), ("", "url is empty")])
async def test_what_is_no_url_is_refused(ask_private, url, said):
    """Only http and https lead anywhere."""
    reply = await ask_private("POST", "/suno/uploads/audio-url", json={"url": url})
    assert (reply.status, reply.json["message"]) == (400, said)


async def test_a_file_in_five_steps(private, ask_private, slot, put, later):
    """Slot, storage, finish, pending then complete, clip: the same clip each time."""
    made = await slot()
    assert (made["is_file_uploaded"], made["url"].startswith(f"{private.url}/storage/")) == (False, True)
    assert made["fields"]["Content-Type"] == "audio/mpeg"
    path = f"/suno/uploads/audio/{made['id']}"
    assert (await ask_private("GET", path)).json["status"] == "pending"
    assert await put(made) == (204, b"")
    for _ in range(2):  # the second changes nothing
        assert (await ask_private("POST", f"{path}/upload-finish", json=FINISH)).json == {}
        later(private, EXAMINED / 2 - 0.5)
    status = (await ask_private("GET", path)).json
    assert (status["status"], status["s3_id"], status["error_message"]) == ("pending", None, None)
    later(private, 1.1)
    status = (await ask_private("GET", path)).json
    assert (status["status"], status["s3_id"], status["title"]) == ("complete", f"m_{made['id']}", "my tune")
    first, second = [(await ask_private("POST", f"{path}/initialize-clip", json={})).json for _ in range(2)]
    assert first == second
    clip = (await ask_private("GET", f"/suno/feed/{first['clip_id']}")).json[0]
    assert (clip["title"], clip["status"], clip["metadata"]["type"]) == ("my tune", "complete", "upload")


async def test_an_uploaded_clip_is_the_file(private, uploaded, bare):
    """Its audio is what was put there, in full or in part, for anybody; a WAV is as long as it says."""
    content = tune(12.5)
    clip = await uploaded(content, "wav")
    assert clip["duration"] == 12.5
    for headers, status, part in (({}, 200, content), ({"Range": "bytes=4-11"}, 206, content[4:12])):
        async with bare.get(clip["audio_url"], headers=headers) as reply:
            assert (reply.status, reply.headers["Content-Type"], await reply.read()) == (status, "audio/wav", part)
    async with bare.head(clip["audio_url"]) as reply:
        assert (reply.status, int(reply.headers["Content-Length"])) == (200, len(content))
    assert private.counts["audio"] == 3


async def test_a_length_that_cannot_be_read_is_made_up(uploaded):
    """Anything but a WAV, and a WAV that makes no sense."""
    broken = bytearray(tune(1))
    broken[24:28] = bytes(4)  # no samples a second
    for content in (b"ID3 tune", bytes(broken), tune(1)[:20]):
        assert 60 <= (await uploaded(content))["duration"] <= 240


async def test_uploaded_files_are_taken_on(uploaded, clips_of):
    """Continued at its length, covered and separated."""
    clip = await uploaded(tune(20), "wav")
    part = (await clips_of(task="upload_extend", continue_clip_id=clip["id"], continue_at=20))[0]
    assert part["duration"] > 80
    assert (await clips_of(task="cover", cover_clip_id=clip["id"]))[0]["duration"] == 20
    stems = await clips_of(task="gen_stem", continue_clip_id=clip["id"])
    assert [stem["title"] for stem in stems] == ["my tune - Vocals", "my tune - Instrumental"]


async def test_steps_come_in_their_order(ask_private, slot, put):
    """No finish before the file, no clip before it is complete; nothing for unknown ids and other extensions."""
    made = await slot()
    path = f"/suno/uploads/audio/{made['id']}"
    finish, clip = f"{path}/upload-finish", f"{path}/initialize-clip"
    wanted = [
        (finish, FINISH, "file is not uploaded"),
        (clip, {}, "upload is not complete"),
        ("/suno/uploads/audio/nobody/upload-finish", FINISH, "record not found"),
        ("/suno/uploads/audio", {"extension": "exe"}, "extension exe is not supported"),
        ("/suno/uploads/audio", {}, "extension is empty"),
        (finish, {"upload_type": "file_upload"}, "upload_filename is empty"),
    ]
    for place, body, said in wanted:
        reply = await ask_private("POST", place, json=body)
        assert (reply.status, reply.json["message"]) == (400, said)
    await put(made)
    await ask_private("POST", finish, json={**FINISH, "upload_filename": "noname"})
    assert (await ask_private("POST", clip, json={})).status == 400
    assert (await ask_private("GET", path)).json["title"] == "noname"


async def test_a_slot_is_its_accounts(private, dial, slot):
    """Another account does not see it."""
    made = await slot()
    async with dial(private, private.add_key(account=2)) as other:
        reply = await other("GET", f"/suno/uploads/audio/{made['id']}")
    assert (reply.status, reply.json["message"]) == (400, "record not found")


@pytest.mark.parametrize(("content", "fault"), [(b"", None), (b"x", "upload_matches")])
async def test_a_file_may_be_refused_in_the_end(private, ask_private, slot, put, later, content, fault):
    """An empty one, and one that matches a recording: pending, then an error, and no clip."""
    made = await slot()
    await put(made, content)
    if fault:
        private.faults.once(fault)
    path = f"/suno/uploads/audio/{made['id']}"
    await ask_private("POST", f"{path}/upload-finish", json=FINISH)
    status = (await ask_private("GET", path)).json
    assert (status["status"], status["error_message"]) == ("pending", None)
    later(private, EXAMINED)
    status = (await ask_private("GET", path)).json
    assert (status["status"], status["s3_id"], status["image_url"]) == ("error", None, None)
    assert ("matches an existing recording" in status["error_message"]) == bool(fault)
    assert (await ask_private("POST", f"{path}/initialize-clip", json={})).status == 400


async def test_the_storage_refuses_a_key(slot, put, private):
    """A request that carries the key is refused, and nothing is stored."""
    made = await slot()
    status, body = await put(made, headers={"Authorization": f"Bearer {private.api_key}"})
    assert (status, b"Only one auth mechanism allowed" in body) == (400, True)
    async with aiohttp.ClientSession() as session, session.get(made["url"]) as reply:
        assert reply.status == 404


async def test_the_storage_wants_the_fields(slot, put, bare):
    """Each as it was given, the file last, in a form, at its own place, by POST."""
    made = await slot()
    for name in made["fields"]:
        less = {**made, "fields": {field: value for field, value in made["fields"].items() if field != name}}
        other = {**made, "fields": {**made["fields"], name: "x"}}
        assert [(await put(one))[0] for one in (less, other)] == [403, 403]
    form = aiohttp.FormData()
    for name, value in made["fields"].items():
        form.add_field(name, value)
    empty = aiohttp.FormData(default_to_multipart=True)
    empty.add_field("key", "x")
    mixed = aiohttp.MultipartWriter("form-data")
    mixed.append(aiohttp.MultipartWriter("mixed"))
    for data, status in ((empty, 400), (mixed, 400), (b"bytes", 412)):
        async with bare.post(made["url"], data=data) as reply:
            assert (reply.status, reply.headers["Content-Type"]) == (status, "application/xml")
    assert (await put({**made, "url": made["url"].replace(".mp3", ".wav")}))[0] == 403
    assert (await put({**made, "url": made["url"] + "x"}))[0] == 403
    async with bare.put(made["url"], data=b"x") as reply:
        assert reply.status == 403
    async with bare.get(made["url"] + "x") as reply:
        assert reply.status == 404


async def test_a_file_has_a_bound(monkeypatch, slot, put):
    """A byte more than the policy allows is too large."""
    monkeypatch.setattr(uploads, "LARGEST", 1000)
    assert (await put(await slot(), bytes(1000)))[0] == 204
    status, body = await put(await slot(), bytes(1001))
    assert (status, b"EntityTooLarge" in body) == (400, True)


async def test_a_storage_may_take_a_put(monkeypatch, private, slot, bare):
    """To upload_put a slot has a signed URL and no fields; POST, keys and too much are refused there as well."""
    monkeypatch.setattr(uploads, "LARGEST", 1000)
    private.faults["upload_put"] = 1.0
    made = await slot()
    assert set(made) == {"id", "url"}
    asked = [
        (bare.post, {"data": b"tune"}, 403),
        (bare.put, {"data": b"tune", "headers": {"Authorization": "Bearer x"}}, 400),
        (bare.put, {"data": bytes(1001)}, 400),
        (bare.put, {"data": b"tune"}, 200),
    ]
    for verb, options, status in asked:
        async with verb(made["url"], **options) as reply:
            assert reply.status == status
    async with bare.get(made["url"]) as reply:
        assert await reply.read() == b"tune"


async def test_slots_follow_from_the_seed(dial):
    """The same seed names the same slots."""
    made = []
    for seed in (1, 1, 2):
        async with Gateway(profile="private", seed=seed) as gateway, dial(gateway) as ask:
            found = (await ask("POST", "/suno/uploads/audio", json={"extension": "wav"})).json
            made.append((found["id"], found["fields"]))
    assert made[0] == made[1] != made[2]
