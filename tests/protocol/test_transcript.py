"""The transcript: every answer a chat may have, in whatever pieces it comes."""

import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suno_async import RequestRejected, SubmitUnknown, SunoError, TaskFailed, UnexpectedResponse, WaitTimeout
from suno_async.protocol.redaction import Redaction
from suno_async.protocol.transcript import Transcript

QUICK = settings(max_examples=150, deadline=None, derandomize=True)
KEY = "sk-0123456789abcdefABCDEF"
CLIP = "0f3a1b2c-1111-4222-8333-944445555666"
LINK = f"[点击听歌](https://cdn1.suno.ai/{CLIP}.mp3)"


def chunk(content: object, key: str = "delta", **more: object) -> bytes:
    """One chunk of a stream, without its ``data:``."""
    choice = {"index": 0, key: {"content": content, "role": "assistant"}, "finish_reason": None}
    document = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "choices": [choice]} | more
    return json.dumps(document, ensure_ascii=False).encode()


def spelled(said: str, end: bytes = b"data: [DONE]") -> bytes:
    """A text as Suno-API streams it: a letter in each chunk, and no line end behind ``[DONE]``."""
    return b"".join(b"data: %s\n\n" % chunk(letter) for letter in said) + end


def heard(*pieces: bytes) -> tuple[Transcript, list[str]]:
    """What a transcript is after these pieces, and what each of them and the end brought."""
    transcript = Transcript()
    brought = [transcript.feed(piece) for piece in pieces]
    brought.append(transcript.end())
    assert "".join(brought) == transcript.text
    return transcript, brought


def state(transcript: Transcript) -> tuple[object, ...]:
    """All that can be asked of it."""
    error = transcript.error
    return transcript.text, transcript.songs, transcript.done, transcript.refusal, transcript.body, repr(error)


def whole(content: object, key: str = "message") -> bytes:
    return json.dumps({"object": "chat.completion", "choices": [{"index": 0, key: {"content": content}}]}).encode()


