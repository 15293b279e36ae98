"""A transport over a connection that somebody else has made, with its TLS, before there was an event loop.

Source: the documentation of asyncio, "Transports and Protocols"; that of ssl, "Notes on non-blocking sockets".
"""

import asyncio
import socket
import ssl
from typing import cast

#: Read at most at once; TLS gives no more than 16 KB of it.
_READ_BYTES = 1 << 16

#: Read at most before others have their turn.
_TURN_BYTES = 1 << 18

_NOT_NOW = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class AdoptedTransport(asyncio.Transport):
    """Reads and writes a socket, whichever kind it is, for a protocol.

    Args:
        stream: connected; its handshake is done.
        protocol: is told that there is a connection, its bytes, and its end.
    """

    def __init__(self, stream: socket.socket, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._stream = stream
        self._protocol = protocol
        self._unsent = bytearray()
        self._is_closing = False
        self._is_paused = False
        stream.setblocking(False)
        self._loop.add_reader(stream.fileno(), self._read)
        protocol.connection_made(self)

    def is_closing(self) -> bool:
        """Tells whether the connection is at its end."""
        return self._is_closing

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Has another protocol told what comes from now on."""
        self._protocol = cast("asyncio.Protocol", protocol)

    def pause_reading(self) -> None:
        """Reads nothing until `resume_reading`."""
        if not self._is_paused and not self._is_closing:
            self._is_paused = True
            self._loop.remove_reader(self._stream.fileno())

    def resume_reading(self) -> None:
        """Reads again."""
        if self._is_paused and not self._is_closing:
            self._is_paused = False
            self._loop.add_reader(self._stream.fileno(), self._read)
            # What TLS has taken off the socket already does not show there.
            self._loop.call_soon(self._read)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Sends bytes, now or as soon as there is room for them."""
        if self._is_closing:
            return
        is_waiting = bool(self._unsent)
        self._unsent += data
        if not is_waiting:
            self._write()

    def abort(self) -> None:
        """Ends the connection at once."""
        self._end(None)

    def close(self) -> None:
        """Ends the connection; what is not sent is lost."""
        self._end(None)

    def _read(self) -> None:
        turn_bytes = 0
        while not (self._is_closing or self._is_paused):
            if turn_bytes >= _TURN_BYTES:
                self._loop.call_soon(self._read)
                return
            try:
                data = self._stream.recv(_READ_BYTES)
            except _NOT_NOW:
                return
            except OSError as exc:
                return self._end(exc)
            if not data:
                return self._end(None)
            turn_bytes += len(data)
            self._protocol.data_received(data)

    def _write(self) -> None:
        try:
            while self._unsent:
                del self._unsent[: self._stream.send(self._unsent)]
        except _NOT_NOW:
            self._loop.add_writer(self._stream.fileno(), self._write)
            return
        except OSError as exc:
            return self._end(exc)
        self._loop.remove_writer(self._stream.fileno())

    def _end(self, error: Exception | None) -> None:
        if self._is_closing:
            return
        self._is_closing = True
        self._loop.remove_reader(self._stream.fileno())
        self._loop.remove_writer(self._stream.fileno())
        self._stream.close()
        self._loop.call_soon(self._protocol.connection_lost, error)
