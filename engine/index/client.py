"""The HTTP session, and one question to an index at a time.

One of the two homes of aiohttp.  Owns TLS settings, time limits and the bounds
of a body; what an answer means is for `engine.index.pages`.  Imports no more than
aiohttp needs: the first questions are asked before anything else is loaded.

Source: PEP 691, "Content negotiation".
"""

import asyncio
import os
from collections.abc import Iterable
from typing import NamedTuple

import aiohttp

from engine import __version__
from engine.credentials import without_credentials
from engine.errors import IndexUnavailable, InvalidPage
from engine.limits import PAGE_BYTES, PAGES

ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"

#: Seconds: for a connection, and between two pieces of a body.
CONNECT_SECONDS = 15
READ_SECONDS = 30

#: What a transport does that may be over in a moment.
TRANSIENT = (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError)

#: What an overloaded server says that may be over in a moment.
TRANSIENT_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})


class Interrupted(Exception):
    """A question failed in a way that may pass; `str()` says how."""


class Answer(NamedTuple):
    """What an index answered.

    `url` is where the answer came from after redirects, `kind` its media type,
    `body` as it was sent: compressed where `gzipped` says so.
    """

    status: int
    reason: str
    url: str
    kind: str
    gzipped: bool
    cache_control: str | None
    age: str | None
    body: bytes


def open_session() -> aiohttp.ClientSession:
    """Returns a session with the project's time limits; the caller closes it.  Needs a running loop."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=300),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=READ_SECONDS),
        headers={"User-Agent": f"engine/{__version__}"},
        # Looking a host up in netrc takes a thread's turn for each request; proxies are known without that.
        trust_env=any(name.lower().endswith("_proxy") for name in os.environ),
        read_bufsize=1 << 18,
    )


def describe(error: aiohttp.ClientError) -> str:
    """Returns one line on what a server did wrong, without the address: that may hold credentials."""
    message = str(getattr(error, "message", "")) or type(error).__name__
    return message.splitlines()[0]


async def ask(session: aiohttp.ClientSession, url: str) -> Answer:
    """Asks for a page once.

    Args:
        session: from `open_session`.
        url: absolute URL of the page.

    Raises:
        Interrupted: when the transport failed in a way that may pass.
        IndexUnavailable: when it failed for good.
        InvalidPage: when the body is too large.
    """
    shown = without_credentials(url)
    try:
        async with session.get(url, headers={"Accept": ACCEPT, "Accept-Encoding": "gzip"}) as response:
            return Answer(
                response.status,
                response.reason or "",
                str(response.url),
                response.content_type,
                response.headers.get("Content-Encoding", "").lower() == "gzip",
                response.headers.get("Cache-Control"),
                response.headers.get("Age"),
                await _body(response) if response.status == 200 else b"",
            )
    except aiohttp.InvalidURL as exc:
        raise IndexUnavailable(f"{shown} is not a URL", hint="check --index-url") from exc
    except aiohttp.ClientSSLError as exc:
        raise IndexUnavailable(
            f"cannot fetch {shown}: {exc}", hint="SSL_CERT_FILE names the authorities to trust"
        ) from exc
    except TRANSIENT as exc:
        raise Interrupted(str(exc) or type(exc).__name__) from exc
    except aiohttp.ClientError as exc:
        raise IndexUnavailable(f"cannot fetch {shown}: {describe(exc)}") from exc


async def _body(response: aiohttp.ClientResponse) -> bytes:
    shown = without_credentials(str(response.url))
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > PAGE_BYTES:
            raise InvalidPage(f"{shown} is larger than {PAGE_BYTES >> 20} MiB")
    return bytes(body)


class Network:
    """What a run asks and downloads with: one session, and questions asked before they are known to be needed.

    An early question is asked once, without retries; whoever needs the page takes
    the answer or what went wrong.  A wrong guess costs bytes and nothing else.

    Args:
        group: owns the tasks of early questions.
    """

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._session: aiohttp.ClientSession | None = None
        self._early: dict[str, asyncio.Task[Answer | Exception]] = {}
        self._limit = asyncio.Semaphore(PAGES)

    @property
    def session(self) -> aiohttp.ClientSession:
        """The session, opened on first use."""
        if self._session is None:
            self._session = open_session()
        return self._session

    def ask_early(self, urls: Iterable[str]) -> None:
        """Starts asking for pages."""
        for url in urls:
            self._early[url] = self._group.create_task(self._ask_once(url))

    async def _ask_once(self, url: str) -> Answer | Exception:
        async with self._limit:
            try:
                return await ask(self.session, url)
            except Exception as exc:
                return exc

    async def ask(self, url: str) -> Answer:
        """Returns the answer about a page, an early one if there is one.

        Raises:
            Interrupted: as the function `ask`.
            IndexUnavailable: as the function `ask`.
            InvalidPage: as the function `ask`.
        """
        early = self._early.pop(url, None)
        if early is None:
            return await ask(self.session, url)
        answer = await early
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def close(self) -> None:
        """Ends questions whose answers nobody took, and the session."""
        for task in self._early.values():
            task.cancel()
        if self._session is not None:
            await self._session.close()
