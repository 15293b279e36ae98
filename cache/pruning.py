"""Makes a cache smaller: what no longer serves anybody, what was not used for long, what is too much.

Decides from times and sizes that are arguments; `cache.disposal` removes.
"""

import os
from dataclasses import dataclass
from typing import NamedTuple

from cache import plans
from cache.bytecode import bytecode_entries, orphans
from cache.disposal import Disposal
from cache.inventory import (
    CURRENT,
    CachedWheel,
    allocated_bytes,
    buckets,
    cached_wheels,
    disk_bytes,
    entry_keys,
    files_of,
    plan_paths,
)
from cache.layout import Layout
from cache.partials import KEPT_SECONDS as PARTIAL_SECONDS
from cache.partials import PartialStore

#: What a writer has begun and not published by then, it never will.
LITTER_SECONDS = 24 * 3600

#: Records that were not fetched for their own sake: made again when they are missed.
_AGED = ("index-v3", "interpreters-v1", "metadata-v2")


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneOptions:
    """What is to go, besides what serves nobody.

    Attributes:
        older_than_seconds: what was not used for that long.
        max_size_bytes: the least recently used wheels, then plans and pages, until the cache takes no more than that.
        everything_downloaded: all wheels that can be downloaded again.
    """

    older_than_seconds: float | None = None
    max_size_bytes: int | None = None
    everything_downloaded: bool = False


class Pruned(NamedTuple):
    """What went: wheels, and how many other things.

    `excess_bytes` is how much more is left than `max_size_bytes`, or 0.
    """

    wheels: list[CachedWheel]
    others: int
    excess_bytes: int = 0


def prune(layout: Layout, disposal: Disposal, options: PruneOptions, now: float) -> Pruned:
    """Removes what serves nobody and what `options` ask for.

    Args:
        layout: where the cache is.
        disposal: where things go.
        options: what goes besides.
        now: POSIX time.

    Raises:
        OSError: when there is no cache, or it cannot be read.
    """
    others = total_bytes = foreign_bytes = 0
    for path, kind, version in buckets(layout):
        size_bytes = disk_bytes(path) if options.max_size_bytes is not None else 0
        if version != CURRENT[kind]:
            foreign_bytes += size_bytes
            others += disposal.remove(path)
        elif kind != "tmp":
            total_bytes += size_bytes
    before_bytes = total_bytes + foreign_bytes
    others += _remove_litter(layout, disposal, now)
    full = options.max_size_bytes is not None and total_bytes > options.max_size_bytes
    within = 0.0 if full or options.everything_downloaded else min(PARTIAL_SECONDS, options.older_than_seconds or 1e12)
    for path in PartialStore(layout).aged(now, within):
        total_bytes -= disk_bytes(path) if full else 0
        others += disposal.remove(path)
    wheels = cached_wheels(layout) if options.max_size_bytes is None else _with_bytecode(layout)
    going = choose_wheels(wheels, options, now, total_bytes)
    # The plans first: whoever finds one finds what it names.
    gone = {wheel.sha256 for wheel in going}
    others += _remove_plans(layout, disposal, gone, options, now)
    wheels = [wheel for wheel in going if disposal.remove(layout.entry(wheel.sha256))]
    others += _remove_broken(layout, disposal)
    others += sum(disposal.remove(path) for path in list(orphans(layout, gone)))
    others += _remove_pointers(layout, disposal, gone)
    if options.older_than_seconds is not None:
        for bucket in _AGED:
            for path in _records(layout, bucket):
                if _age(path, now) > options.older_than_seconds:
                    others += disposal.remove(path)
    if options.max_size_bytes is None:
        return Pruned(wheels, others)
    records, excess_bytes = _remove_records(layout, disposal, before_bytes, options.max_size_bytes)
    return Pruned(wheels, others + records, excess_bytes)


def _with_bytecode(layout: Layout) -> list[CachedWheel]:
    """Returns all wheels, each with the room that its compiled files take too: they go with it."""
    compiled: dict[str, int] = {}
    for folder in bytecode_entries(layout):
        key = os.path.basename(folder)
        compiled[key] = compiled.get(key, 0) + disk_bytes(folder)
    return [
        wheel._replace(size_bytes=wheel.size_bytes + compiled.get(wheel.sha256, 0)) for wheel in cached_wheels(layout)
    ]


