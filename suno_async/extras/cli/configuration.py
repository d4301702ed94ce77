"""Where the gateway is, how to talk to it, where that is kept: flag, then environment, then TOML file."""

import os
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from ...client import Suno
from ...protocol.errors import ConfigurationError
from ...protocol.inputs import Secret, read_address
from ...protocol.pace import Fixed
from ...protocol.profiles import PROFILES, read_profile

NO_JOURNAL = "none"
_PROJECT_FILE = Path("suno.toml")


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a TOML file may say."""

    base_url: str | None = None
    profile: str | None = None
    api_key: str | None = None
    allow_insecure: bool | None = None
    rate: float | None = None
    concurrency: int | None = None
    batch_size: int | None = None
    journal: str | None = None

    def __repr__(self) -> str:
        return "Settings(***)"


def _check_profile(_: object, value: object) -> None:
    try:
        read_profile("stock" if value is None else value)
    except ConfigurationError:
        raise ValueError(f"It is one of {', '.join(PROFILES)}.") from None


def check_said(_: object, value: object) -> None:
    """A flag that says nothing is a shell's variable that was not set: what stands elsewhere was not meant."""
    if isinstance(value, str) and not value.strip():
        raise ValueError("It is empty: is a variable of the shell not set?")


@Parameter(name="*", group="Gateway")
@dataclass(frozen=True, kw_only=True)
class Options:
    """The options that every command at a gateway has."""

    base_url: Annotated[str | None, Parameter(help="Where the gateway is.", validator=check_said)] = None
    profile: Annotated[
        str | None,
        Parameter(
            help="Whose paths it has, where not stock's: uniapi, v1, ...", metavar="NAME", validator=_check_profile
        ),
    ] = None
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


@dataclass(frozen=True, kw_only=True)
class Journaled(Options):
    """The options of a command that writes down what it submits and waits for."""

    journal: Annotated[
        str | None,
        Parameter(
            help="The file that keeps what is submitted and waited for; none keeps nothing.",
            metavar="PATH",
            validator=check_said,
        ),
    ] = None


STANDARD = Options()
JOURNALED = Journaled()


def open_suno(options: Options, **more: Any) -> Suno:
    """A client that is ready to be entered; raises ConfigurationError that says what is missing where."""
    file = read_settings(options.config)
    base_url, api_key = _base_url(options, file), _key(options, file)
    for name in ("concurrency", "batch_size", "rate", "allow_insecure", "profile"):
        said = _said(name, options, file)
        if said is not None:
            more[name] = said
    if options.every is not None:
        more["pace"] = Fixed(options.every)
    return Suno(base_url, api_key=api_key, **more)


def gateway_of(options: Options) -> str:
    """The gateway's address as journals have it."""
    file = read_settings(options.config)
    insecure = bool(_said("allow_insecure", options, file))
    return read_address(_base_url(options, file), allow_insecure=insecure).base


def _said(name: str, options: Options, file: Settings) -> Any:
    flag = getattr(options, name)
    return getattr(file, name) if flag is None else flag


def _told(options: Options) -> str:
    """The address that was told by the caller, not by a file."""
    return (options.base_url or os.environ.get("SUNO_BASE_URL") or "").strip()


def _base_url(options: Options, file: Settings) -> str:
    base_url = _told(options) or file.base_url
    if not base_url:
        raise ConfigurationError(
            "no gateway: set SUNO_BASE_URL, pass --base-url, or write base_url into suno.toml (or try: suno-async demo)"
        )
    return base_url


def _key(options: Options, file: Settings) -> str:
    """The key that may go to this gateway, checked so that it can be said where it came from."""
    source, key = "SUNO_API_KEY", os.environ.get("SUNO_API_KEY")
    if file.base_url and not _told(options) and _lay_here(options.config):
        source, key = f"api_key in ./{_PROJECT_FILE}", _key_of_the_same_file(file)
    elif not key:
        source, key = f"api_key in {options.config or 'the configuration file'}", file.api_key
    if not key:
        raise ConfigurationError("no key: set SUNO_API_KEY, or write api_key into suno.toml; it is never a flag")
    try:
        return Secret(key).reveal()
    except ConfigurationError:
        raise ConfigurationError(
            f"{source} holds no key: one is 8 to 512 characters without blanks and line ends; copy it again"
        ) from None


def _key_of_the_same_file(file: Settings) -> str:
    """The environment's key does not go to an address that some directory's file names."""
    if file.api_key:
        return file.api_key
    raise ConfigurationError(
        f"./{_PROJECT_FILE} names a gateway and no key, and no other key is sent there: set SUNO_BASE_URL or pass"
        f" --base-url to use that gateway, name the file with --config {_PROJECT_FILE}, or write api_key into it"
    )


def _lay_here(config: Path | None) -> bool:
    """True if the file is one that lies in this directory, which may be anybody's."""
    return config is None and _PROJECT_FILE.is_file()


def journal_setting(journal: str | None, config: Path | None) -> str | None:
    """The path of a journal, "none", or None where nobody has said anything.

    A file that lies in some directory does not choose where we write, nor that nothing is kept.
    """
    said = journal or os.environ.get("SUNO_JOURNAL")
    if said:
        return said
    kept = read_settings(config).journal
    if kept and _lay_here(config):
        raise ConfigurationError(
            f"./{_PROJECT_FILE} names a journal, and no file that lies in a directory chooses where is written: pass"
            f" --journal or set SUNO_JOURNAL, or name the file with --config {_PROJECT_FILE}"
        )
    return kept or None


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
        settings = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Settings)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path} is no UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path} is no TOML: {error}") from None
    except msgspec.ValidationError as error:
        known = ", ".join(Settings.__struct_fields__)
        raise ConfigurationError(f"{path}: {_plainly(str(error))}; the keys are {known}") from None
    try:
        _check_profile(None, settings.profile)
    except ValueError as error:
        raise ConfigurationError(f"{path}: profile: {error}") from None
    journal = settings.journal
    if not journal or journal == NO_JOURNAL:
        return settings
    # a file says where another file is as seen from its own place
    return msgspec.structs.replace(settings, journal=str(path.parent / Path(journal).expanduser()))


def _plainly(said: str) -> str:
    """A validation error in the words of a TOML file."""
    what, _, place = said.replace("Object contains unknown field", "there is no key").partition(" - at `$.")
    return f"{place.rstrip('`')}: {what.lower()}" if place else what
