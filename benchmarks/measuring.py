"""Runs the tools of a row in turn and takes the time.

Owns the folders of the runs, the environment variables that tools get, and their commands.  It prints nothing and
keeps no result.

Rules: a tool sees no settings of the user's; each run has a new folder (and, where the state says so, a new cache), and
all are deleted when the row is done, because on some file systems the deletion of many files slows the creation of
others that follows; environments are made before the clock starts.
"""

import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks import synthetic
from benchmarks.figures import Figure, Runs
from benchmarks.link import relay
from benchmarks.mirror import Mirror
from benchmarks.rows import Row, State, Work

OUTPUT_CHARACTERS = 2000
_LAUNCHER = Path(__file__).with_name("launch.py")


class RunFailed(Exception):
    """A tool did not do what it was to do; the text says which, and what it said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Programs:
    """The commands of the tools, and the interpreter that environments are made for."""

    commands: dict[str, list[str]]
    python: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """All that runs need: programs, the mirrors of real and of synthetic distributions, the relay, and where to run."""

    programs: Programs
    real: Mirror
    synthetic: Mirror
    relay: list[str]
    requirements: Path
    locks: Path
    folder: Path


def measure(bench: Bench, row: Row, rounds: int, pip_rounds: int) -> Figure:
    """Measures one row.

    Args:
        bench: what to run with.
        row: what to run.
        rounds: how often each tool runs.
        pip_rounds: how often pip does, which takes long.

    Raises:
        RunFailed: when a tool failed.
    """
    tools = [tool for tool in row.tools if tool in bench.programs.commands]
    rounds_of = {tool: min(rounds, pip_rounds) if tool == "pip" else rounds for tool in tools}
    with tempfile.TemporaryDirectory(prefix="bench-", dir=bench.folder) as base, ExitStack() as stack:
        mirror = bench.synthetic if row.synthetic else bench.real
        port = mirror.stale_port if row.state is State.STALE else mirror.port
        if row.link is not None:
            port = stack.enter_context(relay(bench.relay, port, row.link))
        runner = _Runner(bench, row, Path(base), mirror, f"https://localhost:{port}/simple/")
        for tool in tools:
            runner.prepare(tool)
        took: dict[str, list[tuple[float, int]]] = {tool: [] for tool in tools}
        for number in range(rounds):
            for tool in tools:
                if number < rounds_of[tool]:
                    took[tool].append(runner.run(tool))
    return Figure(
        name=row.name,
        group=row.group,
        label=row.label,
        column=row.column,
        tools={
            tool: Runs(
                seconds=tuple(round(seconds, 5) for seconds, _ in runs), peak_bytes=max(peak for _, peak in runs)
            )
            for tool, runs in took.items()
        },
    )


class _Runner:
    def __init__(self, bench: Bench, row: Row, base: Path, mirror: Mirror, index_url: str) -> None:
        self._bench = bench
        self._row = row
        self._base = base
        self._index_url = index_url
        self._variables = variables(base, mirror.authority)
        self._number = 0
        self._kept: dict[str, list[Path]] = {}
        self._source = bench.requirements / f"{row.source}.in"
        if row.synthetic:
            self._source = base / "synthetic.txt"
            self._source.write_text(synthetic.lock([name for name, _ in row.synthetic]), encoding="utf-8")
        elif row.work is Work.SYNC:
            self._source = bench.locks / f"{row.source}.txt"

    def prepare(self, tool: str) -> None:
        """Runs once without the clock: fills the mirror, the tool's cache, and the environments of those that stay."""
        self._kept[tool] = self._environments()
        self._spend(tool, self._cache(tool), self._kept[tool])

    def run(self, tool: str) -> tuple[float, int]:
        """Returns the seconds that one run took and its peak memory in bytes."""
        if self._row.state is State.DONE:
            return self._spend(tool, self._cache(tool), self._kept[tool])
        cache = self._new("cache") if self._row.state is State.COLD else self._cache(tool)
        return self._spend(tool, cache, self._environments())

    def _cache(self, tool: str) -> Path:
        return self._base / f"cache-of-{tool}"

    def _new(self, what: str) -> Path:
        self._number += 1
        return self._base / f"{what}-{self._number}"

    def _environments(self) -> list[Path]:
        if self._row.work is Work.START:
            return []
        made = [self._new("environment") for _ in range(self._row.environments)]
        for environment in made:
            command = [*self._bench.programs.commands["uv"], "venv", "-q", "-p", self._bench.programs.python]
            run_once([*command, str(environment)], self._variables)
        return made

    def _spend(self, tool: str, cache: Path, environments: list[Path]) -> tuple[float, int]:
        seconds, peak = 0.0, 0
        for command in self._commands(tool, cache, environments):
            spent, most = run_once(command, self._variables)
            seconds, peak = seconds + spent, max(peak, most)
        return seconds, peak

    def _commands(self, tool: str, cache: Path, environments: list[Path]) -> list[list[str]]:
        program = self._bench.programs.commands[tool]
        if self._row.work is Work.START:
            return [[*program, "--version"]]
        pythons = [str(interpreter(environment)) for environment in environments]
        output = self._new("output")
        options = ["-q", "--cache-dir", str(cache), "--index-url", self._index_url]
        words = {
            Work.SYNC: ["sync", str(self._source)],
            Work.INSTALL: ["install", "-r", str(self._source)],
            Work.COMPILE: ["compile", str(self._source), "-o", str(output)],
        }[self._row.work]
        if tool == "pip":
            without = ["--no-deps"] if self._row.work is Work.SYNC else []
            words = ["install", *without, "-r", str(self._source)]
            return [[*program, "--python", python, *words, *options] for python in pythons]
        if tool == "uv":
            return [[*program, "pip", *words, *options, "-p", python] for python in pythons]
        return [[*program, *words, *options, *(word for python in pythons for word in ("--python", python))]]


def interpreter(environment: Path) -> Path:
    """Returns the interpreter of an environment."""
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def variables(base: Path, authority: Path) -> dict[str, str]:
    """Returns the environment variables of a tool: those of a user without settings, who trusts the mirror.

    What looks for an interpreter finds that of the other tools first, and no version manager's shim, which is slow.
    """
    home = base / "home"
    home.mkdir(exist_ok=True)
    interpreters = os.path.dirname(os.path.realpath(sys.executable))
    return {
        **{name: os.environ[name] for name in ("SYSTEMROOT", "LANG") if name in os.environ},
        "PATH": os.pathsep.join((interpreters, os.environ.get("PATH", os.defpath))),
        "HOME": str(home),
        "TMPDIR": str(base),
        "SSL_CERT_FILE": str(authority),
        "PIP_CERT": str(authority),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
        "UV_PYTHON_DOWNLOADS": "never",
        "NO_COLOR": "1",
    }


def run_once(command: list[str], variables: dict[str, str]) -> tuple[float, int]:
    """Runs a command.

    Returns:
        The seconds from start to end, and the peak of its resident memory in bytes (0 where the system does not tell).

    Raises:
        RunFailed: when it failed; with the end of what it said.
    """
    with tempfile.TemporaryFile() as log:
        started = [sys.executable, "-I", "-S", str(_LAUNCHER), *command]
        done = subprocess.run(started, env=variables, check=True, stdout=subprocess.PIPE, stderr=log)
        seconds, peak, exit_code = done.stdout.split()
        if int(exit_code):
            log.seek(0)
            said = log.read().decode(errors="replace")[-OUTPUT_CHARACTERS:]
            raise RunFailed(f"exit code {int(exit_code)}: {' '.join(command)}\n{said}")
    return float(seconds), int(peak)
