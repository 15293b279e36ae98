"""Which artifacts this process is downloading, so that other processes with the same cache wait for them.

A claim is an advisory lock on one byte of one file: nothing is created for a claim and nothing is left behind, and a
process that dies, by whatever signal, has none.  Claims only save work: without locks, or when a holder makes no
progress for long, an artifact is downloaded twice, and the second to publish it finds it there.
"""

import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from hashlib import sha256

import anyio

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

#: A holder that is stopped, or whose link is that slow, is not waited for any longer.
LONGEST_SECONDS = 300.0

#: How often a waiter looks, at first and in the long run.
_FIRST_SECONDS = 0.01
_LATER_SECONDS = 0.2

#: Where a byte can be locked: POSIX takes 63 bits, Windows' C library 31.
_PLACES = 1 << (30 if fcntl is None else 62)

_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)


class Claims:
    """The claims of this process.

    Args:
        path: of the file whose bytes are locked, or None where nobody shares what is downloaded.
    """

    def __init__(self, path: str | None) -> None:
        self._held: set[int] = set()
        self._descriptor = -1
        if path is not None:
            try:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                self._descriptor = os.open(path, _FLAGS, 0o666)
            except OSError:  # somebody else's: without claims, then
                pass

    @asynccontextmanager
    async def claim(self, key: str, done: Callable[[], bool]) -> AsyncIterator[None]:
        """Waits until nobody else is downloading an artifact, or until that is done.

        Args:
            key: names the artifact.
            done: tells whether another process has brought it.
        """
        place = int.from_bytes(sha256(key.encode(), usedforsecurity=False).digest()[:8], "big") % _PLACES
        pause, until = _FIRST_SECONDS, time.monotonic() + LONGEST_SECONDS
        while not (mine := self._take(place)) and not done() and time.monotonic() < until:
            await anyio.sleep(pause)
            pause = min(2 * pause, _LATER_SECONDS)
        try:
            yield
        finally:
            if mine:
                self._release(place)

    def _take(self, place: int) -> bool:
        if self._descriptor < 0:
            return True
        # A process's own locks do not keep it out.
        if place in self._held or not _lock(self._descriptor, place):
            return False
        self._held.add(place)
        return True

    def _release(self, place: int) -> None:
        if self._descriptor >= 0:
            self._held.discard(place)
            _unlock(self._descriptor, place)

    def close(self) -> None:
        """Gives up all claims."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def _lock(descriptor: int, place: int) -> bool:
    """Tries to lock one byte; a file system without locks grants all."""
    if fcntl is None:
        return _lock_on_windows(descriptor, place)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return True
    return True


def _unlock(descriptor: int, place: int) -> None:
    try:
        if fcntl is None:
            _unlock_on_windows(descriptor, place)
        else:
            fcntl.lockf(descriptor, fcntl.LOCK_UN, 1, place)
    except OSError:  # it was granted without one
        return


def _lock_on_windows(descriptor: int, place: int) -> bool:
    import msvcrt

    os.lseek(descriptor, place, os.SEEK_SET)
    try:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
    except OSError:
        return False
    return True


def _unlock_on_windows(descriptor: int, place: int) -> None:
    import msvcrt

    os.lseek(descriptor, place, os.SEEK_SET)
    msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)  # type: ignore[attr-defined,unused-ignore]
