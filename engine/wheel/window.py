"""Reading an archive that is still being written: a part of it in memory, moved as needed.

Owns every read of the archive.  Rule: nothing behind `limit` is read, because what
is there may not be the archive's yet.
"""

import mmap
import os

from engine.errors import InvalidWheel
from engine.wheel.archive import LocalHeader, parse_local_header

WINDOW_BYTES = 1024 * 1024
# From here on mapping costs less than copying: copies were a tenth of a worker's time on large wheels.
MAPPED_BYTES = 256 * 1024
_POPULATE: int | None = getattr(mmap, "MAP_POPULATE", None)


class Window:
    """A part of the archive in memory; `limit` is how many bytes of the archive are there."""

    __slots__ = ("buffer", "descriptor", "limit", "start", "window_bytes")

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.window_bytes = WINDOW_BYTES
        self.limit = 0
        self.start = 0
        self.buffer = memoryview(b"")

    def view(self, offset: int, length: int) -> memoryview:
        """Returns bytes of the archive."""
        at = offset - self.start
        if at < 0 or at + length > len(self.buffer):
            self.load(offset, length)
            at = 0
            if length > len(self.buffer):
                raise InvalidWheel("the archive ends early")
        return self.buffer[at : at + length]

    def load(self, offset: int, length: int = 0) -> None:
        """Moves the window so that it begins at `offset`."""
        length = min(max(length, self.window_bytes), self.limit - offset)
        self.start = offset
        self.buffer = memoryview(read_at(self.descriptor, offset, length))

    def local_header(self, offset: int) -> LocalHeader | None:
        """Returns the local header at `offset`, or None where it is not there in full."""
        at = offset - self.start
        header = parse_local_header(self.buffer, at) if at >= 0 else None
        if header is None:
            self.load(offset)
            header = parse_local_header(self.buffer, 0)
        return header


def read_at(descriptor: int, offset: int, length: int) -> bytes | memoryview:
    """Returns `length` bytes of a file from `offset` on, fewer only where the file ends.

    Long pieces are mapped, not copied; nobody else may shorten the file while they are in use.
    """
    if length >= MAPPED_BYTES and (mapped := _map(descriptor, offset, length)) is not None:
        return mapped
    data = _pread(descriptor, length, offset) if length > 0 else b""
    while 0 < len(data) < length:
        more = _pread(descriptor, length - len(data), offset + len(data))
        if not more:
            break
        data += more
    return data


def _map(descriptor: int, offset: int, length: int) -> memoryview | None:
    """Returns a part of a file as mapped memory, or None where the system cannot; it goes with its last reader."""
    if _POPULATE is None:
        return None
    start = offset - offset % mmap.ALLOCATIONGRANULARITY
    try:
        area = mmap.mmap(
            descriptor, offset + length - start, flags=mmap.MAP_SHARED | _POPULATE, prot=mmap.PROT_READ, offset=start
        )
    except (OSError, ValueError):
        return None
    return memoryview(area)[offset - start :]


def _pread(descriptor: int, length: int, offset: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(descriptor, length, offset)
    os.lseek(descriptor, offset, os.SEEK_SET)
    return os.read(descriptor, length)
