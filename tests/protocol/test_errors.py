"""The tree of errors."""

import inspect
import pickle

import pytest

from suno_async.protocol import errors
from suno_async.protocol.intents import Intent
from suno_async.protocol.models import Status, Task

TREE = {
    "SunoError": "Exception",
    "ConfigurationError": "SunoError",
    "RequestRejected": "SunoError",
    "Unauthorized": "RequestRejected",
    "QuotaExceeded": "RequestRejected",
    "RateLimited": "RequestRejected",
    "GatewayUnavailable": "SunoError",
    "UnexpectedResponse": "SunoError",
    "SubmitUnknown": "SunoError",
    "TaskFailed": "SunoError",
    "TaskNotFound": "SunoError",
    "WaitTimeout": "SunoError",
    "ClientClosed": "SunoError",
    "JournalError": "SunoError",
}
ALL = [cls for _, cls in inspect.getmembers(errors, inspect.isclass) if cls.__module__ == errors.__name__]
TASK = Task(task_id="t", status=Status.FAILURE, fail_reason="no")
FACTS = {
    errors.SunoError: {"task_id": "t", "task_ids": ("t", "u"), "tasks": {"t": TASK, "u": None}},
    errors.ConfigurationError: {"task_id": "t"},
    errors.RequestRejected: {"status": 400, "code": "invalid_request", "message": "prompt_empty", "request_id": "2026"},
    errors.Unauthorized: {"status": 401, "code": "", "message": "Invalid token", "task_ids": ("t",)},
    errors.QuotaExceeded: {"status": 403, "code": "quota_not_enough"},
    errors.RateLimited: {"status": 429, "retry_after": 7.0},
    errors.GatewayUnavailable: {"attempts": 3, "status": 502, "request_id": "2026", "retry_after": 7.0},
    errors.UnexpectedResponse: {"excerpt": "<html>", "status": 200},
    errors.SubmitUnknown: {"intent": Intent(action="music", body=b"{}", sent=True)},
    errors.TaskFailed: {"task": TASK, "reason": "no", "inferred": True, "task_id": "t"},
    errors.TaskNotFound: {"last_seen": TASK},
    errors.WaitTimeout: {"task": TASK, "task_ids": ("t",)},
    errors.ClientClosed: {"task_ids": ("t",)},
    errors.JournalError: {"task_id": "t"},
}
each = pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.__name__)


def test_the_tree_is_what_the_page_says():
    """The module holds these classes, each under this one, and its docstring lists every one of them."""
    assert {cls.__name__: cls.__bases__[0].__name__ for cls in ALL} == TREE
    assert all(name in errors.__doc__ for name in TREE)
    assert set(FACTS) == set(ALL)


@each
def test_the_docstring_is_the_default_message(cls):
    """An error made without a message says the first line of its docstring, and nothing else."""
    said = str(cls())
    assert said == cls.__doc__.splitlines()[0]
    assert said.endswith(".")
    assert cls().args == (said,)


@each
def test_a_message_replaces_the_default_one(cls):
    """The text of an error is the message it was given."""
    assert str(cls("it rains")) == "it rains"
    assert cls("it rains").args == ("it rains",)


@each
def test_facts_survive_a_pickle(cls):
    """An error with all its facts comes out of a pickle with the same text and the same facts."""
    error = cls("it rains", **FACTS[cls])
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert type(again) is cls
    assert str(again) == "it rains"
    assert {name: getattr(again, name) for name in FACTS[cls]} == FACTS[cls]


@each
def test_facts_have_harmless_defaults(cls):
    """Every fact of an error can be read although nobody gave it."""
    error = cls()
    assert error.task_id is None
    assert error.task_ids == ()
    assert error.tasks == {}
    assert all(hasattr(error, name) for name in FACTS[cls])


@each
def test_an_unknown_fact_is_refused(cls):
    """A fact that the class does not have is a mistake in our own code and says so."""
    with pytest.raises(TypeError, match=f"{cls.__name__} has no fact 'colour'"):
        cls("it rains", colour="blue")


def test_a_configuration_error_is_a_value_error():
    """What a caller gave wrongly can be caught as a ValueError."""
    assert issubclass(errors.ConfigurationError, ValueError)


def test_a_wait_timeout_is_a_timeout_error():
    """A wait that ran out can be caught as a TimeoutError, which says nothing of an errno."""
    error = errors.WaitTimeout("too long", task=TASK)
    assert isinstance(error, TimeoutError)
    assert error.errno is None
    assert str(error) == "too long"


def test_the_innermost_error_is_the_one_that_happened():
    """Groups are opened, as deep as they are; what is no group is itself."""
    cause = ValueError("it")
    assert errors.innermost(ExceptionGroup("a", [ExceptionGroup("b", [cause, KeyError()])])) is cause
    assert errors.innermost(cause) is cause
