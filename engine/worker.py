"""What one worker process does: hash, unpack, publish and stage wheels.

A worker is forked before anything heavy is imported, so it never waits for the
interpreter lock of the process that talks to the network.  It gets small
messages and answers once per wheel; the bytes of a wheel reach it through a file
that the other side is still writing.

Messages to a worker, as marshalled tuples behind a 4-byte length:

    ("wake", 0)                                  import what choosing needs
    ("know", 0, targets)                         what the environments of the run can use
    ("stored", job, key, wants)                  choose wheels from a page in the cache
    ("answer", job, key, project, answer, wants) choose wheels from a page that has just come
    ("among", job, project, groups, wants, strategy)   choose wheels from the pages of several places
    ("sort", job, key, project, answer)          sort a page that has just come by version, for a resolution
    ("flat", job, source)                        sort a place that lists files of many projects
    ("begin", job, path, filename, vouched)      a download starts; vouched: `end` will check it by sha256 alone
    ("more", job, available_bytes, kept)         that much of it is in the file; kept: give nothing of it back
    ("end", job, total_bytes, promised, accepted, areas, origin, promiser)   all is there; stage it or (None) keep it
    ("stage", job, sha256, areas, origin)        a wheel that is in the cache already
    ("abort", job)

`promised` maps hash algorithms to hex digests, of which every one must match;
`accepted` has (algorithm, hex) pairs, of which one must, unless it is empty.
A worker that records says ("laps", 0, process, [what took time]) before an answer.
An area is (index, stage, python, absolute schemes, relative schemes, kind of bytecode or "", version of Python);
`origin` is the wheel's URL, whether the distribution has to say that it came from there, and whether it was asked for
by name.
Answers: ("done", job, sha256, warnings, [(index, entry fields, collisions, what went wrong or None)], counts),
("chosen", job, what `engine.choosing` returns), ("drift", job, path) or ("error", job, class name, message, hint).
"""

import hashlib
import marshal
import os
import socket
from collections import deque
from typing import Any

from cache import CacheError
from cache.entries import drifted, write_manifest
from cache.layout import Layout
from cache.records import RecordStore
from engine import errors
from engine.linux import punch
from engine.recording import Laps
from engine.scratch import open_store
from engine.staged import UNKNOWN_ORIGIN, AreaFields, Origin, StagedWheel
from engine.staging import Drift

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cache.bytecode import BytecodeStore
    from engine.choosing import Chooser

#: What a worker that records calls the time it takes for a message; `end` begins with the last of the unpacking.
PHASES = {
    "wake": "import",
    "know": "choose",
    "stored": "choose",
    "answer": "choose",
    "among": "choose",
    "sort": "choose",
    "flat": "choose",
    "begin": "unpack",
    "more": "unpack",
    "end": "unpack",
    "stage": "stage",
    "abort": "abort",
}

HASH_CHUNK_BYTES = 1 << 20
FREED_BYTES = 4 << 20

#: Has a socket say that there is nothing, instead of waiting; 0 where no system call can.
_AT_ONCE = getattr(socket, "MSG_DONTWAIT", 0)

#: A message or an answer, as the docstring lists them.
Message = tuple[Any, ...]


class _Download:
    """A wheel that is arriving."""

    def __init__(self, path: str, filename: str, folder: str, vouched: bool, strict_record: bool) -> None:
        self.path = path
        self.filename = filename
        self.folder = folder
        self.tree = os.path.join(folder, "tree")
        os.makedirs(self.tree)
        # Whoever is first creates it: the other side writes.
        self.descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        from engine.wheel.unpack import Unpacker

        self.unpacker = Unpacker(self.descriptor, self.tree, filename, vouched=vouched, strict_record=strict_record)
        self.sha256 = hashlib.sha256(usedforsecurity=False)
        self.hashed_bytes = 0
        # What is vouched for by sha256 is read once; another hash would need all of it again.
        self._read_once = vouched
        self._freed_bytes = 0

    def free_consumed(self) -> None:
        """Gives back what was hashed and unpacked, in pieces that are worth a system call."""
        consumed = min(self.hashed_bytes, self.unpacker.consumed_bytes)
        if self._read_once and consumed - self._freed_bytes >= FREED_BYTES:
            self._freed_bytes = punch(self.descriptor, self._freed_bytes, consumed)

    def hash_up_to(self, available: int) -> None:
        from engine.wheel.window import read_at

        while self.hashed_bytes < available:
            data = read_at(self.descriptor, self.hashed_bytes, min(HASH_CHUNK_BYTES, available - self.hashed_bytes))
            if not data:
                raise errors.InvalidWheel(f"{self.filename}: the download ended early")
            self.sha256.update(data)
            self.hashed_bytes += len(data)

    def close(self) -> None:
        self.unpacker.close()
        descriptor, self.descriptor = self.descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


