"""The wire: what is asked, and what each answer says."""

import inspect
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suno_async.protocol.dialects import read_tasks
from suno_async.protocol.exchange import Answer, Request
from suno_async.protocol.lenient import read_json
from suno_async.protocol.life import Again, Life
from suno_async.protocol.look import Look
from suno_async.protocol.models import Status
from suno_async.protocol.refusals import Kind, Trouble
from suno_async.protocol.wire import ask_many, ask_one, read_many, read_one, read_task

QUICK = settings(max_examples=100, deadline=None, derandomize=True)
TOLD = {path.stem: json.loads(path.read_text()) for path in (Path(__file__).parents[1] / "recordings").glob("*.json")}
URL = "https://cdn1.suno.ai/c1.mp3"


def raw(body) -> bytes:
    return body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()


def answer(body, status=200, *, fresh=False, headers=None):
    return Answer(status, headers or {}, raw(body), fresh)


def clip(number=1, **fields):
    return {
        "id": f"c{number}",
        "title": "Cat",
        "audio_url": URL,
        "video_url": "",
        "status": "complete",
        "model_name": "chirp-v4",
        "metadata": {"tags": "pop", "prompt": "la", "duration": 120.5},
        **fields,
    }


def row(task_id="t1", status="SUCCESS", **fields):
    return {
        "task_id": task_id,
        "action": "MUSIC",
        "status": status,
        "fail_reason": "",
        "progress": "100%",
        "submit_time": 1716192124,
        "data": [clip(1), clip(2)],
        **fields,
    }


def env(data, **fields):
    return {"code": "success", "message": "", "data": data, **fields}


def looks_in(told, *most, **limit):
    """The looks of an answer about many tasks, in its order; each stands under its own id."""
    found = read_many(told, *most, **limit)
    if isinstance(found, Trouble):
        return found
    assert list(found) == [look.task_id for look in found.values()]
    return list(found.values())


def read_both(told, task_id):
    """The look at one task; reading the task at once makes no difference."""
    found, whole = read_one(told, task_id), read_task(told, task_id)
    if isinstance(found, Look):
        assert whole == found.task()
    else:
        assert isinstance(whole, Trouble)
        assert (whole.kind, str(whole.error)) == (found.kind, str(found.error))
    return found


# asking


def test_one_id_is_asked_for_by_get():
    """A look at one task is a GET of its own path."""
    assert ask_one("t1") == Request("GET", "/suno/fetch/t1")


def test_many_ids_are_asked_for_by_post():
    """A look at many tasks is one POST with the ids in the order asked, and nothing else."""
    assert ask_many(["b", "a"]) == Request("POST", "/suno/fetch", b'{"ids":["b","a"]}')
    assert ask_many(("a",)).body == b'{"ids":["a"]}'


# recordings


def of(ask):
    return {name: told for name, told in sorted(TOLD.items()) if told["ask"] == ask}


def facts_of(look: Look) -> dict:
    """Everything that a recording may expect of a look."""
    task = look.task()
    taken = (task.finish_time - task.submit_time).total_seconds() if task.finish_time and task.submit_time else None
    return {
        "status": task.status,
        "done": task.done,
        "succeeded": task.succeeded,
        "failed": task.failed,
        "playable": task.playable,
        "songs": len(task.songs),
        "playable_songs": sum(song.playable for song in task.songs),
        "fail_reason": task.fail_reason,
        "action": task.action,
        "duration": task.songs[0].duration if task.songs else None,
        "title": task.songs[0].title if task.songs else None,
        "song_id": task.songs[0].id if task.songs else None,
        "lyrics_title": task.lyrics.title if task.lyrics else None,
        "start_time": task.start_time,
        "submit_time": task.submit_time.timestamp() if task.submit_time else None,
        "seconds_taken": taken,
        "frozen_failure": look.frozen,
        "transient": not task.done,
    }


@pytest.mark.parametrize("told", of("GET /suno/fetch/{task_id}").values(), ids=of("GET /suno/fetch/{task_id}"))
def test_recorded_looks_at_one_task(told):
    """Every recorded answer about one task, on the wire or on a fresh connection, says what its recording expects."""
    data = told["body"].get("data") if isinstance(told["body"], dict) else None
    first = data[0] if isinstance(data, list) else data
    task_id = first.get("task_id", "t0") if isinstance(first, dict) else "t0"
    found = read_both(answer(told["body"], told["status"], fresh=True, headers=told.get("headers")), task_id)
    expect = dict(told["expect"])
    error = expect.pop("error", None)
    if error is not None:
        assert type(found.error).__name__ == error
    elif isinstance(found, Trouble):
        assert expect == {"transient": True}
        assert found.kind is Kind.NO_NEWS
    else:
        assert found.task_id == task_id == found.task().task_id
        facts = facts_of(found)
        assert {name: facts[name] for name in expect} == expect


@pytest.mark.parametrize("told", of("POST /suno/fetch").values(), ids=of("POST /suno/fetch"))
def test_recorded_looks_at_many_tasks(told):
    """Every recorded answer about many tasks says what its recording expects."""
    found = looks_in(answer(told["body"], told["status"], headers=told.get("headers")))
    expect = told["expect"]
    if "error" in expect:
        assert type(found.error).__name__ == expect["error"]
        return
    if "ids" in expect:
        assert sorted(look.task_id for look in found) == sorted(expect["ids"])
        assert not {look.task_id for look in found} & set(expect.get("missing", []))
    else:
        facts = facts_of(found[0])
        assert {name: facts[name] for name in expect} == expect


