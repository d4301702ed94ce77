"""The breaks: each has words of ours, and none of the other side's."""

import ssl
from types import SimpleNamespace

import aiohttp
import pytest
from yarl import URL

from suno_async.engine.breaks import words_for

HERE = SimpleNamespace(host="sk-said-by-them", port=443, ssl=True)
INFO = aiohttp.RequestInfo(URL("http://sk-said-by-them"), "GET", {}, URL("http://sk-said-by-them"))
NO = OSError("sk-said-by-them")
TOLD = [
    (aiohttp.ClientConnectorCertificateError(HERE, ssl.SSLError("sk-said-by-them")), "not valid for this host"),
    (aiohttp.ClientConnectorDNSError(HERE, NO), "its host name cannot be found"),
    (aiohttp.ConnectionTimeoutError("sk-said-by-them"), "no connection in time"),
    (aiohttp.ClientConnectorSSLError(HERE, NO), "no TLS there"),
    (aiohttp.ClientConnectorError(HERE, NO), "the connection was refused"),
    (aiohttp.ServerTimeoutError("sk-said-by-them"), "no answer in time"),
    (aiohttp.ServerDisconnectedError("sk-said-by-them"), "it closed the connection before it answered"),
    (aiohttp.ClientPayloadError("sk-said-by-them"), "the answer was cut off"),
    (aiohttp.ClientResponseError(INFO, (), message="sk-said-by-them"), "the answer is no proper HTTP"),
    (ConnectionResetError("sk-said-by-them"), "it broke the connection off"),
    (RuntimeError("sk-said-by-them"), "the client was closed"),
    (ValueError("sk-said-by-them"), "ValueError"),
]


@pytest.mark.parametrize(("error", "words"), TOLD, ids=[type(error).__name__ for error, _ in TOLD])
def test_each_break_is_told_in_words_of_ours(error, words):
    """The narrowest kind first; what the other side said is in none of them."""
    assert words_for(error).startswith(words)
    assert "sk-said" not in words_for(error)
