"""The pipeline: pages -> choice -> download and unpack -> stage -> commit, no barrier between them.

One task per project.  A page that arrives frees its project at once; a wheel is
downloaded once for all environments that want it; an environment is committed
as soon as its last wheel is staged, whatever the others do.  An expected error
belongs to the environments that needed the thing that failed; the run goes on
as long as one environment can still succeed.
"""

import functools
import hashlib
import itertools
import os
import signal
from collections.abc import Iterator, Sequence

import anyio
from packaging.utils import NormalizedName

from cache.partials import PartialStore
from cache.plans import PlannedEntry
from cache.records import RecordStore
from engine.admission import Admission
from engine.chosen import Chosen
from engine.claims import Claims
from engine.cold import Need
from engine.credentials import without_credentials
from engine.errors import (
    ConfigurationError,
    EngineError,
    IndexUnavailable,
    InstallFailed,
    NoMatchingDistribution,
    Offline,
)
from engine.fetching import Fetcher
from engine.index.client import Network
from engine.index.compatibility import WheelName, best_rank
from engine.index.indexes import Indexes
from engine.index.pages import Pages
from engine.index.source import Sources
from engine.limits import ATTEMPTS, DOWNLOADS
from engine.local import local_path
from engine.recording import Artifact, timed
from engine.refusals import REFUSALS, Refusals
from engine.reporting import Progress, describe_links
from engine.scratch import open_store
from engine.staging import Drift
from engine.sync import Run
from engine.warm import settle_and_commit
from engine.work import Work
from engine.workers import Drifted, Finished, Job, Workers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from engine.bytecode.provision import Provision
    from engine.choosing import PinFields
    from engine.staged import AreaFields

