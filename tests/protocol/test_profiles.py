"""Gateways whose paths differ from stock's."""

import copy
import pickle
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suno_async.protocol.errors import ConfigurationError
from suno_async.protocol.profiles import PROFILES, Profile, read_profile
from suno_async.protocol.routes import ROUTES

QUICK = settings(max_examples=100, deadline=None, derandomize=True)
PARTS = {"task_id": "t-1", "clip_id": "c-1", "clip_ids": "c-1,c-2", "upload_id": "u-1", "action": "music/custom"}
REQUESTS = {name: route.request(**PARTS) for name, route in ROUTES.items()}


@pytest.mark.parametrize("name", ROUTES)
def test_stock_is_where_everything_is(name):
    """And so are chatfire and 302, as their documents have it."""
    request = REQUESTS[name]
    for profile in ("stock", "chatfire", "302"):
        assert PROFILES[profile].place(request.method, request.path) == request.path


@pytest.mark.parametrize(
    ("profile", "method", "stock", "placed"),
    [
        ("v1", "POST", "/suno/submit/music", "/v1/suno/submit/music"),
        ("v1", "GET", "/suno/fetch/t-1", "/v1/suno/fetch/t-1"),
        ("v1", "POST", "/suno/uploads/audio-url", "/v1/suno/uploads/audio-url"),
        ("v1", "POST", "/v1/chat/completions", "/v1/chat/completions"),
        ("v1", "GET", "/sunoapi/x", "/sunoapi/x"),
        ("bltcy", "POST", "/suno/submit/music", "/task/suno/v1/submit/music"),
        ("bltcy", "POST", "/suno/fetch", "/task/suno/v1/fetch"),
        ("bltcy", "GET", "/suno/fetch/t-1", "/task/suno/v1/fetch/t-1"),
        ("bltcy", "GET", "/api/task/self?platform=suno&p=1", "/api/task/self?platform=suno&p=1"),
        ("uniapi", "POST", "/suno/fetch", "/suno/submit/fetch"),
        ("uniapi", "GET", "/suno/fetch/t-1", "/suno/fetch/t-1"),
        ("uniapi", "POST", "/suno/submit/music", "/suno/submit/music"),
        ("openai-hk", "GET", "/suno/feed/c-1,c-2", "/sunoapi/feed/c-1,c-2"),
        ("openai-hk", "POST", "/suno/submit/lyrics", "/suno/submit/lyrics"),
        ("cometapi", "POST", "/suno/persona/create/", "/suno/persona/create"),
    ],
)
def test_the_named_ones(profile, method, stock, placed):
    """As their sources have it."""
    assert PROFILES[profile].place(method, stock) == placed


@pytest.mark.parametrize("name", PROFILES)
def test_each_has_its_name_and_its_source(name):
    """Nothing here is guessed: each says where it is written."""
    profile = PROFILES[name]
    assert profile.name == name
    assert re.search(r"[a-z0-9-]+\.(com|cn|ai|cc)\b", profile.source)


@pytest.mark.parametrize("name", PROFILES)
def test_no_two_routes_come_to_lie_on_one_another(name):
    """But those that are one path with stock too, and what stock's own template reads as an action."""
    profile = PROFILES[name]
    named = {key: request for key, request in REQUESTS.items() if key not in {"edits", "submit"}}
    placed = {(request.method, profile.place(request.method, request.path)) for request in named.values()}
    assert len(placed) == len(named)


def test_one_of_your_own():
    """A root for all, whole paths for some; parts go where the template wants them."""
    paths = {"wav": "/files/{clip_id}.wav", "submit": "/do/{action}", "tasks": "/mine", "chat": "/chat"}
    mine = Profile("mine", root="/a/b", paths=paths)
    assert mine.place("GET", "/suno/act/wav/c-1") == "/files/c-1.wav"
    assert mine.place("GET", "/suno/act/mp4/c-1") == "/a/b/act/mp4/c-1"
    assert mine.place("POST", "/suno/act/wav/c-1") == "/a/b/act/wav/c-1"
    assert mine.place("GET", "/api/task/self?p=1&q=2") == "/mine?p=1&q=2"
    assert mine.place("GET", "/api/task/self?") == "/mine?"
    assert mine.place("POST", "/v1/chat/completions") == "/chat"


