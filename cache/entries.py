"""Published wheels: looking them up, publishing them, setting damaged ones aside.

An entry is a folder with `tree/` and `manifest`.  It appears by one rename of a
finished temporary folder, so a reader sees all of it or nothing.
"""

import errno
import os
import shutil

from cache import CacheError
from cache.layout import Layout
from cache.manifest import Manifest


class EntryStore:
    """The wheels of one cache.

    Args:
        layout: where the cache is.
    """

    __slots__ = ("layout",)

    def __init__(self, layout: Layout) -> None:
        self.layout = layout

    def has(self, sha256: str) -> bool:
        """Tells whether the entry was published."""
        return os.path.exists(self.layout.manifest(sha256))

    def load(self, sha256: str) -> tuple[Manifest, int] | None:
        """Returns the manifest of an entry and its stamp (mtime in ns), or None on a miss.

        Raises:
            CacheError: when the manifest is damaged.
        """
        path = self.layout.manifest(sha256)
        try:
            with open(path, "rb", buffering=0) as file:
                body = file.read()
                stamp = os.fstat(file.fileno()).st_mtime_ns
        except OSError:
            return None
        return Manifest.from_json(body, path=path), stamp

    def publish(self, folder: str, sha256: str, manifest: Manifest) -> tuple[Manifest, int]:
        """Publishes `folder`, which holds a finished `tree/`, as the entry `sha256`.

        Returns the manifest and stamp of the entry that is published now: when
        another process was first, its entry stays and `folder` is left to the caller.

        Raises:
            OSError: when the cache cannot be written.
        """
        with open(os.path.join(folder, "manifest"), "wb", buffering=0) as file:
            file.write(manifest.to_json())
            stamp = os.fstat(file.fileno()).st_mtime_ns
        target = self.layout.entry(sha256)
        try:
            self._rename(folder, target)
        except OSError as exc:
            if exc.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
            try:
                published = self.load(sha256)
            except CacheError:
                published = None
            if published is not None:
                return published
            self.set_aside(sha256)
            self._rename(folder, target)
        return manifest, stamp

    @staticmethod
    def _rename(folder: str, target: str) -> None:
        try:
            os.rename(folder, target)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.rename(folder, target)

    def set_aside(self, sha256: str) -> None:
        """Takes a damaged entry out of the store, so that it can be published anew."""
        aside = os.path.join(self.layout.temporary, f"aside-{sha256[:16]}-{os.getpid()}-{os.urandom(4).hex()}")
        os.makedirs(self.layout.temporary, exist_ok=True)
        try:
            os.rename(self.layout.entry(sha256), aside)
        except FileNotFoundError:
            return
        shutil.rmtree(aside, ignore_errors=True)