def _remove_records(layout: Layout, disposal: Disposal, before_bytes: int, most_bytes: int) -> tuple[int, int]:
    """Removes plans, pages and metadata, the least recently used first, while the cache takes too much.

    Returns:
        How many went, and by how much the cache is too large still.
    """
    excess_bytes = before_bytes - disposal.taken().bytes - most_bytes
    aged = []
    for path in (
        [*plan_paths(layout), *_records(layout, "index-v3"), *_records(layout, "metadata-v2")]
        if excess_bytes > 0
        else ()
    ):
        try:
            status = os.lstat(path)
        except OSError:
            continue
        aged.append((status.st_mtime, path, allocated_bytes(status)))
    removed = 0
    for _, path, size_bytes in sorted(aged):
        if excess_bytes > 0 and disposal.remove(path):
            removed += 1
            excess_bytes -= size_bytes
    return removed, max(excess_bytes, 0)


def choose_wheels(wheels: list[CachedWheel], options: PruneOptions, now: float, total_bytes: int) -> list[CachedWheel]:
    """Returns the wheels that go, the least recently used first.  Pure.

    Args:
        wheels: all there are.
        options: what is asked for.
        now: POSIX time.
        total_bytes: what the cache takes with all of them.
    """
    going = []
    for wheel in sorted(wheels, key=lambda wheel: wheel.used_seconds):
        too_old = options.older_than_seconds is not None and now - wheel.used_seconds > options.older_than_seconds
        too_much = options.max_size_bytes is not None and total_bytes > options.max_size_bytes
        if too_old or too_much or options.everything_downloaded:
            going.append(wheel)
            total_bytes -= wheel.size_bytes
    return going


def _remove_litter(layout: Layout, disposal: Disposal, now: float) -> int:
    """Removes records that were begun and never published."""
    removed = 0
    for path, kind, _ in buckets(layout):
        if kind in ("bytecode", "tmp", "wheels"):
            continue
        for folder, _, files in os.walk(path):
            for name in files:
                file = os.path.join(folder, name)
                if name.endswith(".tmp") and _age(file, now) > LITTER_SECONDS:
                    removed += disposal.remove(file)
    return removed


def _remove_plans(layout: Layout, disposal: Disposal, gone: set[str], options: PruneOptions, now: float) -> int:
    """Removes plans that are damaged, old, or name an entry that is gone or was fetched again."""
    removed = 0
    for path in plan_paths(layout):
        plan = plans.load(path)
        if plan is None:
            removed += disposal.remove(path)
            continue
        old = options.older_than_seconds is not None and _age(path, now) > options.older_than_seconds
        if old or not all(_serves(layout, entry, gone) for entry in plan.entries):
            removed += disposal.remove(path)
    return removed


def _serves(layout: Layout, entry: plans.PlannedEntry, gone: set[str]) -> bool:
    if not entry.sha256:  # what was installed by others: recognised, never linked
        return True
    if entry.sha256 in gone:
        return False
    try:
        return os.stat(layout.manifest(entry.sha256)).st_mtime_ns == entry.stamp
    except OSError:
        return False


def _remove_broken(layout: Layout, disposal: Disposal) -> int:
    """Removes entries without a manifest: no reader takes them for anything."""
    return sum(
        disposal.remove(layout.entry(key))
        for key in list(entry_keys(layout))
        if os.path.isdir(layout.entry(key)) and not os.path.exists(layout.manifest(key))
    )


def _remove_pointers(layout: Layout, disposal: Disposal, gone: set[str]) -> int:
    """Removes what points to wheels that are gone."""
    removed = 0
    for path in _records(layout, "pointers-v1"):
        try:
            with open(path, "rb") as file:
                sha256 = file.read(64).decode("ascii", "replace")
        except OSError:
            continue
        if sha256 in gone or not os.path.exists(layout.manifest(sha256)):
            removed += disposal.remove(path)
    return removed


def _records(layout: Layout, bucket: str) -> list[str]:
    folder = layout.bucket(bucket)
    found = [*files_of(folder), *files_of(folder, depth=1)]
    return [path for path in found if not path.endswith(".tmp")]


def _age(path: str, now: float) -> float:
    try:
        return now - os.stat(path).st_mtime
    except OSError:
        return 0
