"""Configuration: flag, then environment, then TOML file."""

from pathlib import Path

import pytest
from wire import answer

from suno_async import ConfigurationError
from suno_async.extras.cli import configuration
from suno_async.extras.cli.configuration import (
    Journaled,
    Options,
    gateway_of,
    journal_setting,
    open_suno,
    read_settings,
)

KEY = "sk-aVerySecretKey0000"


@pytest.fixture
def opened(monkeypatch):
    """What the client would have been made with."""
    monkeypatch.setattr(configuration, "Suno", lambda base_url, **more: {"base_url": base_url, **more})
    return lambda **flags: open_suno(Options(**flags))


def write(path, text):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_file_alone(opened):
    """A file in this directory says everything it can say."""
    write(
        "suno.toml",
        f"base_url = 'https://file'\napi_key = '{KEY}'\nallow_insecure = false\n"
        "rate = 2\nconcurrency = 3\nbatch_size = 4\n",
    )
    assert opened() == {
        "base_url": "https://file",
        "api_key": KEY,
        "allow_insecure": False,
        "rate": 2.0,
        "concurrency": 3,
        "batch_size": 4,
    }


def test_environment_over_file(opened, monkeypatch):
    """The environment wins over the file."""
    write("suno.toml", f"base_url = 'https://file'\napi_key = '{KEY}'")
    monkeypatch.setenv("SUNO_BASE_URL", "https://env")
    monkeypatch.setenv("SUNO_API_KEY", "sk-environment")
    assert opened() == {"base_url": "https://env", "api_key": "sk-environment"}


def test_flag_over_all(opened, monkeypatch):
    """A flag wins over environment and file, also where it says no."""
    write("suno.toml", "base_url = 'https://file'\nallow_insecure = true\nrate = 2")
    monkeypatch.setenv("SUNO_BASE_URL", "https://env")
    monkeypatch.setenv("SUNO_API_KEY", "sk-environment")
    made = opened(base_url="https://flag", allow_insecure=False, rate=9.0, every=2.0)
    assert (made["base_url"], made["allow_insecure"], made["rate"], made["pace"].every) == ("https://flag", False, 9, 2)


def test_profile(opened):
    """The gateway's own paths are told by a name: the flag's, or the file's; nothing is said where nobody says it."""
    write("suno.toml", f"base_url = 'https://file'\napi_key = '{KEY}'\nprofile = 'uniapi'")
    assert opened()["profile"] == "uniapi"
    assert opened(profile="v1")["profile"] == "v1"
    write("suno.toml", f"base_url = 'https://file'\napi_key = '{KEY}'")
    assert "profile" not in opened()
    assert Options(profile="v1").flags() == ["--profile", "v1"]


def test_the_paths_of_a_profile(cli, make_wire):
    """What is asked for is asked for where that gateway has it, by every command."""
    wire = make_wire(answer({"code": "success", "data": {"wav_url": "https://x/a.wav"}}))
    assert cli("wav", "c1", "--profile", "v1") == (0, "https://x/a.wav\n", "")
    write("suno.toml", "profile = 'bltcy'")
    assert cli("wav", "c1").code == 0
    cli("fetch", "a", "--profile", " V1 ")
    assert [call.path for call in wire.calls[:3]] == [
        "/v1/suno/act/wav/c1",
        "/task/suno/v1/act/wav/c1",
        "/v1/suno/fetch/a",
    ]


def test_profiles_that_are_none(cli):
    """A name that is none is a matter of usage, or of the file it is in; both list the names there are."""
    for command in (["wav", "c1"], ["fetch", "a"], ["submit", "custom", "la"], ["upload", "https://x/a.mp3"]):
        ended = cli(*command, "--profile", "nope")
        assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
        assert "--profile" in ended.err
        assert "stock, v1, bltcy, uniapi" in ended.err
    write("suno.toml", "profile = 'nope'")
    ended = cli("wav", "c1")
    assert (ended.code, ended.out) == (4, "")
    assert ended.err.startswith("suno-async: suno.toml: profile: ")
    assert "stock, v1, bltcy, uniapi" in ended.err


def test_an_empty_flag(cli, monkeypatch):
    """A flag that is empty, as a shell's variable that is not set, is a 2: what stands elsewhere was not meant."""
    monkeypatch.setenv("SUNO_BASE_URL", "https://env")
    monkeypatch.setenv("SUNO_API_KEY", KEY)
    for flag in ("--base-url", "--journal"):
        for empty in ("", " "):
            ended = cli("wait", "a", flag, empty)
            assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
            assert flag in ended.err
            assert "It is empty" in ended.err


