"""Asks servers in the plain way: pages and many small files, for a fraction of what a careful request costs.

Owns a few connections per server and which request goes where: on a connection of a
server that keeps connections, requests are sent without waiting for the answers before
them.  What an answer may look like is decided by `engine.network.plain_http`.

Rules: what is asked for comes exactly as it was asked for, or the caller is told to ask in
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
from collections.abc import Callable, Mapping

from engine.errors import ConfigurationError
from engine.limits import (
    BULK_AFTER,
    BULK_CONNECTIONS,
    BULK_DEPTH,
    BULK_SECONDS,
    METADATA_BYTES,
    PAGE_BYTES,
    PAGE_DEPTH,
)
from engine.network.origin import Origin
from engine.network.plain_connection import FILE_WEIGHT, PAGE_WEIGHT, PlainConnection, PlainRequest, open_connection
from engine.network.plain_http import Answer, is_plain_target, request_frame, split_url
from engine.network.trust import Trust
from engine.network.unanswered import Unanswered

#: How many requests for files that wait make it worth while to have one more connection; a page is one by itself.
_WAITING_PER_CONNECTION = PAGE_WEIGHT // FILE_WEIGHT

#: As many connections to a server are kept for what is asked for here.
_NOT_LENT = 2

#: How often a server may break a connection before it is left alone.
_MOST_FAULTS = 2

#: A connection that ends after as many answers has ended because there is a limit to how many there are.
_ENOUGH_ANSWERS = 32

#: How many answers may be of no use, besides one in sixteen.
_MOST_USELESS = 4

#: How files are asked for: what is compressed could be far larger than what is counted.
_FILE_FIELDS = {"Accept": "*/*", "Accept-Encoding": "identity"}

#: Told the body, or None where the file has to be fetched in another way.
Done = Callable[[bytes | None], None]


class PlainClient:
    """What is asked in the plain way in one run.

    Args:
        group: owns the connections.
        trust: the TLS settings.
        is_anonymous: tells whether a URL is asked for directly, and by nobody in particular.
        user_agent: who asks.
        patience_seconds: how long a connection may take, and how long a server may be silent.
    """

    def __init__(
        self,
        group: asyncio.TaskGroup,
        trust: Trust,
        *,
        is_anonymous: Callable[[str, Origin], bool],
        user_agent: str,
        patience_seconds: tuple[float, float],
    ) -> None:
        self._group = group
        self._trust = trust
        self._is_anonymous = is_anonymous
        self._user_agent = user_agent
        self._patience_seconds = patience_seconds
        self._servers: dict[str, _Server | None] = {}
        self._is_over = False

    def get(self, url: str, done: Done) -> bool:
        """Asks for a small file.

        Args:
            url: absolute.
            done: told the body when it is there, or None where the file has to be fetched in another way.

        Returns:
            Whether it is asked for; if not, it has to be fetched in another way at once.
        """
        server, target = self._find(url)
        if server is None or not server.wants_file() or not is_plain_target(target):
            return False
        server.ask(
            PlainRequest(server.file_frame(target), METADATA_BYTES, FILE_WEIGHT, lambda answer: done(_whole(answer)))
        )
        return True

    async def page(self, url: str, fields: Mapping[str, str]) -> Answer | None:
        """Returns the answer about a page, or None where it has to be asked for in another way.

        Args:
            url: absolute.
            fields: headers of the request; nothing that only this server may know.

        Raises:
            Unanswered: when the server cannot be reached, or has broken off.
        """
        server, target = self._find(url)
        if server is None or server.is_off or not is_plain_target(target):
            return None
        told: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()

        def tell(answer: Answer | Unanswered | None) -> None:
            if told.done():
                return
            if isinstance(answer, Unanswered):
                told.set_exception(answer)
            else:
                told.set_result(answer)

        server.ask(PlainRequest(server.frame(target, fields), PAGE_BYTES, PAGE_WEIGHT, tell))
        return await told

    def adopt(self, address: str, stream: socket.socket) -> None:
        """Takes over a connection that has answered, and is kept by its server.

        Args:
            address: scheme and host, as in a URL.
            stream: its TLS is set up.
        """
        server, _ = (None, "") if self._is_over else self._find(f"{address}/")
        if server is None or server.is_off:
            stream.close()
        else:
            server.adopt(stream)

    def lend(self, address: str) -> asyncio.Transport | None:
        """Gives an open connection away for good, where there are more than pages and small files need now.

        Args:
            address: scheme and host, as in a URL.
        """
        server = self._servers.get(address)
        return server.lend() if server is not None else None

    def end(self) -> None:
        """Ends all connections, and tells nobody anything any more."""
        self._is_over = True
        for server in self._servers.values():
            if server is not None:
                server.end()

    def _find(self, url: str) -> "tuple[_Server | None, str]":
        parts = split_url(url)
        if parts is None:
            return None, ""
        address, target = parts
        if address not in self._servers:
            self._servers[address] = self._server(address)
        server = self._servers[address]
        if server is None or not self._may_be_asked(url, server.origin):
            return None, target
        return server, target

    def _may_be_asked(self, url: str, origin: Origin) -> bool:
        try:
            # For each: credentials belong to folders, and more may be known of them by now.
            return self._is_anonymous(url, origin)
        except ConfigurationError:
            return False  # whoever asks in another way is told

    def _server(self, address: str) -> "_Server | None":
        """Returns what asks a server; None for one that is not asked here."""
        try:
            origin = Origin.parse(address)
        except ValueError:
            return None
        try:
            context = self._trust.context(origin) if origin.scheme == "https" else None
        except ConfigurationError:
            return None  # likewise
        return _Server(self._group, origin, context, self._user_agent, self._patience_seconds)


def _whole(answer: Answer | Unanswered | None) -> bytes | None:
    return answer.body if isinstance(answer, Answer) and not answer.is_gzipped else None


class _Server:
    """One server: its connections, and what it is still to be asked."""

    def __init__(
        self,
        group: asyncio.TaskGroup,
        origin: Origin,
        context: ssl.SSLContext | None,
        user_agent: str,
        patience_seconds: tuple[float, float],
    ) -> None:
        self._group = group
        self.origin = origin
        self._context = context
        self._connect_seconds, read_seconds = patience_seconds
        self.silence_seconds = min(read_seconds, BULK_SECONDS)
        self._host = str(origin).partition("://")[2]
        self._user_agent = user_agent
        self._file_frame = request_frame(self._host, user_agent, _FILE_FIELDS)
        self._seen = 0
        self._queue: deque[PlainRequest] = deque()
        self._queued_weight = 0
        self._connections: list[PlainConnection] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._depth = 1
        self._most_depth = BULK_DEPTH
        self._faults = 0
        self._useful = self._useless = 0
        self._has_no_files = False
        self.is_off = False
        self._is_called = False

    def wants_file(self) -> bool:
        """Tells whether the next file is to be asked for here."""
        self._seen += 1
        if self.is_off or self._has_no_files:
            return False
        return self._seen > BULK_AFTER or any(one.is_open for one in self._connections)

    def file_frame(self, target: str) -> bytes:
        """Returns a request for a file."""
        before, after = self._file_frame
        return before + target.encode("ascii") + after

    def frame(self, target: str, fields: Mapping[str, str]) -> bytes:
        """Returns a request with headers of its own."""
        before, after = request_frame(self._host, self._user_agent, fields)
        return before + target.encode("ascii") + after

    def ask(self, request: PlainRequest) -> None:
        """Puts a request into the queue, from which the requests of one moment are sent together."""
        self._queue.append(request)
        self._queued_weight += request.weight
        if not self._is_called:
            self._is_called = True
            asyncio.get_running_loop().call_soon(self._send)

    def adopt(self, stream: socket.socket) -> None:
        """Takes over a connection."""
        from engine.network.adopted import AdoptedTransport

        connection = PlainConnection(self)
        self._connections.append(connection)
        self._depth = self._most_depth
        AdoptedTransport(stream, connection)
        self._group.create_task(self._watch(connection))
        self._send()

    def lend(self) -> asyncio.Transport | None:
        """Gives an open connection away."""
        if self.is_off or self._queue:
            return None
        ready = [one for one in self._connections if one.is_open]
        if len(ready) <= _NOT_LENT:
            return None
        for connection in ready:
            if connection.is_idle:
                self._connections.remove(connection)
                return connection.leave()
        return None

    def _send(self) -> None:
        self._is_called = False
        if self.is_off:
            return
        most = min(BULK_CONNECTIONS, -(-self._queued_weight // PAGE_WEIGHT))
        while len(self._connections) < most:
            connection = PlainConnection(self)
            self._connections.append(connection)
            task = self._group.create_task(self._keep(connection))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        ready = [one for one in self._connections if one.is_open]
        while self._queue and ready:
            connection = min(ready, key=_load)
            depth = self._depth if self._queue[0].weight == FILE_WEIGHT else min(self._depth, PAGE_DEPTH)
            if len(connection.waiting) >= depth:
                ready.remove(connection)
                continue
            request = self._queue.popleft()
            self._queued_weight -= request.weight
            connection.take(request)
        for connection in self._connections:
            connection.flush()

    async def _keep(self, connection: PlainConnection) -> None:
        """Makes a connection and watches it until it ends."""
        try:
            async with asyncio.timeout(self._connect_seconds):
                await open_connection(self.origin, self._context, connection)
        except (OSError, TimeoutError, ssl.SSLError) as exc:
            connection.abort()
            self._unreached(connection, Unanswered(exc, is_connected=False))
            return
        self._send()
        await self._watch(connection)

    async def _watch(self, connection: PlainConnection) -> None:
        loop = asyncio.get_running_loop()
        try:
            while connection.is_open:
                try:
                    async with asyncio.timeout(self.silence_seconds / 4):
                        await connection.ended.wait()
                except TimeoutError:
                    connection.end_silence(loop.time())
        finally:
            connection.abort()

    # -- told by connections -------------------------------------------------------

    def answered(self, connection: PlainConnection, *, useful: int, useless: int) -> None:
        """Learns of answers that have come over a connection; `useless` are files that were not there."""
        self._useful += useful
        self._useless += useless
        if self._useless > _MOST_USELESS + self._useful // 16 and not self._has_no_files:
            self._has_no_files = True
            self._refuse([request for request in self._queue if request.weight == FILE_WEIGHT])
        elif self._depth == 1 and useful:
            self._depth = self._most_depth
        # A few requests at a time cost no more than one.
        if self._queue and len(connection.waiting) * 4 <= self._depth * 3:
            self._send()

    def _unreached(self, connection: PlainConnection, failure: Unanswered) -> None:
        """Learns that there is no connection; where there is no other, that is what all requests came to."""
        self.lost(connection, is_orderly=False)
        if not self._connections:
            self._refuse([*self._queue], failure)

    def lost(self, connection: PlainConnection, *, is_orderly: bool, failure: Unanswered | None = None) -> None:
        """Takes back what a connection has not answered; a second call does nothing."""
        if connection not in self._connections:
            return
        self._connections.remove(connection)
        unanswered = [*connection.waiting]
        connection.waiting.clear()
        if unanswered and failure is not None:
            unanswered.pop(0).done(failure)
        if not is_orderly:
            self._faults += 1
        if (unanswered or not is_orderly) and connection.answers < _ENOUGH_ANSWERS:
            self._depth = self._most_depth = 1
        if self._faults >= _MOST_FAULTS:
            self.is_off = True
            self._refuse([*self._queue])
        for request in reversed(unanswered):
            if self.is_off or request.retried or not is_orderly or not connection.answers:
                request.done(None)
            else:
                request.retried = True
                self._queue.appendleft(request)
                self._queued_weight += request.weight
        if self._queue:
            self._send()

    def end(self) -> None:
        """Forgets everything, and tells nobody."""
        self.is_off = True
        self._queue.clear()
        connections, self._connections = self._connections, []
        for connection in connections:
            connection.waiting.clear()
            connection.abort()
        # One that is only being made cannot be aborted, and nobody is to wait until its server ends it.
        for task in self._tasks:
            task.cancel()

    def _refuse(self, requests: list[PlainRequest], failure: Unanswered | None = None) -> None:
        for request in requests:
            self._queue.remove(request)
            self._queued_weight -= request.weight
        for request in requests:
            request.done(failure)


def _load(connection: PlainConnection) -> int:
    return connection.load
