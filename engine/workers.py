"""The worker processes as the pipeline sees them: jobs go out, one answer comes back for each.

Forked before anything heavy is imported, so this module and what it imports at
the top stay light.  Where there is no `fork`, the same worker runs in a thread.
"""

import marshal
import os
import socket

from engine.errors import EngineError, InstallFailed
from engine.parallel import processes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    import anyio

    from engine.choosing import CompatibleFields, PinFields
    from engine.chosen import Chosen
    from engine.index.reading import Source
    from engine.recording import Recorder
    from engine.staged import AreaFields
    from engine.worker import Message, Worker

    #: A pin, and the index of what its environment can use.
    Want = tuple[PinFields, int]


class Finished:
    """A wheel is published and staged.

    `staged` has (area index, fields of its PlannedEntry, collisions, what the operating system refused or None) for
    every area.
    """

    __slots__ = ("counts", "sha256", "staged", "warnings")

    def __init__(
        self,
        sha256: str,
        warnings: list[str],
        staged: "list[tuple[int, tuple[object, ...], list[str], tuple[str, str | None] | None]]",
        counts: dict[str, int],
    ) -> None:
        self.sha256 = sha256
        self.warnings = warnings
        self.staged = staged
        self.counts = counts


class Drifted(EngineError):
    """A cached entry is damaged; it has to be fetched again, or compiled again where that is `bytecode`."""

    def __init__(self, message: str, *, bytecode: bool = False) -> None:
        super().__init__(message)
        self.bytecode = bytecode


class _Connection:
    def __init__(self, stream: socket.socket, pid: int) -> None:
        self.stream = stream
        self.pid = pid
        self.turn: anyio.Lock | None = None
        self.load_bytes = 0
        self.received = bytearray()
        self.ended = False


