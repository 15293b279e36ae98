"""Files come over connections that are there, as they are, or have to be asked for in another way."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress

import pytest

from engine.network.interrupted import Interrupted
from engine.network.origin import Origin
from engine.network.plain_client import PlainClient
from engine.network.plain_files import PlainFile, PlainFiles
from engine.network.trust import Trust
from engine.network.unanswered import Unanswered
from engine.options import NetworkOptions

pytestmark = pytest.mark.anyio

WHOLE = b'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: "x"\r\n\r\nhello'

#: What a server does on a connection after each request; None closes it.
Script = list[bytes | None]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Server:
    """Answers what it is told to, one script for each connection, and counts."""

    def __init__(self, *scripts: Script) -> None:
        self.scripts = list(scripts)
        self.connections = 0
        self.requests: list[bytes] = []
        self.closed = asyncio.Event()
        self.running: list[asyncio.Task[None] | None] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.running.append(asyncio.current_task())
        script = self.scripts[self.connections]
        self.connections += 1
        try:
            for said in script:
                if said is None:
                    break
                self.requests.append(await reader.readuntil(b"\r\n\r\n"))
                writer.write(said)
                await writer.drain()
            else:
                await reader.read()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        self.closed.set()


#: Makes what asks, and the address of the server.
Ask = tuple[PlainFiles, PlainClient, str]


@asynccontextmanager
async def asking(server: Server, *, patience_seconds: float = 10, anonymous: bool = True) -> AsyncIterator[Ask]:
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    trust = Trust(NetworkOptions(), {})

    def is_anonymous(url: str, origin: Origin) -> bool:
        return anonymous

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        patience = patience_seconds, patience_seconds
        plain = PlainClient(group, trust, is_anonymous=is_anonymous, user_agent="test", patience_seconds=patience)
        files = PlainFiles(plain, trust, is_anonymous=is_anonymous, user_agent="test", patience_seconds=patience)
        try:
            yield files, plain, f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        finally:
            files.end()
            plain.end()
            listening.close()
            await asyncio.gather(*(task for task in server.running if task is not None))


async def body_of(answer: PlainFile) -> bytes:
    body = b""
    while pieces := await answer.read():
        body += b"".join(pieces)
    return body


async def get(files: PlainFiles, url: str, **fields: str) -> tuple[int, bytes] | None:
    async with files.request(url, fields) as answer:
        return None if answer is None else (answer.status, await body_of(answer))


async def test_files_come_one_after_the_other_over_one_connection() -> None:
    server = Server([WHOLE, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", WHOLE])
    async with asking(server) as (files, _, address):
        assert await get(files, f"{address}/a.whl#sha256=1", Accept="*/*") == (200, b"hello")
        assert await get(files, f"{address}/empty") == (200, b"")
        assert await get(files, f"{address}/b.whl") == (200, b"hello")
    assert server.connections == 1
    assert server.requests[0].startswith(b"GET /a.whl HTTP/1.1\r\n") and b"Accept: */*\r\n" in server.requests[0]


async def test_files_side_by_side_have_a_connection_each() -> None:
    server = Server([WHOLE], [WHOLE])
    async with (
        asking(server) as (files, _, address),
        files.request(f"{address}/a", {}) as one,
        files.request(f"{address}/b", {}) as other,
    ):
        assert one is not None and other is not None
        assert (await body_of(other), await body_of(one)) == (b"hello", b"hello")
    assert server.connections == 2


async def test_a_part_comes_with_its_headers() -> None:
    said = b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 2-4/5\r\nContent-Length: 3\r\n\r\nllo"
    asked = {"Range": "bytes=2-"}
    async with asking(Server([said])) as (files, _, address), files.request(f"{address}/a", asked) as answer:
        assert answer is not None
        assert (answer.status, answer.reason, answer.content_length) == (206, "Partial Content", 3)
        assert answer.headers.get("content-range") == "bytes 2-4/5"
        assert await body_of(answer) == b"llo"


async def test_a_kept_connection_that_was_closed_meanwhile_is_replaced() -> None:
    server = Server([WHOLE, None], [WHOLE])
    async with asking(server) as (files, _, address):
        assert await get(files, f"{address}/a") == (200, b"hello")
        await server.closed.wait()
        assert await get(files, f"{address}/b") == (200, b"hello")
    assert server.connections == 2


async def test_one_that_says_close_is_not_used_again() -> None:
    closing = WHOLE.replace(b"\r\nETag", b"\r\nConnection: close\r\nETag")
    server = Server([closing, WHOLE], [WHOLE])
    async with asking(server) as (files, _, address):
        assert await get(files, f"{address}/a") == (200, b"hello") == await get(files, f"{address}/b")
    assert server.connections == 2


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Encoding: br\r\n\r\nhello",
        b"HTTP/1.1 103 Early Hints\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * (1 << 15) + b"\r\n\r\n",
        b"SSH-2.0-nothing of the kind\r\n\r\n",
    ],
)
async def test_a_server_that_is_not_plain_is_asked_in_another_way_from_then_on(said: bytes) -> None:
    server = Server([said])
    async with asking(server) as (files, _, address):
        assert await get(files, f"{address}/a") is None
        assert await get(files, f"{address}/b") is None
    assert len(server.requests) == 1


@pytest.mark.parametrize("path", ["/a/../b", "/a b", "/\u00e4"])
async def test_what_cannot_be_asked_for_as_it_stands_is_not_asked_for(path: str) -> None:
    async with asking(Server()) as (files, _, address):
        assert await get(files, f"{address}{path}") is None
        assert await get(files, f"{address}/a", **{"If-Range": "x\r\nHost: example.com"}) is None


async def test_whoever_is_somebody_asks_in_another_way() -> None:
    async with asking(Server(), anonymous=False) as (files, _, address):
        assert await get(files, f"{address}/a") is None


async def test_a_body_that_breaks_off_says_how_much_there_was() -> None:
    async with asking(Server([WHOLE[:-2], None])) as (files, _, address):
        with pytest.raises(Interrupted, match="the connection ended after 3 of 5 bytes"):
            await get(files, f"{address}/a")


@pytest.mark.parametrize("said", [b"", WHOLE[:20], WHOLE[:-2]])
async def test_a_server_that_stands_still_is_not_waited_for(said: bytes) -> None:
    async with asking(Server([said]), patience_seconds=0.1) as (files, _, address):
        with pytest.raises(Interrupted, match=r"not a byte came for 0\.1 seconds"):
            await get(files, f"{address}/a")


@pytest.mark.parametrize("said", [None, b""])
async def test_a_server_that_closes_without_an_answer_is_told(said: bytes | None) -> None:
    script: Script = [said] if said is None else [said, None]
    async with asking(Server(script)) as (files, _, address):
        with pytest.raises(Unanswered) as caught:
            await get(files, f"{address}/a")
    assert caught.value.is_connected


async def test_a_server_that_is_not_there_is_told() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        async with asking(Server()) as (files, _, _):
            with pytest.raises(Unanswered) as caught:
                await get(files, f"http://127.0.0.1:{free.getsockname()[1]}/a")
    assert not caught.value.is_connected


async def test_bytes_that_nobody_asked_for_cost_the_connection_and_not_the_answer() -> None:
    server = Server([WHOLE + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"], [WHOLE])
    async with asking(server) as (files, _, address):
        assert await get(files, f"{address}/a") == (200, b"hello") == await get(files, f"{address}/b")
    assert server.connections == 2


async def test_a_body_that_is_not_taken_costs_the_connection() -> None:
    server = Server([WHOLE[:-2]], [WHOLE])
    async with asking(server) as (files, _, address):
        async with files.request(f"{address}/a", {}) as answer:
            assert answer is not None and answer.status == 200
        assert await get(files, f"{address}/b") == (200, b"hello")
    assert server.connections == 2


async def test_connections_that_pages_need_no_more_are_taken_over_but_for_two() -> None:
    server = Server([WHOLE], [WHOLE], [WHOLE], [WHOLE])
    async with asking(server) as (files, plain, address):
        port = int(address.rpartition(":")[2])
        for _ in range(3):
            plain.adopt(address, await asyncio.to_thread(socket.create_connection, ("127.0.0.1", port)))
        async with files.request(f"{address}/a", {}) as lent, files.request(f"{address}/b", {}) as new:
            assert lent is not None and new is not None
            assert (await body_of(lent), await body_of(new)) == (b"hello", b"hello")
    assert server.connections == 4


async def test_no_more_is_read_than_somebody_takes() -> None:
    size = 64 << 20
    server = Server([b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (size, bytes(size))])
    async with asking(server) as (files, _, address), files.request(f"{address}/a", {}) as answer:
        assert answer is not None
        first = 0
        while pieces := await answer.read():
            first = max(first, sum(map(len, pieces)))
            # The server goes on meanwhile, as far as it may.
            await asyncio.to_thread(sum, range(200_000))
    assert first < size // 4


async def test_nobody_waits_for_a_connection_that_is_only_being_made_when_all_is_over() -> None:
    # It never answers the handshake.
    with socket.create_server(("127.0.0.1", 0)) as silent, ExitStack() as stack:
        async with asking(Server(), patience_seconds=60) as (_, plain, _):
            page = asyncio.create_task(plain.page(f"https://127.0.0.1:{silent.getsockname()[1]}/", {}))
            stream, _ = await asyncio.get_running_loop().run_in_executor(None, silent.accept)
            stack.callback(stream.close)
            assert not page.done()
            page.cancel()
