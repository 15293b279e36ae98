"""Removes things from a cache that others are using: out of sight by one rename, then deleted at leisure.

A process that looks for an entry finds all of it or nothing.
"""

import errno
import os

from cache.inventory import Room, room


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
        self._counted: dict[str, None] = {}
        self.refused: list[str] = []

    @property
    def counts_only(self) -> bool:
        """Whether nothing is removed."""
        return self._trash is None

    def remove(self, path: str) -> bool:
        """Takes a file or a folder out of the cache; returns whether it was there and is gone, or would be."""
        if self._trash is None:
            if not os.path.lexists(path) or self._is_counted(path):
                return False
            self._counted[path] = None
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

    def _is_counted(self, path: str) -> bool:
        while path not in self._counted:
            above = os.path.dirname(path)
            if above == path:
                return False
            path = above
        return True

    def taken(self) -> Room:
        """Returns what is taken up by that which was taken out and not deleted, or would be taken out."""
        if self._trash is None:
            return room(self._counted)
        return room(os.path.join(self._trash, name) for name in os.listdir(self._trash))

    def empty(self) -> Room:
        """Deletes what was taken out; returns what it took, or would have."""
        removed = self.taken()
        if self._trash is not None:
            _delete(self._trash, keep=True)
        return removed


def _delete(folder: str, *, keep: bool = False) -> None:
    """Deletes what is in a folder, and the folder unless it is to be kept."""
    try:
        entries = list(os.scandir(folder))
    except PermissionError:
        os.chmod(folder, 0o700)
        entries = list(os.scandir(folder))
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            _delete(entry.path)
        else:
            _unlink(entry.path, folder)
    if not keep:
        try:
            os.rmdir(folder)
        except OSError as exc:
            if exc.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise


def _unlink(path: str, folder: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
    except PermissionError:  # a folder without the right to write, as some wheels bring
        os.chmod(folder, 0o700)
        os.unlink(path)
