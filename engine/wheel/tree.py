"""Writing the files of a wheel into its private folder.

Owns every write there, and hashes what it writes.  It knows no archive.  Rules:
each file is created, never opened again for writing and never followed through a
link; a name that the file system already holds is the wheel's fault, because the
folder was empty and is nobody else's.
"""

import errno
import hashlib
import os
import stat

from engine.errors import InvalidWheel
from engine.linking import named, write_all
from engine.wheel.digest import encode_digest

try:
    from isal.isal_zlib import crc32  # 10 GB/s, where zlib has 1
except ImportError:
    from zlib import crc32

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_READ_BYTES = 1 << 20
_WHEELS_FAULT = (errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.EILSEQ)


class OpenFile:
    """A file that is being written in pieces.

    Args:
        descriptor: of the new file.
        path: of the same, for errors.
        hashed: compute its sha256; otherwise only its CRC.
    """

    __slots__ = ("_crc32", "_descriptor", "_hash", "_path")

    def __init__(self, descriptor: int, path: str, *, hashed: bool) -> None:
        self._descriptor = descriptor
        self._path = path
        self._crc32 = 0
        self._hash = hashlib.sha256(usedforsecurity=False) if hashed else None

    def write(self, content: bytes | bytearray | memoryview) -> None:
        """Appends and hashes `content`."""
        try:
            write_all(self._descriptor, content)
        except OSError as exc:
            raise named(exc, self._path) from exc
        if self._hash is None:
            self._crc32 = crc32(content, self._crc32)
        else:
            self._hash.update(content)

    def finish(self) -> tuple[int, str, int]:
        """Closes the file; returns its mtime in ns, and its sha256 as RECORD writes it or else its CRC."""
        mtime_ns = os.fstat(self._descriptor).st_mtime_ns
        self.close()
        return mtime_ns, "" if self._hash is None else encode_digest(self._hash.digest()), self._crc32

    def close(self) -> None:
        """Closes the file as it is; a second call does nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


class TreeWriter:
    """An empty folder that takes the files of one wheel.

    Args:
        root: path of the folder; it exists.

    All names are relative to it, with `/` between parts, and already checked.
    """

    __slots__ = ("_folders", "_root")

    def __init__(self, root: str) -> None:
        self._root = root
        self._folders = {""}

    def write(self, name: str, content: bytes | bytearray | memoryview, *, hashed: bool = True) -> tuple[int, str, int]:
        """Creates a file with `content`; returns its mtime in ns, and its sha256 as RECORD writes it or else its CRC.

        Raises:
            InvalidWheel: when the name is taken or too long.
        """
        descriptor = self._create(name)
        try:
            if content:
                write_all(descriptor, content)
            mtime_ns = os.fstat(descriptor).st_mtime_ns
        except OSError as exc:
            raise named(exc, f"{self._root}/{name}") from exc
        finally:
            os.close(descriptor)
        if not hashed:
            return mtime_ns, "", crc32(content, 0)
        return mtime_ns, encode_digest(hashlib.sha256(content, usedforsecurity=False).digest()), 0

    def start(self, name: str, *, hashed: bool = True) -> OpenFile:
        """Creates a file that is written in pieces.

        Raises:
            InvalidWheel: when the name is taken or too long.
        """
        return OpenFile(self._create(name), f"{self._root}/{name}", hashed=hashed)

    def make_folder(self, name: str) -> None:
        """Creates a folder and those above it, where they are missing.

        Raises:
            InvalidWheel: when a file has the name of one of them.
        """
        missing = []
        while name not in self._folders:
            missing.append(name)
            name = name.rpartition("/")[0]
        for folder in reversed(missing):
            path = f"{self._root}/{folder}"
            try:
                os.mkdir(path)
            except OSError as exc:
                # On a file system that ignores case, the folder may be there under another spelling.
                if not (isinstance(exc, FileExistsError) and stat.S_ISDIR(os.lstat(path).st_mode)):
                    raise _blamed(exc, folder) from exc
            self._folders.add(folder)

    def read(self, name: str, limit_bytes: int) -> bytes:
        """Returns the content of a file.

        Raises:
            InvalidWheel: when it has more than `limit_bytes`.
        """
        descriptor = os.open(f"{self._root}/{name}", _READ)
        try:
            size_bytes = os.fstat(descriptor).st_size
            if size_bytes > limit_bytes:
                raise InvalidWheel(f"{name!r} is larger than {limit_bytes} bytes")
            content = os.read(descriptor, size_bytes + 1)
            while len(content) < size_bytes:
                content += os.read(descriptor, size_bytes - len(content))
            return content
        finally:
            os.close(descriptor)

    def crc32(self, name: str) -> int:
        """Returns the CRC of a file as it is on the disk."""
        crc = 0
        with open(f"{self._root}/{name}", "rb", buffering=0) as file:
            while data := file.read(_READ_BYTES):
                crc = crc32(data, crc)
        return crc

    def digest(self, name: str, algorithm: str) -> str:
        """Returns a digest of a file as RECORD writes it."""
        with open(f"{self._root}/{name}", "rb") as file:
            return encode_digest(hashlib.file_digest(file, algorithm).digest())

    def make_executable(self, name: str) -> None:
        """Lets everybody run a file who can read it, which is what the umask leaves of 0o777."""
        path = f"{self._root}/{name}"
        mode = stat.S_IMODE(os.lstat(path).st_mode)
        os.chmod(path, mode | (mode & 0o444) >> 2)

    def _create(self, name: str) -> int:
        folder = name.rpartition("/")[0]
        if folder not in self._folders:
            self.make_folder(folder)
        try:
            return os.open(f"{self._root}/{name}", _CREATE, 0o666)
        except OSError as exc:
            raise _blamed(exc, name) from exc


def _blamed(error: OSError, name: str) -> Exception:
    """Returns what to raise: the wheel's fault by name, or the error itself."""
    if error.errno == errno.ENAMETOOLONG:
        return InvalidWheel(f"the name of member {name!r} is too long for the file system")
    if error.errno in _WHEELS_FAULT:
        return InvalidWheel(f"member {name!r} has a name that another member has too, or the folder of one")
    return error
