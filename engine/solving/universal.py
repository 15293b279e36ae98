"""From what is wanted to an answer for every platform: the problem, its resolution, and what is written.

Beside `engine.solving.resolving`, which does the same for one environment.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import anyio
from packaging.markers import Marker
from packaging.utils import NormalizedName
from packaging.version import Version

from engine.compiled.model import Answer, Entry
from engine.compiled.preferences import Pinned
from engine.cutoff import Cutoffs
from engine.errors import EngineError, NoResolution
from engine.index.client import Network
from engine.index.source import sources
from engine.solving.answering import answer_with, entry_of
from engine.solving.driver import Driver
from engine.solving.everywhere import Everywhere
from engine.solving.problems import Order, problem_of
from engine.solving.resolving import Resolving, with_supply
from engine.solving.versions import ListedFile
from engine.supply import Supply
from engine.sync import Run
from engine.wanted.model import Wants
from engine.workers import Workers
from resolver import Pin, ResolverError
from resolver.markers import EVERYWHERE, Environments, UnreadableMarker, read_marker, write_marker
from resolver.universal import (
    ForkStrategy,
    Preference,
    UniversalPin,
    UniversalProblem,
    UniversalResolution,
    UniversalResolver,
    pythons_of,
)

_Key = tuple[NormalizedName, Version]


class FoundEverywhere(NamedTuple):
    """A resolution, and the files of what was chosen; `fresh_until` as `Found` has it."""

    resolution: UniversalResolution
    files: dict[tuple[NormalizedName, Version, str | None], tuple[ListedFile, ...]]
    warnings: list[str]
    details: list[str]
    fresh_until: float = 0.0


def universal_problem_of(
    wants: Wants,
    target: Everywhere,
    order: Order,
    preferences: Sequence[Pinned],
    fork_strategy: str,
    *,
    dependencies: bool = True,
) -> UniversalProblem:
    """Returns what is to be resolved.

    Args:
        wants: what is wanted.
        target: what for.
        order: which versions are tried first.
        preferences: what an earlier answer pins.
        fork_strategy: the name of a `ForkStrategy`.
        dependencies: whether what these need counts.
    """
    return UniversalProblem(
        problem=problem_of(wants, {}, order, {}, dependencies=dependencies),
        environments=target.environments,
        python=str(target.python),
        preferences=tuple(Preference(one.name, one.version, _where(one.marker)) for one in preferences),
        strategy=ForkStrategy(fork_strategy),
    )


def _where(marker: Marker | None) -> Environments:
    try:
        return read_marker(marker)
    except UnreadableMarker:
        return EVERYWHERE


async def resolve_everywhere(
    run: Run,
    problem: UniversalProblem,
    wants: Wants,
    target: Everywhere,
    *,
    network: Network,
    workers: Workers,
    scratch: str,
    cutoffs: Cutoffs | None = None,
    expected: Iterable[str] = (),
) -> FoundEverywhere:
    """Finds versions; see `engine.solving.resolving.resolve`.

    Raises:
        NoResolution: when there are none, or markers are too complex together.
        EngineError: when something needed cannot be found out.
    """

    async def body(supply: Supply) -> FoundEverywhere:
        resolving = _ResolvingEverywhere(
            run, wants, target, network=network, workers=workers, supply=supply, cutoffs=cutoffs
        )
        return await resolving.run_everywhere(problem, expected)

    found = await with_supply(run, body, network=network, workers=workers, scratch=scratch)
    found.warnings.extend(network.warnings)
    return found


class _ResolvingEverywhere(Resolving):
    """One universal resolution."""

    async def run_everywhere(self, problem: UniversalProblem, expected: Iterable[str]) -> FoundEverywhere:
        found: FoundEverywhere | Exception
        async with anyio.create_task_group() as group:
            asked = self._asked(group)
            answers = self._answers(asked)
            try:
                resolver = UniversalResolver(problem)
                resolver.expect(map(NormalizedName, expected))
                resolution = await Driver(resolver, answers).run()
                chosen = [Pin(pin.name, pin.version, pin.url, pin.extras) for pin in resolution.pins]
                warnings, notes = answers.tell(tuple({pin.name: pin for pin in chosen}.values()))
                effort = resolution.effort
                detail = (
                    f"resolved {len(resolution.pins)} distributions in {len(resolution.forks)} forks: "
                    f"{effort.decisions} decisions, {effort.conflicts} conflicts, "
                    f"metadata of {effort.metadata} files needed, {answers.source.asked} fetched"
                )
                files = {(pin.name, pin.version, pin.url): answers.files(pin) for pin in chosen}
                until = asked.listings.fresh_until()
                found = FoundEverywhere(resolution, files, [*resolution.warnings, *warnings], [*notes, detail], until)
            except (ResolverError, EngineError) as exc:
                found = exc
            group.cancel_scope.cancel()
        if isinstance(found, ResolverError):
            raise NoResolution(str(found), hint=getattr(found, "hint", None)) from found
        if isinstance(found, Exception):
            raise found
        return found


def universal_answer_of(
    run: Run, wants: Wants, found: FoundEverywhere, target: Everywhere, default_groups: tuple[NormalizedName, ...] = ()
) -> Answer:
    """Returns what is to be written.

    Args:
        run: options.
        wants: what was wanted, and what the files say about indexes.
        found: what was chosen.
        target: what for.
        default_groups: of the groups that are wanted as parts.
    """
    wanted_by: dict[_Key, set[NormalizedName]] = {}
    for pin in found.resolution.pins:
        for need in pin.dependencies:
            wanted_by.setdefault(need, set()).add(pin.name)
    entries = tuple(
        _entry(pin, wants, wanted_by.get((pin.name, pin.version), set()), found, target)
        for pin in found.resolution.pins
    )
    return replace(
        answer_with(entries, sources(run, wants), wants),
        requires_python=target.python,
        extras=wants.extras,
        groups=wants.groups,
        default_groups=default_groups,
    )


def _entry(
    pin: UniversalPin, wants: Wants, wanted_by: set[NormalizedName], found: FoundEverywhere, target: Everywhere
) -> Entry:
    files = found.files[pin.name, pin.version, pin.url]
    entry = entry_of(
        pin,
        wants,
        wanted_by=wanted_by,
        files=files if pin.url else _useful(files, pin.where) or _useful(files, target.environments),
        dependencies=pin.dependencies,
        wheels_only=False,
    )
    return replace(entry, marker=write_marker(pin.where, target.environments))


def _useful(files: Sequence[ListedFile], where: Environments) -> tuple[ListedFile, ...]:
    """Returns the sdists, and the wheels for a Python of some environments; nothing where there is no such wheel."""
    found = tuple(file for file in files if pythons_of(file.filename) & where)
    return found if any(file.is_wheel for file in found) else ()
