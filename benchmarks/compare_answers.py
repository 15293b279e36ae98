"""Compares the versions that `engine compile` and `uv pip compile` choose for the same requirements.

    python benchmarks/compare_answers.py --uv /path/to/uv --index-url https://example.com/simple/ some.in
    python benchmarks/compare_answers.py --uv uv --resolution highest --resolution lowest --python-version 3.9 some.in
    python benchmarks/compare_answers.py --uv uv --unpin lock.txt

Every value of an option that is given several times is combined with every value of the others.  uv is told
`--only-binary :all:`, because engine builds nothing.  One line tells each combination: `same`, `both fail`, or
`DIFFERENT` with the lines that only one has.  The exit code is 1 when there is a difference.

`--unpin` takes the names of the pins of a lock as requirements, `--at-least` their versions as lower bounds.  What is
asked for is what these lists need: whoever means to compare much has a mirror of their own.
"""

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

#: Options of which every combination is tried; both tools spell them alike.
COMBINED = ("resolution", "prerelease", "python-version", "python-platform", "exclude-newer", "fork-strategy")
RUN_SECONDS = 900


class Answer(NamedTuple):
    """What a tool said: its pins, or None and the first lines of its error."""

    pins: frozenset[str] | None
    error: str


def main() -> int:
    """Runs the command line."""
    options = _arguments().parse_args()
    differences = runs = 0
    with tempfile.TemporaryDirectory() as folder:
        inputs = _inputs(options, Path(folder))
        for words in _combinations(options):
            for name in inputs:
                runs += 1
                differences += _compare(options, name, words, Path(folder))
    print(f"{runs} compared, {differences} different")
    return 1 if differences else 0


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Compares the answers of engine and uv.")
    parser.add_argument("files", nargs="+", help="requirements.in files, or locks with --unpin and --at-least")
    parser.add_argument("--uv", required=True, help="the uv to compare with")
    parser.add_argument("--engine", default=os.path.join(os.path.dirname(sys.executable), "engine"))
    parser.add_argument("--index-url", help="what both ask; the default of each is its own")
    parser.add_argument("--constraint", action="append", default=[], help="for both")
    parser.add_argument("--universal", action="store_true", help="for both; markers are compared as text")
    parser.add_argument("--without-markers", action="store_true", help="markers of pins do not count")
    parser.add_argument("--unpin", action="store_true", help="only the names of the files' pins are wanted")
    parser.add_argument("--at-least", action="store_true", help="the versions of the files' pins are lower bounds")
    parser.add_argument("--each", action="store_true", help="every requirement of the files is a list of its own")
    parser.add_argument("--show-errors", action="store_true", help="what both say when there is no answer")
    for option in COMBINED:
        parser.add_argument(f"--{option}", action="append", default=[], metavar="VALUE", help="may be repeated")
    return parser


def _combinations(options: argparse.Namespace) -> Iterator[list[str]]:
    given = {option: getattr(options, option.replace("-", "_")) for option in COMBINED}
    asked = [[(f"--{option}", value) for value in values] for option, values in given.items() if values]
    for combination in itertools.product(*asked):
        yield [word for pair in combination for word in pair]


def _inputs(options: argparse.Namespace, folder: Path) -> list[Path]:
    """Returns the files that are compiled: those of the command line, or what was made of them."""
    if not (options.unpin or options.at_least or options.each):
        return [Path(name).absolute() for name in options.files]
    found: list[Path] = []
    for name in options.files:
        lines = [_loosened(one, options) for one in _requirements(Path(name))]
        pieces = [[line] for line in lines] if options.each else [lines]
        for number, piece in enumerate(pieces):
            path = folder / (f"{Path(name).stem}-{number}.in" if options.each else f"{Path(name).stem}.in")
            path.write_text("".join(f"{line}\n" for line in piece), encoding="utf-8")
            found.append(path)
    return found


def _requirements(path: Path) -> Iterator[Requirement]:
    for line in path.read_text(encoding="utf-8").splitlines():
        text = line.partition(" #")[0].partition(" --")[0].rstrip("\\ ").strip()
        if not text or text.startswith(("#", "-")):
            continue
        try:
            yield Requirement(text)
        except InvalidRequirement:
            print(f"left out: {text}", file=sys.stderr)


def _loosened(requirement: Requirement, options: argparse.Namespace) -> str:
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    bound = str(requirement.specifier)
    if options.unpin:
        bound = ""
    elif options.at_least:
        bound = bound.replace("==", ">=")
    return f"{requirement.name}{extras}{bound}" + (f" ; {requirement.marker}" if requirement.marker else "")


def _compare(options: argparse.Namespace, path: Path, words: Sequence[str], folder: Path) -> int:
    """Tells how one combination ended; returns 1 for a difference."""
    shared = [str(path), "--no-header", "--no-annotate", *words, *(["--universal"] if options.universal else [])]
    shared += [word for name in options.constraint for word in ("--constraint", os.path.abspath(name))]
    if options.index_url:
        shared += ["--index-url", options.index_url]
    ours = _answer([options.engine, "compile", *shared, "--cache-dir", str(folder / "engine")])
    theirs = _answer(
        [options.uv, "pip", "compile", *shared, "--only-binary", ":all:", "--cache-dir", str(folder / "uv")]
    )
    title = " ".join([path.name, *words])
    if options.without_markers:
        ours, theirs = _without_markers(ours), _without_markers(theirs)
    if ours.pins == theirs.pins:
        print(f"{'both fail' if ours.pins is None else 'same'}: {title}", flush=True)
        if ours.pins is None and options.show_errors:
            _print_errors(ours, theirs)
        return 0
    print(f"DIFFERENT: {title}", flush=True)
    for pin in sorted((ours.pins or frozenset()) - (theirs.pins or frozenset())):
        print(f"    engine {pin}")
    for pin in sorted((theirs.pins or frozenset()) - (ours.pins or frozenset())):
        print(f"    uv     {pin}")
    _print_errors(ours, theirs)
    return 1


def _without_markers(answer: Answer) -> Answer:
    if answer.pins is None:
        return answer
    return answer._replace(pins=frozenset(pin.partition(" ; ")[0] for pin in answer.pins))


def _print_errors(*answers: Answer) -> None:
    for tool, answer in zip(("engine", "uv"), answers, strict=True):
        for line in answer.error.splitlines():
            print(f"    {tool:6} | {line}")


def _answer(command: Sequence[str]) -> Answer:
    environ = {**os.environ, "UV_PYTHON_DOWNLOADS": "never", "UV_NO_CONFIG": "1", "ENGINE_NO_CONFIG": "1"}
    with tempfile.TemporaryDirectory() as elsewhere:
        run = subprocess.run(
            command, capture_output=True, text=True, cwd=elsewhere, env=environ, timeout=RUN_SECONDS, check=False
        )
    if run.returncode:
        return Answer(None, run.stderr.strip())
    return Answer(frozenset(filter(None, map(_pin, run.stdout.splitlines()))), "")


def _pin(line: str) -> str:
    """Returns a line of a lock in one spelling; "" for what is no pin."""
    if not line.strip() or line.startswith(("#", " ", "-")):
        return ""
    requirement = Requirement(line)
    where = f" ; {requirement.marker}" if requirement.marker else ""
    return f"{canonicalize_name(requirement.name)}{requirement.specifier or requirement.url}{where}"


if __name__ == "__main__":
    sys.exit(main())