SAID = "🎵 猫 cat\r\n"
ANSWERS = {
    "letter by letter": (spelled(SAID), SAID, True),
    "no [DONE]": (spelled(SAID, b""), SAID, False),
    "[DONE] with a line end": (spelled(SAID, b"data: [DONE]\n\n"), SAID, True),
    "[DONE] and more": (spelled(SAID, b"data: [DONE]\n\n" + spelled("no")), SAID, True),
    "carriage returns": (spelled(SAID).replace(b"\n", b"\r"), SAID, True),
    "both line ends": (spelled(SAID).replace(b"\n", b"\r\n"), SAID, True),
    "no blank between": (spelled(SAID).replace(b"data:", b"data:  "), SAID, True),
    "no blank at all": (spelled(SAID).replace(b"data: ", b"data:"), SAID, True),
    "no empty lines": (spelled(SAID).replace(b"\n\n", b"\n"), SAID, True),
    "comments and names": (b": PING\n\nevent: message\nid: 7\nretry: 10\n" + spelled(SAID), SAID, True),
    "a field nobody knows": (b"data: " + chunk("a") + b"\nfoo: bar\nbaz\n\n", "a", False),
    "a mark and blank lines": (b"\xef\xbb\xbf\r\n\n" + spelled(SAID), SAID, True),
    "several lines": (
        b'data: {"choices":\ndata: [{"delta":\ndata: {"content":"ab"}}]}\n\ndata: [DONE]\n\n',
        "ab",
        True,
    ),
    "several lines, both line ends": (
        b'data: {"choices":\r\ndata: [{"delta":\r\ndata: {"content":"ab"}}]}\r\n',
        "ab",
        False,
    ),
    "several lines, the first as if whole": (
        b'data: {"choices":[{"delta":{"content":"ab"}\ndata: }]}\n\n',
        "ab",
        False,
    ),
    "several lines and the end": (b'data: {"choices":\ndata: [{"delta":{"content":"ab"}}]}', "ab", False),
    "rubbish between": (b"data: hello\ndata: " + chunk("a") + b"\ndata: 1\n\ndata: " + chunk("b"), "ab", False),
    "rubbish in braces": (b"data: {x}\n\ndata: " + chunk("a") + b"\n\n", "a", False),
    "cut in a chunk": (b"data: " + chunk("a") + b"\n\ndata: " + chunk("b")[:-3], "a", False),
    "no line end behind a chunk": (b"data: " + chunk("a"), "a", False),
    "whole messages": (b"data: " + chunk("a", "message") + b"\n\ndata: " + chunk("b", "message"), "ab", False),
    "parts": (b"data: " + chunk([{"type": "text", "text": "a"}, {"text": 1}, None, {"text": "b"}]), "ab", False),
    "old completions": (b'data: {"choices":[{"text":"ab"}]}', "ab", False),
    "nothing in it": (
        b'data: {"choices":[]}\n\ndata: {"choices":[1]}\n\ndata: {"choices":{}}\n\ndata: {"choices":[{"text":1}]}\n\n',
        "",
        False,
    ),
    "a number in it": (b"data: " + chunk(1) + b"\n\ndata: " + chunk("a"), "a", False),
    "null in it": (b'data: {"choices":[{"delta":null}]}\n\ndata: ' + chunk(None), "", False),
    "an error that is none": (b"data: " + chunk("a", error=None, code=0) + b"\n\n", "a", False),
    "a letter of two halves": (b'data: {"choices":[{"delta":{"content":"\\ud83c\\udfb5"}}]}', "🎵", False),
    "a message": (whole(SAID), SAID, False),
    "a message as delta": (whole(SAID, "delta"), SAID, False),
    "a message behind a mark": (b"\xef\xbb\xbf \n" + whole(SAID), SAID, False),
    "half a message": (whole(SAID)[:-1], "", False),
    "a JSON text": (json.dumps(SAID).encode(), SAID, False),
    "a JSON text and a line end": (json.dumps(SAID).encode() + b"\r\n", SAID, False),
    "a text": (b"\xef\xbb\xbf" + SAID.encode(), SAID, False),
    "a text in quotes": (b'"a" she said', '"a" she said', False),
    "a text that ends in quotes": (b'she said "a"', 'she said "a"', False),
    "a text like a number": (b"12 monkeys", "12 monkeys", False),
    "a text like a list": (b"[Verse]\nla", "[Verse]\nla", False),
    "a text of broken letters": (b"a\xff\xe7\x8c", "a\ufffd\ufffd", False),
    "a text that begins with a byte of the mark": ("，猫".encode(), "，猫", False),
    "a page": (b"\n <!doctype html><title>x</title>", "", False),
    "empty": (b"", "", False),
    "blank": (b" \r\n", "", False),
    "half a field": (b"dat", "", False),
}


@pytest.mark.parametrize(("body", "said", "done"), ANSWERS.values(), ids=ANSWERS)
def test_every_shape_is_read(body, said, done):
    """In one piece and byte by byte: the same text, and whether ``[DONE]`` was said."""
    once, _ = heard(body)
    assert (once.text, once.done) == (said, done)
    bytewise, _ = heard(*(body[place : place + 1] for place in range(len(body))))
    assert state(bytewise) == state(once)


def test_a_letter_is_there_as_soon_as_its_line_is():
    """Nobody waits for the event's empty line, nor for the end."""
    transcript = Transcript()
    assert transcript.feed(b"data: " + chunk("猫")[:-1]) == ""
    assert transcript.feed(chunk("猫")[-1:]) == ""
    assert transcript.feed(b"\n") == "猫"
    assert transcript.text == "猫"
    assert transcript.feed(b"\ndata: " + chunk("a") + b"\ndata: " + chunk("b") + b"\n") == "ab"
    assert transcript.end() == ""
    assert transcript.end() == ""
    assert transcript.text == "猫ab"


