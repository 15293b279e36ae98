"""Puts a network link with latency and bandwidth in front of a port of 127.0.0.1.

    python benchmarks/link.py TARGET_PORT RTT_MS MBIT_PER_S       (prints the port that it listens on)

Owns the relay between tools and mirror, in two forms that behave alike: `link.c`, compiled where there is a compiler,
and this file's own, which costs more of the processor and whose clock ticks in milliseconds.

Rules: each byte waits half the round trip in either direction; bytes towards the client also queue for the bandwidth,
which all connections share (0: no limit); the first bytes of a connection wait one round trip more, as a handshake
costs.  Slow start and loss are not modelled.  A relay ends with its standard input, so it outlives nobody.
"""

import asyncio
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PIECE_BYTES = 16384
WINDOW_PIECES = 256
_SOURCE = Path(__file__).with_name("link.c")


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """What a link is like: the round trip in milliseconds, and megabits per second (0: no limit)."""

    rtt_ms: float
    mbit: float

    def __str__(self) -> str:
        return f"{self.rtt_ms:g} ms" + (f" and {self.mbit:g} Mbit/s" if self.mbit else "")


def relay_command(folder: Path) -> list[str]:
    """Returns the command of the relay, which is compiled into `folder` where that is possible."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    program = folder / "link"
    if compiler is None or not sys.platform.startswith("linux"):
        return [sys.executable, "-I", __file__]
    if not program.exists() or program.stat().st_mtime < _SOURCE.stat().st_mtime:
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([compiler, "-O2", "-o", str(program), str(_SOURCE)], check=True)
    return [str(program)]


@contextmanager
def relay(command: list[str], target_port: int, speed: Speed) -> Iterator[int]:
    """Runs a relay and yields its port.

    Args:
        command: what `relay_command` returned.
        target_port: the port of 127.0.0.1 that it leads to.
        speed: what it is to be like.
    """
    arguments = [*command, str(target_port), str(speed.rtt_ms), str(speed.mbit)]
    process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None and process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


class Link:
    """When bytes arrive; one for all connections.  PURE: the time now is an argument, in seconds."""

    def __init__(self, speed: Speed) -> None:
        self.half_trip = speed.rtt_ms / 2000
        self._seconds_per_byte = 8 / (speed.mbit * 1e6) if speed.mbit else 0.0
        self._free_at = 0.0

    def arrival(self, now: float, length: int, *, downwards: bool) -> float:
        """Returns when `length` bytes that are sent now have arrived, and occupies the link until they left."""
        if not downwards:
            return now + self.half_trip
        self._free_at = max(self._free_at, now) + length * self._seconds_per_byte
        return self._free_at + self.half_trip


async def _pass_on(
    link: Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, downwards: bool, earliest: float
) -> None:
    queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(WINDOW_PIECES)

    async def read() -> None:
        piece = b"-"
        while piece:
            try:
                piece = await reader.read(PIECE_BYTES)
            except ConnectionError:
                piece = b""
            arrival = link.arrival(time.monotonic(), len(piece), downwards=downwards)
            await queue.put((max(arrival, earliest), piece))

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(read())
        open_ = True
        while True:
            arrival, piece = await queue.get()
            await asyncio.sleep(max(0.0, arrival - time.monotonic()))
            if not piece:
                break
            try:
                writer.write(piece)
                await writer.drain()
            except ConnectionError:
                open_ = False
        if open_ and writer.can_write_eof():
            try:
                writer.write_eof()
            except OSError:
                pass


async def _serve(target_port: int, speed: Speed) -> None:
    link = Link(speed)

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        earliest = time.monotonic() + 3 * link.half_trip
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", target_port)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_pass_on(link, reader, server_writer, downwards=False, earliest=earliest))
                tasks.create_task(_pass_on(link, server_reader, writer, downwards=True, earliest=0.0))
        finally:
            writer.close()
            server_writer.close()

    server = await asyncio.start_server(connect, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()


def main() -> None:
    """Relays until standard input ends."""
    target_port, rtt_ms, mbit = sys.argv[1:]
    asyncio.run(_serve(int(target_port), Speed(rtt_ms=float(rtt_ms), mbit=float(mbit))))


if __name__ == "__main__":
    main()
