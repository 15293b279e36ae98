"""`--target`, `--prefix`, `--system`, versions, and environments that may not be changed."""

import os
import sys
from pathlib import Path

import pytest

from tests.integration.conftest import NewTarget
from tests.support.index import Index
from tests.support.tool import Result, Target, Tool, standalone_interpreter
from tests.support.trees import leftovers, snapshot
from tests.support.wheels import Member, make_wheel

pytestmark = pytest.mark.skipif(os.name == "nt", reason="laid out as on POSIX")

MAIN = "def main():\n    print('one')\n"
ONE = make_wheel(
    "one", "1.0", {"one/__init__.py": MAIN}, console_scripts=["one = one:main"], data={"data/share/one.txt": "1\n"}
)
TWO = make_wheel("two", "1.0", {"two.py": "", "one/plugin.py": ""})
MINOR = f"{sys.version_info[0]}.{sys.version_info[1]}"


def sync(tool: Tool, *options: str, cwd: Path | None = None, environ: dict[str, str] | None = None) -> Result:
    command = tool.command(tool.folder / "lock.txt", [], *options)
    return tool.run(*command, cwd=cwd, environ=environ)


@pytest.fixture
def locked(index: Index, tool: Tool) -> Tool:
    """The tool with a lock of ONE and TWO."""
    index.add(ONE, TWO)
    tool.write_lock(ONE.pin, TWO.pin)
    return tool


def test_a_target_gets_modules_at_its_top_and_programs_in_bin(locked: Tool, target: Target, tmp_path: Path) -> None:
    folder = tmp_path / "a" / "out"
    before = target.tree()
    run = sync(locked, "--target", str(folder), "--python", str(target.prefix))
    assert run.code == 0, run.err
    assert {path.name for path in folder.iterdir()} == {
        *("one", "two.py", "bin", "share", "one-1.0.dist-info", "two-1.0.dist-info"),
    }
    assert locked.run(str(folder / "bin" / "one"), environ={"PYTHONPATH": str(folder)}).out == "one\n"
    assert target.tree() == before


