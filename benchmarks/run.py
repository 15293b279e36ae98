"""Measures engine, uv and pip on the same work, in turn.

    make bench                  all rows, and the tables and pictures of the README
    make bench-quick            a few rows, two rounds; writes .bench/ only
    .venv/bin/python -m benchmarks.run 'sync/docs/*' --rounds 5

Owns the command line and the order of things: it asks the mirror for what is missing, compiles the locks at the first
run, measures row by row, and writes what it came to after each, so that a run that was ended is not lost: all rows to
.bench/results.json, some to .bench/some-results.json.  A row that fails does not end the run: its name is written in
place of its figures, and the exit code is 1.
"""

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks import synthetic, tables, universe
from benchmarks.figures import FAILED, SIZE, Figure, Results, from_json, to_json
from benchmarks.link import relay_command
from benchmarks.machine import describe_commit, describe_machine, describe_version, file_system
from benchmarks.measuring import Bench, Programs, RunFailed, check_space, measure, run_once, variables
from benchmarks.mirror import run_mirror
from benchmarks.nginx import find_nginx
from benchmarks.rows import ONE_VERSION, QUICK, Row, Work, all_rows, choose, needed_bytes

ROOT = Path(__file__).resolve().parents[1]
ONE_FILE = ROOT / "dist/engine.pyz"
MEMORY = Path("/dev/shm")
_OF_ONE_RUN = ("distributions", FAILED)
"""What a setting has that another run of the same may have otherwise."""


def main() -> int:
    """Runs what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", help="names of rows, or shell patterns (default: all)")
    parser.add_argument("--list", action="store_true", help="print the names of the rows and end")
    parser.add_argument("--quick", action="store_true", help="few rows and two rounds")
    parser.add_argument("--rounds", type=int, help="how often each tool runs (default: 11, with --quick 2)")
    parser.add_argument("--pip-rounds", type=int, default=3, help="how often pip does, which takes long (default: 3)")
    parser.add_argument("--python", default=sys.executable, help="what environments are made for (default: this one)")
    parser.add_argument("--index-url", help="where the mirror fetches what it has not (default: what pip would ask)")
    parser.add_argument("--folder", type=Path, help="where to run (default: /dev/shm, or the temporary folder)")
    parser.add_argument("--resume", action="store_true", help="keep what a run that was ended has measured")
    parser.add_argument("--state", type=Path, default=ROOT / ".bench", help="mirror, tools, locks and results")
    options = parser.parse_args()
    rows = choose(all_rows(), options.rows or list(QUICK if options.quick else ()))
    if options.list:
        print("\n".join(row.name for row in rows))
        return 0
    if not rows:
        parser.error("no row has such a name; --list tells them")
    plan = Plan(
        rows=rows,
        rounds=options.rounds or (2 if options.quick else 11),
        pip_rounds=options.pip_rounds,
        folder=options.folder or (MEMORY if MEMORY.is_dir() else Path(tempfile.gettempdir())),
        state=options.state,
        python=options.python,
        index_url=options.index_url,
        resume=options.resume,
        results=options.state / ("results.json" if len(rows) == len(all_rows()) else "some-results.json"),
    )
    end_in_order()
    try:
        failed = run(plan)
    except RunFailed as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if failed:
        print(f"error: {len(failed)} of {len(rows)} rows failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def end_in_order() -> None:
    """Makes SIGTERM end this process as Ctrl-C does: servers are stopped, and folders deleted."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to measure, how often, where, and for which interpreter; `state` has mirror, tools and locks."""

    rows: list[Row]
    rounds: int
    pip_rounds: int
    folder: Path
    state: Path
    python: str
    index_url: str | None
    resume: bool
    results: Path


def run(plan: Plan) -> list[str]:
    """Measures and writes what it came to, after each row.

    Returns:
        The names of the rows that failed.

    Raises:
        RunFailed: when there is no room for the largest row; nothing is measured then.
    """
    if not plan.resume:
        # Whatever ends this run, nothing of an earlier one is published as if it were of this one.
        plan.results.unlink(missing_ok=True)
    programs = find_programs(plan.state, plan.python)
    failed: list[str] = []
    with ExitStack() as stack:
        bench = open_bench(stack, plan, programs)
        rows = possible(plan.rows, bench)
        check_space(plan.folder, max((needed_bytes(row, plan.rounds, plan.pip_rounds) for row in rows), default=0))
        setting = describe_setting(bench, plan.rounds, plan.pip_rounds)
        figures = earlier(plan.results, setting) if plan.resume else {}
        write_results(plan.results, bench, setting, rows, figures, failed)
        for number, row in enumerate(rows, 1):
            if row.name in figures:
                continue
            started = time.monotonic()
            try:
                provide(bench, row, plan.state)
                figures[row.name] = measure(bench, row, plan.rounds, plan.pip_rounds)
            except (RunFailed, OSError, subprocess.SubprocessError) as error:
                failed.append(row.name)
                print(f"{number}/{len(rows)} {row.name}: error: {error}", file=sys.stderr, flush=True)
            else:
                cell, took = tables.cell(figures[row.name].tools), time.monotonic() - started
                print(f"{number}/{len(rows)} {row.name}: {cell}  [{took:.0f} s]", flush=True)
            write_results(plan.results, bench, setting, rows, figures, failed)
    return failed


