"""One environment's installation that no plan answers: read, resolved, and installed in one run of the pipeline.

Owns the order of things: the first questions leave before anything else is
imported; what is installed is looked at before anybody is asked; the pipeline begins
with the resolution, whose wheels are on their way before it ends.
"""

import importlib
from typing import TYPE_CHECKING

from cache import plans
from cache.plans import PlannedEntry
from engine.cold import Facts, begin_work, compatible_with, missing, open_trust
from engine.errors import InvalidRequirements
from engine.guessing import installed_names
from engine.index.first import ask_first
from engine.index.source import early_urls, sources
from engine.installing import InstallRequest, guess_names
from engine.recording import timed
from engine.scratch import Scratch
from engine.sync import Run, Target
from engine.usual import usual_projects
from engine.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from anyio.abc import TaskGroup
    from packaging.utils import NormalizedName

    from engine.admission import Admission
    from engine.cold import Need
    from engine.cutoff import Cutoffs
    from engine.index.client import Network
    from engine.inputs import LockInput
    from engine.lock.pins import Digest, Pin
    from engine.network.early import EarlyPages
    from engine.network.trust import Trust
    from engine.reporting import Progress
    from engine.solving.installed import InstalledRelease
    from engine.solving.resolving import Found
    from engine.supply import Supply
    from engine.wanted.model import Wanted, Wants
    from engine.wanted.upgrades import Upgrades
    from engine.work import Work
    from resolver import Pin as ChosenPin
    from resolver import Problem, Resolution

#: What an installation needs, in pieces that take 5-25 ms to import.
LATE_IMPORTS = (
    "anyio",
    "anyio._backends._asyncio",
    "packaging.requirements",
    "engine.wanted.reading",
    "resolver",
    "engine.supply",
    "engine.solving.resolving",
    "engine.pipeline",
    "aiofiles",
)

#: Long enough for the first packets to leave, in seconds.
FIRST_PACKETS_SECONDS = 0.005


