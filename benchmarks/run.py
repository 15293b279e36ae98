"""Measures engine, uv and pip on the same work, in turn.

    make bench                  all rows, and the tables and pictures of the README
    make bench-quick            a few rows, two rounds; writes .bench/ only
    .venv/bin/python -m benchmarks.run 'sync/docs/*' --rounds 5

Owns the command line and the order of things: it asks the mirror for what is missing, compiles the locks at the first
run, measures row by row, and writes .bench/results.json after each, so that a run that was ended is not lost.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks import synthetic, tables
from benchmarks.figures import Figure, Results, to_json
from benchmarks.link import relay_command
from benchmarks.machine import describe_machine, describe_version
from benchmarks.measuring import Bench, Programs, RunFailed, measure, run_once, variables
from benchmarks.mirror import find_nginx, run_mirror
from benchmarks.rows import QUICK, Row, Work, all_rows, choose

ROOT = Path(__file__).resolve().parents[1]
ONE_FILE = ROOT / "dist/engine.pyz"
MEMORY = Path("/dev/shm")


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
    parser.add_argument("--state", type=Path, default=ROOT / ".bench", help="mirror, tools, locks and results")
    options = parser.parse_args()
    rows = choose(all_rows(), options.rows or list(QUICK if options.quick else ()))
    if options.list:
        print("\n".join(row.name for row in rows))
        return 0
    if not rows:
        parser.error("no row has such a name; --list tells them")
    rounds = options.rounds or (2 if options.quick else 11)
    folder = options.folder or (MEMORY if MEMORY.is_dir() else Path(tempfile.gettempdir()))
    try:
        run(rows, rounds, options.pip_rounds, folder, options.state, options.python, options.index_url)
    except RunFailed as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def run(
    rows: list[Row], rounds: int, pip_rounds: int, folder: Path, state: Path, python: str, index_url: str | None
) -> Results:
    """Measures rows and writes what they came to."""
    programs = find_programs(state, python)
    rows = [row for row in rows if row.tools[-1] in programs.commands]
    with ExitStack() as stack:
        real = stack.enter_context(run_mirror(state / "mirror", index_url, find_nginx()))
        made = stack.enter_context(run_mirror(state / "synthetic", None, find_nginx()))
        bench = Bench(
            programs=programs,
            real=real,
            synthetic=made,
            relay=relay_command(state),
            requirements=ROOT / "benchmarks/inputs",
            locks=state / "locks",
            folder=folder,
        )
        setting = describe_setting(bench, rounds, pip_rounds)
        figures: list[Figure] = []
        for number, row in enumerate(rows, 1):
            provide(bench, row, state)
            started = time.monotonic()
            figures.append(measure(bench, row, rounds, pip_rounds))
            took = time.monotonic() - started
            print(f"{number}/{len(rows)} {row.name}: {tables.cell(figures[-1].tools)}  [{took:.0f} s]", flush=True)
            results = Results(setting=setting, figures=tuple(figures))
            (state / "results.json").write_text(to_json(results), encoding="utf-8")
    return results


def find_programs(state: Path, python: str) -> Programs:
    """Returns the commands of the tools that `make bench` installed, and of the one file where it was made."""
    tools = state / "tools/bin"
    commands = {
        "engine": [str(tools / "engine")],
        "uv": [str(tools / "uv")],
        "pip": [str(tools / "python"), "-m", "pip"],
    }
    if ONE_FILE.exists():
        commands["engine.pyz"] = [str(ONE_FILE)]
    return Programs(commands=commands, python=python)


def provide(bench: Bench, row: Row, state: Path) -> None:
    """Makes what a row needs and does not have yet: its synthetic distributions, or its lock."""
    for name, files in row.synthetic:
        synthetic.publish(state / "synthetic", name, files)
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
        **{tool: describe_version(commands[tool]) for tool in ("engine", "uv", "pip")},
        "interpreter of the environments": version.stdout.strip(),
        "interpreter of engine and pip": describe_version([commands["pip"][0]]),
        "index": bench.real.server,
        "link": "compiled" if bench.relay[0].endswith("link") else "interpreted",
        "rounds": f"{rounds}, of pip {min(rounds, pip_rounds)}",
    }


if __name__ == "__main__":
    sys.exit(main())
