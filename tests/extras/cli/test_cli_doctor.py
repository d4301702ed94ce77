# ruff: noqa: S603 (it runs itself)
"""Why tasks are looked at when they are, out of what the journals have kept."""

import subprocess
import sys

import anyio
import msgspec
import pytest

from suno_async import Adaptive, Experience, Inspiration, Scaled, Suno, WriteLyrics, explain
from suno_async.protocol.beat import WIDTHS
from suno_async.protocol.durations import Durations
from suno_async.protocol.explanation import figures

HERE, THERE = "https://gateway.example", "https://other.example"
SPEED = 60.0
EVEN = [1 / len(WIDTHS)] * len(WIDTHS)


def experience(count=30, seconds=100.0, kind="MUSIC"):
    durations = Durations()
    for number in range(count):
        durations.took(kind, seconds + number)
    return Experience(durations.copy(), 0.25, EVEN)


def learned(gateway, known):
    return lambda store: store.learn(gateway, known.packed())


def waited(gateway, *ids):
    return lambda store: store.wait_for(gateway, ids)


def without_looks(line):
    """What a line of JSON and figures can be compared by."""
    return {name: line[name] for name in ("kind", "durations", "beat", "looks")}


def builtins(known, kind="MUSIC"):
    return msgspec.to_builtins(figures(known, kind=kind))


@pytest.fixture
def there_is(monkeypatch):
    """A gateway that is configured, and that nobody may ask anything."""
    monkeypatch.setenv("SUNO_BASE_URL", HERE)


def test_nothing_learned(cli, folder):
    """Before anything was seen, what is known before is shown, and stderr says that it is that; nothing is made."""
    ended = cli("doctor")
    assert (ended.code, ended.out) == (0, f"{explain(Experience())}\n")
    assert ended.err == "suno-async: nothing has been learned yet: this is what is known before\n"
    assert not folder.exists()


@pytest.mark.usefixtures("there_is")
def test_nothing_learned_of_this_one(cli, write_journal):
    """What other gateways have taught says nothing of the one that is configured; a record nobody can read neither."""
    write_journal("1.journal", waited(THERE, "a"), learned(THERE, experience()))
    write_journal("2.journal", lambda store: store.learn(HERE, b"\xc1"))
    ended = cli("doctor", "--json")
    assert (ended.code, "nothing has been learned of https://gateway.example yet" in ended.err) == (0, True)
    assert ended.lines == [{"gateway": HERE, "journal": None, **builtins(Experience())}]


@pytest.mark.usefixtures("there_is")
def test_what_was_learned(cli, write_journal):
    """It is told of the gateway that is configured, with the journal that it comes from; no key is needed."""
    path = write_journal("1.journal", learned(HERE, experience()), learned(THERE, experience(kind="CONCAT")))
    ended = cli("doctor")
    said = f"{HERE}, as 1.journal has learned it\n\n{explain(experience())}\n"
    assert ended == (0, said, "")
    assert cli("doctor", "--json").lines == [{"gateway": HERE, "journal": str(path), **builtins(experience())}]


def test_a_gateway_that_is_named(cli, write_journal):
    """A flag names it in whatever spelling; one in clear is no danger to anybody who sends nothing."""
    clear = "http://gateway.example:3000"
    write_journal("1.journal", learned(clear, experience()), learned(HERE, experience(3)))
    for url, known in (("http://GATEWAY.example:3000/v1/", experience()), (f"{HERE}/", experience(3))):
        assert cli("doctor", "--base-url", url).out.endswith(f"{explain(known)}\n")


def test_a_gateway_in_a_file(cli, write_journal, tmp_path):
    """The usual configuration names it too, and what is wrong with that is said as everywhere."""
    write_journal("1.journal", learned(THERE, experience()))
    file = tmp_path / "mine.toml"
    file.write_text(f'base_url = "{THERE}"')
    assert cli("doctor", "--config", file, "--json").lines[0]["gateway"] == THERE
    file.write_text('base_url = "gateway"')
    assert (cli("doctor", "--config", file).code, cli("doctor", "--config", "gone.toml").code) == (4, 4)


def test_all_gateways(cli, write_journal, monkeypatch):
    """Where none is configured, every one is told that the journals have learned of."""
    monkeypatch.setenv("SUNO_BASE_URL", " ")
    write_journal("1.journal", waited(THERE, "a"), learned(THERE, experience(5)), waited("https://new.example", "b"))
    write_journal("2.journal", waited(HERE, "c"), learned(HERE, experience()))
    ended = cli("doctor", "--json")
    assert [line["gateway"] for line in ended.lines] == [HERE, THERE]
    assert [without_looks(line) for line in ended.lines] == [builtins(experience()), builtins(experience(5))]
    assert [line for line in cli("doctor").out.splitlines() if "as " in line and "learned it" in line] == [
        f"{HERE}, as 2.journal has learned it",
        f"{THERE}, as 1.journal has learned it",
    ]


@pytest.mark.usefixtures("there_is")
@pytest.mark.parametrize("counts", [(5, 30, 10), (30, 10, 5), (5, 10, 30)])
def test_several_journals(cli, write_journal, counts):
    """Of what several processes have learned, that is told which comes from most tasks, and is not mixed."""
    for number, count in enumerate(counts):
        write_journal(f"{number}.journal", learned(HERE, experience(count, seconds=10.0 * count)))
    (line,) = cli("doctor", "--json").lines
    assert without_looks(line) == builtins(experience(30, seconds=300.0))