def test_an_action_may_have_several_parts():
    """``Submission("music/custom", ...)`` moves as one; music and concat are routes of their own and stay."""
    mine = Profile("mine", paths={"submit": "/do/{action}"})
    assert mine.place("POST", "/suno/submit/music/custom") == "/do/music/custom"
    assert mine.place("POST", "/suno/submit/remaster") == "/do/remaster"
    assert mine.place("POST", "/suno/submit/music") == "/suno/submit/music"
    assert mine.place("POST", "/suno/submit/concat") == "/suno/submit/concat"


def test_one_path_is_one_path():
    """Songs and what is made of them are submitted at the same place: they move together."""
    for name in ("music", "edits"):
        assert Profile("mine", paths={name: "/song"}).place("POST", "/suno/submit/music") == "/song"


def test_other_parts_are_not_taken_for_ids():
    """An id has no slash: what lies deeper is another route."""
    mine = Profile("mine", paths={"upload_status": "/u/{upload_id}"})
    assert mine.place("GET", "/suno/uploads/audio/u-1") == "/u/u-1"
    assert mine.place("POST", "/suno/uploads/audio/u-1/upload-finish") == "/suno/uploads/audio/u-1/upload-finish"
    assert mine.place("GET", "/suno/uploads/audio/u-1/more") == "/suno/uploads/audio/u-1/more"


IDS = st.text("abcXYZ019_.:-", min_size=1, max_size=20)


@given(IDS, st.sampled_from(list(PROFILES)))
@QUICK
def test_ids_are_kept_whole(task_id, name):
    """Whatever a gateway gives out as an id comes to stand in the path as it is."""
    placed = PROFILES[name].place("GET", f"/suno/fetch/{task_id}")
    assert placed.endswith(f"/fetch/{task_id}")


# what cannot be one


@pytest.mark.parametrize(
    "root",
    [
        "",
        "/",
        "suno",
        "/suno/",
        "//suno",
        "/su no",
        "/../x",
        "/a/..",
        "/.",
        "/a?b",
        "/a#b",
        "/a%2e",
        "/ä",
        "/{x}",
        None,
        7,
        "/suno\n",
        "https://x/suno",
        "/a\\b",
    ],
)
def test_roots_that_are_none(root):
    """A root begins with a slash, does not end with one, and holds what is safe in a path."""
    with pytest.raises(ConfigurationError) as caught:
        Profile("mine", root=root)
    assert str(caught.value) == f"Profile.root: {root!a} is no path such as '/v1/suno'"


def test_what_is_shown_of_a_value_is_bounded():
    """However long it is."""
    with pytest.raises(ConfigurationError, match=r"Profile\.root: '/a{58} is no path"):
        Profile("mine", root="/" + "a" * 900 + "?")
    with pytest.raises(ConfigurationError, match=r"Profile\.paths: 'a{59} is no route"):
        Profile("mine", paths={"a" * 900: "/x"})
    with pytest.raises(ConfigurationError, match=r"Profile\.paths\['wav'\]: 'a{79} is no path"):
        Profile("mine", paths={"wav": "a" * 900})


@pytest.mark.parametrize("name", ["", " ", None, 7])
def test_names_that_are_none(name):
    """It is shown in messages."""
    with pytest.raises(ConfigurationError, match=r"\Aa profile needs a name\Z"):
        Profile(name)


@pytest.mark.parametrize(("source", "shown"), [(None, "NoneType"), (5, "int"), (b"docs.example", "bytes")])
def test_sources_that_are_none(source, shown):
    """It is a text, and the error says what was given instead."""
    with pytest.raises(ConfigurationError, match=rf"\AProfile\.source must be a text, not a {shown}\Z"):
        Profile("mine", source=source)


@pytest.mark.parametrize("half", ["a\ud800", "\udcff"])
def test_half_a_character_is_no_text(half):
    """Neither in the name nor in the source: it could not be shown."""
    for more in ({"name": half}, {"name": "mine", "source": half}):
        with pytest.raises(ConfigurationError) as caught:
            Profile(**more)
        assert str(caught.value) == "Profile: name or source holds half of a surrogate pair, which is no text"


