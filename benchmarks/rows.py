"""Which rows the benchmarks have.

PURE.  Owns the rows as data: what is done, to what, in which state, over which link, and which table or picture shows
it.  It runs nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatch

from benchmarks import synthetic
from benchmarks.link import Speed

HOME = Speed(rtt_ms=20, mbit=200)
"""A good connection at home or in an office, to an index that is not far."""
MANY = 8


class Work(Enum):
    """What the tools do."""

    SYNC = "sync"
    INSTALL = "install"
    COMPILE = "compile"
    START = "start"


class State(Enum):
    """What the tools find.

    COLD: an empty cache.  WARM: a full cache, and new environments.  STALE: the same, and pages that have to be asked
    for again.  DONE: an environment that is in order already.
    """

    COLD = "cold"
    WARM = "warm"
    STALE = "stale"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One thing to measure.  `synthetic`: distributions that are made for it, names to numbers of modules."""

    name: str
    group: str
    label: str
    column: str
    work: Work
    state: State
    source: str = ""
    link: Speed | None = None
    environments: int = 1
    tools: tuple[str, ...] = ("engine", "uv", "pip")
    synthetic: tuple[tuple[str, int], ...] = ()


_SYNC_STATES = (
    ("cold", f"cold: empty cache, index {HOME} away", State.COLD, HOME, 1),
    ("warm", "warm: new environment, full cache", State.WARM, None, 1),
    ("stale", "stale: the index would have to be asked again, 20 ms away", State.STALE, HOME, 1),
    ("done", "nothing to do", State.DONE, None, 1),
    ("many", f"{MANY} new environments, full cache", State.WARM, None, MANY),
)
_SYNC_INPUTS = ("docs", "service", "notebook", "science")
_RESOLVED_INPUTS = ("docs", "service", "notebook")
_CONFLICTING_INPUTS = ("backtrack", "step-back")
_TWO = ("engine", "uv")


def all_rows() -> list[Row]:
    """Returns every row, in the order in which they run."""
    return [*_syncs(), *_resolutions(), *_starts(), *_growth()]


def _syncs() -> Iterator[Row]:
    for source in _SYNC_INPUTS:
        for short, label, state, link, environments in _SYNC_STATES:
            yield Row(
                name=f"sync/{source}/{short}",
                group="sync",
                label=label,
                column=source,
                work=Work.SYNC,
                state=state,
                source=source,
                link=link,
                environments=environments,
                tools=_TWO if short in ("stale", "many") else ("engine", "uv", "pip"),
            )


def _resolutions() -> Iterator[Row]:
    kinds = (
        ("install/cold", Work.INSTALL, State.COLD, HOME, f"install, cold, {HOME}", ("engine", "uv", "pip")),
        ("install/warm", Work.INSTALL, State.WARM, None, "install, full cache", ("engine", "uv", "pip")),
        ("compile/cold", Work.COMPILE, State.COLD, HOME, f"compile, cold, {HOME}", _TWO),
        ("compile/again", Work.COMPILE, State.WARM, None, "compile again, while its pages are fresh", _TWO),
    )
    for source in (*_RESOLVED_INPUTS, *_CONFLICTING_INPUTS):
        for short, work, state, link, label, tools in kinds:
            if source in _CONFLICTING_INPUTS and work is Work.INSTALL:
                continue
            yield Row(
                name=f"{short.replace('/', f'/{source}/')}",
                group="resolve",
                label=label,
                column=source,
                work=work,
                state=state,
                source=source,
                link=link,
                tools=tools,
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
        name="start/engine.pyz-done",
        group="start",
        label="sync with nothing to do",
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
    for environments in (1, 2, 4, 8, 16, 32, 64):
        yield row("environments", environments, State.WARM, small(50), environments=environments)
    for files in (1, 10, 100, 1000, 10_000, 100_000):
        yield row("files", files, State.WARM, [(synthetic.distribution_of(files), files)])
    for rtt_ms in (1, 3, 10, 30, 100):
        yield row("latency", rtt_ms, State.COLD, small(100), link=Speed(rtt_ms=rtt_ms, mbit=HOME.mbit))


QUICK = ("*/docs/*", "start/installed", "growth/*/1", "growth/*/10", "growth/*/100")
"""What a run of a few minutes has."""


def choose(rows: list[Row], patterns: list[str]) -> list[Row]:
    """Returns the rows whose names match any of the shell patterns; all where there is none."""
    return [row for row in rows if not patterns or any(fnmatch(row.name, pattern) for pattern in patterns)]
