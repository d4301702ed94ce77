"""Exit codes."""

import pytest

from suno_async import (
    ClientClosed,
    ConfigurationError,
    GatewayUnavailable,
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
from suno_async.extras.cli.exits import advice, code_of


@pytest.mark.parametrize(
    ("kind", "code", "hint"),
    [
        (TaskFailed, 1, ""),
        (TaskNotFound, 1, ""),
        (RequestRejected, 1, ""),
        (WaitTimeout, 3, ""),
        (ConfigurationError, 4, ""),
        (Unauthorized, 4, " (check SUNO_API_KEY)"),
        (QuotaExceeded, 4, " (add credit, or use another key)"),
        (RateLimited, 5, " (try again later, or use --rate)"),
        (GatewayUnavailable, 5, " (try again later)"),
        (UnexpectedResponse, 5, " (try again later)"),
        (ClientClosed, 5, " (try again later)"),
        (SunoError, 5, " (try again later)"),
        (SubmitUnknown, 6, " (look at the gateway's own list of tasks before you submit it again)"),
    ],
)
def test_codes_and_advice(kind, code, hint):
    """Every error has its exit code, and what to do about it."""
    assert (code_of(kind()), advice(kind())) == (code, hint)
