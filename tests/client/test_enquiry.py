"""One enquiry: tasks that are waited for, ids that spoil a feed, and a file on its way into a gateway."""

import json

import anyio
import pytest
from quick import CLIP, KEY, MP3, OTHER, WAV, bodies, serving, stall, to
from wire import Wire, answer, row, told, until

from suno_async import (
    ClientClosed,
    ConfigurationError,
    GatewayUnavailable,
    RequestRejected,
    TaskFailed,
    UnexpectedResponse,
    WaitTimeout,
)


async def test_what_comes_as_a_task_is_waited_for():
    """A wav that K4U makes a task of: the address is in what the task ends with."""
    table = {
        "/suno/act/wav/c1": {"code": "success", "data": "task_0123456789abcdef"},
        "/suno/fetch/task_0123456789abcdef": [
            told(row("task_0123456789abcdef")),
            told(row("task_0123456789abcdef", "SUCCESS", action="WAV", data=WAV)),
        ],
    }
    async with serving(table) as wire, to(wire) as suno:
        assert await suno.wav("c1") == WAV["wav_file_url"]


async def test_a_task_that_fails_is_told_as_any_other():
    """TaskFailed, with the gateway's reason."""
    failed = row("task_0123456789abcdef", "FAILURE", fail_reason="no such clip")
    table = {"/suno/act/wav/c1": {"data": "task_0123456789abcdef"}, "/suno/fetch/task_0123456789abcdef": told(failed)}
    async with serving(table) as wire, to(wire) as suno:
        with pytest.raises(TaskFailed, match="no such clip"):
            await suno.wav("c1")


async def test_a_task_that_ends_without_what_was_asked_for_is_told():
    """It names the task, whose payload may be of use to a person."""
    ended = row("task_0123456789abcdef", "SUCCESS", data={"text": "words"})
    table = {"/suno/act/wav/c1": {"data": "task_0123456789abcdef"}, "/suno/fetch/task_0123456789abcdef": told(ended)}
    async with serving(table) as wire, to(wire) as suno:
        with pytest.raises(UnexpectedResponse) as caught:
            await suno.wav("c1")
        assert caught.value.task_id == "task_0123456789abcdef"


async def test_a_task_gets_what_is_left_of_the_time():
    """One timeout for both."""
    table = {
        "/suno/act/wav/c1": {"data": "task_0123456789abcdef"},
        "/suno/fetch/task_0123456789abcdef": told(row("task_0123456789abcdef")),
    }
    async with serving(table) as wire, to(wire) as suno:
        with pytest.raises(WaitTimeout) as caught:
            await suno.wav("c1", timeout=0.3)
        assert caught.value.task_id == "task_0123456789abcdef"


async def test_feed_asks_one_by_one_where_an_unknown_id_spoils_all():
    """So one that is unknown costs no song."""
    unknown = answer({"code": "invalid_request", "message": "clip not found", "data": None}, 400)
    table = {"/suno/feed/c1,nobody": unknown, "/suno/feed/c1": [[CLIP]], "/suno/feed/nobody": unknown}
    async with serving(table) as wire, to(wire) as suno:
        found = await suno.feed(["c1", "nobody"])
        assert found["c1"].title == "A"
        assert found["nobody"] is None
        assert wire.asked == 3


async def test_feed_takes_fifty_ids_in_a_request():
    """A path has an end."""
    ids = [f"c{number}" for number in range(120)]

    def step(call):
        return answer([CLIP | {"id": one} for one in call.path.rpartition("/")[2].split(",")])

    async with Wire(step) as wire, to(wire) as suno:
        found = await suno.feed(ids)
        assert list(found) == ids
        assert None not in found.values()
        assert wire.asked == 3


async def test_feed_leaves_out_what_nobody_asked_for():
    """Some gateways answer with the whole account."""
    async with serving({"/suno/feed/c1": [[CLIP, OTHER]]}) as wire, to(wire) as suno:
        assert list(await suno.feed(["c1"])) == ["c1"]


