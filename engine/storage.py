"""The cache as the command line sees it.  On the warm path."""

import os
import stat

from cache.layout import Layout, default_root
from engine.errors import ConfigurationError, InstallFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


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


def clean_cache(root: str) -> tuple[int, int] | None:
    """Deletes the cache at `root`.

    Returns:
        How many files and how many bytes were deleted, or None when there is no cache.

    Raises:
        ConfigurationError: when `root` is not a folder.
        InstallFailed: when the operating system refuses.
    """
    from cache.cleaning import clean

    try:
        return clean(root, frozenset(_in_use(Layout(root).temporary)))
    except NotADirectoryError as exc:
        raise ConfigurationError(f"{root} is not a folder") from exc
    except OSError as exc:
        raise InstallFailed(f"cannot clean the cache {root}: {exc.strerror}: {exc.filename}") from exc


def _in_use(temporary: str) -> "Iterator[str]":
    """Finds the folders of runs that live."""
    from engine.transaction import lock_folder

    try:
        names = os.listdir(temporary)
    except OSError:
        return
    for name in names:
        folder = os.path.join(temporary, name)
        try:
            lock = lock_folder(folder, wait=False)
        except OSError:
            continue
        if lock is None:
            yield folder
        else:
            os.close(lock)