def test_the_recordings_are_all_there():
    """The recordings hold looks at one and at many tasks, from both live gateways."""
    assert len(of("GET /suno/fetch/{task_id}")) >= 30
    assert len(of("POST /suno/fetch")) >= 8
    assert {name[:9] for name in TOLD} >= {"live-2025", "live-2026"}


# one task


def test_a_stock_row_is_read_in_full():
    """Every field of a stock row is in the task that comes of it."""
    body = env(
        row(
            start_time=1716192130,
            finish_time=1716192224,
            quota=50000,
            data=[clip(1, created_at="2025-08-07T03:38:38Z")],
        )
    )
    look = read_one(answer(body), "t1")
    assert (look.task_id, look.status, look.action, look.frozen) == (
        "t1",
        Status.SUCCESS,
        "MUSIC",
        False,
    )
    task = look.task()
    assert (task.task_id, task.action, task.status, task.status_text, task.progress) == (
        "t1",
        "MUSIC",
        "SUCCESS",
        "SUCCESS",
        100,
    )
    assert task.submit_time == datetime(2024, 5, 20, 8, 2, 4, tzinfo=UTC)
    assert (task.finish_time - task.start_time).total_seconds() == 94
    assert task.quota == 50000
    assert task.raw == body["data"]
    (song,) = task.songs
    assert (song.id, song.title, song.audio_url, song.duration) == ("c1", "Cat", URL, 120.5)
    assert (song.tags, song.prompt, song.model, song.status) == ("pop", "la", "chirp-v4", "complete")
    assert song.created_at == datetime(2025, 8, 7, 3, 38, 38, tzinfo=UTC)


def test_stock_lyrics_are_read():
    """Lyrics of a stock row are words and no songs."""
    data = {"id": "l", "text": "la", "title": "Cat", "status": "complete", "tags": "pop"}
    task = read_one(answer(env(row(action="LYRICS", data=data))), "t1").task()
    assert msgspec.structs.asdict(task.lyrics) == data
    assert task.songs == ()
    bare = read_one(answer(env(row(data={"text": "la"}))), "t1").task().lyrics
    assert (bare.id, bare.title, bare.text, bare.tags, bare.status) == ("", "", "la", "", "")
    assert read_one(answer(env(row(data={"text": ""}))), "t1").task().lyrics is None


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.SUCCESS], ids=str)
def test_a_row_without_data_is_a_look(status):
    """A row whose data has not come yet is news of its status."""
    look = read_one(answer(env(row(status=status.value, data=None, progress="0%"))), "t1")
    assert (look.status, look.task().songs, look.task().progress) == (status, (), 0)


FOREIGN = {
    "stock row": env(row("t2")),
    "odd row": env({"taskId": "t2", "status": "complete"}),
    "other rows": env([row("t2"), row("t3")]),
    "integer id": env(row(2)),
    "one letter more": env(row("t11")),
    "other case": env(row("T1")),
    "duplicate key, the last wins": b'{"code":"success","data":{"task_id":"t1","status":"SUCCESS","task_id":"t2"}}',
    "duplicate data, the last wins": b'{"code":"success","data":{"task_id":"t1","status":"SUCCESS"},'
    b'"data":{"task_id":"t2","status":"SUCCESS"}}',
}


@pytest.mark.parametrize("body", FOREIGN.values(), ids=FOREIGN)
@pytest.mark.parametrize("fresh", [False, True], ids=["used", "fresh"])
def test_an_answer_about_another_task_is_never_a_look(body, fresh):
    """An answer that names another task is foreign on every connection."""
    found = read_both(answer(body, fresh=fresh), "t1")
    assert (found.kind, found.readable, found.error.task_id) == (Kind.FOREIGN, True, "t1")


def test_the_id_check_is_on_the_winning_value():
    """Where a key comes twice, the value that counts is the one that is checked and delivered."""
    body = b'{"code":"success","data":{"task_id":"t2","status":"SUCCESS","task_id":"t1","data":[]}}'
    look = read_one(answer(body), "t1")
    assert look.task_id == look.task().task_id == "t1"


NAMELESS = {
    "Suno-API clips": (env([clip(1), clip(2, status="streaming")]), Status.IN_PROGRESS, 2),
    "Suno-API lyrics": (env({"id": "l", "text": "la", "status": "complete"}), Status.SUCCESS, 0),
    "bare list": ([clip(1)], Status.SUCCESS, 1),
    "empty id": (env(row("")), Status.SUCCESS, 2),
}


@pytest.mark.parametrize(("body", "status", "songs"), NAMELESS.values(), ids=NAMELESS)
def test_a_nameless_answer_counts_only_on_a_fresh_connection(body, status, songs):
    """An answer that names no task is this task's if nothing else was asked on its connection, else nobody's."""
    look = read_both(answer(body, fresh=True), "t1")
    assert (look.task_id, look.task().task_id, look.status, len(look.task().songs)) == ("t1", "t1", status, songs)
    trouble = read_both(answer(body), "t1")
    assert (trouble.kind, trouble.readable, trouble.error.task_id) == (Kind.NAMELESS, True, "t1")
    assert (str(trouble.error), trouble.error.status) == ("the answer names no task", 200)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("", Kind.NO_NEWS),
        (env(None), Kind.NO_NEWS),
        (env([]), Kind.NO_NEWS),
        (env({}), Kind.NO_NEWS),
        (env("47443cc1"), Kind.NO_NEWS),
        ("<html>", Kind.ELSEWHERE),
        ('{"code":"success","data":{"task_id":"t1"', Kind.OUTAGE),
        ({"code": 401, "message": "unauthorized"}, Kind.KEY),
        ({"code": "task_not_exist", "message": "x", "data": None}, Kind.MISSING),
        ({"code": "oops", "data": row()}, Kind.OUTAGE),
        ({"success": False, "data": row(5)}, Kind.NO_NEWS),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_a_200_without_a_task_is_trouble(body, kind):
    """A 200 that tells about no task is of the kind it says."""
    trouble = read_both(answer(body, fresh=True), "t1")
    assert (trouble.kind, trouble.error.task_id) == (kind, "t1")


