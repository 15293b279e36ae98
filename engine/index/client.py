"""The HTTP session, and one question at a time: to an index, or for a file.

One of the two homes of aiohttp.  Owns the request: its time limits, credentials
and redirects, and what went wrong with it in words.  Does not repeat it: that is
for the callers and their `RetryBudget`; what an answer means is for
`engine.index.pages`.  Imports no more than aiohttp needs: the first questions
are asked before anything else is loaded.

Source: PEP 691, "Content negotiation"; RFC 9110.
"""

import asyncio
import os
import ssl
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Literal, NamedTuple

from engine import __version__
from engine.credentials import without_credentials
from engine.errors import AccessRefused, IndexUnavailable, InvalidPage
from engine.index.freshness import Freshness
from engine.limits import CONNECT_SECONDS, PAGE_BYTES, PAGES, READ_SECONDS, RETRY_SECONDS
from engine.locations import IndexLocation
from engine.network.credentials import CredentialStore
from engine.network.origin import Credentials, Origin, split_credentials
from engine.network.pace import Pace
from engine.network.proxies import Proxies, Proxy
from engine.network.redirects import REDIRECT_STATUS, follow, refuse_link_local
from engine.network.retry import RetryBudget, retry_after_seconds
from engine.network.trust import Trust, explain, nothing_to_read
from engine.options import NetworkOptions
from engine.recording import Recorder, timed

with nothing_to_read():
    import aiohttp

ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"

USER_AGENT = f"engine/{__version__}"

#: What a transport does that may be over in a moment.
TRANSIENT = (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError)

#: What the end of a connection looks like while a body comes.
_ENDED = (aiohttp.ClientPayloadError, aiohttp.ClientOSError, aiohttp.ServerDisconnectedError)

#: What an overloaded server says that may be over in a moment.
TRANSIENT_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})

#: What a server says to somebody whom it does not know, or does not want.
REFUSED_STATUS = frozenset({401, 403, 407})

#: What went wrong with a body that hardly moves.
DRIPS = "the server hardly sends anything"

#: What is asked for.
Purpose = Literal["page", "file"]

_VERBS = {"page": "cannot fetch", "file": "cannot download"}


class Interrupted(Exception):
    """A question failed in a way that may pass; `str()` says how.

    Attributes:
        retry_after_seconds: how long the server asks to be left alone, or None.
        hint: what the user can do about it, or None.
        server_wide: as in `IndexUnavailable`.
    """

    def __init__(
        self,
        reason: str,
        retry_after_seconds: float | None = None,
        *,
        hint: str | None = None,
        server_wide: bool = False,
    ) -> None:
        super().__init__(reason)
        self.retry_after_seconds = retry_after_seconds
        self.hint = hint
        self.server_wide = server_wide

    def given_up(self, what: str, attempts: int, hint: str | None = None) -> IndexUnavailable:
        """Returns the error that it is when nobody tries again.

        Args:
            what: what could not be done, and the address without credentials.
            attempts: how often it was tried.
            hint: what helps where nothing better is known.
        """
        reason = f"{self} ({attempts} attempts)" if attempts > 1 else str(self)
        hint = self.hint or hint
        if (wait := self.retry_after_seconds) is not None and wait > RETRY_SECONDS:
            reason += (
                f"; the server asks to be left alone for {wait:.0f} seconds, and a run waits {RETRY_SECONDS} in all"
            )
            hint = "try again after that time"
        error = IndexUnavailable(f"{what}: {reason}", hint=hint)
        error.server_wide = self.server_wide
        return error


class _Dropped(aiohttp.ClientConnectionError):
    """A connection broke before the answer; aiohttp, which would ask again by itself, does not know this class."""


