"""Which download may start, and when."""

from bisect import bisect_right, insort
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from engine.limits import (
    BYTES_BESIDE_PAGES,
    DOWNLOADS,
    LARGE_BESIDE_PAGES,
    LARGE_BYTES,
    LARGE_WEIGHT,
    TINY_ALONE,
    TINY_BYTES,
    TINY_DOWNLOADS,
    UNKNOWN_BYTES,
)

#: One that waits: its bytes, a number that is lower for who came later, and what is told when it may start.
_Item = tuple[int, int, anyio.Event]


class Admission:
    """Lets downloads start: the largest first, and hardly any while pages are still on their way.

    A page is small and waits behind whatever fills the link: with 16 downloads
    under way, a page took two seconds over a link where it takes 30 ms when it
    is alone.  And every page that is late holds up a wheel.  So until the last page is there, few large
    downloads may be under way, which leaves a part of the link to the others, and as many bytes of small ones as
    keep the link busy.  Tiny ones have places of their own, unless somebody has said how many there are.

    Args:
        places: how many downloads may be under way at once; None where nobody has said.
    """

    def __init__(self, places: int | None = None) -> None:
        self._places = DOWNLOADS if places is None else places
        self._tiny_places = TINY_DOWNLOADS if places is None else 0
        self._has_tiny_places = places is None
        self._tiny = self._large = 0
        self._small_bytes = 0
        self._pages = 0
        self._number = 0
        self._waiting: list[_Item] = []
        self._tiny_waiting: list[_Item] = []

    def page_started(self) -> None:
        """Notes that a page is on its way, or will be."""
        self._pages += 1

    def page_finished(self) -> None:
        """Notes that a page is there, or failed."""
        self._pages -= 1
        self._admit()

    @property
    def is_crowded(self) -> bool:
        """Whether so many tiny downloads are under way that they are better asked for together."""
        return self._has_tiny_places and self._tiny > TINY_ALONE

    @asynccontextmanager
    async def place(self, size_bytes: int | None) -> AsyncIterator[None]:
        """Waits until a download of this size may start.

        Args:
            size_bytes: as the index says, or None.
        """
        size = UNKNOWN_BYTES if size_bytes is None else size_bytes
        turn = anyio.Event()
        self._number -= 1
        item = (size, self._number, turn)
        waiting = self._tiny_waiting if self._is_tiny(size) else self._waiting
        insort(waiting, item)
        self._admit()
        try:
            await turn.wait()
            yield
        finally:
            if turn.is_set():
                self._count(size, -1)
                self._admit()
            else:
                waiting.remove(item)

    def _admit(self) -> None:
        while self._places > 0 and self._start_one(self._waiting):
            pass
        while self._tiny_places > 0 and self._start_one(self._tiny_waiting):
            pass

    def _start_one(self, waiting: list[_Item]) -> bool:
        """Lets the largest one start that may; returns whether there is one.

        Args:
            waiting: in order, and each has a place.
        """
        at = len(waiting) - 1
        if self._pages and at >= 0 and (waiting[at][0] < LARGE_BYTES or self._large >= LARGE_BESIDE_PAGES):
            room = min(BYTES_BESIDE_PAGES - self._small_bytes, LARGE_BYTES - 1)
            at = bisect_right(waiting, room, key=_size) - 1
        if at < 0:
            return False
        size, _, turn = waiting.pop(at)
        self._count(size, 1)
        turn.set()
        return True

    def _is_tiny(self, size_bytes: int) -> bool:
        return self._has_tiny_places and size_bytes <= TINY_BYTES

    def _count(self, size_bytes: int, sign: int) -> None:
        if self._is_tiny(size_bytes):
            self._tiny_places -= sign
            self._tiny += sign
        else:
            self._places -= sign * _weight(size_bytes)
        if size_bytes < LARGE_BYTES:
            self._small_bytes += sign * size_bytes
        else:
            self._large += sign


def _size(item: _Item) -> int:
    return item[0]


def _weight(size_bytes: int) -> int:
    return LARGE_WEIGHT if size_bytes >= LARGE_BYTES else 1
