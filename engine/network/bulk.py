"""Fetches many small files of one server, for a fraction of what one request costs otherwise.

Owns a few connections per server and which request goes where: on a connection of a
server that keeps connections, requests are sent without waiting for the answers before
them.  What an answer may look like is decided by `engine.network.plain_http`.

Rules: a file comes exactly as it was asked for, or the caller is told to ask for it in
another way, which has retries, redirects, credentials and words for what is wrong.  Only
servers that are asked directly and by nobody in particular are asked here, with the
run's own TLS settings.  A server that breaks off, errs or stands still is asked for less
at a time, and then no more.  Nothing of an answer is believed once its connection was
`Unplain`.

Source: RFC 9112, section 9.3.2, "Pipelining".
"""

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Callable
from typing import cast

import anyio
from aiohappyeyeballs import start_connection
from anyio.abc import TaskGroup

from engine.errors import ConfigurationError
from engine.index.client import USER_AGENT, Network
from engine.limits import BULK_AFTER, BULK_CONNECTIONS, BULK_DEPTH, BULK_SECONDS, METADATA_BYTES
from engine.network.origin import Origin
from engine.network.pace import Pace
from engine.network.plain_http import Answers, Unplain, is_plain_target, request_frame

#: How many requests that wait make it worth while to have one more connection.
_WAITING_PER_CONNECTION = 4

#: How often a server may break a connection before it is left alone.
_MOST_FAULTS = 2

#: A connection that ends after as many answers has ended because there is a limit to how many there are.
_ENOUGH_ANSWERS = 32

#: How many answers may be of no use, besides one in sixteen.
_MOST_USELESS = 4

#: Told the body, or None where the file has to be fetched in another way.
Done = Callable[[bytes | None], None]


class _Request:
    __slots__ = ("done", "retried", "target")

    def __init__(self, target: bytes, done: Done) -> None:
        self.target = target
        self.done = done
        self.retried = False


class Bulk:
    """What many files are fetched with.

    Args:
        group: owns the connections; they end with it.
        network: knows who is asked directly, and whom to trust.
    """

    def __init__(self, group: TaskGroup, network: Network) -> None:
        self._group = group
        self._network = network
        self._servers: dict[str, _Server | None] = {}
        self._is_watched = False

    def get(self, url: str, done: Done) -> bool:
        """Asks for a file.

        Args:
            url: absolute.
            done: told the body when it is there, or None where the file has to be fetched in another way.

        Returns:
            Whether it is asked for; if not, it has to be fetched in another way at once.
        """
        slash = url.find("/", url.find("://") + 3)
        address, target = url[:slash], url[slash:]
        if address not in self._servers:
            self._servers[address] = self._server(address, url)
        server = self._servers[address]
        return server is not None and server.is_wanted() and is_plain_target(target) and server.ask(target, done)

    def _server(self, address: str, url: str) -> "_Server | None":
        """Returns what asks a server; None for one that is not asked here."""
        if not address.isascii() or "@" in address:
            return None
        try:
            origin = Origin.parse(address)
        except ValueError:
            return None
        try:
            if not self._network.is_anonymous(url, origin):
                return None
            context = self._network.trust.context(origin) if origin.scheme == "https" else None
        except ConfigurationError:
            return None  # whoever asks in another way is told
        if not self._is_watched:
            self._is_watched = True
            self._group.start_soon(self._watch)
        return _Server(self._group, origin, context, self._network.patience_seconds)

    async def _watch(self) -> None:
        """Sees to it that nobody is told anything once the group has ended."""
        try:
            await anyio.sleep_forever()
        finally:
            for server in self._servers.values():
                if server is not None:
                    server.end()


