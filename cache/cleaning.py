"""Deletes a cache."""

import os
from typing import NamedTuple

#: Every kind of bucket that any version of the engine has made.
BUCKETS = frozenset({"index", "interpreters", "plans", "pointers", "settings", "tmp", "wheels"})


class Removed(NamedTuple):
    """How much was deleted."""

    files: int
    bytes: int


def clean(root: str, keep: frozenset[str] = frozenset()) -> Removed | None:
    """Deletes everything that the cache at `root` holds, and the folder itself when it is then empty.

    Only the cache's own buckets go: a folder that was named by mistake loses nothing else.

    Args:
        root: absolute path of the cache.
        keep: folders below it that are in use.

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
        for folder, folders, inside in os.walk(path, topdown=False):
            if any(folder == kept or folder.startswith(kept + os.sep) for kept in keep):
                continue
            for one in inside:
                file = os.path.join(folder, one)
                try:
                    length = os.lstat(file).st_size
                    os.unlink(file)
                except FileNotFoundError:  # another run was faster
                    continue
                files += 1
                size += length
            for one in folders:
                _remove_folder(os.path.join(folder, one))
        _remove_folder(path)
    tag = os.path.join(root, "CACHEDIR.TAG")
    if os.path.exists(tag) and os.listdir(root) == ["CACHEDIR.TAG"]:
        os.unlink(tag)
        os.rmdir(root)
    return Removed(files, size)


def _is_bucket(name: str) -> bool:
    kind, _, version = name.rpartition("-v")
    return kind in BUCKETS and version.isdigit()


def _remove_folder(path: str) -> None:
    try:
        os.unlink(path) if os.path.islink(path) else os.rmdir(path)
    except OSError:  # a run that goes on has put something there
        return