class Job:
    """One wheel on its way through a worker."""

    __slots__ = ("_connection", "_workers", "answer", "done", "number", "weight_bytes")

    def __init__(self, workers: "Workers", connection: _Connection, number: int, weight_bytes: int) -> None:
        import anyio

        self._workers = workers
        self._connection = connection
        self.number = number
        self.weight_bytes = weight_bytes
        self.done = anyio.Event()
        self.answer: Message | None = None

    async def choose_stored(self, key: str, wants: "list[Want]") -> "tuple[bool, list[Chosen | EngineError]] | None":
        """Chooses wheels from a page in the cache.

        Args:
            key: of the page's record.
            wants: pins, each with the index of what its environment can use.

        Returns:
            Whether the page is fresh, and a wheel or a refusal for each want; None when the cache has no page.
        """
        self._workers.note_question(self.number, key.rpartition("/")[2])
        await self._workers.send(self._connection, ("stored", self.number, key, wants))
        found = (await self._reply())[2]
        return None if found is None else (found[0], [_read_choice(result) for result in found[1]])

    async def choose_answer(
        self, key: str, project: str, answer: "tuple[object, ...]", wants: "list[Want]"
    ) -> "list[Chosen | EngineError]":
        """Chooses wheels from a page that an index has just sent, and stores the page.

        Args:
            key: under which to store the page.
            project: whose page it should be.
            answer: URL, media type, whether it is gzipped, packed freshness or None, body.
            wants: pins, each with the index of what its environment can use.

        Returns:
            A wheel or a refusal for each want.

        Raises:
            InvalidPage: when it is not a page of that project.
        """
        self._workers.note_question(self.number, project)
        await self._workers.send(self._connection, ("answer", self.number, key, project, answer, wants))
        return [_read_choice(result) for result in (await self._reply())[2]]

    async def choose_among(
        self, project: str, groups: "list[list[Source]]", wants: "list[Want]", strategy: str
    ) -> "list[Chosen | EngineError] | None":
        """Chooses wheels from the pages of several places, as `engine.choosing.Chooser.choose_among` does.

        Returns:
            A wheel or a refusal for each want; None when a stored page has gone.

        Raises:
            InvalidPage: when one is not a page of that project.
            IndexUnavailable: when a local one cannot be read.
        """
        self._workers.note_question(self.number, project)
        await self._workers.send(self._connection, ("among", self.number, project, groups, wants, strategy))
        found = (await self._reply())[2]
        return None if found is None else [_read_choice(result) for result in found]

    async def sort_answer(self, key: str, project: str, answer: "tuple[object, ...]") -> bytes:
        """Sorts a page that an index has just sent by version, and stores it; arguments as for `choose_answer`.

        Returns:
            The packed page.

        Raises:
            InvalidPage: when it is not a page of that project.
        """
        self._workers.note_question(self.number, project)
        await self._workers.send(self._connection, ("sort", self.number, key, project, answer))
        packed: bytes = (await self._reply())[2]
        return packed

    async def list_flat(self, source: "Source") -> "tuple[bool, dict[str, bytes]] | None":
        """Sorts a place that lists files of many projects, as `engine.choosing.Chooser.list_flat` does.

        Returns:
            Whether it is fresh, and the packed page of each project; None when there is no stored page.

        Raises:
            InvalidPage: when it is no page.
            IndexUnavailable: when a local place cannot be read.
        """
        await self._workers.send(self._connection, ("flat", self.number, source))
        found: tuple[bool, dict[str, bytes]] | None = (await self._reply())[2]
        return found

    async def begin(self, path: str, filename: str, *, vouched: bool = False) -> None:
        """Tells the worker that a download starts.

        Args:
            path: where it is written.
            filename: of the wheel.
            vouched: `end` will check the whole wheel by sha256, and by nothing else.
        """
        await self._workers.send(self._connection, ("begin", self.number, path, filename, vouched))

    async def more(self, available_bytes: int, *, kept: bool = False) -> None:
        """Tells the worker how much of the download is on disk.

        Args:
            available_bytes: from the first byte on.
            kept: a later run may go on with it, so nothing of it is given back.
        """
        await self._workers.send(self._connection, ("more", self.number, available_bytes, kept))

    async def end(
        self,
        total_bytes: int,
        promised: dict[str, str],
        accepted: list[tuple[str, str]],
        areas: "list[AreaFields] | None",
        origin: tuple[str, bool, bool] = ("", False, True),
        promiser: str = "index",
    ) -> Finished:
        """Tells the worker that the download is complete, and waits until it is staged.

        Args:
            total_bytes: its length.
            promised: algorithm to hex digest; every one has to match.
            accepted: (algorithm, hex digest) pairs; one has to match, unless there are none.
            areas: where to stage it; with None it is kept for this run, where no cleaning reaches it.
            origin: URL of the wheel, whether the distribution has to say that it came from there, and whether it was
                asked for by name.
            promiser: who has promised: `index` or `lock`.

        Raises:
            EngineError: what the worker found wrong.
        """
        message = ("end", self.number, total_bytes, promised, accepted, areas, origin, promiser)
        await self._workers.send(self._connection, message)
        return _finished(await self._reply())

    async def stage(
        self, sha256: str, areas: "list[AreaFields]", origin: tuple[str, bool, bool] = ("", False, True)
    ) -> Finished:
        """Stages a wheel from the cache.

        Args:
            sha256: its key.
            areas: where to stage it.
            origin: as for `end`.

        Raises:
            Drifted: when the entry is damaged.
            EngineError: what else the worker found wrong.
        """
        await self._workers.send(self._connection, ("stage", self.number, sha256, areas, origin))
        return _finished(await self._reply())

    async def abort(self) -> None:
        """Forgets the job and what it has written."""
        await self._workers.send(self._connection, ("abort", self.number))
        self._workers.forget(self)

    async def _reply(self) -> "Message":
        await self.done.wait()
        self._workers.forget(self)
        return _read_answer(self.answer)

    def settle(self) -> None:
        """Takes the job off its worker's account."""
        self._connection.load_bytes -= self.weight_bytes
        self.weight_bytes = 0

    def raise_if_failed(self) -> None:
        """Ends a download early that the worker has refused already.

        Raises:
            EngineError: what the worker found wrong.
        """
        if self.answer is not None:
            _read_answer(self.answer)


