"""A chosen wheel, as it travels from the worker that read the page to the pipeline."""

from typing import NamedTuple


class Chosen(NamedTuple):
    """One wheel of an index, or of a lock that names it.

    `url` is absolute, `size_bytes` and `sha256` (lower-case hex) are what the
    promiser (`index` or `lock`) says or None, `promised` maps hash algorithms to
    the hex digests that it gives, `warnings` are lines for the user, `yanked` says that its
    index advises against it and why ("" when it does not), `notes` are lines for a user who asks for more.
    """

    url: str
    filename: str
    size_bytes: int | None
    sha256: str | None
    promised: dict[str, str]
    warnings: tuple[str, ...]
    yanked: str = ""
    notes: tuple[str, ...] = ()
    promiser: str = "index"
