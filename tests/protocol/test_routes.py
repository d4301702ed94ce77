"""Everything a gateway can be asked for."""

import re
from string import Formatter

import msgspec
import pytest

from suno_async.protocol import requests
from suno_async.protocol.accounts import ask_charges, ask_made
from suno_async.protocol.requests import Custom, Submission, submission
from suno_async.protocol.requests.checked import Body
from suno_async.protocol.routes import ROUTES, Family, Route
from suno_async.protocol.wire import ask_many, ask_one

STOCK = {"music", "lyrics", "fetch", "fetch_many", "subscription", "usage", "charges", "tasks", "models"}
FREE = {"fetch_many", "upload_slot", "upload_finish"}
"""POSTs that neither cost nor make anything that is left over."""
ELSEWHERE = {
    "music",
    "edits",
    "concat",
    "lyrics",
    "submit",
    "fetch",
    "fetch_many",
    "chat",
    "charges",
    "tasks",
    "models",
}


def parts(path) -> list[str]:
    return [name for _, name, _, _ in Formatter().parse(path) if name is not None]


@pytest.mark.parametrize("name", ROUTES)
def test_each_has_its_name_and_its_words(name):
    """One line each, in plain words that stand in a table."""
    route = ROUTES[name]
    assert route.name == name
    assert re.fullmatch(r"[a-z0-9_]+", name)
    assert re.fullmatch(r"[^|\n`]{10,100}", route.about)
    assert re.fullmatch(r"(await )?suno\.[a-z0-9_]+\([^|\n`]*\)|", route.verb)
    assert re.fullmatch(r"(/[a-z0-9_{}-]+)+/?", route.path)


def test_which_gateways_have_them():
    """Stock's three, what it has about accounts, and the list of models; everything else is private."""
    assert {name for name, route in ROUTES.items() if route.family is Family.STOCK} == STOCK


def test_what_is_asked_for_once():
    """Every POST that may cost or make something, and no other route."""
    posts = {name for name, route in ROUTES.items() if route.method == "POST"}
    assert {name for name, route in ROUTES.items() if route.once} == posts - FREE


def test_what_is_read_elsewhere():
    """Submissions, looks, chats, lists: everything else has its decoder here."""
    assert {name for name, route in ROUTES.items() if route.read is None} == ELSEWHERE


def test_every_submission_has_its_route():
    """Each struct is at one route, and goes to its path."""
    structs = {kind for kind in vars(requests).values() if isinstance(kind, type) and issubclass(kind, Body)}
    places = [kind for route in ROUTES.values() for kind in route.bodies]
    assert sorted(map(str, places)) == sorted(map(str, {*structs, Submission}))
    for route in ROUTES.values():
        for kind in route.bodies:
            assert route.path == f"/suno/submit/{getattr(kind, 'action', '{action}')}" or kind is Submission
    assert submission(Custom("la")).path == ROUTES["music"].path
    assert submission(Submission("remaster", {})).path == ROUTES["submit"].request(action="remaster").path


def test_the_paths_are_those_that_are_asked():
    """Looks and accounts are asked for by others: at the paths of this table."""
    for name, request in {
        "fetch": ask_one("t1"),
        "fetch_many": ask_many(["t1"]),
        "charges": ask_charges(),
        "tasks": ask_made(0, 1, 0),
    }.items():
        route = ROUTES[name]
        assert (route.method, route.request(task_id="t1").path) == (request.method, request.path.partition("?")[0])


def test_methods_and_paths_are_told_apart():
    """No two routes are asked for alike, but songs and what is made of them."""
    seen = [(route.method, re.sub(r"\{.*?\}", "{}", route.path)) for route in ROUTES.values() if route.name != "edits"]
    assert len(set(seen)) == len(seen)
    assert ROUTES["edits"].path == ROUTES["music"].path


def test_requests():
    """The parts go into the path, the body is sent as it is."""
    request = ROUTES["wav"].request(clip_id="c-1")
    assert (request.method, request.path, request.body, request.account) == ("GET", "/suno/act/wav/c-1", None, None)
    request = ROUTES["upload_finish"].request(b"{}", upload_id="u-1")
    assert (request.method, request.path, request.body) == ("POST", "/suno/uploads/audio/u-1/upload-finish", b"{}")
    assert ROUTES["feed"].request(clip_ids="a,b").path == "/suno/feed/a,b"


@pytest.mark.parametrize("name", [name for name, route in ROUTES.items() if "{" in route.path])
def test_no_part_may_be_missing(name):
    """A path with a hole in it is never asked for."""
    with pytest.raises(KeyError):
        ROUTES[name].request()
    assert "{" not in ROUTES[name].request(**dict.fromkeys(parts(ROUTES[name].path), "x")).path


def test_routes_are_data():
    """Frozen, and all of one kind."""
    assert {type(route) for route in ROUTES.values()} == {Route}
    with pytest.raises(AttributeError):
        ROUTES["wav"].path = "/x"
    assert msgspec.structs.replace(ROUTES["wav"], verb="") != ROUTES["wav"]