class Installation:
    """Installs what is wanted into one environment.

    Args:
        run: options and places.
        request: what is wanted.
        target: the environment; gets its work.
        inputs: the files of the request as they were read for the target's key, or None.
    """

    def __init__(self, run: Run, request: InstallRequest, target: Target, inputs: "list[LockInput] | None") -> None:
        self._run = run
        self._request = request
        self._target = target
        self._inputs = inputs
        self._expected: list[str] = []
        self._facts = Facts(run, [target])
        self._wants: Wants | None = None
        self._problem: Problem | None = None
        self._cutoffs: Cutoffs | None = None
        self._upgrades: Upgrades | None = None
        self._installed: Mapping[NormalizedName, InstalledRelease] = {}
        self._resolution: Resolution | None = None
        self._found: Found | None = None
        self._pins: list[Pin] = []

    def run(self) -> None:
        """Installs; the target's work tells how it went.

        Raises:
            EngineError: when the environment cannot have what is wanted.
        """
        try:
            guesses = self._expected = self._guess()
            if not guesses:
                self._prepare()
                if self._is_settled():
                    self._store({})
                    return
            self._install(guesses)
        finally:
            self._facts.cancel()
            if self._target.work is not None:
                self._target.work.close()

    def _install(self, guesses: list[str]) -> None:
        from engine.space import enough

        with enough():
            self._store(self._run_installing(guesses))

    def _run_installing(self, guesses: list[str]) -> dict[str, PlannedEntry]:
        run, options = self._run, self._run.options
        scratch = Scratch(run.layout)
        try:
            with timed(run.recorder, "fork", "workers"):
                workers = Workers(
                    run.layout.root,
                    scratch.folder,
                    options.link_mode,
                    strict_record=options.strict_record,
                    recorder=run.recorder,
                    most=options.concurrent_installs,
                )
            try:
                trust = open_trust(run)
                first = ask_first(run, trust, sources(run, None), guesses) if guesses else None
                if first is not None:
                    workers.wake()
                with timed(run.recorder, "import", "engine.loop"):
                    from engine.loop import run_to_end

                return run_to_end(self._ask(guesses, scratch.folder, workers, trust, first))
            finally:
                workers.close()
        finally:
            scratch.close()

    # -- before anybody is asked ------------------------------------------------

    def _guess(self) -> list[str]:
        """Returns projects whose pages will probably be needed; none where what is needed is known as fast.

        Only while a child is still asked about an interpreter.
        """
        if not self._facts.waiting or self._run.options.offline:
            return []
        names = guess_names(self._request, self._run.cwd)
        if names is None:
            return []
        there = set(installed_names(self._target.environment))
        return usual_projects(names, there, more=self._request.dependencies and self._run.options.network.foresight)

    def _prepare(self) -> None:
        """Finds out what is wanted, and what is there.

        Raises:
            EngineError: when a file, the interpreter or the environment is wrong.
        """
        from engine.compile_arguments import PRERELEASES
        from engine.environment.platforms import Elsewhere
        from engine.solving.installed import installed_releases
        from engine.solving.problems import Order, problem_of
        from engine.wanted.reading import read_wants
        from engine.wanted.upgrades import read_prereleases, read_upgrades

        run, request, target = self._run, self._request, self._target
        if request.exclude_newer or request.exclude_newer_package:
            from engine.cutoff import read_cutoffs

            self._cutoffs = read_cutoffs(request.exclude_newer, request.exclude_newer_package)
        self._upgrades = read_upgrades(request.upgrade_packages)
        with timed(run.recorder, "parse", "requirements"):
            wants = read_wants(request.asked, environ=run.environ, cwd=run.cwd, fetch=run.fetch)
        if self._upgrades.constraints:
            from dataclasses import replace

            wants = replace(wants, constraints=(*wants.constraints, *self._upgrades.constraints))
        self._wants = wants
        with timed(run.recorder, "wait", "interpreters"):
            self._facts.read()
        if target.error is not None:
            raise target.error
        interpreter = target.interpreter
        assert interpreter is not None
        with timed(run.recorder, "compare", target.environment.prefix):
            work = begin_work(run, target)
        work.details.extend(wants.notes)
        self._elsewhere = Elsewhere(dict(interpreter.markers), tuple(interpreter.tags))
        there = installed_releases(work.installed)
        self._installed = {name: release for name, release in there.items() if not run.options.install.reinstalls(name)}
        going = self._upgraded(wants)
        self._problem = problem_of(
            wants,
            self._elsewhere.markers,
            Order(request.strategy, request.prereleases, read_prereleases(request.prereleases_of, PRERELEASES)),
            {name: release.version for name, release in self._installed.items() if name not in going},
            dependencies=request.dependencies,
        )
        self._going = going

    def _upgraded(self, wants: "Wants") -> set[str]:
        """Returns the projects whose installed version is not preferred."""
        request = self._request
        if request.upgrade and request.eager:
            return set(self._installed)
        going: set[str] = set(self._upgrades.names if self._upgrades is not None else ())
        if request.upgrade:
            going.update(one.name for one in wants.requirements)
        return going

    def _is_settled(self) -> bool:
        """Tells whether what is installed is all that is wanted."""
        from engine.solving.installed import settle

        request = self._request
        assert self._problem is not None and self._wants is not None
        if not request.upgrades:
            origins = {str(one.requirement.url): _direct_url(one) for one in self._wants.requirements if one.file}
            self._resolution = settle(self._problem, self._installed, lambda path, url: _came_from(path, origins[url]))
        if self._resolution is None:
            return False
        self._pins = [self._pin(pin) for pin in self._resolution.pins]
        needs = missing(self._target, self._pins, {})
        return not needs and not _work(self._target).changes

    # -- with the network ---------------------------------------------------------

    async def _ask(
        self, guesses: list[str], scratch: str, workers: Workers, trust: "Trust", first: "EarlyPages | None"
    ) -> dict[str, PlannedEntry]:
        import asyncio

        from engine.index.client import Network

        run = self._run
        async with asyncio.TaskGroup() as group:
            network = Network(group, run.options.network, run.environ, run.recorder, trust, first)
            try:
                if guesses:
                    places = sources(run, None)
                    network.know([*places.indexes, *places.find_links])
                    network.ask_early(early_urls(places, guesses))
                    if first is None:
                        await asyncio.sleep(FIRST_PACKETS_SECONDS)
                    await self._load()
                    self._prepare()
                    if self._is_settled():
                        return {}
                return await self._run_pipeline(network, scratch, workers)
            finally:
                if self._target.work is not None:
                    self._target.work.warnings.extend(network.warnings)
                await network.close()

    async def _load(self) -> None:
        import asyncio

        for name in LATE_IMPORTS:
            with timed(self._run.recorder, "import", name):
                importlib.import_module(name)
            await asyncio.sleep(0)

    async def _run_pipeline(self, network: "Network", scratch: str, workers: Workers) -> dict[str, PlannedEntry]:
        import signal

        from engine.pipeline import Pipeline

        work, interpreter = _work(self._target), self._target.interpreter
        assert interpreter is not None and self._wants is not None

        async def find(
            group: "TaskGroup", supply: "Supply", admission: "Admission", progress: "Progress"
        ) -> "list[Need]":
            if self._resolution is None:
                progress.phase = "resolving"
                # Pages and metadata come first until all of them are there.
                admission.page_started()
                try:
                    await self._resolve(network, workers, supply, group)
                finally:
                    admission.page_finished()
            return self._needs()

        pipeline = Pipeline(
            self._run,
            [],
            [work],
            network=network,
            sources=sources(self._run, self._wants),
            scratch=scratch,
            workers=workers,
            find=find,
            targets=[compatible_with(interpreter)],
        )
        await pipeline.run()
        if pipeline.interrupted == signal.SIGINT:
            raise KeyboardInterrupt
        if pipeline.interrupted is not None:
            raise SystemExit(128 + pipeline.interrupted)
        return pipeline.answers[work.environment.prefix]

    async def _resolve(self, network: "Network", workers: Workers, supply: "Supply", group: "TaskGroup") -> None:
        """Finds versions; wheels that will be needed are on their way then."""
        from engine.solving.installed import may_stay
        from engine.solving.resolving import Resolving

        assert self._problem is not None and self._wants is not None
        resolving = Resolving(
            self._run,
            self._wants,
            self._elsewhere,
            network=network,
            workers=workers,
            supply=supply,
            cutoffs=self._cutoffs,
        )
        found = await resolving.run(
            self._problem,
            self._installed,
            may_stay(self._problem, self._installed, self._going),
            ahead=None if self._run.options.dry_run or self._run.options.offline else group,
            expected=self._expected,
        )
        work = _work(self._target)
        work.warnings.extend(found.warnings)
        work.details.extend(found.details)
        self._found, self._resolution = found, found.resolution
        self._pins = [self._pin(pin) for pin in found.resolution.pins]

    def _needs(self) -> "list[Need]":
        """Returns what the environment lacks."""
        self._check_hashes()
        needs = missing(self._target, self._pins, {})
        for need in needs:
            file = self._found.best[need.pin.name] if self._found is not None else None
            # What has hashes is chosen by them, from its page.
            if file is not None and need.pin.file is None and not need.pin.hashes:
                need.chosen = file.chosen()
        return needs

    # -- pins ---------------------------------------------------------------------

    def _pin(self, pin: "ChosenPin") -> "Pin":
        """Returns a chosen distribution as a lock would pin it."""
        from engine.lock.pins import Pin

        assert self._wants is not None
        wanted = (*self._wants.requirements, *self._wants.constraints)
        named = [one for one in self._wants.requirements if one.name == pin.name]
        hashes: dict[Digest, None] = {}
        if self._request.verify_hashes:
            hashes = {digest: None for one in wanted if one.name == pin.name for digest in one.hashes}
        file = next((one.file for one in named if pin.url is not None and one.file is not None), None)
        return Pin(
            name=pin.name,
            version_text=str(pin.version),
            version=pin.version,
            arbitrary_equality=False,
            extras=frozenset(pin.extras),
            marker=None,
            hashes=tuple(hashes),
            line=0,
            source=next((one.where for one in named if one.where), f"{pin.name}=={pin.version}"),
            file=file,
            requested=bool(named),
        )

    def _check_hashes(self) -> None:
        """Checks that everything has a hash where everything has to.

        Raises:
            InvalidRequirements: with a line for each that has none.
        """
        assert self._wants is not None
        required = self._request.require_hashes
        if required is None:
            required = self._wants.require_hashes or any(one.hashes for one in self._wants.requirements)
        if not required or not self._request.verify_hashes:
            return
        problems = [
            f"{pin.source}: {pin} has no hash, and every requirement needs one"
            for pin in self._pins
            if not pin.hashes and (pin.file is None or not pin.file.digests)
        ]
        if problems:
            hint = "add --hash=sha256:… and what is needed besides, or allow it with --no-require-hashes"
            raise InvalidRequirements(problems, hint=hint)

    # -- afterwards -----------------------------------------------------------------

    def _store(self, answers: dict[str, PlannedEntry]) -> None:
        """Remembers the answer."""
        run, target, wants = self._run, self._target, self._wants
        work = target.work
        if work is None or work.error is not None or run.options.dry_run or wants is None:
            return
        if not target.key or wants.conditions is None or self._inputs is None:
            return
        if [one.path for one in wants.inputs] != [one.path for one in self._inputs]:
            return  # others have had a say that the key does not know
        entries = [
            answers.get(pin.name) or PlannedEntry(pin.name, pin.version_text, direct_url=pin.direct_url)
            for pin in self._pins
        ]
        found = self._found
        conditions = (wants.conditions, found.fresh_until if found else 0.0, found.looked_at if found else ())
        try:
            plans.store(run.layout.plan(target.key), plans.Plan(work.relative, entries, conditions))
        except OSError:
            return  # a cache that cannot be written: the next run does the same work again


def _work(target: Target) -> "Work":
    assert target.work is not None
    return target.work


def _direct_url(wanted: "Wanted") -> str:
    """Returns the text of `direct_url.json` of a wheel that is named."""
    from engine.direct_url import direct_url_text

    assert wanted.file is not None
    known = [digest.hex for digest in wanted.file.digests or wanted.hashes if digest.algorithm == "sha256"]
    return direct_url_text(wanted.file.url, known[0] if len(known) == 1 else None)


def _came_from(path: str, direct_url: str) -> bool:
    from engine.work import came_from

    return came_from(path, direct_url)
