"""Questions of a run: to an index, or for a file.

Owns how a question is asked: a page that was asked for early, else, like a file, in the plain way, else
with all care, which is for `engine.index.session`.  Does not repeat it: that is for the
callers and their `RetryBudget`; what an answer means is for `engine.index.pages`.  Imports
no more than the first questions need; not aiohttp.

Source: RFC 9110.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Literal, NamedTuple

from engine.credentials import without_credentials
from engine.errors import IndexUnavailable
from engine.index.freshness import Freshness
from engine.index.headers import PAGE_FIELDS, USER_AGENT
from engine.limits import CONNECT_SECONDS, PAGES, READ_SECONDS
from engine.locations import IndexLocation
from engine.network.credentials import CredentialStore
from engine.network.early import EarlyPages
from engine.network.interrupted import SERVER_FAILS, Interrupted
from engine.network.origin import Origin
from engine.network.pace import Pace
from engine.network.plain_client import PlainClient
from engine.network.plain_files import PlainFile, PlainFiles
from engine.network.plain_http import Answer as PlainAnswer
from engine.network.plain_http import Fields
from engine.network.proxies import Proxies
from engine.network.redirects import REDIRECT_STATUS
from engine.network.refused import refused
from engine.network.retry import RetryBudget, retry_after_seconds
from engine.network.trust import Trust
from engine.network.unanswered import Unanswered
from engine.options import NetworkOptions
from engine.recording import Recorder, timed

if TYPE_CHECKING:
    from engine.index.session import CarefulFile, Response, Session

#: What an overloaded server says that may be over in a moment.
TRANSIENT_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})

#: What a server says to somebody whom it does not know, or does not want.
REFUSED_STATUS = frozenset({401, 403, 407})

#: What is asked for.
Purpose = Literal["page", "file"]


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


class Network:
    """What a run asks and downloads with, and the pages that were asked for before they are known to be needed.

    An early question is asked once, without retries; whoever needs the page takes
    the answer or what went wrong.  A wrong guess costs bytes and nothing else.

    Args:
        group: owns connections, and the tasks of early questions.
        options: how to use the network.
        environ: the environment variables.
        recorder: learns when pages are asked for, or None.
        trust: the TLS settings, or None to make them of `options` and `environ`.
        first: pages that are asked for already.

    Attributes:
        budget: what the run may spend on trying again.
        credentials: who the run says it is.
        plain: asks in the plain way.
        trust: the TLS settings.
    """

    def __init__(
        self,
        group: asyncio.TaskGroup,
        options: NetworkOptions,
        environ: Mapping[str, str],
        recorder: Recorder | None = None,
        trust: Trust | None = None,
        first: EarlyPages | None = None,
    ) -> None:
        self.budget = RetryBudget() if options.retries is None else RetryBudget(options.retries)
        self.credentials = CredentialStore(environ, options.keyring_provider)
        self.trust = trust or Trust(options, environ)
        self._proxies = Proxies(options.proxy, environ)
        self._recorder = recorder
        self._group = group
        self._read_seconds = options.timeout_seconds or READ_SECONDS
        self._connect_seconds = options.connect_timeout_seconds or options.timeout_seconds or CONNECT_SECONDS
        self._session: Session | None = None
        self._early: dict[str, asyncio.Task[Answer | Exception]] = {}
        self._limit = asyncio.Semaphore(PAGES)
        self._first = first
        self._patience_seconds = self._connect_seconds, self._read_seconds
        self.plain = PlainClient(
            group,
            self.trust,
            is_anonymous=self._is_anonymous,
            user_agent=USER_AGENT,
            patience_seconds=self._patience_seconds,
        )
        self._files = PlainFiles(
            self.plain,
            self.trust,
            is_anonymous=self._is_anonymous,
            user_agent=USER_AGENT,
            patience_seconds=self._patience_seconds,
        )

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
        if self._first is not None:
            self._first.attach(self.plain.adopt)

    def _is_anonymous(self, url: str, origin: Origin) -> bool:
        """Tells whether a URL is asked for directly and by nobody in particular, as far as is known by now."""
        return self._proxies.find(origin) is None and self.credentials.find(url, origin) is None

    def request(
        self, url: str, *, headers: Mapping[str, str] | None = None, purpose: Purpose = "page"
    ) -> "AbstractAsyncContextManager[Response]":
        """Asks once, with all care; as `engine.index.session.Session.request`."""
        return self._careful().request(url, headers=headers, purpose=purpose)

    def _careful(self) -> "Session":
        """Returns what careful requests are made with, opened on first use."""
        if self._session is None:
            from engine.index.session import Session

            self._session = Session(self.trust, self.credentials, self._proxies, self._patience_seconds)
        return self._session

    # -- files -----------------------------------------------------------------

    @asynccontextmanager
    async def file(self, url: str, headers: Mapping[str, str]) -> "AsyncIterator[PlainFile | CarefulFile]":
        """Asks for a file once, and gives the answer to the body of an `async with`; redirects are followed.

        Args:
            url: absolute.
            headers: of the request.

        Raises:
            Interrupted: when it failed in a way that may pass.
            AccessRefused: when the server does not let us.
            IndexUnavailable: when it failed for good.
        """
        what = f"cannot download {without_credentials(url)}"
        moved = None
        try:
            async with self._files.request(url, headers) as plain:
                if plain is not None and not await self._needs_care(
                    url, what, plain.status, plain.headers, plain.reason
                ):
                    yield plain
                    return
                if plain is not None and plain.status in REDIRECT_STATUS:
                    moved = plain.headers.get("Location")
        except Unanswered as exc:
            raise exc.explained(what, Origin.parse(url).host, self._connect_seconds) from exc
        async with self._careful().file(url, headers, moved=moved) as file:
            yield file

    async def small_body(self, url: str) -> bytes | None:
        """Returns a small file, asked for together with others; None where it has to be asked for alone.

        Args:
            url: absolute.
        """
        told: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()

        def tell(body: bytes | None) -> None:
            if not told.done():
                told.set_result(body)

        return await told if self.plain.get(url, tell) else None

    async def _needs_care(self, url: str, what: str, status: int, fields: Mapping[str, str], reason: str) -> bool:
        """Tells whether only a careful question can find out what a plain one was to find out.

        Raises:
            Interrupted: when the server is busy.
            AccessRefused: when it does not let us, and nobody knows who could ask instead.
        """
        if status in TRANSIENT_STATUS:
            raise Interrupted(
                f"HTTP {status}",
                retry_after_seconds(fields.get("Retry-After"), time.time()),
                hint=SERVER_FAILS if status >= 500 else None,
            )
        if status in REFUSED_STATUS:
            if await self.credentials.find_after_refusal(url, Origin.parse(url), None) is None:
                raise refused(f"{what}: HTTP {status} {reason}".rstrip(), status, None, None)
            return True
        return 300 <= status < 400

    # -- pages -----------------------------------------------------------------

    def ask_early(self, urls: Iterable[str]) -> None:
        """Starts asking for pages that are not asked for already."""
        for url in urls:
            if self._first is None or not self._first.has(url):
                self._early[url] = self._group.create_task(self._ask_early(url))

    async def _ask_early(self, url: str) -> Answer | Exception:
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
        with timed(self._recorder, "page", without_credentials(url)) as details:
            plain = await self._ask_plainly(url, stored)
            answer = await self._understood(url, plain, stored) if plain is not None else None
            if answer is None:
                is_moved = plain is not None and plain.status in REDIRECT_STATUS
                moved = Fields(plain.fields).get("Location") if plain is not None and is_moved else None
                async with self._limit:
                    answer = await self._careful().page(url, stored, self.pace(), moved=moved)
            details.update(status=answer.status, bytes=len(answer.body))
            return answer

    async def _ask_plainly(self, url: str, stored: Freshness | None) -> PlainAnswer | None:
        try:
            if self._first is not None and self._first.has(url):
                return await self._first.take(url)
            return await self.plain.page(url, {**PAGE_FIELDS, **(stored.conditions() if stored else {})})
        except Unanswered as exc:
            host = Origin.parse(url).host
            raise exc.explained(f"cannot fetch {without_credentials(url)}", host, self._connect_seconds) from exc

    async def _understood(self, url: str, plain: PlainAnswer, stored: Freshness | None) -> Answer | None:
        """Returns what a plain answer about a page says; None where only a careful question can find out.

        Raises:
            Interrupted: when the server is busy.
            AccessRefused: when it does not let us, and nobody knows who could ask instead.
        """
        fields, reason, now = Fields(plain.fields), plain.reason.decode("utf-8", "surrogateescape"), time.time()
        unchanged = stored is not None and plain.status == 304
        if not unchanged:
            what = f"cannot fetch {without_credentials(url)}"
            if await self._needs_care(url, what, plain.status, fields, reason):
                return None
        return Answer(
            plain.status,
            reason,
            url,
            fields.get("Content-Type", "").partition(";")[0].strip().lower() or "application/octet-stream",
            plain.is_gzipped,
            (stored.renewed if stored and unchanged else Freshness.of)(fields, now),
            plain.body or b"",
            unchanged,
        )

    async def close(self) -> None:
        """Ends questions whose answers nobody took, and all connections."""
        if self._first is not None:
            self._first.end()
        for task in self._early.values():
            task.cancel()
        self.plain.end()
        self._files.end()
        if self._session is not None:
            await self._session.close()