async def _ask_no_more_than_once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keeps aiohttp from repeating what failed on a connection, new or kept: a `RetryBudget` knows nothing of it."""
    try:
        return await handler(request)
    except (aiohttp.ClientConnectorError, TimeoutError):
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as exc:
        raise _Dropped(_dropped(exc)) from exc


def _dropped(error: aiohttp.ClientError) -> str:
    number = getattr(error, "errno", None)
    return (
        f"the connection broke: {os.strerror(number).lower()}"
        if isinstance(number, int) and number > 0
        else "the server closed the connection without an answer"
    )


class Answer(NamedTuple):
    """What an index answered.

    `url` is where the answer came from after redirects, `kind` its media type,
    `freshness` says for how long it holds, or None where it must not be stored,
    `body` is as it was sent: compressed where `gzipped` says so.  `stored` where
    the stored page still holds, or has to do because of a `failure`; then there is no body.
    """

    status: int
    reason: str
    url: str
    kind: str
    gzipped: bool
    freshness: Freshness | None
    body: bytes
    stored: bool = False
    failure: IndexUnavailable | None = None


def describe(error: aiohttp.ClientError) -> str:
    """Returns one line on what a server did wrong, without the address: that may hold credentials."""
    message = str(getattr(error, "message", "")) or type(error).__name__
    return message.splitlines()[0]


def _is_gzipped(response: aiohttp.ClientResponse) -> bool:
    coding = response.headers.get("Content-Encoding", "").strip().lower()
    if coding not in ("", "identity", "gzip", "x-gzip"):
        shown = without_credentials(str(response.url))
        raise InvalidPage(f"{shown} is encoded in {coding:.40}, which was not asked for")
    return coding.endswith("gzip")


async def _body(response: aiohttp.ClientResponse, pace: Pace) -> bytes:
    shown = without_credentials(str(response.url))
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if pace.is_too_slow(len(chunk)):
            raise Interrupted(DRIPS)
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
        trust: the TLS settings, or None to make them of `options` and `environ`.

    Attributes:
        budget: what the run may spend on trying again.
        credentials: who the run says it is.
        trust: the TLS settings.
    """

    def __init__(
        self,
        group: asyncio.TaskGroup,
        options: NetworkOptions,
        environ: Mapping[str, str],
        recorder: Recorder | None = None,
        trust: Trust | None = None,
    ) -> None:
        self.budget = RetryBudget() if options.retries is None else RetryBudget(options.retries)
        self.credentials = CredentialStore(environ, options.keyring_provider)
        self.trust = trust or Trust(options, environ)
        self._proxies = Proxies(options.proxy, environ)
        self._recorder = recorder
        self._group = group
        self._read_seconds = options.timeout_seconds or READ_SECONDS
        self._connect_seconds = options.connect_timeout_seconds or options.timeout_seconds or CONNECT_SECONDS
        self._session: aiohttp.ClientSession | None = None
        self._early: dict[str, asyncio.Task[Answer | Exception]] = {}
        self._limit = asyncio.Semaphore(PAGES)
        self._far_hosts: set[str] = set()

    def pace(self) -> Pace:
        """Returns what watches the pace of one body; it starts now."""
        return Pace(self._read_seconds)

    @property
    def warnings(self) -> list[str]:
        """Lines for the user; callers may add theirs."""
        return self.credentials.warnings

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
                headers={"User-Agent": USER_AGENT},
                read_bufsize=1 << 18,
                middlewares=(_ask_no_more_than_once,),
            )
        return self._session

    @property
    def patience_seconds(self) -> tuple[float, float]:
        """How long a connection may take, and how long a server may be silent."""
        return self._connect_seconds, self._read_seconds

    def is_anonymous(self, url: str, origin: Origin) -> bool:
        """Tells whether a URL is asked for directly and by nobody in particular, as far as is known by now."""
        return self._proxies.find(origin) is None and self.credentials.find(url, origin) is None

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
            response, proxy = await self._follow(url, headers or {}, what)
            async with response:
                if response.status in TRANSIENT_STATUS:
                    wait = retry_after_seconds(response.headers.get("Retry-After"), time.time())
                    through = f" through the proxy {proxy}" if proxy is not None else ""
                    raise Interrupted(f"HTTP {response.status}{through}", wait)
                try:
                    yield response
                except _ENDED as exc:
                    raise Interrupted(_cut(response)) from exc
        except (aiohttp.InvalidURL, _NotAURL) as exc:
            raise IndexUnavailable(f"{what}: it is not a URL of http or https") from exc
        except TimeoutError as exc:
            raise self._silence(exc, None) from exc
        except aiohttp.ClientError as exc:
            raise _explained(exc, what, None) from exc

    def _silence(self, error: TimeoutError, proxy: Proxy | None) -> Interrupted:
        """Returns in words which of the time limits has passed."""
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            to = f" to the proxy {proxy}" if proxy is not None else ""
            return Interrupted(
                f"no connection{to} within {self._connect_seconds:g} seconds",
                hint="check the address and the network; --connect-timeout waits longer",
                server_wide=True,
            )
        if isinstance(error, aiohttp.SocketTimeoutError):
            reason = f"not a byte came for {self._read_seconds:g} seconds"
        else:
            reason = f"no answer within {self._connect_seconds + self._read_seconds:g} seconds"
        return Interrupted(reason, hint="--timeout waits longer, --retries tries more often")

    async def _follow(
        self, url: str, headers: Mapping[str, str], what: str
    ) -> tuple[aiohttp.ClientResponse, Proxy | None]:
        """Returns the first answer that is no redirect, and the proxy that it came through."""
        visited: list[str] = []
        while True:
            try:
                clean, own = split_credentials(url)
                origin = Origin.parse(clean)
            except ValueError as exc:
                raise _NotAURL from exc
            proxy = self._proxies.find(origin)
            response = await self._identified(clean, origin, own, proxy, headers, what)
            location = response.headers.get("Location")
            if response.status not in REDIRECT_STATUS or location is None:
                return response, proxy
            response.release()
            visited.append(clean.partition("#")[0])
            url = follow(clean, location, visited)
            await self._refuse_link_local(clean, url)

    async def _identified(
        self,
        url: str,
        origin: Origin,
        own: Credentials | None,
        proxy: Proxy | None,
        headers: Mapping[str, str],
        what: str,
    ) -> aiohttp.ClientResponse:
        """Returns an answer to whoever we can say that we are.

        Raises:
            AccessRefused: when that is not enough.
        """
        credentials = self.credentials.find(url, origin, own)
        response = await self._get(url, origin, credentials, proxy, headers, what)
        if response.status in (401, 403):
            found = await self.credentials.find_after_refusal(url, origin, credentials)
            if found is not None:
                response.release()
                credentials = found
                response = await self._get(url, origin, credentials, proxy, headers, what)
        if response.status in REFUSED_STATUS:
            response.release()
            said = f"{what}: HTTP {response.status} {response.reason or ''}".rstrip()
            raise _refused(said, response.status, credentials, proxy)
        return response

    async def _get(
        self,
        url: str,
        origin: Origin,
        credentials: Credentials | None,
        proxy: Proxy | None,
        headers: Mapping[str, str],
        what: str,
    ) -> aiohttp.ClientResponse:
        if credentials is not None:
            headers = {**headers, "Authorization": credentials.header()}
        settings: ssl.SSLContext | bool = True
        for encrypted in (origin, Origin.parse(proxy.url) if proxy is not None else origin):
            if encrypted.scheme == "https":
                settings = self.trust.context(encrypted)
                break
        # The session's limits are about silence; a server that says its headers letter by letter is not silent.
        async with asyncio.timeout(self._connect_seconds + self._read_seconds):
            try:
                return await self._open().get(
                    url,
                    headers=headers,
                    allow_redirects=False,
                    ssl=settings,
                    proxy=proxy.url if proxy is not None else None,
                    proxy_auth=_proxy_auth(proxy),
                )
            except aiohttp.InvalidURL:
                raise
            except TimeoutError as exc:
                raise self._silence(exc, proxy) from exc
            except aiohttp.ClientError as exc:
                raise _explained(exc, what, proxy) from exc

    async def _refuse_link_local(self, url: str, target: str) -> None:
        """Looks up where a redirect leads, once for each host; with a proxy it is the proxy that looks it up."""
        origin = Origin.parse(split_credentials(target)[0])
        if origin.host in self._far_hosts or origin.host == Origin.parse(url).host or self._proxies.find(origin):
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

    async def ask(self, url: str, stored: Freshness | None = None) -> Answer:
        """Returns the answer about a page, an early one if there is one.

        Args:
            url: absolute URL of the page.
            stored: of the page in the cache, if there is one.

        Raises:
            Interrupted: as `request`.
            IndexUnavailable: as `request`.
            InvalidPage: when the body is too large.
        """
        early = self._early.pop(url, None)
        if early is None:
            return await self._ask_once(url, stored)
        answer = await early
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def _ask_once(self, url: str, stored: Freshness | None = None) -> Answer:
        headers = {"Accept": ACCEPT, "Accept-Encoding": "gzip", **(stored.conditions() if stored else {})}
        with timed(self._recorder, "page", without_credentials(url)) as details:
            async with self.request(url, headers=headers) as response:
                unchanged = stored is not None and response.status == 304
                freshness = (stored.renewed if stored and unchanged else Freshness.of)(response.headers, time.time())
                answer = Answer(
                    response.status,
                    response.reason or "",
                    str(response.url),
                    response.content_type,
                    _is_gzipped(response),
                    freshness,
                    await _body(response, self.pace()) if response.status == 200 else b"",
                    unchanged,
                )
            details.update(status=answer.status, bytes=len(answer.body))
            return answer

    async def close(self) -> None:
        """Ends questions whose answers nobody took, and the session."""
        for task in self._early.values():
            task.cancel()
        if self._session is not None:
            await self._session.close()


