"""Project pages of one index, with their cache and their retries.

Source: PEP 503; PEP 691; RFC 9111, "Calculating Freshness Lifetime".
"""

import hashlib
import random
import time
from collections.abc import Awaitable, Callable

import anyio
from packaging.utils import NormalizedName

from cache.records import RecordStore
from engine.credentials import without_credentials
from engine.errors import IndexUnavailable, InvalidPage, Offline, ProjectNotFound
from engine.index.client import TRANSIENT_STATUS, Answer, Interrupted
from engine.index.freshness import lifetime_seconds
from engine.index.page import ProjectPage
from engine.limits import ATTEMPTS, PAGES

#: How a page is asked for: URL in, answer out; raises as `engine.index.client.ask`.
Ask = Callable[[str], Awaitable[Answer]]


async def pause(attempt: int) -> None:
    """Waits before another attempt: full jitter over a doubling bound, 0.2 s at first."""
    await anyio.sleep(random.uniform(0, 0.2 * 2**attempt))


def index_folder(index: str) -> str:
    """Returns the name under which the pages of an index are kept."""
    return hashlib.sha256(index.encode(), usedforsecurity=False).hexdigest()[:20]


class Pages:
    """The pages of one index.

    Args:
        index: its URL with a final `/`.
        records: the cache's `index-v1` bucket.
        ask: asks the index.
        offline: never ask; a page that was stored is good enough, however old.
    """

    def __init__(self, index: str, *, records: RecordStore, ask: Ask, offline: bool) -> None:
        self._index = index
        self._records = records
        self._ask = ask
        self._offline = offline
        self._limit = anyio.CapacityLimiter(PAGES)
        self._folder = index_folder(index)
        self._unstored: list[tuple[NormalizedName, int, ProjectPage]] = []

    def stored(self, project: NormalizedName) -> tuple[ProjectPage, bool] | None:
        """Returns the page that the cache has, and whether it is fresh.  No network."""
        data = self._records.get(f"{self._folder}/{project}")
        if data is None or len(data) < 8:
            return None
        page = ProjectPage.unpack(data[8:])
        if page is None:
            return None
        return page, time.time() < int.from_bytes(data[:8], "big")

    async def fetch(self, project: NormalizedName) -> ProjectPage:
        """Asks the index for a page.

        Raises:
            ProjectNotFound: when the index has no such project.
            IndexUnavailable: when it cannot be reached or keeps failing.
            InvalidPage: when the answer is not a project page.
            Offline: when asking is forbidden.
        """
        if self._offline:
            raise Offline(f"the page of {project} is not in the cache", hint="run once without --offline")
        url = f"{self._index}{project}/"
        async with self._limit:
            for attempt in range(ATTEMPTS):
                try:
                    answer = await self._ask(url)
                except Interrupted as exc:
                    reason = str(exc)
                else:
                    if answer.status not in TRANSIENT_STATUS:
                        return self._read(answer, project)
                    reason = f"HTTP {answer.status}"
                if attempt + 1 < ATTEMPTS:
                    await pause(attempt)
        raise IndexUnavailable(
            f"cannot fetch {without_credentials(url)}: {reason}",
            hint="check --index-url and the network; --offline uses the cache alone",
        )

    def _read(self, answer: Answer, project: NormalizedName) -> ProjectPage:
        """Returns the page in an answer, and keeps it for `store`."""
        shown = without_credentials(answer.url)
        if answer.status == 404:
            raise ProjectNotFound(f"{without_credentials(self._index)} has no project {project}")
        if answer.status != 200:
            raise IndexUnavailable(f"cannot fetch {shown}: HTTP {answer.status} {answer.reason}")
        if answer.kind.endswith("json"):
            page = ProjectPage.from_json(answer.body, answer.url, project)
        elif answer.kind.endswith("html"):
            page = ProjectPage.from_html(answer.body, answer.url, project)
        else:
            raise InvalidPage(
                f"{shown} answered with {answer.kind}, which is no project page", hint="check --index-url"
            )
        expires = int(time.time()) + lifetime_seconds(answer.cache_control, answer.age)
        self._unstored.append((project, expires, page))
        return page

    async def store(self) -> None:
        """Stores the pages that were fetched.

        Called when no page is waited for any more: packing and writing 93 pages takes 50 ms, which would come
        between the pages and the wheels that they lead to.
        """
        while self._unstored:
            project, expires, page = self._unstored.pop()
            self._records.put(f"{self._folder}/{project}", expires.to_bytes(8, "big") + page.pack())
            await anyio.sleep(0)
