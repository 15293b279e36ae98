"""Deletes a cache, or what it holds of some projects."""

import os
from collections.abc import Iterable
from typing import NamedTuple

from cache import plans
from cache.bytecode import orphans
from cache.disposal import Disposal
from cache.inventory import CachedWheel, NamePatterns, buckets, cached_wheels, files_of, plan_paths
from cache.layout import Layout


def clean(layout: Layout, disposal: Disposal) -> None:
    """Removes everything that the cache holds, but not the folders of runs.

    Only the cache's own buckets go: a folder that was named by mistake loses nothing else.

    Raises:
        OSError: when there is no cache, or it cannot be read.
    """
    for path, kind, _ in buckets(layout):
        if kind != "tmp":
            disposal.remove(path)


def remove_if_empty(layout: Layout) -> None:
    """Removes the cache's folder when nothing but its tag is left in it."""
    tag = os.path.join(layout.root, "CACHEDIR.TAG")
    try:
        os.rmdir(layout.temporary)
        if os.listdir(layout.root) == ["CACHEDIR.TAG"]:
            os.unlink(tag)
        os.rmdir(layout.root)
    except OSError:  # a run lives, or has put something there
        return


class Cleaned(NamedTuple):
    """The wheels that went, and the patterns that nothing in the cache had the name of."""

    wheels: list[CachedWheel]
    unmatched: list[str]


def clean_projects(layout: Layout, patterns: Iterable[str], disposal: Disposal) -> Cleaned:
    """Removes the wheels, pages and metadata of some projects, and the plans that name them.

    Args:
        layout: where the cache is.
        patterns: normalised names, with `*`, `?` and `[…]` as in a shell.
        disposal: where they go.
    """
    patterns = tuple(patterns)
    chosen = NamePatterns(patterns)
    single = {pattern: NamePatterns([pattern]) for pattern in patterns}
    matched: set[str] = set()

    def note(name: str) -> bool:
        """Tells whether a name is chosen, and remembers by what."""
        if found := chosen.match(name):
            matched.update(pattern for pattern, one in single.items() if one.match(name))
        return found

    for path in plan_paths(layout):
        plan = plans.load(path)
        if plan is not None and any([note(entry.name) for entry in plan.entries]):
            disposal.remove(path)
    for path in files_of(layout.bucket("index-v3"), depth=1):
        if note(os.path.basename(path)):
            disposal.remove(path)
    for path in files_of(layout.bucket("metadata-v2")):
        if note(os.path.basename(path)):
            disposal.remove(path)
    wheels = [wheel for wheel in cached_wheels(layout, patterns) if note(wheel.name)]
    removed = [wheel for wheel in wheels if disposal.remove(layout.entry(wheel.sha256))]
    gone = {wheel.sha256 for wheel in removed}
    for path in list(orphans(layout)):
        if os.path.basename(path) in gone:
            disposal.remove(path)
    return Cleaned(removed, [pattern for pattern in patterns if pattern not in matched])
