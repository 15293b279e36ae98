"""Gives the memory or disk of consumed parts of a file back while the file is still growing.

A download is read once, by its worker.  Without this, a lock of large wheels
holds all archives beside all unpacked trees: a quarter more pages, which on tmpfs
and in a young virtual machine cost as much as inflating them.

Linux only; elsewhere nothing happens.  Source: fallocate(2), FALLOC_FL_PUNCH_HOLE.
"""

import sys
from collections.abc import Callable

_KEEP_SIZE_AND_PUNCH = 0x01 | 0x02
_PAGE_BYTES = 1 << 16

_fallocate: Callable[[int, int, int, int], int] | None = None
_tried = False


def punch(descriptor: int, start: int, end: int) -> int:
    """Frees what a file holds between two offsets; reading there gives zeros afterwards.

    Args:
        descriptor: of the file, open for writing.
        start: where what is not needed begins, in bytes; a result of this function, or 0.
        end: where it ends.

    Returns:
        Up to where the file was freed: `end` rounded down, or `start` where nothing could be done.
    """
    end -= end % _PAGE_BYTES
    call = _find()
    if call is None or end <= start or call(descriptor, _KEEP_SIZE_AND_PUNCH, start, end - start):
        return start
    return end


def _find() -> Callable[[int, int, int, int], int] | None:
    global _fallocate, _tried
    if not _tried:
        _tried = True
        if sys.platform == "linux":
            import ctypes

            try:
                function = ctypes.CDLL(None).fallocate64
            except (OSError, AttributeError):
                return None
            function.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
            _fallocate = function
    return _fallocate