class _Server:
    """One server: its connections, and what it is still to be asked."""

    def __init__(
        self, group: TaskGroup, origin: Origin, context: ssl.SSLContext | None, patience_seconds: tuple[float, float]
    ) -> None:
        self._group = group
        self._origin = origin
        self._context = context
        self._connect_seconds, read_seconds = patience_seconds
        self.silence_seconds = min(read_seconds, BULK_SECONDS)
        self._before, self._after = request_frame(str(origin).partition("://")[2], USER_AGENT)
        self._seen = 0
        self._queue: deque[_Request] = deque()
        self._connections: list[_Connection] = []
        self._depth = 1
        self._most_depth = BULK_DEPTH
        self._faults = 0
        self._useful = self._useless = 0
        self._is_off = False
        self._is_called = False

    def is_wanted(self) -> bool:
        """Tells whether the next file is to be asked for here."""
        self._seen += 1
        return self._seen > BULK_AFTER and not self._is_off

    def ask(self, target: str, done: Done) -> bool:
        """Puts a request into the queue, from which the requests of one moment are sent together."""
        self._queue.append(_Request(target.encode("ascii"), done))
        if not self._is_called:
            self._is_called = True
            asyncio.get_running_loop().call_soon(self._send)
        return True

    def _send(self) -> None:
        self._is_called = False
        if self._is_off:
            return
        most = min(BULK_CONNECTIONS, -(-len(self._queue) // _WAITING_PER_CONNECTION))
        while len(self._connections) < most:
            connection = _Connection(self)
            self._connections.append(connection)
            self._group.start_soon(self._keep, connection)
        ready = [one for one in self._connections if one.is_open and len(one.waiting) < self._depth]
        while self._queue and ready:
            connection = min(ready, key=_load)
            connection.take(self._queue.popleft())
            if len(connection.waiting) >= self._depth:
                ready.remove(connection)
        for connection in self._connections:
            connection.flush(self._before, self._after)

    async def _keep(self, connection: "_Connection") -> None:
        """Makes a connection and watches it until it ends."""
        try:
            with anyio.fail_after(self._connect_seconds):
                await self._connect(connection)
            self._send()
            while connection.is_open:
                with anyio.move_on_after(self.silence_seconds / 4):
                    await connection.ended.wait()
                connection.end_silence(anyio.current_time())
        except (OSError, TimeoutError, ssl.SSLError):
            self.lost(connection, is_orderly=False)
        finally:
            connection.abort()

    async def _connect(self, connection: "_Connection") -> None:
        loop = asyncio.get_running_loop()
        host = self._origin.host
        found = await loop.getaddrinfo(host, self._origin.port, type=socket.SOCK_STREAM)
        stream: socket.socket | None = await start_connection(found, happy_eyeballs_delay=0.25)
        try:
            await loop.create_connection(
                lambda: connection,
                sock=stream,
                ssl=self._context,
                server_hostname=host if self._context is not None else None,
            )
            stream = None
        finally:
            if stream is not None:
                stream.close()

    # -- told by connections -------------------------------------------------------

    def answered(self, connection: "_Connection", *, useful: int, useless: int) -> None:
        """Learns of answers that have come over a connection."""
        self._useful += useful
        self._useless += useless
        if self._useless > _MOST_USELESS + self._useful // 16:
            self._give_up()
        elif self._depth == 1 and useful:
            self._depth = self._most_depth
        # A few requests at a time cost no more than one.
        if self._queue and len(connection.waiting) * 4 <= self._depth * 3:
            self._send()

    def lost(self, connection: "_Connection", *, is_orderly: bool) -> None:
        """Takes back what a connection has not answered; a second call does nothing."""
        if connection not in self._connections:
            return
        self._connections.remove(connection)
        unanswered = [*connection.waiting]
        connection.waiting.clear()
        if not is_orderly:
            self._faults += 1
        if (unanswered or not is_orderly) and connection.answers < _ENOUGH_ANSWERS:
            self._depth = self._most_depth = 1
        if self._faults >= _MOST_FAULTS:
            self._give_up()
        for request in reversed(unanswered):
            if self._is_off or request.retried or not is_orderly or not connection.answers:
                request.done(None)
            else:
                request.retried = True
                self._queue.appendleft(request)
        if self._queue:
            self._send()

    def end(self) -> None:
        """Forgets everything, and tells nobody."""
        self._is_off = True
        self._queue.clear()
        for connection in self._connections:
            connection.waiting.clear()
            connection.abort()
        self._connections.clear()

    def _give_up(self) -> None:
        self._is_off = True
        while self._queue:
            self._queue.popleft().done(None)


class _Connection(asyncio.Protocol):
    """One connection, and what it has been asked."""

    def __init__(self, server: _Server) -> None:
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._answers = Answers(METADATA_BYTES)
        self._pace = Pace(server.silence_seconds)
        self._unsent: list[_Request] = []
        self._heard = 0.0
        self._is_last = False
        self.waiting: deque[_Request] = deque()
        self.answers = 0
        self.ended = anyio.Event()

    @property
    def is_open(self) -> bool:
        """Whether it can be asked."""
        return self._transport is not None and not self._is_last and not self._transport.is_closing()

    def take(self, request: _Request) -> None:
        """Makes a request one of this connection's; it is sent by `flush`."""
        if not self.waiting:
            self._heard = anyio.current_time()
            self._pace.restart()
        self.waiting.append(request)
        self._unsent.append(request)

    def flush(self, before: bytes, after: bytes) -> None:
        """Sends the requests that were taken, together."""
        if self._unsent and self._transport is not None:
            self._transport.write(b"".join([before + request.target + after for request in self._unsent]))
            self._unsent.clear()

    def end_silence(self, now: float) -> None:
        """Ends a connection that stands still."""
        if self.waiting and now - self._heard > self._server.silence_seconds:
            self._fail()

    def abort(self) -> None:
        """Ends the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def _fail(self) -> None:
        self.abort()
        self._server.lost(self, is_orderly=False)

    # -- told by the transport -------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Is told that there is a connection."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are none by class

    def data_received(self, data: bytes) -> None:
        """Is given bytes."""
        if self._is_last:
            return
        self._heard = anyio.current_time()
        try:
            found = self._answers.feed(data, len(self.waiting))
        except Unplain:
            return self._fail()
        if self._pace.is_too_slow(len(data)):
            return self._fail()
        useful = 0
        for answer in found:
            self.answers += 1
            self._is_last = answer.is_last
            useful += answer.body is not None
            self.waiting.popleft().done(answer.body)
        if found:
            self._server.answered(self, useful=useful, useless=len(found) - useful)
        if self._is_last:
            self.abort()
            self._server.lost(self, is_orderly=True)

    def connection_lost(self, error: Exception | None) -> None:
        """Is told that there is no connection any more."""
        self.ended.set()
        self._server.lost(self, is_orderly=error is None and not self._answers.has_part)


def _load(connection: _Connection) -> int:
    return len(connection.waiting)