@pytest.mark.parametrize("status", [199, 300, 400, 429, 500, 503])
def test_only_2xx_is_believed(status):
    """A row in any other answer is no news."""
    trouble = read_both(answer(env(row()), status), "t1")
    assert (type(trouble), trouble.error.task_id) == (Trouble, "t1")
    assert isinstance(looks_in(answer(env([row()]), status)), Trouble)


def test_a_success_without_data_is_looked_for_elsewhere():
    """What a stock row lacks in its data may be in a field of other gateways."""
    look = read_both(answer(env(row(data=None, clips=[clip(1)]))), "t1")
    assert [song.id for song in look.task().songs] == ["c1"]


def test_the_action_of_an_odd_row_is_known():
    """Fast or slow, a look knows the action of its task."""
    for status in ("QUEUED", "processing"):
        assert read_both(answer(env(row(status=status))), "t1").action == "MUSIC"


FROZEN = [
    ("IN_PROGRESS", "100%", "a name", True),
    ("UNKNOWN", "100%", "a name", True),
    ("IN_PROGRESS", "100%", "", False),
    ("IN_PROGRESS", "0%", "a name", False),
    ("SUCCESS", "100%", "a name", False),
    ("FAILURE", "100%", "a name", False),
    ("processing", "100%", "a name", True),
    ("processing", 100, "a name", True),
    ("processing", 99, "a name", False),
    ("processing", "100%", "", False),
    ("complete", "100%", "a name", False),
]


@pytest.mark.parametrize(("status", "progress", "reason", "frozen"), FROZEN)
def test_a_frozen_row_is_known(status, progress, reason, frozen):
    """A row with a reason and 100 % that is not final is frozen, read fast or slowly."""
    look = read_both(answer(env(row(status=status, progress=progress, fail_reason=reason))), "t1")
    assert look.frozen is frozen


def test_a_failure_without_a_reason_takes_that_of_a_clip():
    """A FAILURE keeps its playable song and finds its reason in the broken one."""
    broken = clip(2, status="error", metadata={"error_message": "moderated"})
    task = read_one(answer(env(row(status="FAILURE", data=[clip(1), broken]))), "t1").task()
    assert task.fail_reason == "moderated"
    assert [song.playable for song in task.songs] == [True, False]
    assert read_one(answer(env(row(status="FAILURE", data=None))), "t1").task().fail_reason == ""


def test_an_address_without_a_file_is_none():
    """A clip in error whose address ends in None.mp3 cannot be played."""
    task = read_one(answer(env(row(data=[clip(audio_url="https://cdn1.suno.ai/None.mp3")]))), "t1").task()
    assert task.songs[0].audio_url == ""


# the mark, and what is kept


CHANGES = [{"status": "IN_PROGRESS"}, {"progress": "50%"}, {"fail_reason": "x"}, {"data": [clip(1)]}, {"data": None}]


@pytest.mark.parametrize("status", ["QUEUED", "processing"], ids=["fast", "slow"])
def test_the_mark_changes_with_what_can_be_seen(status):
    """Two looks at the same state have the same mark, two that differ in what a watcher sees have not."""
    mark = read_one(answer(env(row(status=status))), "t1").mark
    assert read_one(answer(env(row(status=status, updated_at=5))), "t1").mark == mark
    for change in CHANGES:
        assert read_one(answer(env(row(**{"status": status} | change))), "t1").mark != mark


# rows of odd shapes behind a stock status


ODD = {
    "data is a map": ({"data": {"c1": clip(1)}}, 1),
    "data is text": ({"data": "x"}, 0),
    "data is JSON in text": ({"data": json.dumps([clip(1)])}, 1),
    "data is a number": ({"data": 5}, 0),
    "data is an empty list": ({"data": []}, 0),
    "nested": (
        {
            "data": {
                "code": 200,
                "data": {"taskBatchId": "9", "items": [{"clipId": "c1", "cld2AudioUrl": URL, "status": 30}]},
            }
        },
        1,
    ),
    "times as text": ({"submit_time": "1716192124"}, 2),
    "times as fractions": ({"submit_time": 1716192124.0}, 2),
    "huge time": ({"submit_time": 2**70}, 2),
    "quota as text": ({"quota": "5"}, 2),
    "duration as text": ({"data": [clip(1, duration="8.12")]}, 1),
    "tags as list": ({"data": [clip(1, tags=["pop"])]}, 1),
    "metadata as list": ({"data": [clip(1, metadata=[])]}, 1),
    "clip without audio": ({"data": [{"id": "c1", "metadata": {}}]}, 1),
    "clip without id": ({"data": [{"audio_url": URL}]}, 1),
    "clip is null": ({"data": [None, clip(1)]}, 1),
    "row that looks like a clip": ({"clip_id": "c9", "data": "x"}, 0),
}


@pytest.mark.parametrize("status", ["SUCCESS", "FAILURE", "IN_PROGRESS"])
@pytest.mark.parametrize(("fields", "songs"), ODD.values(), ids=ODD)
def test_a_stock_status_survives_an_odd_row(fields, songs, status):
    """Whatever a row looks like, its id and its stock status are those of its task, and its songs are found."""
    for look in (
        read_one(answer(env(row(status=status, **fields))), "t1"),
        looks_in(answer(env([row(status=status, **fields)])))[0],
    ):
        task = look.task()
        assert (look.task_id, look.status, task.task_id, task.status) == ("t1", status, "t1", status)
        assert task.status_text == status
        assert len(task.songs) == songs
        assert task.raw["task_id"] == "t1"


