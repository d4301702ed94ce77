"""Exit codes."""

import pytest

from suno_async import (
    ClientClosed,
    ConfigurationError,
    GatewayUnavailable,
    JournalError,
    QuotaExceeded,
    RateLimited,
    RequestRejected,
    SubmitUnknown,
    SunoError,
    TaskFailed,
    TaskNotFound,
    Unauthorized,
    UnexpectedResponse,
    WaitTimeout,
)
from suno_async.extras.cli.exits import KeyNotSafe, NotKept, advice, code_of


@pytest.mark.parametrize(
    ("kind", "code", "hint"),
    [
        (TaskFailed, 1, ""),
        (TaskNotFound, 1, ""),
        (RequestRejected, 1, ""),
        (WaitTimeout, 3, ""),
        (ConfigurationError, 4, ""),
        (Unauthorized, 4, " (check SUNO_API_KEY, or api_key in the configuration file)"),
        (JournalError, 4, " (--journal PATH names another file, --journal none goes without one)"),
        (KeyNotSafe, 4, ""),
        (QuotaExceeded, 4, " (add credit, or use another key)"),
        (RateLimited, 5, " (try again later, or use --rate)"),
        (GatewayUnavailable, 5, " (try again later)"),
        (UnexpectedResponse, 5, " (try again later)"),
        (ClientClosed, 5, " (try again later)"),
        (SunoError, 5, " (try again later)"),
        (
            NotKept,
            6,
            " (no journal knows of it: before you do it again, see the gateway's own list of tasks)",
        ),
        (
            SubmitUnknown,
            6,
            " (before you submit it again, see suno-async journal unknown, or the gateway's own list of tasks)",
        ),
    ],
)
def test_codes_and_advice(kind, code, hint):
    """Every error has its exit code, and what to do about it."""
    assert (code_of(kind()), advice(kind())) == (code, hint)


def test_advice_about_a_task_that_is_not_written_down():
    """A task that was accepted and could not be written down is to be kept by hand: another journal is no advice."""
    told = advice(JournalError("no", task_id="a", task_ids=("a",)))
    assert "keep the id" in told
    assert "--journal" not in told
