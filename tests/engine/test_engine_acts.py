"""The acts, in virtual time: asked until they tell, again after faults, and sent once where that may cost something."""

import json
from collections import deque
from random import Random

import anyio
import pytest
from virtual import BROKEN, GONE, REFUSED, limited, page, said

from suno_async.engine.acts import Acts
from suno_async.engine.lane import Lane
from suno_async.protocol.acts import Made
from suno_async.protocol.errors import (
    ConfigurationError,
    GatewayUnavailable,
    RateLimited,
    RequestRejected,
    SubmitUnknown,
    Unauthorized,
    UnexpectedResponse,
    WaitTimeout,
)
from suno_async.protocol.exchange import Answer, Broken
from suno_async.protocol.limits import Budget
from suno_async.protocol.profiles import read_profile
from suno_async.protocol.routes import ROUTES

WAV, MIDI, FEED, PERSONA, TAGS = (ROUTES[name] for name in ("wav", "midi", "feed", "persona", "tags"))
URL = "https://cdn1.suno.ai/c1.wav"
NO_CHANNEL = {"error": {"code": "model_not_found", "message": "No available channel for model suno_x", "type": "x"}}


def told(document, status=200):
    return Answer(status, {}, json.dumps(document).encode())


READY = told({"wav_file_url": URL})
RUNNING = told({"state": "running"})


class Network:
    """Answers from a script, its last one for ever, and notes when it was asked for what."""

    def __init__(self, *script):
        self.script = deque(script)
        self.asks = []
        self.keys = deque()

    def _next(self):
        return self.script.popleft() if len(self.script) > 1 else self.script[0]

    async def look(self, request, *, fresh=False, timeout=None):
        # an answer that does not say what it was asked for may be another request's on a used connection
        assert fresh
        self.asks.append((anyio.current_time(), request.path, timeout))
        return await self._said()

    async def send(self, request, timeout):
        self.asks.append((anyio.current_time(), request.path, timeout))
        return await self._said()

    async def _said(self):
        await anyio.sleep(0.1)
        return self._next()

    async def distrust(self):
        raise AssertionError

    def renew_key(self):
        return bool(self.keys) and bool(self.keys.popleft())


def acts(net, *, rate=None, timeout=30.0, slots=2):
    lane = Lane(net, budget=Budget(rate), slots=slots, rng=Random(1))
    return Acts(lane, net.send, gateway="gateway.example", timeout=timeout), lane


async def asked(net, route=WAV, seconds=600.0, **more):
    """What asking gives or raises, and the slots given back."""
    some, lane = acts(net)
    parts = {"clip_id": "c1", "clip_ids": "c1,c2"}
    request = route.request(**{name: value for name, value in parts.items() if f"{{{name}}}" in route.path})
    try:
        return await some.ask(route, request, anyio.current_time() + seconds, **more)
    except Exception as error:  # noqa: BLE001
        return error
    finally:
        assert lane.slots.value == 2


async def sent(net, route=PERSONA, seconds=600.0, rate=None):
    """What sending once gives or raises."""
    some, _ = acts(net, rate=rate)
    try:
        return await some.send(route, route.request(b'{"name":"x"}'), anyio.current_time() + seconds)
    except Exception as error:  # noqa: BLE001
        return error


async def test_what_comes_at_once_is_given_at_once():
    """One request, inside one slot, under the client's own timeout."""
    net = Network(READY)
    assert await asked(net) == URL
    assert net.asks == [(0.0, "/suno/act/wav/c1", 30.0)]


async def test_what_is_being_made_is_asked_for_again():
    """Every three seconds, until it is there."""
    net = Network(RUNNING, RUNNING, told({"state": "complete", "instruments": []}))
    assert (await asked(net, MIDI)).instruments == ()
    assert [at for at, *_ in net.asks] == pytest.approx([0.0, 3.1, 6.2])


async def test_what_is_never_made_ends_with_the_time_it_was_given():
    """WaitTimeout that names the path and the gateway, and no request after it."""
    net = Network(RUNNING)
    error = await asked(net, MIDI, seconds=10.0)
    assert isinstance(error, WaitTimeout)
    assert "/suno/act/midi/c1" in str(error)
    assert "gateway.example" in str(error)
    assert len(net.asks) == 4
    assert anyio.current_time() < 10


async def test_what_comes_as_a_task_names_it():
    """Whoever asked waits for it."""
    assert await asked(Network(told({"code": "success", "data": "task_0123456789abcdef"}))) == Made(
        "task_0123456789abcdef"
    )


