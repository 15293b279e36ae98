"""One wheel into all environments that want it: out of the cache, or from where it comes from.

Owns what is asked before something is downloaded (is it here, may it be used,
does somebody else bring it already?), what follows when an entry of the cache turns
out to be damaged or gone, and the bytecode that has to be there before anything is
staged.  Does not download (`engine.fetching`) and does not stage (a worker does).
"""

import hashlib
import itertools
import os

import anyio

from cache.partials import PartialStore
from cache.records import RecordStore
from engine.admission import Admission
from engine.chosen import Chosen
from engine.claims import Claims
from engine.cold import Need
from engine.credentials import without_userinfo
from engine.errors import InstallFailed, Offline
from engine.fetching import Fetcher
from engine.index.client import Network
from engine.limits import ATTEMPTS
from engine.local import local_path
from engine.recording import timed
from engine.reporting import Progress
from engine.scratch import open_store
from engine.sync import Run
from engine.work import Work
from engine.workers import Drifted, Finished, Job, Workers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from engine.bytecode.compiler import Compilers
    from engine.bytecode.provision import Provision
    from engine.staged import AreaFields


class Supply:
    """Brings the wheels of one run.

    Args:
        run: options and places.
        works: the environments that have something to change, in the order in which they are told by number.
        network: asks and downloads.
        workers: the worker processes.
        scratch: a private folder on the cache's file system.
        admission: says which download may start.
        progress: counts what comes.

    Attributes:
        entries: the wheels of the cache, and those that only this run has.
        downloaded_wheels: how many had to be fetched.
    """

    def __init__(
        self,
        run: Run,
        works: list[Work],
        *,
        network: Network,
        workers: Workers,
        scratch: str,
        admission: Admission,
        progress: Progress,
    ) -> None:
        self.entries = open_store(run.layout, scratch)
        self.downloaded_wheels = 0
        self._run = run
        self._recorder = run.recorder
        self._works = works
        self._workers = workers
        self._scratch = scratch
        self._progress = progress
        # What goes to a private place is of no use to others.
        shares = scratch.startswith(os.path.join(run.layout.temporary, ""))
        self._claims = Claims(os.path.join(run.layout.bucket("partial-v1"), "claims") if shares else None)
        self._pointers = RecordStore(run.layout.bucket("pointers-v1"))
        self._fetcher = Fetcher(
            network=network,
            workers=workers,
            admission=admission,
            scratch=scratch,
            partials=PartialStore(run.layout) if shares else None,
            received=self._received,
            recorder=run.recorder,
        )
        self._provision: Provision | None = None
        self._kept: dict[str, anyio.Event] = {}

    def close(self) -> None:
        """Ends what others may wait for."""
        self._claims.close()

    def compile_with(self, compilers: "Compilers") -> None:
        """Has wheels compiled before they are staged, where an environment wants that."""
        from engine.bytecode.provision import Provision

        self._provision = Provision(self._run.layout, self._scratch, self.entries, compilers)

    def usable_sha256(self, choice: Chosen, needs: list[Need]) -> str | None:
        """Returns the key of the wheel when it is in the cache and the lock's hashes allow it without a download."""
        sha256 = self.known_sha256(choice)
        accepted = _accepted(needs)
        return sha256 if not accepted or ("sha256", sha256) in accepted else None

    def known_sha256(self, choice: Chosen) -> str | None:
        """Returns the key of the wheel when it is in the cache."""
        sha256 = choice.sha256
        if sha256 is None:
            pointer = self._pointers.get(pointer_key(choice))
            sha256 = pointer.decode("ascii", "replace") if pointer else None
        return sha256 if sha256 is not None and self.entries.has(sha256) else None

    def out_of_reach(self, choice: Chosen, needs: list[Need]) -> Offline | None:
        """Returns why a run that stays offline cannot have a wheel; None where nothing is in its way."""
        if not self._is_forbidden(choice) or self.usable_sha256(choice, needs) is not None:
            return None
        return _not_cached(choice)

    def _is_forbidden(self, choice: Chosen) -> bool:
        """Tells whether a wheel may not be fetched."""
        return self._run.options.offline and not _is_local(choice)

    async def stage(self, choice: Chosen, needs: list[Need]) -> Finished:
        """Stages a wheel, wherever it has to come from.

        Args:
            choice: the wheel.
            needs: the environments that want it, and what each accepts.

        Raises:
            EngineError: when it cannot be had, or not be used.
        """
        areas = [
            (
                *(self._works.index(work), work.area.stage, work.area.python, work.schemes, work.relative),
                *(work.bytecode.key if work.bytecode else "", target.python_full_version),
            )
            for work, target in ((need.work, need.compatible) for need in needs)
            if work.area is not None
        ]
        if (arrival := self._kept.get(_key(choice))) is not None:
            await arrival.wait()
        sha256 = self.usable_sha256(choice, needs)
        if sha256 is not None and (finished := await self._from_cache(sha256, choice, needs, areas)) is not None:
            return finished
        if self._is_forbidden(choice):
            raise _not_cached(choice)
        at_once = areas if self._provision is None else []
        if _is_local(choice):
            published = await self._downloaded(choice, needs, at_once)
        else:
            async with self._claims.claim(_key(choice), lambda: self.usable_sha256(choice, needs) is not None):
                # Others may have brought it since.
                brought = self.usable_sha256(choice, needs) if sha256 is None else None
                if brought is not None and (finished := await self._from_cache(brought, choice, needs, areas)):
                    return finished
                published = await self._downloaded(choice, needs, at_once)
        return published if self._provision is None else await self._compiled(published, choice, needs, areas)

    async def _from_cache(
        self, sha256: str, choice: Chosen, needs: list[Need], areas: "list[AreaFields]"
    ) -> Finished | None:
        """Stages a wheel that the cache has; returns None when it turns out that it has not."""
        try:
            return await self._stage_published(sha256, choice, needs, areas, cached=True)
        except Drifted as exc:
            # Where nothing is left, somebody has cleaned the cache.
            if self.entries.has(sha256):
                self.entries.set_aside(sha256)
                for need in needs:
                    need.work.warnings.append(f"{choice.filename}: {exc.message}; it is fetched again")
        return None

    async def _compiled(
        self, published: Finished, choice: Chosen, needs: list[Need], areas: "list[AreaFields]"
    ) -> Finished:
        """Compiles and stages a wheel that has just been published."""
        for _ in range(ATTEMPTS):
            try:
                finished = await self._stage_published(published.sha256, choice, needs, areas, cached=False)
            except Drifted:  # somebody cleans the cache
                published = await self._downloaded(choice, needs, None)
                continue
            finished.warnings.extend(published.warnings)
            return finished
        raise InstallFailed(f"the cache {self._run.layout.root} is emptied again and again")

    async def _stage_published(
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

    async def keep(self, choice: Chosen, project: str) -> str:
        """Returns the key of a wheel that nobody stages yet; it is fetched where the cache has not got it.

        Args:
            choice: the wheel.
            project: whose it is.

        Raises:
            EngineError: when it cannot be had.
        """
        if (sha256 := self.known_sha256(choice)) is not None:
            return sha256
        if self._is_forbidden(choice):
            raise _not_cached(choice)
        key = _key(choice)
        if (arrival := self._kept.get(key)) is not None:
            await arrival.wait()
            return await self.keep(choice, project)
        if self._recorder is not None:
            self._recorder.expect(project, choice)
        arrival = self._kept[key] = anyio.Event()
        try:
            if _is_local(choice):
                return (await self._downloaded(choice, [], [], project)).sha256
            async with self._claims.claim(key, lambda: self.known_sha256(choice) is not None):
                # Others may have brought it since.
                return self.known_sha256(choice) or (await self._downloaded(choice, [], [], project)).sha256
        finally:
            del self._kept[key]
            arrival.set()

    async def _downloaded(
        self, choice: Chosen, needs: list[Need], areas: "list[AreaFields] | None", project: str = ""
    ) -> Finished:
        self._progress.bytes_expected += choice.size_bytes or 0
        self._progress.phase = "downloading"
        # Before the file is read: one that changes meanwhile gets no pointer for what it has become.
        pointer = pointer_key(choice)
        accepted = _accepted(needs)
        algorithms = {*choice.promised, *(algorithm for algorithm, _ in accepted)}
        project = project or needs[0].pin.name

        async def end(job: Job, total: int) -> Finished:
            return await job.end(
                total, choice.promised, accepted, areas, _origin(choice, needs), promiser=choice.promiser
            )

        if _is_local(choice):
            finished = await self._fetcher.copy(choice, project, algorithms=algorithms, end=end)
        else:
            key = _key(choice)
            finished = await self._fetcher.fetch(choice, project, key=key, algorithms=algorithms, end=end)
        self.downloaded_wheels += 1
        if choice.sha256 is None:
            self._pointers.put(pointer, finished.sha256.encode())
        return finished

    async def fetch_again(self, choice: Chosen, need: Need) -> None:
        """Fetches a wheel that was staged already, and that somebody has cleaned away.

        Raises:
            EngineError: when it cannot be had.
        """
        if self._is_forbidden(choice):
            raise _not_cached(choice)
        await self._downloaded(choice, [need], None)

    def _note_job(self, job: Job, choice: Chosen, *, cached: bool) -> None:
        if self._recorder is not None:
            self._recorder.assign(job.number, choice, cached=cached)

    def _received(self, count: int) -> None:
        self._progress.bytes_received += count


def _not_cached(choice: Chosen) -> Offline:
    return Offline(f"{choice.filename} is not in the cache", hint="run once without --offline")


def _is_local(choice: Chosen) -> bool:
    return choice.url.startswith("file:")


def _origin(choice: Chosen, needs: list[Need]) -> tuple[str, bool, bool]:
    """Returns what `Job.stage` takes as origin."""
    is_direct = any(need.pin.file is not None and need.pin.file.direct for need in needs)
    return choice.url, is_direct, any(need.pin.requested for need in needs)


def _key(choice: Chosen) -> str:
    """Returns what tells wheels apart that are on their way."""
    return choice.sha256 or pointer_key(choice)


def pointer_key(choice: Chosen) -> str:
    """Returns the key under which the cache notes what a wheel turned out to be that nobody has promised by sha256.

    Args:
        choice: the wheel; whose credentials its URL has does not count.
    """
    # What the promise was when the pointer was made counts: under another one the file has to be seen again.
    promise = " ".join(f"{algorithm}:{digits}" for algorithm, digits in sorted(choice.promised.items()))
    text = f"{without_userinfo(choice.url)} {promise}{_state(choice)}".rstrip()
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


def _accepted(needs: list[Need]) -> list[tuple[str, str]]:
    """Returns the lock's hashes, of which one has to match; empty when the lock has none."""
    return sorted({(digest.algorithm, digest.hex) for need in needs for digest in need.pin.hashes})
