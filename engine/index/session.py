"""Careful requests: with credentials, redirects, proxies, and what went wrong in words.

One of the two homes of aiohttp, which takes 60 ms to import; so this is imported by whoever asks
first in a way that needs it.  Owns one request at a time, its time limits and its redirects.  Does not
repeat it: that is for the callers and their `RetryBudget`.

Source: RFC 9110.
"""

import asyncio
import os
import ssl
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from engine.credentials import without_credentials
from engine.errors import AccessRefused, IndexUnavailable, InvalidPage
from engine.index.client import REFUSED_STATUS, TRANSIENT_STATUS, Answer, Purpose
from engine.index.freshness import Freshness
from engine.index.headers import PAGE_FIELDS, USER_AGENT
from engine.limits import PAGE_BYTES
from engine.network.credentials import CredentialStore
from engine.network.interrupted import DRIPS, SERVER_FAILS, Interrupted
from engine.network.origin import Credentials, Origin, split_credentials
from engine.network.pace import Pace
from engine.network.proxies import Proxies, Proxy
from engine.network.redirects import REDIRECT_STATUS, follow, refuse_link_local
from engine.network.refused import refused, refused_by_proxy
from engine.network.retry import retry_after_seconds
from engine.network.trust import Trust, explain, nothing_to_read

with nothing_to_read():
    import aiohttp

#: What a transport does that may be over in a moment.
TRANSIENT = (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError)

#: What the end of a connection looks like while a body comes.
_ENDED = (aiohttp.ClientPayloadError, aiohttp.ClientOSError, aiohttp.ServerDisconnectedError)

#: What a careful question is answered with.
Response = aiohttp.ClientResponse

_VERBS = {"page": "cannot fetch", "file": "cannot download"}


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


class CarefulFile:
    """An answer about a file, and its body as it comes; as `engine.network.plain_files.PlainFile`."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.status = response.status
        self.reason = response.reason or ""
        self.headers: Mapping[str, str] = response.headers
        self.content_length = response.content_length
        self.url = str(response.url)
        # Not `iter_any`, which joins what has come: that costs as much as the TLS.
        self._content = response.content
        self._chunks = response.content.iter_chunks()

    async def read(self) -> list[bytes]:
        """Returns what has come, nothing at the end."""
        async for chunk, _ in self._chunks:
            if chunk:
                return [chunk]
            if self._content.at_eof():
                break
        return []


class Session:
    """What careful requests of a run are made with.

    Args:
        trust: the TLS settings.
        credentials: who the run says it is.
        proxies: through whom it asks.
        patience_seconds: how long a connection may take, and how long a server may be silent.
    """

    def __init__(
        self, trust: Trust, credentials: CredentialStore, proxies: Proxies, patience_seconds: tuple[float, float]
    ) -> None:
        self._trust = trust
        self._credentials = credentials
        self._proxies = proxies
        self._connect_seconds, self._read_seconds = patience_seconds
        self._session: aiohttp.ClientSession | None = None
        self._far_hosts: set[str] = set()

    async def close(self) -> None:
        """Ends all connections."""
        if self._session is not None:
            await self._session.close()

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

    @asynccontextmanager
    async def request(
        self, url: str, *, headers: Mapping[str, str] | None = None, purpose: Purpose = "page", moved: str | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Asks once, and gives the answer to the body of an `async with`; redirects are followed.

        The answer may have any status but those that the errors below are about.  What goes wrong
        with it while its body is read is told by the same errors.

        Args:
            url: absolute URL of http or https.
            headers: of the request.
            purpose: what is asked for.
            moved: where the server has redirected us to already.

        Raises:
            Interrupted: when it failed in a way that may pass.
            AccessRefused: when the server does not let us.
            IndexUnavailable: when it failed for good.
        """
        what = f"{_VERBS[purpose]} {without_credentials(url)}"
        try:
            response, proxy = await self._follow(url, headers or {}, what, moved)
            async with response:
                if response.status in TRANSIENT_STATUS:
                    wait = retry_after_seconds(response.headers.get("Retry-After"), time.time())
                    through = f" through the proxy {proxy}" if proxy is not None else ""
                    hint = SERVER_FAILS if response.status >= 500 and not through else None
                    raise Interrupted(f"HTTP {response.status}{through}", wait, hint=hint)
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

    @asynccontextmanager
    async def file(
        self, url: str, headers: Mapping[str, str], *, moved: str | None = None
    ) -> "AsyncIterator[CarefulFile]":
        """Asks for a file once; arguments and errors as for `request`."""
        async with self.request(url, headers=headers, purpose="file", moved=moved) as response:
            yield CarefulFile(response)

    async def page(self, url: str, stored: Freshness | None, pace: Pace, *, moved: str | None = None) -> Answer:
        """Returns the answer about a page.

        Args:
            url: absolute URL of the page.
            stored: of the page in the cache, if there is one.
            pace: watches the body.
            moved: where its server has said that it is, if it has.

        Raises:
            Interrupted, AccessRefused, IndexUnavailable: as `request`.
            InvalidPage: when the body is too large, or encoded in a way that nobody asked for.
        """
        headers = {**PAGE_FIELDS, **(stored.conditions() if stored else {})}
        async with self.request(url, headers=headers, moved=moved) as response:
            unchanged = stored is not None and response.status == 304
            freshness = (stored.renewed if stored and unchanged else Freshness.of)(response.headers, time.time())
            return Answer(
                response.status,
                response.reason or "",
                str(response.url),
                response.content_type,
                _is_gzipped(response),
                freshness,
                await _body(response, pace) if response.status == 200 else b"",
                unchanged,
            )

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
        self, url: str, headers: Mapping[str, str], what: str, moved: str | None
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
            location, moved = moved, None
            if location is None:
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
        credentials = self._credentials.find(url, origin, own)
        response = await self._get(url, origin, credentials, proxy, headers, what)
        if response.status in (401, 403):
            found = await self._credentials.find_after_refusal(url, origin, credentials)
            if found is not None:
                response.release()
                credentials = found
                response = await self._get(url, origin, credentials, proxy, headers, what)
        if response.status in REFUSED_STATUS:
            response.release()
            said = f"{what}: HTTP {response.status} {response.reason or ''}".rstrip()
            raise refused(said, response.status, credentials, proxy)
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
                settings = self._trust.context(encrypted)
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
        except (OSError, UnicodeError):
            return  # whoever asks there is told
        refuse_link_local(url, target, (str(address[4][0]) for address in found))
        self._far_hosts.add(origin.host)


def _proxy_auth(proxy: Proxy | None) -> aiohttp.BasicAuth | None:
    if proxy is None or proxy.credentials is None:
        return None
    return aiohttp.BasicAuth(proxy.credentials.username, proxy.credentials.password or "", "utf-8")


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
            return refused_by_proxy(f"{what}: {reason}", proxy)
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