async def test_balance_is_two_answers():
    """What may be spent and what is spent; a key without a limit has none left to tell of."""
    table = {
        "/dashboard/billing/subscription": [{"hard_limit_usd": 20.0}, {"hard_limit_usd": 100_000_000}],
        "/dashboard/billing/usage": {"object": "list", "total_usage": 525.0},
    }
    async with serving(table) as wire, to(wire) as suno:
        balance = await suno.balance()
        assert (balance.limit, balance.used, balance.remaining, balance.unlimited) == (20.0, 5.25, 14.75, False)
        balance = await suno.balance()
        assert (balance.remaining, balance.unlimited) == (None, True)


async def test_an_address_is_uploaded_as_a_task():
    """The clip is what the task ends with."""
    ended = row("task_0123456789abcdef", "SUCCESS", data=[CLIP])
    table = {
        "/suno/uploads/audio-url": {"code": "success", "data": "task_0123456789abcdef"},
        "/suno/fetch/task_0123456789abcdef": told(ended),
    }
    async with serving(table) as wire, to(wire) as suno:
        assert await suno.upload("https://example.com/a.mp3") == "c1"
        assert bodies(wire) == [{"url": "https://example.com/a.mp3"}]


def storing(put=False, status=204):
    """The five steps of a file."""
    slot = {"id": "u1", "url": "", "fields": {} if put else {"key": "k", "Content-Type": "audio/mp3"}}
    steps = {
        "/suno/uploads/audio": lambda call: answer(slot | {"url": f"http://{dict(call.headers)['Host']}/storage/u1"}),
        "/storage/u1": lambda _: answer(b"<Code>AccessDenied</Code>" if status >= 400 else b"", status),
        "/suno/uploads/audio/u1/upload-finish": {},
        "/suno/uploads/audio/u1": {"id": "u1", "status": "complete", "error_message": None, "title": "t"},
        "/suno/uploads/audio/u1/initialize-clip": {"clip_id": "c9"},
    }
    return serving(steps)


@pytest.mark.parametrize("put", [False, True], ids=["form", "put"])
async def test_a_file_is_uploaded_in_five_steps(put, tmp_path):
    """The key goes to the gateway only, also where the storage is on its own host."""
    path = tmp_path / "my song.mp3"
    path.write_bytes(MP3)
    async with storing(put) as wire, to(wire) as suno:
        assert await suno.upload(path) == "c9"
        assert await suno.upload(str(path)) == "c9"
        assert await suno.upload(MP3) == "c9"
        first, stored, finish, status, clip = wire.calls[:5]
        assert json.loads(first.body) == {"extension": "mp3"}
        assert stored.method == ("PUT" if put else "POST")
        assert MP3 in stored.body
        assert KEY.encode() not in stored.request
        assert json.loads(finish.body) == {"upload_type": "file_upload", "upload_filename": "my song.mp3"}
        assert (status.method, clip.method) == ("GET", "POST")
        assert all(KEY.encode() in call.request for call in (first, finish, status, clip))
        assert json.loads(wire.calls[12].body)["upload_filename"] == "audio.mp3"


async def test_a_storage_that_says_no_is_told():
    """With what it said; nothing further is asked of the gateway."""
    async with storing(status=403) as wire, to(wire) as suno:
        with pytest.raises(RequestRejected, match="AccessDenied") as caught:
            await suno.upload(MP3)
        assert caught.value.status == 403
        assert wire.asked == 2


async def test_a_storage_that_is_elsewhere_is_told():
    """A redirect has stored nothing: the gateway is not told that the file is there."""
    async with storing(status=307) as wire, to(wire) as suno:
        with pytest.raises(RequestRejected, match="the storage of the upload said no") as caught:
            await suno.upload(MP3)
        assert caught.value.status == 307
        assert [call.path for call in wire.calls] == ["/suno/uploads/audio", "/storage/u1"]


