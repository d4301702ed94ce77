"""What was charged and paid back."""

import json

from suno_async.testing.gateway.eras import ERAS
from suno_async.testing.gateway.keys import Keys
from suno_async.testing.gateway.ledger import Ledger, Origin

ORIGIN = Origin("/suno/submit/music", "20260612abc")


def book(era, when=100.0, *, listed=True):
    """A ledger in which one song was charged, and the key that paid."""
    ledger, key = Ledger(ERAS[era]), Keys(ERAS[era], 0).add(None, (), 1)
    ledger.charge(key, "MUSIC", 50_000, ORIGIN, when, listed=listed)
    return ledger, key


def test_a_charge_of_2026_reads_as_the_software_writes_it():
    """The row, name by name, as an answer of the running software had it; only names and numbers are ours."""
    ledger, key = book("2026")
    observed = (
        '{"id":1,"user_id":1,"created_at":100,"type":2,"content":"操作 MUSIC","username":"user1","token_name":"key1",'
        '"model_name":"suno_music","quota":50000,"prompt_tokens":0,"completion_tokens":0,"use_time":0,'
        '"is_stream":false,"channel":1,"channel_name":"","token_id":1,"group":"default","ip":"",'
        '"request_id":"20260612abc","other":"{\\"group_ratio\\":1,\\"is_task\\":true,\\"model_price\\":0.1,'
        '\\"request_path\\":\\"/suno/submit/music\\"}"}'
    )
    assert list(ledger.rows(key, 100.0)[0].items()) == list(json.loads(observed).items())


def test_a_charge_of_2025_reads_as_the_software_writes_it():
    """No request id, no address; what was done stands in the content with its price."""
    ledger, key = book("2025")
    observed = (
        '{"id":1,"user_id":1,"created_at":100,"type":2,"content":"模型固定价格 0.10，分组倍率 1.00，操作 MUSIC",'
        '"username":"user1","token_name":"key1","model_name":"suno_music","quota":50000,"prompt_tokens":0,'
        '"completion_tokens":0,"use_time":0,"is_stream":false,"channel":1,"channel_name":"","token_id":1,'
        '"group":"default","other":"{\\"group_ratio\\":1,\\"model_price\\":0.1}"}'
    )
    assert list(ledger.rows(key, 100.0)[0].items()) == list(json.loads(observed).items())


def test_a_refund_names_its_task_and_its_reason():
    """Type 6, a quota above zero, no content, no request id; only ``other`` tells which task it was."""
    ledger, key = book("2026")
    ledger.pay_back(key, "MUSIC", 50_000, "task_x", "time out", 120.0)
    newest = ledger.rows(key, 120.0)[0]
    assert (newest["type"], newest["quota"], newest["content"], newest["model_name"]) == (6, 50_000, "", "suno_music")
    assert "request_id" not in newest
    assert newest["other"] == '{"group_ratio":1,"model_price":0.1,"reason":"time out","task_id":"task_x"}'
    assert ledger.used(key, 120.0) == 0


def test_the_log_of_2026_ends_after_a_thousand_rows():
    """The newest thousand, newest first; an id is no more than the place."""
    ledger, key = book("2026")
    for second in range(101, 1105):
        ledger.charge(key, "LYRICS", 5_000, ORIGIN, float(second), listed=True)
    rows = ledger.rows(key, 2000.0)
    assert [row["id"] for row in rows] == list(range(1, 1001))
    assert [row["created_at"] for row in rows] == list(range(1104, 104, -1))


def test_the_log_of_2025_has_no_end():
    """All rows, oldest first; an id is the row's number modulo 1,024."""
    ledger, key = book("2025")
    for second in range(101, 1200):
        ledger.charge(key, "LYRICS", 5_000, ORIGIN, float(second), listed=True)
    rows = ledger.rows(key, 2000.0)
    assert [row["created_at"] for row in rows] == list(range(100, 1200))
    assert [row["id"] for row in rows[1022:1025]] == [1023, 0, 1]


def test_keys_have_logs_of_their_own():
    """One key's log does not tell of another's."""
    ledger, key = book("2026")
    other = Keys(ERAS["2026"], 0)
    other.add(None, (), 1)
    assert ledger.rows(other.add(None, (), 1), 100.0) == []
    assert len(ledger.rows(key, 100.0)) == 1


def test_what_lies_ahead_is_not_told_yet():
    """Before the upstream has accepted there is no row; 2026 has taken the price all the same, 2025 has not."""
    for era, early in (("2026", 50_000), ("2025", 0)):
        ledger, key = book(era, when=120.0)
        assert (ledger.rows(key, 119.9), ledger.used(key, 119.9)) == ([], early)
        assert (len(ledger.rows(key, 120.0)), ledger.used(key, 120.0)) == (1, 50_000)


def test_a_charge_that_is_not_listed_is_spent():
    """The log is silent, the quota is gone."""
    ledger, key = book("2026", listed=False)
    assert (ledger.rows(key, 100.0), ledger.used(key, 100.0)) == ([], 50_000)
