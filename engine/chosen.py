"""A chosen wheel, as it travels from the worker that read the page to the pipeline."""

from typing import NamedTuple


class Chosen(NamedTuple):
    """One wheel of an index.

    `url` is absolute, `size_bytes` and `sha256` (lower-case hex) are what the
    index says or None, `promised` maps hash algorithms to the hex digests that
    the index gives, `warnings` are lines for the user, `yanked` says that its
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
