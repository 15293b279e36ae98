"""Deletes a cache, or what it holds of some projects."""

import os
from collections.abc import Iterable

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


def clean_projects(layout: Layout, patterns: Iterable[str], disposal: Disposal) -> list[CachedWheel]:
    """Removes the wheels and pages of some projects, and the plans that name them.

    Args:
        layout: where the cache is.
        patterns: normalised names, with `*`, `?` and `[…]` as in a shell.
        disposal: where they go.

    Returns:
        The wheels that were removed.
    """
    patterns = tuple(patterns)
    chosen = NamePatterns(patterns)
    for path in plan_paths(layout):
        plan = plans.load(path)
        if plan is not None and any(chosen.match(entry.name) for entry in plan.entries):
            disposal.remove(path)
    for path in files_of(layout.bucket("index-v2"), depth=1):
        if chosen.match(os.path.basename(path)):
            disposal.remove(path)
    removed = [wheel for wheel in cached_wheels(layout, patterns) if disposal.remove(layout.entry(wheel.sha256))]
    gone = {wheel.sha256 for wheel in removed}
    for path in list(orphans(layout)):
        if os.path.basename(path) in gone:
            disposal.remove(path)
    return removed
