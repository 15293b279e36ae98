"""Inflating members, with the fastest library that is there.

Pure.  Small members are inflated in one go by libdeflate, large ones as streams by
ISA-L; zlib does both where those are missing.  Rule: never more output than was
declared, however much there would be.

Source: RFC 1951.
"""

import zlib
from collections.abc import Callable, Iterator
from typing import Protocol, cast

Data = bytes | bytearray | memoryview

# Output per step: as fast as any larger size, and what was written is hashed while the processor still has it.
PIECE_BYTES = 256 * 1024
# How nearly every writer deflates an empty file, and how a few do.
_EMPTY = (b"\x03\x00", b"")


class Decompressor(Protocol):
    """A stream, in the shape that the standard library gives its newer ones."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    def decompress(self, data: Data, max_length: int = -1, /) -> bytes: ...


class ZlibDecompressor:
    """zlib's stream in the shape of `Decompressor`."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(-zlib.MAX_WBITS)
        self._has_output = False

    @property
    def eof(self) -> bool:
        """Whether the end of the stream was seen."""
        return self._stream.eof

    @property
    def needs_input(self) -> bool:
        """Whether everything that could be made of the input so far was returned."""
        return not self._has_output

    def decompress(self, data: Data, max_length: int = -1, /) -> bytes:
        """Returns at most `max_length` bytes; what is left of them is had by giving b""."""
        tail = self._stream.unconsumed_tail
        output = self._stream.decompress(tail + data if tail else data, max(max_length, 0))
        self._has_output = len(output) == max_length and not self._stream.eof
        return output


def inflate_with_zlib(data: Data, size_bytes: int) -> bytes:
    """Inflates with zlib; like libdeflate, it fails where there is more than `size_bytes`.

    Raises:
        zlib.error: when the data are damaged, end early or give more.
    """
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    content = stream.decompress(data, size_bytes + 1)
    if len(content) > size_bytes or not stream.eof:
        raise zlib.error("incomplete or too long")
    return content


_errors: tuple[type[Exception], ...] = (zlib.error,)
_inflate_once: Callable[[Data, int], bytes | bytearray] = inflate_with_zlib
_open_stream: Callable[[], Decompressor] = ZlibDecompressor

try:
    from deflate import DeflateError, deflate_decompress
except ImportError:
    pass
else:
    _errors += (DeflateError,)
    _inflate_once = deflate_decompress

try:
    from isal.igzip_lib import DECOMP_DEFLATE, IgzipDecompressor, error
except ImportError:
    pass
else:
    _errors += (cast("type[Exception]", error),)

    def _open_stream() -> Decompressor:
        return IgzipDecompressor(flag=DECOMP_DEFLATE)


def inflate(data: Data, size_bytes: int) -> bytes | bytearray:
    """Inflates a whole member.

    Args:
        data: a raw deflate stream.
        size_bytes: how long the result must be; so much memory is taken.

    Raises:
        ValueError: when the data are damaged, or the result has another length.
    """
    if not size_bytes and data in _EMPTY:
        return b""
    try:
        # libdeflate takes any data for a size of 0.
        content = _inflate_once(data, size_bytes) if size_bytes else inflate_with_zlib(data, 0)
    except _errors as exc:
        raise ValueError("its data are damaged or longer than declared") from exc
    if len(content) != size_bytes:
        raise ValueError(f"its data are {len(content)} bytes long, {size_bytes} were declared")
    return content


class Inflater:
    """Inflates a member that arrives in pieces.

    Args:
        size_bytes: how long all output together must be.
        stream: what inflates; by default the fastest there is.
    """

    __slots__ = ("_left_bytes", "_stream")

    def __init__(self, size_bytes: int, stream: Decompressor | None = None) -> None:
        self._left_bytes = size_bytes
        self._stream = _open_stream() if stream is None else stream

    def feed(self, data: Data) -> Iterator[bytes]:
        """Yields the output of the next piece of input, at most `PIECE_BYTES` at a time.

        Raises:
            ValueError: when the data are damaged, or as soon as there is more output than declared.
        """
        stream = self._stream
        while not stream.eof:
            try:
                output = stream.decompress(data, PIECE_BYTES)
            except _errors as exc:
                raise ValueError("its data are damaged") from exc
            self._left_bytes -= len(output)
            if self._left_bytes < 0:
                raise ValueError("its data are longer than declared")
            if output:
                yield output
            if stream.needs_input:
                return
            data = b""

    def check_finished(self) -> None:
        """Checks that the stream has ended and gave what was declared.

        Raises:
            ValueError: when it did not.
        """
        if self._left_bytes or not self._stream.eof:
            raise ValueError("its data end early or are shorter than declared")
