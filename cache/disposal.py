"""Removes things from a cache that others are using: out of sight by one rename, then deleted at leisure.

A process that looks for an entry finds all of it or nothing.
"""

import errno
import os
from typing import NamedTuple

from cache.inventory import allocated_bytes, disk_bytes


class Removed(NamedTuple):
    """How much was removed, in files and in bytes on disk."""

    files: int
    bytes: int


class Disposal:
    """A place for what leaves a cache.

    Args:
        trash: a private folder on the cache's file system, or None to count what would be removed.

    Attributes:
        refused: what could not be removed, and why; one line each.
    """

    def __init__(self, trash: str | None) -> None:
        self._trash = trash
        self._number = 0
        self._would_files = 0
        self._would_bytes = 0
        self.refused: list[str] = []

    def remove(self, path: str) -> bool:
        """Takes a file or a folder out of the cache; returns whether it was there and is gone."""
        if self._trash is None:
            if not os.path.lexists(path):
                return False
            self._would_bytes += disk_bytes(path)
            self._would_files += sum(len(files) for _, _, files in os.walk(path)) if os.path.isdir(path) else 1
            return True
        self._number += 1
        try:
            os.rename(path, os.path.join(self._trash, f"gone-{self._number}"))
        except FileNotFoundError:
            return False
        except OSError as exc:
            self.refused.append(f"{path}: {exc.strerror}")
            return False
        return True

    def empty(self) -> Removed:
        """Deletes what was taken out; returns how much that was, or would have been."""
        if self._trash is None:
            return Removed(self._would_files, self._would_bytes)
        return _delete(self._trash, keep=True)


def _delete(folder: str, *, keep: bool = False) -> Removed:
    """Deletes what is in a folder, and the folder unless it is to be kept."""
    files = size = 0
    try:
        entries = list(os.scandir(folder))
    except PermissionError:
        os.chmod(folder, 0o700)
        entries = list(os.scandir(folder))
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            inside = _delete(entry.path)
            files += inside.files
            size += inside.bytes
            continue
        status = entry.stat(follow_symlinks=False)
        _unlink(entry.path, folder)
        files += 1
        size += allocated_bytes(status)
    if not keep:
        try:
            os.rmdir(folder)
        except OSError as exc:
            if exc.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
    return Removed(files, size)


def _unlink(path: str, folder: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
    except PermissionError:  # a folder without the right to write, as some wheels bring
        os.chmod(folder, 0o700)
        os.unlink(path)
