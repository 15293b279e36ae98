"""Says what the operating system refused and, where room is what lacks, how much there is and how much was needed.

Loaded when something has failed already, or when much is about to be asked of the system.
"""

import contextlib
import errno
import os
from collections.abc import Iterator

from engine.errors import InstallFailed
from engine.limits import DESCRIPTORS

_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_DESCRIPTORS = frozenset({errno.EMFILE, errno.ENFILE})

#: The system is well and does what it is asked, but has not got enough of something.
WANTS = _ROOM | _DESCRIPTORS | {errno.ENOMEM, errno.EAGAIN}


def require_descriptors() -> None:
    """Raises the limit of open files where it is low.

    Raises:
        InstallFailed: when it may not be raised enough.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= DESCRIPTORS or soft == resource.RLIM_INFINITY:
        return
    if hard != resource.RLIM_INFINITY and hard < DESCRIPTORS:
        raise InstallFailed(
            f"Too many open files: no more than {hard} are allowed, and a sync needs {DESCRIPTORS}",
            hint="see `ulimit -n`",
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, hard))


@contextlib.contextmanager
def enough() -> Iterator[None]:
    """Sees to it that many files can be open, and tells what the system lacks in the end, wherever it happened first.

    Raises:
        InstallFailed: when something is lacking.
        OSError: every other refusal: it is expected where it can happen, or is a bug.
    """
    require_descriptors()
    try:
        yield
    except OSError as exc:
        if exc.errno not in WANTS:
            raise
        raise InstallFailed(f"the system lacks what an install needs: {in_words(exc)}") from exc


def in_words(error: OSError, *, folder: str = "", needed_bytes: int = 0, needed_files: int = 0) -> str:
    """Returns what the operating system said, for a person.

    Args:
        error: what it said.
        folder: absolute path of where things were to be written; for errors that do not say it.
        needed_bytes: what was to be written, 0 where that is not known.
        needed_files: in how many files.
    """
    text = f"{error.strerror or error}: {error.filename}" if error.filename else f"{error.strerror or error}"
    if error.errno in _DESCRIPTORS:
        return f"{text} (a larger limit of open files helps, see `ulimit -n`)"
    if error.errno not in _ROOM:
        return text
    needed = (
        f"{needed_bytes} bytes in {needed_files} file{'' if needed_files == 1 else 's'} were needed"
        if needed_bytes
        else ""
    )
    return f"{text} ({', '.join(part for part in (_left(error, folder), needed) if part)})".replace(" ()", "")


def advice(error: OSError) -> str | None:
    """Returns what helps when the operating system refuses to write, or None where nobody knows."""
    if error.errno in _ROOM:
        return "make room, or raise the quota or limit; --cache-dir names another place for the cache"
    if error.errno == errno.EIO:
        return "the disk or the connection to it fails: see what the system has logged"
    return None


def _left(error: OSError, folder: str) -> str:
    """Returns what is left on the file system of the path that an error names, or else on that of `folder`."""
    folder = os.path.join(folder, os.fsdecode(error.filename or ""))
    while folder and not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    if not folder or not hasattr(os, "statvfs"):
        return ""
    try:
        found = os.statvfs(folder)
    except OSError:
        return ""
    return f"{found.f_bavail * found.f_frsize} bytes and {found.f_favail} files are left on {_mount_point(folder)}"


def _mount_point(folder: str) -> str:
    folder = os.path.realpath(folder)
    while not os.path.ismount(folder):
        folder = os.path.dirname(folder)
    return folder


def cannot_write(path: str, error: OSError, needed_bytes: int | None = None) -> InstallFailed:
    """Returns the error about a file of the cache that cannot be written.

    Args:
        path: the file.
        error: what the operating system said.
        needed_bytes: its size, where that is known.
    """
    plain = OSError(error.errno, error.strerror)
    words = in_words(plain, folder=os.path.dirname(path), needed_bytes=needed_bytes or 0, needed_files=1)
    return InstallFailed(f"cannot write {path}: {words}", hint="--cache-dir names another cache")