@pytest.mark.parametrize("fault", [GONE, BROKEN, limited(), limited(2)], ids=["gone", "502", "429", "429, 2 s"])
async def test_faults_are_tried_again_twice(fault):
    """The third answer counts, whatever it is."""
    assert await asked(Network(fault, fault, READY)) == URL
    net = Network(fault)
    error = await asked(net)
    assert isinstance(error, GatewayUnavailable | RateLimited)
    assert len(net.asks) == 3
    assert getattr(error, "attempts", 3) == 3


async def test_faults_are_counted_anew_after_each_answer():
    """What is waited for over minutes may meet more than two."""
    net = Network(RUNNING, GONE, RUNNING, GONE, GONE, told({"state": "complete", "instruments": []}))
    assert (await asked(net, MIDI)).instruments == ()


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (told(NO_CHANNEL, 503), GatewayUnavailable),
        (said(400, "invalid_request", "bad"), RequestRejected),
        (told({"detail": "nothing here"}, 404), RequestRejected),
        (page(), ConfigurationError),
        (page(404), ConfigurationError),
        (page(302, Location="https://elsewhere.example/x"), ConfigurationError),
        (told({"surprise": 1}), UnexpectedResponse),
        (Answer(200, {}, b"\x00\x01"), UnexpectedResponse),
    ],
)
async def test_a_plain_no_is_told_after_one_request(answer, kind):
    """It names the gateway and the path, and is not asked for again."""
    net = Network(answer)
    error = await asked(net)
    assert type(error) is kind
    assert "/suno/act/wav/c1" in str(error)
    assert "gateway.example" in str(error)


async def test_a_page_of_a_known_gateway_means_that_it_has_no_such_endpoint():
    """It has answered in JSON before, so the base URL is right."""
    net = Network(READY, page())
    some, _ = acts(net)
    await some.ask(WAV, WAV.request(clip_id="c1"), 100.0)
    with pytest.raises(RequestRejected, match="no such endpoint"):
        await some.ask(WAV, WAV.request(clip_id="c1"), 100.0)


async def test_a_no_in_json_makes_the_gateway_known_too():
    """Whoever says no in JSON is a gateway."""
    net = Network(said(400, "invalid_request", "bad"), page())
    some, lane = acts(net)
    with pytest.raises(RequestRejected):
        await some.ask(WAV, WAV.request(clip_id="c1"), 100.0)
    assert lane.readable
    with pytest.raises(RequestRejected, match="no such endpoint"):
        await some.ask(WAV, WAV.request(clip_id="c1"), 100.0)


async def test_a_refused_key_is_renewed_once():
    """And refused again it is told."""
    net = Network(REFUSED, READY)
    net.keys.append(True)
    assert await asked(net) == URL
    net = Network(REFUSED)
    net.keys += [True, True]
    error = await asked(net)
    assert isinstance(error, Unauthorized)
    assert len(net.asks) == 2
    assert isinstance(await asked(Network(REFUSED)), Unauthorized)


async def test_what_the_gateway_does_not_know_may_be_none():
    """Where the caller says so; else it is a no."""
    unknown = said(400, "invalid_request", "record not found")
    assert await asked(Network(unknown), FEED, absent=True) is None
    assert isinstance(await asked(Network(unknown), FEED), RequestRejected)


async def test_no_request_outlives_its_time():
    """The last one is given what is left."""
    net = Network(READY)
    await asked(net, seconds=4.0)
    assert net.asks[0][2] == pytest.approx(4.0)


async def test_no_retry_comes_after_the_end():
    """A fault right before it is told as it is."""
    net = Network(limited(60))
    assert isinstance(await asked(net, seconds=30.0), RateLimited)
    assert len(net.asks) == 1


async def test_a_spent_quota_keeps_from_trying_again():
    """As for looks."""
    net = Network(GONE)
    some, lane = acts(net)
    lane.quota.spent = lane.quota.most
    with pytest.raises(GatewayUnavailable):
        await some.ask(WAV, WAV.request(clip_id="c1"), 100.0)
    assert len(net.asks) == 1


async def test_each_error_is_raised_once():
    """Two callers get two exceptions."""
    net = Network(said(400, "invalid_request", "bad"))
    assert await asked(net) is not await asked(net)


# sent once


