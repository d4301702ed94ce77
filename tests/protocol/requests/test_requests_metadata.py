"""The metadata of a song."""

import copy
import itertools
import json
import math
import types

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suno_async.protocol.errors import ConfigurationError
from suno_async.protocol.requests import SLIDERS, Custom, Metadata

QUICK = settings(max_examples=200, deadline=None, derandomize=True)
ALL = {"style_weight": 0.7, "weirdness_constraint": 0.2, "audio_weight": 0.5}


def sent(metadata):
    """The metadata as it goes over the wire."""
    return Custom("la", metadata=metadata).encode()


def test_all_of_it():
    """Every field goes out under the wire's own name."""
    metadata = Metadata(
        create_mode="custom", vocal_gender="f", control_sliders=ALL, can_control_sliders=SLIDERS, is_remix=True
    )
    assert json.loads(sent(metadata))["metadata"] == {
        "create_mode": "custom",
        "vocal_gender": "f",
        "control_sliders": {"style_weight": 0.7, "weirdness_constraint": 0.2, "audio_weight": 0.5},
        "can_control_sliders": ["style_weight", "weirdness_constraint", "audio_weight"],
        "is_remix": True,
    }


@QUICK
@given(st.dictionaries(st.sampled_from(SLIDERS), st.floats(0, 1) | st.integers(0, 1)))
def test_sliders_in_any_order_are_the_same_bytes(sliders):
    """An idempotency key compares bytes: neither the order of sliders nor 1 for 1.0 makes another submission."""
    bodies = {
        sent(Metadata(control_sliders=dict(order), can_control_sliders=tuple(name for name, _ in order)))
        for order in itertools.permutations(sliders.items())
    }
    bodies.add(
        sent(Metadata(control_sliders={k: float(v) for k, v in sliders.items()}, can_control_sliders=[*sliders]))
    )
    assert len(bodies) == 1
    assert json.loads(bodies.pop())["metadata"].get("control_sliders", {}) == sliders


@QUICK
@given(st.floats() | st.integers())
def test_a_slider_goes_from_nought_to_one(value):
    """A slider is taken if it is a number from 0 to 1, and refused with its name if it is not."""
    if 0 <= value <= 1:
        assert Metadata(control_sliders={"audio_weight": value}).control_sliders == {"audio_weight": value}
    else:
        with pytest.raises(ConfigurationError, match=r"^Metadata\.control_sliders\['audio_weight'\] must be a number"):
            Metadata(control_sliders={"audio_weight": value})


def test_what_was_checked_stays():
    """Sliders that are changed behind its back change nothing, and any mapping will do."""
    sliders = dict(ALL)
    metadata = Metadata(control_sliders=sliders)
    sliders["style_weight"] = math.nan
    assert metadata.control_sliders == ALL
    assert Metadata(control_sliders=types.MappingProxyType(ALL)) == copy.deepcopy(metadata) == metadata


BOUNDS = "must be a number from 0 to 1, not"
NAMES = "is no slider: there are style_weight, weirdness_constraint, audio_weight"
WRONG = [
    ({"vocal_gender": "M"}, "Metadata.vocal_gender: must be one of '', 'm', 'f'"),
    ({"vocal_gender": None}, "Metadata.vocal_gender: expected `str`, got `null`"),
    ({"create_mode": 5}, "Metadata.create_mode: expected `str`, got `int`"),
    ({"create_mode": "\ud800"}, "Metadata.create_mode: holds half of a surrogate pair"),
    ({"is_remix": "yes"}, "Metadata.is_remix: expected `bool`, got `str`"),
    ({"control_sliders": {"style": 0.5}}, f"Metadata.control_sliders: 'style' {NAMES}"),
    ({"control_sliders": {5: 0.5}}, f"Metadata.control_sliders: 5 {NAMES}"),
    ({"control_sliders": {"style_weight": 70}}, f"Metadata.control_sliders['style_weight'] {BOUNDS} 70"),
    ({"control_sliders": {"style_weight": -0.1}}, f"Metadata.control_sliders['style_weight'] {BOUNDS} -0.1"),
    ({"control_sliders": {"style_weight": math.nan}}, f"Metadata.control_sliders['style_weight'] {BOUNDS} nan"),
    ({"control_sliders": {"style_weight": "0.5"}}, f"Metadata.control_sliders['style_weight'] {BOUNDS} '0.5'"),
    ({"control_sliders": {"style_weight": True}}, f"Metadata.control_sliders['style_weight'] {BOUNDS} True"),
    ({"control_sliders": ["style_weight"]}, "Metadata.control_sliders: expected `object`, got `array`"),
    ({"control_sliders": "style_weight"}, "Metadata.control_sliders: expected `object`, got `str`"),
    ({"control_sliders": None}, "Metadata.control_sliders: expected `object`, got `null`"),
    ({"can_control_sliders": ("style",)}, f"Metadata.can_control_sliders: 'style' {NAMES}"),
    ({"can_control_sliders": "style_weight"}, "Metadata.can_control_sliders: expected `array`, got `str`"),
    ({"can_control_sliders": 3}, "Metadata.can_control_sliders: expected `array`, got `int`"),
]


@pytest.mark.parametrize(("fields", "said"), WRONG, ids=[f"{number}-{row[1][:40]}" for number, row in enumerate(WRONG)])
def test_what_cannot_be_right_is_refused(fields, said):
    """The message names the field, and what may stand there."""
    with pytest.raises(ConfigurationError) as caught:
        Metadata(**fields)
    assert str(caught.value).startswith(said)
    assert caught.value.__cause__ is None


def test_a_slider_that_is_none_is_named_as_far_as_it_fits():
    """Sixty characters of a name that may be anything."""
    with pytest.raises(ConfigurationError) as caught:
        Metadata(control_sliders={"x" * 1000: 0.5})
    assert "'" + "x" * 59 + " is no slider" in str(caught.value)
