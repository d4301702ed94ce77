"""The submissions: what goes over the wire for each struct, and for whatever has none."""

import json
from collections.abc import Mapping
from typing import Any, get_args

import msgspec

from ..errors import ConfigurationError
from ..exchange import Request
from ..inputs import check_action
from .checked import Body, wrong
from .edits import Concat, Cover, Extend, ReplaceSection, Stems
from .songs import Custom, Inspiration, PersonaSong, WriteLyrics


class Submission(msgspec.Struct, frozen=True):
    """Anything else a private gateway offers: ``Submission("upsample-tags", {"original_tags": "pop"})``.

    The body goes out as it is, to ``/suno/submit/<action>``.
    """

    action: str
    body: Mapping[str, Any]

    def __post_init__(self) -> None:
        check_action(self.action)
        if not isinstance(self.body, Mapping) or not all(isinstance(key, str) for key in self.body):
            raise wrong(self, "body", "must be a mapping from field names to JSON values")


Submittable = (
    Inspiration | Custom | Extend | Concat | Cover | ReplaceSection | PersonaSong | Stems | WriteLyrics | Submission
)


def submission(body: Submittable) -> Request:
    """The request that submits ``body``; raises ConfigurationError for what is no submission or no JSON."""
    if isinstance(body, Submission):
        return Request("POST", f"/suno/submit/{body.action}", _plain_json(body))
    if isinstance(body, Body):
        return Request("POST", f"/suno/submit/{body.action}", body.encode())
    structs = ", ".join(f"{kind.__name__}(...)" for kind in get_args(Submittable)[:-1])
    raise ConfigurationError(f"a {type(body).__name__} cannot be submitted: pass {structs} or Submission(action, body)")


def _plain_json(body: Submission) -> bytes:
    try:
        return json.dumps(dict(body.body), allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, TypeError, RecursionError) as error:
        raise wrong(body, "body", f"cannot be written as JSON: {error}") from None
