"""What songs are made of and taken apart into."""

import pickle

import msgspec
import pytest

from suno_async.protocol.materials import Instrument, Midi, Note, Persona, Slot, Uploaded

SLOT = Slot("u1", "https://s3.example/?sig=abc", {"policy": "p", "signature": "s"})
ALL = [
    Persona(id="p1", name="Ada", clip_ids=("c1",), is_public=False),
    Midi((Instrument("Piano", (Note(60, 0.5, 1.0, 0.8),)),)),
    Uploaded("u1", "T", "https://x/i.png"),
]


@pytest.mark.parametrize("value", [*ALL, SLOT])
def test_they_are_frozen(value):
    """What a gateway told does not change."""
    with pytest.raises(AttributeError):
        setattr(value, msgspec.structs.fields(value)[0].name, "x")


@pytest.mark.parametrize("value", [*ALL, SLOT])
def test_they_survive_a_pickle_and_a_journey_through_json(value):
    """Equal on the other side."""
    assert pickle.loads(pickle.dumps(value)) == value  # noqa: S301 - its own bytes
    assert msgspec.json.decode(msgspec.json.encode(value), type=type(value)) == value


def test_what_a_gateway_does_not_say_is_empty():
    """Only the ids are needed."""
    assert Persona(id="p1").is_public is None
    assert (Midi().instruments, Instrument("x").notes, Note(1, 2, 3).velocity) == ((), (), 0.0)
    assert (Slot("u", "https://x").fields, Uploaded("u").title) == ({}, "")


def test_a_slot_shows_nobody_how_to_write_there():
    """Its address is signed and its fields hold the signature: neither is shown."""
    assert repr(SLOT) == "Slot('u1')"
    assert f"{SLOT}" == "Slot('u1')"
