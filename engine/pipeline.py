"""The pipeline: pages -> choice -> download and unpack -> stage -> commit, no barrier between them.

One task per project.  A page that arrives frees its project at once; a wheel is
downloaded once for all environments that want it; an environment is committed
as soon as its last wheel is staged, whatever the others do.  An expected error
belongs to the environments that needed the thing that failed; the run goes on
as long as one environment can still succeed.
"""

import hashlib
import os
import signal
from collections.abc import Sequence

import anyio
from packaging.utils import NormalizedName

from cache.entries import EntryStore
from cache.plans import PlannedEntry
from cache.records import RecordStore
from engine.admission import Admission
from engine.cold import Need
from engine.credentials import without_credentials
from engine.download import Restart, download
from engine.errors import EngineError, IndexUnavailable, Offline
from engine.index.choice import WheelChoice, choose_wheel
from engine.index.client import Network
from engine.index.page import ProjectPage
from engine.index.pages import Pages, pause
from engine.limits import ATTEMPTS, DOWNLOADS
from engine.reporting import Progress
from engine.sync import Run, settle_and_commit
from engine.work import Work
from engine.workers import Drifted, Finished, Job, Workers

Answers = dict[str, dict[str, PlannedEntry]]


class Pipeline:
    """One run of the pipeline.

    Args:
        run: options and places.
        needs: what is missing where.
        works: the environments that have something to change.
        network: asks and downloads.
        index: URL of the index with a final `/`.
        scratch: a private folder on the cache's file system.
        workers: the worker processes; None to choose files and stop there.

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
        index: str,
        scratch: str,
        workers: Workers | None,
    ) -> None:
        self.answers: Answers = {work.environment.prefix: {} for work in works}
        self.interrupted: signal.Signals | None = None
        self._run = run
        self._needs = needs
        self._works = works
        self._scratch = scratch
        self._workers = workers
        self._entries = EntryStore(run.layout)
        self._pointers = RecordStore(run.layout.bucket("pointers-v1"))
        self._network = network
        self._pages = Pages(
            index,
            records=RecordStore(run.layout.bucket("index-v1")),
            ask=network.ask,
            offline=run.options.offline,
        )
        self._admission = Admission(DOWNLOADS)
        self._progress = Progress()
        self._progress.wheels = len(needs)
        self._left = {id(work): sum(need.work is work for need in needs) for work in works}
        self._pages_left = 0
        self._collided: dict[str, set[str]] = {}
        self._scope = anyio.CancelScope()

    async def run(self) -> None:
        """Runs all projects; commits each environment when its last wheel is staged."""
        try:
            async with anyio.create_task_group() as background:
                if self._workers is not None:
                    await self._workers.wake()
                    background.start_soon(self._workers.listen)
                background.start_soon(self._obey_signals)
                if self._run.view.interval_seconds:
                    background.start_soon(self._show)
                with self._scope:
                    await self._run_projects()
                background.cancel_scope.cancel()
        finally:
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

    async def _run_projects(self) -> None:
        projects: dict[NormalizedName, list[Need]] = {}
        for need in self._needs:
            projects.setdefault(need.pin.name, []).append(need)
        if self._workers is not None:
            for work in self._works:
                self._guard_open(work)
        self._pages_left = len(projects)
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
            chosen = self._choose_from_cache(project, needs) or await self._choose_from_index(project, needs)
        except EngineError as exc:
            _say_where(exc, needs[0])
            self._fail([need.work for need in needs], exc)
            return
        finally:
            self._admission.page_finished()
            self._pages_left -= 1
        by_file: dict[str, list[tuple[Need, WheelChoice]]] = {}
        for need, choice in chosen:
            need.work.warnings.extend(choice.warnings)
            by_file.setdefault(choice.url, []).append((need, choice))
        async with anyio.create_task_group() as group:
            if not self._pages_left:
                group.start_soon(self._pages.store)
            if self._workers is None:
                return
            for wanted in by_file.values():
                group.start_soon(self._wheel, wanted[0][1], [need for need, _ in wanted])

    def _choose_from_cache(self, project: NormalizedName, needs: list[Need]) -> list[tuple[Need, WheelChoice]] | None:
        """Chooses from the stored page, when it is fresh or all that it leads to is in the cache."""
        stored = self._pages.stored(project)
        if stored is None:
            return None
        page, fresh = stored
        try:
            chosen = [(need, _choose(page, need)) for need in needs]
        except EngineError:
            if self._run.options.offline:
                raise
            return None
        if fresh or self._run.options.offline or all(self._known_sha256(choice) for _, choice in chosen):
            return chosen
        return None

    async def _choose_from_index(self, project: NormalizedName, needs: list[Need]) -> list[tuple[Need, WheelChoice]]:
        page = await self._pages.fetch(project)
        chosen = []
        for need in needs:
            try:
                chosen.append((need, _choose(page, need)))
            except EngineError as exc:
                self._fail([need.work], exc)
        return chosen

    def _known_sha256(self, choice: WheelChoice) -> str | None:
        """Returns the key of the wheel when it is in the cache."""
        sha256 = choice.sha256
        if sha256 is None:
            pointer = self._pointers.get(_pointer_key(choice.url))
            sha256 = pointer.decode("ascii", "replace") if pointer else None
        return sha256 if sha256 is not None and self._entries.has(sha256) else None

    # -- wheels -------------------------------------------------------------

    async def _wheel(self, choice: WheelChoice, needs: list[Need]) -> None:
        try:
            finished = await self._staged(choice, needs)
        except EngineError as exc:
            _say_where(exc, needs[0])
            self._fail([need.work for need in needs], exc)
            return
        self._progress.wheels_done += len(needs)
        for index, fields, collisions in finished.staged:
            work = self._works[index]
            entry = PlannedEntry(*fields)  # type: ignore[arg-type]
            self.answers[work.environment.prefix][entry.name] = entry
            work.warnings.extend(finished.warnings)
            if collisions:
                assert work.area is not None
                self._collided.setdefault(work.area.stage, set()).update(collisions)
            self._left[id(work)] -= 1
            if not self._left[id(work)] and work.error is None:
                await self._commit(work)

    async def _staged(self, choice: WheelChoice, needs: list[Need]) -> Finished:
        assert self._workers is not None
        works = [need.work for need in needs if need.work.error is None]
        areas = [
            (self._works.index(work), work.area.stage, work.area.python, work.schemes, work.relative)
            for work in works
            if work.area is not None
        ]
        sha256 = self._known_sha256(choice)
        if sha256 is not None:
            job = self._workers.job(choice.file.size or 0)
            try:
                return await job.stage(sha256, areas)
            except Drifted as exc:
                self._entries.set_aside(sha256)
                for work in works:
                    work.warnings.append(f"{choice.filename}: {exc.message}; it is fetched again")
        if self._run.options.offline:
            raise Offline(f"{choice.filename} is not in the cache", hint="run once without --offline")
        return await self._downloaded(choice, needs, areas)

    async def _downloaded(self, choice: WheelChoice, needs: list[Need], areas: list) -> Finished:  # type: ignore[type-arg]
        size = choice.file.size
        self._progress.bytes_expected += size or 0
        self._progress.phase = "downloading"
        async with self._admission.place(size):
            for attempt in range(ATTEMPTS):
                job = self._workers.job(size or 0)  # type: ignore[union-attr]
                try:
                    finished = await self._attempt(choice, needs, areas, job)
                except Restart as exc:
                    await job.abort()
                    reason = str(exc)
                except BaseException:
                    with anyio.CancelScope(shield=True), anyio.move_on_after(2):
                        await job.abort()
                    raise
                else:
                    if choice.sha256 is None:
                        self._pointers.put(_pointer_key(choice.url), finished.sha256.encode())
                    return finished
                if attempt + 1 < ATTEMPTS:
                    await pause(attempt)
        raise IndexUnavailable(f"cannot download {without_credentials(choice.url)}: {reason}")

    async def _attempt(self, choice: WheelChoice, needs: list[Need], areas: list, job: Job) -> Finished:  # type: ignore[type-arg]
        path = os.path.join(self._scratch, f"{job.number}.part")
        await job.begin(path, choice.filename)

        async def on_disk(available: int) -> None:
            job.raise_if_failed()
            await job.more(available)

        total = await download(
            self._network.session,
            choice.url,
            path,
            expected_bytes=choice.file.size,
            on_disk=on_disk,
            received=self._received,
        )
        return await job.end(total, _promised(choice), _accepted(needs), areas)

    def _received(self, count: int) -> None:
        self._progress.bytes_received += count

    # -- ends ---------------------------------------------------------------

    def _fail(self, works: Sequence[Work], error: EngineError) -> None:
        for work in works:
            if work.error is None and not work.committed:
                work.error = error
        if all(work.error is not None for work in self._works):
            self._scope.cancel()

    async def _commit(self, work: Work) -> None:
        if self._workers is None or work.error is not None:
            return
        answers = self.answers[work.environment.prefix]
        entries = [answers[need.pin.name] for need in self._needs if need.work is work]
        await anyio.to_thread.run_sync(settle_and_commit, self._run, work, entries, self._collided)
        if work.error is not None:
            self._fail([], work.error)


def _choose(page: ProjectPage, need: Need) -> WheelChoice:
    return choose_wheel(page, need.pin, need.compatible, where=need.pin.where)


def _say_where(error: EngineError, need: Need) -> None:
    if not error.message.startswith(need.pin.where):
        error.message = f"{need.pin.where}: {error.message}"


def _pointer_key(url: str) -> str:
    return hashlib.sha256(without_credentials(url).encode(), usedforsecurity=False).hexdigest()


def _promised(choice: WheelChoice) -> dict[str, str]:
    """Returns the page's hashes, of which every one has to match."""
    return {name: text.lower() for name, text in choice.file.hashes.items() if name in hashlib.algorithms_guaranteed}


def _accepted(needs: list[Need]) -> list[tuple[str, str]]:
    """Returns the lock's hashes, of which one has to match; empty when the lock has none."""
    return sorted({(digest.algorithm, digest.hex) for need in needs for digest in need.pin.hashes})