def deep(depth: int) -> str:
    return "[" * depth + "]" * depth


def below(spare: int, call):
    """What ``call`` gives where the stack has room for only so many frames more."""

    def down(frames):
        return call() if frames <= 0 else down(frames - 1)

    return down(sys.getrecursionlimit() - len(inspect.stack(0)) - spare)


@pytest.mark.parametrize("depth", [300, 900, 940, 960, 980, 1000, 5000])
def test_a_row_too_deep_to_read_is_a_look_or_trouble(depth):
    """Nesting near the interpreter's limit never makes a look raise, however deep the stack when its task is read."""
    text = f'{{"task_id":"t1","status":"SUCCESS","data":{deep(depth)}}}'
    one = read_one(answer(f'{{"code":"success","data":{text}}}'), "t1")
    many = looks_in(answer(f'{{"code":"success","data":[{text}]}}'))
    for look in [one, *many] if isinstance(many, list) else [one, many]:
        assert isinstance(look, Look) == (depth < 900) or depth in {900, 940, 960, 980}
        if isinstance(look, Look):
            for ask in (look.task, lambda look=look: look.kept().task()):
                task = below(120, ask)
                assert (task.task_id, task.status) == ("t1", Status.SUCCESS)
                assert task.payload in {text.encode(), b"null"}


def test_a_row_that_cannot_be_read_is_nobodys():
    """A row too deep and too damaged to be read leaves its neighbours alone."""
    body = raw(f'{{"code":"success","data":[{json.dumps(row())},{{"task_id":"t2","x":"?","data":{deep(600)}}}]}}')
    body = body.replace(b"?", b"\xff")
    assert [(look.task_id, look.status) for look in looks_in(answer(body))] == [("t1", "SUCCESS"), ("", "UNKNOWN")]


# many tasks


def test_a_batch_is_indexed_by_whoever_asked():
    """Looks come in the gateway's order, odd rows among them, and rows that are no task are nobody's."""
    rows = [
        row("b"),
        {"taskId": "a", "status": "processing", "data": []},
        row("c", data=None),
        None,
        5,
        {"foo": 1},
        [],
        row("d", status="FAILURE"),
    ]
    found = looks_in(answer(env(rows)))
    assert [(look.task_id, look.status) for look in found if look.task_id] == [
        ("b", "SUCCESS"),
        ("a", "IN_PROGRESS"),
        ("c", "SUCCESS"),
        ("d", "FAILURE"),
    ]
    assert all(look.status is Status.UNKNOWN for look in found if not look.task_id)


ZEROS = {"task_id": "", "status": "", "progress": "", "submit_time": 0, "data": None}
PLACES = [
    {},
    [None, None],
    [{}, {}],
    [[], None],
    [ZEROS, ZEROS],
    {"t1": None, "t2": None},
    {"t1": {}, "t2": ZEROS},
    ZEROS,
]
NONE_KNOWN = [
    env(None),
    env([]),
    {"code": 200, "data": None},
    {"data": []},
    *(env(places) for places in PLACES),
    *({"code": 200, "data": places} for places in PLACES),
]


@pytest.mark.parametrize("body", NONE_KNOWN, ids=lambda body: ascii(body)[:60])
def test_no_known_id_is_an_empty_batch(body):
    """``data`` null or empty, or a place for each id with nothing in it: the gateway knows none of the ids."""
    assert looks_in(answer(body)) == []


@pytest.mark.parametrize("code", ["success", 200])
def test_a_place_with_nothing_in_it_is_no_row(code):
    """It hides no other row, and what says something without a name is nobody's as ever."""
    body = {"code": code, "data": [None, row("a"), {}, ZEROS, row("b")]}
    assert [look.task_id for look in looks_in(answer(body)) if look.task_id] == ["a", "b"]
    assert [look.task_id for look in looks_in(answer(env([None, ZEROS | {"progress": "5%"}, {}])))] == [""]
    assert [look.task_id for look in looks_in(answer(env([{"task_id": "", "data": [clip()]}, None])))] == [""]


@pytest.mark.parametrize("told", ["", 0, False, "x", {"total": 0, "tasks": 5}, [0, 1]], ids=ascii)
def test_only_an_empty_place_says_that_an_id_is_unknown(told):
    """Whatever else stands where the tasks should be is no word about any of them."""
    assert isinstance(looks_in(answer({"code": 200, "data": told})), Trouble)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"code": "success"}, Kind.NO_NEWS),
        ({"code": "oops", "data": None}, Kind.OUTAGE),
        ({"code": "oops", "data": [row()]}, Kind.OUTAGE),
        ({"error": {"message": "x"}, "data": None}, Kind.OUTAGE),
        (env("x"), Kind.NO_NEWS),
        ("[]", Kind.OUTAGE),
        ("", Kind.NO_NEWS),
        ("<html>", Kind.ELSEWHERE),
        ('{"code":"success","data":[', Kind.OUTAGE),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_a_batch_without_tasks_is_trouble(body, kind):
    """A 200 that neither tells about tasks nor says that there are none is trouble."""
    assert looks_in(answer(body)).kind is kind


