"""The profiles: gateways whose paths differ from stock's, as data. Nothing is guessed: the default is stock."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from .errors import ConfigurationError
from .routes import ROUTES

_ROOT = "/suno"
_IS_ROOT = re.compile(r"(/(?!\.)[A-Za-z0-9._~-]+)+").fullmatch
_IS_TEMPLATE = re.compile(r"(/(?!\.)([A-Za-z0-9._~-]|\{[a-z_]+\})+)+/?").fullmatch
_PART = re.compile(r"\{([a-z_]+)\}")
_SURROGATE = re.compile(r"[\ud800-\udfff]").search
_LITERAL = frozenset((route.method, route.path) for route in ROUTES.values() if "{" not in route.path)


_PATTERNS = {
    # an action may be of several parts: music/custom
    route.name: re.compile(_PART.sub(r"(?P<\1>[^/]+)", route.path).replace("<action>[^/]", "<action>."))
    for route in ROUTES.values()
}


class Profile(msgspec.Struct, frozen=True):
    """A gateway's own paths: ``Profile("mine", root="/v1/suno")``.

    ``paths`` has the whole path of each route that ``root`` does not explain, by the route's name, with the same
    ``{parts}``; routes that share a path move together. Raises ConfigurationError for what cannot be one.
    """

    name: str
    root: str = _ROOT
    """What stands where stock has ``/suno``."""
    paths: Mapping[str, str] = {}
    source: str = ""
    """Where it is written that the gateway is like that."""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():
            raise ConfigurationError("a profile needs a name")
        if not isinstance(self.root, str) or _IS_ROOT(self.root) is None:
            raise ConfigurationError(f"Profile.root: {ascii(self.root)[:60]} is no path such as '/v1/suno'")
        if not isinstance(self.source, str):
            raise ConfigurationError(f"Profile.source must be a text, not a {type(self.source).__name__}")
        if _SURROGATE(self.name + self.source):
            raise ConfigurationError("Profile: name or source holds half of a surrogate pair, which is no text")
        if not isinstance(self.paths, Mapping):
            raise ConfigurationError("Profile.paths must be a mapping from names of routes to paths")
        # what is checked is what is used: the caller's own mapping could be changed later
        paths = dict(self.paths)
        for name, path in paths.items():
            _check_path(name, path)
        msgspec.structs.force_setattr(self, "paths", MappingProxyType(paths))

    def __reduce__(self) -> tuple[type["Profile"], tuple[str, str, dict[str, str], str]]:
        # a mapping that cannot be changed cannot be pickled
        return type(self), (self.name, self.root, dict(self.paths), self.source)

    def place(self, method: str, path: str) -> str:
        """Where this gateway has what stock has at ``path``."""
        if self.paths:
            bare, mark, query = path.partition("?")
            moved = self._moved(method, bare)
            if moved is not None:
                return moved + mark + query
        if self.root != _ROOT and path.startswith(f"{_ROOT}/"):
            return self.root + path.removeprefix(_ROOT)
        return path

    def _moved(self, method: str, path: str) -> str | None:
        for name, template in self.paths.items():
            route = ROUTES[name]
            if route.method != method or (route.path != path and (method, path) in _LITERAL):
                continue
            found = _PATTERNS[name].fullmatch(path)
            if found is not None:
                return template.format_map(found.groupdict())
        return None


def _check_path(name: Any, path: object) -> None:
    route = ROUTES.get(name)
    if route is None:
        raise ConfigurationError(f"Profile.paths: {ascii(name)[:60]} is no route; there are {', '.join(ROUTES)}")
    if not isinstance(path, str) or _IS_TEMPLATE(path) is None:
        raise ConfigurationError(f"Profile.paths[{name!r}]: {ascii(path)[:80]} is no path such as {route.path!r}")
    if sorted(_PART.findall(path)) != sorted(_PART.findall(route.path)):
        raise ConfigurationError(f"Profile.paths[{name!r}] must have the same parts in braces as {route.path!r}")


_NAMED = (
    Profile("stock", source="github.com/QuantumNous/new-api router/relay-router.go, github.com/Suno-API/Suno-API"),
    Profile(
        "v1",
        root="/v1/suno",
        source="tikpan.com; astraflow.ucloud.cn/docs/modelverse/api_doc/audio_api/suno-cover (uploads)",
    ),
    Profile(
        "bltcy",
        root="/task/suno/v1",
        source="github.com/CCYellowStar2/nonebot-plugin-sunoai (submit, batch);"
        " github.com/yangjian102621/geekai api/service/suno/service.go (submit, fetch)",
    ),
    Profile(
        "uniapi",
        paths={"fetch_many": "/suno/submit/fetch"},
        source="docs.uniapi.ai/operations/post-suno-submit-fetch; aiapi.apifox.cn/project-4632351/api-195521422",
    ),
    Profile(
        "openai-hk",
        paths={"feed": "/sunoapi/feed/{clip_ids}"},
        source="openai-hk.com/docs/lab/suno-newapi.html (submit); open-hk.com/docs/lab/suno-v3.html (/sunoapi)",
    ),
    Profile(
        "cometapi",
        paths={"persona": "/suno/persona/create"},
        source="apidoc.cometapi.com",
    ),
    Profile("chatfire", source="ffire.cc/docs/246593467e0 (submit), ffire.cc/docs/246600101e0 (fetch): as stock"),
    Profile("302", source="302ai-en.apifox.cn/207705223e0 (submit): as stock"),
)

PROFILES: dict[str, Profile] = {profile.name: profile for profile in _NAMED}


def read_profile(value: object) -> Profile:
    """The profile itself, or the one of that name; raises ConfigurationError that lists the names."""
    found = PROFILES.get(value.strip().lower()) if isinstance(value, str) else value
    if isinstance(found, Profile):
        return found
    shown = ascii(value) if isinstance(value, str) else f"a {type(value).__name__}"
    raise ConfigurationError(f"{shown[:60]} is no profile: there are {', '.join(PROFILES)}, or pass a Profile(...)")
