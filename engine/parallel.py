"""Stages many entries on all cores, with forked processes.  On the warm path.

The processes share nothing but what they inherit: each stages its part and
reports once, through a pipe.  Without `fork` everything happens here.
"""

import marshal
import os
from time import monotonic_ns

from cache.plans import PlannedEntry
from engine.errors import InstallFailed
from engine.linking import Linker
from engine.staging import Area, Drift, stage_entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: (what to create, the entry's unpacked files, where to)
Job = tuple[PlannedEntry, str, Area]

#: Below this many files a second process costs more than it saves (a fork takes 1-2 ms, a link 6 us).
FILES_PER_PROCESS = 400

#: More processes than this fight for the locks of one file system.
MOST_PROCESSES = 8


#: One job that was timed: (its index, process, start and end in ns of the monotonic clock, how its files came).
Timing = tuple[int, int, int, int, dict[str, int]]


class Staged:
    """What staging did: files another distribution had put in place, how files came, and times where asked for."""

    __slots__ = ("collisions", "counts", "timings")

    def __init__(self) -> None:
        self.collisions: list[tuple[int, list[str]]] = []
        self.counts: dict[str, int] = {"hardlink": 0, "clone": 0, "copy": 0}
        self.timings: list[Timing] = []


def processes(most: int | None) -> int:
    """Returns how many processes share the work: as many as there are cores, within bounds.

    Args:
        most: what the user allows, or None.
    """
    return min(cores(), MOST_PROCESSES) if most is None else most


def cores() -> int:
    """Returns how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def stage_all(jobs: list[Job], mode: str, *, timed: bool = False, most_processes: int | None = None) -> Staged:
    """Stages all jobs.

    Args:
        jobs: in any order; a job is not divided.
        mode: a link mode.
        timed: say how long each job took.
        most_processes: as for `processes`.

    Raises:
        Drift: when a cached file is missing or has changed.
        OSError: when the operating system refuses.
    """
    files = sum(entry.file_count for entry, _, _ in jobs)
    useful = min(len(jobs), files // FILES_PER_PROCESS + 1)
    parts = max(1, min(processes(most_processes), useful)) if hasattr(os, "fork") else 1
    groups = _split(jobs, parts)
    children = [_fork(jobs, group, mode, timed) for group in groups[1:]]
    reports = []
    try:
        reports.append(_attempt(jobs, groups[0], mode, timed))
    finally:
        reports.extend(_collect(pid, reader) for pid, reader in children)
    staged = Staged()
    for kind, first, second, timings in reports:
        if kind == "drift":
            raise Drift(first, second)
        if kind == "os":
            raise OSError(*first)
        if kind == "bug":
            raise InstallFailed(f"staging failed: {first}")
        staged.collisions.extend(first)
        staged.timings.extend(timings)
        for way, count in second.items():
            staged.counts[way] += count
    staged.collisions.sort()
    return staged


def _split(jobs: list[Job], parts: int) -> list[list[int]]:
    """Divides the jobs by number of files, the largest first."""
    groups: list[list[int]] = [[] for _ in range(parts)]
    loads = [0] * parts
    sizes = [entry.file_count + 3 for entry, _, _ in jobs]
    for index in sorted(range(len(jobs)), key=sizes.__getitem__, reverse=True):
        least = loads.index(min(loads))
        groups[least].append(index)
        loads[least] += sizes[index]
    return groups


# A report is (kind, first, second, timings), of types that marshal knows.
_Report = tuple[str, "Any", "Any", list[Timing]]


def _attempt(jobs: list[Job], group: list[int], mode: str, timed: bool, parent: int | None = None) -> _Report:
    """Stages a group; `parent` is whose child this is: when that was killed, nobody wants the files any more."""
    linker = Linker(mode)
    collisions = []
    timings: list[Timing] = []
    try:
        for index in group:
            if parent is not None and os.getppid() != parent:
                return ("bug", "the parent has ended", None, [])
            entry, tree, area = jobs[index]
            if timed:
                start, before = monotonic_ns(), dict(linker.counts)
            if existing := stage_entry(entry, tree, area, linker):
                collisions.append((index, existing))
            if timed:
                counts = {way: count - before[way] for way, count in linker.counts.items()}
                timings.append((index, os.getpid(), start, monotonic_ns(), counts))
    except Drift as exc:
        return ("drift", exc.sha256, exc.path, [])
    except OSError as exc:
        return ("os", (exc.errno, exc.strerror, exc.filename), None, [])
    return ("done", collisions, linker.counts, timings)


def _fork(jobs: list[Job], group: list[int], mode: str, timed: bool) -> tuple[int, int]:
    reader, writer = os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if pid:
        os.close(writer)
        return pid, reader
    report: _Report = ("bug", "a staging process ended early", None, [])
    try:
        os.close(reader)
        report = _attempt(jobs, group, mode, timed, parent)
    except BaseException as exc:
        report = ("bug", repr(exc), None, [])
    finally:
        try:
            with open(writer, "wb") as pipe:
                pipe.write(marshal.dumps(report))
        finally:
            os._exit(0)


def _collect(pid: int, reader: int) -> _Report:
    with open(reader, "rb") as pipe:
        data = pipe.read()
    os.waitpid(pid, 0)
    if not data:
        return ("bug", "a staging process was killed", None, [])
    report: _Report = marshal.loads(data)
    return report