async def test_what_may_cost_something_is_sent_once():
    """And its answer is read as any other."""
    net = Network(told({"id": "p1", "name": "x", "root_clip_id": "c1"}))
    assert (await sent(net)).id == "p1"
    assert len(net.asks) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Broken("the connection was refused", sent=False), GatewayUnavailable),
        (GONE, SubmitUnknown),
        (BROKEN, SubmitUnknown),
        (Broken("the answer was cut off", received=b'{"i', status=200), SubmitUnknown),
        (Broken("not valid", sent=False, certificate=True), ConfigurationError),
        (told({"surprise": 1}), SubmitUnknown),
        (Answer(200, {}, b""), SubmitUnknown),
        (told({"code": "queued", "id": "task_0123456789abcdef"}), SubmitUnknown),
        (told(NO_CHANNEL, 503), GatewayUnavailable),
        (said(400, "invalid_request", "bad"), RequestRejected),
        (REFUSED, Unauthorized),
        (page(), ConfigurationError),
        (page(404), ConfigurationError),
    ],
)
async def test_what_was_sent_once_is_never_sent_again(answer, kind):
    """A proven no is a no, an endpoint that is not there has accepted nothing, and everything else is unknown."""
    net = Network(answer)
    error = await sent(net)
    assert type(error) is kind
    assert len(net.asks) == 1
    if isinstance(error, SubmitUnknown):
        assert error.intent.action == "persona/create/"
        assert error.intent.body == b'{"name":"x"}'


async def test_what_is_accepted_and_names_nothing_to_wait_for_is_told():
    """It cannot be asked for again: that would be a second one."""
    error = await sent(Network(told({"status": "processing"})), TAGS)
    assert isinstance(error, SubmitUnknown)
    assert error.intent.action == "act/tags"


async def test_what_is_sent_once_is_given_what_is_left_of_its_time():
    """Not the two minutes of a submission."""
    net = Network(told({"id": "p1", "name": "x"}))
    await sent(net, seconds=5.0)
    assert net.asks[0][2] == pytest.approx(5.0)


async def test_a_refused_key_was_not_accepted_and_is_renewed_once():
    """401 comes before anything is made; 403 and a second 401 are told."""
    made = told({"id": "p1", "name": "x"})
    net = Network(REFUSED, made)
    net.keys.append(True)
    assert (await sent(net)).id == "p1"
    net = Network(REFUSED)
    net.keys += [True, True]
    assert isinstance(await sent(net), Unauthorized)
    assert len(net.asks) == 2
    net = Network(told({"error": {"message": "no", "type": "new_api_error"}}, 403), made)
    net.keys.append(True)
    assert isinstance(await sent(net), Unauthorized)
    assert len(net.asks) == 1
    assert isinstance(await sent(Network(REFUSED)), Unauthorized)


async def test_errors_name_the_path_that_was_asked():
    """That of this gateway, whatever stock has."""
    lane = Lane(Network(said(400, "invalid_request", "bad")), budget=Budget(None), slots=1, rng=Random(1))
    net = lane._network
    place = read_profile("v1").place
    some = Acts(lane, net.send, gateway="gateway.example", timeout=30.0, place=place)
    with pytest.raises(RequestRejected, match="/v1/suno/act/wav/c1"):
        await some.ask(WAV, WAV.request(clip_id="c1"), 100.0)


async def test_what_is_being_made_is_asked_for_again_as_soon_as_its_world_is_fast():
    """A tenth of three seconds where the world runs ten times as fast."""
    net = Network(RUNNING, READY)
    lane = Lane(net, budget=Budget(None), slots=1, rng=Random(1))
    some = Acts(lane, net.send, gateway="gateway.example", timeout=30.0, speed=10.0)
    assert await some.ask(WAV, WAV.request(clip_id="c1"), 100.0) == URL
    times = [at for at, *_ in net.asks]
    assert times[1] - times[0] == pytest.approx(0.1 + 0.3)


async def test_what_is_sent_once_keeps_the_budget():
    """One request a second, looks and acts together; and no longer than its time."""
    net = Network(told({"id": "p1", "name": "x"}))
    some, _ = acts(net, rate=1.0)
    for _ in range(3):
        await some.send(PERSONA, PERSONA.request(b"{}"), 100.0)
    times = [at for at, *_ in net.asks]
    assert times[2] - times[0] >= 1.0
    with pytest.raises(GatewayUnavailable, match="rate="):
        await some.send(PERSONA, PERSONA.request(b"{}"), anyio.current_time() + 0.01)


async def test_what_is_sent_once_takes_no_slot_of_the_looks():
    """A slow one must not stop them."""
    net = Network(told({"id": "p1", "name": "x"}))
    some, lane = acts(net, slots=1)
    lane.slots.acquire_nowait()
    assert (await some.send(PERSONA, PERSONA.request(b"{}"), 100.0)).id == "p1"
