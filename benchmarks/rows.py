"""Which rows the benchmarks have.

PURE.  Owns the rows as data: what is done, to what, in which state, over which link, and which table or picture shows
it.  It runs nothing.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatch

from benchmarks import synthetic
from benchmarks.link import Speed

HOME = Speed(rtt_ms=20, mbit=200)
"""A good connection at home or in an office, to an index that is not far."""
MANY = 8
REMEMBERED = "(engine remembers the answer)"
"""What the label of a row says where engine has done the same before: it then neither reads nor resolves anything."""
ONE_VERSION = "engine-cp{}{}.pyz".format(*sys.version_info[:2])
"""The file that runs on one version of Python, the one that makes it, and is smaller for that."""


class Work(Enum):
    """What the tools do."""

    SYNC = "sync"
    INSTALL = "install"
    COMPILE = "compile"
    START = "start"


class State(Enum):
    """What the tools find.

    COLD: an empty cache.  WARM: a full cache, and new environments.  STALE: the same, and pages that have to be asked
    for again.  CHANGED: as WARM, and each run's input differs by a comment, so no answer is remembered.  OTHER: as
    WARM, and each run has another lock, which leaves one distribution out.  DONE: an environment that is in order
    already.
    """

    COLD = "cold"
    WARM = "warm"
    STALE = "stale"
    CHANGED = "changed"
    OTHER = "other"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One thing to measure.

    Attributes:
        name: what the command line calls it.
        group: the table or picture that it belongs to.
        label: its line there.
        column: its column there.
        work: what is done.
        state: what the tools find.
        source: the input or lock; "" where all is synthetic.
        link: what is between tools and index; None: nothing.
        environments: how many there are.
        together: whether the runs of those who take one run for each environment start at once.
        apart: whether caches are on another file system than environments.
        tools: who does it, in order.
        synthetic: distributions that are made for it, names to numbers of modules.
        universe: whether what is resolved are the synthetic projects of `universe.py`.
        words: more options for engine.
    """

    name: str
    group: str
    label: str
    column: str
    work: Work
    state: State
    source: str = ""
    link: Speed | None = None
    environments: int = 1
    together: bool = False
    apart: bool = False
    tools: tuple[str, ...] = ("engine", "uv", "pip")
    synthetic: tuple[tuple[str, int], ...] = ()
    universe: bool = False
    words: tuple[str, ...] = ()


_THREE = ("engine", "uv", "pip")
_TWO = ("engine", "uv")
_WARM = "warm: new environment, full cache"
_STALE = "stale: the index would have to be asked again, 20 ms away"
_SYNCS = (
    ("cold", f"cold: empty cache, index {HOME} away", State.COLD, HOME, _THREE),
    ("warm", f"{_WARM} {REMEMBERED}", State.WARM, None, _THREE),
    ("other", f"{_WARM}, another lock", State.OTHER, None, _TWO),
    ("stale", f"{_STALE} {REMEMBERED}", State.STALE, HOME, _TWO),
    ("done", f"nothing to do {REMEMBERED}", State.DONE, None, _THREE),
)
_SYNC_INPUTS = ("docs", "service", "notebook", "science")
_RESOLVED_INPUTS = ("docs", "service", "notebook")
_CONFLICTING_INPUTS = ("backtrack", "step-back")
UNIVERSE = "platform"
"""A synthetic application with all its extras, of some 700 projects: benchmarks/universe.py."""


def all_rows() -> list[Row]:
    """Returns every row, in the order in which they run."""
    return [*_syncs(), *_resolutions(), *_starts(), *_growth()]


def _syncs() -> Iterator[Row]:
    for source in _SYNC_INPUTS:
        for short, label, state, link, tools in _SYNCS:
            yield _sync(source, short, label, state=state, link=link, tools=tools)
        many = f"{MANY} new environments, full cache"
        yield _sync(source, "many", f"{many}, uv runs them one after the other {REMEMBERED}", environments=MANY)
        yield _sync(
            source, "many-parallel", f"{many}, uv's runs in parallel {REMEMBERED}", environments=MANY, together=True
        )
        yield _sync(source, "apart", f"{_WARM} on another file system {REMEMBERED}", apart=True)


def _sync(
    source: str,
    short: str,
    label: str,
    *,
    state: State = State.WARM,
    link: Speed | None = None,
    tools: tuple[str, ...] = _TWO,
    environments: int = 1,
    together: bool = False,
    apart: bool = False,
) -> Row:
    return Row(
        name=f"sync/{source}/{short}",
        group="sync",
        label=label,
        column=source,
        work=Work.SYNC,
        state=state,
        source=source,
        link=link,
        tools=tools,
        environments=environments,
        together=together,
        apart=apart,
    )


