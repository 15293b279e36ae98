"""Runs interpreters that compile: as many as there are cores, each as long as it is needed.

A child is started when all others are busy, gets the next files when it has
answered, and ends with the run: its standard input is closed, and where it does
not notice it is killed.

Rules: a file that does not compile is no error, an interpreter that dies or does
not answer is, and names the file it was at.
"""

import json
import os
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from subprocess import PIPE
from typing import IO, Any, NamedTuple

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from engine.environment.interpreter import child_environment, last_line
from engine.errors import InstallFailed
from engine.parallel import cores

#: What uv gives a file, too; the largest modules that there are take five seconds.
FILE_SECONDS = 60
#: A child ends itself; this is for platforms without an alarm, and for children that cannot.
GRACE_SECONDS = 10
_ANSWER_MAX_BYTES = 1 << 16
_HINT = "--no-compile-bytecode installs without compiling"


class Module(NamedTuple):
    """A file to compile: absolute paths of source and result, and what tracebacks call it."""

    source: str
    target: str
    shown: str


class Compiled(NamedTuple):
    """What became of a module: size, mtime and sha256 (hex) of the compiled file, or why there is none."""

    size_bytes: int
    mtime_ns: int
    sha256: str = ""
    skipped: str = ""


class _Child(NamedTuple):
    process: Process
    answers: BufferedByteReceiveStream
    words: IO[bytes]


class Compilers:
    """Children that compile, made by `open_compilers`.

    Args:
        file_seconds: longest time for one file.
        grace_seconds: how much longer a child may be silent before it is killed.
    """

    def __init__(self, file_seconds: int = FILE_SECONDS, grace_seconds: float = GRACE_SECONDS) -> None:
        self._file_seconds = file_seconds
        self._silence_seconds = file_seconds + grace_seconds
        self._limiter = anyio.CapacityLimiter(cores())
        self._idle: dict[str, list[_Child]] = {}
        self._children: list[_Child] = []

    async def compile(self, python: str, modules: list[Module], *, hashed: bool) -> list[Compiled]:
        """Compiles modules with one child, when it is their turn.

        Args:
            python: absolute path of the interpreter.
            modules: in any order.
            hashed: make unchecked-hash files, else timestamp files.

        Returns:
            What became of each, in order.

        Raises:
            InstallFailed: when the interpreter cannot be started, dies, or takes too long; or nothing can be written.
        """
        async with self._limiter:
            idle = self._idle.setdefault(python, [])
            child = idle.pop() if idle else await self._start(python)
            done: list[Compiled] = []
            try:
                await self._ask(child, modules, hashed, done)
            except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.IncompleteRead, TimeoutError) as exc:
                raise await self._ended(python, child, modules[len(done)], exc) from exc
            idle.append(child)
            return done

    async def _ask(self, child: _Child, modules: list[Module], hashed: bool, done: list[Compiled]) -> None:
        assert child.process.stdin is not None
        order = json.dumps({"hashed": hashed, "files": modules}) + "\n"
        with anyio.fail_after(self._silence_seconds):
            await child.process.stdin.send(order.encode("ascii"))
        for module in modules:
            with anyio.fail_after(self._silence_seconds):
                line = await child.answers.receive_until(b"\n", _ANSWER_MAX_BYTES)
            done.append(_read_answer(line, module))

    async def _start(self, python: str) -> _Child:
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "script.py")
        command = [python, "-I", "-S", "-B", "-W", "ignore", script, str(os.getpid()), str(self._file_seconds)]
        words = _file_for_words()  # lives as long as the child
        try:
            # A child that nobody has been given yet would outlive a cancelled run.
            with anyio.CancelScope(shield=True):
                environ = child_environment()
                process = await anyio.open_process(command, stdin=PIPE, stdout=PIPE, stderr=words, env=environ)
        except OSError as exc:
            words.close()
            raise InstallFailed(f"cannot compile with {python}: {exc.strerror or exc}", hint=_HINT) from exc
        assert process.stdout is not None
        child = _Child(process, BufferedByteReceiveStream(process.stdout), words)
        self._children.append(child)
        return child

    async def _ended(self, python: str, child: _Child, module: Module, exc: Exception) -> InstallFailed:
        """Returns the error about a child that has ended, or is ended here because it does not answer."""
        if isinstance(exc, TimeoutError):
            child.process.kill()
        status = await child.process.wait()
        child.words.seek(0)
        if isinstance(exc, TimeoutError) or status == -getattr(signal, "SIGALRM", -1):
            reason = f"it took longer than {self._file_seconds} seconds"
        elif status < 0:
            reason = f"the interpreter was ended by signal {-status}"
        else:
            reason = last_line(child.words.read()) or f"the interpreter left with status {status}"
        return InstallFailed(f"cannot compile {module.shown} with {python}: {reason}", hint=_HINT)

    async def close(self) -> None:
        """Ends all children and waits for them."""
        for child in self._children:
            if child.process.returncode is None:
                child.process.kill()
        for child in self._children:
            await child.process.aclose()
            child.words.close()


def _read_answer(line: bytes, module: Module) -> Compiled:
    answer: list[Any] = json.loads(line)
    if answer[0] == "done":
        return Compiled(answer[1], answer[2], answer[3])
    if answer[0] == "skipped":
        return Compiled(0, 0, skipped=answer[1])
    raise InstallFailed(f"cannot keep the bytecode of {module.shown}: {answer[2]}: {answer[3]}", hint=_HINT)


@asynccontextmanager
async def open_compilers(
    file_seconds: int = FILE_SECONDS, grace_seconds: float = GRACE_SECONDS
) -> AsyncIterator[Compilers]:
    """Gives compilers that end when the block ends."""
    compilers = Compilers(file_seconds, grace_seconds)
    try:
        yield compilers
    finally:
        with anyio.CancelScope(shield=True):
            await compilers.close()


def _file_for_words() -> IO[bytes]:
    """Returns a file for what a child complains of; it is lost where no folder for temporary files can be written."""
    try:
        return tempfile.TemporaryFile()
    except FileNotFoundError:
        return open(os.devnull, "w+b")
