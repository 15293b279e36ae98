"""One connection of a plain client, and what it has been asked."""

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Callable
from typing import Protocol, cast

from engine.network.origin import Origin
from engine.network.pace import Pace
from engine.network.plain_http import Answer, Answers, Unplain
from engine.network.unanswered import Unanswered

#: What requests weigh: a page holds up what is behind it for longer than a small file does.
FILE_WEIGHT = 1
PAGE_WEIGHT = 4


#: Told what came of a request.
Done = Callable[[Answer | Unanswered | None], None]


class PlainRequest:
    """A request, as it is sent.

    `done` is told the answer; None where it has to be made in another way; or that the server did not answer it, which
    is as good as an answer: it has been asked.
    """

    __slots__ = ("done", "frame", "most_bytes", "retried", "weight")

    def __init__(self, frame: bytes, most_bytes: int, weight: int, done: Done) -> None:
        self.frame = frame
        self.most_bytes = most_bytes
        self.weight = weight
        self.done = done
        self.retried = False


class Server(Protocol):
    """What a connection tells what happens to it."""

    silence_seconds: float

    def answered(self, connection: "PlainConnection", *, useful: int, useless: int) -> None:
        """Learns of answers."""

    def lost(self, connection: "PlainConnection", *, is_orderly: bool, failure: Unanswered | None = None) -> None:
        """Learns that a connection cannot be used any more, and what its first request came to that is not answered."""


class PlainConnection(asyncio.Protocol):
    """One connection.

    Attributes:
        waiting: what is asked for and not answered, in order.
        load: the weight of that.
        answers: how many have come.
        ended: set when there is no connection any more.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._answers = Answers()
        self._pace = Pace(server.silence_seconds)
        self._unsent: list[bytes] = []
        self._heard = 0.0
        self._is_last = False
        self._clock = asyncio.get_running_loop().time
        self.waiting: deque[PlainRequest] = deque()
        self.load = 0
        self.answers = 0
        self.ended = asyncio.Event()

    @property
    def is_open(self) -> bool:
        """Whether it can be asked."""
        return self._transport is not None and not self._is_last and not self._transport.is_closing()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is asked for that is not answered."""
        return not self.waiting and not self._answers.has_part

    def leave(self) -> asyncio.Transport | None:
        """Gives up the connection: what happens to it is somebody else's from now on."""
        transport, self._transport = self._transport, None
        self.ended.set()
        return transport

    def take(self, request: PlainRequest) -> None:
        """Makes a request one of this connection's; it is sent by `flush`."""
        if not self.waiting:
            self._heard = self._clock()
            self._pace.restart()
        self.waiting.append(request)
        self.load += request.weight
        self._unsent.append(request.frame)

    def flush(self) -> None:
        """Sends the requests that were taken, together."""
        if self._unsent and self._transport is not None:
            self._transport.write(b"".join(self._unsent))
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
        self._heard = self._clock()
        try:
            found = self._answers.feed(data, [request.most_bytes for request in self.waiting])
        except Unplain:
            return self._fail()
        if self._pace.is_too_slow(len(data)):
            return self._fail()
        useless = 0
        for answer in found:
            self.answers += 1
            self._is_last = answer.is_last
            request = self.waiting.popleft()
            self.load -= request.weight
            useless += answer.body is None and request.weight == FILE_WEIGHT
            request.done(answer)
        if found:
            self._server.answered(self, useful=len(found) - useless, useless=useless)
        if self._is_last:
            self.abort()
            self._server.lost(self, is_orderly=True)

    def connection_lost(self, error: Exception | None) -> None:
        """Is told that there is no connection any more."""
        self.ended.set()
        # Of one that has answered nobody knows whether the server has seen the next request before it closed.
        failure = None if self.answers or self._answers.has_part else Unanswered(error, is_connected=True)
        self._server.lost(self, is_orderly=error is None and not self._answers.has_part, failure=failure)


async def open_connection(origin: Origin, context: ssl.SSLContext | None, protocol: asyncio.Protocol) -> None:
    """Makes a connection to a server.

    Args:
        origin: the server.
        context: the TLS settings; None for http.
        protocol: is told that there is a connection.

    Raises:
        OSError, ssl.SSLError: when there is none.
    """
    from aiohappyeyeballs import start_connection

    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
    except UnicodeError as exc:  # no name of a host, by IDNA
        raise socket.gaierror(socket.EAI_NONAME, str(exc)) from exc
    stream: socket.socket | None = await start_connection(found, happy_eyeballs_delay=0.25)
    try:
        await loop.create_connection(
            lambda: protocol,
            sock=stream,
            ssl=context,
            server_hostname=origin.host if context is not None else None,
        )
        stream = None
    finally:
        if stream is not None:
            stream.close()
