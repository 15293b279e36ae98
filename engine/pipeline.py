"""The pipeline: pages -> choice -> download and unpack -> stage -> commit, no barrier between them.

One task per project.  A page that arrives frees its project at once; a wheel is
downloaded once for all environments that want it; an environment is committed
as soon as its last wheel is staged, whatever the others do.  An expected error
belongs to the environments that needed the thing that failed; the run goes on
as long as one environment can still succeed.
"""

import asyncio
import hashlib
import importlib
import os
import signal
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import anyio
from packaging.utils import NormalizedName

from cache.entries import EntryStore
from cache.plans import PlannedEntry
from cache.records import RecordStore
from engine.cold import Need
from engine.credentials import without_credentials
from engine.download import Restart, download
from engine.errors import EngineError, IndexUnavailable, Offline
from engine.index.client import ATTEMPTS, IndexClient, open_session, pause
from engine.index.source import index_url
from engine.limits import DOWNLOADS, LargestFirst
from engine.reporting import Progress
from engine.sync import Run, settle_and_commit
from engine.work import Work
from engine.workers import Drifted, Finished, Job, Workers

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from engine.index.choice import WheelChoice
    from engine.index.page import ProjectPage

Answers = dict[str, dict[str, PlannedEntry]]


def run_pipeline(
    run: Run, needs: list[Need], works: list[Work], lock_index: str | None, scratch: str, workers: Workers | None
) -> Answers:
    """Brings every work to its commit, or to its error.

    Args:
        run: options and places.
        needs: what is missing where.
        works: the environments that have something to change.
        lock_index: `--index-url` of the lock, or None.
        scratch: a private folder on the cache's file system.
        workers: the worker processes; None to choose files and stop there.

    Returns:
        Prefix of the environment to project name to what was installed.
    """
    index = index_url(run, lock_index)

    async def start() -> Answers:
        asyncio.get_running_loop().set_exception_handler(_report_bugs_only)
        pipeline = _Pipeline(run, needs, works, index, scratch, workers)
        await pipeline.run()
        if pipeline.interrupted == signal.SIGINT:
            raise KeyboardInterrupt
        if pipeline.interrupted is not None:
            raise SystemExit(128 + pipeline.interrupted)
        return pipeline.answers

    try:
        return anyio.run(start, backend_options={"use_uvloop": _has_uvloop()})
    except BaseExceptionGroup as group:
        raise _first(group) from None


def _first(exc: BaseException) -> BaseException:
    """Returns one exception of a group: callers never see groups, and one traceback is enough to find a bug."""
    while isinstance(exc, BaseExceptionGroup):
        exc = exc.exceptions[0]
    return exc


