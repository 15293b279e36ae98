"""The relay's arithmetic, and that both of its forms pass everything on."""

import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks import link
from benchmarks.link import Link, Speed

SECONDS = 20


def test_bytes_wait_half_the_round_trip_in_either_direction() -> None:
    relay = Link(Speed(rtt_ms=20, mbit=0))
    assert relay.arrival(1.0, 10**6, downwards=True) == pytest.approx(1.01)
    assert relay.arrival(1.0, 10**6, downwards=False) == pytest.approx(1.01)


def test_bytes_towards_the_client_queue_for_the_bandwidth() -> None:
    relay = Link(Speed(rtt_ms=20, mbit=8))  # a megabyte per second
    assert relay.arrival(0.0, 10**6, downwards=True) == pytest.approx(1.01)
    assert relay.arrival(0.5, 10**6, downwards=True) == pytest.approx(2.01)
    assert relay.arrival(0.5, 10**6, downwards=False) == pytest.approx(0.51)


def test_a_link_that_was_idle_owes_nothing() -> None:
    relay = Link(Speed(rtt_ms=0, mbit=8))
    relay.arrival(0.0, 10**6, downwards=True)
    assert relay.arrival(9.0, 10**6, downwards=True) == pytest.approx(10.0)


def test_a_speed_tells_what_it_is() -> None:
    assert str(Speed(rtt_ms=20, mbit=200)) == "20 ms and 200 Mbit/s"
    assert str(Speed(rtt_ms=1, mbit=0)) == "1 ms"


@pytest.fixture(params=["compiled", "interpreted"])
def command(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    own = [sys.executable, "-I", link.__file__]
    found = link.relay_command(tmp_path) if request.param == "compiled" else own
    if request.param == "compiled" and found == own:
        pytest.skip("no compiler")
    return found


def test_both_forms_pass_everything_on_and_end_connections(command: list[str]) -> None:
    sent = bytes(range(256)) * 4096
    with socket.create_server(("127.0.0.1", 0)) as server:
        answering = threading.Thread(target=_echo_in_reverse, args=(server,))
        answering.start()
        with (
            link.relay(command, server.getsockname()[1], Speed(rtt_ms=2, mbit=1000)) as port,
            socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as client,
        ):
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)
            received = b"".join(iter(lambda: client.recv(65536), b""))
        answering.join()
    assert received == sent[::-1]


def _echo_in_reverse(server: socket.socket) -> None:
    server.settimeout(SECONDS)
    connection, _ = server.accept()
    with connection:
        connection.settimeout(SECONDS)
        received = b"".join(iter(lambda: connection.recv(65536), b""))
        connection.sendall(received[::-1])


# A lower bound holds however busy the machine is: what is measured can only be longer.


def test_an_exchange_takes_the_round_trip_and_the_first_one_a_handshake_more(command: list[str]) -> None:
    with _server(1) as port, link.relay(command, port, Speed(rtt_ms=80, mbit=0)) as relay:
        started = time.monotonic()
        with socket.create_connection(("127.0.0.1", relay), timeout=SECONDS) as client:
            client.sendall(b"1")
            assert client.recv(1) == b"1"
            first = time.monotonic()
            client.sendall(b"2")
            assert client.recv(1) == b"2"
            second = time.monotonic()
    assert first - started >= 0.160 - TICK
    assert second - first >= 0.080 - TICK


def test_a_transfer_takes_the_time_that_its_bytes_take(command: list[str]) -> None:
    with _server(1) as port, link.relay(command, port, Speed(rtt_ms=20, mbit=20)) as relay:
        started = time.monotonic()
        with socket.create_connection(("127.0.0.1", relay), timeout=SECONDS) as client:
            _exchange(client, 500_000)
        took = time.monotonic() - started
    assert took >= 0.040 + 0.200 - TICK  # the handshake and one round trip; 500,000 bytes at 2.5 MB/s


def test_connections_share_the_bandwidth(command: list[str]) -> None:
    with _server(2) as port, link.relay(command, port, Speed(rtt_ms=20, mbit=20)) as relay:
        started = time.monotonic()
        clients = [socket.create_connection(("127.0.0.1", relay), timeout=SECONDS) for _ in range(2)]
        threads = [threading.Thread(target=_exchange, args=(client, 250_000)) for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = time.monotonic() - started
        for client in clients:
            client.close()
    assert took >= 0.040 + 0.200 - TICK  # together as long as one that has all of it


TICK = 0.002
"""In seconds: how much sooner than asked a clock of milliseconds may wake somebody."""


def _exchange(client: socket.socket, count: int) -> None:
    sender = threading.Thread(target=client.sendall, args=(bytes(count),))
    sender.start()
    received = 0
    while received < count:
        piece = client.recv(65536)
        assert piece
        received += len(piece)
    sender.join()


@contextmanager
def _server(connections: int) -> Iterator[int]:
    """Answers what it is sent, piece by piece, on so many connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(SECONDS)
        threads = [threading.Thread(target=_echo, args=(server,)) for _ in range(connections)]
        for thread in threads:
            thread.start()
        yield server.getsockname()[1]
        for thread in threads:
            thread.join()


def _echo(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        connection.settimeout(SECONDS)
        while piece := connection.recv(65536):
            connection.sendall(piece)
