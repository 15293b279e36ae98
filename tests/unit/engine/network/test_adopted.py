"""A connection that was made elsewhere is read and written like any other."""

import asyncio
import socket
from collections.abc import Iterator

import pytest

from engine.network.adopted import AdoptedTransport

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Listening(asyncio.Protocol):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.error: Exception | None = None
        self.ended = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.received += data

    def connection_lost(self, error: Exception | None) -> None:
        self.error = error
        self.ended.set()


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.settimeout(10)
        yield ours, theirs


async def test_bytes_go_both_ways(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    protocol = Listening()
    transport = AdoptedTransport(ours, protocol)
    transport.write(b"question")
    assert theirs.recv(100) == b"question"
    theirs.sendall(b"answer")
    theirs.close()
    async with asyncio.timeout(10):
        await protocol.ended.wait()
    assert protocol.received == b"answer" and protocol.error is None and transport.is_closing()


async def test_more_than_fits_is_sent_when_there_is_room(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    transport = AdoptedTransport(ours, Listening())
    sent = bytes(range(256)) * (1 << 14)
    transport.write(sent)
    transport.write(b"end")
    expected = sent + b"end"

    def receive() -> bytes:
        received = bytearray()
        while len(received) < len(expected):
            received += theirs.recv(1 << 20)
        return bytes(received)

    async with asyncio.timeout(10):
        assert await asyncio.to_thread(receive) == expected
    transport.close()


async def test_a_connection_that_is_ended_tells_so_once_and_takes_nothing(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = ends
    protocol = Listening()
    transport = AdoptedTransport(ours, protocol)
    transport.abort()
    transport.abort()
    transport.write(b"late")
    await protocol.ended.wait()
    assert theirs.recv(100) == b"" and ours.fileno() == -1


async def test_a_connection_that_breaks_tells_why(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    protocol = Listening()
    theirs.close()
    AdoptedTransport(ours, protocol).write(b"into the void")
    async with asyncio.timeout(10):
        await protocol.ended.wait()
    assert protocol.error is None or isinstance(protocol.error, OSError)


async def test_nothing_is_read_while_paused_and_nothing_is_lost(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    first, second = Listening(), Listening()
    transport = AdoptedTransport(ours, first)
    transport.pause_reading()
    transport.pause_reading()
    theirs.sendall(b"answer")
    theirs.close()
    for _ in range(10):
        await asyncio.sleep(0)
    assert not first.received
    transport.set_protocol(second)
    transport.resume_reading()
    transport.resume_reading()
    async with asyncio.timeout(10):
        await second.ended.wait()
    assert second.received == b"answer" and not first.received


async def test_a_connection_that_brings_much_lets_others_have_their_turn(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = ends
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
    sent = await asyncio.to_thread(theirs.send, bytes(4 << 20))
    protocol = Listening()
    transport = AdoptedTransport(ours, protocol)
    transport._read()
    assert 0 < len(protocol.received) <= max(sent // 2, 1 << 18) + (1 << 16)
    transport.abort()
    await protocol.ended.wait()