def test_an_odd_envelope_is_read_slowly():
    """A batch in a foreign envelope, or the answer to a look at one, gives the same looks."""
    assert [look.task_id for look in looks_in(answer({"code": 200, "data": [row("a"), row("b")]}))] == ["a", "b"]
    assert [look.task_id for look in looks_in(answer(env(row("a"))))] == ["a"]


@pytest.mark.parametrize("rows", [[1] * 30_000, [row(data=None, status="QUEUED")] * 20_001, [row()] * 3 + [1] * 19_998])
def test_an_answer_of_far_too_many_rows_is_trouble(rows):
    """More rows than anybody asks for are not read at all."""
    found = looks_in(answer(env(rows)))
    assert found.kind is Kind.OUTAGE
    assert str(found.error) == f"the gateway's answer tells of {len(rows):,} tasks"
    assert found.error.status == 200
    assert found.error.excerpt.startswith('{"code": "success"')


def test_how_many_rows_are_too_many_can_be_said():
    """As many as were asked for are read, one more is trouble."""
    body = env([row("a"), row("b")])
    assert len(looks_in(answer(body), most=2)) == 2
    assert looks_in(answer(body), 1).kind is Kind.OUTAGE
    assert isinstance(looks_in(answer(body | {"data": [row("a"), 5]}), 1), Trouble)
    assert len(looks_in(answer(body | {"data": [row("a"), 5]}), 2)) == 2


@pytest.mark.parametrize("damage", [[], [None]], ids=["stock", "with a damaged row"])
def test_odd_rows_are_read_up_to_a_thousand(damage):
    """Rows that need the slow path are read until there were too many; stock rows behind them are read still."""
    odd = [row(f"o{number}", "processing", data=None) for number in range(1200)]
    found = looks_in(answer(env([*damage, *odd, row("b", "FAILURE")])))
    told = {look.task_id: look.status for look in found if look.task_id}
    assert told.pop("b") is Status.FAILURE
    assert len(told) == 1000 - len(damage)
    assert {look.task_id for look in found} == {"b", "", *told}


@pytest.mark.parametrize(("held", "is_blank"), [([], True), (None, True), ("", True), ([0], False), ({"a": 0}, False)])
def test_a_place_with_anything_in_it_is_no_blank(held, is_blank):
    """A place for a task in which no field says anything is passed over; one that cannot be read is somebody's."""
    found = read_many(answer(env([{"task_id": None, "data": held}])))
    assert list(found) == ([] if is_blank else [""])


@pytest.mark.parametrize("code", ["success", 200])
@pytest.mark.parametrize("status", ["processing", "QUEUED"])
@pytest.mark.parametrize(("asked", "told"), [(5, 1000), (1499, 1499), (1500, 1500), (1501, 1500)])
def test_as_many_odd_rows_are_read_as_were_asked_for(code, status, asked, told):
    """Who asks for more than a thousand is told of all of them, whatever their rows or the envelope look like."""
    body = answer({"code": code, "data": [row(f"o{number}", status, data=None) for number in range(1500)]})
    if (code, status) == ("success", "QUEUED"):
        told = 1500
    assert len([task_id for task_id in read_many(body, asked=asked) if task_id]) == told


UNREAD = {
    "no items": {"code": 200, "data": {"taskBatchId": "t", "items": []}},
    "items running": {"code": 200, "data": {"items": [{"id": "1", "status": 20}]}},
    "no clips": {"clips": []},
    "no map": {"clips": {}},
    "text": "[]",
    "null text": "null",
    "null in a list": [None],
    "list in a list": [[clip()]],
    "no address": [{"id": "c", "title": "x", "status": "complete"}],
    "one of two": [{"id": "c", "status": "streaming"}, clip()],
    "no words": {"id": "l", "text": "", "status": "complete"},
    "None": [clip(audio_url="None")],
}


@pytest.mark.parametrize("data", UNREAD.values(), ids=UNREAD)
def test_a_success_with_nothing_to_read_is_not_over(data):
    """SUCCESS whose payload is empty, unread or still under way is looked at again."""
    look = read_one(answer(env(row(data=data))), "t1")
    assert look.status is Status.SUCCESS
    assert isinstance(Life(task_id="t1", born=0.0).observe(look, 0.0), Again)


TWICE = [
    (["QUEUED", "SUCCESS"], "SUCCESS"),
    (["SUCCESS", "QUEUED"], "SUCCESS"),
    (["QUEUED", "IN_PROGRESS"], "IN_PROGRESS"),
    (["FAILURE", "QUEUED", "IN_PROGRESS"], "FAILURE"),
    (["processing", "complete", "processing"], "SUCCESS"),
    (["SUCCESS", "FAILURE", "QUEUED"], "SUCCESS"),
]


@pytest.mark.parametrize(("statuses", "kept"), TWICE, ids=[str(row[0]) for row in TWICE])
def test_a_task_that_comes_twice_is_the_one_further_along(statuses, kept):
    """One look is left for each id: a final one, else the last."""
    found = looks_in(answer(env([row("a", status=status) for status in statuses] + [row("b")])))
    assert {look.task_id: look.status for look in found} == {"a": kept, "b": "SUCCESS"}
    assert len(found) == 2


BARE = row("a", data=None)
ENDS = {
    "a song, and none": ([row("a"), BARE], 2),
    "none, and a song": ([BARE, row("a")], 2),
    "a song, and an empty list": ([row("a"), row("a", data=[])], 2),
    "one song of two, both, one again": ([row("a", data=[clip()]), row("a"), row("a", data=[clip(2)])], 2),
    "two addresses, and one": ([row("a"), row("a", data=[clip(), clip(2, audio_url="")])], 2),
    "a song, and a failure": ([row("a"), row("a", status="FAILURE", data=None)], 2),
    "a failure, a song, and none": ([row("a", status="FAILURE"), row("a"), BARE], 2),
    "a song, and what goes on": ([row("a"), row("a", status="QUEUED")], 2),
    "odd rows": ([row("a", status="complete"), row("a", status="complete", data=[])], 2),
}


