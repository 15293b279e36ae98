import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.errors import InvalidWheel
from engine.wheel.window import WINDOW_BYTES, Window, read_at
from tests.support.building import Entry, local_part

CONTENT = os.urandom(WINDOW_BYTES * 2 + 77)


@pytest.fixture
def descriptor(tmp_path: Path) -> Iterator[int]:
    path = tmp_path / "archive"
    path.write_bytes(CONTENT)
    opened = os.open(path, os.O_RDWR)
    yield opened
    os.close(opened)


def test_any_part_is_had_in_any_order(descriptor: int) -> None:
    window = Window(descriptor)
    window.limit = len(CONTENT)
    for offset, length in [(0, 10), (5, WINDOW_BYTES), (0, len(CONTENT)), (WINDOW_BYTES - 1, 2), (3, 0), (7, 1)]:
        assert window.view(offset, length) == CONTENT[offset : offset + length]


def test_nothing_behind_the_limit_is_read(descriptor: int) -> None:
    window = Window(descriptor)
    window.limit = 100
    assert window.view(90, 10) == CONTENT[90:100]
    with pytest.raises(InvalidWheel, match="ends early"):
        window.view(90, 11)


def test_file_that_is_shorter_than_promised_is_noticed(descriptor: int) -> None:
    window = Window(descriptor)
    window.limit = len(CONTENT) + 10
    with pytest.raises(InvalidWheel, match="ends early"):
        window.view(len(CONTENT) - 5, 10)
    assert read_at(descriptor, len(CONTENT) - 5, 10) == CONTENT[-5:]


def test_header_is_found_once_all_of_it_is_there(descriptor: int) -> None:
    part = local_part(Entry(name="demo/a.py", content=b"x" * 100))
    os.pwrite(descriptor, part, 50)
    window = Window(descriptor)
    header_bytes = 30 + len("demo/a.py")
    for limit in range(50, 50 + header_bytes):
        window.limit = limit
        assert window.local_header(50) is None
    window.limit = 50 + header_bytes
    header = window.local_header(50)
    assert header is not None
    assert (header.name, header.size_bytes) == ("demo/a.py", 100)
