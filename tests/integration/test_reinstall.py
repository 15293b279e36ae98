"""`--reinstall` and `--reinstall-package`: what is there comes again, warm and cold."""

import pytest

from tests.support.index import Index
from tests.support.tool import Target, Tool
from tests.support.wheels import make_wheel

ONE = make_wheel("one", "1.0", {"one.py": "version = 1\n"})
TWO = make_wheel("Two.Point", "1.0", {"two.py": "version = 1\n"})


@pytest.fixture
def edited(index: Index, tool: Tool, target: Target) -> Target:
    """An environment with both, where somebody has replaced both modules."""
    index.add(ONE, TWO)
    assert tool.sync(tool.write_lock(ONE.pin, TWO.pin), target).code == 0
    for name in ("one.py", "two.py"):
        (target.site / name).unlink()
        (target.site / name).write_text("version = 2\n")
    return target


def versions(target: Target) -> str:
    return target.run("import one, two; print(one.version, two.version)")


@pytest.mark.parametrize("flag", ["--reinstall", "--force-reinstall"])
def test_everything_is_installed_again_without_asking_anybody(
    tool: Tool, edited: Target, index: Index, flag: str
) -> None:
    index.requests.clear()
    assert "Nothing to do" in tool.sync(tool.folder / "lock.txt", edited).err
    run = tool.sync(tool.folder / "lock.txt", edited, options=[flag, "-v"])
    assert run.code == 0 and "Installed 2" in run.err and "by a stored plan" in run.err, run.err
    assert versions(edited) == "1 1" and index.requests == []


def test_one_project_is_installed_again_under_any_spelling(tool: Tool, edited: Target) -> None:
    run = tool.sync(tool.folder / "lock.txt", edited, options=["--reinstall-package", "two_POINT"])
    assert run.code == 0 and "Installed 1" in run.err, run.err
    assert versions(edited) == "2 1"


def test_without_a_plan_it_is_the_same(tool: Tool, edited: Target) -> None:
    lock = tool.write_lock(*(pin.replace("==", " == ") for pin in (ONE.pin, TWO.pin)))
    run = tool.sync(lock, edited, options=["--reinstall", "--no-deps", "-v"])
    assert run.code == 0 and "Installed 2" in run.err and "by a stored plan" not in run.err, run.err
    assert versions(edited) == "1 1"


def test_a_dry_run_says_so_and_does_nothing(tool: Tool, edited: Target) -> None:
    run = tool.sync(tool.folder / "lock.txt", edited, options=["--reinstall", "--dry-run"])
    assert run.code == 0 and "Would install 2" in run.err, run.err
    assert versions(edited) == "2 2"


def test_a_name_that_is_not_in_the_lock_is_told(tool: Tool, edited: Target) -> None:
    run = tool.sync(tool.folder / "lock.txt", edited, options=["--reinstall-package", "nope"])
    assert run.code == 0
    assert "warning: --reinstall-package names what is not in the lock: nope" in run.err