@pytest.mark.parametrize("paths", [None, [("wav", "/x")], "wav"])
def test_paths_are_a_mapping(paths):
    """From names of routes to paths."""
    with pytest.raises(ConfigurationError, match=r"\AProfile\.paths must be a mapping from names of routes to paths\Z"):
        Profile("mine", paths=paths)


@pytest.mark.parametrize("name", ["wave", "", None, 7])
def test_names_of_routes_are_checked(name):
    """The error lists them."""
    shown = re.escape(ascii(name))
    with pytest.raises(
        ConfigurationError, match=rf"Profile\.paths: {shown} is no route; there are music, edits, .*, models"
    ):
        Profile("mine", paths={name: "/x"})


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "x/{clip_id}",
        "/x/{clip_id",
        "/x/clip_id}",
        "/{clip_id}/{0}",
        "/{}/{clip_id}",
        "/{{clip_id}}",
        "//{clip_id}",
        "/x/../{clip_id}",
        "/x?c={clip_id}",
        "/x/{clip_id!r}",
        "/x/{clip_id.a}",
        "/x /{clip_id}",
        None,
        7,
    ],
)
def test_paths_that_are_none(path):
    """Safe characters, and braces in pairs around plain names."""
    with pytest.raises(ConfigurationError) as caught:
        Profile("mine", paths={"wav": path})
    said = f"Profile.paths['wav']: {path!a} is no path such as '/suno/act/wav/{{clip_id}}'"
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("route", "path"),
    [("wav", "/x"), ("wav", "/x/{task_id}"), ("wav", "/{clip_id}/{clip_id}"), ("fetch_many", "/x/{task_id}")],
)
def test_the_parts_stay(route, path):
    """Every part of stock's path, once, and no other."""
    with pytest.raises(ConfigurationError, match="must have the same parts in braces"):
        Profile("mine", paths={route: path})


def test_a_slash_at_the_end_is_allowed():
    """Some gateways want it."""
    assert Profile("mine", paths={"wav": "/x/{clip_id}/"}).place("GET", "/suno/act/wav/c") == "/x/c/"


# what a caller gives


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_by_its_name(name):
    """However it is written."""
    assert read_profile(name) is read_profile(f" {name.upper()} ") is PROFILES[name]


def test_a_profile_of_ones_own():
    """Is taken as it is, and survives a pickle."""
    mine = Profile("mine", root="/v1/suno", paths={"wav": "/x/{clip_id}"}, source="docs.example")
    assert read_profile(mine) is mine
    for other in (pickle.loads(pickle.dumps(mine)), copy.copy(mine), copy.deepcopy(mine)):  # noqa: S301 - its own bytes
        assert other == mine
        assert other.place("GET", "/suno/act/wav/c") == "/x/c"


def test_a_profile_stays_as_it_was_checked():
    """Whatever becomes of the mapping it was made of: the key goes where its paths lead."""
    paths = {"feed": "/feed/{clip_ids}"}
    mine = Profile("mine", paths=paths)
    paths["feed"] = "@evil.example/{clip_ids}"
    assert mine.place("GET", "/suno/feed/c-1") == "/feed/c-1"
    for profile in (mine, Profile("other"), pickle.loads(pickle.dumps(mine))):  # noqa: S301 - its own bytes
        with pytest.raises(TypeError):
            profile.paths["feed"] = "@evil.example/{clip_ids}"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("stok", "'stok'"),
        ("\n", "'\\n'"),
        ("x" * 900, "'" + "x" * 59),
        (None, "a NoneType"),
        (7, "a int"),
        ({"name": "x"}, "a dict"),
    ],
)
def test_what_is_no_profile(value, shown):
    """The error lists the names, and shows what was given as far as it is fit to be shown."""
    with pytest.raises(ConfigurationError) as caught:
        read_profile(value)
    names = ", ".join(PROFILES)
    assert str(caught.value) == f"{shown} is no profile: there are {names}, or pass a Profile(...)"


def test_it_is_frozen():
    """A profile is data."""
    with pytest.raises(AttributeError):
        PROFILES["stock"].root = "/x"