class Worker:
    """The state of a worker and its answers, apart from the connection.

    Args:
        cache_root: the cache.
        scratch: a private folder on the cache's file system.
        link_mode: how staged files come from the cache.
        strict_record: refuse wheels whose RECORD is wrong.
        laps: what takes time is noted there, or None.
    """

    def __init__(
        self,
        cache_root: str,
        scratch: str,
        link_mode: str,
        *,
        strict_record: bool = False,
        laps: Laps | None = None,
    ) -> None:
        self.laps = laps
        self._strict_record = strict_record
        self._layout = Layout(cache_root)
        self._entries = open_store(self._layout, scratch)
        self._scratch = scratch
        self._link_mode = link_mode
        self._chooser: Chooser | None = None
        self._downloads: dict[int, _Download] = {}
        self._failed: set[int] = set()

    def handle(self, message: Message) -> Message | None:
        """Does what a message asks; returns the answer, where there is one."""
        kind, job = message[0], message[1]
        if job in self._failed and kind in ("more", "end"):
            return None
        try:
            if kind == "answer":
                return ("chosen", job, self._choose.choose_answer(*message[2:]))
            if kind == "stored":
                return ("chosen", job, self._choose.choose_stored(*message[2:]))
            if kind == "among":
                return ("chosen", job, self._choose.choose_among(*message[2:]))
            if kind == "sort":
                return ("chosen", job, self._choose.sort_answer(*message[2:]))
            if kind == "flat":
                return ("chosen", job, self._choose.list_flat(message[2]))
            if kind == "know":
                self._choose.know(message[2])
            elif kind == "wake":
                self._choose  # noqa: B018  # imports what it needs
            elif kind == "begin":
                self._begin(job, *message[2:])
            elif kind == "more":
                self._more(job, *message[2:])
            elif kind == "end":
                return self._end(job, *message[2:])
            elif kind == "stage":
                return self._stage_cached(job, *message[2:])
            elif kind == "abort":
                self._drop(job)
        except (Drift, CacheError) as exc:
            return ("drift", job, exc.path)
        except errors.EngineError as exc:
            self._drop(job)
            return ("error", job, type(exc).__name__, exc.message, exc.hint)
        except OSError as exc:
            self._drop(job)
            from engine.space import advice, in_words

            return ("error", job, "InstallFailed", in_words(exc), advice(exc))
        return None

    def tidy(self) -> None:
        """Does what can wait until the answer has been sent."""
        if self._chooser is not None:
            self._chooser.store()

    @property
    def _choose(self) -> "Chooser":
        if self._chooser is None:
            from engine.choosing import Chooser

            self._chooser = Chooser(RecordStore(self._layout.bucket("index-v3")))
        return self._chooser

    def _begin(self, job: int, path: str, filename: str, vouched: bool) -> None:
        folder = os.path.join(self._scratch, f"unpack-{os.getpid()}-{job}")
        self._downloads[job] = _Download(path, filename, folder, vouched, self._strict_record)

    def _more(self, job: int, available: int, kept: bool = False) -> None:
        download = self._downloads[job]
        download.unpacker.advance(available)
        download.hash_up_to(available)
        if not kept:
            download.free_consumed()

    def _end(
        self,
        job: int,
        total: int,
        promised: dict[str, str],
        accepted: list[tuple[str, str]],
        areas: list[AreaFields] | None,
        origin: Origin = UNKNOWN_ORIGIN,
        promiser: str = "index",
    ) -> Message:
        download = self._downloads[job]
        download.hash_up_to(total)
        sha256 = download.sha256.hexdigest()
        _check_hashes(download, sha256, promised, accepted, promiser)
        unpacked = download.unpacker.finish(total)
        download.close()
        manifest = unpacked.manifest
        stamp = write_manifest(download.folder, manifest)
        # Before it is published: nobody can take it away from here.
        staged = StagedWheel(sha256, download.tree, self._link_mode, origin)
        self._lap(job, "stage")
        staged.stage(manifest, stamp, areas or [])
        self._lap(job, "publish")
        publish = self._entries.publish if areas is not None else self._entries.keep
        published = publish(download.folder, sha256, manifest, stamp)
        if published != (manifest, stamp):
            staged.plan_anew(*published, areas or [])
        del self._downloads[job]
        os.unlink(download.path)
        return staged.answer(job, unpacked.warnings)

    def _lap(self, job: int, then: str) -> None:
        if self.laps is not None:
            self.laps.end(job, then)

    def _stage_cached(self, job: int, sha256: str, areas: list[AreaFields], origin: Origin = UNKNOWN_ORIGIN) -> Message:
        loaded = self._entries.load(sha256)
        if loaded is None:
            return ("drift", job, "manifest")
        manifest, stamp = loaded
        tree = self._entries.tree(sha256)
        if (path := drifted(manifest, tree)) is not None:
            return ("drift", job, path)
        if self._strict_record:
            from engine.wheel.strict import check_cached

            check_cached(manifest, tree)
        staged = StagedWheel(sha256, tree, self._link_mode, origin, self._bytecode(areas))
        staged.stage(manifest, stamp, areas)
        self._entries.note_use(sha256)
        return staged.answer(job, [])

    def _bytecode(self, areas: list[AreaFields]) -> "BytecodeStore | None":
        if not any(area[5] for area in areas):
            return None
        from cache.bytecode import BytecodeStore

        return BytecodeStore(self._layout, self._entries.private)

    def _drop(self, job: int) -> None:
        self._failed.add(job)
        download = self._downloads.pop(job, None)
        if download is not None:
            download.close()
            import shutil

            shutil.rmtree(download.folder, ignore_errors=True)


