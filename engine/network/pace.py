"""Tells a server that drips from a link that is slow.

The session's time limit ends a body that stands still.  One that moves by a byte
a second would never end; so over each window it has to bring a little at least.
Time that is spent here, on a full disk or a busy worker, is not the server's.
"""

import time
from collections.abc import Callable

from engine.limits import LEAST_BYTES_PER_SECOND


class Pace:
    """The pace of one body.

    Args:
        window_seconds: over how long it is measured.
        clock: seconds, monotonic.
    """

    __slots__ = ("_bytes", "_clock", "_least_bytes", "_start", "_window_seconds")

    def __init__(self, window_seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._window_seconds = window_seconds
        self._least_bytes = window_seconds * LEAST_BYTES_PER_SECOND
        self._clock = clock
        self.restart()

    def restart(self) -> None:
        """Begins a new window: what was before does not count."""
        self._start = self._clock()
        self._bytes = 0

    def is_too_slow(self, count: int) -> bool:
        """Counts bytes that have just come; returns whether a whole window has brought too few."""
        self._bytes += count
        if self._clock() - self._start < self._window_seconds:
            return False
        too_slow = self._bytes < self._least_bytes
        self.restart()
        return too_slow
