"""Parts of a wheel count if they are exactly what was asked for, of one and the same file."""

import io
import random
import struct
import zipfile
from collections.abc import Callable, Mapping

import pytest

from engine.errors import InvalidWheel
from engine.network.fetching import Reply
from engine.solving.ranges import TAIL_BYTES, NoRanges, Parts, Unchanged

pytestmark = pytest.mark.anyio

NAME = "demo-1.0-py3-none-any.whl"
METADATA = b"Name: demo\nVersion: 1.0\n"

#: Changes an answer: number of the question, status, headers, body.
Change = Callable[[int, int, dict[str, str], bytes], tuple[int, dict[str, str], bytes]]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def archive(filler: int = 200_000) -> bytes:
    """A wheel with its metadata in front, so that one question is not enough."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as wheel:
        wheel.writestr("demo-1.0.dist-info/METADATA", METADATA)
        wheel.writestr("demo/data", random.Random(1).randbytes(filler))
    return packed.getvalue()


WHEEL = archive()


class Server:
    """Answers ranges of a file, until `change` makes something else of an answer."""

    def __init__(self, content: bytes = WHEEL, change: Change | None = None) -> None:
        self.content = content
        self.change = change
        self.asked: list[dict[str, str]] = []

    async def ask(self, headers: Mapping[str, str], most_bytes: int) -> Reply:
        self.asked.append(dict(headers))
        first, _, last = headers["Range"].removeprefix("bytes=").partition("-")
        start = int(first) if first else max(0, len(self.content) - int(last))
        end = int(last) + 1 if first and last else len(self.content)
        body = self.content[start:end]
        status, answer = 206, {"Content-Range": f"bytes {start}-{end - 1}/{len(self.content)}", "ETag": '"1"'}
        if self.change is not None:
            status, answer, body = self.change(len(self.asked), status, answer, body)
        assert len(body) <= most_bytes
        return Reply(status, "", "", answer, body)


async def read(server: Server, size: int | None = None, conditions: Mapping[str, str] | None = None) -> bytes:
    return bytes(await Parts(server.ask, NAME, size, conditions).metadata())


@pytest.mark.parametrize("size", [None, len(WHEEL)])
async def test_the_end_and_what_is_missing_are_asked_for(size: int | None) -> None:
    server = Server()
    assert await read(server, size) == METADATA
    assert len(server.asked) == 2
    assert server.asked[1]["If-Range"] == '"1"'


async def test_a_small_wheel_comes_whole() -> None:
    server = Server(archive(10))
    assert await read(server) == METADATA
    assert server.asked == [{"Range": f"bytes=-{TAIL_BYTES}"}]


async def test_answers_about_two_files_are_not_joined() -> None:
    server = Server(change=lambda number, *rest: (rest[0], rest[1] | {"ETag": f'"{number}"'}, rest[2]))
    once = Server(change=lambda number, *rest: (rest[0], rest[1] | {"ETag": f'"{number > 1}"'}, rest[2]))
    assert await read(once) == METADATA and len(once.asked) == 4
    with pytest.raises(NoRanges, match="changes"):
        await read(server)
    assert len(server.asked) == 4


async def test_a_stored_answer_that_holds_is_told() -> None:
    def unchanged(number: int, status: int, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        return 304, headers, b""

    with pytest.raises(Unchanged):
        await read(Server(change=unchanged), conditions={"If-None-Match": '"1"'})
    with pytest.raises(NoRanges):
        await read(Server(change=unchanged))


@pytest.mark.parametrize(
    ("status", "whole_server"), [(200, True), (416, True), (501, True), (404, False), (410, False)]
)
async def test_a_status_tells_whether_the_server_is_asked_again(status: int, whole_server: bool) -> None:
    with pytest.raises(NoRanges) as caught:
        await read(Server(change=lambda number, _, headers, body: (status, headers, b"")))
    assert caught.value.whole_server is whole_server


async def test_a_size_that_is_wrong_says_nothing_about_the_server() -> None:
    with pytest.raises(NoRanges) as caught:
        await read(Server(change=lambda number, _, headers, body: (416, headers, b"")), len(WHEEL) + 9)
    assert not caught.value.whole_server


TOTAL = len(WHEEL)


@pytest.mark.parametrize(
    ("number", "said", "body"),
    [
        (1, f"bytes {TOTAL - TAIL_BYTES}-{TOTAL - 1}/{TOTAL}", WHEEL[-TAIL_BYTES:-1]),
        (1, f"bytes 0-{TAIL_BYTES - 1}/{TOTAL}", WHEEL[:TAIL_BYTES]),
        (1, f"bytes {TOTAL - TAIL_BYTES}-{TOTAL - 2}/{TOTAL}", WHEEL[-TAIL_BYTES:-1]),
        (1, f"bytes 9-8/{TOTAL}", b""),
        (1, f"bytes {TOTAL - 1}-{TOTAL}/{TOTAL}", b"ab"),
        (1, f"bytes 5-/{TOTAL}", WHEEL[-5:]),
        (1, "bytes 0-9/*", WHEEL[:10]),
        (1, "", WHEEL[-TAIL_BYTES:]),
        (2, f"bytes 1-10/{TOTAL}", WHEEL[1:11]),
    ],
)
async def test_another_part_than_was_asked_for_is_not_believed(number: int, said: str, body: bytes) -> None:
    def change(at: int, status: int, headers: dict[str, str], right: bytes) -> tuple[int, dict[str, str], bytes]:
        return (status, headers | {"Content-Range": said}, body) if at == number else (status, headers, right)

    server = Server(change=change)
    with pytest.raises(NoRanges):
        await read(server)
    assert len(server.asked) == number


async def test_a_file_of_another_length_than_the_index_says_is_not_read() -> None:
    server = Server(WHEEL[:-1])
    with pytest.raises(NoRanges):
        await read(server, TOTAL)
    assert len(server.asked) == 1


async def test_a_directory_without_end_is_not_fetched() -> None:
    huge = 1 << 27
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 9, 9, huge - 22, 0, 0)

    class Endless(Server):
        async def ask(self, headers: Mapping[str, str], most_bytes: int) -> Reply:
            self.asked.append(dict(headers))
            body = bytes(TAIL_BYTES - 22) + end
            return Reply(206, "", "", {"Content-Range": f"bytes {huge - TAIL_BYTES}-{huge - 1}/{huge}"}, body)

    server = Endless()
    with pytest.raises(NoRanges, match="very large"):
        await read(server)
    assert len(server.asked) == 1


async def test_what_is_no_archive_is_told_as_that() -> None:
    with pytest.raises(InvalidWheel, match="end record"):
        await read(Server(b"no archive" * 50_000))
