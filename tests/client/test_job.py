"""The job: an id that can be waited for and watched."""

from suno_async import Job


async def test_a_job_waits_and_watches_by_its_id(gateway, suno):
    """``wait`` gives the task, ``watch`` each of its changes, and its repr names the id alone."""
    task_id = gateway.put()
    job = Job(suno, task_id)
    assert repr(job) == f"Job({task_id!r})"
    assert (await job.wait(timeout=5, until="playable")).task_id == task_id
    assert [task.succeeded async for task in job.watch(timeout=5)] == [True]
