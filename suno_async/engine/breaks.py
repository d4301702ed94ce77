"""The breaks: what is said of a request that ends below HTTP.

The words are ours: aiohttp's own texts hold whatever the other side sent. Its kinds go by their names here.
"""

_WORDS = {
    "ClientConnectorCertificateError": "not valid for this host, or from an authority unknown here",
    "ClientConnectorDNSError": "its host name cannot be found",
    "ConnectionTimeoutError": "no connection in time",
    "ClientSSLError": "no TLS there, or none that is understood here",
    "ClientConnectorError": "the connection was refused",
    "TimeoutError": "no answer in time",
    "ServerDisconnectedError": "it closed the connection before it answered",
    "ClientPayloadError": "the answer was cut off",
    "ClientResponseError": "the answer is no proper HTTP",
    "OSError": "it broke the connection off",
    "RuntimeError": "the client was closed",
}


def words_for(error: BaseException) -> str:
    """What broke: the narrowest kind of it that has words."""
    kinds = [kind.__name__ for kind in type(error).__mro__]
    return next((_WORDS[kind] for kind in kinds if kind in _WORDS), kinds[0])
