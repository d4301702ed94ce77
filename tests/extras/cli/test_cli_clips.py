"""feed, wav, mp4, midi, timing and stems, against a local gateway and odd answers."""

import re

import pytest
from wire import answer

EVIL = "\x1b[2J\x1b]0;owned\x07\u202eevil"
SONG = {"id": "c1", "title": EVIL, "audio_url": "https://x/a.mp3", "status": "complete", "metadata": {"duration": 61}}


def test_feed(cli, clip):
    """A row for each song, in the order asked; one that is unknown is a 1, and is named."""
    ended = cli("feed", clip)
    heads, row = ended.out.splitlines()
    assert (ended.code, ended.err, heads.split()) == (0, "", ["clip", "status", "title", "length", "audio"])
    assert row.split()[:2] == [clip, "complete"]
    assert row.split()[-1].endswith(f"/audio/{clip}.wav")
    ended = cli("feed", "nope", clip)
    assert [line.split()[0] for line in ended.out.splitlines()] == ["clip", "nope", clip]
    assert "not found" in ended.out
    assert (ended.code, ended.err) == (1, "suno-async: the gateway does not know clip nope\n")


def test_feed_json(cli, clip, stdin):
    """Each id gets one object with all that is known of the song, also one that is unknown."""
    stdin(f"{clip}\n nope \n\nnone\n")
    ended = cli("feed", "-", "--json")
    known, nope, none = ended.lines
    assert (known["id"], known["error"], known["status"]) == (clip, None, "complete")
    assert known["audio_url"].endswith(".wav")
    assert known["duration"] > 0
    assert (nope["id"], nope["error"], none["id"]) == ("nope", "not_found", "none")
    assert nope.keys() == known.keys()
    assert (ended.code, ended.err) == (1, "suno-async: the gateway does not know clip nope and 1 more of these\n")


def test_feed_of_nothing(cli, private, stdin):
    """No ids on stdin are a success without a word; none at all are a matter of usage."""
    stdin("")
    assert cli("feed", "-") == (0, "", "")
    ended = cli("feed")
    assert (ended.code, "no clip ids" in ended.err) == (2, True)
    assert cli("feed", "a/b").code == 2


def test_addresses(cli, private, clip, set_going):
    """The address, and nothing else, on stdout."""
    set_going("wav")
    set_going("mp4")
    assert cli("wav", clip) == (0, f"{private.url}/audio/{clip}.wav\n", "")
    assert cli("mp4", clip, "--json").lines == [{"clip_id": clip, "url": f"{private.url}/video/{clip}.mp4"}]


def test_an_address_that_is_made_first(cli, private, clip):
    """What is not there yet is asked for again until it is."""
    assert cli("wav", clip) == (0, f"{private.url}/audio/{clip}.wav\n", "")
    paths = [seen.path for seen in private.requests if "/act/wav/" in seen.path]
    assert len(paths) == 2


def test_an_address_that_comes_as_a_task(cli, make_gateway, monkeypatch):
    """What comes as a task is waited for."""
    served = make_gateway(profile="private", speed=1e3, beat=100)
    monkeypatch.setenv("SUNO_BASE_URL", served.url)
    monkeypatch.setenv("SUNO_API_KEY", served.api_key)
    clip = cli("fetch", served.put(), "--json").lines[0]["songs"][0]["id"]
    served.faults["act_as_task"] = 1.0
    ended = cli("wav", clip, "--every", "0.1")
    assert (ended.code, ended.out) == (0, f"{served.url}/audio/{clip}.wav\n")
    assert served.counts["act_as_task"] == 1


def test_midi(cli, clip, set_going):
    """A row for each instrument; the notes are in the one object of --json."""
    set_going("midi")
    ended = cli("midi", clip)
    heads, row = ended.out.splitlines()
    assert (ended.code, heads.split()) == (0, ["instrument", "notes", "from", "to"])
    (told,) = cli("midi", clip, "--json").lines
    (part,) = told["instruments"]
    assert (told["clip_id"], part["name"], part["notes"][0]["start_s"]) == (clip, "Lead", 0.0)
    assert row.split()[:3] == ["Lead", str(len(part["notes"])), "0:00"]


def test_an_instrument_that_rests(cli, make_wire):
    """An instrument without notes has no times, and its name cannot drive the terminal."""
    make_wire(answer({"state": "complete", "instruments": [{"name": f"Lead{EVIL}", "notes": []}]}))
    ended = cli("midi", "c1")
    assert (ended.code, ended.out.splitlines()[1].split()) == (0, ["Leadevil", "0"])


