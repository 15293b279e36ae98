"""From a problem to what was found: its resolution, and the files of that.

Loaded while the first pages are on their way; `engine.compiling` is the door.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import anyio
from anyio.abc import TaskGroup
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from engine.admission import Admission
from engine.environment.platforms import Elsewhere
from engine.errors import EngineError, NoResolution
from engine.index.client import Network
from engine.index.source import Sources, sources
from engine.reporting import Progress
from engine.solving.ahead import Ahead
from engine.solving.answers import Answers
from engine.solving.driver import Driver
from engine.solving.installed import InstalledRelease
from engine.solving.opening import Asked, open_answers
from engine.solving.versions import ListedFile
from engine.supply import Supply
from engine.sync import Run
from engine.wanted.model import Wants
from engine.workers import Workers
from resolver import Pin, Policy, Problem, Resolution, ResolutionFailed, Resolver

if TYPE_CHECKING:
    from engine.cutoff import Cutoffs
    from engine.solving.everywhere import Everywhere

Result = TypeVar("Result")


class Found(NamedTuple):
    """A resolution, and what it was made of.

    Attributes:
        resolution: what was chosen.
        files: returns all files of a pin of that; best: the one to install, None for what is installed.
        warnings, details: one line each.
        looked_at: the projects whose versions were listed; fresh_until: when their pages have to be asked for again, in
            seconds of the epoch.
    """

    resolution: Resolution
    files: Callable[[Pin], tuple[ListedFile, ...]]
    best: dict[NormalizedName, ListedFile | None]
    warnings: list[str]
    details: list[str]
    looked_at: tuple[str, ...] = ()
    fresh_until: float = 0.0


async def resolve(
    run: Run,
    problem: Problem,
    wants: Wants,
    target: Elsewhere,
    *,
    network: Network,
    workers: Workers,
    scratch: str,
    cutoffs: "Cutoffs | None" = None,
    expected: Iterable[str] = (),
) -> Found:
    """Finds versions.

    Args:
        run: options and the cache.
        problem: what is to be resolved.
        wants: what the files say about indexes.
        target: what to resolve for.
        network: asks.
        workers: sort and unpack.
        scratch: a private folder on the cache's file system.
        cutoffs: files that are too new to count, or None.
        expected: normalised names of projects that will probably be needed, to ask about at once.

    Raises:
        NoResolution: when there are none.
        EngineError: when something needed cannot be found out.
    """

    async def body(supply: Supply) -> Found:
        resolving = Resolving(run, wants, target, network=network, workers=workers, supply=supply, cutoffs=cutoffs)
        return await resolving.run(problem, expected=expected)

    found = await with_supply(run, body, network=network, workers=workers, scratch=scratch)
    found.warnings.extend(network.warnings)
    return found


async def with_supply(
    run: Run, body: Callable[[Supply], Awaitable[Result]], *, network: Network, workers: Workers, scratch: str
) -> Result:
    """Returns what `body` returns, which may have wheels fetched while it runs.

    Raises:
        EngineError: what `body` raises.
    """
    found: Result | EngineError
    async with anyio.create_task_group() as group:
        group.start_soon(workers.listen)
        supply = Supply(
            run,
            [],
            network=network,
            workers=workers,
            scratch=scratch,
            admission=Admission(run.options.network.concurrent_downloads),
            progress=Progress(),
        )
        try:
            found = await body(supply)
        except EngineError as exc:
            found = exc
        finally:
            supply.close()
            group.cancel_scope.cancel()
    if isinstance(found, EngineError):
        raise found
    return found


class Resolving:
    """One resolution, with what asks and answers for it.

    Args:
        run: options and the cache.
        wants: what the files say about indexes.
        target: what to resolve for.
        network: asks.
        workers: listened to; sort and unpack.
        supply: fetches wheels.
        cutoffs: files that are too new to count, or None.
    """

    def __init__(
        self,
        run: Run,
        wants: Wants,
        target: "Elsewhere | Everywhere",
        *,
        network: Network,
        workers: Workers,
        supply: Supply,
        cutoffs: "Cutoffs | None" = None,
    ) -> None:
        self._run = run
        self._network = network
        self._workers = workers
        self._supply = supply
        self._places = sources(run, wants)
        self._policy = _policy(target, self._places, cutoffs)
        self._tag_priority: Mapping[str, int] | None = None  # the policy judges the tags
        if isinstance(target, Elsewhere):
            self._tag_priority = {tag: rank for rank, tag in enumerate(target.tags)}
        network.trust.trust_hosts(wants.trusted_hosts)
        network.know([*self._places.indexes, *self._places.find_links, *self._places.pinned.values()])

    async def run(
        self,
        problem: Problem,
        installed: Mapping[NormalizedName, InstalledRelease] | None = None,
        staying: Collection[NormalizedName] = (),
        ahead: TaskGroup | None = None,
        expected: Iterable[str] = (),
    ) -> Found:
        """Finds versions.

        Args:
            problem: what is to be resolved.
            installed: what an environment has, and need not be fetched.
            staying: those of which nothing else is considered, unless that would change the answer: so the pages of
                what stays are not asked for.
            ahead: owns downloads of wheels that will probably be installed, which may go on afterwards; None for none.
            expected: as `resolve` has it.

        Raises:
            NoResolution: when there are none.
            EngineError: when something needed cannot be found out.
        """
        async with anyio.create_task_group() as group:
            asked = self._asked(group)
            found: Found | ResolutionFailed | EngineError | None = None
            for names in (staying, ()) if staying else ((),):
                answers = self._answers(asked, installed, names)
                downloads = None if ahead is None else Ahead(ahead, self._supply, answers.wheel)
                try:
                    found = await _drive(problem, answers, downloads, expected)
                except (ResolutionFailed, EngineError) as exc:
                    found = exc
                if not names or (isinstance(found, Found) and not _was_in_the_way(found)):
                    break
            group.cancel_scope.cancel()
        if isinstance(found, ResolutionFailed):
            raise NoResolution(str(found), hint=found.hint) from found
        if isinstance(found, Exception):
            raise found
        assert found is not None
        return found._replace(looked_at=asked.listings.looked_at, fresh_until=asked.listings.fresh_until())

    def _asked(self, group: TaskGroup) -> Asked:
        return open_answers(
            group,
            self._run,
            network=self._network,
            sources=self._places,
            workers=self._workers,
            keeper=self._supply,
            policy=self._policy,
            tag_priority=self._tag_priority,
        )

    def _answers(
        self,
        asked: Asked,
        installed: Mapping[NormalizedName, InstalledRelease] | None = None,
        staying: Collection[NormalizedName] = (),
    ) -> Answers:
        return Answers(
            asked.listings,
            asked.metadata,
            policy=self._policy,
            tag_priority=self._tag_priority,
            installed=installed,
            staying=staying,
        )


def _was_in_the_way(found: Found) -> bool:
    """Tells whether any candidate was ruled out: then other versions of what stays might have changed the answer."""
    effort = found.resolution.effort
    return bool(effort.conflicts or effort.rejections)


async def _drive(problem: Problem, answers: Answers, ahead: Ahead | None, expected: Iterable[str]) -> Found:
    resolver = Resolver(problem)
    resolver.expect(map(NormalizedName, expected))
    driver = Driver(resolver, answers, ahead=ahead)
    try:
        resolution = await driver.run()
    except BaseException:
        if ahead is not None:
            ahead.keep_only(())
        raise
    warnings, notes = answers.tell(resolution.pins)
    effort = resolution.effort
    details = [
        f"resolved {len(resolution.pins)} distributions: {effort.decisions} decisions, {effort.conflicts} conflicts, "
        f"metadata of {effort.metadata} files needed, {answers.source.asked} fetched"
    ]
    best = {pin.name: answers.file(pin.name, pin.version, pin.url) for pin in resolution.pins}
    if ahead is not None:
        ahead.keep_only({file.url for file in best.values() if file is not None})
    return Found(resolution, answers.files, best, [*resolution.warnings, *warnings], [*notes, *details])


def _policy(target: "Elsewhere | Everywhere", places: Sources, cutoffs: "Cutoffs | None") -> Policy:
    # Nothing is built yet, so a release without a wheel is of no use.
    no_binary, only_binary = _names(places.no_binary), frozenset({":all:"})
    if not isinstance(target, Elsewhere):
        return target.policy(no_binary=no_binary, only_binary=only_binary, cutoffs=cutoffs)
    return Policy(
        python=Version(target.markers["python_full_version"]),
        no_binary=no_binary,
        only_binary=only_binary,
        exclude_newer=cutoffs.everything if cutoffs is not None else None,
        exclude_newer_package=cutoffs.projects if cutoffs is not None else None,
    )


def _names(words: Sequence[str]) -> frozenset[str]:
    found: set[str] = set()
    for word in (word.strip() for text in words for word in text.split(",")):
        if word == ":none:":
            found.clear()
        elif word:
            found.add(word if word == ":all:" else canonicalize_name(word))
    return frozenset(found)
