"""The HTTP session, and project pages from the index with their cache.

One of the two homes of aiohttp.  Owns TLS settings, retries of pages and the
page cache; does not choose files and does not download wheels.

Source: PEP 691, "Content negotiation"; PEP 503.
"""

import hashlib
import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import aiohttp
import anyio
from packaging.utils import NormalizedName

from cache.records import RecordStore
from engine import __version__
from engine.credentials import without_credentials
from engine.errors import IndexUnavailable, InvalidPage, Offline, ProjectNotFound
from engine.index.freshness import lifetime_seconds
from engine.limits import PAGE_BYTES, PAGES

if TYPE_CHECKING:
    from engine.index.page import ProjectPage

try:
    from isal import isal_zlib as zlib_
except ImportError:
    import zlib as zlib_  # type: ignore[no-redef]

_DECOMPRESSION_ERROR: type[Exception] = zlib_.error  # type: ignore[assignment,unused-ignore]  # its stub says otherwise

ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"
JSON_TYPE = "application/vnd.pypi.simple.v1+json"

#: Seconds: for a connection, and between two pieces of a body.
CONNECT_SECONDS = 15
READ_SECONDS = 30
ATTEMPTS = 4

#: What a transport or an overloaded server does that may be over in a moment.
TRANSIENT = (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError)
TRANSIENT_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})


def open_session() -> aiohttp.ClientSession:
    """Returns a session with the project's time limits; the caller closes it."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=300),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=READ_SECONDS),
        headers={"User-Agent": f"engine/{__version__}"},
        trust_env=True,
        read_bufsize=1 << 18,
    )


async def pause(attempt: int) -> None:
    """Waits before another attempt: full jitter over a doubling bound, 0.2 s at first."""
    await anyio.sleep(random.uniform(0, 0.2 * 2**attempt))


def describe(error: aiohttp.ClientError) -> str:
    """Returns one line on what a server did wrong, without the address: that may hold credentials."""
    message = str(getattr(error, "message", "")) or type(error).__name__
    return message.splitlines()[0]


class IndexClient:
    """Project pages of one index.

    Args:
        url: the index, such as `https://example.com/simple/`.
        records: the cache's `index-v1` bucket.
        session: opens the HTTP session on first use.
        offline: never ask; a page that was stored is good enough, however old.
    """

    def __init__(
        self, url: str, *, records: RecordStore, session: Callable[[], aiohttp.ClientSession], offline: bool
    ) -> None:
        self.url = url.rstrip("/") + "/"
        self._records = records
        self._session = session
        self._offline = offline
        self._limit = anyio.CapacityLimiter(PAGES)
        self._key = hashlib.sha256(self.url.encode(), usedforsecurity=False).hexdigest()[:20]

    def stored(self, project: NormalizedName) -> "tuple[ProjectPage, bool] | None":
        """Returns the page that the cache has, and whether it is fresh.  No network."""
        from engine.index.page import ProjectPage

        data = self._records.get(f"{self._key}/{project}")
        if data is None or len(data) < 8:
            return None
        page = ProjectPage.unpack(data[8:])
        if page is None:
            return None
        return page, time.time() < int.from_bytes(data[:8], "big")

    async def fetch(self, project: NormalizedName) -> "ProjectPage":
        """Asks the index for a page, and stores it for as long as the index says.

        Raises:
            ProjectNotFound: when the index has no such project.
            IndexUnavailable: when it cannot be reached or keeps failing.
            InvalidPage: when the answer is not a project page.
            Offline: when asking is forbidden.
        """
        url = f"{self.url}{project}/"
        if self._offline:
            raise Offline(f"the page of {project} is not in the cache", hint="run once without --offline")
        async with self._limit:
            for attempt in range(ATTEMPTS):
                try:
                    page = await self._ask(url, project)
                except TRANSIENT as exc:
                    reason = str(exc) or type(exc).__name__
                else:
                    if not isinstance(page, int):
                        return page
                    reason = f"HTTP {page}"
                if attempt + 1 < ATTEMPTS:
                    await pause(attempt)
        raise IndexUnavailable(
            f"cannot fetch {without_credentials(url)}: {reason}",
            hint="check --index-url and the network; --offline uses the cache alone",
        )

    async def _ask(self, url: str, project: NormalizedName) -> "ProjectPage | int":
        """Returns the page, or the status of a failure that may pass."""
        try:
            async with self._session().get(url, headers={"Accept": ACCEPT, "Accept-Encoding": "gzip"}) as response:
                if response.status == 404:
                    raise ProjectNotFound(f"{without_credentials(self.url)} has no project {project}")
                if response.status in TRANSIENT_STATUS:
                    return response.status
                if response.status != 200:
                    raise IndexUnavailable(
                        f"cannot fetch {without_credentials(url)}: HTTP {response.status} {response.reason}"
                    )
                body = await self._body(response)
                page = self._parse(response, body, str(response.url), project)
                expires = int(time.time()) + lifetime_seconds(
                    response.headers.get("Cache-Control"), response.headers.get("Age")
                )
        except aiohttp.InvalidURL as exc:
            raise IndexUnavailable(f"{without_credentials(url)} is not a URL", hint="check --index-url") from exc
        except aiohttp.ClientSSLError as exc:
            raise IndexUnavailable(
                f"cannot fetch {without_credentials(url)}: {exc}", hint="SSL_CERT_FILE names the authorities to trust"
            ) from exc
        except TRANSIENT:
            raise
        except aiohttp.ClientError as exc:
            raise IndexUnavailable(f"cannot fetch {without_credentials(url)}: {describe(exc)}") from exc
        self._records.put(f"{self._key}/{project}", expires.to_bytes(8, "big") + page.pack())
        return page

    @staticmethod
    async def _body(response: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > PAGE_BYTES:
                raise InvalidPage(f"{without_credentials(str(response.url))} is larger than {PAGE_BYTES >> 20} MiB")
        if response.headers.get("Content-Encoding", "").lower() == "gzip":
            return _decompress(bytes(body), without_credentials(str(response.url)))
        return bytes(body)

    @staticmethod
    def _parse(response: aiohttp.ClientResponse, body: bytes, url: str, project: NormalizedName) -> "ProjectPage":
        from engine.index.page import ProjectPage

        kind = response.content_type
        if kind == JSON_TYPE or kind.endswith("json"):
            return ProjectPage.from_json(body, url, project)
        if kind.endswith("html"):
            return ProjectPage.from_html(body, url, project)
        raise InvalidPage(
            f"{without_credentials(url)} answered with {kind}, which is no project page", hint="check --index-url"
        )


def _decompress(body: bytes, url: str) -> bytes:
    """Returns the content of a gzip body, bounded."""
    decompressor = zlib_.decompressobj(31)
    try:
        data: bytes = decompressor.decompress(body, PAGE_BYTES + 1)
    except _DECOMPRESSION_ERROR as exc:
        raise InvalidPage(f"{url}: damaged gzip body") from exc
    if len(data) > PAGE_BYTES:
        raise InvalidPage(f"{url} is larger than {PAGE_BYTES >> 20} MiB")
    if not decompressor.eof:
        raise InvalidPage(f"{url}: truncated gzip body")
    return data
