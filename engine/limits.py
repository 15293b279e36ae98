"""How much may happen at once, in one place and with the reason for each number."""

import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

#: Requests for index pages at once.  Pages are small, so what counts is round trips, not bandwidth.
PAGES = 16

#: Downloads at once.  More connections make no link faster; each costs a TLS handshake (about 1.5 ms of CPU).
DOWNLOADS = 16

#: Hard bound of an index page after decompression; the largest real ones have about 30 MB.
PAGE_BYTES = 256 << 20


class LargestFirst:
    """A limit whose free places go to the waiter with the most work, not to the first that came.

    Args:
        places: how many may be inside at once.
    """

    def __init__(self, places: int) -> None:
        self._free = places
        self._number = 0
        self._waiting: list[tuple[int, int, anyio.Event]] = []

    @asynccontextmanager
    async def place(self, size_bytes: int) -> AsyncIterator[None]:
        """Waits for a place; larger sizes go first."""
        if self._free > 0:
            self._free -= 1
        else:
            turn = anyio.Event()
            self._number += 1
            item = (-size_bytes, self._number, turn)
            heapq.heappush(self._waiting, item)
            try:
                await turn.wait()
            except BaseException:
                if turn.is_set():
                    self._release()
                else:
                    self._waiting.remove(item)
                    heapq.heapify(self._waiting)
                raise
        try:
            yield
        finally:
            self._release()

    def _release(self) -> None:
        if self._waiting:
            heapq.heappop(self._waiting)[2].set()
        else:
            self._free += 1
