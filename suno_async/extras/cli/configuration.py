"""Where the gateway is and how to talk to it: flag, then environment, then TOML file."""

import os
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from ...client import Suno
from ...protocol.errors import ConfigurationError
from ...protocol.pace import Fixed

_PROJECT_FILE = Path("suno.toml")


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a TOML file may say."""

    base_url: str | None = None
    api_key: str | None = None
    allow_insecure: bool | None = None
    rate: float | None = None
    concurrency: int | None = None
    batch_size: int | None = None

    def __repr__(self) -> str:
        return "Settings(***)"


@Parameter(name="*", group="Gateway")
@dataclass(frozen=True, kw_only=True)
class Options:
    """The options that every command at a gateway has."""

    base_url: Annotated[str | None, Parameter(help="Where the gateway is.")] = None
    allow_insecure: Annotated[bool | None, Parameter(help="Send the key over http:// to another machine.")] = None
    every: Annotated[
        float | None, Parameter(help="Look every so many seconds, not when the answer is likely.", metavar="SECONDS")
    ] = None
    concurrency: Annotated[int | None, Parameter(help="Looks in flight at once.")] = None
    batch_size: Annotated[int | None, Parameter(help="Ids in one look.")] = None
    rate: Annotated[float | None, Parameter(help="Requests a second at most.")] = None
    config: Annotated[Path | None, Parameter(help="The TOML file to read instead of ./suno.toml.")] = None

    def flags(self) -> list[str]:
        """The options that were given, as they would be given again."""
        words: list[str] = []
        for field in fields(self):
            value = getattr(self, field.name)
            if value:
                flag = f"--{field.name.replace('_', '-')}"
                words += [flag] if value is True else [flag, str(value)]
        return words


STANDARD = Options()


def open_suno(options: Options, **more: Any) -> Suno:
    """A client that is ready to be entered; raises ConfigurationError that says what is missing where."""
    file = read_settings(options.config)
    base_url = options.base_url or os.environ.get("SUNO_BASE_URL")
    api_key = os.environ.get("SUNO_API_KEY") or file.api_key
    if not base_url and file.base_url:
        base_url = file.base_url
        if options.config is None and _PROJECT_FILE.is_file():
            api_key = _key_of_the_same_file(file)
    if not base_url:
        raise ConfigurationError(
            "no gateway: set SUNO_BASE_URL, pass --base-url, or write base_url into suno.toml (or try: suno-async demo)"
        )
    if not api_key:
        raise ConfigurationError("no key: set SUNO_API_KEY, or write api_key into suno.toml; it is never a flag")
    for name in ("concurrency", "batch_size", "rate", "allow_insecure"):
        flag, said = getattr(options, name), getattr(file, name)
        if flag is not None or said is not None:
            more[name] = said if flag is None else flag
    if options.every is not None:
        more["pace"] = Fixed(options.every)
    return Suno(base_url, api_key=api_key, **more)


def _key_of_the_same_file(file: Settings) -> str:
    """The environment's key does not go to an address that some directory's file names."""
    if file.api_key:
        return file.api_key
    raise ConfigurationError(
        f"./{_PROJECT_FILE} names a gateway and no key, and no other key is sent there: set SUNO_BASE_URL or pass"
        f" --base-url to use that gateway, name the file with --config {_PROJECT_FILE}, or write api_key into it"
    )


def read_settings(config: Path | None = None) -> Settings:
    """What the first file there is says: the one given, else ``./suno.toml``, else the user's own.

    One file only: the key of the user's own file does not go to an address that some directory's file names.
    """
    if config is not None:
        return _read(config)
    path = next((path for path in (_PROJECT_FILE, _user_file()) if path.is_file()), None)
    return Settings() if path is None else _read(path)


def _user_file() -> Path:
    from platformdirs import user_config_path  # noqa: PLC0415 - not needed where there is a file in this directory

    return user_config_path("suno-async", appauthor=False) / "config.toml"


def _read(path: Path) -> Settings:
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Settings)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path} is no UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path} is no TOML: {error}") from None
    except msgspec.ValidationError as error:
        known = ", ".join(Settings.__struct_fields__)
        raise ConfigurationError(f"{path}: {_plainly(str(error))}; the keys are {known}") from None


def _plainly(said: str) -> str:
    """A validation error in the words of a TOML file."""
    what, _, place = said.replace("Object contains unknown field", "there is no key").partition(" - at `$.")
    return f"{place.rstrip('`')}: {what.lower()}" if place else what