def _check_hashes(
    download: _Download, sha256: str, promised: dict[str, str], accepted: list[tuple[str, str]], promiser: str
) -> None:
    """Compares a complete download with what the index or the lock promised, and with what the lock accepts.

    Raises:
        HashMismatch: when it is another file.
    """
    known = {"sha256": sha256}

    def found(algorithm: str) -> str:
        if algorithm not in known:
            digest = hashlib.new(algorithm, usedforsecurity=False)
            start = 0
            while data := os.pread(download.descriptor, HASH_CHUNK_BYTES, start):
                digest.update(data)
                start += len(data)
            known[algorithm] = digest.hexdigest()
        return known[algorithm]

    for algorithm, wanted in promised.items():
        if found(algorithm) != wanted:
            raise errors.HashMismatch(
                f"{download.filename} is not the file that the {promiser} promised: "
                f"{algorithm} is {found(algorithm)}, expected {wanted}",
                hint="it was replaced or damaged on the way; nothing of it was kept",
            )
    if accepted and not any(found(algorithm) == wanted for algorithm, wanted in accepted):
        raise errors.HashMismatch(
            f"{download.filename} is not a file that the lock accepts: sha256 is {sha256}",
            hint="nothing of it was kept; check the lock's hashes",
        )


def serve(connection: socket.socket, worker: Worker) -> None:
    """Answers messages until the other side closes the connection.

    In their order, but for wheels that are in the cache already: these wait until there is nothing else to do.  When a
    resolution ends there are many of them at once, while the last wheels still arrive.
    """
    cached: deque[Message] = deque()
    with connection:
        inbox = _Inbox(connection)
        while True:
            message = inbox.take(waits=not cached)
            if inbox.is_over:
                return
            if message is None:
                _answer(connection, worker, cached.popleft())
            elif message[0] == "stage":
                cached.append(message)
            else:
                if message[0] == "abort":
                    cached = deque(one for one in cached if one[1] != message[1])
                _answer(connection, worker, message)


def _answer(connection: socket.socket, worker: Worker, message: Message) -> None:
    if worker.laps is not None:
        kind: str = message[0]
        worker.laps.begin(PHASES.get(kind, kind))
    answer = worker.handle(message)
    if worker.laps is not None:
        worker.laps.end(message[1])
    if answer is not None:
        told = _packet(("laps", 0, os.getpid(), worker.laps.take())) if worker.laps is not None else b""
        connection.sendall(told + _packet(answer))
        worker.tidy()


class _Inbox:
    """The messages that come over a connection.

    Attributes:
        is_over: the other side has closed it.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._received = bytearray()
        self.is_over = False

    def take(self, *, waits: bool) -> Message | None:
        """Returns the next message, None where there is none yet, or none any more.

        Args:
            waits: until there is one, or the other side has closed the connection.
        """
        received = self._received
        while not self.is_over:
            if len(received) >= 4:
                end = 4 + int.from_bytes(received[:4], "big")
                if len(received) >= end:
                    message: Message = marshal.loads(memoryview(received)[4:end])
                    del received[:end]
                    return message
            if not waits and not _AT_ONCE:
                return None
            try:
                data = self._connection.recv(1 << 16, 0 if waits else _AT_ONCE)
            except BlockingIOError:
                return None
            self.is_over = not data
            received += data
        return None


def _packet(answer: Message) -> bytes:
    data = marshal.dumps(answer)
    return len(data).to_bytes(4, "big") + data
