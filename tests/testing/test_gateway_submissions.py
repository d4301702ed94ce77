"""Bodies, read as Go reads them."""

import pytest

from suno_async.testing.gateway.answers import TEXT, RefusalError
from suno_async.testing.gateway.keys import Key
from suno_async.testing.gateway.ledger import Origin
from suno_async.testing.gateway.submissions import PRIVATE_FIELDS, Ask, read_ids, read_order, read_submission

KEY = Key("sk-x", None, frozenset(), 3)


def test_unknown_fields_are_dropped():
    """What the Go struct does not have is gone, null is as good as missing."""
    assert read_submission(b'{"prompt":"x","negative_tags":"y","title":null}') == {"prompt": "x"}


def test_a_private_build_keeps_all_fields():
    """Those it knows have their types, null is as good as missing, and what it does not know it keeps as it is."""
    body = b'{"prompt":"x","title":null,"metadata":{"a":[1,"\\ud800",{"\\ud800":true}]},"odd":100000000000000000000}'
    asked = read_submission(body, PRIVATE_FIELDS, keep=True)
    assert asked == {"prompt": "x", "metadata": {"a": [1, "\ufffd", {"\ufffd": True}]}, "odd": 1e20}
    for wrong in (b'{"metadata":[]}', b'{"is_infill":"true"}', b'{"infill_start_s":"1"}'):
        with pytest.raises(RefusalError, match="cannot unmarshal"):
            read_submission(wrong, PRIVATE_FIELDS, keep=True)
    assert read_submission(b'{"metadata":[]}') == {}


@pytest.mark.parametrize(("depth", "kept"), [(150, True), (250, False), (100_000, False)])
def test_what_is_kept_has_a_depth(depth, kept):
    """As deep as it can be walked, and no deeper."""
    body = b'{"odd":' + b"[" * depth + b"]" * depth + b"}"
    if kept:
        assert read_submission(body, PRIVATE_FIELDS, keep=True)["odd"]
    else:
        with pytest.raises(RefusalError, match="exceeded max depth"):
            read_submission(body, PRIVATE_FIELDS, keep=True)


def test_an_ask_needs_its_fields():
    """All of them, texts that say something, the right types; what else there is counts for nothing."""
    ask = Ask(KEY, {}, b'{"name":"N","flag":false,"more":1}', Origin())
    assert ask.account == 3
    assert ask.fields("name", flag=bool) == {"name": "N", "flag": False}
    for texts, types, words in (
        (("name", "other"), {}, "other is empty"),
        (("name",), {"list": list}, "list is empty"),
    ):
        with pytest.raises(RefusalError, match=words):
            ask.fields(*texts, **types)
    with pytest.raises(RefusalError, match=r"number into Go struct field SunoSubmitReq.more of type \[\]string"):
        ask.fields(more=list)
    with pytest.raises(RefusalError, match="name is empty"):
        Ask(KEY, {}, b'{"name":""}', Origin()).fields("name")


def test_broken_text_is_replaced_as_go_does():
    """Invalid UTF-8 and lone surrogates become U+FFFD."""
    assert read_submission(b'{"prompt":"\xff","title":"a\\ud800b"}') == {"prompt": "\ufffd", "title": "a\ufffdb"}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "EOF"),
        (b"  ", "EOF"),
        (b"{", "unexpected EOF"),
        (b'{"prompt":"x', "unexpected EOF"),
        (b"{bad", "invalid character 'b' looking for beginning of object key string"),
        (b'{"a" 1}', "invalid character '1' after object key"),
        (b'{"a":x}', "invalid character 'x' looking for beginning of value"),
        (b'{"a":1 2}', "invalid character '2' after object key:value pair"),
        (b"{} x", "invalid character 'x' after top-level value"),
        (b'{"a":NaN}', "invalid character 'N' looking for beginning of value"),
        (b'{"a":"\n"}', "in string literal"),
        (b"[" * 100_000, "exceeded max depth"),
        (b"[]", "json: cannot unmarshal array into Go value of type dto.SunoSubmitReq"),
        (
            b'{"continue_at":"120"}',
            "cannot unmarshal string into Go struct field SunoSubmitReq.continue_at of type float64",
        ),
        (b'{"make_instrumental":"true"}', "string into Go struct field SunoSubmitReq.make_instrumental of type bool"),
        (
            b'{"continue_at":true}',
            "cannot unmarshal bool into Go struct field SunoSubmitReq.continue_at of type float64",
        ),
        (b'{"title":7}', "cannot unmarshal number into Go struct field SunoSubmitReq.title of type string"),
        (b'{"tags":["a"]}', "cannot unmarshal array into Go struct field SunoSubmitReq.tags of type string"),
    ],
)
def test_what_cannot_be_read_is_refused_in_gos_words(body, words):
    """Broken JSON and wrong types are 400 invalid_request."""
    with pytest.raises(RefusalError) as caught:
        read_submission(body)
    assert (caught.value.status, caught.value.code) == (400, "invalid_request")
    assert words in caught.value.message


def test_an_order_is_what_was_asked_for():
    """Title, tags, words, model and who pays."""
    order = read_order("MUSIC", {"title": "T", "tags": "pop", "prompt": "la", "mv": "chirp-v4"}, KEY)
    assert (order.title, order.tags, order.prompt, order.model) == ("T", "pop", "la", "chirp-v4")
    assert (order.price, order.account, order.key) == (50_000, 3, KEY)


def test_a_description_overrules_words_and_title():
    """The upstream ignores prompt, title and tags beside a description; the model has a default."""
    order = read_order("MUSIC", {"gpt_description_prompt": "a song", "prompt": "la", "title": "T", "tags": "pop"}, KEY)
    assert (order.title, order.tags, order.prompt, order.model) == ("", None, "", "chirp-v3-0")


def test_lyrics_need_a_prompt():
    """LYRICS without a prompt is prompt_empty."""
    with pytest.raises(RefusalError, match="prompt_empty"):
        read_order("LYRICS", {}, KEY)
    assert read_order("LYRICS", {"prompt": "x"}, KEY).price == 5_000


@pytest.mark.parametrize(
    ("body", "ids"),
    [
        (b'{"ids":["a",1,null]}', ["a", 1, None]),
        (b"{}", []),
        (b'{"ids":null}', []),
        (b"null", []),
        (b'{"ids":["\xff"]}', ["\ufffd"]),
    ],
)
def test_ids_are_read(body, ids):
    """Ids of any type; none or null are an empty batch."""
    assert read_ids(body) == ids


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{bad", "invalid character 'b'"),
        (b'{"ids":"x"}', "cannot unmarshal string into Go struct field .ids"),
        (b"[]", "cannot unmarshal array into Go value"),
        (b'{"ids":' + b"[" * 100_000, "exceeded max depth"),
    ],
)
def test_a_batch_that_cannot_be_read_is_refused_as_plain_text(body, words):
    """new-api writes the 400 before the body, so its type is guessed: text/plain."""
    with pytest.raises(RefusalError, match=words) as caught:
        read_ids(body)
    assert caught.value.kind == TEXT
