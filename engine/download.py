"""Downloads one file to disk while a worker unpacks it.

The other home of aiohttp.  Small bodies are written at once when they are there;
large ones in pieces of two megabytes, and the worker is told after each, so that
hashing and unpacking keep up with the network and memory stays bounded.
"""

import io
import os
from collections.abc import Awaitable, Callable, Iterable

from engine.credentials import without_credentials
from engine.errors import IndexUnavailable, InstallFailed, SizeMismatch
from engine.index.client import Interrupted, Network

TYPE_CHECKING = False
if TYPE_CHECKING:
    import aiohttp

#: A piece of a large download: what one write, and one message to the worker, is about.
PIECE_BYTES = 1 << 21

#: Said after every piece on disk: how many bytes are there.  What it raises ends the download.
OnDisk = Callable[[int], Awaitable[None]]


class Restart(Exception):
    """A connection broke in the middle; what was unpacked so far is to be dropped.

    Attributes:
        retry_after_seconds: how long the server asks to be left alone, or None.
    """

    def __init__(self, reason: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after_seconds = retry_after_seconds


async def download(
    network: Network,
    url: str,
    path: str,
    *,
    expected_bytes: int | None,
    on_disk: OnDisk,
    received: Callable[[int], None],
) -> int:
    """Downloads `url` to `path` once; the caller repeats it on `Restart`.

    Args:
        network: asks.
        url: absolute URL of the file.
        path: where to; created or truncated.
        expected_bytes: the length that the index promised, if it did.
        on_disk: awaited after each piece of a large body.
        received: told how many bytes each read brought.

    Returns:
        The length in bytes.

    Raises:
        Restart: for a failure that may pass.
        SizeMismatch: when the body is longer or shorter than `expected_bytes`.
        IndexUnavailable: when the server refuses.
        InstallFailed: when the file cannot be written.
    """
    try:
        async with network.request(url, headers={"Accept-Encoding": "identity"}, purpose="file") as response:
            if response.status != 200:
                raise IndexUnavailable(
                    f"cannot download {without_credentials(url)}: HTTP {response.status} {response.reason}"
                )
            length = response.content_length
            if expected_bytes is not None and length is not None and length != expected_bytes:
                raise _wrong_size(url, length, expected_bytes)
            total = await _write_body(response, path, expected_bytes, on_disk, received)
    except Interrupted as exc:
        raise Restart(str(exc), exc.retry_after_seconds) from exc
    except OSError as exc:
        raise InstallFailed(f"cannot write {path}: {exc.strerror}", hint="--cache-dir names another cache") from exc
    if expected_bytes is not None and total != expected_bytes:
        raise _wrong_size(url, total, expected_bytes)
    return total


def _wrong_size(url: str, found: int, expected: int) -> SizeMismatch:
    return SizeMismatch(f"{without_credentials(url)} has {found} bytes, the index promised {expected}")


async def _write_body(
    response: "aiohttp.ClientResponse",
    path: str,
    expected_bytes: int | None,
    on_disk: OnDisk,
    received: Callable[[int], None],
) -> int:
    from aiofiles.threadpool import wrap

    # Closed without awaiting: a cancelled task would wait for nothing and leave it open.
    with _PartialFile(path, "wb", opener=_open_private) as raw:
        file = wrap(raw)
        pieces: list[bytes] = []
        waiting = written = 0
        # Not `iter_any`, which joins what has come: that costs as much as the TLS.
        async for chunk, _ in response.content.iter_chunks():
            received(len(chunk))
            pieces.append(chunk)
            waiting += len(chunk)
            if expected_bytes is not None and written + waiting > expected_bytes:
                raise _wrong_size(str(response.url), written + waiting, expected_bytes)
            if waiting >= PIECE_BYTES:
                await file.writelines(pieces)
                written += waiting
                pieces, waiting = [], 0
                await on_disk(written)
        # The last piece is small: a direct write costs less than another thread's turn.
        raw.writelines(pieces)
        return written + waiting


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


class _PartialFile(io.FileIO):
    """A file whose `writelines` writes all of it; that of `FileIO` forgets what one call could not."""

    def writelines(self, pieces: Iterable[bytes]) -> None:  # type: ignore[override]
        for piece in pieces:
            view = memoryview(piece)
            while view:
                view = view[self.write(view) :]