def test_a_line_end_of_two_may_be_cut_in_two():
    """Of the piece behind its first half nothing but the second half is left out."""
    _, brought = heard(b"data: " + chunk("a") + b"\r", b"\ndata: " + chunk("b") + b"\r\n")
    assert brought == ["a", "b", ""]


def test_what_is_no_stream_comes_at_its_end():
    """Only then is it known what it is; it is kept, also where it is ended twice. A stream is not."""
    transcript, brought = heard(whole("a")[:20], whole("a")[20:])
    assert brought == ["", "", "a"]
    assert transcript.body == whole("a")
    assert transcript.end() == ""
    assert (transcript.text, transcript.body) == ("a", whole("a"))
    assert heard(BEHIND)[0].body == b""


def test_songs_are_read_from_the_text():
    """However it was spelled."""
    transcript, _ = heard(spelled(f"###🎵 歌曲名： Cat\n**版本ID： ** {CLIP}\n{LINK}"))
    (song,) = transcript.songs
    assert (song.id, song.title, song.audio_url) == (CLIP, "Cat", f"https://cdn1.suno.ai/{CLIP}.mp3")
    assert transcript.error is None


def test_a_page_is_told():
    """It is no text, and it is kept."""
    transcript, _ = heard(b"<html>", b"x</html>")
    assert transcript.page
    assert transcript.body == b"<html>x</html>"
    assert not heard(b"<3 cats")[0].page
    assert heard(b"<3 cats")[0].text == "<3 cats"


BEHIND = b"data: " + chunk("a") + b"\n\n"
NO = {"message": "bad words", "type": "x", "code": "sensitive_words"}
SUNO_ERROR = '{"StatusCode":500,"Code":"internal_error","Err":{},"LocalErr":false}'
FAILED = {
    "Suno-API's, at once": (spelled(SUNO_ERROR), TaskFailed, "internal_error (500)"),
    "Suno-API's, behind its ticks": (spelled(f"请稍等\n🎵{SUNO_ERROR}\n", b""), TaskFailed, "internal_error (500)"),
    "Suno-API's, without a word": (spelled('{"StatusCode":400,"Code":""}'), TaskFailed, "no reason given (400)"),
    "Suno-API's, twice": (spelled(SUNO_ERROR + '{"StatusCode":400,"Code":"bad"}'), TaskFailed, "bad (400)"),
    "a gateway's, between blanks": (spelled('\n {"error":{"message":"no song"}} \n'), TaskFailed, "no song"),
    "a gateway's, as the text": (spelled('{"error":{"message":"no\\nsong"}}'), TaskFailed, "no song"),
    "a gateway's code, as the text": (spelled('{"code":"bad","message":""}'), TaskFailed, "bad"),
    "a gateway's, behind some text": (BEHIND + b'data: {"error":{"message":"no song"}}', TaskFailed, "no song"),
    "a line of its own": (BEHIND + b'{"error":"no song"}\n', TaskFailed, "no song"),
    "without any word": (BEHIND + b'data: {"success":false}\n\n', TaskFailed, "no reason given"),
    "time": (spelled("请稍等...\n🎵timeout", b""), WaitTimeout, None),
    "nothing but time": (spelled("timeout\n", b""), WaitTimeout, None),
    "a refusal": (b"data: " + json.dumps({"error": NO}).encode(), RequestRejected, None),
    "a refusal as a document": (b'{"error":{"message":"bad words","code":"sensitive_words"}}', RequestRejected, None),
    "a doubtful one": (b'data: {"error":{"message":"upstream reset","code":"x"}}\n\n', SubmitUnknown, None),
}  # fmt: skip