@pytest.mark.parametrize(("rows", "songs"), ENDS.values(), ids=ENDS)
def test_of_two_ends_the_one_with_the_songs_counts(rows, songs):
    """A task that comes twice is told with what was made, wherever that stands."""
    (look,) = [look for look in looks_in(answer(env([*rows, row("b")]))) if look.task_id == "a"]
    assert look.status is Status.SUCCESS
    assert len(look.task().songs) == songs
    assert all(song.audio_url for song in look.task().songs)


def test_of_two_that_are_as_far_the_last_one_counts():
    """Also where what is less far comes behind both."""
    rows = [row("a", data=[clip(number), clip()]) for number in (1, 2)]
    for behind in ([], [row("a", status="QUEUED")]):
        (look,) = looks_in(answer(env([*rows, *behind])))
        assert look.task().songs[0].id == clip(2)["id"]


@pytest.mark.parametrize(("twice", "songs"), [(100, 2), (101, 0)])
def test_of_many_rows_about_one_id_none_is_read_whole(twice, songs):
    """A hundred that come twice are compared by what is in them; of more only the status counts, and the last one."""
    rows = [row("a"), row("a", status="FAILURE"), *[BARE] * (twice - 1)]
    (look,) = looks_in(answer(env(rows)))
    assert look.status is Status.SUCCESS
    assert len(look.task().songs) == songs


@pytest.mark.parametrize(("statuses", "kept"), TWICE, ids=[str(row[0]) for row in TWICE])
def test_of_many_that_come_twice_each_is_the_one_further_along(statuses, kept):
    """Also where there are too many of them to look into each."""
    names = [f"a{number}" for number in range(150)]
    found = looks_in(answer(env([row(name, status=status) for status in statuses for name in names])))
    assert {look.task_id: look.status for look in found} == dict.fromkeys(names, kept)


@pytest.mark.parametrize("made", [{"text": "la", "title": "x", "id": "l"}, {"persona_id": "p"}], ids=ascii)
def test_of_two_ends_the_one_with_anything_made_counts(made):
    """Words, or what is no song, count as songs do."""
    rows = [row("a", action="", data=made), row("a", action="", data=[]), row("a", action="", status="FAILURE")]
    (look,) = looks_in(answer(env(rows)))
    assert look.task().raw["data"] == made


def test_of_two_ends_without_anything_the_last_one_counts():
    """SUCCESS with nothing in it is no more than FAILURE."""
    empty, failed = row("a", data=[]), row("a", status="FAILURE", data=None)
    for rows in ([empty, failed], [failed, empty]):
        (look,) = looks_in(answer(env(rows)))
        assert look.status.value == rows[-1]["status"]


# damage


def damaged(old, new):
    body = raw(env(row(data=[clip(1), clip(2)])))
    assert old in body
    return body.replace(old, new, 1)


WHOLE = raw(env(row()))
DAMAGE = {
    "byte order mark": b"\xef\xbb\xbf" + WHOLE,
    "blanks around": b" \r\n" + WHOLE + b"\n\n",
    "NaN in a field we skip": damaged(b'"progress"', b'"x": NaN, "progress"'),
    "infinity in a field we skip": damaged(b'"progress"', b'"x": -Infinity, "progress"'),
    "NaN as a duration of the other clip": WHOLE[::-1].replace(b"120.5"[::-1], b"NaN"[::-1], 1)[::-1],
    "1e999 in a field we skip": damaged(b'"progress"', b'"x": 1e999, "progress"'),
    "bad UTF-8 in the message": damaged(b'"message": ""', b'"message": "\xff\xfe"'),
    "bad UTF-8 in a field we skip": damaged(b'"progress"', b'"x": "\xc3(", "progress"'),
    "bad UTF-8 in the action": damaged(b'"MUSIC"', b'"MUSIC\xff"'),
    "lone surrogate": damaged(b'"progress"', b'"x": "\\ud800", "progress"'),
    "lone surrogate in a reason": damaged(b'"fail_reason": ""', b'"fail_reason": "\\udc00"'),
    "control character": damaged(b'"message": ""', b'"message": "a\x01\nb"'),
    "control character in a row": damaged(b'"progress"', b'"x": "a\x01b", "progress"'),
    "second document": WHOLE + b'{"code":"insert_task_failed","message":"x","data":null}',
    "text behind": WHOLE + b"<!-- cached -->",
    "huge int": damaged(b"1716192124", b"9" * 4000),
    "endless int": damaged(b"1716192124", b"9" * 5000),
    "2**64": damaged(b"1716192124", b"18446744073709551616"),
    "negative time": damaged(b"1716192124", b"-5"),
    "time as text": damaged(b"1716192124", b'"soon"'),
    "time as a list": damaged(b"1716192124", b"[]"),
    "progress as a number": damaged(b'"100%"', b"100"),
    "progress null": damaged(b'"100%"', b"null"),
    "progress as an object": damaged(b'"100%"', b"{}"),
    "reason null": damaged(b'"fail_reason": ""', b'"fail_reason": null'),
    "reason as a list": damaged(b'"fail_reason": ""', b'"fail_reason": []'),
    "action null": damaged(b'"MUSIC"', b"null"),
    "action as a number": damaged(b'"MUSIC"', b"7"),
    "code as a number": damaged(b'"success"', b"200"),
    "code null": damaged(b'"success"', b"null"),
    "code in capitals": damaged(b'"success"', b'"SUCCESS"'),
    "message null": damaged(b'"message": ""', b'"message": null'),
    "status in small letters": damaged(b'"SUCCESS"', b'"success"'),
    "title as a number": damaged(b'"title": "Cat"', b'"title": 5'),
    "title null": damaged(b'"title": "Cat"', b'"title": null'),
    "video_url as an object": damaged(b'"video_url": ""', b'"video_url": {}'),
    "status of a clip as a number": damaged(b'"complete"', b"30"),
    "model as a list": damaged(b'"chirp-v4"', b"[]"),
    "tags as a list": damaged(b'"tags": "pop"', b'"tags": ["pop"]'),
    "duration as text": damaged(b"120.5", b'"120.5"'),
    "duration as an object": damaged(b"120.5", b"{}"),
    "prompt null": damaged(b'"prompt": "la"', b'"prompt": null'),
    "metadata as text": damaged(b'"metadata": {', b'"metadata": "x", "meta": {'),
    "row in a list": raw(env([row()])),
    "row twice": raw(env([row(), row()])),
    "row in a string": raw(env(json.dumps(row()))),
}