def _proxy_auth(proxy: Proxy | None) -> aiohttp.BasicAuth | None:
    if proxy is None or proxy.credentials is None:
        return None
    return aiohttp.BasicAuth(proxy.credentials.username, proxy.credentials.password or "", "utf-8")


def _refused(said: str, status: int, credentials: Credentials | None, proxy: Proxy | None) -> AccessRefused:
    if status == 407 and proxy is not None:
        return _refused_by_proxy(said, proxy)
    if credentials is None:
        hint = (
            "give a name and password in the URL, in ENGINE_INDEX_<NAME>_USERNAME and _PASSWORD or in netrc; "
            "for a name alone, or with --keyring-provider subprocess, keyring is asked"
        )
    elif credentials.password is None:
        hint = (
            f"the server does not take the name that comes from {credentials.source}, and no password is known for it: "
            "give one there, in netrc or by keyring"
        )
    else:
        hint = f"the server does not take the name and password that come from {credentials.source}"
    return AccessRefused(said, hint=hint, status=status)


def _refused_by_proxy(said: str, proxy: Proxy) -> AccessRefused:
    if proxy.credentials is None:
        hint = f"the proxy {proxy} wants a name and a password: http://name:password@host"
    else:
        hint = f"the proxy {proxy} does not take the name and password that it was given there"
    error = AccessRefused(said, hint=hint, status=407)
    error.server_wide = True
    return error