@pytest.mark.parametrize(("body", "kind", "reason"), FAILED.values(), ids=FAILED)
def test_a_chat_says_itself_that_it_failed(body, kind, reason):
    """As a document, as words of the text or at its end; only what comes before any text may be no acceptance."""
    transcript, _ = heard(body)
    assert type(transcript.error) is kind
    if reason is not None:
        assert transcript.error.reason == reason
        assert str(transcript.error) == f"the chat says that it failed: {reason}"


@pytest.mark.parametrize(
    "said",
    [
        "a song about a timeout",
        f"{LINK} timeout",
        '{"title":"Cat"}',
        '{"StatusCode":500,"Code":"x"} is what I got',
        'say {"error":"x"}',
        '{"StatusCode":',
        '{"StatusCode"}',
        "[1]",
        "mytimeout",
        "{}",
    ],
)
def test_words_that_are_no_errors_are_words(said):
    """A text may speak of errors: only one that is over with it has failed."""
    end = b"" if "song about" not in said else b"data: [DONE]"
    assert heard(spelled(said, end))[0].error is None


def test_what_comes_behind_done_is_not_heard():
    """Neither text nor an error."""
    transcript, _ = heard(b"data: " + chunk("a") + b'\n\ndata: [DONE]\n\ndata: {"error":"late"}\n\n')
    assert transcript.text == "a"
    assert transcript.error is None


def test_the_first_refusal_is_kept():
    """As it came."""
    transcript, _ = heard(b'data: {"error":"one"}\n\ndata: {"error":"two"}\n\n')
    assert transcript.refusal == b'{"error":"one"}'


@pytest.mark.parametrize("size", [1, 65_536, 2**23])
def test_no_more_than_four_megabytes_are_read(size):
    """A line without an end, in whatever pieces: the rest is not kept, and that is an error."""
    size = 2**20 if size == 1 else size
    transcript = Transcript()
    transcript.feed(b"data: " + chunk("a") + b"\n\ndata: ")
    left = 2**23
    while left > 0:
        assert transcript.feed(b"x" * size) == ""
        left -= size
    assert len(transcript._waiting) <= 2**22
    assert transcript.end() == ""
    assert transcript.text == "a"
    assert isinstance(transcript.error, UnexpectedResponse)
    assert str(transcript.error) == "the chat is longer than 4,194,304 bytes"


def test_exactly_four_megabytes_are_not_too_many():
    """The cap is exact."""
    fill = b":" + b"x" * (2**22 - 1 - len(b"\ndata: " + chunk("a")))
    assert heard(fill + b"\ndata: " + chunk("a"))[0].error is None
    assert heard(fill + b"\ndata: " + chunk("a"))[0].text == "a"
    assert isinstance(heard(fill + b"\ndata: " + chunk("a") + b"\n")[0].error, UnexpectedResponse)
    assert isinstance(heard(fill + b"\ndata: " + chunk("a"), b"\n")[0].error, UnexpectedResponse)


def vain(size: int) -> bytes:
    """So many lines that look like documents, each in an event of its own; and a chunk."""
    return b"data: {1}\n\n" * size + b"data: " + chunk("a") + b"\n\n"


def test_no_more_than_a_thousand_lines_are_tried_in_vain():
    """Exactly; behind them nothing is read, and that is an error."""
    transcript, _ = heard(vain(999))
    assert (transcript.text, transcript.error) == ("a", None)
    transcript, _ = heard(BEHIND + vain(1000))
    assert transcript.text == "a"
    assert isinstance(transcript.error, UnexpectedResponse)
    assert str(transcript.error) == "the chat is longer than 1,000 lines that nobody can read"


@pytest.mark.parametrize("event", [b"data: x}\n\n", b'data: {\ndata: "choices":[]}\n\n'])
def test_what_looks_like_no_whole_document_is_not_tried(event):
    """A line without both its braces is none of those thousand."""
    transcript, _ = heard(event * 1001 + BEHIND)
    assert (transcript.text, transcript.error) == ("a", None)


