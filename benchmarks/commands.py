"""What each tool is told.

PURE.  Owns the command lines of engine, uv and pip for each kind of work, and how the input of a run differs from that
of the run before.  It runs nothing and writes nothing.

Rules: all tools do the same work.  What only some do by default is turned off: pip compiles modules, the others do not;
pip and uv build sdists, engine does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.rows import State, Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One run of a tool: what it does, to which file, for which interpreters, with which cache and index.

    `output` is where a compiled lock goes; `words` are more options for engine.
    """

    work: Work
    source: Path
    pythons: Sequence[Path]
    cache: Path
    index_url: str
    output: Path
    words: Sequence[str] = ()


def commands(tool: str, program: Sequence[str], job: Job) -> list[list[str]]:
    """Returns the commands that a run of a tool takes: one for engine, and for the others one for each environment.

    Args:
        tool: its name; what begins with `engine` is told what engine is told.
        program: how it is started.
        job: what it is to do.
    """
    if job.work is Work.START:
        return [[*program, "--version"]]
    options = ["-q", "--cache-dir", str(job.cache), "--index-url", job.index_url]
    if tool == "pip":
        words = ["install", "--no-compile", *(("--no-deps",) if job.work is Work.SYNC else _WHEELS)]
        return [[*program, "--python", str(python), *words, "-r", str(job.source), *options] for python in job.pythons]
    words = {
        Work.SYNC: ["sync", str(job.source)],
        Work.INSTALL: ["install", "-r", str(job.source)],
        Work.COMPILE: ["compile", str(job.source), "-o", str(job.output)],
    }[job.work]
    if tool == "uv":
        wheels = () if job.work is Work.SYNC else _WHEELS
        return [[*program, "pip", *words, *wheels, *options, "-p", str(python)] for python in job.pythons]
    pythons = [word for python in job.pythons for word in ("--python", str(python))]
    return [[*program, *words, *job.words, *options, *pythons]]


_WHEELS = ("--only-binary", ":all:")


def input_of(text: str, state: State, number: int) -> str:
    """Returns the text of the input of one run.

    Args:
        text: of the lock or the requirements, a line for each.
        state: of the row; CHANGED and OTHER make the text another one for each run.
        number: of the round, from 1 on; 0 is the run that fills caches, which gets the text as it is.
    """
    if number == 0 or state not in (State.CHANGED, State.OTHER):
        return text
    lines = text.splitlines()
    if state is State.OTHER:
        del lines[number % len(lines)]
    return "\n".join([*lines, f"# round {number}", ""])


def in_turn(tools: Sequence[str], number: int) -> list[str]:
    """Returns the tools in the order of a round: each begins in turn, so that none always runs behind the same one."""
    first = number % len(tools)
    return [*tools[first:], *tools[:first]]
