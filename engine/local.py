"""Files that `file:` URLs name: where they are, and a private copy of one for a worker.

A wheel is never unpacked from where somebody else may still write: what is hashed
and what is unpacked is one copy of our own.

Source: RFC 8089, "The 'file' URI Scheme".
"""

import os
from collections.abc import Awaitable, Callable
from io import FileIO
from urllib.parse import quote, unquote_to_bytes, urlsplit

from engine.errors import ConfigurationError, IndexUnavailable, SizeMismatch
from engine.linking import write_all
from engine.space import cannot_write

#: A piece of a copy: what one thread's turn, and one message to the worker, is about.
PIECE_BYTES = 1 << 22

_BINARY = getattr(os, "O_BINARY", 0)


def local_path(url: str) -> str:
    """Returns the path that a `file:` URL names; its query and fragment do not count.

    Raises:
        ConfigurationError: when it names another host.
    """
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost"):
        raise ConfigurationError(f"{url} names a file of another host", hint="a file: URL has three slashes")
    if os.name != "nt":
        return os.fsdecode(unquote_to_bytes(parts.path))
    from urllib.request import url2pathname  # slow to import, and only here does it know more

    return url2pathname(parts.path)


def file_url(path: str) -> str:
    """Returns the `file:` URL of an absolute path."""
    if os.name != "nt":
        return f"file://{quote(os.fsencode(path))}"
    from urllib.request import pathname2url

    location = pathname2url(path)
    # Python 3.14 gives the empty authority itself.
    return f"file:{location}" if location.startswith("//") else f"file://{location}"


async def copy_local(
    url: str,
    path: str,
    *,
    expected_bytes: int | None,
    on_disk: Callable[[int], Awaitable[None]],
    received: Callable[[int], None],
) -> int:
    """Copies the file that `url` names to `path`, as a download would.

    Args:
        url: a `file:` URL.
        path: where to; created or truncated.
        expected_bytes: the length that somebody promised, if so.
        on_disk: awaited after each piece with how many bytes are there.
        received: told how many bytes each piece brought.

    Returns:
        The length in bytes.

    Raises:
        IndexUnavailable: when the file cannot be read.
        SizeMismatch: when it is longer or shorter than `expected_bytes`.
        InstallFailed: when the copy cannot be written.
    """
    import anyio  # the names of files are needed earlier than it

    source_path = local_path(url)
    try:
        source = open(source_path, "rb", buffering=0)  # noqa: SIM115
    except OSError as exc:
        raise IndexUnavailable(f"cannot read {source_path}: {exc.strerror}") from exc
    with source, _open_private(path) as target:
        total = 0
        while piece := await anyio.to_thread.run_sync(_read_piece, source, source_path):
            total += len(piece)
            if expected_bytes is not None and total > expected_bytes:
                break
            await anyio.to_thread.run_sync(_write_piece, target, piece, path)
            received(len(piece))
            await on_disk(total)
    if expected_bytes is not None and total != expected_bytes:
        found = os.path.getsize(source_path)
        raise SizeMismatch(f"{source_path} has {found} bytes, {expected_bytes} were promised")
    return total


def _open_private(path: str) -> FileIO:
    try:
        return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _BINARY, 0o600), "wb", buffering=0)
    except OSError as exc:
        raise cannot_write(path, exc) from exc


def _read_piece(source: FileIO, path: str) -> bytes:
    try:
        return source.read(PIECE_BYTES) or b""
    except OSError as exc:
        raise IndexUnavailable(f"cannot read {path}: {exc.strerror}") from exc


def _write_piece(target: FileIO, piece: bytes, path: str) -> None:
    try:
        write_all(target.fileno(), piece)
    except OSError as exc:
        raise cannot_write(path, exc) from exc