def _report_bugs_only(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Keeps quiet about connections that failed while their task was cancelled: uvloop reports each."""
    if not isinstance(context.get("exception"), OSError):
        loop.default_exception_handler(context)


def _has_uvloop() -> bool:
    try:
        import uvloop  # noqa: F401
    except ImportError:
        return False
    return True


class _Pipeline:
    def __init__(
        self, run: Run, needs: list[Need], works: list[Work], index: str, scratch: str, workers: Workers | None
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
        self._session: ClientSession | None = None
        self._index = IndexClient(
            index,
            records=RecordStore(run.layout.bucket("index-v1")),
            session=self._open_session,
            offline=run.options.offline,
        )
        self._downloads = LargestFirst(DOWNLOADS)
        self._progress = Progress()
        self._progress.wheels = len(needs)
        self._left = {id(work): sum(need.work is work for need in needs) for work in works}
        self._collided: dict[str, set[str]] = {}
        self._scope = anyio.CancelScope()

    def _open_session(self) -> "ClientSession":
        if self._session is None:
            self._session = open_session()
        return self._session

    async def run(self) -> None:
        """Runs all projects; commits each environment when its last wheel is staged."""
        try:
            async with anyio.create_task_group() as background:
                if self._workers is not None:
                    background.start_soon(self._workers.listen)
                background.start_soon(self._obey_signals)
                if self._run.view.interval_seconds:
                    background.start_soon(self._show)
                with self._scope:
                    await self._run_projects()
                background.cancel_scope.cancel()
        finally:
            self._run.view.close()
            if self._session is not None:
                with anyio.CancelScope(shield=True), anyio.move_on_after(2):
                    await self._session.close()

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
        async with anyio.create_task_group() as group:
            for work in self._works:
                if not self._left[id(work)]:
                    group.start_soon(self._commit, work)
            for project, needs in projects.items():
                group.start_soon(self._project, project, needs)
            group.start_soon(self._prepare)

    async def _prepare(self) -> None:
        """Does what the first answers will need while they are still on their way."""
        if self._workers is not None:
            await self._workers.wake()
        for name in ("engine.index.page", "engine.index.choice", "aiofiles"):
            # In steps, so that TLS handshakes get their turn between two imports.
            await anyio.sleep(0)
            importlib.import_module(name)

    def _guard_open(self, work: Work) -> None:
        try:
            work.open()
        except EngineError as exc:
            self._fail([work], exc)

    # -- pages and choice ---------------------------------------------------

    async def _project(self, project: NormalizedName, needs: list[Need]) -> None:
        try:
            chosen = self._choose_from_cache(project, needs)
            if chosen is None:
                page = await self._index.fetch(project)
                chosen = []
                for need in needs:
                    try:
                        chosen.append((need, _choose(page, need)))
                    except EngineError as exc:
                        self._fail([need.work], exc)
        except EngineError as exc:
            _say_where(exc, needs[0])
            self._fail([need.work for need in needs], exc)
            return
        by_file: dict[str, list[tuple[Need, WheelChoice]]] = {}
        for need, choice in chosen:
            need.work.warnings.extend(choice.warnings)
            by_file.setdefault(choice.url, []).append((need, choice))
        if self._workers is None:
            return
        async with anyio.create_task_group() as group:
            for wanted in by_file.values():
                group.start_soon(self._wheel, wanted[0][1], [need for need, _ in wanted])

    def _choose_from_cache(self, project: NormalizedName, needs: list[Need]) -> "list[tuple[Need, WheelChoice]] | None":
        """Chooses from the stored page, when it is fresh or all that it leads to is in the cache."""
        stored = self._index.stored(project)
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

    def _known_sha256(self, choice: "WheelChoice") -> str | None:
        """Returns the key of the wheel when it is in the cache."""
        sha256 = choice.sha256
        if sha256 is None:
            pointer = self._pointers.get(_pointer_key(choice.url))
            sha256 = pointer.decode("ascii", "replace") if pointer else None
        return sha256 if sha256 is not None and self._entries.has(sha256) else None

    # -- wheels -------------------------------------------------------------

    async def _wheel(self, choice: "WheelChoice", needs: list[Need]) -> None:
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

    async def _staged(self, choice: "WheelChoice", needs: list[Need]) -> Finished:
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

    async def _downloaded(self, choice: "WheelChoice", needs: list[Need], areas: list) -> Finished:  # type: ignore[type-arg]
        size = choice.file.size
        self._progress.bytes_expected += size or 0
        self._progress.phase = "downloading"
        async with self._downloads.place(size or 0):
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

    async def _attempt(self, choice: "WheelChoice", needs: list[Need], areas: list, job: Job) -> Finished:  # type: ignore[type-arg]
        path = os.path.join(self._scratch, f"{job.number}.part")
        await job.begin(path, choice.filename)

        async def on_disk(available: int) -> None:
            job.raise_if_failed()
            await job.more(available)

        total = await download(
            self._open_session(),
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


def _choose(page: "ProjectPage", need: Need) -> "WheelChoice":
    from engine.index.choice import choose_wheel

    return choose_wheel(page, need.pin, need.compatible, where=need.pin.where)


def _say_where(error: EngineError, need: Need) -> None:
    if not error.message.startswith(need.pin.where):
        error.message = f"{need.pin.where}: {error.message}"


def _pointer_key(url: str) -> str:
    return hashlib.sha256(without_credentials(url).encode(), usedforsecurity=False).hexdigest()


def _promised(choice: "WheelChoice") -> dict[str, str]:
    """Returns the page's hashes, of which every one has to match."""
    return {name: text.lower() for name, text in choice.file.hashes.items() if name in hashlib.algorithms_guaranteed}


def _accepted(needs: list[Need]) -> list[tuple[str, str]]:
    """Returns the lock's hashes, of which one has to match; empty when the lock has none."""
    return sorted({(digest.algorithm, digest.hex) for need in needs for digest in need.pin.hashes})
