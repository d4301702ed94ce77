"""The shape of the house: which way imports point, who owns which effect, how large anything may become."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import suno_async
from suno_async.protocol import errors

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "suno_async"
FILES = {path.relative_to(PACKAGE).as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text()) for name, path in FILES.items()}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

SIBLINGS = {
    "transport": {"reply", "progress", "fingerprint", "breaks"},
    "journal": {"fingerprint"},
    "submissions": set(),
    "lane": set(),
    "waits": set(),
    "poller": {"lane", "crew", "alarm"},
    "tracker": {"poller", "lane", "deadlines", "register"},
    "streams": {"waits"},
    "acts": {"lane"},
}
"""Whom each file of the engine may know; one that is not named here knows nobody."""
BELOW = {
    "protocol": {"protocol"},
    "engine": {"engine", "protocol"},
    "client": {"client", "engine", "protocol"},
    "testing": {"testing", "protocol"},
    "__init__": {"client", "protocol"},
    "extras": {"__init__", "extras", "testing", "client", "engine", "protocol"},
    "__main__": {"extras"},
}
PURE = {
    "__future__",
    "binascii",
    "bisect",
    "collections",
    "copy",
    "datetime",
    "email",
    "enum",
    "functools",
    "heapq",
    "ipaddress",
    "itertools",
    "json",
    "math",
    "operator",
    "msgspec",
    "re",
    "sys",
    "types",
    "typing",
    "urllib",
}
CORE = {"aiohttp", "anyio", "msgspec", "multidict", "yarl"}
"""The three packages, and two that come with aiohttp."""


def modules() -> set[str]:
    return {name.removesuffix(".py").removesuffix("/__init__") for name in FILES}


def imported(name: str) -> Iterator[str]:
    """What a file imports: "./protocol/errors" for a file of ours, the dotted name for anything else."""
    here = name.split("/")
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module or ""
        elif isinstance(node, ast.ImportFrom):
            room = here[: len(here) - node.level] + (node.module.split(".") if node.module else [])
            for alias in node.names:
                whole = "/".join([*room, alias.name])
                yield "./" + (whole if whole in modules() else "/".join(room) or "__init__")


def ours(name: str) -> set[str]:
    """The files of ours that a file imports."""
    return {target.removeprefix("./") for target in imported(name) if target.startswith("./")}


def theirs(name: str) -> set[str]:
    """The packages of others, and of the standard library, that a file imports."""
    return {target.partition(".")[0] for target in imported(name) if not target.startswith("./")}


def room(name: str) -> str:
    return name.removesuffix(".py").partition("/")[0]


def functions(name: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(TREES[name]) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_the_graph_is_read_at_all():
    """A test of imports that sees none would pass for ever."""
    assert ours("engine/tracker.py") >= {"engine/poller", "engine/lane", "protocol/life"}
    assert "protocol/errors" in ours("__init__.py")
    assert "testing/gateway/audio" in ours("testing/gateway/routes.py")
    assert theirs("engine/transport.py") >= {"aiohttp", "anyio", "yarl"}


@pytest.mark.parametrize("name", FILES)
def test_imports_point_down(name):
    """Extras and ``__init__`` know the client, the client the engine, the engine the protocol; never the reverse."""
    for target in ours(name):
        assert room(target) in BELOW[room(name)], target


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("engine/")])
def test_files_of_the_engine_do_not_know_each_other(name):
    """But the poller its lane, the tracker its poller and lane, the streams the waits."""
    here = name.removeprefix("engine/").partition("/")[0].removesuffix(".py")
    known = {target.removeprefix("engine/").partition("/")[0] for target in ours(name) if target.startswith("engine/")}
    assert known <= SIBLINGS.get(here, set()) | {here}


def test_imports_run_in_no_circle():
    """CycleError names the circle; imports inside functions count too."""
    names = modules()
    graph = {name.removesuffix(".py").removesuffix("/__init__"): ours(name) & names for name in FILES}
    assert len(list(TopologicalSorter(graph).static_order())) == len(FILES)


def test_the_gateway_knows_the_protocol_at_most():
    """What users test with must not be built of what it tests."""
    for name in FILES:
        if name.startswith("testing/gateway"):
            assert {room(target) for target in ours(name)} <= {"testing", "protocol"}


def test_nobody_imports_an_extra():
    """But ``__main__``, for the command line; and no extra imports another one."""
    for name in FILES:
        extras = {target.split("/")[1] for target in ours(name) if target.startswith("extras/")}
        if name.startswith("extras/"):
            assert extras <= {name.split("/")[1].removesuffix(".py")}, name
        elif name != "__main__.py":
            assert not extras, name


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("protocol/")])
def test_the_protocol_is_pure(name):
    """No I/O, no clock, no dice, no log, no loop: msgspec, and modules that only compute."""
    assert theirs(name) <= PURE


@pytest.mark.parametrize("name", FILES)
def test_the_inside_is_imported_relatively(name):
    """So that the direction shows."""
    assert "suno_async" not in theirs(name)


@pytest.mark.parametrize("name", FILES)
def test_only_what_is_declared_is_imported(name):
    """The core needs three packages; an extra needs its own on top, and pyproject says which."""
    declared = PROJECT["optional-dependencies"]
    allowed = CORE | {"suno_async"} | set(sys.stdlib_module_names)
    if name.startswith("extras/") and name != "extras/__init__.py":
        extra = name.split("/")[1].removesuffix(".py")
        allowed |= {re.split(r"[<>=!~\[; ]", one)[0].replace("-", "_") for one in declared[extra]}
    if name == "testing/plugin.py":
        allowed |= {"pytest"}
    assert theirs(name) <= allowed


OWNERS = {
    "aiohttp": r"engine/(transport|uploads|webhook)\.py|testing/.*",
    "sqlite3": r"engine/journal(/.*|\.py)",
    "tempfile": r"engine/journal/.*|testing/.*|extras/.*",
    "threading": r"engine/journal/.*|testing/.*|extras/.*",
    "time": r"engine/journal/.*|testing/.*|extras/.*",
    "random": r"client(/.*|\.py)|engine/(lane|submissions)\.py|testing/.*|extras/.*",
    "subprocess": r"extras/.*",
    "socket": r"testing/.*|extras/.*|engine/(transport|uploads|webhook)\.py",
}


@pytest.mark.parametrize("package", OWNERS)
def test_each_effect_has_one_owner(package):
    """The network, the disk, the wall clock and the dice are each touched in one place."""
    for name in FILES:
        if package in theirs(name):
            assert re.fullmatch(OWNERS[package], name), name


def test_sessions_belong_to_the_transport_and_the_uploads():
    """The one knows the key, which the errors and reprs of its sessions carry; the other never sees it."""
    for name, tree in TREES.items():
        used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        named = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
        if (used | named) & {"ClientSession", "TCPConnector", "ClientTimeout"}:
            assert name in {"engine/transport.py", "engine/uploads.py"}


def test_the_environment_is_read_at_the_doors():
    """``os.environ`` in the client and in extras only."""
    for name, tree in TREES.items():
        used = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        if used & {"os.environ", "os.getenv", "os.putenv"}:
            assert re.fullmatch(r"client(/.*|\.py)|extras/.*", name), name


def test_dice_are_handed_in():
    """Nobody throws the random module's own dice; a ``Random`` is made where one may be passed, and in the gateway."""
    for name, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module == "random":
                assert [alias.name for alias in node.names] == ["Random"], name
            assert not (isinstance(node, ast.Import) and any(alias.name == "random" for alias in node.names)), name
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Random":
                assert room(name) in {"client", "testing", "extras"}, name


