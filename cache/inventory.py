"""What a cache holds: its wheels, when each was used last, and how much room things take.

Reads only.  Other processes may publish and remove meanwhile: what is gone when it is looked at is left out.
"""

import fnmatch
import os
import re
import stat
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from cache import CacheError, plans
from cache.entries import EntryStore
from cache.layout import Layout

#: The kinds of buckets and the version of each that this engine reads and writes; all others are of other versions.
CURRENT = {
    "bytecode": 1,
    "index": 3,
    "interpreters": 1,
    "metadata": 2,
    "partial": 1,
    "plans": 1,
    "pointers": 1,
    "settings": 1,
    "tmp": 1,
    "wheels": 1,
}

_KEY = re.compile("[0-9a-f]{64}")


class CachedWheel(NamedTuple):
    """A published wheel.

    `size_bytes` is what it takes on disk, `used_seconds` when it was used last, to the day, as POSIX time.
    """

    sha256: str
    name: str
    version: str
    filename: str
    size_bytes: int
    used_seconds: float


def entry_keys(layout: Layout) -> Iterator[str]:
    """Finds the keys of all published entries, whole or not."""
    for path in files_of(layout.bucket("wheels-v1"), depth=1, folders=True):
        if _KEY.fullmatch(name := os.path.basename(path)):
            yield name


def plan_paths(layout: Layout) -> Iterator[str]:
    """Finds all plans."""
    return (path for path in files_of(layout.bucket("plans-v1"), depth=1) if _KEY.fullmatch(os.path.basename(path)))


def cached_wheels(layout: Layout, patterns: Iterable[str] = ()) -> list[CachedWheel]:
    """Returns the wheels of a cache by name and version; those whose manifest is damaged are left out.

    Args:
        layout: where the cache is.
        patterns: normalised names, with `*`, `?` and `[…]` as in a shell; none means all.
    """
    used = uses_by_plans(layout)
    store = EntryStore(layout)
    chosen = NamePatterns(patterns)
    found = []
    for key in entry_keys(layout):
        try:
            loaded = store.load(key)
            noted = os.stat(layout.entry(key)).st_mtime
        except (CacheError, OSError):
            continue
        if loaded is None or not chosen.match(loaded[0].name):
            continue
        manifest = loaded[0]
        size = disk_bytes(layout.entry(key))
        found.append(
            CachedWheel(key, manifest.name, manifest.version, manifest.filename, size, max(noted, used.get(key, 0)))
        )
    return sorted(found, key=lambda wheel: (wheel.name, wheel.version, wheel.filename))


class NamePatterns:
    """A choice of projects.

    Args:
        patterns: normalised names, with `*`, `?` and `[…]` as in a shell; none means all.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        self._expressions = [re.compile(fnmatch.translate(pattern)) for pattern in patterns]

    def match(self, name: str) -> bool:
        """Tells whether a normalised name is chosen."""
        return not self._expressions or any(expression.match(name) for expression in self._expressions)


def uses_by_plans(layout: Layout) -> dict[str, float]:
    """Returns for every entry that plans name when the latest of them was used, as POSIX time."""
    used: dict[str, float] = {}
    for path in plan_paths(layout):
        plan = plans.load(path)
        try:
            time = os.stat(path).st_mtime
        except OSError:
            continue
        for entry in plan.entries if plan is not None else ():
            if entry.sha256:
                used[entry.sha256] = max(time, used.get(entry.sha256, 0))
    return used


def files_of(folder: str, *, depth: int = 0, folders: bool = False) -> Iterator[str]:
    """Finds the files, or the folders, that lie `depth` folders below `folder`; links are left out."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        is_folder = entry.is_dir(follow_symlinks=False)
        if depth and is_folder:
            yield from files_of(entry.path, depth=depth - 1, folders=folders)
        elif not depth and (is_folder if folders else entry.is_file(follow_symlinks=False)):
            yield entry.path


class Room(NamedTuple):
    """What some files and folders take.

    `bytes` is what they take on disk, folders included, hard links among them once; `linked_bytes` the part that
    files have which are linked from elsewhere too, such as environments.
    """

    files: int
    bytes: int
    linked_bytes: int


def disk_bytes(path: str) -> int:
    """Returns the room that a file or a folder with all in it takes on disk, as `room` counts it."""
    return room([path]).bytes


def room(paths: Iterable[str]) -> Room:
    """Returns what files and folders with all in them take; links are not followed.

    Args:
        paths: none of them in another.
    """
    files = total = 0
    linked: dict[tuple[int, int], tuple[int, int]] = {}
    waiting = list(paths)
    while waiting:
        path = waiting.pop()
        try:
            status = os.lstat(path)
            if stat.S_ISDIR(status.st_mode):
                total += allocated_bytes(status)
                waiting.extend(os.path.join(path, name) for name in os.listdir(path))
                continue
        except OSError:
            continue
        files += 1
        if status.st_nlink > 1:
            inode = status.st_dev, status.st_ino
            left, _ = linked.get(inode, (status.st_nlink, 0))
            linked[inode] = left - 1, allocated_bytes(status)
        else:
            total += allocated_bytes(status)
    total += sum(size for _, size in linked.values())
    return Room(files, total, sum(size for left, size in linked.values() if left > 0))


def allocated_bytes(status: os.stat_result) -> int:
    """Returns what one file takes on disk, where the system tells, else its length."""
    blocks = getattr(status, "st_blocks", None)
    return status.st_size if blocks is None else blocks * 512


def buckets(layout: Layout) -> Iterator[tuple[str, str, int]]:
    """Finds the folders that any version of the engine has made in the cache: (path, kind, version).

    Raises:
        OSError: when the cache cannot be read.
    """
    for entry in list(os.scandir(layout.root)):
        kind, _, version = entry.name.rpartition("-v")
        if kind in CURRENT and version.isdigit() and entry.is_dir(follow_symlinks=False):
            yield entry.path, kind, int(version)