def _ended_early() -> InstallFailed:
    return InstallFailed("a worker process ended early", hint="it may have been killed for want of memory")


def _read_answer(answer: "Message | None") -> "Message":
    """Returns an answer that is no error."""
    if answer is None:
        raise _ended_early()
    if answer[0] == "drift":
        from engine.bytecode.kind import is_bytecode

        raise Drifted(f"{os.path.normpath(answer[2])} in the cache has changed", bytecode=is_bytecode(answer[2]))
    if answer[0] == "error":
        raise _error(*answer[2:])
    return answer


def _finished(answer: "Message") -> Finished:
    return Finished(*answer[2:])


def _read_choice(result: "Message") -> "Chosen | EngineError":
    from engine.chosen import Chosen

    return Chosen(*result[1:]) if result[0] == "chosen" else _error(*result[1:])


def _error(name: str, message: str, hint: str | None) -> EngineError:
    from engine import errors

    kind: type[EngineError] = getattr(errors, name)
    return kind(message, hint=hint)


def _run_forked(connection: socket.socket, parent: int, make_worker: "Callable[[], Worker]") -> None:
    """The whole life of a forked worker; it does not return."""
    status = 1
    try:
        import _signal  # type: ignore[import-not-found]

        # An interrupt is for the other side, which closes the connection.
        _signal.signal(_signal.SIGINT, _signal.SIG_IGN)
        _signal.signal(_signal.SIGTERM, _signal.SIG_IGN)
        if connection.recv(1, socket.MSG_PEEK):
            from engine.linux import die_with

            die_with(parent)
            from engine.worker import serve

            serve(connection, make_worker())
        status = 0
    except (BrokenPipeError, ConnectionResetError):
        status = 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(status)