def long_event(size: int) -> bytes:
    """A chunk in so many lines."""
    first, last = b'{"choices":', b'[{"delta":{"content":"a"}}]}'
    return b"".join(b"data: %s\n" % line for line in [first, *[b" "] * (size - 2), last]) + b"\n"


def test_an_event_has_a_thousand_lines_at_most():
    """Exactly; one that has more is not read, and that is an error."""
    transcript, _ = heard(long_event(1000))
    assert (transcript.text, transcript.error) == ("a", None)
    transcript, _ = heard(BEHIND + long_event(1001) + BEHIND)
    assert transcript.text == "aa"
    assert str(transcript.error) == "the chat is longer than 1,000 lines of one event"


def test_no_more_than_a_megabyte_of_text_is_kept():
    """2**20 characters, exactly."""
    lines = b"".join(b"data: " + chunk("x" * 2**19) + b"\n\n" for _ in range(2))
    assert heard(lines)[0].error is None
    transcript, _ = heard(lines + b"data: " + chunk("y") + b"\n\n")
    assert transcript.text == "x" * 2**20
    assert str(transcript.error) == "the chat is longer than 1,048,576 characters"
    assert transcript.error.excerpt == "x" * 200
    lines = b"data: " + chunk("x" * (2**20 - 1)) + b"\n\ndata: " + chunk("yz") + b"\n\n"
    assert heard(lines)[0].text == "x" * (2**20 - 1) + "y"


