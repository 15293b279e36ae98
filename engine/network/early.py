"""Asks for pages before there is an event loop, in threads, while everything else is imported.

A connection and its TLS are three round trips, and the imports of a run take longer than
these.  So the questions leave first: a few threads, one connection each, every one of them asked for its share of the
pages at once.  What they wait for costs the imports nothing; a connection that its server
keeps is handed over to the event loop afterwards.

Rules: only what `engine.network.plain_client` would ask in the same way.  An answer that is
not plain, or does not come, is None: whoever needs the page asks again, with all care.
Nobody waits for a thread: they end with the process.
"""

import _thread
import socket
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.limits import BULK_SECONDS, EARLY_CONNECTIONS, PAGE_BYTES
from engine.network.origin import Origin
from engine.network.trust import Trust

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio

    from engine.network.plain_http import Answer
    from engine.network.unanswered import Unanswered

#: How long one address of several is tried alone, in seconds (RFC 8305 says 0.25).
_ADDRESS_SECONDS = 0.25

#: How often threads take turns, in seconds: an import must not hold up a thread whose packet has come.
_TURN_SECONDS = 0.0005

#: As `socket.getaddrinfo` returns it: family, kind and protocol of a socket, a name, and where to connect to.
Address = tuple[int, int, int, str, Any]

#: Takes over a connection: the scheme and host of its server, and the connection.
Adopt = Callable[[str, socket.socket], None]


