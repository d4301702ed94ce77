"""The options that say how a song is to sound."""

import pytest

from suno_async import ConfigurationError, Metadata
from suno_async.extras.cli.exits import UsageError
from suno_async.extras.cli.styling import REWORK, SOUND, STYLE, Rework, Sound, Style

PLAIN = {"make_instrumental": False, "mv": "", "notify_hook": "", "metadata": None}
STYLED = {**PLAIN, "tags": "", "negative_tags": "", "title": ""}


@pytest.mark.parametrize(
    ("options", "fields"),
    [(SOUND, PLAIN), (STYLE, STYLED), (REWORK, {**STYLED, "prompt": "", "task_id": ""})],
    ids=["sound", "style", "rework"],
)
def test_nothing_is_said_unless_it_was(options, fields):
    """Without a flag every field is at the default of its struct, and there is no metadata at all."""
    assert options.fields == fields


@pytest.mark.parametrize(
    ("options", "metadata"),
    [
        (Sound(vocal_gender="m"), Metadata(vocal_gender="m")),
        (Sound(style_weight=0), Metadata(control_sliders={"style_weight": 0.0})),
        (Style(weirdness_constraint=1.0), Metadata(control_sliders={"weirdness_constraint": 1.0})),
        (
            Rework(vocal_gender="f", audio_weight=0.5, style_weight=0.1),
            Metadata(vocal_gender="f", control_sliders={"style_weight": 0.1, "audio_weight": 0.5}),
        ),
    ],
    ids=["singer", "a slider at nought", "a slider of a style", "all of it"],
)
def test_what_was_said_is_the_metadata(options, metadata):
    """A singer or a slider, one at nought included, makes the metadata."""
    assert options.fields["metadata"] == metadata


def test_what_cannot_be_is_refused(tmp_path):
    """A slider that is out of bounds is told by its name; so are words that cannot be read."""
    with pytest.raises(ConfigurationError, match="audio_weight"):
        _ = Rework(audio_weight=2).fields
    with pytest.raises(UsageError, match="gone cannot be read"):
        _ = Rework(prompt=f"@{tmp_path}/gone").fields
