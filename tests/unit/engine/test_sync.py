"""What a plan is kept under, and that an environment's failure stays its own."""

import shutil
from pathlib import Path

import pytest

from engine.environment.target import Environment
from engine.errors import ConfigurationError, InstallFailed
from engine.locations import IndexLocation, IndexOptions
from engine.options import InstallOptions, LockOptions, SyncOptions
from engine.reporting import View
from engine.sync import Run, same
from engine.warm import settle_and_commit
from engine.work import Work
from tests.unit.engine.entries import RELATIVE, publish


def run_with(
    tmp_path: Path,
    lock: str = "demo==1.0\n",
    indexes: IndexOptions | None = None,
    strict_record: bool = False,
) -> Run:
    (tmp_path / "lock.txt").write_text(lock)
    options = SyncOptions(
        locks=LockOptions(files=[str(tmp_path / "lock.txt")]),
        pythons=(),
        cache_dir=str(tmp_path / "cache"),
        indexes=indexes,
        strict_record=strict_record,
    )
    return Run(options, {}, str(tmp_path), View())


def test_a_plan_is_found_again_for_the_same_question(tmp_path: Path) -> None:
    assert run_with(tmp_path).plan_key("one") == run_with(tmp_path).plan_key("one") != ""


def test_lock_index_strictness_and_interpreter_each_make_another_plan(tmp_path: Path) -> None:
    location = IndexLocation("https://example.com/", default=True)
    keys = [
        run_with(tmp_path).plan_key("one"),
        run_with(tmp_path).plan_key("two"),
        run_with(tmp_path, lock="demo==1.1\n").plan_key("one"),
        run_with(tmp_path, indexes=IndexOptions(locations=[location])).plan_key("one"),
        run_with(tmp_path, indexes=IndexOptions(fallback=location)).plan_key("one"),
        run_with(tmp_path, strict_record=True).plan_key("one"),
    ]
    assert len(set(keys)) == len(keys)


def test_settings_that_the_command_line_overrules_make_no_other_plan(tmp_path: Path) -> None:
    chosen = IndexLocation("https://example.com/", default=True)
    other = IndexLocation("https://example.com/other/", default=True)
    keys = {
        run_with(tmp_path, indexes=IndexOptions(locations=[chosen], fallback=fallback)).plan_key("one")
        for fallback in (None, other)
    }
    assert len(keys) == 1


def test_an_interpreter_that_must_be_asked_has_no_plan(tmp_path: Path) -> None:
    assert run_with(tmp_path).plan_key("") == ""


def test_a_lock_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    options = SyncOptions(locks=LockOptions(files=[str(tmp_path / "none")]), pythons=(), cache_dir="")
    with pytest.raises(ConfigurationError, match="none"):
        Run(options, {}, str(tmp_path), View())


def environment(prefix: Path | str, python: str = "python") -> Environment:
    return Environment(prefix=str(prefix), python=python, base_executable="x", is_virtual=True, interpreter_key="k")


def test_an_environment_is_its_folder_and_a_plain_interpreter_its_path() -> None:
    assert same(environment("/env", "/env/bin/python"), environment("/env", "/env/bin/python3"))
    assert not same(environment("/env"), environment("/other"))
    assert same(environment("", "/usr/bin/python3"), environment("", "/usr/bin/python3"))
    assert not same(environment("", "/usr/bin/python3"), environment("", "/usr/bin/python3.13"))


def test_a_refusal_of_the_system_while_settling_stays_with_the_environment(tmp_path: Path) -> None:
    prefix = tmp_path / "environment"
    (prefix / "lib" / "site").mkdir(parents=True)
    run = run_with(tmp_path)
    entries = [publish(tmp_path / "cache", {"shared.py": name.encode()}, name=name) for name in ("one", "two")]
    work = Work(environment(prefix), RELATIVE, InstallOptions())
    work.scan()
    area = work.open()
    # What both bring was noticed while staging; the staging area is gone now.
    shutil.rmtree(area.stage)
    settle_and_commit(run, work, entries, {area.stage: {"purelib/shared.py"}})
    work.close()
    assert isinstance(work.error, InstallFailed) and "shared.py" in work.error.message
    assert not work.committed and list((prefix / "lib" / "site").iterdir()) == []
