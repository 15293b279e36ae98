"""`--check`: an exit code that says whether environments are as the lock says, and no change, no index, no download."""

import pytest

from tests.integration.conftest import NewTarget
from tests.support.index import Index
from tests.support.tool import Target, Tool
from tests.support.trees import leftovers
from tests.support.wheels import make_wheel

OLD, NEW, OTHER = make_wheel("demo", "1.0"), make_wheel("demo", "2.0"), make_wheel("other", "1.0")


@pytest.fixture
def synced(tool: Tool, index: Index, target: Target) -> Target:
    """An environment that is as `demo==1.0` says."""
    index.add(OLD, NEW, OTHER)
    run = tool.sync(tool.write_lock(OLD.pin), target)
    assert run.code == 0, run.err
    index.requests.clear()
    return target


def test_an_environment_that_matches_is_fine(tool: Tool, index: Index, synced: Target) -> None:
    run = tool.sync(tool.write_lock(OLD.pin), synced, options=["--check"])
    assert run.code == 0 and "Nothing to do" in run.err
    assert index.requests == []


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([NEW.pin], [" - demo==1.0", " + demo==2.0"]),
        ([OLD.pin, OTHER.pin], [" + other==1.0"]),
        ([], [" - demo==1.0"]),
    ],
    ids=["another-version", "one-is-missing", "one-too-many"],
)
def test_a_difference_is_told_and_left(
    lines: list[str], said: list[str], tool: Tool, index: Index, synced: Target
) -> None:
    before = synced.tree()
    run = tool.sync(tool.write_lock(*lines), synced, options=["--check", "--allow-empty-requirements"])
    assert run.code == 1 and "error" not in run.err
    assert [line for line in run.err.splitlines() if line.startswith(" ")] == said
    assert synced.tree() == before and index.requests == [] and leftovers(tool.cache) == []


def test_a_difference_is_told_where_a_plan_is_stored(
    tool: Tool, index: Index, synced: Target, new_target: NewTarget
) -> None:
    lock = tool.write_lock(OLD.pin)
    empty = new_target("empty")
    run = tool.sync(lock, synced, empty, options=["--check"])
    assert run.code == 1 and f"Would install 1 distribution in {empty.prefix}" in run.err
    assert f"Nothing to do in {synced.prefix}" in run.err
    assert empty.installed() == set() and index.requests == []


def test_nothing_is_needed_but_the_environment(tool: Tool, index: Index, target: Target) -> None:
    """No cache, no index: an unknown interpreter is asked, and that is all."""
    run = tool.sync(tool.write_lock("nobody-knows==1.0"), target, options=["--check", "--offline"])
    assert run.code == 1 and " + nobody-knows==1.0" in run.err
    assert index.requests == []


def test_quiet_leaves_one_line_and_twice_the_exit_code(tool: Tool, synced: Target) -> None:
    lock = tool.write_lock(NEW.pin)
    run = tool.sync(lock, synced, options=["--check", "-q"])
    assert (run.code, run.out, run.err) == (1, "", f"{synced.prefix} differs from the lock\n")
    run = tool.sync(lock, synced, options=["--check", "-qq"])
    assert (run.code, run.out, run.err) == (1, "", "")
    run = tool.sync(tool.write_lock(OLD.pin), synced, options=["--check", "-q"])
    assert (run.code, run.out, run.err) == (0, "", "")


def test_a_difference_is_annotated(tool: Tool, synced: Target) -> None:
    lock = tool.write_lock(NEW.pin)
    run = tool.sync(lock, synced, options=["--check"], environ={"GITHUB_ACTIONS": "true"})
    assert run.code == 1
    assert [line for line in run.err.splitlines() if line.startswith("::error") and "differs from the lock" in line]


def test_no_cache_is_made(tool: Tool, target: Target) -> None:
    run = tool.sync(tool.write_lock("demo==1.0"), target, options=["--check"])
    assert run.code == 1 and not tool.cache.exists()
    run = tool.sync(tool.write_lock(), target, options=["--check", "--allow-empty-requirements"])
    assert run.code == 0 and not tool.cache.exists()


def test_a_new_environment_is_a_difference_and_is_not_made(tool: Tool, index: Index) -> None:
    lock = tool.write_lock("demo==1.0")
    run = tool.run(*tool.command(lock, [], "--check"))
    assert run.code == 1 and " + demo==1.0" in run.err
    assert not (tool.folder / ".venv").exists() and index.requests == []


def test_a_wrong_lock_stays_a_mistake(tool: Tool, target: Target) -> None:
    assert tool.sync(tool.write_lock("demo"), target, options=["--check"]).code == 2
