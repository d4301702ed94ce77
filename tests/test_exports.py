"""The door: what ``from suno_async import ...`` gives."""

import importlib.metadata
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import suno_async
from suno_async import Suno
from suno_async.protocol import errors

VERBS = ["as_completed", "fetch", "fetch_many", "run", "submit", "wait", "watch"]


def test_the_names_are_sorted_and_there():
    """Each name once, in order, and each can be imported."""
    assert suno_async.__all__ == sorted(set(suno_async.__all__))
    space: dict[str, object] = {}
    exec("from suno_async import *", space)  # noqa: S102 - the sentence itself
    assert set(space) - {"__builtins__"} == set(suno_async.__all__)


def test_there_is_no_other_public_name():
    """What is not in ``__all__`` is a module or private."""
    others = {name for name in vars(suno_async) if not name.startswith("_")} - set(suno_async.__all__)
    assert all(inspect.ismodule(getattr(suno_async, name)) for name in others)


def test_every_error_is_public():
    """Whatever is raised can be caught by a name from the door."""
    classes = {name: kind for name, kind in vars(errors).items() if inspect.isclass(kind)}
    raised = {name for name, kind in classes.items() if kind.__module__ == errors.__name__}
    assert raised <= set(suno_async.__all__)
    for name in raised:
        assert issubclass(getattr(suno_async, name), suno_async.SunoError)


@pytest.mark.parametrize("name", suno_async.__all__)
def test_every_public_thing_says_what_it_is(name):
    """A docstring of its own, whose first line is one sentence; its public methods have one too."""
    thing = getattr(suno_async, name)
    assert thing.__doc__
    assert thing.__doc__.strip().partition("\n")[0].rstrip().endswith((".", ":"))
    for attribute, value in vars(thing).items() if inspect.isclass(thing) else ():
        if inspect.isfunction(value) and not attribute.startswith("_"):
            assert value.__doc__, attribute


def test_the_verbs_are_these():
    """Names are fixed: code that was written against them goes on working."""
    for verb in VERBS:
        assert callable(getattr(Suno, verb))
    parameters = inspect.signature(Suno).parameters
    assert next(iter(parameters)) == "base_url"
    keywords = {name for name, parameter in parameters.items() if parameter.kind is parameter.KEYWORD_ONLY}
    assert keywords >= {"api_key", "pace", "concurrency", "batch_size", "rate", "timeout", "rng"}
    assert len(parameters) == len(keywords) + 1


def test_a_deadline_is_an_hour_unless_said_otherwise():
    """Every verb that waits takes ``timeout``, by keyword, and has the same default."""
    for verb in ("wait", "run", "as_completed", "watch"):
        parameter = inspect.signature(getattr(Suno, verb)).parameters["timeout"]
        assert (parameter.default, parameter.kind) == (3600.0, parameter.KEYWORD_ONLY)


def test_what_was_learned_is_a_value():
    """What a client has learned of its gateway is of a public type, and can be explained without a client."""
    assert inspect.signature(Suno.experience).return_annotation is suno_async.Experience
    assert "10%" in suno_async.explain(suno_async.Experience())


def test_its_types_are_for_others_too():
    """``py.typed`` lies in the package, so that a user's type checker reads it."""
    assert (Path(suno_async.__file__).with_name("py.typed")).exists()


def test_it_is_installed_as_what_it_is():
    """The distribution is ``suno-async`` and brings the command of that name."""
    distribution = importlib.metadata.distribution("suno-async")
    entries = [entry.value for entry in distribution.entry_points if entry.name == "suno-async"]
    assert entries == ["suno_async.__main__:main"]


def test_what_few_need_is_loaded_when_it_is_asked_for():
    """A program that only waits does not pay for it; it is the same object from then on."""
    script = "import sys, suno_async; print('suno_async.protocol.profiles' in sys.modules); suno_async.Profile; "
    script += "print('suno_async.protocol.profiles' in sys.modules, suno_async.Profile is suno_async.Profile)"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - its own script
    assert done.stdout.split() == ["False", "True", "True"]


def test_a_name_that_is_not_there_is_an_attribute_error():
    """As of any module."""
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        suno_async.Nonsense  # noqa: B018