@pytest.mark.parametrize("body", DAMAGE.values(), ids=DAMAGE)
def test_one_bad_byte_costs_no_song(body):
    """A damaged SUCCESS is the same task with the same two songs, asked for alone or with others."""
    many = looks_in(answer(body.replace(b'"data": {', b'"data": [{', 1).replace(b"}]}}", b"}]}]}", 1)))
    assert isinstance(many, list)
    for look in (read_one(answer(body), "t1"), *many):
        task = look.task()
        assert (look.task_id, task.task_id, task.status) == ("t1", "t1", Status.SUCCESS)
        assert [(song.id, song.audio_url) for song in task.songs] == [("c1", URL), ("c2", URL)]


def test_a_bad_row_costs_its_neighbours_nothing():
    """Bad UTF-8 in one row of a batch leaves all of them readable."""
    body = raw(env([row("a"), row("b", action="\u2026"), row("c")])).replace(b"\\u2026", b"\xff")
    assert [look.task_id for look in looks_in(answer(body)) if look.task().songs] == ["a", "b", "c"]


# fast and slow agree


TEXT = st.text(max_size=8)
CLIPS = st.fixed_dictionaries(
    {"id": TEXT, "audio_url": st.sampled_from(["", URL, "https://x/None.mp3"])},
    optional={
        "title": TEXT | st.none(),
        "video_url": TEXT | st.none(),
        "image_url": TEXT | st.none(),
        "image_large_url": TEXT | st.none(),
        "status": st.sampled_from(["complete", "error", "streaming", "", None]),
        "state": st.sampled_from(["succeeded", None]),
        "model_name": TEXT | st.none(),
        "mv": TEXT | st.none(),
        "tags": TEXT | st.none(),
        "prompt": TEXT | st.none(),
        "duration": st.none() | st.floats(0, 1e4) | st.integers(0, 999),
        "error_message": TEXT | st.none(),
        "created_at": st.sampled_from(["2025-08-07T03:38:38.253Z", "", "x", None]),
        "metadata": st.none()
        | st.fixed_dictionaries(
            {},
            optional={
                "tags": TEXT | st.none(),
                "prompt": TEXT | st.none(),
                "duration": st.none() | st.floats(0, 1e4) | st.integers(0, 999),
                "error_type": TEXT | st.none(),
                "error_message": TEXT | st.none(),
            },
        ),
    },
)
LYRICS = st.fixed_dictionaries(
    {"text": TEXT}, optional={name: TEXT | st.none() for name in ("id", "title", "tags", "status")}
)
ROWS = st.fixed_dictionaries(
    {
        "task_id": st.from_regex(r"[a-z0-9_]{1,20}", fullmatch=True),
        "status": st.sampled_from([status.value for status in Status]),
        "fail_reason": TEXT,
        "progress": st.sampled_from(["0%", "100%", "45%", ""]),
        "submit_time": st.integers(0, 2 * 10**9) | st.integers(10**12, 2 * 10**12),
        "start_time": st.integers(0, 2 * 10**9),
        "finish_time": st.integers(0, 2 * 10**9),
        "data": st.none() | st.lists(CLIPS, max_size=3) | LYRICS,
    },
    optional={"action": st.sampled_from(["", "MUSIC", "lyrics"]), "quota": st.integers(0, 10**9) | st.none()},
)


@QUICK
@given(ROWS)
def test_the_fast_path_and_the_slow_path_agree(stock):
    """A well-formed stock row is the same task on both paths, but for the spelling of its payload."""
    body = raw(env(stock))
    look = read_both(answer(body), stock["task_id"])
    (slow,) = read_tasks(read_json(body))
    plain = msgspec.structs.replace(slow, payload=look.task().payload)
    assert look.task() == plain
    assert look.task().raw == slow.raw
    assert (
        look.frozen == (bool(slow.fail_reason) and stock["progress"] == "100%" and not slow.done)
        or stock["status"] == "FAILURE"
    )
    (other,) = looks_in(answer(env([stock])))
    assert (other.task(), other.mark, other.status) == (look.task(), look.mark, look.status)


# fuzz


def assert_no_surprise(body, status=200, *, fresh=False):
    """Reading raises nothing, and speaks of no other id."""
    found = read_both(Answer(status, {}, body, fresh), "t1")
    if isinstance(found, Look):
        assert found.task_id == "t1"
        assert found.task().task_id == "t1"
        assert found.task().status is found.status
        assert found.kept().task() == found.task()
    else:
        assert isinstance(found, Trouble)
    many = looks_in(Answer(status, {}, body, fresh))
    if not isinstance(many, Trouble):
        assert len({look.task_id for look in many}) == len(many)
        assert all(look.task().task_id == look.task_id for look in many)
    return found


