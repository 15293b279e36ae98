"""Downloads in the plain way: one answer at a time on a connection, its body as it comes.

Owns the connections that downloads are made on, new ones and those that pages need no more: on one that is open the
first byte is one round trip away, not three or four.  Framing is that of `engine.network.plain_http`.

Rules: as with `engine.network.plain_client`, what is not the plain case has to be asked for in another way; a server
that is none is not asked here again.  Nothing is repeated, but for a question on a kept connection that its server
has closed meanwhile.  A body that is not taken is not read, either.

Source: RFC 9112, sections 6.3 and 9.3; RFC 9110, section 9.2.2.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import cast

from engine.errors import ConfigurationError
from engine.network.interrupted import Interrupted
from engine.network.origin import Origin
from engine.network.plain_client import PlainClient
from engine.network.plain_connection import open_connection
from engine.network.plain_http import (
    HEAD_BYTES,
    HEAD_END,
    Answer,
    Fields,
    Unplain,
    is_plain_target,
    read_head,
    request_frame,
    split_url,
)
from engine.network.trust import Trust
from engine.network.unanswered import Unanswered

#: No file is larger; what is promised of one is known to whoever asks.
_MOST_BYTES = 10**12 - 1

#: What a body may be ahead of whoever takes it: what a download writes at once.
_AHEAD_BYTES = 1 << 21


class PlainFile:
    """An answer, and its body as it comes.

    Attributes:
        status: of the answer.
        reason: the words behind it.
        headers: look-ups do not tell upper from lower case.
        content_length: in bytes.
        url: that was asked for.
    """

    def __init__(self, url: str, answer: Answer, length_bytes: int, connection: "_Connection") -> None:
        self.status = answer.status
        self.reason = answer.reason.decode("utf-8", "surrogateescape")
        self.headers: Mapping[str, str] = Fields(answer.fields)
        self.content_length: int | None = length_bytes
        self.url = url
        self._connection = connection

    async def read(self) -> list[bytes]:
        """Returns what has come since the last call, in the pieces in which it came; nothing at the end.

        Raises:
            Interrupted: when the connection ends before the body, or stands still.
        """
        return await self._connection.read()


class PlainFiles:
    """What is downloaded in the plain way in one run.

    Args:
        plain: asks for pages; has connections to give.
        trust: the TLS settings.
        is_anonymous: tells whether a URL is asked for directly, and by nobody in particular.
        user_agent: who asks.
        patience_seconds: how long a connection may take, and how long a server may be silent.
    """

    def __init__(
        self,
        plain: PlainClient,
        trust: Trust,
        *,
        is_anonymous: Callable[[str, Origin], bool],
        user_agent: str,
        patience_seconds: tuple[float, float],
    ) -> None:
        self._plain = plain
        self._trust = trust
        self._is_anonymous = is_anonymous
        self._user_agent = user_agent
        self._patience_seconds = patience_seconds
        self._idle: dict[str, list[_Connection]] = {}
        self._unplain: set[str] = set()

    @asynccontextmanager
    async def request(self, url: str, fields: Mapping[str, str]) -> AsyncIterator[PlainFile | None]:
        """Asks once, and gives the answer to the body of an `async with`.

        Args:
            url: absolute.
            fields: headers of the request.

        Returns:
            The answer, of any status; None where the file has to be asked for in another way.

        Raises:
            Unanswered: when the server cannot be reached, or breaks off before its answer.
            Interrupted: when it does not answer in time.
        """
        address, target = split_url(url) or ("", "")
        origin = self._origin(url, address)
        if origin is None or not is_plain_target(target) or not all(map(_is_plain_value, fields.values())):
            yield None
            return
        before, after = request_frame(str(origin).partition("://")[2], self._user_agent, fields)
        try:
            connection = await self._ask(address, origin, before + target.encode("ascii") + after)
        except Unplain:
            self._unplain.add(address)
            connection = None
        if connection is None:
            yield None
            return
        try:
            yield PlainFile(url, *connection.answer, connection)
        finally:
            if connection.is_free:
                connection.rest()
                self._idle.setdefault(address, []).append(connection)
            else:
                connection.abort()

    def end(self) -> None:
        """Ends the connections that nobody uses."""
        for connections in self._idle.values():
            for connection in connections:
                connection.abort()
        self._idle.clear()

    def _origin(self, url: str, address: str) -> Origin | None:
        """Returns the server, None for one that is not asked here."""
        if not address or address in self._unplain:
            return None
        try:
            origin = Origin.parse(address)
            return origin if self._is_anonymous(url, origin) else None
        except (ValueError, ConfigurationError):
            return None  # whoever asks in another way is told

    async def _ask(self, address: str, origin: Origin, frame: bytes) -> "_Connection | None":
        """Returns a connection whose next answer has begun."""
        while (connection := self._kept(address)) is not None:
            try:
                await connection.ask(frame)
                return connection
            except _Closed:
                continue
            except BaseException:
                connection.abort()
                raise
        connection = _Connection(self._patience_seconds)
        try:
            context = self._trust.context(origin) if origin.scheme == "https" else None
            try:
                async with asyncio.timeout(self._patience_seconds[0]):
                    await open_connection(origin, context, connection)
            except OSError as exc:  # TimeoutError and SSLError are some
                raise Unanswered(exc, is_connected=False) from exc
            await connection.ask(frame)
        except ConfigurationError:
            return None  # likewise
        except _Closed as exc:
            raise Unanswered(exc.error, is_connected=True) from exc
        except BaseException:
            connection.abort()
            raise
        return connection

    def _kept(self, address: str) -> "_Connection | None":
        """Returns a connection that is open and has nothing to do."""
        idle = self._idle.get(address)
        while idle:
            connection = idle.pop()
            if connection.is_free:
                return connection
            connection.abort()
        transport = self._plain.lend(address)
        if transport is None:
            return None
        connection = _Connection(self._patience_seconds)
        transport.set_protocol(connection)
        connection.connection_made(transport)
        return connection


def _is_plain_value(value: str) -> bool:
    return value.isascii() and value.isprintable()


class _Closed(Exception):
    """The server has closed a connection without a byte of an answer.

    Attributes:
        error: what the system said, or None.
    """

    def __init__(self, error: Exception | None) -> None:
        super().__init__()
        self.error = error


class _Connection(asyncio.Protocol):
    """A connection, and the answer that comes over it.

    Attributes:
        answer: the one that has begun, and the length of its body.
    """

    answer: tuple[Answer, int]

    def __init__(self, patience_seconds: tuple[float, float]) -> None:
        self._connect_seconds, self._read_seconds = patience_seconds
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._heard = 0.0
        self._until: float | None = None
        self._head: bytearray | None = None
        self._pieces: list[bytes] = []
        self._pieces_bytes = 0
        self._missing_bytes = 0
        self._is_paused = False
        self._is_last = False
        self._failure: Exception | None = None

    @property
    def is_free(self) -> bool:
        """Whether the next question can be asked here."""
        return not (
            self._is_last
            or self._missing_bytes
            or self._head is not None
            or self._failure is not None
            or self._transport is None
            or self._transport.is_closing()
        )

    async def ask(self, frame: bytes) -> None:
        """Sends a request, and returns when there is an answer.

        Raises:
            Unplain: when it is not the plain case.
            Interrupted: when there is none in time.
            _Closed: when there is no connection any more.
        """
        assert self._transport is not None
        self._pieces, self._pieces_bytes = [], 0
        self._head = bytearray()
        self._heard = self._loop.time()
        # A server that says its headers letter by letter is not silent.
        self._until = self._heard + self._connect_seconds + self._read_seconds
        self._watch()
        self._transport.write(frame)
        while self._head is not None:
            await self._wait()
        self._until = None

    async def read(self) -> list[bytes]:
        """Returns the pieces that have come, nothing at the end; as `PlainFile.read`."""
        while not self._pieces:
            if not self._missing_bytes:
                return []
            self._heard = self._loop.time()
            self._go_on()
            await self._wait()
        pieces, self._pieces, self._pieces_bytes = self._pieces, [], 0
        self._go_on()
        return pieces

    def rest(self) -> None:
        """Is told that nothing is expected of the server for now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def abort(self) -> None:
        """Ends the connection at once."""
        self.rest()
        if self._transport is not None:
            self._transport.abort()

    async def _wait(self) -> None:
        if self._failure is not None:
            raise self._failure
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _fail(self, failure: Exception) -> None:
        if self._failure is None:
            self._failure = failure
        self.abort()
        self._wake()

    def _go_on(self) -> None:
        if self._is_paused and self._transport is not None:
            self._is_paused = False
            self._heard = self._loop.time()
            self._transport.resume_reading()

    # -- patience ------------------------------------------------------------------

    def _watch(self) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(self._read_seconds, self._look)

    def _look(self) -> None:
        """Ends a connection on which nothing happens; one that nobody reads from is left alone."""
        self._timer = None
        now = self._loop.time()
        if self._until is not None and now >= self._until:
            seconds = self._connect_seconds + self._read_seconds
            return self._fail(_silence(f"no answer within {seconds:g} seconds"))
        silent = now - self._heard
        if silent >= self._read_seconds and not self._is_paused and self._waiter is not None:
            return self._fail(_silence(f"not a byte came for {self._read_seconds:g} seconds"))
        wait = self._read_seconds - silent if silent < self._read_seconds else self._read_seconds
        if self._until is not None:
            wait = min(wait, self._until - now)
        self._timer = self._loop.call_later(wait, self._look)

    # -- told by the transport -------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Is told that there is a connection."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are none by class

    def data_received(self, data: bytes) -> None:
        """Is given bytes."""
        self._heard = self._loop.time()
        if self._head is not None:
            self._head += data
            end = self._head.find(HEAD_END, 0, HEAD_BYTES)
            if end < 0:
                if len(self._head) >= HEAD_BYTES:
                    self._fail(Unplain("headers without an end"))
                return
            try:
                self.answer = read_head(bytes(self._head[: end + 4]), _MOST_BYTES, partly=True)
            except Unplain as exc:
                return self._fail(exc)
            data = bytes(self._head[end + 4 :])
            self._head = None
            self._missing_bytes, self._is_last = self.answer[1], self.answer[0].is_last
            self._wake()
            if not data:
                return
        if len(data) > self._missing_bytes:
            # What nobody has asked for: the answer before it stands, the connection does not.
            data = data[: self._missing_bytes]
            self._is_last = True
        self._missing_bytes -= len(data)
        if data:
            self._pieces.append(data)
            self._pieces_bytes += len(data)
        if self._pieces_bytes > _AHEAD_BYTES and not self._is_paused and self._transport is not None:
            self._is_paused = True
            self._transport.pause_reading()
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        """Is told that there is no connection any more."""
        self._transport = None
        self.rest()
        if self._failure is None:
            if self._head is None and self._missing_bytes:
                received, promised = self.answer[1] - self._missing_bytes, self.answer[1]
                self._failure = Interrupted(f"the connection ended after {received} of {promised} bytes")
            elif self._head:
                self._failure = Interrupted("the connection broke")
            else:
                self._failure = _Closed(error)
        self._wake()


def _silence(reason: str) -> Interrupted:
    return Interrupted(reason, hint="--timeout waits longer, --retries tries more often")