def test_a_target_becomes_what_the_lock_says_warm_and_cold(locked: Tool, target: Target, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    options = ("--target", str(folder), "--python", str(target.prefix))
    assert sync(locked, *options).code == 0
    both = snapshot(folder)
    (folder / "mine.txt").write_text("mine\n")
    locked.write_lock(TWO.pin)
    assert sync(locked, *options).code == 0
    assert {path.name for path in folder.iterdir()} == {"bin", "mine.txt", "one", "two.py", "two-1.0.dist-info"}
    (folder / "mine.txt").unlink()
    locked.write_lock(ONE.pin, TWO.pin)
    run = sync(locked, *options, "-v", "--offline")
    assert "by a stored plan" in run.err, run.err
    assert snapshot(folder) == both
    assert "Nothing to do" in sync(locked, *options).err


def test_a_prefix_is_laid_out_as_an_environment(locked: Tool, target: Target, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    run = sync(locked, "--prefix", str(folder), "--python", str(target.prefix))
    assert run.code == 0, run.err
    assert (folder / f"lib/python{MINOR}/site-packages/one/plugin.py").exists()
    assert (folder / "bin" / "one").exists() and (folder / "share" / "one.txt").exists()
    assert not (folder / "pyvenv.cfg").exists() and not (folder / ".engine").exists()


def test_one_lock_has_a_plan_for_each_layout(locked: Tool, target: Target, tmp_path: Path) -> None:
    for layout in ("--target", "--prefix", "--target", "--prefix"):
        folder = tmp_path / f"out{layout}"
        assert sync(locked, layout, str(folder), "--python", str(target.prefix)).code == 0
        assert (folder / "two.py").exists() == (layout == "--target")
    assert locked.sync(locked.folder / "lock.txt", target).code == 0
    assert (target.site / "two.py").exists() and not (target.prefix / "two.py").exists()


def test_a_failed_run_leaves_no_folder(index: Index, locked: Tool, target: Target, tmp_path: Path) -> None:
    locked.write_lock("absent==1.0")
    run = sync(locked, "--target", str(tmp_path / "a" / "out"), "--python", str(target.prefix))
    assert run.code == 1 and not (tmp_path / "a").exists()
    (tmp_path / "there").mkdir()
    assert sync(locked, "--target", str(tmp_path / "there"), "--python", str(target.prefix)).code == 1
    assert list((tmp_path / "there").iterdir()) == []


def test_a_dry_run_makes_no_folder(locked: Tool, target: Target, tmp_path: Path) -> None:
    run = sync(locked, "--target", str(tmp_path / "out"), "--python", str(target.prefix), "--dry-run")
    assert run.code == 0 and "Would install 2" in run.err
    assert not (tmp_path / "out").exists()


def test_a_distribution_cannot_bring_the_journal_of_a_target(index: Index, tool: Tool, target: Target) -> None:
    evil = make_wheel("evil", "1.0", members=[Member(name=".engine/1-x/journal", content=b"engine journal 1\0end")])
    index.add(evil)
    tool.write_lock(evil.pin)
    folder = tool.folder / "out"
    run = sync(tool, "--target", str(folder), "--python", str(target.prefix))
    assert run.code == 1 and ".engine" in run.err and "Traceback" not in run.err
    assert not folder.exists()


def test_conflicting_options_are_both_named(locked: Tool, target: Target) -> None:
    run = sync(locked, "--target", "x", "--prefix", "y")
    assert run.code == 2 and "--target" in run.err and "--prefix" in run.err
    run = sync(locked, "--target", "x", "-p", "a", "-p", "b")
    assert run.code == 2 and "--target" in run.err and "--python" in run.err
    assert not (locked.folder / "x").exists()


def test_system_is_the_first_interpreter_on_path_that_is_in_no_environment(
    locked: Tool, target: Target, tmp_path: Path
) -> None:
    system = standalone_interpreter(tmp_path / "system")
    path = os.pathsep.join([str(target.prefix / "bin"), str(system.prefix / "bin")])
    run = sync(locked, "--system", environ={"PATH": path, "VIRTUAL_ENV": str(target.prefix)})
    assert run.code == 0, run.err
    assert system.installed() == {"one-1.0", "two-1.0"} and target.installed() == set()
    assert system.run("import one; one.main()") == "one"


def managed(prefix: Path) -> Target:
    system = standalone_interpreter(prefix)
    (system.site.parent / "EXTERNALLY-MANAGED").write_text("[externally-managed]\nError=Use the other tool.\n")
    return system


def test_a_managed_interpreter_is_changed_only_when_that_is_said(locked: Tool, tmp_path: Path) -> None:
    system = managed(tmp_path / "system")
    before = system.tree()
    run = locked.sync(locked.folder / "lock.txt", system)
    assert run.code == 1 and "Use the other tool." in run.err and "--break-system-packages" in run.err
    assert system.tree() == before
    run = locked.sync(locked.folder / "lock.txt", system, options=["--break-system-packages"])
    assert run.code == 0, run.err
    assert system.installed() == {"one-1.0", "two-1.0"}
    run = locked.sync(
        locked.folder / "lock.txt", system, options=["--break-system-packages", "--no-break-system-packages"]
    )
    assert run.code == 1


def test_a_managed_interpreter_may_be_looked_at(locked: Tool, tmp_path: Path) -> None:
    system = managed(tmp_path / "system")
    before = system.tree()
    for option, code in (("--check", 1), ("--dry-run", 0)):
        run = locked.sync(locked.folder / "lock.txt", system, options=[option])
        assert run.code == code and " + one==1.0" in run.err, run.err
    assert system.tree() == before


def test_system_and_an_environment_contradict_each_other(locked: Tool, target: Target) -> None:
    run = locked.sync(locked.folder / "lock.txt", target, options=["--system"])
    assert run.code == 2 and "--system" in run.err and str(target.prefix) in run.err
    assert target.installed() == set()


def test_a_folder_may_be_for_a_managed_interpreter(locked: Tool, tmp_path: Path) -> None:
    system = managed(tmp_path / "system")
    before = system.tree()
    for layout in ("--target", "--prefix"):
        run = sync(locked, layout, str(tmp_path / layout), "--python", str(system.python))
        assert run.code == 0, run.err
    assert system.tree() == before
    assert f"#!{system.python}" in (tmp_path / "--target" / "bin" / "one").read_text()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_named(locked: Tool, tmp_path: Path) -> None:
    system = standalone_interpreter(tmp_path / "system")
    system.site.chmod(0o555)
    run = locked.sync(locked.folder / "lock.txt", system)
    system.site.chmod(0o755)
    assert run.code == 1 and f"no permission to write to {system.site}" in run.err


def test_a_version_makes_an_environment_where_there_is_none(locked: Tool, tmp_path: Path) -> None:
    system = standalone_interpreter(tmp_path / "system")
    project = tmp_path / "project"
    project.mkdir()
    run = sync(locked, "--python", MINOR, cwd=project, environ={"PATH": str(system.prefix / "bin")})
    assert run.code == 0, run.err
    assert Target(project / ".venv").installed() == {"one-1.0", "two-1.0"} and system.installed() == set()
    run = sync(locked, "--python", "3.7", cwd=project, environ={"PATH": str(system.prefix / "bin")})
    assert run.code == 1 and "not an environment of Python 3.7" in run.err


def test_a_broken_link_does_not_lead_to_the_environment_above(locked: Tool, target: Target, tmp_path: Path) -> None:
    above = target.copy_to(tmp_path / "work" / ".venv")
    project = tmp_path / "work" / "project"
    project.mkdir()
    (project / ".venv").symlink_to("gone")
    before = above.tree()
    run = sync(locked, cwd=project)
    assert run.code == 1 and "a link to nothing" in run.err and str(project / ".venv") in run.err
    assert above.tree() == before and os.readlink(project / ".venv") == "gone"


@pytest.mark.parametrize(
    ("content", "said"), [("home\n", "has no `home`"), ("\0\xff\n", "has no `home`"), (None, "has no pyvenv.cfg")]
)
def test_a_broken_environment_stops_the_run(
    locked: Tool, new_target: NewTarget, content: str | None, said: str
) -> None:
    target = new_target("broken")
    configuration = target.prefix / "pyvenv.cfg"
    configuration.unlink()
    if content is not None:
        configuration.write_text(content, encoding="latin-1")
    before = target.tree()
    run = sync(locked, environ={"VIRTUAL_ENV": str(target.prefix)})
    assert run.code == 1 and said in run.err and "Traceback" not in run.err
    assert target.tree() == before and leftovers(locked.cache) == []


def test_an_environment_that_is_gone_is_not_made(locked: Tool, tmp_path: Path) -> None:
    for environ, options in ({"VIRTUAL_ENV": str(tmp_path / "gone")}, ()), ({}, ("--python", str(tmp_path / "gone"))):
        run = sync(locked, *options, environ=environ)
        assert run.code == 1 and str(tmp_path / "gone") in run.err
        assert not (tmp_path / "gone").exists()


def test_an_environment_behind_a_link_is_changed_where_it_is(locked: Tool, target: Target, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(target.prefix)
    run = locked.sync(locked.folder / "lock.txt", Target(tmp_path / "link"))
    assert run.code == 0, run.err
    assert target.installed() == {"one-1.0", "two-1.0"} and (tmp_path / "link").is_symlink()


def test_an_old_interpreter_is_told_what_is_supported(locked: Tool, tmp_path: Path) -> None:
    """The interpreter is a script that lets the probe see an old version."""
    shim = tmp_path / "python3"
    code = "import sys; sys.version_info = (3, 8, 1, 'final', 0); sys.argv = sys.argv[1:]; import runpy; "
    code += "runpy.run_path(sys.argv[0], run_name='__main__')"
    shim.write_text(
        f'#!/bin/sh\nwhile [ "${{1#-}}" != "$1" ]; do shift; done\nexec "{sys.executable}" -c "{code}" "$@"\n'
    )
    shim.chmod(0o755)
    run = sync(locked, "--python", str(shim))
    assert run.code == 1 and "Python 3.8 is too old, 3.9 is the oldest" in run.err
