"""System calls of Linux that Python does not offer.  Elsewhere nothing happens.

Source: fallocate(2), FALLOC_FL_PUNCH_HOLE; prctl(2), PR_SET_PDEATHSIG.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_KEEP_SIZE_AND_PUNCH = 0x01 | 0x02
_PR_SET_PDEATHSIG = 1
_PAGE_BYTES = 1 << 16


def _function(name: str) -> Callable[..., int] | None:
    if sys.platform != "linux":
        return None
    try:
        return getattr(ctypes.CDLL(None), name)  # type: ignore[no-any-return]
    except (OSError, AttributeError):
        return None


_fallocate = _function("fallocate64") if ctypes.sizeof(ctypes.c_void_p) == 8 else None
_prctl = _function("prctl")


def die_with(parent: int) -> None:
    """Lets the kernel kill this process when its parent dies, by whatever signal.

    Otherwise a killed run's worker would go on writing into folders that the next run is clearing away.

    Args:
        parent: process id of the parent, from before the fork.
    """
    if _prctl is not None:
        _prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def punch(descriptor: int, start: int, end: int) -> int:
    """Frees what a file holds between two offsets; reading there gives zeros afterwards.

    A download is read once, by its worker.  Without this, a lock of large wheels holds all archives beside all
    unpacked trees: a quarter more pages, which on tmpfs and in a young virtual machine cost as much as inflating.

    Args:
        descriptor: of the file, open for writing.
        start: where what is not needed begins, in bytes; a result of this function, or 0.
        end: where it ends.

    Returns:
        Up to where the file was freed: `end` rounded down, or `start` where nothing could be done.
    """
    end -= end % _PAGE_BYTES
    if _fallocate is None or end <= start:
        return start
    place, length = ctypes.c_int64(start), ctypes.c_int64(end - start)
    return start if _fallocate(descriptor, _KEEP_SIZE_AND_PUNCH, place, length) else end
