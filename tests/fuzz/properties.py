"""The properties: what must hold of every answer, however damaged. Each raises AssertionError where it does not."""

import re
from collections.abc import Iterable

from corpus import WHOLE, Accepted, Part, Told, things
from mutations import BEHIND, Damaged

from suno_async.protocol.errors import GatewayUnavailable, RequestRejected, SubmitUnknown, SunoError
from suno_async.protocol.exchange import Answer
from suno_async.protocol.inputs import is_task_id
from suno_async.protocol.life import Again, Life, Settled
from suno_async.protocol.look import Look
from suno_async.protocol.models import Status, Task
from suno_async.protocol.outcome import judge, unanswered
from suno_async.protocol.refusals import Kind, Trouble, settle_elsewhere, trouble_of
from suno_async.protocol.wire import read_many, read_one, read_task

_RETRIED = {Kind.OUTAGE, Kind.NO_NEWS, Kind.FOREIGN, Kind.NAMELESS}
"""What the poller asks again after, for as long as anybody waits (`Poller._retry`). The others count towards an end:
MISSING is the life's, KEY stops all waits when it comes twice, LIMITED and REJECTED are words of the gateway's own."""
_PAGE = re.compile(rb"[\xef\xbb\xbf\s]*<[!?/A-Za-z]").match


def read(answer: Answer, task_id: str) -> Look | Trouble:
    """The look at one task: both readers say the same, about this id and no other."""
    found, whole = read_one(answer, task_id), read_task(answer, task_id)
    if isinstance(found, Trouble):
        assert isinstance(whole, Trouble)
        assert (whole.kind, str(whole.error)) == (found.kind, str(found.error))
        check_trouble(found)
        return found
    assert found.task_id == task_id
    assert found.task() == whole
    check_look(found)
    return found


def check_look(look: Look) -> None:
    """A look is of one task, also when it is kept; and the task can be shown, hashed and written down."""
    task = look.task()
    assert (task.task_id, task.status) == (look.task_id, look.status)
    kept = look.kept()
    assert (kept.task(), kept.mark, kept.frozen) == (task, look.mark, look.frozen)
    assert task.raw is None or isinstance(task.payload, bytes)
    assert task.progress is None or 0 <= task.progress <= 100
    assert repr(task).startswith("Task(")
    hash(task)


def check_trouble(trouble: Trouble) -> None:
    """Trouble is a value: an error of ours that fits to be shown."""
    assert isinstance(trouble.error, SunoError)
    assert len(str(trouble.error)) < 1000
    assert trouble.retry_after is None or 0 <= trouble.retry_after <= 300


def check_retried(trouble: Trouble, body: bytes) -> None:
    """Trouble that ends no wait. Only a page may be taken for the wrong address, and not from a known gateway."""
    assert trouble.kind in _RETRIED or (trouble.kind is Kind.ELSEWHERE and _PAGE(body)), trouble
    assert settle_elsewhere(trouble, readable=True).kind in _RETRIED


def _fits(thing: dict[str, str], original: dict[str, str], number: int, hurt: Iterable[Part]) -> bool:
    """True if each field is the original's, or empty, or was touched."""
    if thing.keys() != original.keys():
        return (number, WHOLE) in hurt
    return all(thing[name] in {"", original[name]} or (number, name) in hurt for name in original)


def check_songs(told: Told, task: Task, hurt: Iterable[Part]) -> None:
    """Every song is one of this task's, field by field, but for fields whose own bytes were touched."""
    originals = told.things(task.task_id)
    for thing in things(task):
        assert any(_fits(thing, original, number, hurt) for number, original in originals.items()), thing


def check_end(told: Told, task: Task, hurt: Iterable[Part]) -> None:
    """The end of a wait is SUCCESS with every song, but for songs that were touched themselves."""
    assert task.succeeded
    check_songs(told, task, hurt)
    made = things(task)
    # where a gateway does not say what it makes, anything may be it (a persona, a wav)
    assert made or task.action not in {"MUSIC", "LYRICS"}
    for number, original in told.things(task.task_id).items():
        lost = not any(_fits(thing, original, number, hurt) for thing in made)
        assert not lost or (number, WHOLE) in hurt, original


