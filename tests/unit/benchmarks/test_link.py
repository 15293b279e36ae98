"""The relay's arithmetic, and that both of its forms pass everything on."""

import socket
import sys
import threading
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


@pytest.mark.parametrize("form", ["compiled", "interpreted"])
def test_both_forms_pass_everything_on_and_end_connections(form: str, tmp_path: Path) -> None:
    command = link.relay_command(tmp_path) if form == "compiled" else [sys.executable, "-I", link.__file__]
    if form == "compiled" and command[0] == sys.executable:
        pytest.skip("no compiler")
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
