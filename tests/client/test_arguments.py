"""What the verbs are given."""

import asyncio
import math
from pathlib import Path

import pytest

from suno_async import ConfigurationError
from suno_async.client.arguments import (
    check_account,
    check_clip_id,
    check_clips,
    check_file,
    check_link,
    check_path,
    check_statuses,
    check_switch,
    check_text,
    check_wait,
    collected,
    iterable,
    place_of,
)
from suno_async.protocol.exchange import Account
from suno_async.protocol.inputs import Secret
from suno_async.protocol.profiles import Profile

TOKEN = "access-CANARY-0123456789abcdef"

# waits


@pytest.mark.parametrize(("timeout", "seconds"), [(None, None), (0, 0), (1.5, 1.5), (10**6, 10**6)])
@pytest.mark.parametrize("until", ["done", "playable"])
def test_a_wait_has_an_end_or_none(timeout, seconds, until):
    """Seconds from zero on, or None for no end."""
    assert check_wait(timeout, until) == seconds


@pytest.mark.parametrize("until", ["", "Done", "SUCCESS", None, 1, ["done"]])
def test_a_wait_is_until_something_it_knows(until):
    """Anything but the two words is refused, and both are named."""
    with pytest.raises(ConfigurationError, match=r"until must be 'done' or 'playable', not "):
        check_wait(1, until)


@pytest.mark.parametrize("timeout", [-1, math.nan, math.inf, "5", True, [1]])
def test_a_wait_of_no_length_is_refused(timeout):
    """The parameter is named."""
    with pytest.raises(ConfigurationError, match=r"^timeout must be a number of seconds"):
        check_wait(timeout, "done")


# paths


def test_a_path_is_a_file_in_a_folder_that_exists(tmp_path, monkeypatch):
    """As text or as a path, there already or not yet, and from the home folder."""
    monkeypatch.setenv("HOME", str(tmp_path))
    there = tmp_path / "there"
    there.touch()
    for path in (there, tmp_path / "new"):
        assert check_path("journal", path) == check_path("journal", str(path)) == path
    assert check_path("journal", "~/new") == tmp_path / "new"
    monkeypatch.chdir(tmp_path)
    assert check_path("journal", "new") == Path("new")


class Like:
    """Something that gives its path, whatever that is."""

    def __init__(self, path):
        self.path = path

    def __fspath__(self):
        return self.path


@pytest.mark.parametrize(
    "path",
    ["", "a\0b", "a\ud800", None, 5, b"journal", ["a"], True, Like(b"journal"), Like(5), Like(""), Like("a\0b")],
    ids=range(12),
)
def test_what_is_no_path_is_refused(path):
    """Named by its parameter."""
    with pytest.raises(ConfigurationError, match=r"^journal must be the path of a file$"):
        check_path("journal", path)
    with pytest.raises(
        ConfigurationError, match=r"^source must be an address \(https://\.\.\.\), the path of a file, or"
    ):
        check_file("source", path)


@pytest.mark.parametrize("check", [check_path, check_file])
@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("x" * 5000, "File name too long"),
        ("x" * 5000 + "/a", "File name too long"),
        ("~nosuchuser/a", "there is no such home folder"),
        (Like("~nosuchuser/a"), "there is no such home folder"),
    ],
    ids=["long", "long folder", "nobody's", "nobody's as a path"],
)
def test_a_path_that_leads_nowhere_is_refused(check, path, why):
    """With the system's reason, and as much of the path as can be read."""
    with pytest.raises(ConfigurationError, match=f"^it='[x~].*': {why}$") as caught:
        check("it", path)
    assert len(str(caught.value)) < 400


def test_a_file_is_there(tmp_path, monkeypatch):
    """As text, as a path, as what gives one, and from the home folder; neither a folder nor what lies in a file."""
    monkeypatch.setenv("HOME", str(tmp_path))
    there = tmp_path / "there.mp3"
    there.touch()
    for path in (there, str(there), Like(str(there)), "~/there.mp3"):
        assert check_file("source", path) == there
    for path in (tmp_path, tmp_path / "no.mp3", there / "in.mp3"):
        with pytest.raises(ConfigurationError, match=r"^source='.*': there is no such file$"):
            check_file("source", path)