@pytest.mark.parametrize("name", FILES)
def test_no_file_is_longer_than_350_lines(name):
    """A file that outgrows its room becomes a folder of the same name."""
    assert len(FILES[name].read_text().splitlines()) <= 350


@pytest.mark.parametrize("name", FILES)
def test_no_function_is_longer_than_40_lines(name):
    """Its docstring is not counted."""
    for function in functions(name):
        body = function.body[1:] if ast.get_docstring(function) is not None else function.body
        length = body[-1].end_lineno - body[0].lineno + 1 if body else 0
        assert length <= 40, function.name


def depth(node: ast.AST, level: int = 0) -> int:
    """How deep blocks lie in blocks; an ``elif`` is no deeper than its ``if``, and a nested function begins anew."""
    deepest = level
    blocks = ast.If | ast.For | ast.AsyncFor | ast.While | ast.With | ast.AsyncWith | ast.Try | ast.TryStar | ast.Match
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        chained = isinstance(node, ast.If) and isinstance(child, ast.If) and node.orelse == [child]
        deepest = max(deepest, depth(child, level + (isinstance(child, blocks) and not chained)))
    return deepest


@pytest.mark.parametrize("name", FILES)
def test_nothing_is_nested_deeper_than_three(name):
    """Blocks in blocks in blocks, and that is all."""
    for function in functions(name):
        assert depth(function) <= 3, function.name