class EarlyPages:
    """Pages of one server that are asked for early.

    Args:
        address: scheme and host, as in a URL, without credentials.
        targets: what is asked for there: paths that are sent as they are.
        trust: the TLS settings.
        user_agent: who asks.
        fields: headers of the requests.
    """

    def __init__(
        self, address: str, targets: Sequence[str], trust: Trust, *, user_agent: str, fields: Mapping[str, str]
    ) -> None:
        self._address = address
        self._trust = trust
        self._user_agent = user_agent
        self._fields = fields
        self._lock = threading.Lock()
        self._answers: dict[str, Answer | Unanswered | None] = {}
        self._awaited: dict[str, asyncio.Future[None]] = {}
        self._streams: list[socket.socket] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._adopt: Adopt | None = None
        self._is_over = False
        self._open = {f"{address}{target}" for target in targets}
        self._turn_seconds = sys.getswitchinterval()
        sys.setswitchinterval(_TURN_SECONDS)
        count = min(len(targets), EARLY_CONNECTIONS)
        self._addresses: Sequence[Address] = ()
        self._unresolved: Exception | None = None
        self._is_resolved = threading.Event()
        for number in range(count):
            # Unlike a `Thread` it is not waited for until it runs, which costs milliseconds beside an import.
            _thread.start_new_thread(self._ask, (targets[number::count], number == 0))

    # -- in the event loop -------------------------------------------------------

    def attach(self, adopt: Adopt) -> None:
        """Has the connections that are kept taken over by the running event loop.

        Args:
            adopt: takes them.
        """
        import asyncio

        sys.setswitchinterval(self._turn_seconds)
        with self._lock:
            self._loop, self._adopt = asyncio.get_running_loop(), adopt
            streams, self._streams = self._streams, []
        for stream in streams:
            adopt(self._address, stream)

    def has(self, url: str) -> bool:
        """Tells whether the answer about a page can be taken here; once."""
        return url in self._open

    async def take(self, url: str) -> "Answer | None":
        """Returns the answer about a page that was asked for, or None where it has to be asked for again.

        Raises:
            Unanswered: when the server cannot be reached, or has broken off.
        """
        import asyncio

        from engine.network.unanswered import Unanswered

        self._open.discard(url)
        with self._lock:
            is_there = url in self._answers
            awaited = self._awaited[url] = asyncio.get_running_loop().create_future()
        if not is_there:
            try:
                async with asyncio.timeout(BULK_SECONDS):
                    await awaited
            except TimeoutError:
                return None
        answer = self._answers.pop(url)
        if isinstance(answer, Unanswered):
            raise answer
        return answer

    def end(self) -> None:
        """Lets go of everything: nobody needs an answer any more."""
        sys.setswitchinterval(self._turn_seconds)
        with self._lock:
            self._is_over = True
            streams, self._streams = self._streams, []
        for stream in streams:
            stream.close()

    # -- in threads --------------------------------------------------------------

    def _ask(self, targets: Sequence[str], resolves: bool) -> None:
        left = [f"{self._address}{target}" for target in targets]
        stream: socket.socket | None = None
        is_kept = False
        failure: Exception | None = None
        try:
            if resolves:
                self._resolve()
            self._is_resolved.wait()
            stream = self._connect()
            is_kept = self._exchange(stream, targets, left)
        except Exception as exc:
            failure = exc
        if is_kept and stream is not None:
            self._hand_over(stream)
        elif stream is not None:
            stream.close()
        if left:
            self._tell_failure(left, len(targets), failure, is_connected=stream is not None)

    def _resolve(self) -> None:
        try:
            origin = Origin.parse(self._address)
            # Of a text Python wants the IDNA encoding, which takes 4 ms to import.
            host = origin.host.encode("ascii") if origin.host.isascii() else origin.host
            self._addresses = socket.getaddrinfo(host, origin.port, type=socket.SOCK_STREAM)
        except (OSError, ValueError) as exc:
            self._unresolved = exc
        finally:
            self._is_resolved.set()

    def _connect(self) -> socket.socket:
        for number, (family, kind, protocol, _, address) in enumerate(self._addresses):
            stream = socket.socket(family, kind, protocol)
            is_last = number + 1 == len(self._addresses)
            try:
                # Without a time limit the handshake runs in one go, and does not take turns with the imports.
                stream.settimeout(None if is_last else _ADDRESS_SECONDS)
                stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                stream.connect(address)
                stream.settimeout(None)
                origin = Origin.parse(self._address)
                if origin.scheme != "https":
                    return stream
                return self._trust.context(origin).wrap_socket(stream, server_hostname=origin.host)
            except OSError:
                stream.close()
                if is_last:
                    raise
        raise self._unresolved or OSError("the server has no address")

    def _exchange(self, stream: socket.socket, targets: Sequence[str], left: list[str]) -> bool:
        """Asks, and tells the answers as they come; returns whether the server keeps the connection."""
        from engine.network.plain_http import Answers, request_frame

        before, after = request_frame(self._address.partition("://")[2], self._user_agent, self._fields)
        stream.sendall(b"".join(before + target.encode("ascii") + after for target in targets))
        answers = Answers()
        is_kept = True
        while left and is_kept:
            data = stream.recv(1 << 18)
            if not data:
                return False
            for answer in answers.feed(data, [PAGE_BYTES] * len(left)):
                is_kept = not answer.is_last
                self._tell(left.pop(0), answer)
        return is_kept

    def _tell_failure(self, left: list[str], asked: int, error: Exception | None, *, is_connected: bool) -> None:
        """Tells that there are no more answers: where none came at all, that is what the question has come to."""
        from engine.network.plain_http import Unplain
        from engine.network.unanswered import Unanswered

        failure: Unanswered | None = None
        if len(left) == asked and not isinstance(error, Unplain):
            failure = Unanswered(error, is_connected=is_connected)
        for number, url in enumerate(left):
            self._tell(url, failure if number == 0 or not is_connected else None)

    def _tell(self, url: str, answer: "Answer | Unanswered | None") -> None:
        with self._lock:
            self._answers[url] = answer
            awaited = self._awaited.get(url)
        if awaited is not None:
            _call(awaited.get_loop(), _set, awaited)

    def _hand_over(self, stream: socket.socket) -> None:
        with self._lock:
            loop, adopt = self._loop, self._adopt
            if loop is None and not self._is_over:
                self._streams.append(stream)
                return
        if loop is None or adopt is None or not _call(loop, adopt, self._address, stream):
            stream.close()


def _set(awaited: "asyncio.Future[None]") -> None:
    if not awaited.done():
        awaited.set_result(None)


def _call(loop: "asyncio.AbstractEventLoop", function: Callable[..., object], *arguments: object) -> bool:
    """Has a function called in the event loop; returns whether there still is one."""
    try:
        loop.call_soon_threadsafe(function, *arguments)
    except RuntimeError:
        return False
    return True
