"""With a full cache: no network, no heavy imports, and files that are links."""

import sys

import pytest

from tests.integration.conftest import NewTarget
from tests.support.index import Index
from tests.support.tool import ROOT, Tool
from tests.support.wheels import make_wheel

MAIN = "def main():\n    print('one')\n"
ONE = make_wheel("one", "1.0", {"one/__init__.py": MAIN}, console_scripts=["one = one:main"])
TWO = make_wheel("two", "1.0", data={"scripts/two": "#!python\n", "data/share/two.txt": "two\n"})

# What a warm run has no time to import: asyncio alone takes longer than all of it.
DENIED = {
    *("aiofiles", "aiohttp", "anyio", "argparse", "asyncio", "collections", "concurrent.futures", "contextlib", "csv"),
    *("dataclasses", "distlib", "email", "enum", "filelock", "functools", "hashlib", "importlib.metadata", "inspect"),
    *("isal", "json", "logging", "msgspec", "multiprocessing", "packaging", "pathlib", "pydantic", "random", "re"),
    *("rich", "shutil", "socket", "ssl", "subprocess", "tempfile", "threading", "tokenize", "typing", "urllib"),
    *("uvloop", "zipfile"),
    *("engine.cold", "engine.pipeline", "engine.worker", "engine.workers", "engine.lock.pins"),
}
# `-I -S` keeps out what `site` imports; then every module in the list was imported by the tool.
SCRIPT = """
import sys
sys.path[:0] = sys.argv[1].split(":")
before = set(sys.modules)
import cli
code = cli.main(sys.argv[2:])
print(*sorted(set(sys.modules) - before))
sys.exit(code)
"""


def modules_of(tool: Tool, command: list[str]) -> set[str]:
    """What a run of the tool imports; `command` is a whole command line."""
    paths = ":".join([str(ROOT), *(path for path in sys.path if path)])
    run = tool.run(sys.executable, "-I", "-S", "-c", SCRIPT, paths, *command[3:])
    assert run.code == 0, run.err
    return set(run.out.split())


@pytest.fixture
def warmed(index: Index, tool: Tool, new_target: NewTarget) -> Tool:
    """The tool after a sync of ONE and TWO, with its index gone."""
    index.add(ONE, TWO)
    run = tool.sync(tool.write_lock(ONE.pin, TWO.pin), new_target("first"))
    assert run.code == 0, run.err
    index.close()
    return tool


def test_a_second_environment_needs_no_server(warmed: Tool, new_target: NewTarget) -> None:
    second, third = new_target("second"), new_target("third")
    run = warmed.sync(warmed.folder / "lock.txt", second, third)
    assert run.code == 0, run.err
    assert second.installed() == third.installed() == {"one-1.0", "two-1.0"}
    assert warmed.run(str(second.prefix / "bin" / "one")).out == "one\n"
    first = (second.prefix / "bin" / "two").read_text().splitlines()[0]
    assert first == f"#!{second.python}"


def test_the_files_of_a_second_environment_are_links_to_the_cache(warmed: Tool, new_target: NewTarget) -> None:
    second = new_target("second")
    assert warmed.sync(warmed.folder / "lock.txt", second).code == 0
    tree = warmed.cache / "wheels-v1" / ONE.sha256[:2] / ONE.sha256 / "tree"
    for name in ("one/__init__.py", "one-1.0.dist-info/METADATA"):
        assert (second.site / name).stat().st_ino == (tree / name).stat().st_ino
    assert (second.prefix / "share" / "two.txt").stat().st_nlink == 3


def test_a_warm_run_imports_nothing_heavy(warmed: Tool, new_target: NewTarget) -> None:
    loaded = modules_of(warmed, warmed.command(warmed.folder / "lock.txt", [new_target("second")]))
    assert "engine.staging" in loaded
    assert loaded & DENIED == set()


def test_a_run_with_nothing_to_do_imports_nothing_heavy(warmed: Tool, new_target: NewTarget) -> None:
    second = new_target("second")
    command = warmed.command(warmed.folder / "lock.txt", [second])
    assert modules_of(warmed, command) & DENIED == set()
    assert modules_of(warmed, command) & DENIED == set()


def test_the_deny_list_would_notice_a_cold_run(index: Index, tool: Tool, new_target: NewTarget) -> None:
    index.add(ONE)
    command = tool.command(tool.write_lock(ONE.pin), [new_target("first")])
    assert {"asyncio", "anyio", "engine.pipeline"} <= modules_of(tool, command) & DENIED


def test_another_lock_of_cached_wheels_asks_for_nothing(index: Index, tool: Tool, new_target: NewTarget) -> None:
    index.add(ONE, TWO)
    tool.sync(tool.write_lock(ONE.pin, TWO.pin), new_target("first"))
    index.requests.clear()
    run = tool.sync(tool.write_lock(TWO.pin), new_target("second"))
    assert run.code == 0, run.err
    assert index.requests == []


def test_a_stale_page_is_good_enough_for_what_is_cached(index: Index, tool: Tool, new_target: NewTarget) -> None:
    index.max_age_seconds = 0
    index.add(ONE, TWO)
    tool.sync(tool.write_lock(ONE.pin, TWO.pin), new_target("first"))
    index.requests.clear()
    run = tool.sync(tool.write_lock(ONE.pin), new_target("second"))
    assert run.code == 0, run.err
    assert index.requests == []


def test_a_plan_of_another_index_is_not_used(index: Index, tool: Tool, new_target: NewTarget) -> None:
    index.add(ONE)
    lock = tool.write_lock(ONE.pin)
    tool.sync(lock, new_target("first"))
    elsewhere = Index()
    elsewhere.add(make_wheel("one", "1.0", {"one.py": "# from elsewhere\n"}))
    tool.index_url = elsewhere.url
    second = new_target("second")
    run = tool.sync(lock, second)
    elsewhere.close()
    assert run.code == 0, run.err
    assert (second.site / "one.py").read_text() == "# from elsewhere\n"
