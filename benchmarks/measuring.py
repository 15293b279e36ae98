"""Runs the tools of a row in turn and takes the time.

Owns the folders of the runs and the environment variables that tools get; commands.py has what they are told.  It
prints nothing and keeps no result.

Rules: a tool sees no settings of the user's; each run has a new folder (and, where the state says so, a new cache), and
all are deleted when the row is done, because on some file systems the deletion of many files slows the creation of
others that follows; environments are made before the clock starts.  Each round begins with another tool.  A row does
not start where there is no room for it.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks import launch, synthetic, universe
from benchmarks.commands import Job, commands, in_turn, input_of
from benchmarks.figures import Figure, Runs
from benchmarks.link import relay
from benchmarks.mirror import Mirror
from benchmarks.rows import Row, State, Work, needed_bytes

OUTPUT_CHARACTERS = 2000


class RunFailed(Exception):
    """A tool did not do what it was to do; the text says which, and what it said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Programs:
    """The commands of the tools, and the interpreter that environments are made for."""

    commands: dict[str, list[str]]
    python: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """All that runs need: programs, the mirrors of real and of synthetic distributions, the relay, and where to run.

    `elsewhere` is a folder on another file system than `folder`; None where there is none.
    """

    programs: Programs
    real: Mirror
    synthetic: Mirror
    relay: list[str]
    requirements: Path
    locks: Path
    folder: Path
    elsewhere: Path | None


def measure(bench: Bench, row: Row, rounds: int, pip_rounds: int) -> Figure:
    """Measures one row.

    Args:
        bench: what to run with.
        row: what to run.
        rounds: how often each tool runs.
        pip_rounds: how often pip does, which takes long; 0 leaves it out.

    Raises:
        RunFailed: when a tool failed, or there is no room.
    """
    check_space(bench.folder, needed_bytes(row, rounds, pip_rounds))
    rounds_of = {
        tool: min(rounds, pip_rounds) if tool == "pip" else rounds
        for tool in row.tools
        if tool in bench.programs.commands
    }
    tools = [tool for tool, count in rounds_of.items() if count]
    with ExitStack() as stack:
        base = stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-", dir=bench.folder))
        caches = base
        if row.apart:
            caches = stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-", dir=bench.elsewhere))
        mirror = bench.synthetic if row.synthetic or row.universe else bench.real
        port = mirror.stale_port if row.state is State.STALE else mirror.port
        if row.link is not None:
            port = stack.enter_context(relay(bench.relay, port, row.link))
        runner = _Runner(bench, row, Path(base), Path(caches), mirror, f"https://localhost:{port}/simple/")
        for tool in tools:
            runner.prepare(tool)
        took: dict[str, list[tuple[float, int]]] = {tool: [] for tool in tools}
        for number in range(rounds):
            for tool in in_turn(tools, number):
                if number < rounds_of[tool]:
                    took[tool].append(runner.run(tool, number + 1))
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
    def __init__(self, bench: Bench, row: Row, base: Path, caches: Path, mirror: Mirror, index_url: str) -> None:
        self._bench = bench
        self._row = row
        self._base = base
        self._caches = caches
        self._index_url = index_url
        self._variables = variables(base, mirror.authority)
        self._number = 0
        self._kept: dict[str, list[Path]] = {}
        self._text = _input_text(bench, row)

    def prepare(self, tool: str) -> None:
        """Runs once without the clock: fills the mirror, the tool's cache, and the environments of those that stay."""
        self._kept[tool] = self._environments()
        self._spend(tool, 0, self._cache(tool), self._kept[tool])

    def run(self, tool: str, number: int) -> tuple[float, int]:
        """Returns the seconds that one run took and its peak memory in bytes; `number` is that of the round."""
        if self._row.state is State.DONE:
            return self._spend(tool, number, self._cache(tool), self._kept[tool])
        cache = self._new("cache") if self._row.state is State.COLD else self._cache(tool)
        return self._spend(tool, number, cache, self._environments())

    def _cache(self, tool: str) -> Path:
        return self._caches / f"cache-of-{tool}"

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

    def _source(self, number: int) -> Path:
        name = "unchanged" if self._row.state not in (State.CHANGED, State.OTHER) else f"round-{number}"
        source = self._base / name / f"{self._row.source or 'synthetic'}.txt"
        if not source.exists():
            source.parent.mkdir()
            source.write_text(input_of(self._text, self._row.state, number), encoding="utf-8")
        return source

    def _spend(self, tool: str, number: int, cache: Path, environments: list[Path]) -> tuple[float, int]:
        job = Job(
            work=self._row.work,
            source=self._source(number),
            pythons=[interpreter(environment) for environment in environments],
            cache=cache,
            index_url=self._index_url,
            output=self._new("output"),
            words=self._row.words,
        )
        told = commands(tool, self._bench.programs.commands[tool], job)
        seen = self._variables
        if self._row.work is Work.START and self._row.state is State.COLD:
            seen = {**seen, "ENGINE_PYZ_DIR": str(cache)}
        if self._row.together:
            return run_together(told, seen)
        runs = [run_once(command, seen) for command in told]
        return sum(seconds for seconds, _ in runs), max(peak for _, peak in runs)


def _input_text(bench: Bench, row: Row) -> str:
    if row.universe:
        return universe.WANTED
    if row.synthetic:
        return synthetic.lock([name for name, _ in row.synthetic])
    if not row.source:
        return ""
    source = bench.locks / f"{row.source}.txt" if row.work is Work.SYNC else bench.requirements / f"{row.source}.in"
    return source.read_text(encoding="utf-8")


def check_space(folder: Path, needed_bytes: int) -> None:
    """Raises RunFailed unless the file system of a folder has that many bytes free."""
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < needed_bytes:
        raise RunFailed(
            f"{folder} has {free_bytes / 1e9:.1f} GB free, and {needed_bytes / 1e9:.1f} GB are needed;"
            " fewer --rounds need less, --folder names another place"
        )


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
    return run_together([command], variables)


def run_together(commands: list[list[str]], variables: dict[str, str]) -> tuple[float, int]:
    """Runs commands, which all start at once.

    Returns:
        The seconds until the last has ended, and the peak of the largest process in bytes (0 where the system does not
        tell).

    Raises:
        RunFailed: when any failed; with the end of what they said.
    """
    words = [word for command in commands for word in (launch.TOGETHER, *command)][1:]
    with tempfile.TemporaryFile() as log:
        started = [sys.executable, "-I", "-S", launch.__file__, *words]
        done = subprocess.run(started, env=variables, check=True, stdout=subprocess.PIPE, stderr=log)
        seconds, peak, exit_code = done.stdout.split()
        if int(exit_code):
            log.seek(0)
            said = log.read().decode(errors="replace")[-OUTPUT_CHARACTERS:]
            raise RunFailed(f"exit code {int(exit_code)}: {' '.join(words)}\n{said}")
    return float(seconds), int(peak)