def possible(rows: list[Row], bench: Bench) -> list[Row]:
    """Returns the rows that can be measured here, and says of the others why they cannot."""
    found: list[Row] = []
    for row in rows:
        missing = [tool for tool in row.tools if tool not in bench.programs.commands]
        if missing:
            print(f"{row.name}: not measured: {' and '.join(missing)} not there; make dist makes it", flush=True)
        elif row.apart and bench.elsewhere is None:
            print(f"{row.name}: not measured: there is no second file system", flush=True)
        else:
            found.append(row)
    return found


def write_results(
    path: Path, bench: Bench, setting: dict[str, str], rows: list[Row], figures: dict[str, Figure], failed: list[str]
) -> None:
    """Writes what there is so far, in the order of the rows, and which failed."""
    ordered = tuple(figures[row.name] for row in rows if row.name in figures)
    words = {**setting, "distributions": describe_locks(bench.locks)}
    if failed:
        words[FAILED] = ", ".join(failed)
    path.write_text(to_json(Results(setting=words, figures=ordered)), encoding="utf-8")


def open_bench(stack: ExitStack, plan: Plan, programs: Programs) -> Bench:
    """Starts the mirrors, which end with `stack`."""
    return Bench(
        programs=programs,
        real=stack.enter_context(run_mirror(plan.state / "mirror", plan.index_url, find_nginx())),
        synthetic=stack.enter_context(run_mirror(plan.state / "synthetic", None, find_nginx())),
        relay=relay_command(plan.state),
        requirements=ROOT / "benchmarks/inputs",
        locks=plan.state / "locks" / describe_version([plan.python]).rpartition(".")[0],
        folder=plan.folder,
        elsewhere=other_file_system(plan.folder, (plan.state, Path(tempfile.gettempdir()), MEMORY)),
    )


def other_file_system(folder: Path, others: Iterable[Path]) -> Path | None:
    """Returns the first of other folders that is on another file system than `folder`; None where none is."""
    here = folder.stat().st_dev
    return next((other for other in others if other.is_dir() and other.stat().st_dev != here), None)


def earlier(path: Path, setting: dict[str, str]) -> dict[str, Figure]:
    """Returns what a run that was ended has measured, by name, unless it measured something else or elsewhere."""
    if not path.exists():
        return {}
    results = from_json(path.read_text(encoding="utf-8"))
    nothing = dict.fromkeys(_OF_ONE_RUN, "")
    if {**setting, **nothing} != {**results.setting, **nothing}:
        return {}
    return {figure.name: figure for figure in results.figures}


def describe_locks(locks: Path) -> str:
    """Returns how many distributions each lock has, in words."""
    counts = {path.stem: path.read_text(encoding="utf-8").count("==") for path in sorted(locks.glob("*.txt"))}
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def find_programs(state: Path, python: str) -> Programs:
    """Returns the commands of the tools that `make bench` installed, and of those of our files that were made."""
    tools = state / "tools/bin"
    commands = {
        "engine": [str(tools / "engine")],
        "uv": [str(tools / "uv")],
        "pip": [str(tools / "python"), "-m", "pip"],
    }
    for file in (ONE_FILE, ONE_FILE.with_name(ONE_VERSION)):
        if file.exists():
            commands[file.name] = [str(file)]
    return Programs(commands=commands, python=python)


def provide(bench: Bench, row: Row, state: Path) -> None:
    """Makes what a row needs and does not have yet: its synthetic distributions, or its lock."""
    for name, files in row.synthetic:
        synthetic.publish(state / "synthetic", name, files)
    if row.universe:
        universe.publish(state / "synthetic")
    lock = bench.locks / f"{row.source}.txt"
    if row.source and row.work is Work.SYNC and not lock.exists():
        print(f"{row.source}: compiling its lock, and filling the mirror", flush=True)
        lock.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="bench-", dir=bench.folder) as base:
            compiled = Path(base) / "lock.txt"
            command = [*bench.programs.commands["uv"], "pip", "compile", "-q", "--no-header", "--no-annotate"]
            command += ["--only-binary", ":all:", "--cache-dir", f"{base}/cache", "-p", bench.programs.python]
            command += ["--index-url", f"https://localhost:{bench.real.port}/simple/", "-o", str(compiled)]
            run_once(
                [*command, str(bench.requirements / f"{row.source}.in")], variables(Path(base), bench.real.authority)
            )
            lock.write_bytes(compiled.read_bytes())


def describe_sizes(files: Iterable[Path]) -> dict[str, str]:
    """Returns how large files are, in megabytes: words to words."""
    return {f"{SIZE}{file.name}": f"{file.stat().st_size / 1e6:.0f} MB" for file in files}


def describe_setting(bench: Bench, rounds: int, pip_rounds: int) -> dict[str, str]:
    """Returns what the figures depend on: words to words."""
    commands = bench.programs.commands
    version = subprocess.run(
        [bench.programs.python, "-c", "import platform as p; print(p.python_implementation(), p.python_version())"],
        check=True,
        capture_output=True,
        text=True,
    )
    return {
        **describe_machine(bench.folder),
        **({"other file system": file_system(bench.elsewhere)} if bench.elsewhere else {}),
        **{tool: describe_version(commands[tool]) for tool in ("engine", "uv", "pip")},
        "commit": describe_commit(ROOT),
        "interpreter of the environments": version.stdout.strip(),
        "interpreter of engine and pip": describe_version([commands["pip"][0]]),
        "index": bench.real.server,
        "link": "compiled" if bench.relay[0].endswith("link") else "interpreted",
        **describe_sizes(Path(command[0]) for name, command in commands.items() if name.endswith(".pyz")),
        "rounds": f"{rounds}, of pip {min(rounds, pip_rounds)}",
    }


if __name__ == "__main__":
    sys.exit(main())