@pytest.mark.parametrize("piece", [b" ", b"\r", b"d", b"data:\n", b":", b"{", b"data: {\n", b"\xef", b'data:{"a":\n\n'])
def test_four_megabytes_of_anything_are_read_in_their_turn(piece):
    """The time grows with the length and not with its square, also in pieces of 64 bytes."""
    transcript = Transcript()
    for _ in range(2**16):
        transcript.feed(piece * (64 // len(piece)))
    transcript.end()
    assert transcript.songs == ()


ECHOED = f"your key {KEY} or {KEY[3:]} is bad"
ECHOES = {
    "letter by letter": spelled(ECHOED),
    "in a chunk": b"data: " + chunk(ECHOED),
    "escaped in a chunk": b"data: " + chunk(ECHOED).replace(b"-", rb"\u002d").replace(b"b", rb"\u0062"),
    "a message": whole(ECHOED),
    "an escaped message": whole(ECHOED).replace(b"-", rb"\u002d").replace(b"b", rb"\u0062"),
    "a text": ECHOED.encode(),
}


@pytest.mark.parametrize("body", ECHOES.values(), ids=ECHOES)
@pytest.mark.parametrize("size", [1, 7, 10**6])
def test_the_key_is_not_in_the_text(body, size):
    """However it was spelled and in whatever pieces: neither in what each piece brings nor in all of it."""
    transcript = Transcript(Redaction([KEY]))
    pieces = [transcript.feed(body[place : place + size]) for place in range(0, len(body), size)]
    pieces.append(transcript.end())
    assert transcript.text == "".join(pieces) == "your key *** or *** is bad"


def test_what_may_be_the_key_is_kept_back_until_it_is_known():
    """At ``[DONE]`` or the end it is known; from four letters on it is taken for the key."""
    transcript = Transcript(Redaction([KEY]))
    assert transcript.feed(spelled("a s", b"")) == "a "
    assert transcript.feed(spelled("o sk-", b"")) == "so "
    assert transcript.feed(b"data: [DONE]\n") == "sk-"
    assert transcript.text == "a so sk-"
    ended = Transcript(Redaction([KEY]))
    assert ended.feed(spelled("a sk-", b"")) == "a "
    assert (ended.end(), ended.text) == ("sk-", "a sk-")
    cut = Transcript(Redaction([KEY]))
    assert cut.feed(spelled(f"a {KEY[:9]}", b"")) == "a "
    assert (cut.end(), cut.text) == ("", "a ")


def test_the_key_is_in_no_song():
    """Neither in its title nor in a link."""
    transcript = Transcript(Redaction([KEY]))
    transcript.feed(spelled(f"title: Cat {KEY} x\nhttps://x.example/{KEY}/a.mp3\n"))
    (song,) = transcript.songs
    assert (song.title, song.audio_url) == ("Cat *** x", "https://x.example/***/a.mp3")


ESCAPED = KEY.replace("-", r"\u002d").replace("b", r"\u0062").encode()
COMPLAINTS = {
    "a refusal": b'data: {"error":{"message":"bad key %s","code":"sensitive_words"}}\n\n' % ESCAPED,
    "a doubtful one": b'data: {"error":{"message":"bad key %s","code":"x"}}\n\n' % ESCAPED,
    "behind some text": BEHIND + b'data: {"error":{"message":"bad key %s"}}\n\n' % ESCAPED,
    "spelled": spelled(f'{{"error":{{"message":"bad key {KEY}"}}}}'),
    "escaped and spelled": spelled(f'{{"error":{{"message":"bad key {ESCAPED.decode()}"}}}}'),
}


@pytest.mark.parametrize("body", COMPLAINTS.values(), ids=COMPLAINTS)
def test_the_key_is_in_no_error(body):
    """Also where its letters are escaped in the document that says so."""
    transcript = Transcript(Redaction([KEY]))
    transcript.feed(body)
    transcript.end()
    shown = f"{transcript.error!r} {vars(transcript.error)}"
    assert "bad key ***" in shown
    assert KEY[3:] not in shown
    assert KEY[4:] not in shown


def test_the_key_is_not_in_a_page():
    """Nor its beginning, where it was cut off."""
    transcript = Transcript(Redaction([KEY]))
    transcript.feed(b"<html>%s %s" % (ESCAPED, KEY[:9].encode()))
    transcript.end()
    assert transcript.body == b"<html>*** "


LINES = st.sampled_from(
    [
        b"data: ", b"data:", b"\n", b"\r", b"\r\n", b"\n\n", b": x", b"event: a\n", b"[DONE]", b"data: [DONE]\n\n",
        chunk("猫"), chunk("a", "message"), b'{"error":{"message":"m","code":"c"}}', b'{"choices":', b"[]}", b"{", b"}",
        b'"', b"\xef\xbb\xbf", b"\xe7", b"\x8c", b"timeout", b"<html>", SUNO_ERROR.encode(), whole("a"), b" ", b"x",
    ]
)  # fmt: skip
BYTES = st.lists(LINES, max_size=25).map(b"".join) | st.binary(max_size=60)


@QUICK
@given(BYTES, st.lists(st.integers(0, 600), max_size=12))
def test_the_pieces_change_nothing(body, cuts):
    """Any bytes in any pieces are the same transcript as in one; and whatever went wrong is an error of ours."""
    once, _ = heard(body)
    edges = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    cut, _ = heard(*(body[start:end] for start, end in pairwise(edges)))
    assert state(cut) == state(once)
    assert once.error is None or isinstance(once.error, SunoError)


@QUICK
@given(st.lists(st.sampled_from([KEY, KEY[:9], KEY[3:], "s", "k-", "0", "猫", " "]), max_size=8).map("".join))
def test_no_key_comes_out_however_it_is_spelled(said):
    """A letter in each chunk, or all in one: the same text, without the key."""
    once, each = Transcript(Redaction([KEY])), Transcript(Redaction([KEY]))
    once.feed(b"data: " + chunk(said) + b"\n\n")
    for letter in said:
        each.feed(b"data: " + chunk(letter) + b"\n\n")
    once.end()
    each.end()
    assert once.text == each.text
    assert KEY[3:] not in once.text


@QUICK
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60))
def test_any_text_comes_through(said):
    """Spelled, as a message and as a JSON text."""
    assert heard(spelled(said))[0].text == said
    assert heard(whole(said))[0].text == said
    assert heard(json.dumps(said).encode())[0].text == said
