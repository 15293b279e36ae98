"""Asks one index for project pages: again when that may help, and only for what has changed.

What is in a page is read by the workers (`engine.choosing`).  Rules: a stored
page that is no longer fresh is asked for with its validators; where the index
cannot be reached it has to do, with a warning, unless the index has forbidden
that; what was refused, or could not be trusted, is never made up for.

Source: PEP 503; PEP 691; RFC 9111, sections 4.2.4 and 4.3.
"""

import hashlib
from collections.abc import Awaitable, Callable, Sequence

import anyio
from packaging.utils import NormalizedName

from cache.records import RecordStore
from engine.credentials import without_credentials
from engine.errors import AccessRefused, IndexUnavailable, Offline, ProjectNotFound
from engine.index.client import Answer
from engine.index.freshness import HEAD_BYTES, Freshness
from engine.limits import PAGES_AWAITED
from engine.network.interrupted import Interrupted
from engine.network.origin import split_credentials
from engine.network.retry import RetryBudget

#: How a page is asked for: its URL, and the freshness of the stored one; as `engine.index.client.Network.ask`.
Ask = Callable[[str, Freshness | None], Awaitable[Answer]]


class Pages:
    """The pages of one index.

    Args:
        index: its URL with a final `/`; or the URL of the one page that lists all files.
        option: what names such places on a command line, for hints.
        ask: asks the index.
        budget: what the run may spend on trying again.
        records: the cache's pages.
        offline: never ask.
        refreshed: tells whether the page of a project, or "" for a listing, is asked for in every case.
        absent_statuses: what the index says, besides 404, where it has not got what is asked for.
        warnings: gets a line when stored pages have to do.
        repeated: told the project whenever its page, or "-" where a listing, is asked for again after a failure.
    """

    def __init__(
        self,
        index: str,
        *,
        option: str = "--index-url",
        ask: Ask,
        budget: RetryBudget,
        records: RecordStore,
        offline: bool = False,
        refreshed: Callable[[str], bool] = lambda project: False,
        absent_statuses: Sequence[int] = (),
        warnings: list[str] | None = None,
        repeated: Callable[[str], None] = lambda project: None,
    ) -> None:
        self._index = index
        self._option = option
        self._ask = ask
        self._budget = budget
        self._records = records
        self._offline = offline
        self._refreshed = refreshed
        self._absent_statuses = {404, *absent_statuses}
        self._warnings = [] if warnings is None else warnings
        self._repeated = repeated
        self._limit = anyio.CapacityLimiter(PAGES_AWAITED)
        # Who asks does not change what the index is: a password that is replaced every hour loses no page.
        self._folder = hashlib.sha256(_clean(index).encode(), usedforsecurity=False).hexdigest()[:20]

    def key(self, project: NormalizedName) -> str:
        """Returns the key under which the cache keeps the page of a project."""
        return f"{self._folder}/{project}"

    @property
    def listing_key(self) -> str:
        """The key of the page that lists files of all projects; no project has it."""
        return f"{self._folder}/-"

    def refreshes(self, project: str) -> bool:
        """Tells whether the page of a project, or "" for a listing, is to be asked for however fresh it is."""
        return not self._offline and self._refreshed(project)

    async def fetch(self, project: NormalizedName, *, anew: bool = False) -> Answer:
        """Asks the index for a page; what it answers has status 200, or is `stored`.

        Args:
            project: whose page is wanted.
            anew: for a whole page, even if the cache has one that would do.

        Raises:
            ProjectNotFound: when the index has no such project.
            IndexUnavailable: when it cannot be reached or keeps failing.
            InvalidPage: when the answer is too large to be a page.
            Offline: when asking is forbidden.
        """
        if self._offline:
            raise Offline(f"the page of {project} is not in the cache", hint="run once without --offline")
        answer = await self._fetch(f"{self._index}{project}/", self.key(project), anew)
        if answer is None:
            raise ProjectNotFound(f"{without_credentials(self._index)} has no project {project}")
        return answer

    async def fetch_listing(self) -> Answer:
        """Asks for the one page that lists files of all projects; what it answers has status 200, or is `stored`.

        Raises:
            IndexUnavailable: when it is not there, cannot be reached or keeps failing.
            InvalidPage: when the answer is too large to be a page.
            Offline: when asking is forbidden.
        """
        if self._offline:
            raise Offline(f"{without_credentials(self._index)} is not in the cache", hint="run once without --offline")
        answer = await self._fetch(self._index, self.listing_key, False)
        if answer is None:
            raise IndexUnavailable(f"{without_credentials(self._index)} is not there", hint="check --find-links")
        return answer

    async def _fetch(self, url: str, key: str, anew: bool) -> Answer | None:
        """Returns what is there, or None when there is nothing."""
        stored = None if anew else self._stored(key)
        attempt = 0
        async with self._limit:
            while True:
                try:
                    answer = await self._ask(url, stored[0] if stored else None)
                except AccessRefused as exc:
                    if exc.status in self._absent_statuses:
                        return None
                    raise
                except Interrupted as exc:
                    if await self._budget.pause(attempt, exc.retry_after_seconds):
                        attempt += 1
                        self._repeated(key.rpartition("/")[2])
                        continue
                    answer = self._stale(url, stored[0] if stored else None, exc, attempt + 1)
                if stored and answer.stored and answer.failure is None:
                    self._renew(key, stored[1], answer.freshness)
                return answer if answer.stored else self._checked(answer)

    def _stored(self, key: str) -> tuple[Freshness, int] | None:
        """Returns the freshness of a stored page, and where in its record the page begins."""
        head = self._records.start(key, HEAD_BYTES)
        found = Freshness.unpack(head) if head is not None else None
        return found if head is not None and found is not None and found[1] < len(head) else None

    def _renew(self, key: str, start: int, freshness: Freshness | None) -> None:
        record = self._records.get(key)
        if record is not None and freshness is not None:
            self._records.put(key, freshness.pack() + record[start:])

    def _stale(self, url: str, stored: Freshness | None, failure: Interrupted, attempts: int) -> Answer:
        """Returns what takes the place of an answer that did not come.

        Raises:
            IndexUnavailable: when nothing may.
        """
        error = failure.given_up(
            f"cannot fetch {without_credentials(url)}",
            attempts,
            f"check {self._option} and the network; --offline uses the cache alone",
        )
        if stored is None or stored.strict:
            raise error from failure
        index = without_credentials(self._index)
        self._warnings.append(f"{index} cannot be reached ({failure}); stored pages are used, which may be out of date")
        return Answer(0, "", url, "", False, stored, b"", True, error)

    def _checked(self, answer: Answer) -> Answer | None:
        if answer.status in self._absent_statuses:
            return None
        if answer.status != 200:
            raise IndexUnavailable(
                f"cannot fetch {without_credentials(answer.url)}: HTTP {answer.status} {answer.reason}"
            )
        return answer


def _clean(index: str) -> str:
    try:
        return split_credentials(index)[0]
    except ValueError:
        return index  # whoever asks there is told
