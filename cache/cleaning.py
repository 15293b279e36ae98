"""Deletes a cache."""

import os
import shutil
from typing import NamedTuple

#: Every kind of bucket that any version of the engine has made.
BUCKETS = frozenset({"index", "interpreters", "plans", "pointers", "settings", "tmp", "wheels"})


class Removed(NamedTuple):
    """How much was deleted."""

    files: int
    bytes: int


def clean(root: str) -> Removed | None:
    """Deletes everything that the cache at `root` holds, and the folder itself when it is then empty.

    Only the cache's own buckets go: a folder that was named by mistake loses nothing else.

    Returns:
        How much was deleted, or None when there is no cache.
    """
    try:
        names = os.listdir(root)
    except FileNotFoundError:
        return None
    files = size = 0
    for name in names:
        path = os.path.join(root, name)
        if name == "CACHEDIR.TAG":
            continue
        if not (_is_bucket(name) and os.path.isdir(path) and not os.path.islink(path)):
            continue
        for folder, _, inside in os.walk(path):
            files += len(inside)
            size += sum(os.lstat(os.path.join(folder, one)).st_size for one in inside)
        shutil.rmtree(path, ignore_errors=True)
    tag = os.path.join(root, "CACHEDIR.TAG")
    if os.path.exists(tag) and os.listdir(root) == ["CACHEDIR.TAG"]:
        os.unlink(tag)
        os.rmdir(root)
    return Removed(files, size)


def _is_bucket(name: str) -> bool:
    kind, _, version = name.rpartition("-v")
    return kind in BUCKETS and version.isdigit()