@pytest.mark.usefixtures("there_is")
def test_a_kind(cli, write_journal):
    """Another kind of task is explained on demand; its action may be written as people write it."""
    write_journal("1.journal", learned(HERE, experience(kind="LYRICS/chirp-v4")))
    for word, kind in (("lyrics", "LYRICS"), ("lyrics/chirp-v4", "LYRICS/chirp-v4")):
        assert cli("doctor", "--kind", word).out.endswith(f"{explain(experience(kind='LYRICS/chirp-v4'), kind=kind)}\n")
    assert cli("doctor", "--kind", "lyrics", "--json").lines[0]["kind"] == "LYRICS"


@pytest.mark.usefixtures("there_is")
def test_a_kind_of_which_nothing_is_known(cli, write_journal):
    """What is shown of it is what holds for any task; stderr says that, and which kinds are known."""
    assert (
        "of the kind BANANA nothing is known by itself; of these there is: LYRICS, MUSIC\n"
        in cli("doctor", "--kind", "banana").err
    )
    write_journal("1.journal", learned(HERE, experience(kind="CONCAT/v4")))
    ended = cli("doctor", "--kind", "banana", "--json")
    assert (ended.code, ended.lines[0]["kind"], ended.err.count("\n")) == (0, "BANANA", 1)
    assert "of the kind BANANA nothing is known by itself; of these there is: CONCAT, CONCAT/v4, LYRICS" in ended.err
    for kind in ("music", "concat/v4", ""):
        assert cli("doctor", "--kind", kind).err == ""


@pytest.mark.usefixtures("there_is")
def test_an_empty_flag(cli):
    """A flag that is empty, as a shell's variable that is not set, is a 2: neither everything nor else was meant."""
    for flag in ("--base-url", "--journal"):
        ended = cli("doctor", flag, "")
        assert (ended.code, ended.out, flag in ended.err, "It is empty" in ended.err) == (2, "", True, True)


@pytest.mark.usefixtures("there_is")
def test_one_that_was_named(cli, write_journal, tmp_path):
    """A journal that is named is the only one that is read; one that is not there is a 2, and so is none."""
    write_journal("1.journal", learned(HERE, experience()))
    mine = write_journal("2.journal", learned(HERE, experience(3))).rename(tmp_path / "mine.journal")
    assert cli("doctor", "--journal", mine, "--json").lines[0]["journal"] == str(mine)
    assert [cli("doctor", "--journal", name).code for name in ("gone", "none")] == [2, 2]


@pytest.mark.usefixtures("there_is")
def test_one_in_use(cli, write_journal, held, folder):
    """A journal that a process has is named on stderr and left out; where it is the only one asked for, that is a 4."""
    write_journal("1.journal", learned(HERE, experience()))
    path = held(folder / "2.journal")
    ended = cli("doctor")
    assert (ended.code, ended.out.endswith(f"{explain(experience())}\n")) == (0, True)
    assert f"{path} is in use by process" in ended.err
    assert cli("doctor", "--journal", path).code == 4


@pytest.mark.usefixtures("there_is")
def test_a_damaged_one(cli, write_journal, spoil):
    """A journal that cannot be read is named; what the others have learned is told, and it is a 4."""
    write_journal("1.journal", learned(HERE, experience()))
    spoil(write_journal("2.journal", waited(HERE, "spoilt")))
    ended = cli("doctor")
    assert (ended.code, ended.out.endswith(f"{explain(experience())}\n")) == (4, True)
    assert "2.journal" in ended.err


def test_nothing_for_a_terminal_to_obey(cli, write_journal):
    """Kinds come from gateways: neither the text nor the JSON has anything in it that is not to be read."""
    evil = experience(kind="\x1b[2Jevil\x9b\u202etitle")
    write_journal("1.journal", waited(HERE, "a"), learned(HERE, evil))
    for words in ((), ("--json",)):
        out = cli("doctor", *words).out
        assert "evil" in out
        assert not set(out) & set("\x1b\x9b\u202e")


def test_after_a_real_client(cli, make_gateway, folder, monkeypatch):
    """What a client has seen at a gateway is what the doctor, another process, finds in its journal afterwards."""
    gateway = make_gateway(speed=SPEED, beat=15.0, median=60.0)
    folder.mkdir(parents=True)
    path = folder / "1.journal"

    async def work():
        pace = Scaled(Adaptive(), SPEED)
        async with Suno(gateway.url, api_key=gateway.api_key, pace=pace, journal=path) as suno:
            ids = [
                (await suno.submit(what)).task_id for what in (*[Inspiration("a cat")] * 6, *[WriteLyrics("a dog")] * 3)
            ]
            with anyio.fail_after(60):
                assert len([task async for task in suno.as_completed(ids)]) == 9
            return suno.experience()

    known = anyio.run(work)
    monkeypatch.setenv("SUNO_BASE_URL", gateway.url)
    asked = len(gateway.requests)
    (line,) = cli("doctor", "--json").lines
    assert without_looks(line) == builtins(known)
    rows = {(row["kind"], row["event"]): row for row in line["durations"]}
    assert (rows["MUSIC", "end"]["seen"], rows["LYRICS", "end"]["seen"]) == (6, 3)
    assert rows["MUSIC", "end"]["learned"] != rows["MUSIC", "end"]["known_before"]
    assert line["beat"]["learned"] is True
    command = [sys.executable, "-m", "suno_async", "doctor"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    said = f"{gateway.url}, as 1.journal has learned it\n\n{explain(known)}\n"
    assert (done.stdout, done.stderr) == (said, "")
    assert len(gateway.requests) == asked
