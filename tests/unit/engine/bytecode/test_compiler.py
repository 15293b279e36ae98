"""Children that compile: what they answer, and what happens when they do not."""

import json
import os
import sys
from pathlib import Path

import anyio
import pytest

from engine.bytecode.compiler import Module, open_compilers
from engine.errors import InstallFailed

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(os.name == "nt", reason="interpreters are POSIX scripts")]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def module(tmp_path: Path, name: str, content: str) -> Module:
    source = tmp_path / f"{name}.py"
    source.write_text(content)
    return Module(str(source), str(tmp_path / "out" / f"{name}.pyc"), f"pkg/{name}.py")


async def test_each_module_is_answered_for_in_order(tmp_path: Path) -> None:
    modules = [module(tmp_path, "a", "x = 1\n"), module(tmp_path, "b", "print 'x'\n"), module(tmp_path, "c", "")]
    async with open_compilers() as compilers:
        first, second, third = await compilers.compile(sys.executable, modules, hashed=False)
    found = os.stat(modules[0].target)
    assert (first.size_bytes, first.mtime_ns, first.skipped) == (found.st_size, found.st_mtime_ns, "")
    assert second.skipped.startswith("SyntaxError") and not os.path.exists(modules[1].target)
    assert third.skipped == "" and b"pkg/a.py" in Path(modules[0].target).read_bytes()
    assert str(tmp_path).encode() not in Path(modules[0].target).read_bytes()


async def test_hashed_files_do_not_depend_on_the_mtime(tmp_path: Path) -> None:
    one = module(tmp_path, "a", "x = 1\n")
    contents = []
    async with open_compilers() as compilers:
        for seconds in (1_000, 2_000):
            os.utime(one.source, (seconds, seconds))
            await compilers.compile(sys.executable, [one], hashed=True)
            contents.append(Path(one.target).read_bytes())
    assert contents[0] == contents[1] and contents[0][4:8] == b"\x01\0\0\0"


async def test_one_child_serves_turn_after_turn_and_ends_with_the_block(tmp_path: Path) -> None:
    shim, log = recording(tmp_path)
    async with open_compilers() as compilers:
        for name in "abc":
            await compilers.compile(str(shim), [module(tmp_path, name, "")], hashed=False)
    (pid,) = log.read_text().split()
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)


def recording(tmp_path: Path) -> tuple[Path, Path]:
    """An interpreter that writes down its process id."""
    log = tmp_path / "log"
    return shim(tmp_path, f'echo $$ >> "{log}"; exec "{sys.executable}" "$@"'), log


def shim(tmp_path: Path, body: str) -> Path:
    path = tmp_path / "interpreter"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


async def failure(tmp_path: Path, python: Path, seconds: int = 60, grace_seconds: float = 10) -> InstallFailed:
    modules = [module(tmp_path, "first", ""), module(tmp_path, "second", "")]
    async with open_compilers(seconds, grace_seconds) as compilers:
        with pytest.raises(InstallFailed) as caught:
            await compilers.compile(str(python), modules, hashed=False)
    assert caught.value.hint is not None and "--no-compile-bytecode" in caught.value.hint
    return caught.value


async def test_a_child_that_dies_is_an_error_about_the_file_it_was_at(tmp_path: Path) -> None:
    answer = json.dumps(["done", 1, 1, "00"])
    error = await failure(tmp_path, shim(tmp_path, f"read line; echo '{answer}'; kill -9 $$"))
    assert "cannot compile pkg/second.py" in error.message and "signal 9" in error.message


async def test_the_last_words_of_a_child_are_told(tmp_path: Path) -> None:
    error = await failure(tmp_path, shim(tmp_path, "read line; echo 'no standard library' >&2; exit 3"))
    assert "cannot compile pkg/first.py" in error.message and "no standard library" in error.message


async def test_a_child_that_does_not_answer_is_ended(tmp_path: Path) -> None:
    with anyio.fail_after(20):
        error = await failure(tmp_path, shim(tmp_path, "exec tail -f /dev/null"), seconds=0, grace_seconds=0.3)
    assert "took longer than 0 seconds" in error.message


async def test_a_file_that_takes_too_long_ends_its_compiler_by_the_alarm(tmp_path: Path) -> None:
    """The time is spent inside the compiler, where no Python code runs."""
    code = "import sys, signal, runpy; sys.argv = sys.argv[1:]; import py_compile; "
    code += "py_compile.compile = lambda *a, **k: [None for _ in iter(int, 1)]; "
    code += "runpy.run_path(sys.argv[0], run_name='__main__')"
    skip = 'while [ "${1#-}" != "$1" ] || [ "$1" = ignore ]; do shift; done'
    with anyio.fail_after(30):
        error = await failure(tmp_path, shim(tmp_path, f'{skip}; exec "{sys.executable}" -c "{code}" "$@"'), seconds=1)
    assert "cannot compile pkg/first.py" in error.message and "took longer than 1 seconds" in error.message


async def test_an_interpreter_that_cannot_be_started_is_named(tmp_path: Path) -> None:
    error = await failure(tmp_path, tmp_path / "gone")
    assert f"cannot compile with {tmp_path / 'gone'}" in error.message


async def test_a_disk_that_refuses_is_not_taken_for_a_bad_module(tmp_path: Path) -> None:
    one = module(tmp_path, "a", "")
    (tmp_path / "out").write_text("a file in the way")
    async with open_compilers() as compilers:
        with pytest.raises(InstallFailed, match=r"cannot keep the bytecode of pkg/a\.py"):
            await compilers.compile(sys.executable, [one], hashed=False)


async def test_a_cancelled_run_leaves_no_child(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pid")
    python = shim(tmp_path, f'echo $$ > "{tmp_path}/pid"; exec tail -f /dev/null')
    async with open_compilers() as compilers, anyio.create_task_group() as group:
        group.start_soon(lambda: compilers.compile(str(python), [module(tmp_path, "a", "")], hashed=False))
        pid = int(await anyio.Path(tmp_path / "pid").read_text())
        group.cancel_scope.cancel()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_child_ends_when_its_parent_has(tmp_path: Path) -> None:
    """The script looks before each file; here its parent is another process than it is told."""
    import subprocess

    from engine.bytecode import compiler

    script = Path(compiler.__file__).with_name("script.py")
    order = json.dumps({"hashed": False, "files": [module(tmp_path, "a", "")]}) + "\n"
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-B", str(script), "1", "60"], input=order, capture_output=True, text=True
    )
    assert run.stdout == "" and not (tmp_path / "out").exists()
