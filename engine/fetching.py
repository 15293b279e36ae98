"""Brings one wheel to a worker: from the network, in as many attempts as it takes, or from a file here.

Owns the attempts: what a broken connection has brought stays, the worker keeps what it has unpacked, and the rest is
asked for; what an earlier run has left is taken over.  Where the server offers something else than the rest, or where
the joined file turns out to be the wrong one, all of it is asked for again, once without any part.
"""

import os
import time
from collections.abc import Awaitable, Callable

import anyio

from cache.partials import PartialStore
from engine.admission import Admission
from engine.chosen import Chosen
from engine.credentials import without_credentials
from engine.download import Restart, download
from engine.errors import EngineError, HashMismatch, IndexUnavailable, InvalidWheel, SizeMismatch
from engine.index.client import Network
from engine.limits import KEPT_BYTES
from engine.local import copy_local
from engine.network.interrupted import Interrupted
from engine.partial import Partial
from engine.recording import Artifact, Recorder, timed
from engine.space import cannot_write
from engine.workers import Drifted, Finished, Job, Workers

#: Says that all is there: the job, and the length in bytes.
End = Callable[[Job, int], Awaitable[Finished]]

#: A part that turns out to be of another file shows as one of these.
_WRONG = (HashMismatch, SizeMismatch, InvalidWheel)


class Fetcher:
    """What fetching needs, and all wheels of a run share.

    Args:
        network: asks.
        workers: unpack.
        admission: says which download may start.
        scratch: a private folder on the cache's file system.
        partials: what earlier runs have left, or None where nothing can be taken over or left.
        received: told how many bytes each read brought.
        recorder: learns what took time, or None.
    """

    def __init__(
        self,
        *,
        network: Network,
        workers: Workers,
        admission: Admission,
        scratch: str,
        partials: PartialStore | None,
        received: Callable[[int], None],
        recorder: Recorder | None,
    ) -> None:
        self.network = network
        self.workers = workers
        self.admission = admission
        self.scratch = scratch
        self.partials = partials
        self.received = received
        self.recorder = recorder

    async def fetch(self, choice: Chosen, project: str, *, key: str, algorithms: set[str], end: End) -> Finished:
        """Downloads a wheel and has it unpacked while it comes.

        Args:
            choice: the wheel.
            project: whose it is.
            key: names the wheel for a later run (64 hex digits).
            algorithms: of all hashes that will be compared in the end.
            end: tells the worker what to do with it.

        Raises:
            EngineError: when it cannot be had.
        """
        fetch = _Fetch(self, choice, project, key, algorithms)
        try:
            return await fetch.run(end)
        except IndexUnavailable:
            raise
        except EngineError:
            fetch.forget()
            raise
        except OSError as exc:
            raise cannot_write(os.fsdecode(exc.filename or self.scratch), exc, choice.size_bytes) from exc
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(2):
                await fetch.close()

    async def copy(self, choice: Chosen, project: str, *, algorithms: set[str], end: End) -> Finished:
        """Copies a wheel that is a file here, and has it unpacked meanwhile.

        Args:
            choice: the wheel; its URL is a `file:` URL.
            project: whose it is.
            algorithms: of all hashes that will be compared in the end.
            end: tells the worker what to do with it.

        Raises:
            EngineError: when it cannot be had.
        """
        job = self.workers.job(choice.size_bytes or 0)
        artifact = None if self.recorder is None else self.recorder.assign(job.number, choice, cached=False)
        path = os.path.join(self.scratch, f"{job.number}.part")

        async def on_disk(available: int) -> None:
            job.raise_if_failed()
            await job.more(available)

        try:
            await job.begin(path, choice.filename, vouched=algorithms == {"sha256"})
            async with self.admission.place(choice.size_bytes):
                with timed(self.recorder, "download", choice.filename, artifact) as details:
                    details.update(project=project, attempt=1)
                    total = details["bytes"] = await copy_local(
                        choice.url, path, expected_bytes=choice.size_bytes, on_disk=on_disk, received=self.received
                    )
            return await end(job, total)
        except BaseException:
            with anyio.CancelScope(shield=True), anyio.move_on_after(2):
                await job.abort()
            raise


