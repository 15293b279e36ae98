"""`--compile-bytecode`: compiled files that the interpreter takes, once per wheel, and links ever after."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.conftest import NewTarget
from tests.support.index import Index
from tests.support.tool import Result, Target, Tool, standalone_interpreter
from tests.support.trees import check_cache, leftovers
from tests.support.wheels import make_wheel

TAG = sys.implementation.cache_tag
ONE = make_wheel(
    "one",
    "1.0",
    {"one/__init__.py": "def main():\n    return 1\n", "one/deep/module.py": "x = 2\n", "one/data.txt": "text\n"},
    console_scripts=["one = one:main"],
    data={"scripts/tool.py": "#!python\nprint(1)\n", "purelib/extra.py": "y = 3\n", "data/share/no.py": "z = 4\n"},
)
BROKEN = make_wheel("broken", "1.0", {"broken/__init__.py": "", "broken/template.py": "print 'two'\n"})
COMPILE = ("--compile-bytecode",)
COMPILED = {
    f"one/__pycache__/__init__.{TAG}.pyc",
    f"one/deep/__pycache__/module.{TAG}.pyc",
    f"__pycache__/extra.{TAG}.pyc",
}


def compiled(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*.pyc")}


def not_taken(target: Target, *names: str) -> list[str]:
    """Imports modules; returns those whose compiled file the interpreter did not take."""
    run = subprocess.run(
        [target.python, "-I", "-B", "-v", "-c", f"import {', '.join(names)}"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    wanted = {name: target.run(f"import {name}; print({name}.__cached__)") for name in names}
    return [name for name, path in wanted.items() if f"# code object from '{path}'" not in run.stderr]


def sync(tool: Tool, target: Target, *options: str, environ: dict[str, str] | None = None) -> Result:
    run = tool.sync(tool.folder / "lock.txt", target, options=(*COMPILE, *options), environ=environ)
    assert run.code == 0, run.err
    return run


@pytest.fixture
def locked(index: Index, tool: Tool) -> Tool:
    """The tool with a lock of ONE."""
    index.add(ONE)
    tool.write_lock(ONE.pin)
    return tool


@pytest.mark.parametrize("mode", ["hardlink", "copy"])
def test_modules_of_site_packages_are_compiled_and_taken(locked: Tool, target: Target, mode: str) -> None:
    sync(locked, target, "--link-mode", mode)
    assert compiled(target.prefix) == {
        f"{target.site.relative_to(target.prefix).as_posix()}/{name}" for name in COMPILED
    }
    assert not_taken(target, "one", "one.deep.module", "extra") == []
    check_cache(locked.cache)
    assert leftovers(locked.cache) == []


def test_without_the_option_nothing_is_compiled(locked: Tool, target: Target) -> None:
    for options in ((), ("--compile-bytecode", "--no-compile"), ("--compile", "--no-compile-bytecode")):
        run = locked.sync(locked.folder / "lock.txt", target, options=["--reinstall", *options])
        assert run.code == 0 and compiled(target.prefix) == set()
    assert not (locked.cache / "bytecode-v1").exists()


def test_record_names_compiled_files_as_pip_does_and_they_leave_with_their_modules(
    locked: Tool, target: Target
) -> None:
    before = target.tree()
    sync(locked, target)
    rows = (target.site / "one-1.0.dist-info" / "RECORD").read_text().splitlines()
    assert {row for row in rows if ".pyc" in row} == {f"{name},," for name in COMPILED}
    locked.write_lock("one==1.0 ; python_version < '3'")
    sync(locked, target)
    assert target.tree() == before and compiled(target.prefix) == set()


def test_a_second_environment_links_them_and_starts_no_interpreter(locked: Tool, new_target: NewTarget) -> None:
    first, second = new_target("first"), new_target("second")
    sync(locked, first)
    run = sync(locked, second, "-v")
    assert "by a stored plan" in run.err
    name = f"one/__pycache__/__init__.{TAG}.pyc"
    assert (first.site / name).stat().st_ino == (second.site / name).stat().st_ino
    assert not_taken(second, "one", "one.deep.module", "extra") == []


def test_a_wheel_that_was_cached_before_is_compiled_without_a_request(
    index: Index, locked: Tool, new_target: NewTarget
) -> None:
    assert locked.sync(locked.folder / "lock.txt", new_target("plain")).code == 0
    index.requests.clear()
    target = new_target("compiled")
    sync(locked, target)
    assert index.requests == [] and compiled(target.site) == COMPILED


def test_what_does_not_compile_is_left_out_and_told_to_who_asks(index: Index, tool: Tool, target: Target) -> None:
    index.add(BROKEN)
    tool.write_lock(BROKEN.pin)
    run = sync(tool, target)
    assert "template" not in run.err
    assert compiled(target.site) == {f"broken/__pycache__/__init__.{TAG}.pyc"}
    shutil.rmtree(tool.cache / "plans-v1")
    assert "broken/template.py is not compiled: SyntaxError" in sync(tool, target, "--reinstall", "-v").err


def test_a_damaged_compiled_file_is_made_again(locked: Tool, new_target: NewTarget) -> None:
    sync(locked, new_target("first"))
    (cached,) = locked.cache.glob("bytecode-v1/*/*/*/tree/one/__pycache__/*.pyc")
    content = cached.read_bytes()
    cached.write_bytes(b"damaged")
    second = new_target("second")
    run = sync(locked, second)
    assert "it is compiled again" in run.err and "fetched" not in run.err
    assert (second.site / "one" / "__pycache__" / cached.name).read_bytes() == content
    assert not_taken(second, "one", "one.deep.module", "extra") == []


def test_compiled_files_of_an_earlier_unpacking_are_not_used(locked: Tool, new_target: NewTarget) -> None:
    """The modules have another mtime afterwards; the interpreter would compile them again at every start."""
    sync(locked, new_target("first"))
    (module,) = locked.cache.glob("wheels-v1/*/*/tree/one/__init__.py")
    os.utime(module, ns=(0, 10**18))
    second = new_target("second")
    assert "it is fetched again" in sync(locked, second).err
    assert not_taken(second, "one", "one.deep.module", "extra") == []


def test_with_a_source_date_files_are_the_same_each_time(locked: Tool, new_target: NewTarget) -> None:
    contents = []
    for name in ("first", "second"):
        target = new_target(name)
        sync(locked, target, environ={"SOURCE_DATE_EPOCH": "1700000000"})
        contents.append((target.site / "one" / "__pycache__" / f"__init__.{TAG}.pyc").read_bytes())
        shutil.rmtree(locked.cache)
    assert contents[0] == contents[1] and contents[0][4:8] == b"\x01\0\0\0"
    plain = new_target("plain")
    sync(locked, plain)
    assert (plain.site / "one" / "__pycache__" / f"__init__.{TAG}.pyc").read_bytes()[4:8] == bytes(4)


def test_tracebacks_of_the_compiled_file_name_no_place_of_the_cache(locked: Tool, target: Target) -> None:
    sync(locked, target)
    for path in target.site.rglob("*.pyc"):
        assert os.fsencode(locked.cache) not in path.read_bytes()
    assert target.run("import one; print(one.main.__code__.co_filename)") == str(target.site / "one" / "__init__.py")


def test_a_target_and_several_environments_get_theirs(locked: Tool, new_target: NewTarget, tmp_path: Path) -> None:
    first, second = new_target("first"), new_target("second")
    run = locked.sync(locked.folder / "lock.txt", first, second, options=COMPILE)
    assert run.code == 0, run.err
    assert compiled(first.site) == compiled(second.site) == COMPILED
    options = ("--target", str(tmp_path / "out"), "--python", str(first.prefix), *COMPILE)
    assert locked.run(*locked.command(locked.folder / "lock.txt", [], *options)).code == 0
    assert compiled(tmp_path / "out") == COMPILED


def test_modules_that_two_distributions_bring_have_the_winners_bytecode(
    index: Index, tool: Tool, new_target: NewTarget
) -> None:
    first = make_wheel("first", "1.0", {"shared/__init__.py": "who = 'first'\n", "same.py": ""})
    other = make_wheel("other", "1.0", {"shared/__init__.py": "who = 'other'\n", "same.py": ""})
    index.add(first, other)
    for name, wheels in ("a", (first, other)), ("b", (other, first)):
        tool.write_lock(*(wheel.pin for wheel in wheels))
        target = new_target(name)
        run = sync(tool, target)
        assert target.run("import shared; print(shared.who)") == wheels[0].name
        assert "shared/__init__.py is brought by" in run.err and ".pyc" not in run.err
        assert not_taken(target, "shared", "same") == []


def test_a_dry_run_compiles_nothing(locked: Tool, target: Target) -> None:
    sync(locked, target, "--dry-run")
    assert not (locked.cache / "bytecode-v1").exists()


def test_an_interpreter_that_dies_while_compiling_fails_the_run_and_names_the_file(
    locked: Tool, target: Target, tmp_path: Path
) -> None:
    system = standalone_interpreter(tmp_path / "system")
    library = system.site.parent / "py_compile.py"
    library.unlink()
    library.write_text("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")
    run = locked.sync(locked.folder / "lock.txt", system, options=COMPILE)
    assert run.code == 1 and "cannot compile" in run.err and "signal 9" in run.err and ".py with" in run.err, run.err
    assert "--no-compile-bytecode" in run.err and system.installed() == set()
    assert leftovers(locked.cache) == []
    assert locked.sync(locked.folder / "lock.txt", system).code == 0


def test_a_cache_that_cannot_be_written_serves_a_run_all_the_same(locked: Tool, new_target: NewTarget) -> None:
    assert locked.sync(locked.folder / "lock.txt", new_target("plain")).code == 0
    blocker = locked.cache / "bytecode-v1"
    blocker.write_text("a file in the way")
    run = locked.sync(locked.folder / "lock.txt", new_target("compiled"), options=COMPILE)
    assert run.code == 1 and "cannot keep bytecode in the cache" in run.err and str(locked.cache) in run.err
    assert "Traceback" not in run.err


def test_compiled_files_leave_the_cache_with_their_wheel(locked: Tool, target: Target) -> None:
    sync(locked, target)
    run = locked.run(sys.executable, "-m", "cli", "cache", "clean", "one", "--cache-dir", str(locked.cache))
    assert run.code == 0, run.err
    assert list(locked.cache.glob("bytecode-v1/*/*/*")) == []
