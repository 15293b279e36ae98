"""Decides which index a run asks, the nearest wish first."""

from cache.records import RecordStore
from engine.index.default import configured_index_url, distlib_index_url, pip_configuration_files, pip_index_url
from engine.sync import Run

#: The bucket that remembers distlib's constant, so that its import is paid once.
REMEMBERED = "settings-v1"


def index_url(run: Run, lock_index: str | None) -> str:
    """Returns the index, with a final `/`.

    The nearest wish counts: `--index-url`, the lock's own, a variable, pip's settings, distlib's constant.

    Args:
        run: options, environment variables and the cache.
        lock_index: `--index-url` of the lock file, or None.
    """
    found = (
        run.options.index_url
        or lock_index
        or configured_index_url(run.environ)
        or pip_index_url(pip_configuration_files(run.environ))
        or _remembered_default(run)
    )
    return found.rstrip("/") + "/"


def _remembered_default(run: Run) -> str:
    records = RecordStore(run.layout.bucket(REMEMBERED))
    if (stored := records.get("default-index")) is not None:
        return stored.decode("utf-8", "replace")
    default = distlib_index_url()
    records.put("default-index", default.encode())
    return default
