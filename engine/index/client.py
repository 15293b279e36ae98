"""The HTTP session, and one question at a time: to an index, or for a file.

One of the two homes of aiohttp.  Owns the request: its time limits, credentials
and redirects, and what went wrong with it in words.  Does not repeat it: that is
for the callers and their `RetryBudget`; what an answer means is for
`engine.index.pages`.  Imports no more than aiohttp needs: the first questions
are asked before anything else is loaded.

Source: PEP 691, "Content negotiation"; RFC 9110.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Literal, NamedTuple

import aiohttp

from engine import __version__
from engine.credentials import without_credentials
from engine.errors import AccessRefused, IndexUnavailable, InvalidPage
from engine.limits import CONNECT_SECONDS, PAGE_BYTES, PAGES, READ_SECONDS
from engine.network.credentials import CredentialStore
from engine.network.origin import Credentials, Origin, split_credentials
from engine.network.redirects import REDIRECT_STATUS, follow, refuse_link_local
from engine.network.retry import RetryBudget, retry_after_seconds
from engine.options import IndexLocation, NetworkOptions
from engine.recording import Recorder, timed

ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"

#: What a transport does that may be over in a moment.
TRANSIENT = (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError)

#: What an overloaded server says that may be over in a moment.
TRANSIENT_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})

#: What a server says to somebody whom it does not know, or does not want.
REFUSED_STATUS = frozenset({401, 403, 407})

#: What is asked for.
Purpose = Literal["page", "file"]

_VERBS = {"page": "cannot fetch", "file": "cannot download"}


class Interrupted(Exception):
    """A question failed in a way that may pass; `str()` says how.

    Attributes:
        retry_after_seconds: how long the server asks to be left alone, or None.
    """

    def __init__(self, reason: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after_seconds = retry_after_seconds


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


def describe(error: aiohttp.ClientError) -> str:
    """Returns one line on what a server did wrong, without the address: that may hold credentials."""
    message = str(getattr(error, "message", "")) or type(error).__name__
    return message.splitlines()[0]


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
        options: how to use the network.
        environ: the environment variables.
        recorder: learns when pages are asked for, or None.

    Attributes:
        budget: what the run may spend on trying again.
        credentials: who the run says it is.
    """

    def __init__(
        self,
        group: asyncio.TaskGroup,
        options: NetworkOptions,
        environ: Mapping[str, str],
        recorder: Recorder | None = None,
    ) -> None:
        self.budget = RetryBudget() if options.retries is None else RetryBudget(options.retries)
        self.credentials = CredentialStore()
        self._recorder = recorder
        self._group = group
        self._read_seconds = options.timeout_seconds or READ_SECONDS
        self._connect_seconds = options.connect_timeout_seconds or options.timeout_seconds or CONNECT_SECONDS
        self._proxied = any(name.lower().endswith("_proxy") for name in environ)
        self._session: aiohttp.ClientSession | None = None
        self._early: dict[str, asyncio.Task[Answer | Exception]] = {}
        self._limit = asyncio.Semaphore(PAGES)
        self._far_hosts: set[str] = set()

    def know(self, locations: Iterable[IndexLocation]) -> None:
        """Learns which indexes there are, for their credentials."""
        for location in locations:
            self.credentials.know_index(location.url, location.name)

    def _open(self) -> aiohttp.ClientSession:
        """Returns the session, opened on first use."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=300),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(
                    total=None, sock_connect=self._connect_seconds, sock_read=self._read_seconds
                ),
                headers={"User-Agent": f"engine/{__version__}"},
                # Looking a host up in netrc takes a thread's turn for each request; proxies are known without that.
                trust_env=self._proxied,
                read_bufsize=1 << 18,
            )
        return self._session

    # -- one request -----------------------------------------------------------

    @asynccontextmanager
    async def request(
        self, url: str, *, headers: Mapping[str, str] | None = None, purpose: Purpose = "page"
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Asks once, and gives the answer to the body of an `async with`; redirects are followed.

        The answer may have any status but those that the errors below are about.  What goes wrong
        with it while its body is read is told by the same errors.

        Args:
            url: absolute URL of http or https.
            headers: of the request.
            purpose: what is asked for.

        Raises:
            Interrupted: when it failed in a way that may pass.
            AccessRefused: when the server does not let us.
            IndexUnavailable: when it failed for good.
        """
        what = f"{_VERBS[purpose]} {without_credentials(url)}"
        try:
            async with await self._follow(url, headers or {}) as response:
                if response.status in TRANSIENT_STATUS:
                    wait = retry_after_seconds(response.headers.get("Retry-After"), time.time())
                    raise Interrupted(f"HTTP {response.status}", wait)
                if response.status in REFUSED_STATUS:
                    raise AccessRefused(f"{what}: HTTP {response.status} {response.reason}", status=response.status)
                yield response
        except (aiohttp.InvalidURL, _NotAURL) as exc:
            raise IndexUnavailable(f"{what}: it is not a URL of http or https") from exc
        except aiohttp.ClientSSLError as exc:
            raise IndexUnavailable(f"{what}: {exc}", hint="SSL_CERT_FILE names the authorities to trust") from exc
        except TRANSIENT as exc:
            raise Interrupted(str(exc) or "no answer in time") from exc
        except aiohttp.ClientError as exc:
            raise IndexUnavailable(f"{what}: {describe(exc)}") from exc

    async def _follow(self, url: str, headers: Mapping[str, str]) -> aiohttp.ClientResponse:
        """Returns the first answer that is no redirect."""
        visited: list[str] = []
        while True:
            try:
                clean, own = split_credentials(url)
                origin = Origin.parse(clean)
            except ValueError as exc:
                raise _NotAURL from exc
            response = await self._get(clean, own or self.credentials.find(clean, origin), headers)
            location = response.headers.get("Location")
            if response.status not in REDIRECT_STATUS or location is None:
                return response
            response.release()
            visited.append(clean.partition("#")[0])
            url = follow(clean, location, visited)
            await self._refuse_link_local(clean, url)

    async def _get(
        self, url: str, credentials: Credentials | None, headers: Mapping[str, str]
    ) -> aiohttp.ClientResponse:
        if credentials is not None:
            headers = {**headers, "Authorization": credentials.header()}
        # The session's limits are about silence; a server that says its headers letter by letter is not silent.
        async with asyncio.timeout(self._connect_seconds + self._read_seconds):
            return await self._open().get(url, headers=headers, allow_redirects=False)

    async def _refuse_link_local(self, url: str, target: str) -> None:
        """Looks up where a redirect leads, once for each host; with a proxy it is the proxy that looks it up."""
        origin = Origin.parse(split_credentials(target)[0])
        if self._proxied or origin.host in self._far_hosts or origin.host == Origin.parse(url).host:
            return
        try:
            found = await asyncio.get_running_loop().getaddrinfo(origin.host, origin.port)
        except OSError:
            return  # whoever asks there is told
        refuse_link_local(url, target, (str(address[4][0]) for address in found))
        self._far_hosts.add(origin.host)

    # -- pages -----------------------------------------------------------------

    def ask_early(self, urls: Iterable[str]) -> None:
        """Starts asking for pages."""
        for url in urls:
            self._early[url] = self._group.create_task(self._ask_early(url))

    async def _ask_early(self, url: str) -> Answer | Exception:
        async with self._limit:
            try:
                return await self._ask_once(url)
            except Exception as exc:
                return exc

    async def ask(self, url: str) -> Answer:
        """Returns the answer about a page, an early one if there is one.

        Args:
            url: absolute URL of the page.

        Raises:
            Interrupted: as `request`.
            IndexUnavailable: as `request`.
            InvalidPage: when the body is too large.
        """
        early = self._early.pop(url, None)
        if early is None:
            return await self._ask_once(url)
        answer = await early
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def _ask_once(self, url: str) -> Answer:
        with timed(self._recorder, "page", without_credentials(url)) as details:
            async with self.request(url, headers={"Accept": ACCEPT, "Accept-Encoding": "gzip"}) as response:
                answer = Answer(
                    response.status,
                    response.reason or "",
                    str(response.url),
                    response.content_type,
                    response.headers.get("Content-Encoding", "").lower() == "gzip",
                    response.headers.get("Cache-Control"),
                    response.headers.get("Age"),
                    await _body(response) if response.status == 200 else b"",
                )
            details.update(status=answer.status, bytes=len(answer.body))
            return answer

    async def close(self) -> None:
        """Ends questions whose answers nobody took, and the session."""
        for task in self._early.values():
            task.cancel()
        if self._session is not None:
            await self._session.close()


class _NotAURL(Exception):
    """What was to be asked for is no URL."""
