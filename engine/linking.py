"""Puts cached files into a folder of the target: hard link, reflink or copy, file by file.

On the warm path.  A link shares the mode of the cached file.  So only a file that
has the mode it would get if it were created here is linked; another run, with
another umask, may have put it into the cache.  Every file falls back on its own
and at any moment: that mode, a file system without hard links, a file with too
many of them, a file of another owner.  What is known to be impossible for the whole device pair (another file
system, no reflinks) is not tried twice.
"""

import errno
import os

#: How files come from the cache; `hardlink` is the default, as in uv on Linux.
LINK_MODES = ("hardlink", "clone", "copy")

#: _IOW(0x94, 9, int), source: linux/fs.h.
FICLONE = 0x40049409

_NEVER_AGAIN = (errno.EXDEV, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTTY, errno.EINVAL)
_FALL_BACK = (*_NEVER_AGAIN, errno.EMLINK, errno.EPERM, errno.EACCES)
_TIMES_BY_DESCRIPTOR = os.utime in os.supports_fd
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_BINARY = getattr(os, "O_BINARY", 0)
#: S_IFREG, without loading the module that names it.
_REGULAR = 0o100000


class Linker:
    """Creates files of the target from files of the cache.

    Args:
        mode: one of `LINK_MODES`: what is tried first.

    `counts` tells afterwards how many files came in which way; `modes` has every `st_mode` with which files are linked.
    """

    __slots__ = ("_clone", "_link", "counts", "modes")

    def __init__(self, mode: str) -> None:
        self._link = mode == "hardlink"
        self._clone = mode in ("hardlink", "clone") and os.name == "posix"
        self.counts = {"hardlink": 0, "clone": 0, "copy": 0}
        self.modes: set[int] = set()
        # Asking for the umask sets it for a moment, for all threads; who links nothing need not know it.
        if self._link:
            umask = os.umask(0o077)
            os.umask(umask)
            self.modes = {_REGULAR | 0o666 & ~umask, _REGULAR | 0o777 & ~umask}

    @property
    def links(self) -> bool:
        """Whether hard links are still worth trying."""
        return self._link

    def fall_back(self, source: str, target: str, reason: OSError | None) -> None:
        """Creates `target` as a reflink or a copy of `source`, with its mtime: compiled files are checked against it.

        Args:
            source: absolute path of a regular file.
            target: absolute path that does not exist.
            reason: why the hard link failed, or None when none was tried.

        Raises:
            FileExistsError: when `target` exists.
            OSError: `reason` itself when no other way can help, or what the copy failed with.
        """
        if reason is not None:
            if reason.errno not in _FALL_BACK:
                raise reason
            if reason.errno in _NEVER_AGAIN:
                self._link = False
        reader = os.open(source, os.O_RDONLY | _NOFOLLOW | _BINARY)
        try:
            found = os.fstat(reader)
            mode = 0o777 if found.st_mode & 0o100 else 0o666
            writer = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOFOLLOW | _BINARY, mode)
            try:
                # Where lists of access rights or the file system decide, only a file that was made shows what they do.
                if self._link and os.fstat(writer).st_mode == found.st_mode:
                    self.modes.add(found.st_mode)
                self._fill(reader, source, writer, target)
                if _TIMES_BY_DESCRIPTOR:
                    os.utime(writer, ns=(found.st_atime_ns, found.st_mtime_ns))
            finally:
                os.close(writer)
            if not _TIMES_BY_DESCRIPTOR:
                os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns))
        finally:
            os.close(reader)

    def _fill(self, reader: int, source: str, writer: int, target: str) -> None:
        if self._clone:
            import fcntl

            try:
                fcntl.ioctl(writer, FICLONE, reader)
            except OSError as exc:
                if exc.errno in _NEVER_AGAIN:
                    self._clone = False
            else:
                self.counts["clone"] += 1
                return
        while data := _read(reader, source):
            try:
                write_all(writer, data)
            except OSError as exc:
                raise named(exc, target) from exc
        self.counts["copy"] += 1


def _read(descriptor: int, path: str) -> bytes:
    try:
        return os.read(descriptor, 1 << 20)
    except OSError as exc:
        raise named(exc, path) from exc


def write_all(descriptor: int, data: bytes | bytearray | memoryview) -> None:
    """Writes all of `data`, however many calls that takes."""
    written = os.write(descriptor, data)
    while written < len(data):
        written += os.write(descriptor, memoryview(data)[written:])


def named(error: OSError, path: str) -> OSError:
    """Returns what the system said of a descriptor, with the path of its file."""
    return error if error.filename else OSError(error.errno, error.strerror, path)


def write_file(path: str, data: bytes, *, executable: bool = False) -> None:
    """Creates `path` with `data`; modes follow the umask.

    Raises:
        FileExistsError: when there is something at `path`.
    """
    descriptor = os.open(
        path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOFOLLOW | _BINARY, 0o777 if executable else 0o666
    )
    try:
        write_all(descriptor, data)
    except OSError as exc:
        raise named(exc, path) from exc
    finally:
        os.close(descriptor)