def test_empty_environment(opened, monkeypatch):
    """A variable that is empty is not set."""
    write("suno.toml", f"base_url = 'https://file'\napi_key = '{KEY}'")
    monkeypatch.setenv("SUNO_BASE_URL", "")
    monkeypatch.setenv("SUNO_API_KEY", "")
    assert opened()["base_url"] == "https://file"


def test_first_file_only(tmp_path):
    """The user's own file counts where this directory has none; its key never goes to another file's address."""
    write(tmp_path / "home/suno-async/config.toml", f"api_key = '{KEY}'\nrate = 1")
    assert (read_settings().api_key, read_settings().rate) == (KEY, 1.0)
    write("suno.toml", "base_url = 'https://elsewhere'")
    assert (read_settings().api_key, read_settings().base_url) == (None, "https://elsewhere")


def test_no_other_key_for_the_address_of_a_directory(opened, monkeypatch):
    """The environment's key never goes to an address of ./suno.toml; that file's own key does."""
    monkeypatch.setenv("SUNO_API_KEY", "sk-environment")
    write("suno.toml", f"base_url = 'https://file'\napi_key = '{KEY}'")
    assert opened() == {"base_url": "https://file", "api_key": KEY}
    write("suno.toml", "base_url = 'https://file'")
    with pytest.raises(ConfigurationError, match=r"set SUNO_BASE_URL or pass --base-url .* --config suno.toml"):
        opened()


def test_the_key_of_the_environment_for_an_address_that_was_chosen(opened, monkeypatch, tmp_path):
    """A flag, the environment, ``--config`` and the user's own file name addresses that get the environment's key."""
    monkeypatch.setenv("SUNO_API_KEY", "sk-environment")
    write(tmp_path / "home/suno-async/config.toml", "base_url = 'https://home'")
    assert opened() == {"base_url": "https://home", "api_key": "sk-environment"}
    write("suno.toml", "base_url = 'https://file'")
    assert opened(config=Path("suno.toml")) == {"base_url": "https://file", "api_key": "sk-environment"}
    assert opened(base_url="https://flag") == {"base_url": "https://flag", "api_key": "sk-environment"}
    monkeypatch.setenv("SUNO_BASE_URL", "https://env")
    assert opened() == {"base_url": "https://env", "api_key": "sk-environment"}


def test_named_file(tmp_path):
    """A file that is named is the only one that is read."""
    write("suno.toml", "rate = 1")
    assert read_settings(write(tmp_path / "my.toml", "batch_size = 7")).rate is None


def test_nothing_at_all():
    """Without any file nothing is said."""
    assert read_settings().base_url is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("bas_url = 'x'", r"suno.toml: there is no key `bas_url`; the keys are base_url, profile, api_key, "),
        ("rate = 'fast'", r"suno.toml: rate: expected `float \| null`, got `str`"),
        ("[base_url]\nx = 1", r"suno.toml: base_url: expected `str \| null`, got `object`"),
        (f"api_key = {KEY}", r"suno.toml is no TOML: Invalid value \(at line 1"),
        ("= 1", "suno.toml is no TOML"),
    ],
)
def test_wrong_files(cli, text, said):
    """A file that is wrong is named, and so is its key; the secret is not."""
    write("suno.toml", text)
    ended = cli("fetch", "a")
    assert ended.code == 4
    assert ended.err.count("\n") == 1
    assert KEY not in ended.err
    with pytest.raises(ConfigurationError, match=said):
        read_settings()


