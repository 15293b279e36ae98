"""A run's private folder, for what is not published yet: unfinished downloads and trees.

It lives in the cache, whose file system it has to share for entries to be published by a rename.  Where the cache
cannot be written it lives among the system's temporary files, and what the run fetches stays there.

Owns the folder's lock, which tells work from litter: what is not locked belongs to a run that was killed, and goes.
"""

import errno
import os
import stat

from cache.layout import Layout
from engine.errors import ConfigurationError, InstallFailed
from engine.limits import KEPT_BYTES
from engine.storage import temporary_root
from engine.transaction import lock_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from cache.entries import EntryStore

#: What the system says about a cache of somebody else, or on a read-only medium.
_NOT_OURS = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})

#: How often the folder is made again while somebody cleans the cache.
_RETRIES = 50


class Scratch:
    """A private folder, locked while this process lives.

    Args:
        layout: of the cache.

    Raises:
        ConfigurationError: when somebody has planted a link in its place.
        InstallFailed: when nothing can be written anywhere.

    Attributes:
        folder: the folder.
        in_cache: whether it is in the cache, and what the run fetches will be, too.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._lock: int | None = None
        self.in_cache = True
        try:
            self.folder = self._make(layout)
        except OSError as exc:
            if exc.errno not in _NOT_OURS:
                raise _refused(layout, exc) from exc
            self.in_cache = False
        if self.in_cache:
            return
        self._outside = Layout(_private_root())
        try:
            self.folder = self._make(self._outside)
        except OSError as exc:
            raise _refused(self._outside, exc) from exc

    def _make(self, layout: Layout) -> str:
        for _ in range(_RETRIES):
            try:
                return self._make_once(layout)
            except FileNotFoundError:  # somebody cleans the cache
                continue
        return self._make_once(layout)

    def _make_once(self, layout: Layout) -> str:
        if self.in_cache:
            layout.create()
        os.makedirs(layout.temporary, exist_ok=True)
        folder = os.path.join(layout.temporary, f"{os.getpid()}-{os.urandom(6).hex()}")
        lock = lock_temporary(layout)
        try:
            for name in idle_folders(layout.temporary):
                self._remove(layout, name)
            os.mkdir(folder)
            self._lock = lock_folder(folder, wait=False)
        finally:
            if lock is not None:
                os.close(lock)
        return folder

    def _remove(self, layout: Layout, folder: str) -> None:
        """Removes a run's folder; what it has not finished downloading stays for the next one."""
        import shutil

        try:
            unfinished = self.in_cache and any(name.endswith(".about") for name in os.listdir(folder))
        except OSError:
            unfinished = False
        if unfinished:
            from cache.partials import PartialStore

            PartialStore(layout).salvage(folder, least_bytes=KEPT_BYTES)
        shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """Removes the folder and all in it."""
        self._remove(self._layout, self.folder)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        if not self.in_cache:
            for folder in (self._outside.temporary, self._outside.root):
                try:
                    os.rmdir(folder)
                except OSError:  # other runs are there
                    return


def open_store(layout: Layout, scratch: str) -> "EntryStore":
    """Returns the wheels that a run can use: those of the cache, and those it keeps to itself.

    Args:
        layout: of the cache.
        scratch: the run's private folder.
    """
    from cache.entries import EntryStore

    return EntryStore(layout, Layout(os.path.join(scratch, "private")))


def lock_temporary(layout: Layout) -> int | None:
    """Takes the lock under which folders of runs appear and litter goes; waits for it.

    Raises:
        ConfigurationError: when the folder is a link.
        FileNotFoundError: when it is gone, or was replaced while this process waited.
        OSError: when it cannot be opened.
    """
    try:
        lock = lock_folder(layout.temporary, wait=True, follow=False)
    except OSError as exc:
        if os.path.islink(layout.temporary):
            raise ConfigurationError(
                f"{layout.temporary} is a symbolic link, and not of this program's making", hint="remove it"
            ) from exc
        raise
    if lock is not None and os.name == "posix":
        try:
            replaced = not os.path.samestat(os.fstat(lock), os.lstat(layout.temporary))
        except OSError:
            os.close(lock)
            raise
        if replaced:
            os.close(lock)
            raise FileNotFoundError(errno.ENOENT, "replaced", layout.temporary)
    return lock


def idle_folders(temporary: str) -> "Iterator[str]":
    """Finds the folders of runs that live no more; each is locked while the caller looks at it."""
    for name in os.listdir(temporary):
        folder = os.path.join(temporary, name)
        try:
            lock = lock_folder(folder, wait=False, follow=False)
        except OSError:
            continue
        if lock is not None:
            try:
                yield folder
            finally:
                os.close(lock)


def _private_root() -> str:
    """Returns a folder among the system's temporary files that nobody else can have made or can look into."""
    import tempfile

    if os.name != "posix":
        return tempfile.mkdtemp(prefix="engine-")
    root = os.path.join(temporary_root(), f"engine-{os.geteuid()}")
    try:
        os.mkdir(root, 0o700)
    except FileExistsError:
        found = os.lstat(root)
        ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077
        if not ours:
            return tempfile.mkdtemp(prefix="engine-")
    return root


def _refused(layout: Layout, error: OSError) -> InstallFailed:
    return InstallFailed(
        f"cannot write to the cache {layout.root}: {error.strerror}", hint="--cache-dir names another one"
    )