def test_a_folder_is_no_file(tmp_path):
    """Neither is a file in a folder that is not there; the error shows the path."""
    for path in (tmp_path, tmp_path / "no" / "file"):
        with pytest.raises(ConfigurationError, match="it must be a file, in a folder that exists") as caught:
            check_path("journal", path)
        assert repr(str(path)) in str(caught.value)


# addresses and switches


@pytest.mark.parametrize(
    "url", ["https://example.com/a.mp3", "http://example.com:8080", "HTTPS://[2606:4700::1111]/a b"]
)
def test_an_address_names_a_host(url):
    """What else is in it is the gateway's to judge."""
    assert check_link("source", url) == url


@pytest.mark.parametrize(
    "url", ["https://", "https:///SECRET", "http://?SECRET", "https://u:SECRET@/", "https:// /", "https://[SECRET"]
)
def test_an_address_without_a_host_is_refused(url):
    """It is not shown: it may be signed."""
    with pytest.raises(
        ConfigurationError, match=r"^source must name a host, as https://host/song\.mp3 does$"
    ) as caught:
        check_link("source", url)
    assert caught.value.__cause__ is None


def test_an_address_is_a_text():
    """As any other."""
    with pytest.raises(ConfigurationError, match="source holds half of a surrogate pair"):
        check_link("source", "https://half\ud800")


@pytest.mark.parametrize("value", ["false", None, 0, 1, object()], ids=range(5))
def test_a_switch_is_true_or_false(value):
    """Nothing is taken for one of them."""
    assert [check_switch("is_public", one) for one in (True, False)] == [True, False]
    with pytest.raises(ConfigurationError, match=r"^is_public must be True or False, not a \w+$"):
        check_switch("is_public", value)


# clips and texts


def test_clips_are_listed_once_each_in_order():
    """From any iterable of ids; none is a list too."""
    assert check_clip_id("c-1") == "c-1"
    assert check_clips(["b", "a", "b"]) == check_clips(iter(("b", "a"))) == ["b", "a"]
    assert check_clips(()) == []


@pytest.mark.parametrize("clip_id", ["", "a/b", "..", "a b", None, 7, "x" * 200, "a\ud800"], ids=range(8))
def test_what_is_no_clip_id_is_refused_wherever_it_stands(clip_id):
    """It is shown as far as it can be."""
    for check in (lambda: check_clip_id(clip_id), lambda: check_clips(["c1", clip_id])):
        with pytest.raises(ConfigurationError, match=r"is no clip id: pass a song's \.id") as caught:
            check()
        assert str(caught.value).startswith(ascii(clip_id)[:60])


@pytest.mark.parametrize("clips", ["c1", b"c1", 5, None], ids=repr)
def test_clips_come_in_something_that_can_be_iterated_over(clips):
    """One id is no list of ids."""
    with pytest.raises(ConfigurationError, match=r"^clip ids come as a list or another iterable, not as \w+$"):
        check_clips(clips)


def test_a_text_is_not_blank_unless_it_may_be():
    """It is kept as it is."""
    assert check_text("name", " Ann ") == " Ann "
    assert check_text("description", " ", empty=True) == " "
    for text in ("", " ", None, 5, b"Ann"):
        with pytest.raises(ConfigurationError, match=r"^name must be a text that is not empty$"):
            check_text("name", text)
    for text in (None, 5, b"Ann"):
        with pytest.raises(ConfigurationError, match=r"^name must be a text$"):
            check_text("name", text, empty=True)
    for text in ("a\ud800", "\udfff"):
        with pytest.raises(ConfigurationError, match=r"^name holds half of a surrogate pair, which is no text$"):
            check_text("name", text)


# profiles


