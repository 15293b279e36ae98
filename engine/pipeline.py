"""The pipeline: pages -> choice -> download and unpack -> stage -> commit, no barrier between them.

One task per project.  A page that arrives frees its project at once; a wheel is
downloaded once for all environments that want it; an environment is committed
as soon as its last wheel is staged, whatever the others do.  An expected error
belongs to the environments that needed the thing that failed; the run goes on
as long as one environment can still succeed.

Owns the task groups, who fails and who is committed.  Which wheel it is, is decided
by `engine.selection`; how it gets here, and staged, by `engine.supply`.
"""

import signal
from collections.abc import Awaitable, Callable, Sequence

import anyio
from anyio.abc import TaskGroup
from packaging.utils import NormalizedName

from cache.plans import PlannedEntry
from engine.admission import Admission
from engine.chosen import Chosen
from engine.cold import Need
from engine.errors import ConfigurationError, EngineError, IndexUnavailable, InstallFailed
from engine.index.client import Network
from engine.index.compatibility import Target
from engine.index.source import Sources
from engine.refusals import REFUSALS, Refusals
from engine.reporting import Progress, describe_links
from engine.selection import Selection
from engine.staging import Drift
from engine.supply import Supply
from engine.sync import Run
from engine.warm import settle_and_commit
from engine.work import Work
from engine.workers import Workers

Answers = dict[str, dict[str, PlannedEntry]]

#: Finds out what is missing where, while the run is under way; the group is for what may go on beside it.
Find = Callable[[TaskGroup, Supply, Admission, Progress], Awaitable[list[Need]]]