def _cut(response: aiohttp.ClientResponse) -> str:
    received, promised = response.content.total_bytes, response.content_length
    return f"the connection ended after {received} {f'of {promised} ' if promised else ''}bytes"


def _explained(error: aiohttp.ClientError, what: str, proxy: Proxy | None) -> Interrupted | IndexUnavailable:
    """Returns what a failed request means: that it may be repeated, or not."""
    if isinstance(error, aiohttp.ClientHttpProxyError) and proxy is not None:
        reason = f"the proxy {proxy} answers with HTTP {error.status}"
        if error.status in TRANSIENT_STATUS:
            return Interrupted(reason, hint="check the proxy", server_wide=True)
        if error.status == 407:
            return _refused_by_proxy(f"{what}: {reason}", proxy)
        return AccessRefused(f"{what}: {reason}", hint="check the proxy, and what it allows", status=error.status)
    causes = error.__cause__, getattr(error.__cause__, "__cause__", None)
    for cause in (getattr(error, "certificate_error", None), getattr(error, "os_error", None), *causes):
        if isinstance(cause, ssl.SSLError):
            reason, hint = explain(cause)
            failure = IndexUnavailable(f"{what}: {reason}", hint=hint)
            failure.server_wide = True
            return failure
    if isinstance(error, aiohttp.ClientConnectorError):
        if proxy is not None:
            reason = f"the proxy {proxy} cannot be reached: {_unreachable(error)}"
            return Interrupted(reason, hint="check the proxy, or do without it", server_wide=True)
        return Interrupted(_unreachable(error), server_wide=True)
    if isinstance(error, TRANSIENT):
        return Interrupted(str(error) if isinstance(error, _Dropped) else "the connection broke")
    return IndexUnavailable(f"{what}: {describe(error)}")


def _unreachable(error: aiohttp.ClientConnectorError) -> str:
    """Returns in words why there is no connection."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"the name {error.host} cannot be resolved"
    number = error.os_error.errno
    return os.strerror(number).lower() if number is not None and number > 0 else "there is no connection"


class _NotAURL(Exception):
    """What was to be asked for is no URL."""