def test_depth_is_counted_as_people_see_it():
    """The measure itself: three blocks are three, an elif is none, a function inside begins at none."""
    source = "def f():\n for a in b:\n  if a:\n   pass\n  elif b:\n   with c:\n    pass\n def g():\n  if a:\n   pass"
    assert depth(ast.parse(source).body[0]) == 3


def test_there_are_at_most_fifty_public_names():
    """A door, not a wall."""
    assert len(suno_async.__all__) <= 50


def test_errors_are_one_tree():
    """Every class has the root, a docstring of its own, and its place in the module's docstring."""
    classes = [kind for kind in vars(errors).values() if isinstance(kind, type) and kind.__module__ == errors.__name__]
    assert len(classes) >= 12
    for kind in classes:
        assert issubclass(kind, errors.SunoError)
        assert (vars(kind)["__doc__"] or "").strip()
        assert re.search(rf"\b{kind.__name__}\b", errors.__doc__ or "")


def test_every_extra_has_its_place():
    """``pip install suno-async[x]`` goes with ``extras/x.py`` or ``extras/x/``; the others are tools of development."""
    declared = set(PROJECT["optional-dependencies"]) - {"dev", "all", "mutation", "fuzz", "bench"}
    there = {name.split("/")[1].removesuffix(".py") for name in FILES if name.startswith("extras/")} - {"__init__"}
    assert declared == there


def test_the_package_needs_three_packages():
    """aiohttp, msgspec, anyio."""
    assert {re.split(r"[<>=]", one)[0] for one in PROJECT["dependencies"]} == {"aiohttp", "anyio", "msgspec"}


def test_importing_it_imports_no_extra():
    """``import suno_async`` is as cheap as its three packages."""
    script = "import sys, suno_async; print('\\n'.join(sys.modules))"
    command = [sys.executable, "-W", "error", "-c", script]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)  # noqa: S603 - its own script
    loaded = set(done.stdout.split())
    extras = {re.split(r"[<>=!~\[; ]", one)[0] for some in PROJECT["optional-dependencies"].values() for one in some}
    assert not loaded & (
        extras | {"aiohttp.web", "sqlite3", "suno_async.extras", "suno_async.testing", "suno_async.__main__"}
    )
    assert {"aiohttp", "anyio", "msgspec"} <= loaded
    assert done.stderr == ""


@pytest.mark.parametrize("name", FILES)
def test_nothing_is_left_for_later(name):
    """No reminders, no excuses from coverage, no empty promises."""
    found = re.search(r"\b(TODO|FIXME|XXX|HACK|raise NotImplementedError)\b|pragma: no cover", FILES[name].read_text())
    assert found is None, found


def test_every_file_says_what_it_is():
    """Each begins with a docstring."""
    for name, tree in TREES.items():
        assert ast.get_docstring(tree), name


@pytest.mark.parametrize("name", [name for name in FILES if not name.endswith("/__init__.py")])
def test_every_file_has_its_test_file(name):
    """At the mirrored place: ``engine/lane.py`` as ``engine/test_lane.py``, ``gateway/y.py`` as ``test_gateway_y``."""
    path = Path(name)
    stem = {"__init__": "exports", "__main__": "main"}.get(path.stem, path.stem)
    here = ROOT / "tests" / path.parent
    places = [here / f"test_{stem}.py", here / f"test_{path.parent.name}_{stem}.py"]
    places += [here.parent / f"test_{path.parent.name}_{stem}.py"] if len(path.parts) > 2 else []
    assert sum(place.exists() for place in places) == 1, places