class _Fetch:
    """One wheel on its way."""

    def __init__(self, fetcher: Fetcher, choice: Chosen, project: str, key: str, algorithms: set[str]) -> None:
        self._fetcher = fetcher
        self._choice = choice
        self._project = project
        self._key = key
        self._algorithms = algorithms
        self._job: Job | None = None
        self._artifact: Artifact | None = None
        self._partial: Partial | None = None
        self._attempt = 0
        self._joined = False
        self._whole_only = False

    async def run(self, end: End) -> Finished:
        failures = 0
        while True:
            self._attempt += 1
            before = self._partial.written if self._partial is not None else 0
            try:
                job = self._job or await self._begin()
                total = await self._transfer(job)
                finished = await end(job, total)
            except _WRONG:
                if not self._joined:
                    raise
                self._whole_only = True
                await self.close()
            except (Restart, Drifted) as exc:
                after = self._partial.written if self._partial is not None else 0
                # Who brings a megabyte at a time gets to the end.
                failures = 1 if after - before >= KEPT_BYTES else failures + 1
                if not self._goes_on(exc):
                    await self.close()
                wait = exc.retry_after_seconds if isinstance(exc, Restart) else None
                if not await self._fetcher.network.budget.pause(failures - 1, wait):
                    raise self._given_up(exc) from exc
            else:
                self._job = None
                return finished

    def _given_up(self, error: Restart | Drifted) -> IndexUnavailable:
        what = f"cannot download {without_credentials(self._choice.url)}"
        if isinstance(error.__cause__, Interrupted):
            return error.__cause__.given_up(what, self._attempt, "check the network; --retries tries more often")
        return IndexUnavailable(f"{what}: {error}")

    def _goes_on(self, error: Restart | Drifted) -> bool:
        """Tells whether what is there can be continued; if the server offers something else, no part is asked for."""
        if isinstance(error, Restart) and error.changed:
            self._whole_only = True
        return (
            isinstance(error, Restart)
            and not self._whole_only
            and self._partial is not None
            and self._partial.can_go_on
        )

    async def _begin(self) -> Job:
        """Starts a job on a worker, with what an earlier run has left, if anything."""
        fetcher, choice = self._fetcher, self._choice
        job = self._job = fetcher.workers.job(choice.size_bytes or 0)
        if fetcher.recorder is not None:
            self._artifact = fetcher.recorder.assign(job.number, choice, cached=False)
        path = os.path.join(fetcher.scratch, f"{job.number}.part")
        key = self._key if fetcher.partials is not None else ""
        partial = Partial(path, choice.url, key=key, verified=bool(self._algorithms))
        size = choice.size_bytes
        if fetcher.partials is not None and not self._whole_only and (size is None or size >= KEPT_BYTES):
            about = fetcher.partials.take(key, path)
            if about is not None and not partial.go_on(about, size):
                os.unlink(path)
        self._partial = partial
        self._joined = partial.written > 0
        await job.begin(path, choice.filename, vouched=self._algorithms == {"sha256"})
        return job

    async def _transfer(self, job: Job) -> int:
        """Downloads what is missing; returns the length of the whole."""
        fetcher, partial = self._fetcher, self._partial
        assert partial is not None
        self._joined = self._joined or partial.written > 0
        begun = time.monotonic()

        async def on_disk(available: int) -> None:
            job.raise_if_failed()
            partial.decide(time.monotonic() - begun)
            await job.more(available, kept=partial.kept)

        async with fetcher.admission.place(self._choice.size_bytes):
            begun = time.monotonic()
            with timed(fetcher.recorder, "download", self._choice.filename, self._artifact) as details:
                details.update(project=self._project, attempt=self._attempt)
                total: int = await download(
                    fetcher.network,
                    self._choice.url,
                    partial,
                    expected_bytes=self._choice.size_bytes,
                    promiser=self._choice.promiser,
                    on_disk=on_disk,
                    received=fetcher.received,
                    together=fetcher.admission.is_crowded,
                )
                details["bytes"] = total
                return total

    def forget(self) -> None:
        """Sees to it that no later run goes on with what is there: something is wrong with it."""
        if self._partial is not None:
            self._partial.forget()

    async def close(self) -> None:
        """Drops the job and what the worker has unpacked, where it is not done."""
        job, self._job = self._job, None
        if job is not None:
            if self._whole_only:
                self.forget()
            self._partial = None
            await job.abort()
