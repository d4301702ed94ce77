"""What the journal's tests write, and how they see what a file holds, what it lacks room for, and who else has it."""

import subprocess
import sys
from pathlib import Path

from suno_async.engine.journal import Store
from suno_async.protocol.intents import Intent, IntentState

GATEWAY, OTHER = "https://gateway.example", "https://other.example"
PARTS = ("", "-wal", ".lock")
FUTURE = 4_000_000_000.0


def intent(number=1, **facts):
    """A submission; its id is its number."""
    defaults = {"gateway": GATEWAY, "action": "music", "body": b'{"prompt":"%d"}' % number, "sent": False}
    return Intent(**(defaults | {"intent_id": f"{number:020d}"} | facts))


def accepted(number=1, **facts):
    """The same, as it was accepted."""
    return intent(number, sent=True, state=IntentState.ACCEPTED, **({"task_id": f"task-{number}"} | facts))


def do(store, name, *arguments, **more):
    """One operation in a commit of its own; raises what it was refused with."""
    (result,) = store.commit([lambda store: getattr(store, name)(*arguments, **more)])
    if isinstance(result, Exception):
        raise result
    return result


def rows(store):
    """Everything it holds, column by column."""
    tables = ("intents", "tasks")
    return [sorted(store._connection.execute(f"SELECT * FROM {table}")) for table in tables]  # noqa: S608


def read(path):
    """Everything a file holds that nobody has open."""
    store = Store(path)
    try:
        return rows(store)
    finally:
        store.close()


def snapshot(path):
    """The bytes of an open journal's files: what its process would leave if it died now."""
    files = [path.with_name(path.name + part) for part in PARTS]
    return {part: file.read_bytes() for part, file in zip(PARTS, files, strict=True) if file.exists()}


def lay(folder, parts, name="j"):
    """These files, and no others, in a folder; gives the path of the journal."""
    folder.mkdir(exist_ok=True)
    wanted = {f"{name}{part}": data for part, data in parts.items()}
    for file in folder.iterdir():
        if wanted.get(file.name) == file.read_bytes():
            del wanted[file.name]
        else:
            # not written over: some file systems wait for the disk then
            file.unlink()
    for there, data in wanted.items():
        (folder / there).write_bytes(data)
    return folder / name


def fill(store):
    """From here on there is no room in the file."""
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages}")


def clear(store):
    """There is room again."""
    store._connection.execute("PRAGMA max_page_count = 1000000000")


def command(script, *arguments):
    """How another Python runs a script of ours."""
    here = Path(__file__).parent
    prelude = f"import sys; sys.path[:0] = [{str(here)!r}, {str(here.parents[2])!r}]\nfrom journals import *\n"
    return [sys.executable, "-c", prelude + script, *map(str, arguments)]


def elsewhere(script, *arguments):
    """What a script says in another process."""
    done = subprocess.run(command(script, *arguments), capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
