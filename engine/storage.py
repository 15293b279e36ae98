"""The cache as the command line sees it.  On the warm path."""

import os
import stat

from cache.layout import default_root
from engine.errors import ConfigurationError, InstallFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def cache_root(chosen: str | None, environ: "Mapping[str, str]") -> str:
    """Returns the absolute path of the cache: `chosen`, or what `environ` and the platform say."""
    return os.path.abspath(chosen) if chosen else default_root(environ)


def check_place(root: str, places: "Iterable[str]") -> None:
    """Refuses a cache that somebody has planted, and work inside a cache, which may be deleted at any time.

    A cache inside the working folder, or inside an environment, is fine.

    Args:
        root: absolute path of the cache.
        places: absolute paths of the folders to work in and on.

    Raises:
        ConfigurationError: when one is refused.
    """
    try:
        found = os.lstat(root)
    except OSError:
        return
    if stat.S_ISLNK(found.st_mode) and os.name == "posix" and found.st_uid not in (0, os.geteuid()):
        raise ConfigurationError(
            f"the cache {root} is a symbolic link that another user has made", hint="--cache-dir names another one"
        )
    inside = os.path.join(os.path.realpath(root), "")
    for path in places:
        if os.path.join(os.path.realpath(path), "").startswith(inside):
            raise ConfigurationError(f"{path} is inside the cache {root}", hint="--cache-dir names another cache")


def temporary_root() -> str:
    """Returns the folder of the system's temporary files.

    Raises:
        InstallFailed: when there is none that can be written, as in a container whose root is read-only.
    """
    import tempfile

    try:
        return tempfile.gettempdir()
    except FileNotFoundError as exc:
        raise InstallFailed(
            "there is no folder for temporary files that can be written",
            hint="mount one at /tmp, or name a cache that can be written: --cache-dir, ENGINE_CACHE_DIR",
        ) from exc


class TemporaryCache:
    """A cache for one run: entering makes it and gives its path, leaving deletes it."""

    __slots__ = ("_folder",)

    def __enter__(self) -> str:
        import tempfile

        self._folder = tempfile.mkdtemp(prefix="engine-cache-", dir=temporary_root())
        return self._folder

    def __exit__(self, *exception: object) -> None:
        import shutil

        shutil.rmtree(self._folder, ignore_errors=True)