def test_file_that_cannot_be_read(tmp_path):
    """A file that is named and not there, or is no text, is an error that names it."""
    with pytest.raises(ConfigurationError, match=r"gone.toml cannot be read: No such file"):
        read_settings(Path("gone.toml"))
    (tmp_path / "noise.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match=r"noise.toml is no UTF-8 text"):
        read_settings(Path("noise.toml"))


def test_what_is_missing(cli, monkeypatch):
    """Without an address or a key, the error says where to put it, and the code is 4."""
    ended = cli("fetch", "a")
    assert (ended.code, "set SUNO_BASE_URL" in ended.err) == (4, True)
    monkeypatch.setenv("SUNO_BASE_URL", "https://gateway.example")
    ended = cli("fetch", "a")
    assert (ended.code, "set SUNO_API_KEY" in ended.err) == (4, True)


def test_what_cannot_be(cli, monkeypatch):
    """A value that cannot be right is a matter of configuration."""
    monkeypatch.setenv("SUNO_API_KEY", KEY)
    monkeypatch.setenv("SUNO_BASE_URL", "https://gateway.example")
    for flags in (["--base-url", "ftp://x"], ["--base-url", "http://far.example"], ["--rate", "0"], ["--every", "0"]):
        ended = cli("fetch", "a", *flags)
        assert (ended.code, KEY in ended.err) == (4, False)


def test_flags_again():
    """Options can be given again as they were given."""
    options = Options(base_url="https://x", allow_insecure=True, every=2.5, config=Path("a b.toml"))
    assert options.flags() == ["--base-url", "https://x", "--allow-insecure", "--every", "2.5", "--config", "a b.toml"]
    assert Options(allow_insecure=False).flags() == []


def test_settings_hide_the_key():
    """The repr of settings tells nothing."""
    assert repr(configuration.Settings(api_key=KEY)) == "Settings(***)"


@pytest.mark.parametrize("key", ["short", "sk-with a blank", "sk-two\nlines-0000"])
def test_a_key_that_is_none(opened, monkeypatch, key):
    """A key that cannot be one is told by the place it came from, and not shown."""
    monkeypatch.setenv("SUNO_API_KEY", key)
    with pytest.raises(ConfigurationError, match="SUNO_API_KEY holds no key") as caught:
        opened(base_url="https://flag")
    assert key not in str(caught.value)
    monkeypatch.delenv("SUNO_API_KEY")
    write("my.toml", "api_key = 'short'")
    with pytest.raises(ConfigurationError, match=r"api_key in my.toml holds no key"):
        opened(base_url="https://flag", config=Path("my.toml"))
    write("suno.toml", "api_key = 'short'\nbase_url = 'https://file'")
    with pytest.raises(ConfigurationError, match=r"api_key in ./suno.toml holds no key"):
        opened()


def test_a_blank_address(opened, monkeypatch):
    """An address of blanks is none."""
    monkeypatch.setenv("SUNO_BASE_URL", "  ")
    with pytest.raises(ConfigurationError, match="set SUNO_BASE_URL"):
        opened()


def test_gateway():
    """The gateway is called what journals call it, wherever its address was told."""
    assert gateway_of(Options(base_url="https://x.example/v1/")) == "https://x.example"
    write("suno.toml", "base_url = 'http://far.example'\nallow_insecure = true")
    assert gateway_of(Options()) == "http://far.example"
    with pytest.raises(ConfigurationError, match="would send the key in clear"):
        gateway_of(Options(allow_insecure=False))


def test_journal(monkeypatch, tmp_path):
    """A flag wins over the environment, and that over the user's own file; without any of them nothing is said."""
    assert journal_setting(None, None) is None
    write(tmp_path / "home/suno-async/config.toml", "journal = 'mine.journal'")
    assert journal_setting(None, None) == str(tmp_path / "home/suno-async/mine.journal")
    monkeypatch.setenv("SUNO_JOURNAL", "theirs")
    assert (journal_setting(None, None), journal_setting("flag", None)) == ("theirs", "flag")


@pytest.mark.parametrize("said", ["/etc/anything.journal", "none"])
def test_no_journal_from_a_directory(monkeypatch, said):
    """A file that lies in some directory does not choose where is written, nor that nothing is kept."""
    write("suno.toml", f"journal = '{said}'")
    with pytest.raises(ConfigurationError, match=r"no file that lies in a directory chooses where is written"):
        journal_setting(None, None)
    assert journal_setting("mine", None) == "mine"
    assert journal_setting(None, Path("suno.toml")) == said


def test_no_journal_in_a_file(tmp_path):
    """A journal of the user's own file may be absolute, in the home folder, none, or nothing."""
    own = tmp_path / "home/suno-async/config.toml"
    for said, means in (("/a/b", "/a/b"), ("~/c", str(tmp_path / "home/c")), ("none", "none"), ("", None)):
        write(own, f"journal = '{said}'")
        assert journal_setting(None, None) == means


def test_journal_flag_again():
    """The journal that was named is named again."""
    assert Journaled(every=2.0, journal="a b").flags() == ["--every", "2.0", "--journal", "a b"]
