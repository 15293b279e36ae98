import os

import pytest

from engine.wheel.inflate import PIECE_BYTES, Inflater, ZlibDecompressor, inflate, inflate_with_zlib
from tests.support.building import deflate

CONTENT = os.urandom(300_000) + bytes(3_000_000) + b"end"


def stream(content: bytes, size_bytes: int, pieces: int, *, plain: bool) -> bytes:
    inflater = Inflater(size_bytes, ZlibDecompressor()) if plain else Inflater(size_bytes)
    data = deflate(content)
    step = len(data) // pieces + 1
    output = b"".join(
        piece for start in range(0, len(data), step) for piece in inflater.feed(data[start : start + step])
    )
    inflater.check_finished()
    return output


@pytest.mark.parametrize("content", [b"", b"x", CONTENT], ids=["empty", "one byte", "large"])
def test_member_is_inflated_in_one_go(content: bytes) -> None:
    assert inflate(memoryview(deflate(content)), len(content)) == content


def test_empty_member_may_have_no_data_at_all() -> None:
    assert inflate(b"", 0) == b""


@pytest.mark.parametrize("size_bytes", [0, 1, len(CONTENT) - 1, len(CONTENT) + 1])
def test_member_of_another_length_than_declared_is_refused(size_bytes: int) -> None:
    with pytest.raises(ValueError, match="declared"):
        inflate(deflate(CONTENT), size_bytes)


@pytest.mark.parametrize("data", [b"\xff\xff", b"", deflate(b"x" * 9)[:-2]])
def test_damaged_member_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="damaged"):
        inflate(data, 9)


def test_without_other_libraries_zlib_gives_the_same() -> None:
    assert inflate_with_zlib(deflate(CONTENT), len(CONTENT)) == CONTENT
    for size_bytes in (0, len(CONTENT) - 1):
        with pytest.raises(Exception, match="too long"):
            inflate_with_zlib(deflate(CONTENT), size_bytes)


@pytest.mark.parametrize("plain", [False, True], ids=["fastest", "zlib"])
@pytest.mark.parametrize("pieces", [1, 7, 1000])
def test_stream_gives_the_content_however_it_arrives(pieces: int, plain: bool) -> None:
    assert stream(CONTENT, len(CONTENT), pieces, plain=plain) == CONTENT


@pytest.mark.parametrize("plain", [False, True], ids=["fastest", "zlib"])
def test_stream_stops_at_the_declared_size(plain: bool) -> None:
    inflater = Inflater(PIECE_BYTES + 10, ZlibDecompressor()) if plain else Inflater(PIECE_BYTES + 10)
    produced: list[bytes] = []
    with pytest.raises(ValueError, match="longer than declared"):
        produced.extend(inflater.feed(deflate(bytes(50_000_000))))
    assert sum(len(piece) for piece in produced) <= PIECE_BYTES + 10


@pytest.mark.parametrize("plain", [False, True], ids=["fastest", "zlib"])
def test_output_comes_in_bounded_pieces(plain: bool) -> None:
    size = 5_000_000
    inflater = Inflater(size, ZlibDecompressor()) if plain else Inflater(size)
    lengths = [len(piece) for piece in inflater.feed(deflate(bytes(size)))]
    assert max(lengths) <= PIECE_BYTES
    assert sum(lengths) == size


@pytest.mark.parametrize("plain", [False, True], ids=["fastest", "zlib"])
def test_stream_that_is_too_short_or_damaged_is_refused(plain: bool) -> None:
    with pytest.raises(ValueError, match="shorter"):
        stream(CONTENT, len(CONTENT) + 1, 3, plain=plain)
    inflater = Inflater(9, ZlibDecompressor()) if plain else Inflater(9)
    with pytest.raises(ValueError, match="damaged"):
        list(inflater.feed(b"\xff\xff\xff\xff"))
    cut = Inflater(9, ZlibDecompressor()) if plain else Inflater(9)
    list(cut.feed(deflate(b"x" * 9)[:-1]))
    with pytest.raises(ValueError, match="end early"):
        cut.check_finished()
