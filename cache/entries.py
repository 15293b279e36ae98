"""Published wheels: looking them up, publishing them, setting damaged ones aside.

An entry is a folder with `tree/` and `manifest`.  It appears by one rename of a
finished temporary folder and leaves by one, so a reader sees all of it or nothing.

A cache that refuses to be written (another owner's, a read-only medium) serves
what it has.  What it refuses goes to a private layer that lives as long as the run.
"""

import errno
import os

from cache import CacheError
from cache.layout import Layout
from cache.manifest import Manifest
from cache.plans import note_use

#: What the system says where a cache cannot be written, and where the private layer is on another file system.
REFUSALS = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.EXDEV})

#: How often a folder is made again that somebody who cleans the cache takes away.
_RETRIES = 20


class EntryStore:
    """The wheels of one cache.

    Args:
        layout: where the cache is.
        private: where to publish what the cache refuses; what is there goes before what the cache has.
    """

    __slots__ = ("layout", "private")

    def __init__(self, layout: Layout, private: Layout | None = None) -> None:
        self.layout = layout
        self.private = private

    def _home(self, sha256: str) -> Layout:
        if self.private is not None and os.path.exists(self.private.manifest(sha256)):
            return self.private
        return self.layout

    def is_empty(self) -> bool:
        """Tells whether nothing was ever published."""
        homes = [self.layout, *([self.private] if self.private is not None else [])]
        return not any(os.path.isdir(home.bucket("wheels-v1")) for home in homes)

    def has(self, sha256: str) -> bool:
        """Tells whether the entry was published."""
        return os.path.exists(self._home(sha256).manifest(sha256))

    def tree(self, sha256: str) -> str:
        """Returns the folder of the entry's unpacked files."""
        return self._home(sha256).tree(sha256)

    def load(self, sha256: str) -> tuple[Manifest, int] | None:
        """Returns the manifest of an entry and its stamp (mtime in ns), or None on a miss.

        Raises:
            CacheError: when the manifest is damaged.
        """
        return _load(self._home(sha256).manifest(sha256))

    def publish(self, folder: str, sha256: str, manifest: Manifest, stamp: int | None = None) -> tuple[Manifest, int]:
        """Publishes `folder`, which holds a finished `tree/`, as the entry `sha256`.

        Returns the manifest and stamp of the entry that is published now: when
        another process was first, its entry stays and `folder` is left to the caller.
        `stamp` is what `write_manifest` returned, where that was called already.

        Raises:
            OSError: when it cannot be written.
        """
        stamp = write_manifest(folder, manifest) if stamp is None else stamp
        try:
            return _publish(self.layout, folder, sha256, manifest, stamp)
        except OSError as exc:
            if self.private is None or exc.errno not in REFUSALS:
                raise
        return _publish(self.private, folder, sha256, manifest, stamp)

    def keep(self, folder: str, sha256: str, manifest: Manifest, stamp: int) -> tuple[Manifest, int]:
        """Publishes for this run alone, where nobody who cleans the cache can take it away; else as `publish`."""
        assert self.private is not None
        return _publish(self.private, folder, sha256, manifest, stamp)

    def note_use(self, sha256: str) -> None:
        """Remembers, to the day, that the entry was used: by its folder's mtime."""
        note_use(self._home(sha256).entry(sha256))

    def set_aside(self, sha256: str) -> bool:
        """Takes a damaged entry out of the store, so that it can be published anew.

        Returns:
            False where the cache refuses; then only the private layer can take its place.
        """
        try:
            _set_aside(self._home(sha256), sha256)
        except OSError:
            return False
        return True


def write_manifest(folder: str, manifest: Manifest) -> int:
    """Writes the manifest of an entry that is not published yet; returns its stamp.

    Raises:
        OSError: when it cannot be written.
    """
    path = os.path.join(folder, "manifest")
    with open(path, "wb", buffering=0) as file:
        try:
            left = memoryview(manifest.to_json())
            while left:
                left = left[file.write(left) :]
        except OSError as exc:
            raise OSError(exc.errno, exc.strerror, path) from exc
        return os.fstat(file.fileno()).st_mtime_ns


def drifted(manifest: Manifest, tree: str) -> str | None:
    """Returns the first file of a cached tree that is not what the manifest says, or None.

    Size and mtime are looked at, not the content.
    """
    stat = os.stat
    for path, size, mtime, _, _ in manifest.files:
        try:
            found = stat(f"{tree}/{path}", follow_symlinks=False)
        except OSError:
            return path
        if found.st_size != size or found.st_mtime_ns != mtime:
            return path
    return None


def _load(path: str) -> tuple[Manifest, int] | None:
    try:
        with open(path, "rb", buffering=0) as file:
            body = file.read()
            stamp = os.fstat(file.fileno()).st_mtime_ns
    except OSError:
        return None
    return Manifest.from_json(body, path=path), stamp


def _publish(layout: Layout, folder: str, sha256: str, manifest: Manifest, stamp: int) -> tuple[Manifest, int]:
    target = layout.entry(sha256)
    try:
        _rename(folder, target)
    except OSError as exc:
        if exc.errno not in (errno.EEXIST, errno.ENOTEMPTY):
            raise
        try:
            published = _load(layout.manifest(sha256))
        except CacheError:
            published = None
        if published is not None and drifted(published[0], layout.tree(sha256)) is None:
            return published
        _set_aside(layout, sha256)
        _rename(folder, target)
    return manifest, stamp


def _rename(folder: str, target: str) -> None:
    for _ in range(_RETRIES):
        try:
            os.rename(folder, target)
            return
        except FileNotFoundError:
            try:
                os.makedirs(os.path.dirname(target), exist_ok=True)
            except FileNotFoundError:  # somebody cleans the cache
                continue
    os.rename(folder, target)


def _set_aside(layout: Layout, sha256: str) -> None:
    aside = os.path.join(layout.temporary, f"aside-{sha256[:16]}-{os.getpid()}-{os.urandom(4).hex()}")
    try:
        _rename_out(layout.entry(sha256), aside)
    except FileNotFoundError:
        return
    import shutil  # 4 ms of each worker, and hardly ever needed

    shutil.rmtree(aside, ignore_errors=True)


def _rename_out(entry: str, aside: str) -> None:
    for _ in range(_RETRIES):
        os.makedirs(os.path.dirname(aside), exist_ok=True)
        try:
            os.rename(entry, aside)
            return
        except FileNotFoundError:
            if not os.path.lexists(entry):
                raise