class Workers:
    """A fixed set of workers.

    Args:
        cache_root: the cache.
        scratch: a private folder on the cache's file system; it exists.
        link_mode: how staged files come from the cache.
        strict_record: refuse wheels whose RECORD is wrong.
        recorder: learns what takes workers time, or None.
        most: how many, as for `engine.parallel.processes`.
    """

    def __init__(
        self,
        cache_root: str,
        scratch: str,
        link_mode: str,
        *,
        strict_record: bool = False,
        recorder: "Recorder | None" = None,
        most: int | None = None,
    ) -> None:
        self._recorder = recorder

        def make_worker() -> "Worker":
            from engine.worker import Worker

            laps = recorder.laps() if recorder is not None else None
            return Worker(cache_root, scratch, link_mode, strict_record=strict_record, laps=laps)

        self._jobs: dict[int, Job] = {}
        self._number = 0
        self._connections: list[_Connection] = []
        for _ in range(processes(most)):
            ours, theirs = socket.socketpair()
            pid = self._start(ours, theirs, make_worker)
            self._connections.append(_Connection(ours, pid))
        self._choosers = self._connections[: max(1, len(self._connections) // 2)]

    def _start(self, ours: socket.socket, theirs: socket.socket, make_worker: "Callable[[], Worker]") -> int:
        if not hasattr(os, "fork"):
            import threading

            from engine.worker import serve

            threading.Thread(target=serve, args=(theirs, make_worker()), daemon=True).start()
            return 0
        parent = os.getpid()
        pid = os.fork()
        if pid:
            theirs.close()
            return pid
        ours.close()
        for other in self._connections:
            other.stream.close()
        _run_forked(theirs, parent, make_worker)
        raise AssertionError("unreachable")

    def choice(self, weight_bytes: int) -> Job:
        """Returns a new job on the worker that has least to do, of those that choose.

        Raises:
            InstallFailed: when a worker has ended early.
        """
        return self._job(self._choosers, weight_bytes)

    def job(self, weight_bytes: int) -> Job:
        """Returns a new job on the worker that has least to do.

        Raises:
            InstallFailed: when a worker has ended early.
        """
        return self._job(self._connections, weight_bytes)

    def _job(self, connections: list[_Connection], weight_bytes: int) -> Job:
        if any(connection.ended for connection in self._connections):
            raise _ended_early()
        connection = min(connections, key=lambda one: one.load_bytes)
        self._number += 1
        # Even an empty wheel is some work: count it as 64 KiB.
        job = Job(self, connection, self._number, weight_bytes + (1 << 16))
        connection.load_bytes += job.weight_bytes
        self._jobs[job.number] = job
        return job

    def note_question(self, number: int, project: str) -> None:
        """Tells who records which project a job is about."""
        if self._recorder is not None:
            self._recorder.ask(number, project)

    def forget(self, job: Job) -> None:
        """Drops a job that is over."""
        job.settle()
        self._jobs.pop(job.number, None)

    async def send(self, connection: _Connection, message: "Message") -> None:
        """Sends one message; waits while the worker is far behind."""
        import anyio

        body = marshal.dumps(message)
        data = memoryview(len(body).to_bytes(4, "big") + body)
        begun = False
        if connection.turn is None:
            connection.turn = anyio.Lock(fast_acquire=True)
        async with connection.turn:
            while data:
                try:
                    data = data[connection.stream.send(data) :]
                    begun = True
                except BlockingIOError:
                    # Half a message would make nonsense of the next one.
                    with anyio.CancelScope(shield=begun):
                        await anyio.wait_writable(connection.stream)
                except (BrokenPipeError, ConnectionResetError):
                    return  # `listen` tells whoever waits

    def wake(self) -> None:
        """Lets the workers that choose import what they need.

        The others sleep until there is a wheel, to leave the cores to the imports of this process.
        """
        self._tell_choosers(("wake", 0))

    def know(self, targets: "list[CompatibleFields]") -> None:
        """Tells the workers that choose what the environments of the run can use."""
        self._tell_choosers(("know", 0, targets))

    def _tell_choosers(self, message: "Message") -> None:
        body = marshal.dumps(message)
        for connection in self._choosers:
            connection.stream.sendall(len(body).to_bytes(4, "big") + body)

    async def listen(self) -> None:
        """Receives answers until cancelled.  Runs as a task of the pipeline."""
        import anyio

        async with anyio.create_task_group() as group:
            for connection in self._connections:
                connection.stream.setblocking(False)
                group.start_soon(self._listen_to, connection)

    async def _listen_to(self, connection: _Connection) -> None:
        import anyio

        while True:
            await anyio.wait_readable(connection.stream)
            try:
                data = connection.stream.recv(1 << 18)
            except BlockingIOError:
                continue
            except ConnectionResetError:
                data = b""
            if not data:
                connection.ended = True
                for job in self._jobs.values():
                    job.done.set()
                return
            connection.received += data
            self._take_answers(connection)

    def _take_answers(self, connection: _Connection) -> None:
        received = connection.received
        while len(received) >= 4:
            end = 4 + int.from_bytes(received[:4], "big")
            if len(received) < end:
                return
            answer = marshal.loads(received[4:end])
            del received[:end]
            if answer[0] == "laps":
                if self._recorder is not None:
                    self._recorder.add_laps(*answer[2:])
                continue
            job = self._jobs.get(answer[1])
            if job is not None:
                job.answer = answer
                job.done.set()

    def close(self) -> None:
        """Ends the workers and waits for them."""
        for connection in self._connections:
            connection.stream.close()
        for connection in self._connections:
            if connection.pid:
                os.waitpid(connection.pid, 0)