def test_stock_moves_nothing():
    """Any other profile does, by its name or as it is."""
    assert place_of("stock") is None
    for profile in ("v1", Profile("mine", root="/v1/suno")):
        assert place_of(profile)("GET", "/suno/fetch/t-1") == "/v1/suno/fetch/t-1"
    with pytest.raises(ConfigurationError, match="is no profile"):
        place_of("stok")


# statuses


@pytest.mark.parametrize("statuses", [(), [429], {400, 599}, frozenset({503}), {503: 1}, range(500, 505)])
def test_statuses_are_any_collection_of_errors(statuses):
    """Also an empty one."""
    assert check_statuses("resubmit_on", statuses) == frozenset(statuses)


@pytest.mark.parametrize("statuses", [None, 429, "429", b"429", [399], [600], [429.0], ["429"], [None], iter([429])])
def test_what_are_no_statuses_is_refused(statuses):
    """Named by its parameter."""
    with pytest.raises(ConfigurationError, match=r"^resubmit_on must be a collection of HTTP statuses of errors"):
        check_statuses("resubmit_on", statuses)


# accounts


def test_an_account_is_both_or_neither():
    """A token and the number of its user; without both there is none."""
    token = Secret(TOKEN)
    assert check_account(None, None) is None
    assert check_account(token, 1) == Account(token, 1)
    assert check_account(token, 2**63 - 1).user_id == 2**63 - 1


@pytest.mark.parametrize("user_id", [None, 0, -1, 2**63, 10**5000, 1.0, "1", True, [1]], ids=range(9))
def test_a_token_without_its_user_is_refused(user_id):
    """The token is not shown."""
    with pytest.raises(ConfigurationError, match="are given together, or not at all") as caught:
        check_account(Secret(TOKEN), user_id)
    assert "CANARY" not in repr(caught.value)
    assert caught.value.__cause__ is None


def test_a_user_without_a_token_is_refused():
    """Whatever the number."""
    with pytest.raises(ConfigurationError, match="are given together, or not at all"):
        check_account(None, 1)


@pytest.mark.parametrize("token", ["", "short", "a b c d e f g h", f"{TOKEN}\n", "ключ" * 5, 5, b"bytes" * 5])
def test_what_is_no_token_is_refused_without_a_word_of_it(token):
    """The error says what is wrong with which of the two secrets, and shows nothing."""
    with pytest.raises(ConfigurationError, match=r"^access_token is none: copy it from the gateway's settings page$"):
        check_account(Secret(token), 1)


# ids


@pytest.mark.parametrize("ids", ["task_1", b"task_1", 5, None, ...], ids=repr)
def test_ids_come_in_something_that_can_be_iterated_over(ids):
    """One id is no list of ids, even though its letters could be iterated over."""
    with pytest.raises(ConfigurationError, match="task ids come as a list or another iterable, not as"):
        iterable(ids)


async def test_ids_are_collected_once_each_in_order():
    """From any iterable and any async iterable."""

    async def source():
        for task_id in ("b", "a", "b"):
            yield task_id

    for ids in (["b", "a", "b"], iter(("b", "a", "b")), {"b": 1, "a": 2}, source()):
        assert await collected(ids) == ["b", "a"]
    assert await collected([]) == []


async def test_an_id_that_is_none_stops_the_collection():
    """Wherever it stands."""

    async def source():
        yield "a"
        yield "../b"

    for ids in (["a", "../b"], source()):
        with pytest.raises(ConfigurationError, match="is no task id"):
            await collected(ids)


async def test_a_long_list_leaves_room_for_others():
    """Somebody else runs at least once for each thousand of them."""
    turns = []
    loop = asyncio.get_running_loop()

    def turn():
        turns.append(1)
        handle[0] = loop.call_soon(turn)

    handle = [loop.call_soon(turn)]
    assert len(await collected(f"t{number}" for number in range(5000))) == 5000
    handle[0].cancel()
    assert len(turns) >= 5