SEEDS = [
    WHOLE,
    raw(env([row(), row("t2", status="FAILURE")])),
    raw(env(row(data={"id": "l", "text": "la", "title": "Cat"}))),
    raw(
        {
            "code": 200,
            "data": {"taskId": "t1", "response": {"sunoData": [{"id": "c", "audioUrl": URL}]}, "status": "SUCCESS"},
        }
    ),
]


@st.composite
def mutated(draw):
    body = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(body) - 1))
        how = draw(st.sampled_from(["flip", "delete", "insert", "cut"]))
        if how == "flip":
            body[place] ^= draw(st.integers(1, 255))
        elif how == "delete":
            del body[place : place + draw(st.integers(1, 12))]
        elif how == "insert":
            body[place:place] = draw(
                st.binary(min_size=1, max_size=4) | st.sampled_from([b"NaN", b"\xff", b'"', b"{", b"null", b"\\ud800"])
            )
        else:
            del body[place:]
        body = body or bytearray(b"{")
    return bytes(body)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(mutated(), st.booleans())
def test_no_mutation_is_read_as_a_surprise(body, fresh):
    """No flipped, lost or added byte makes a reader raise, or read another task as this one."""
    assert_no_surprise(body, fresh=fresh)


@QUICK
@given(mutated())
def test_a_mutation_never_ends_a_task_that_has_succeeded(body):
    """A damaged SUCCESS is a success, something to look at again, or foreign: never a FAILURE out of nothing."""
    found = assert_no_surprise(body)
    if isinstance(found, Look) and found.status is Status.FAILURE:
        assert b"FAIL" in body.upper() or b"ERROR" in body.upper() or b"SUCCESS" not in body
    if isinstance(found, Trouble):
        assert found.kind in {Kind.OUTAGE, Kind.NO_NEWS, Kind.FOREIGN, Kind.NAMELESS, Kind.ELSEWHERE}


NAMES = [
    "code",
    "data",
    "task_id",
    "taskId",
    "status",
    "clips",
    "id",
    "audio_url",
    "text",
    "error",
    "success",
    "message",
    "fail_reason",
    "progress",
    "clip_id",
]
ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["t1", "t2", "success", "SUCCESS", "FAILURE", "QUEUED", "100%", "", "[]", "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6),
    max_leaves=16,
)
STATUSES = st.sampled_from([200, 204, 302, 400, 401, 404, 429, 500, 503])


@QUICK
@given(ANY, STATUSES, st.booleans())
def test_no_json_is_a_surprise(document, status, fresh):
    """No JSON document makes a reader raise."""
    assert_no_surprise(raw(document), status, fresh=fresh)
    assert_no_surprise(raw(env(document)), status, fresh=fresh)
    assert_no_surprise(raw(env({"task_id": "t1", "status": "SUCCESS", "data": document})), status, fresh=fresh)


@QUICK
@given(st.dictionaries(st.sampled_from(NAMES), ANY, max_size=6), st.sampled_from([status.value for status in Status]))
def test_no_fields_beside_a_stock_status_are_a_surprise(fields, status):
    """A row with this id and a stock status is a look with that status, whatever else is in it."""
    found = assert_no_surprise(raw(env({**fields, "task_id": "t1", "status": status})))
    if isinstance(found, Look):
        assert found.status is Status(status)


@QUICK
@given(st.binary(max_size=60), STATUSES, st.booleans())
def test_no_bytes_are_a_surprise(body, status, fresh):
    """No bytes make a reader raise."""
    assert_no_surprise(body, status, fresh=fresh)


def test_the_times_of_a_row_are_read_from_wherever_it_is():
    """Looks at one, at many, kept ones and those of the slow path all tell when the gateway touched their rows."""
    told = row(start_time=1716192130, finish_time=1716192200, updated_at=1716192211)
    expected = (1716192124, 1716192130, 1716192200, 1716192211)
    looks = [read_one(answer(env(told)), "t1"), *looks_in(answer(env([row("t0"), told])))[1:]]
    # what is kept holds another source from then on: all are asked before
    for times in [*[found.times() for found in looks], *[found.kept().times() for found in looks]]:
        assert (times.submit_time, times.start_time, times.finish_time, times.updated_at) == expected
    odd = read_one(answer(env({**told, "status": "succeeded"})), "t1").times()
    assert [odd.submit_time.timestamp(), odd.start_time.timestamp(), odd.finish_time.timestamp()] == [*expected[:3]]
    assert odd.updated_at is None


def test_what_is_kept_of_an_answer_does_not_pin_it():
    """Who does not say that the answer is remembered gets looks that hold their own row only, once they are kept."""
    told = read_many(answer({"code": "success", "data": [{"task_id": name, "status": "QUEUED"} for name in "ab"]}))
    assert isinstance(told["b"].kept().source, bytes)


def test_a_row_that_holds_several_tasks_is_the_first_of_them():
    """Of a list in the place of a row the first task counts, when it is looked at and when it is read."""
    first, second = ({"task_id": name, "status": "QUEUED", "action": name.upper(), "data": []} for name in "ab")
    assert list(read_many(answer({"code": "success", "data": [[first, second]]}))) == ["a"]
    payload = json.dumps([first, second]).encode()
    assert Look("t", Status.QUEUED, 1, frozen=False, action="", source=payload).task().action == "A"