class Pipeline:
    """One run of the pipeline.

    Args:
        run: options and places.
        needs: what is missing where.
        works: the environments that have something to change.
        network: asks and downloads.
        sources: where distributions are listed.
        scratch: a private folder on the cache's file system.
        workers: the worker processes.
        find: says what is missing besides, once the workers answer.
        targets: what those can use for whom something will be missing.

    Attributes:
        answers: prefix of the environment to project name to what was installed.
        interrupted: the signal that ended the run early, or None.
    """

    def __init__(
        self,
        run: Run,
        needs: list[Need],
        works: list[Work],
        *,
        network: Network,
        sources: Sources,
        scratch: str,
        workers: Workers,
        find: Find | None = None,
        targets: Sequence[Target] = (),
    ) -> None:
        self.answers: Answers = {work.environment.prefix: {} for work in works}
        self.interrupted: signal.Signals | None = None
        self._run = run
        self._recorder = run.recorder
        self._works = works
        self._scratch = scratch
        self._workers = workers
        self._admission = Admission(run.options.network.concurrent_downloads)
        self._progress = Progress()
        self._find = find
        self._supply = Supply(
            run,
            works,
            network=network,
            workers=workers,
            scratch=scratch,
            admission=self._admission,
            progress=self._progress,
        )
        self._selection = Selection(
            run,
            [*targets, *(need.compatible for need in needs)],
            network=network,
            sources=sources,
            workers=workers,
            is_cached=lambda choice, need: self._supply.usable_sha256(choice, [need]) is not None,
        )
        self._linked: dict[str, int] = {}
        self._collided: dict[str, set[str]] = {}
        self._chosen: dict[str, tuple[Chosen, Need]] = {}
        self._scope = anyio.CancelScope()
        self._know(needs)

    def _know(self, needs: list[Need]) -> None:
        """Learns what is missing where."""
        self._needs = needs
        self._progress.wheels = len(needs)
        self._left = {id(work): sum(need.work is work for need in needs) for work in self._works}
        self._refusals = Refusals(needs)
        self._undecided = len({need.pin.name for need in needs})

    async def run(self) -> None:
        """Runs all projects; commits each environment when its last wheel is staged."""
        try:
            async with anyio.create_task_group() as background:
                self._selection.tell_workers()
                background.start_soon(self._workers.listen)
                background.start_soon(self._obey_signals)
                if self._run.view.interval_seconds:
                    background.start_soon(self._show)
                with self._scope:
                    if self._find is not None:
                        found = await self._find(background, self._supply, self._admission, self._progress)
                        self._know([*self._needs, *found])
                    if any(work.bytecode for work in self._works) and not self._run.options.dry_run:
                        await self._run_compiling()
                    else:
                        await self._run_projects()
                for work in self._works:
                    work.error = self._refusals.conclude(work) or work.error
                background.cancel_scope.cancel()
        finally:
            self._supply.close()
            self._run.view.close()

    async def _obey_signals(self) -> None:
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async for number in signals:
                self.interrupted = number
                self._scope.cancel()

    async def _show(self) -> None:
        while True:
            await anyio.sleep(self._run.view.interval_seconds)
            self._run.view.update(self._progress)

    async def _run_compiling(self) -> None:
        from engine.bytecode.compiler import open_compilers

        async with open_compilers() as compilers:
            self._supply.compile_with(compilers)
            await self._run_projects()

    async def _run_projects(self) -> None:
        projects: dict[NormalizedName, list[Need]] = {}
        for need in self._needs:
            projects.setdefault(need.pin.name, []).append(need)
        if not self._run.options.dry_run:
            for work in self._works:
                self._guard_open(work)
        async with anyio.create_task_group() as group:
            for work in self._works:
                if not self._left[id(work)]:
                    group.start_soon(self._commit, work)
            for project, needs in projects.items():
                self._admission.page_started()
                group.start_soon(self._project, project, needs)

    def _guard_open(self, work: Work) -> None:
        try:
            work.open()
        except EngineError as exc:
            self._fail([work], exc)

    # -- pages and choice ---------------------------------------------------

    async def _project(self, project: NormalizedName, needs: list[Need]) -> None:
        try:
            chosen = await self._selection.choose(project, needs)
        except EngineError as exc:
            _say_where(exc, needs[0])
            for need in needs:
                self._refuse(need, exc)
            return
        finally:
            self._admission.page_finished()
            self._undecided -= 1
            self._stop_when_decided()
        by_file: dict[str, list[tuple[Need, Chosen]]] = {}
        for need, choice in zip(needs, chosen, strict=True):
            if isinstance(choice, EngineError):
                self._refuse(need, choice)
                continue
            need.work.warnings.extend(choice.warnings)
            need.work.details.extend(choice.notes)
            if self._recorder is not None:
                self._recorder.choose(need.work.environment.prefix, need.pin, choice)
            by_file.setdefault(choice.url, []).append((need, choice))
        self._stop_when_decided()
        if self._run.options.dry_run:
            for need, choice in zip(needs, chosen, strict=True):
                if isinstance(choice, Chosen) and (error := self._supply.out_of_reach(choice, [need])) is not None:
                    self._fail([need.work], error)
            return
        async with anyio.create_task_group() as group:
            for wanted in by_file.values():
                group.start_soon(self._wheel, wanted[0][1], [need for need, _ in wanted])

    # -- wheels -------------------------------------------------------------

    async def _wheel(self, choice: Chosen, needs: list[Need]) -> None:
        needs = [need for need in needs if need.work.error is None]
        if not needs:
            return
        try:
            finished = await self._supply.stage(choice, needs)
        except EngineError as exc:
            _say_where(exc, needs[0])
            self._fail([need.work for need in needs], exc)
            return
        self._chosen[finished.sha256] = choice, needs[0]
        self._progress.wheels_done += len(needs)
        if self._recorder is not None:
            self._recorder.finish(choice, finished.sha256, finished.counts)
        for way, count in finished.counts.items():
            self._linked[way] = self._linked.get(way, 0) + count
        for index, fields, collisions, refused in finished.staged:
            work = self._works[index]
            if refused is not None:
                words, hint = refused
                self._fail([work], InstallFailed(f"cannot install into {work.environment.prefix}: {words}", hint=hint))
                continue
            entry = PlannedEntry.from_fields(fields)
            entry.yanked, entry.size_bytes = choice.yanked, choice.size_bytes or 0
            entry.extras = next(tuple(sorted(need.pin.extras)) for need in needs if need.work is work)
            self.answers[work.environment.prefix][entry.name] = entry
            work.warnings.extend(finished.warnings)
            if collisions:
                assert work.area is not None
                self._collided.setdefault(work.area.stage, set()).update(collisions)
            self._left[id(work)] -= 1
            if not self._left[id(work)] and work.error is None:
                await self._commit(work)

    async def _restore(self, lost: Drift, work: Work) -> bool:
        """Fetches a wheel again that is staged already; returns False when that fails, which is then `work`'s error."""
        choice, need = self._chosen[lost.sha256]
        try:
            await self._supply.fetch_again(choice, need)
        except EngineError as exc:
            _say_where(exc, need)
            self._fail([work], exc)
            return False
        return True

    # -- ends ---------------------------------------------------------------

    def _fail(self, works: Sequence[Work], error: EngineError) -> None:
        for work in works:
            if work.error is None and not work.committed:
                work.error = error
        self._stop_when_useless()

    def _stop_when_useless(self) -> None:
        if all(work.error is not None or work.committed for work in self._works):
            self._scope.cancel()

    def _refuse(self, need: Need, error: EngineError) -> None:
        """Spoils an environment; unless it is the network that fails, the other pages are still read."""
        self._refusals.add(need, error)
        if not isinstance(error, REFUSALS):
            self._fail([need.work], error)
        elif need.work.error is None and not need.work.committed:
            need.work.error = error

    def _stop_when_decided(self) -> None:
        """Ends a run that has read all pages and cannot succeed."""
        if not self._undecided:
            self._stop_when_useless()

    async def _commit(self, work: Work) -> None:
        if self._run.options.dry_run or work.error is not None:
            return
        answers = self.answers[work.environment.prefix]
        entries = [answers[need.pin.name] for need in self._needs if need.work is work]
        work.tell_versions({entry.name: entry.version for entry in entries})
        work.details.append(
            f"{self._supply.downloaded_wheels} wheels downloaded, {self._progress.bytes_received / 1e6:.1f} MB; "
            f"from the cache, {describe_links(self._linked)}"
        )
        for _ in range(len(entries) + 1):
            try:
                await anyio.to_thread.run_sync(
                    settle_and_commit, self._run, work, entries, self._collided, self._supply.entries.tree
                )
                break
            except Drift as exc:
                # Staged, but cleaned away before it was compared with another that brings the same file.
                if not await self._restore(exc, work):
                    break
        else:
            self._fail([work], InstallFailed(f"what was fetched vanishes again and again from {self._scratch}"))
        if work.error is not None:
            self._stop_when_useless()


def _say_where(error: EngineError, need: Need) -> None:
    if isinstance(error, ConfigurationError) or (isinstance(error, IndexUnavailable) and error.server_wide):
        return  # it would happen to any line
    if not error.message.startswith(need.pin.where):
        error.message = f"{need.pin.where}: {error.message}"
