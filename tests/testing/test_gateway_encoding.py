"""Rows as JSON."""

import json

from suno_async.testing.gateway import encoding
from suno_async.testing.gateway.encoding import Encoder
from suno_async.testing.gateway.eras import ERAS
from suno_async.testing.gateway.rows import Row
from suno_async.testing.gateway.songs import Order, Recipe


def a_row(state="NOT_START", action="MUSIC", task_id="task_x", **columns):
    order = Order(action=action)
    return Row(1, task_id, order, 1000.5, 1030.5, 1100.5, "reason", state, 1099, columns or None)


def test_times_are_the_upstreams_and_appear_when_they_are_due():
    """start_time appears with the stream, finish_time and 100 % with the end; both are whole seconds."""
    encoder = Encoder(ERAS["2026"])
    fields = ("submit_time", "start_time", "finish_time", "progress")
    seen = {status: encoder.columns(a_row(status)) for status in ("NOT_START", "QUEUED", "IN_PROGRESS", "SUCCESS")}
    assert [seen["NOT_START"][field] for field in fields] == [1000, 0, 0, "0%"]
    assert [seen["QUEUED"][field] for field in fields] == [1000, 0, 0, "0%"]
    assert [seen["IN_PROGRESS"][field] for field in fields] == [1000, 1030, 0, "0%"]
    assert [seen["SUCCESS"][field] for field in fields] == [1000, 1030, 1100, "100%"]


def test_data_is_null_then_empty_then_clips():
    """Nothing before the first round, [] while queued, two clips from the stream on; a failure keeps them."""
    shown = {s: encoding.data(a_row(s), "u") for s in ("NOT_START", "QUEUED", "IN_PROGRESS", "SUCCESS", "FAILURE")}
    assert (shown["NOT_START"], shown["QUEUED"]) == (None, [])
    for status in ("IN_PROGRESS", "FAILURE"):
        assert [clip["status"] for clip in shown[status]] == ["streaming"] * 2
    assert [clip["status"] for clip in shown["SUCCESS"]] == ["complete"] * 2


def test_lyrics_show_nothing_until_they_are_done():
    """Lyrics are null until SUCCESS, then an object."""
    assert encoding.data(a_row("IN_PROGRESS", "LYRICS"), "u") is None
    assert encoding.data(a_row("SUCCESS", "LYRICS"), "u")["status"] == "complete"


def test_a_private_row_tells_its_hook_and_its_clips():
    """The hook that was asked for, "" if none was; one clip for each part."""
    encoder = Encoder(ERAS["2026"])
    for fields, hook in (({"notify_hook": "http://h"}, "http://h"), ({}, "")):
        row = a_row("SUCCESS")
        row.order = Order(recipe=Recipe(fields=fields, parts=("",)))
        columns = encoder.columns(row)
        assert (columns["notify_hook"], len(columns["data"])) == (hook, 1)
    assert "notify_hook" not in encoder.columns(a_row("SUCCESS"))


def test_a_task_without_clips_ends_in_its_result():
    """Nothing until SUCCESS, then what it was for."""
    for status, shown in (("QUEUED", None), ("IN_PROGRESS", None), ("SUCCESS", {"url": "x"})):
        row = a_row(status, "WAV")
        row.order = Order(action="WAV", recipe=Recipe(result={"url": "x"}, parts=()))
        assert encoding.data(row, "u") == shown


def test_a_failure_of_2026_repeats_its_reason_as_result_url():
    """result_url is the reason on FAILURE and absent otherwise; 2025 has no such column."""
    new, old = Encoder(ERAS["2026"]), Encoder(ERAS["2025"])
    failed = new.columns(a_row("FAILURE"))
    assert failed["result_url"] == failed["fail_reason"] == "reason"
    assert "result_url" not in new.columns(a_row("SUCCESS"))
    assert "result_url" not in old.columns(a_row("FAILURE"))
    assert old.columns(a_row("FAILURE"))["fail_reason"] == "reason"


def test_the_list_of_tasks_shows_all_columns_without_the_channel():
    """2026 shows what a look shows; 2025 shows all of its table, as an answer of the running software had it."""
    new, old = Encoder(ERAS["2026"]), Encoder(ERAS["2025"])
    assert new.columns(a_row())["channel_id"] == 1
    assert new.account_columns(a_row()) == new.columns(a_row()) | {"channel_id": 0}
    observed = (
        '{"id":1,"created_at":1000,"updated_at":1099,"task_id":"task_x","platform":"suno","user_id":1,"channel_id":0,'
        '"quota":50000,"action":"","status":"NOT_START","fail_reason":"","submit_time":1000,"start_time":0,'
        '"finish_time":0,"progress":"0%","properties":{"input":""},"data":null}'
    )
    assert list(old.account_columns(a_row()).items()) == list(json.loads(observed).items())
    assert old.account_columns(a_row(progress="9%"))["progress"] == "9%"


def test_tasks_are_filtered_by_what_their_table_holds():
    """A status set by hand counts; the action of 2025 is empty."""
    row = a_row("SUCCESS", action="LYRICS", status="odd")
    assert Encoder(ERAS["2026"]).filters(row) == {
        "platform": "suno",
        "task_id": "task_x",
        "action": "LYRICS",
        "status": "odd",
    }
    assert Encoder(ERAS["2025"]).filters(a_row("QUEUED"))["action"] == ""
    assert Encoder(ERAS["2025"]).filters(a_row("QUEUED"))["status"] == "QUEUED"


def test_columns_set_by_hand_win():
    """What a test has put in overrules the row."""
    assert Encoder(ERAS["2025"]).columns(a_row("SUCCESS", progress="45%"))["progress"] == "45%"


def test_encoded_rows_are_kept_until_they_change(monkeypatch):
    """A row is encoded once until it is forgotten, and no more rows are kept than fit."""
    monkeypatch.setattr(encoding, "CACHE", 2)
    encoder, row = Encoder(ERAS["2026"]), a_row()
    first = encoder.encode(row)
    row.status = "QUEUED"
    assert encoder.encode(row) is first
    encoder.forget(row)
    assert b'"QUEUED"' in encoder.encode(row)
    for name in ("a", "b", "c"):
        encoder.encode(a_row(task_id=name))
    assert len(encoder._kept) == 2