async def test_a_storage_that_is_gone_is_told():
    """GatewayUnavailable: to try again is the caller's."""
    slot = {"id": "u1", "url": "https://127.0.0.1:9/x", "fields": {}}
    async with serving({"/suno/uploads/audio": slot}) as wire, to(wire) as suno:
        with pytest.raises(UnexpectedResponse, match="private address"):
            await suno.upload(MP3)

    def own(call):
        return answer(slot | {"url": f"http://{dict(call.headers)['Host']}/storage/u1"})

    async def gone(call):
        call.fin()

    async with serving({"/suno/uploads/audio": own, "/storage/u1": gone}) as wire, to(wire) as suno:
        with pytest.raises(GatewayUnavailable, match="storage"):
            await suno.upload(MP3)


async def test_a_file_that_cannot_be_one_is_refused_before_any_request(tmp_path, monkeypatch):
    """The message says what to do."""
    empty, large, locked = (tmp_path / name for name in ("a.mp3", "b.mp3", "c.mp3"))
    empty.write_bytes(b"")
    with large.open("wb") as file:
        file.truncate((100 << 20) + 1)
    locked.write_bytes(MP3)
    async with serving({}) as wire, to(wire) as suno:
        for source, why in [
            (empty, "empty"),
            (large, "larger than 100 MiB"),
            (tmp_path / "nobody.mp3", "no such file"),
            (tmp_path, "no such file"),
            ("", "must be an address"),
            ("a\0b", "must be an address"),
            (7, "must be an address"),
            (b"<html>", "no audio"),
            ("https://half\ud800", "surrogate"),
            ("https://", "must name a host"),
            ("x" * 5000, "File name too long"),
            (MP3 + bytes(100 << 20), "source is larger than 100 MiB"),
        ]:
            with pytest.raises(ConfigurationError, match=why):
                await suno.upload(source)

        async def refused(_):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(anyio.Path, "read_bytes", refused)
        with pytest.raises(ConfigurationError, match="cannot be read: Permission denied"):
            await suno.upload(locked)
        assert wire.asked == 0


async def test_a_name_that_cannot_be_sent_is_refused_before_any_request(tmp_path):
    """Whether it is the file's own or one that was given; a good one may be given to a file whose own is none."""
    path = tmp_path / "a\udcff.mp3"
    path.write_bytes(MP3)
    async with storing() as wire, to(wire) as suno:
        with pytest.raises(ConfigurationError, match="pass filename="):
            await suno.upload(path)
        for source in (MP3, path, "https://example.com/a.mp3"):
            for filename, why in [
                ("a\udcff.mp3", "filename holds half of a surrogate pair"),
                (5, "filename must be a text"),
                (b"a", "filename must be a text"),
            ]:
                with pytest.raises(ConfigurationError, match=why):
                    await suno.upload(source, filename=filename)
        assert wire.asked == 0
        assert await suno.upload(path, filename="a.mp3") == "c9"


async def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path, monkeypatch):
    """What counts is what was read."""
    path = tmp_path / "a.mp3"
    path.write_bytes(MP3)

    async def grown(_):
        return MP3 + bytes(100 << 20)

    monkeypatch.setattr(anyio.Path, "read_bytes", grown)
    async with serving({}) as wire, to(wire) as suno:
        with pytest.raises(ConfigurationError, match="source is larger than 100 MiB"):
            await suno.upload(path)
        assert wire.asked == 0


async def test_a_client_that_is_closed_ends_what_is_asked():
    """ClientClosed, not a broken connection."""
    async with Wire(stall) as wire, to(wire) as suno, anyio.create_task_group() as group:

        async def ask():
            with pytest.raises(ClientClosed):
                await suno.wav("c1")

        group.start_soon(ask)
        await until(lambda: wire.asked)
        await suno.aclose()


async def test_a_gateway_that_has_no_channel_is_told_as_it_is():
    """The client is open: it is the gateway that cannot."""
    no_channel = answer({"error": {"code": "model_not_found", "message": "No available channel", "type": "x"}}, 503)
    async with serving({"/suno/act/wav/c1": no_channel}) as wire, to(wire) as suno:
        with pytest.raises(GatewayUnavailable, match="No available channel"):
            await suno.wav("c1")