def _resolutions() -> Iterator[Row]:
    kinds = (
        ("install/cold", Work.INSTALL, State.COLD, HOME, f"install, cold, {HOME}", _THREE),
        ("install/warm", Work.INSTALL, State.WARM, None, f"install, full cache {REMEMBERED}", _THREE),
        ("install/changed", Work.INSTALL, State.CHANGED, None, "install, full cache, another comment", _TWO),
        ("compile/cold", Work.COMPILE, State.COLD, HOME, f"compile, cold, {HOME}", _TWO),
        ("compile/unforeseen", Work.COMPILE, State.COLD, HOME, f"compile, cold, {HOME}, --no-foresight", _TWO),
        ("compile/again", Work.COMPILE, State.WARM, None, f"compile again, full cache {REMEMBERED}", _TWO),
        ("compile/changed", Work.COMPILE, State.CHANGED, None, "compile, full cache, another comment", _TWO),
    )
    for source in (*_RESOLVED_INPUTS, *_CONFLICTING_INPUTS, UNIVERSE):
        for short, work, state, link, label, tools in kinds:
            is_known = source in _RESOLVED_INPUTS
            if not is_known and (work is Work.INSTALL or short == "compile/unforeseen"):
                continue
            yield Row(
                name=f"{short.replace('/', f'/{source}/')}",
                group="resolve",
                label=label,
                column=source,
                work=work,
                state=state,
                source="" if source == UNIVERSE else source,
                link=link,
                tools=tools,
                universe=source == UNIVERSE,
                words=("--no-foresight",) if short == "compile/unforeseen" else (),
            )


def _starts() -> Iterator[Row]:
    for tools, column in ((("engine", "uv", "pip"), "installed"), (("engine", "engine.pyz"), "engine.pyz")):
        yield Row(
            name=f"start/{column}",
            group="start",
            label="--version",
            column=column,
            work=Work.START,
            state=State.DONE,
            tools=tools,
        )
    yield Row(
        name="start/engine.pyz-first",
        group="start",
        label=f"the first start, which unpacks it: engine.pyz / {ONE_VERSION}",
        column="engine.pyz",
        work=Work.START,
        state=State.COLD,
        tools=("engine.pyz", ONE_VERSION),
    )
    yield Row(
        name="start/engine.pyz-done",
        group="start",
        label=f"sync with nothing to do {REMEMBERED}",
        column="engine.pyz",
        work=Work.SYNC,
        state=State.DONE,
        source="docs",
        tools=("engine", "engine.pyz"),
    )


def _growth() -> Iterator[Row]:
    def row(group: str, number: int, state: State, made: list[tuple[str, int]], **more: object) -> Row:
        return Row(
            name=f"growth/{group}/{number}",
            group=f"growth-{group}",
            label=state.value,
            column=str(number),
            work=Work.SYNC,
            state=state,
            tools=_TWO,
            synthetic=tuple(made),
            **more,  # type: ignore[arg-type]
        )

    def small(count: int) -> list[tuple[str, int]]:
        return [(name, synthetic.FILES_EACH) for name in synthetic.distributions(count)]

    for count in (10, 30, 100, 300, 1000):
        yield row("distributions", count, State.WARM, small(count))
    for count in (10, 30, 100, 300, 1000):
        yield row("downloads", count, State.COLD, small(count), link=HOME)
    for group, together in (("environments", False), ("environments-parallel", True)):
        for environments in (1, 2, 4, 8, 16, 32, 64):
            yield row(group, environments, State.WARM, small(50), environments=environments, together=together)
    for files in (1, 10, 100, 1000, 10_000, 100_000):
        yield row("files", files, State.WARM, [(synthetic.distribution_of(files), files)])
    for rtt_ms in (1, 3, 10, 30, 100):
        yield row("latency", rtt_ms, State.COLD, small(100), link=Speed(rtt_ms=rtt_ms, mbit=HOME.mbit))


QUICK = ("*/docs/*", "start/installed", "growth/*/1", "growth/*/10", "growth/*/100")
"""What a run of a few minutes has."""


_UNPACKED_MB = {"docs": 100, "service": 150, "notebook": 250, "science": 400}
_BLOCK_BYTES = 4096


def needed_bytes(row: Row, rounds: int, pip_rounds: int) -> int:
    """Returns roughly the bytes that a row takes where it runs, which are free again when it is done.

    Caches that are new for each run, environments that nothing can be linked into, and those of pip, which links
    nothing, count for every round; linked environments do not count.

    Args:
        row: what is run.
        rounds: how often each tool runs.
        pip_rounds: how often pip does.
    """
    one = _UNPACKED_MB.get(row.source, 50) * 10**6 + sum(files * _BLOCK_BYTES for _, files in row.synthetic)
    if row.work in (Work.COMPILE, Work.START):
        one = 100 * 10**6
    copies = len(row.tools)
    for tool in row.tools:
        if tool == "pip":
            copies += min(rounds, pip_rounds) * row.environments
        elif row.apart or row.state is State.COLD:
            copies += rounds * row.environments
    return one * copies


def choose(rows: list[Row], patterns: list[str]) -> list[Row]:
    """Returns the rows whose names match any of the shell patterns; all where there is none."""
    return [row for row in rows if not patterns or any(fnmatch(row.name, pattern) for pattern in patterns)]