Answers = dict[str, dict[str, PlannedEntry]]


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
    ) -> None:
        self.answers: Answers = {work.environment.prefix: {} for work in works}
        self.interrupted: signal.Signals | None = None
        self._run = run
        self._recorder = run.recorder
        self._needs = needs
        self._works = works
        self._scratch = scratch
        self._workers = workers
        self._entries = open_store(run.layout, scratch)
        # What goes to a private place is of no use to others.
        shares = scratch.startswith(os.path.join(run.layout.temporary, ""))
        self._claims = Claims(os.path.join(run.layout.bucket("partial-v1"), "claims") if shares else None)
        self._pointers = RecordStore(run.layout.bucket("pointers-v1"))
        self._sources = sources
        records = RecordStore(run.layout.bucket("index-v2"))
        self._indexes = Indexes(
            sources,
            strategy=run.options.indexes.strategy,
            new_pages=lambda url, absent: Pages(
                url,
                ask=network.ask,
                budget=network.budget,
                records=records,
                offline=run.options.offline,
                refreshed=run.options.network.refreshes,
                absent_statuses=absent,
                warnings=network.warnings,
                repeated=self._note_repeated_page,
            ),
            records=records,
            workers=workers,
        )
        self._targets = list({id(need.compatible): need.compatible for need in needs}.values())
        self._admission = Admission(run.options.network.concurrent_downloads or DOWNLOADS)
        self._fetcher = Fetcher(
            network=network,
            workers=workers,
            admission=self._admission,
            scratch=scratch,
            partials=PartialStore(run.layout) if shares else None,
            received=self._received,
            recorder=run.recorder,
        )
        self._progress = Progress()
        self._progress.wheels = len(needs)
        self._left = {id(work): sum(need.work is work for need in needs) for work in works}
        self._linked: dict[str, int] = {}
        self._downloaded_wheels = 0
        self._collided: dict[str, set[str]] = {}
        self._chosen: dict[str, tuple[Chosen, Need]] = {}
        self._refusals = Refusals(needs)
        self._undecided = len({need.pin.name for need in needs})
        self._provision: Provision | None = None
        self._scope = anyio.CancelScope()

    async def run(self) -> None:
        """Runs all projects; commits each environment when its last wheel is staged."""
        try:
            async with anyio.create_task_group() as background:
                self._workers.know(
                    [
                        (tuple(target.tag_priority), target.python_full_version, target.describe)
                        for target in self._targets
                    ]
                )
                background.start_soon(self._workers.listen)
                background.start_soon(self._obey_signals)
                if self._run.view.interval_seconds:
                    background.start_soon(self._show)
                with self._scope:
                    if any(work.bytecode for work in self._works) and not self._run.options.dry_run:
                        await self._run_compiling()
                    else:
                        await self._run_projects()
                for work in self._works:
                    work.error = self._refusals.conclude(work) or work.error
                background.cancel_scope.cancel()
        finally:
            self._claims.close()
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
        from engine.bytecode.provision import Provision

        async with open_compilers() as compilers:
            self._provision = Provision(self._run.layout, self._scratch, self._entries, compilers)
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
            chosen = await self._choose(project, needs)
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
                if (
                    self._run.options.offline
                    and isinstance(choice, Chosen)
                    and not _is_local(choice)
                    and self._usable_sha256(choice, [need]) is None
                ):
                    self._fail([need.work], _not_cached(choice))
            return
        async with anyio.create_task_group() as group:
            for wanted in by_file.values():
                group.start_soon(self._wheel, wanted[0][1], [need for need, _ in wanted])

    async def _choose(self, project: NormalizedName, needs: list[Need]) -> list[Chosen | EngineError]:
        """Returns a wheel or a refusal for each need: from the lock, the stored page or the index."""
        paged = [need for need in needs if need.pin.file is None]
        found: Iterator[Chosen | EngineError]
        if paged and self._sources.forbid_wheels(project):
            found = iter([_no_wheels_wanted(need) for need in paged])
        else:
            found = iter(await self._choose_from_pages(project, paged) if paged else ())
        return [next(found) if need.pin.file is None else _locked_wheel(need) for need in needs]

    async def _choose_from_pages(self, project: NormalizedName, needs: list[Need]) -> list[Chosen | EngineError]:
        wants = [(_pin_fields(need), self._targets.index(need.compatible)) for need in needs]
        return await self._indexes.choose(project, wants, functools.partial(self._good_enough, needs))

    def _good_enough(self, needs: list[Need], fresh: bool, chosen: list[Chosen | EngineError]) -> bool:
        """Tells whether the index need not be asked: a pin whose wheel is in the cache has its answer, however old."""
        if self._run.options.offline:
            return True
        return all(
            not isinstance(choice, EngineError) and (fresh or self._usable_sha256(choice, [need]) is not None)
            for need, choice in zip(needs, chosen, strict=True)
        )

    def _usable_sha256(self, choice: Chosen, needs: list[Need]) -> str | None:
        """Returns the key of the wheel when it is in the cache and the lock's hashes allow it without a download."""
        sha256 = self._known_sha256(choice)
        accepted = _accepted(needs)
        return sha256 if not accepted or ("sha256", sha256) in accepted else None

    def _known_sha256(self, choice: Chosen) -> str | None:
        """Returns the key of the wheel when it is in the cache."""
        sha256 = choice.sha256
        if sha256 is None:
            pointer = self._pointers.get(_pointer_key(choice))
            sha256 = pointer.decode("ascii", "replace") if pointer else None
        return sha256 if sha256 is not None and self._entries.has(sha256) else None

    # -- wheels -------------------------------------------------------------

    async def _wheel(self, choice: Chosen, needs: list[Need]) -> None:
        needs = [need for need in needs if need.work.error is None]
        if not needs:
            return
        try:
            finished = await self._staged(choice, needs)
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
                self._fail([work], InstallFailed(f"cannot install into {work.environment.prefix}: {refused}"))
                continue
            entry = PlannedEntry(*fields)  # type: ignore[arg-type]
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

    async def _staged(self, choice: Chosen, needs: list[Need]) -> Finished:
        areas = [
            (
                *(self._works.index(work), work.area.stage, work.area.python, work.schemes, work.relative),
                *(work.bytecode.key if work.bytecode else "", target.python_full_version),
            )
            for work, target in ((need.work, need.compatible) for need in needs)
            if work.area is not None
        ]
        sha256 = self._usable_sha256(choice, needs)
        if sha256 is not None and (finished := await self._from_cache(sha256, choice, needs, areas)) is not None:
            return finished
        if self._run.options.offline and not _is_local(choice):
            raise _not_cached(choice)
        at_once = areas if self._provision is None else []
        if _is_local(choice):
            published = await self._downloaded(choice, needs, at_once)
        else:
            key = choice.sha256 or _pointer_key(choice)
            async with self._claims.claim(key, lambda: self._usable_sha256(choice, needs) is not None):
                # Others may have brought it since.
                brought = self._usable_sha256(choice, needs) if sha256 is None else None
                if brought is not None and (finished := await self._from_cache(brought, choice, needs, areas)):
                    return finished
                published = await self._downloaded(choice, needs, at_once)
        return published if self._provision is None else await self._compiled(published, choice, needs, areas)

    async def _from_cache(
        self, sha256: str, choice: Chosen, needs: list[Need], areas: "list[AreaFields]"
    ) -> Finished | None:
        """Stages a wheel that the cache has; returns None when it turns out that it has not."""
        try:
            return await self._stage(sha256, choice, needs, areas, cached=True)
        except Drifted as exc:
            # Where nothing is left, somebody has cleaned the cache.
            if self._entries.has(sha256):
                self._entries.set_aside(sha256)
                for need in needs:
                    need.work.warnings.append(f"{choice.filename}: {exc.message}; it is fetched again")
        return None

    async def _compiled(
        self, published: Finished, choice: Chosen, needs: list[Need], areas: "list[AreaFields]"
    ) -> Finished:
        """Compiles and stages a wheel that has just been published."""
        for _ in range(ATTEMPTS):
            try:
                finished = await self._stage(published.sha256, choice, needs, areas, cached=False)
            except Drifted:  # somebody cleans the cache
                published = await self._downloaded(choice, needs, None)
                continue
            finished.warnings.extend(published.warnings)
            return finished
        raise InstallFailed(f"the cache {self._run.layout.root} is emptied again and again")

    async def _stage(
        self, sha256: str, choice: Chosen, needs: list[Need], areas: "list[AreaFields]", *, cached: bool
    ) -> Finished:
        """Stages a published wheel; sees to its bytecode first, where an environment wants that.

        Raises:
            Drifted: when the wheel is damaged.
            EngineError: what else went wrong.
        """
        for attempt in itertools.count(1):
            await self._provide(sha256, choice, needs)
            try:
                job = self._workers.job(choice.size_bytes or 0)
                self._note_job(job, choice, cached=cached)
                return await job.stage(sha256, areas, _origin(choice, needs))
            except Drifted as exc:
                if not exc.bytecode or attempt == ATTEMPTS:
                    raise
        raise AssertionError("unreachable")

    async def _provide(self, sha256: str, choice: Chosen, needs: list[Need]) -> None:
        if self._provision is None:
            return
        kinds = [need.work.bytecode for need in needs if need.work.bytecode]
        artifact = self._recorder.artifacts[choice.url] if self._recorder is not None else None
        with timed(self._recorder, "compile", choice.filename, artifact):
            lines = await self._provision.provide(sha256, kinds)
        for need in needs:
            need.work.details.extend(lines if need.work.bytecode else ())

    async def _downloaded(self, choice: Chosen, needs: list[Need], areas: "list[AreaFields] | None") -> Finished:
        self._progress.bytes_expected += choice.size_bytes or 0
        self._progress.phase = "downloading"
        # Before the file is read: one that changes meanwhile gets no pointer for what it has become.
        pointer = _pointer_key(choice)
        accepted = _accepted(needs)
        algorithms = {*choice.promised, *(algorithm for algorithm, _ in accepted)}
        project = needs[0].pin.name

        async def end(job: Job, total: int) -> Finished:
            return await job.end(total, choice.promised, accepted, areas, _origin(choice, needs))

        if _is_local(choice):
            finished = await self._fetcher.copy(choice, project, algorithms=algorithms, end=end)
        else:
            key = choice.sha256 or pointer
            finished = await self._fetcher.fetch(choice, project, key=key, algorithms=algorithms, end=end)
        self._downloaded_wheels += 1
        if choice.sha256 is None:
            self._pointers.put(pointer, finished.sha256.encode())
        return finished

    def _note_job(self, job: Job, choice: Chosen, *, cached: bool) -> Artifact | None:
        return None if self._recorder is None else self._recorder.assign(job.number, choice, cached=cached)

    def _note_repeated_page(self, project: str) -> None:
        if self._recorder is not None:
            self._recorder.repeat_page(project)

    def _received(self, count: int) -> None:
        self._progress.bytes_received += count

    async def _restore(self, lost: Drift, work: Work) -> bool:
        """Fetches a wheel again that is staged already; returns False when that fails, which is then `work`'s error."""
        choice, need = self._chosen[lost.sha256]
        try:
            if self._run.options.offline and not _is_local(choice):
                raise _not_cached(choice)
            await self._downloaded(choice, [need], None)
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
            f"{self._downloaded_wheels} wheels downloaded, {self._progress.bytes_received / 1e6:.1f} MB; "
            f"from the cache, {describe_links(self._linked)}"
        )
        for _ in range(len(entries) + 1):
            try:
                await anyio.to_thread.run_sync(
                    settle_and_commit, self._run, work, entries, self._collided, self._entries.tree
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


def _not_cached(choice: Chosen) -> Offline:
    return Offline(f"{choice.filename} is not in the cache", hint="run once without --offline")


def _say_where(error: EngineError, need: Need) -> None:
    if isinstance(error, ConfigurationError) or (isinstance(error, IndexUnavailable) and error.server_wide):
        return  # it would happen to any line
    if not error.message.startswith(need.pin.where):
        error.message = f"{need.pin.where}: {error.message}"


def _locked_wheel(need: Need) -> Chosen | EngineError:
    """Returns the wheel that the lock names, or why the environment cannot have it."""
    file = need.pin.file
    assert file is not None
    name = WheelName.parse(file.filename)
    if name is None or best_rank(name.tags, need.compatible.tag_priority) is None:
        return NoMatchingDistribution(
            f"{need.pin.where}: {file.filename} is not for {need.compatible.describe}",
            hint="use a Python or a platform that the wheel is for, or lock another wheel",
        )
    promised = {digest.algorithm: digest.hex for digest in file.digests}
    return Chosen(file.url, file.filename, file.size_bytes, promised.get("sha256"), promised, ())


def _no_wheels_wanted(need: Need) -> NoMatchingDistribution:
    return NoMatchingDistribution(
        f"{need.pin.where}: {need.pin.name} cannot be installed: --no-binary forbids its wheels, and engine installs "
        "nothing else",
        hint=f"leave out --no-binary, or allow this one with --only-binary {need.pin.name}",
    )


def _is_local(choice: Chosen) -> bool:
    return choice.url.startswith("file:")


def _origin(choice: Chosen, needs: list[Need]) -> tuple[str, bool]:
    """Returns where a wheel comes from, and whether the distribution has to say so."""
    return choice.url, any(need.pin.file is not None and need.pin.file.direct for need in needs)


def _pointer_key(choice: Chosen) -> str:
    # What the promise was when the pointer was made counts: under another one the file has to be seen again.
    promise = " ".join(f"{algorithm}:{digits}" for algorithm, digits in sorted(choice.promised.items()))
    text = f"{without_credentials(choice.url)} {promise}{_state(choice)}".rstrip()
    return hashlib.sha256(text.encode(), usedforsecurity=False).hexdigest()


def _state(choice: Chosen) -> str:
    """Returns what changes when a file that is here is written anew: unlike an index's, it keeps its name."""
    if not _is_local(choice):
        return ""
    try:
        found = os.stat(local_path(choice.url))
    except OSError:
        return ""
    return f" {found.st_size} {found.st_mtime_ns}"


def _pin_fields(need: Need) -> "PinFields":
    pin = need.pin
    hashes = [(digest.algorithm, digest.hex) for digest in pin.hashes]
    return (pin.name, pin.version_text, pin.arbitrary_equality, hashes, pin.line, pin.source)


def _accepted(needs: list[Need]) -> list[tuple[str, str]]:
    """Returns the lock's hashes, of which one has to match; empty when the lock has none."""
    return sorted({(digest.algorithm, digest.hex) for need in needs for digest in need.pin.hashes})
