"""What has become of the ids of one command."""

from suno_async import Status, Task, TaskFailed, TaskNotFound, WaitTimeout
from suno_async.extras.cli.reports import Changes, JsonLines, Report, Rows


def test_what_is_open():
    """Ids that ended are not open any more; those that run on are."""
    told = []
    report = Report(["a", "b", "c", "d"], Rows())
    report.advance = told.append
    report.change(Task(task_id="a", status=Status.IN_PROGRESS))
    report.change(Task(task_id="a", status=Status.SUCCESS))
    report.error(TaskNotFound(task_ids=("b",)))
    report.error(TaskFailed(task=Task(task_id="c", status=Status.FAILURE)))
    report.error(WaitTimeout())
    assert (list(report.open), report.code, told) == (["d"], 3, [1, 2, 3])


def test_errors_of_one_kind(capsys):
    """Errors of one kind are one line, whatever their number."""
    report = Report(["a", "b"], Changes())
    report.error(TaskNotFound("no a", task_ids=("a",)))
    report.error(TaskNotFound("no b", task_ids=("b",)))
    report.end()
    assert capsys.readouterr() == ("", "suno-async: The gateway does not know this task id. (2 ids, the first is a)\n")


def test_failure_without_a_task(capsys):
    """A failure that brings no task is told as an absence."""
    report = Report(["a"], JsonLines())
    report.error(TaskFailed("it failed", task_ids=("a",)))
    report.end()
    assert report.code == 1
    assert '"error": "unanswered"' in capsys.readouterr().out


def test_empty_table(capsys):
    """Nothing to tell is no table."""
    Report([], Rows()).end()
    assert capsys.readouterr() == ("", "")


def test_ways_to_tell(capsys):
    """A task and an id without one are told at once as objects, at the end as rows, and as a line for a change."""
    task, gone = Task(task_id="a", status=Status.SUCCESS), TaskNotFound("no b", task_ids=("b",))
    for teller in (JsonLines(), Rows(), Changes()):
        report = Report(["a", "b"], teller)
        report.task(task)
        report.error(gone)
        report.end()
    told = capsys.readouterr()
    assert [line.split()[:2] for line in told.out.splitlines()] == [
        ['{"task_id":', '"a",'],
        ['{"task_id":', '"b",'],
        ["task", "status"],
        ["a", "SUCCESS"],
        ["b", "not"],
        ["a", "SUCCESS"],
    ]
    assert told.err == "suno-async: no b\n" * 3
