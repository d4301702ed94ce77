"""Faults 31 and 32: whoever a gateway redirects to hears nothing, and nothing is told of him but his host."""

import re
import ssl

import aiohttp
import pytest
import trustme
from verdicts import CAT, KEY, assert_fit_to_be_shown, assert_song, client, whole
from wire import HASTY, Wire, answer, seen

from suno_async import ConfigurationError, RequestRejected

STATUSES = [300, 301, 302, 303, 304, 305, 307, 308]
PLACES = {
    "another port": "http://127.0.0.1:{plain}/suno/fetch/task_1?leak=PATH",
    "the same path": "http://127.0.0.1:{plain}/suno/submit/music#PATH",
    "to TLS": "https://127.0.0.1:{secure}/PATH",
    "whatever scheme": "//127.0.0.1:{plain}/PATH",
    "a user in it": "http://user:PASS@127.0.0.1:{plain}/PATH",
    "a user on TLS": "https://user:PASS@127.0.0.1:{secure}/PATH",
    "capitals": "HTTP://127.0.0.1:{plain}/PATH",
    "another name of it": "http://localhost:{plain}/PATH",
    "a backslash": "http://127.0.0.1:{plain}\\@gateway.example/PATH",
    "a file": "file:///etc/PATH",
    "data": "data:text/plain,PATH",
    "script": "javascript:alert('PATH')",
    "relative": "/PATH",
    "more relative": "../../PATH",
    "itself": "/suno/fetch/task_1",
    "nothing": "",
    "no URL": "http://[/PATH",
    "no host": "http:///PATH",
    "a very long one": "http://127.0.0.1:{plain}/" + "PATH" * 1500,
    "escapes": "http://127.0.0.1:{plain}/\x1b]8;;PATH",
}


@pytest.fixture
def anyio_backend():
    """Real sockets, and a clock that runs thirty times as fast."""
    return HASTY


@pytest.fixture
def vouched(monkeypatch):
    """A TLS context for a server whom this process trusts: a refused certificate must not be what stops anybody."""
    authority, served, trusting = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(served)
    authority.configure_trust(trusting)
    monkeypatch.setattr(aiohttp.connector, "_SSL_CONTEXT_VERIFIED", trusting)
    return served


def assert_tells_the_host_only(text: str) -> None:
    """Neither the path nor the user nor anything else of the address, and no key."""
    for secret in ("PATH", "PASS", "user", "gateway.example", "\x1b", KEY[3:]):
        assert secret not in text


def _host(place: str) -> str:
    """The host that can be told; "" where there is none."""
    found = re.match(r"https?://(?:[^/@]*@)?([a-z0-9.]+:\d+)(?=[/#]|$)", place)
    return found[1] if found else ""


@pytest.mark.parametrize("secure_first", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
async def test_nobody_is_followed_anywhere(place, secure_first, vouched):
    """Every status, for looks and submissions, from http and from https: the other servers have no connection."""
    async with Wire(whole) as plain, Wire(whole, tls=vouched) as secure:
        where = place.format(plain=plain.port, secure=secure.port)
        steps = [answer(status=status, headers={"Location": where}) for status in STATUSES for _ in range(2)]
        async with Wire(*steps, tls=vouched if secure_first else None) as wire, client(wire.url) as suno:
            for _ in STATUSES:
                with pytest.raises(ConfigurationError, match="redirects are not followed") as caught:
                    await suno.fetch("task_1")
                assert_fit_to_be_shown(caught.value)
                assert_tells_the_host_only(str(caught.value))
                assert _host(where) in str(caught.value)
                with pytest.raises(RequestRejected) as refused:
                    await suno.submit(CAT)
                assert_fit_to_be_shown(refused.value)
                assert_tells_the_host_only(str(refused.value))
            assert (plain.connections, secure.connections) == (0, 0)
            assert wire.asked == 2 * len(STATUSES)
            assert len(wire.posts) == len(STATUSES)


@pytest.mark.parametrize("status", STATUSES)
async def test_a_gateway_that_begins_to_redirect_ends_no_wait(status):
    """What is known to be a gateway may redirect for a while: the wait goes on, and nobody else hears of it."""
    async with Wire(whole) as elsewhere:
        moved = answer(status=status, headers={"Location": f"{elsewhere.url}/PATH"})
        async with Wire(lambda call: seen(call, "IN_PROGRESS"), moved, moved, whole) as wire, client(wire.url) as suno:
            assert_song(await suno.wait("task_1", timeout=600))
            done = [task.task_id async for task in suno.as_completed(["task_2", "task_3"], timeout=600)]
            assert sorted(done) == ["task_2", "task_3"]
            assert elsewhere.connections == 0


@pytest.mark.parametrize("name", ["Refresh", "Content-Location", "Alt-Svc", "Link", "URI"])
async def test_other_headers_that_name_a_place_lead_nowhere(name):
    """An answer that says where else it may be had is read where it is."""
    async with Wire(whole) as elsewhere:
        said = {
            "Refresh": f"0; url={elsewhere.url}/",
            "Alt-Svc": f'http/1.1="127.0.0.1:{elsewhere.port}"; ma=9999',
            "Link": f"<{elsewhere.url}/>; rel=preload",
        }.get(name, f"{elsewhere.url}/")

        def step(call):
            body = whole(call).partition(b"\r\n\r\n")[2]
            return answer(body, headers={name: said})

        async with Wire(step) as wire, client(wire.url) as suno:
            for _ in range(3):
                assert_song(await suno.fetch("task_1"))
            assert (await suno.submit(CAT)).task_id == "task_1"
            assert (wire.asked, elsewhere.connections) == (4, 0)
