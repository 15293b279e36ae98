"""The cache as the command line sees it.  On the warm path."""

import os

from cache.layout import default_root
from engine.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def cache_root(chosen: str | None, environ: "Mapping[str, str]") -> str:
    """Returns the absolute path of the cache: `chosen`, or what `environ` and the platform say."""
    return os.path.abspath(chosen) if chosen else default_root(environ)


def clean_cache(root: str) -> tuple[int, int] | None:
    """Deletes the cache at `root`.

    Returns:
        How many files and how many bytes were deleted, or None when there is no cache.

    Raises:
        ConfigurationError: when `root` is not a cache.
    """
    from cache.cleaning import clean

    try:
        return clean(root)
    except NotADirectoryError as exc:
        raise ConfigurationError(f"{root} is not a folder") from exc
