"""A file goes to where the gateway keeps it: as a form or as it is, without the key, and into no private network."""

import anyio
import pytest
from wire import Wire, answer, raw, then_fin, then_reset, then_stall, until

from suno_async.engine.uploads import PublicResolver, store
from suno_async.protocol.exchange import Answer, Broken
from suno_async.protocol.places import Place

AUDIO = b"ID3" + bytes(range(256)) * 64
FIELDS = {"Content-Type": "audio/mp3", "key": "raw_uploads/u.mp3", "policy": "e30=", "signature": "s=/+"}


@pytest.fixture
def anyio_backend():
    """Real sockets, real time."""
    return "asyncio"


async def stored(wire, data=AUDIO, fields=FIELDS, timeout=10.0, filename="my song.mp3"):
    place = Place(f"{wire.url}/storage/u1", own=True)
    return await store(place, data, filename=filename, fields=fields, timeout=timeout)


async def test_a_form_has_its_fields_in_order_and_the_file_last():
    """S3 reads nothing that comes behind the file."""
    async with Wire(answer(b"", 204)) as wire:
        found = await stored(wire)
    assert isinstance(found, Answer)
    assert found.status == 204
    (call,) = wire.calls
    assert (call.method, call.path) == ("POST", "/storage/u1")
    places = [call.body.index(f'name="{name}"'.encode()) for name in (*FIELDS, "file")]
    assert places == sorted(places)
    for value in FIELDS.values():
        assert f"\r\n\r\n{value}\r\n".encode() in call.body
    assert b'filename="my song.mp3"' in call.body
    assert call.body.count(AUDIO) == 1
    assert b"audio/mp3" in call.body[places[-1] - 200 :]


async def test_without_fields_the_file_is_put():
    """A presigned address takes the bytes as they are."""
    async with Wire(answer(b"")) as wire:
        found = await stored(wire, fields=None)
    assert isinstance(found, Answer)
    (call,) = wire.calls
    assert call.method == "PUT"
    assert call.body == AUDIO


@pytest.mark.parametrize("fields", [FIELDS, {}, None], ids=["form", "bare form", "put"])
async def test_nothing_goes_along_that_is_the_gateways(fields):
    """No key, no cookie: the storage is somebody else's."""
    async with Wire(answer(b"", headers={"Set-Cookie": "a=b"})) as wire:
        await stored(wire, fields=fields)
        await stored(wire, fields=fields)
    for call in wire.calls:
        names = {name.lower() for name, _ in call.headers}
        assert not names & {"authorization", "cookie", "proxy-authorization"}
    assert wire.connections == 2


async def test_a_file_of_many_megabytes_goes_whole():
    """Piece by piece, so that the loop has its turns."""
    data = AUDIO * 600
    async with Wire(answer(b"")) as wire:
        assert isinstance(await stored(wire, data, None), Answer)
    assert wire.calls[0].body == data


async def test_a_redirect_is_not_followed():
    """It is an answer like any other."""
    async with Wire(answer(b"", 307, {"Location": "https://elsewhere.example/"})) as wire:
        found = await stored(wire)
    assert isinstance(found, Answer)
    assert found.status == 307
    assert wire.asked == 1


@pytest.mark.parametrize("path", ["/a%2fb?x=%41", "/%7Eu/a+b?X-Amz-Signature=a%2Bb&c=%2f", "/a/../b?", "?x=%41"])
async def test_an_address_goes_out_as_it_is_written(path):
    """It may be signed: written in another way it is another."""
    async with Wire(answer(b"")) as wire:
        place = Place(f"{wire.url}{path}", own=True)
        assert isinstance(await store(place, AUDIO, filename="a.mp3", fields=None, timeout=10.0), Answer)
    assert wire.calls[0].path == (path if path.startswith("/") else f"/{path}").removesuffix("?")


async def test_a_proxy_in_the_environment_is_not_used(monkeypatch):
    """It would read the file, and reach what this machine may not."""
    async with Wire(answer(b"")) as wire, Wire(answer(b"")) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        assert isinstance(await stored(wire), Answer)
        assert (wire.asked, proxy.connections) == (1, 0)


async def test_the_answer_is_read_as_far_as_it_is_of_use():
    """64 KiB of what may be endless."""
    async with Wire(endless) as wire:
        found = await stored(wire)
    assert isinstance(found, Answer)
    assert len(found.body) == 65_536


async def endless(call):
    await call.send(raw("HTTP/1.1 403 Forbidden", "Content-Length: 10000000"))
    await call.repeat(b"x" * 10_000, 10_000_000)


@pytest.mark.parametrize("fields", [FIELDS, None], ids=["form", "put"])
@pytest.mark.parametrize(
    "step",
    [
        then_fin(b""),
        then_reset(b""),
        then_fin(b"nonsense\r\n\r\n"),
        then_fin(raw("HTTP/1.1 200 OK", "Content-Length: 9")),
    ],
    ids=["closed", "reset", "no http", "cut"],
)
async def test_what_breaks_is_told_and_not_sent_again(step, fields):
    """Never an exception of aiohttp, and one request."""
    async with Wire(step) as wire:
        found = await stored(wire, fields=fields)
    assert isinstance(found, Broken | Answer)
    if isinstance(found, Broken):
        assert "storage" in found.reason
        assert not found.late
    assert wire.asked == 1


async def test_a_storage_that_says_nothing_is_given_up():
    """After the time it was given."""
    async with Wire(then_stall(b"")) as wire:
        found = await stored(wire, timeout=0.2)
    assert isinstance(found, Broken)
    assert found.late


async def test_nobody_listens():
    """Told as what it is."""
    found = await store(Place("http://127.0.0.1:9/x", own=True), AUDIO, filename="a.mp3", fields=None, timeout=5.0)
    assert isinstance(found, Broken)


async def test_cancelled_it_leaves_no_connection():
    """The session is closed on every way out."""
    async with Wire(then_stall(b"")) as wire, anyio.create_task_group() as group:
        group.start_soon(stored, wire)
        await until(lambda: wire.asked)
        group.cancel_scope.cancel()
    assert wire.open == 0


async def test_a_name_that_leads_into_our_own_network_is_not_reached():
    """Such as localhost, and what getaddrinfo makes of numbers."""
    async with Wire(answer(b"")) as wire:
        for host in ("localhost", "2130706433"):
            place = Place(f"http://{host}:{wire.port}/x", own=False)
            found = await store(place, AUDIO, filename="a.mp3", fields=None, timeout=5.0)
            assert isinstance(found, Broken)
        assert wire.connections == 0


async def test_the_public_addresses_of_a_name_are_used():
    """Those that are private are left out, one by one."""

    class Inner:
        closed = False

        async def resolve(self, host, port, family):
            return [{"host": one, "port": port, "hostname": host} for one in ("10.0.0.1", "1.1.1.1", "::1")]

        async def close(self):
            self.closed = True

    resolver = PublicResolver()
    await resolver.close()
    inner = resolver._inner = Inner()
    assert [one["host"] for one in await resolver.resolve("s3.example", 443)] == ["1.1.1.1"]
    await resolver.close()
    assert inner.closed
