"""Several environments in one run: everything is fetched once, and each one succeeds or fails for itself."""

import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.integration.conftest import NewTarget, make_environment
from tests.support.index import Fault, Index
from tests.support.tool import Target, Tool, clean_environ
from tests.support.trees import check_cache, leftovers
from tests.support.wheels import make_wheel

WHEELS = [make_wheel(f"project{number}", "1.0", {f"project{number}/__init__.py": "x = 1\n"}) for number in range(6)]


@pytest.fixture(scope="session")
def other_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An interpreter of another minor version that can make environments."""
    folder = tmp_path_factory.mktemp("other")
    for minor in (11, 12, 13, 14, 10, 9):
        command = shutil.which(f"python3.{minor}")
        if command is None or minor == sys.version_info.minor:
            continue
        ask = [command, "-I", "-c", "import sys, venv; print(sys.version_info.minor)"]
        run = subprocess.run(ask, capture_output=True, text=True, env=clean_environ(folder), timeout=60)
        if run.returncode == 0 and run.stdout.strip() == str(minor):
            return command
    pytest.skip("no second version of Python on PATH")


def test_everything_is_asked_for_once(index: Index, tool: Tool, new_target: NewTarget) -> None:
    index.add(*WHEELS)
    targets = [new_target(name) for name in ("a", "b", "c")]
    run = tool.sync(tool.write_lock(*(wheel.pin for wheel in WHEELS)), *targets)
    assert run.code == 0, run.err
    assert set(Counter(index.requests).values()) == {1}
    assert len(index.requests) == 2 * len(WHEELS)
    for target in targets:
        assert target.installed() == {f"project{number}-1.0" for number in range(6)}
        assert str(target.prefix) in run.err
    assert targets[0].tree() == targets[1].tree() == targets[2].tree()
    check_cache(tool.cache)


def test_one_environment_named_twice_is_synced_once(index: Index, tool: Tool, target: Target) -> None:
    index.add(*WHEELS)
    run = tool.sync(
        tool.write_lock("project0==1.0"), target, target, options=["-p", str(target.prefix / "bin" / "python")]
    )
    assert run.code == 0, run.err
    assert run.err.count("Installed") == 1


def test_each_python_gets_its_own_wheel(
    index: Index, tool: Tool, target: Target, other_python: str, tmp_path: Path
) -> None:
    other = make_environment(other_python, tmp_path / "targets" / "other")
    tags = [path.site.parent.name.replace("python3.", "py3") + "-none-any" for path in (target, other)]
    for tag in tags:
        index.add(make_wheel("native", "1.0", {"native.py": f"tag = {tag!r}\n"}, tag=tag))
    index.add(*WHEELS)
    run = tool.sync(tool.write_lock("native==1.0", "project0==1.0"), target, other)
    assert run.code == 0, run.err
    assert [path.run("import native; print(native.tag)") for path in (target, other)] == tags
    assert set(Counter(index.requests).values()) == {1}
    assert len(index.requests) == 5


def test_what_fails_for_one_python_leaves_the_other_committed(
    index: Index, tool: Tool, target: Target, other_python: str, tmp_path: Path
) -> None:
    other = make_environment(other_python, tmp_path / "targets" / "other")
    tag = target.site.parent.name.replace("python3.", "py3") + "-none-any"
    index.add(make_wheel("native", "1.0", tag=tag), *WHEELS)
    before = other.tree()
    run = tool.sync(tool.write_lock("project0==1.0", "native==1.0"), other, target)
    assert run.code == 1
    assert "lock.txt:2" in run.err and f"{other.prefix} was left as it was" in run.err
    assert target.installed() == {"project0-1.0", "native-1.0"}
    assert other.tree() == before
    assert leftovers(tool.cache) == []


def test_a_conflict_in_one_environment_leaves_the_others_committed(
    index: Index, tool: Tool, new_target: NewTarget
) -> None:
    index.add(*WHEELS)
    good, bad, also_good = (new_target(name) for name in ("good", "bad", "also"))
    legacy = bad.site / "project0-0.1.egg-info"
    legacy.mkdir()
    (legacy / "PKG-INFO").write_text("Name: project0\nVersion: 0.1\n")
    before = bad.tree()
    lock = tool.write_lock("project0==1.0", "project1==1.0")
    for attempt in ("cold", "warm"):
        run = tool.sync(lock, good, bad, also_good)
        assert run.code == 1, attempt
        assert f"{bad.prefix} was left as it was" in run.err and "project0 0.1" in run.err
        assert good.installed() == also_good.installed() == {"project0-1.0", "project1-1.0"}
        assert bad.tree() == before


def test_an_environment_that_cannot_be_written_fails_alone(index: Index, tool: Tool, new_target: NewTarget) -> None:
    index.add(*WHEELS)
    good, bad = new_target("good"), new_target("bad")
    # A file where the staging area would be: refused to root as well.
    (bad.prefix / ".engine").write_text("in the way\n")
    before = bad.tree()
    lock = tool.write_lock("project0==1.0")
    run = tool.sync(lock, bad, good)
    assert run.code == 1
    assert f"cannot write to the environment {bad.prefix}" in run.err
    assert good.installed() == {"project0-1.0"}
    assert bad.tree() == before
    warm = new_target("warm")
    run = tool.sync(lock, bad, warm)
    assert run.code == 1
    assert f"cannot write to the environment {bad.prefix}" in run.err
    assert warm.installed() == {"project0-1.0"}
    assert bad.tree() == before


def test_a_missing_wheel_leaves_every_environment_as_it_was(index: Index, tool: Tool, new_target: NewTarget) -> None:
    index.add(*WHEELS)
    index.fault(f"/files/{WHEELS[3].filename}", Fault(status=404))
    targets = [new_target("a"), new_target("b")]
    before = [target.tree() for target in targets]
    run = tool.sync(tool.write_lock(*(wheel.pin for wheel in WHEELS)), *targets)
    assert run.code == 1
    assert run.err.count("lock.txt:4") == 2
    assert [target.tree() for target in targets] == before
    assert leftovers(tool.cache) == []