def test_timing(cli, clip, set_going):
    """A row for each word; as an object; as a file for players; as subtitles."""
    set_going("timing")
    (told,) = cli("timing", clip, "--json").lines
    assert told["clip_id"] == clip
    assert {"words", "waveform", "hoot_cer", "is_streamed"} < told.keys()
    rows = cli("timing", clip).out.splitlines()
    assert rows[0].split() == ["start", "end", "word"]
    assert len(rows) == 1 + len(told["words"])
    assert re.fullmatch(r" *\d+\.\d\d +\d+\.\d\d .*", rows[1])
    lrc, srt = cli("timing", clip, "--lrc"), cli("timing", clip, "--srt")
    assert (lrc.code, srt.code, lrc.err + srt.err) == (0, 0, "")
    assert all(re.fullmatch(r"\[\d\d:\d\d\.\d\d\].+", line) for line in lrc.out.splitlines())
    assert re.match(r"1\n\d\d:\d\d:\d\d,\d{3} --> \d\d:\d\d:\d\d,\d{3}\n.+\n\n2\n", srt.out)


def test_words_that_are_not_found(cli, make_wire):
    """A word without a place has no times; nothing in words can drive the terminal, nor what reads the files."""
    words = [{"word": f"la{EVIL}\n", "start_s": 1, "end_s": 2}, {"word": "lo --> lu", "success": False}]
    make_wire(answer({"aligned_words": words}))
    table, lrc, srt = cli("timing", "c1"), cli("timing", "c1", "--lrc"), cli("timing", "c1", "--srt")
    assert [line.split() for line in table.out.splitlines()[1:]] == [["1.00", "2.00", "laevil"], ["lo", "-->", "lu"]]
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", table.out + lrc.out + srt.out)
    assert srt.out.count("-->") == 1


@pytest.mark.parametrize("words", [["--lrc"], ["--srt"], []])
def test_a_song_without_words(cli, make_wire, words):
    """Where nothing is sung, that is told on stderr, and is no failure."""
    make_wire(answer({"aligned_words": [], "waveform_data": [0.5]}))
    assert cli("timing", "c1", *words) == (0, "", "suno-async: there are no words in it\n")
    assert cli("timing", "c1", "--json").lines[0]["waveform"] == [0.5]


@pytest.mark.parametrize("words", [["--lrc", "--srt"], ["--lrc", "--json"], ["--srt", "--json"]])
def test_two_ways_at_once(cli, words):
    """One thing is written one way."""
    ended = cli("timing", "c1", *words)
    assert (ended.code, ended.out, "choose one" in ended.err) == (2, "", True)


@pytest.mark.parametrize(
    ("words", "flags"),
    [(["timing", "--lrc"], ["--lrc"]), (["timing", "--srt"], ["--srt"]), (["stems"], []), (["midi"], [])],
)
def test_to_go_on_with(cli, make_wire, words, flags):
    """What is asked for again is asked for in the same way."""
    make_wire(answer({"status": "processing"}))
    ended = cli(*words, "c1", "--timeout", "0.1")
    verb = words[0]
    assert (ended.code, ended.err.splitlines()[-1].split()) == (
        3,
        ["suno-async", verb, "--timeout", "0.1", *flags, "c1"],
    )


def test_stems(cli, clip, set_going):
    """A row for each stem, or an object a line."""
    set_going("stems")
    told = cli("stems", clip, "--json").lines
    assert [stem["title"].rpartition(" - ")[2] for stem in told] == ["Vocals", "Instrumental"]
    ended = cli("stems", clip)
    assert (ended.code, [line.split()[0] for line in ended.out.splitlines()]) == (
        0,
        ["clip", *(stem["id"] for stem in told)],
    )


def test_evil_titles(cli, make_wire):
    """What a gateway says cannot drive the terminal, nor the table; --json has it as it was said."""
    make_wire(answer([SONG]))
    table, line = cli("feed", "c1"), cli("feed", "c1", "--json")
    assert table.out.splitlines()[1].split() == ["c1", "complete", "evil", "1:01", "https://x/a.mp3"]
    assert "\x1b" not in line.out
    assert line.lines[0]["title"] == EVIL


def test_whole_addresses(cli, make_wire, terminal):
    """On a screen that is too narrow for them, addresses stand in whole lines."""
    url = f"https://cdn.example/{'a' * 200}.mp3"
    make_wire(answer([SONG | {"audio_url": url}]))
    screen = terminal("stdout")
    assert cli("feed", "c1").code == 0
    assert any(line.endswith(url) for line in screen.getvalue().splitlines())