def check_damaged(told: Told, damaged: Damaged, *, fresh: bool) -> Look | Trouble:
    """A damaged SUCCESS is the same songs, or another look: no failure, no refusal, no other song."""
    found = read(Answer(200, {}, damaged.body, fresh), told.task_id)
    if isinstance(found, Trouble):
        check_retried(found, damaged.body)
        return found
    check_seen(told, found, damaged)
    return found


def check_seen(told: Told, look: Look, damaged: Damaged) -> None:
    """What is seen of a task that has succeeded ends its wait well, or does not end it."""
    assert look.status is not Status.FAILURE
    check_songs(told, look.task(), damaged.hurt)
    verdict = Life(task_id=look.task_id, born=0.0, keeps=True).observe(look, 0.0)
    if isinstance(verdict, Settled):
        check_end(told, verdict.task, damaged.hurt)
    else:
        assert isinstance(verdict, Again)


def check_damaged_batch(told: Told, damaged: Damaged) -> None:
    """In a damaged batch each finished task is itself, or is not seen this time; no id is there twice."""
    found = read_many(Answer(200, {}, damaged.body))
    if isinstance(found, Trouble):
        check_trouble(found)
        check_retried(found, damaged.body)
        return
    for task_id, look in found.items():
        assert look.task_id == task_id
        check_look(look)
        if look.task_id in told.tasks:
            check_seen(told, look, damaged)


def check_any(status: int, body: bytes, *, fresh: bool, headers: dict[str, str] | None = None) -> None:
    """No bytes make a reader fail, and only a 2xx tells of tasks."""
    answer = Answer(status, headers or {}, body, fresh)
    found = read(answer, "t1")
    many = read_many(answer)
    check_trouble(trouble_of(answer, "t1"))
    if isinstance(many, Trouble):
        check_trouble(many)
    else:
        for task_id, look in many.items():
            assert look.task_id == task_id
            check_look(look)
    assert 200 <= status < 300 or (isinstance(found, Trouble) and isinstance(many, Trouble))


SENT = b'{"gpt_description_prompt":"cat"}'


def judged(status: int, body: bytes) -> list[str | SunoError]:
    """What a submission with this answer came to: if it is the whole answer, and if it broke off there."""
    whole = judge(Answer(status, {}, body), action="music", body=SENT)
    broken = unanswered("reset", sent=True, action="music", body=SENT, received=body, status=status)
    assert isinstance(whole, str | RequestRejected | GatewayUnavailable | SubmitUnknown)
    assert isinstance(broken, str | SubmitUnknown)
    for found in (whole, broken):
        assert not isinstance(found, str) or (is_task_id(found) and 200 <= status < 300)
    return [whole, broken]


def check_accepted(accepted: Accepted, damaged: Damaged) -> list[str | SunoError]:
    """A damaged acceptance is its id, or nobody knows: never "not charged", and never another id.

    An id cannot be verified, so damage inside it may read as another one. Of an answer in which neither the code nor
    the words nor the id is what it was, nothing is left that was accepted; and of one with a refusal behind it, a
    damaged refusal may be left.
    """
    found = judged(200, damaged.body)
    left = {part for part in accepted.told.parts.values() if part not in damaged.hurt}
    for outcome in found:
        if isinstance(outcome, str):
            assert outcome == accepted.task_id or (0, "id") in damaged.hurt, outcome
        else:
            assert type(outcome) is SubmitUnknown or not left or (0, BEHIND) in damaged.hurt, repr(outcome)
    return found


def check_refused(status: int, damaged: Damaged) -> None:
    """A damaged refusal names no accepted task, not even under a status that is a yes, unless an id was written in."""
    for known in (status, 200) if (0, "id") not in damaged.hurt else (status,):
        assert not any(isinstance(outcome, str) for outcome in judged(known, damaged.body))


def check_any_outcome(status: int, body: bytes) -> None:
    """Any bytes under any status have an outcome; where no status came, it is what it would be for a yes."""
    _, broken = judged(status, body)
    unseen = unanswered("reset", sent=True, action="music", body=SENT, received=body)
    yes = unanswered("reset", sent=True, action="music", body=SENT, received=body, status=200)
    assert (type(unseen), str(unseen)) == (type(yes), str(yes))
    assert not isinstance(broken, str) or broken == unseen
