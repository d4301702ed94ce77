"""What was learned, as a value that outlives the process."""

import math

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suno_async.protocol.beat import WIDTHS, Beat
from suno_async.protocol.durations import Durations, Event, Histogram
from suno_async.protocol.errors import ConfigurationError
from suno_async.protocol.experience import Experience, unpacked

QUICK = settings(max_examples=200, deadline=None, derandomize=True)
SHARES = [0.5, 0.25, *[0.25 / (len(WIDTHS) - 2)] * (len(WIDTHS) - 2)]


class Halved(float):
    """A number that nobody can write down."""


def taught():
    durations = Durations()
    durations.took("MUSIC", 110.0)
    durations.took("MUSIC/chirp-v4", 95.0, least=90.0)
    durations.took("LYRICS", 30.0, event=Event.PLAYABLE)
    return Experience(durations.copy(), 0.25, SHARES)


def packed(**fields):
    return msgspec.msgpack.encode(fields)


@pytest.mark.parametrize("experience", [Experience(), taught(), Experience(no_beat=0.0)], ids=["none", "much", "some"])
def test_it_comes_back_as_it_was(experience):
    """What was packed is unpacked as the same value, and so is what went through JSON."""
    assert unpacked(experience.packed()) == experience
    assert msgspec.json.decode(msgspec.json.encode(experience), type=Experience) == experience


def test_the_same_is_reckoned_from_it():
    """The hazard that follows from it is the same afterwards."""
    before, after = taught(), unpacked(taught().packed())
    for kind in ("MUSIC", "MUSIC/chirp-v4", "CONCAT"):
        first, then = (Durations(one.durations).hazard(kind) for one in (before, after))
        assert (then.ages, then.expected, then.effort) == (first.ages, first.expected, first.effort)


def test_nothing_was_written_down():
    """Where there is no record nothing was learned."""
    assert unpacked(None) == Experience() == Experience({}, None, None)


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"\xc1",
        taught().packed()[:-1],
        taught().packed() + b"\x00",
        b"\x81\xa1x" + b"\x91" * 100_000 + b"\xc0",
        packed(no_beat=1.5),
        packed(no_beat=-0.5),
        packed(no_beat=math.nan),
        packed(widths=SHARES[1:]),
        packed(widths=[*SHARES, 0.0]),
        packed(widths=[math.nan] * len(WIDTHS)),
        packed(widths=[0.0] * len(WIDTHS)),
        packed(widths=[1.0] * len(WIDTHS)),
        packed(durations=[]),
        packed(durations={"end:MUSIC": {"weights": "many"}}),
    ],
    ids=[
        "empty",
        "no message",
        "cut",
        "longer",
        "a hundred thousand brackets",
        "more than certain",
        "less than never",
        "no share",
        "a width less",
        "a width more",
        "widths that are no shares",
        "widths that are nothing",
        "widths that are too much",
        "another shape",
        "other weights",
    ],
)
def test_what_cannot_be_read_is_nothing_learned(record):
    """A record that is damaged, or of a version with other ideas, costs what it held and nothing else."""
    assert unpacked(record) == Experience()


def test_another_version_may_know_more():
    """Fields that this version does not know are left out, the others are read."""
    assert unpacked(packed(no_beat=0.25, moon="full")) == Experience(no_beat=0.25)


@QUICK
@given(st.binary(max_size=200), st.integers(0, 400), st.integers(0, 255))
def test_no_bytes_are_an_error(noise, place, byte):
    """Whatever the record is, an experience comes of it that a client can begin with."""
    record = bytearray(taught().packed())
    record[place % len(record)] = byte
    for one in (noise, bytes(record)):
        experience = unpacked(one)
        Durations(experience.durations).took("MUSIC", 100.0)
        assert sum(Beat(0.0, experience.no_beat, experience.widths).widths()) == pytest.approx(1)


@pytest.mark.parametrize(
    "widths",
    [
        [0.0] * len(WIDTHS),
        [1.0],
        [math.nan] * len(WIDTHS),
        [*SHARES, 0.0],
        [-1.0, 2.0, *[0.0] * (len(WIDTHS) - 2)],
        ["1"] * len(WIDTHS),
        [True, *[False] * (len(WIDTHS) - 1)],
        [Halved(1.0), *[0.0] * (len(WIDTHS) - 1)],
        tuple(SHARES),
        5,
        "EVEN!",
    ],
)
def test_widths_are_shares(widths):
    """Whoever makes one by hand hears what is wrong with it."""
    with pytest.raises(ConfigurationError, match=rf"Experience\.widths must be {len(WIDTHS)} shares"):
        Experience(widths=widths)


def test_it_is_short_where_it_is_shown():
    """A pace that holds it can be shown without a page of numbers."""
    assert repr(taught()) == "Experience(4 durations)"


@pytest.mark.parametrize("no_beat", [-0.01, 1.01, 7, math.nan, math.inf, "0.5", True, Halved(0.5)])
def test_the_beat_s_share_is_one(no_beat):
    """How likely it is that there are no rounds is a number from 0 to 1, or not known."""
    with pytest.raises(ConfigurationError, match=r"Experience\.no_beat must be a share from 0 to 1, or None, not "):
        Experience(no_beat=no_beat)


@pytest.mark.parametrize("no_beat", [None, 0, 0.0, 0.5, 1, 1.0])
def test_any_share_is_one(no_beat):
    """Both ends are in it."""
    sure = [1.0, *[0.0] * (len(WIDTHS) - 1)]
    assert Experience(no_beat=no_beat, widths=sure).no_beat == no_beat


@pytest.mark.parametrize(
    "durations", [1, None, "MUSIC", [30.0], {"end:MUSIC": 5}, {"end:MUSIC": {"seen": 5}}, {1: Histogram()}]
)
def test_durations_are_a_dict(durations):
    """What cannot be the durations of anything is refused, by name, and not when they are first used."""
    with pytest.raises(ConfigurationError, match=r"Experience\.durations must be"):
        Experience(durations)
