"""Downloads one file to disk while a worker unpacks it.

Small bodies are written at once when they are there;
large ones in pieces of two megabytes, and the worker is told after each, so that
hashing and unpacking keep up with the network and memory stays bounded.
"""

import io
import os
import time
from collections.abc import Awaitable, Callable, Iterable

from engine.credentials import without_credentials
from engine.errors import IndexUnavailable, SizeMismatch
from engine.index.client import Network
from engine.limits import TINY_BYTES
from engine.linking import write_all
from engine.network.interrupted import DRIPS, Interrupted
from engine.network.pace import Pace
from engine.partial import Changed, Partial
from engine.space import cannot_write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from engine.index.session import CarefulFile
    from engine.network.plain_files import PlainFile

#: A piece of a large download: what one write, and one message to the worker, is about.
PIECE_BYTES = 1 << 21

#: What comes slowly is written every second, so that little is lost when the run is killed.
PIECE_SECONDS = 1.0
SLOW_PIECE_BYTES = 1 << 16

#: Said after every piece on disk: how many bytes are there.  What it raises ends the download.
OnDisk = Callable[[int], Awaitable[None]]


class Restart(Exception):
    """A download broke off; what is on disk stays there.

    Attributes:
        retry_after_seconds: how long the server asks to be left alone, or None.
        changed: the server does not offer the rest of what is there.
    """

    def __init__(self, reason: str, retry_after_seconds: float | None = None, *, changed: bool = False) -> None:
        super().__init__(reason)
        self.retry_after_seconds = retry_after_seconds
        self.changed = changed


async def download(
    network: Network,
    url: str,
    partial: Partial,
    *,
    expected_bytes: int | None,
    promiser: str,
    on_disk: OnDisk,
    received: Callable[[int], None],
    together: bool = False,
) -> int:
    """Downloads what is missing of a file once; the caller repeats it on `Restart`.

    Args:
        network: asks.
        url: absolute URL of the file.
        partial: what is there of it; learns what comes.
        expected_bytes: the length that somebody promised, if so.
        promiser: who: `index` or `lock`.
        on_disk: awaited when the server goes on with what is there, and after each piece of a large body.
        received: told how many bytes each read brought.
        together: a tiny file may be asked for together with others, over connections that are open.

    Returns:
        The length of the whole in bytes.

    Raises:
        Restart: for a failure that may pass, or when the server offers something else than the rest.
        SizeMismatch: when the file is longer or shorter than `expected_bytes`.
        IndexUnavailable: when the server refuses.
        InstallFailed: when the file cannot be written.
    """
    start = partial.written
    try:
        if together and not start and expected_bytes is not None and expected_bytes <= TINY_BYTES:
            body = await network.small_body(url)
            # What is wrong with another one is told by those who ask for it alone.
            if body is not None and len(body) == expected_bytes:
                _write_whole(partial, body)
                received(len(body))
                return partial.written
        async with network.file(url, partial.request_headers()) as response:
            if start and response.status in (200, 206, 416):
                partial.check(response.status, response.headers)
            elif response.status != 200:
                raise IndexUnavailable(
                    f"cannot download {without_credentials(url)}: HTTP {response.status} {response.reason}"
                )
            else:
                partial.begin(response.headers, response.content_length)
            if expected_bytes is not None and partial.total is not None and partial.total != expected_bytes:
                raise _wrong_size(url, partial.total, expected_bytes, promiser)
            if start:
                await on_disk(start)
            promise = (expected_bytes, promiser) if expected_bytes else (partial.total, "server")
            await _write_body(response, partial, network.pace(), promise, on_disk, received)
    except Changed as exc:
        raise Restart(str(exc), changed=True) from exc
    except Interrupted as exc:
        raise Restart(str(exc), exc.retry_after_seconds) from exc
    except OSError as exc:
        raise cannot_write(partial.path, exc, expected_bytes) from exc
    if expected_bytes is not None and partial.written != expected_bytes:
        raise _wrong_size(url, partial.written, expected_bytes, promiser)
    return partial.written


def _write_whole(partial: Partial, body: bytes) -> None:
    with _PartialFile(partial.path, "wb", opener=_open_private) as raw:
        raw.writelines([body])
    partial.total = partial.written = len(body)


def _wrong_size(url: str, found: int, expected: int, promiser: str) -> SizeMismatch:
    return SizeMismatch(f"{without_credentials(url)} has {found} bytes, the {promiser} promised {expected}")


async def _write_body(
    response: "PlainFile | CarefulFile",
    partial: Partial,
    pace: Pace,
    promise: tuple[int | None, str],
    on_disk: OnDisk,
    received: Callable[[int], None],
) -> None:
    from aiofiles.threadpool import wrap

    most_bytes, promiser = promise

    # Closed without awaiting: a cancelled task would wait for nothing and leave it open.
    with _PartialFile(partial.path, "r+b" if partial.written else "wb", opener=_open_private) as raw:
        raw.seek(partial.written)
        file = wrap(raw)
        pieces: list[bytes] = []
        waiting, written_at = 0, time.monotonic()
        try:
            while came := await response.read():
                count = sum(map(len, came))
                received(count)
                if pace.is_too_slow(count):
                    raise Interrupted(DRIPS)
                for piece in came:
                    pieces.append(piece)
                    waiting += len(piece)
                    if most_bytes is not None and partial.written + waiting > most_bytes:
                        raise _wrong_size(response.url, partial.written + waiting, most_bytes, promiser)
                    if waiting >= PIECE_BYTES or (
                        waiting >= SLOW_PIECE_BYTES and time.monotonic() - written_at > PIECE_SECONDS
                    ):
                        writing, pieces, count, waiting = pieces, [], waiting, 0
                        await file.writelines(writing)
                        partial.written += count
                        await on_disk(partial.written)
                        written_at = time.monotonic()
                        pace.restart()
        finally:
            # The last piece is small: a direct write costs less than another thread's turn.
            if pieces:
                raw.writelines(pieces)
                partial.written += waiting


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o600)


class _PartialFile(io.FileIO):
    """A file whose `writelines` writes all of it; that of `FileIO` forgets what one call could not."""

    def writelines(self, pieces: Iterable[bytes]) -> None:  # type: ignore[override]
        for piece in pieces:
            write_all(self.fileno(), piece)
