"""Asks one index for project pages, with retries.

What is in a page is read by the workers (`engine.choosing`).

Source: PEP 503; PEP 691.
"""

import hashlib
from collections.abc import Awaitable, Callable, Sequence

import anyio
from packaging.utils import NormalizedName

from engine.credentials import without_credentials
from engine.errors import AccessRefused, IndexUnavailable, Offline, ProjectNotFound
from engine.index.client import Answer, Interrupted
from engine.limits import PAGES
from engine.network.retry import RetryBudget

#: How a page is asked for: URL in, answer out; raises as `engine.index.client.Network.ask`.
Ask = Callable[[str], Awaitable[Answer]]


class Pages:
    """The pages of one index.

    Args:
        index: its URL with a final `/`; or the URL of the one page that lists all files.
        ask: asks the index.
        budget: what the run may spend on trying again.
        offline: never ask.
        absent_statuses: what the index says, besides 404, where it has not got what is asked for.
    """

    def __init__(
        self, index: str, *, ask: Ask, budget: RetryBudget, offline: bool, absent_statuses: Sequence[int] = ()
    ) -> None:
        self._index = index
        self._ask = ask
        self._budget = budget
        self._offline = offline
        self._absent_statuses = {404, *absent_statuses}
        self._limit = anyio.CapacityLimiter(PAGES)
        self._folder = hashlib.sha256(index.encode(), usedforsecurity=False).hexdigest()[:20]

    def key(self, project: NormalizedName) -> str:
        """Returns the key under which the cache keeps the page of a project."""
        return f"{self._folder}/{project}"

    @property
    def listing_key(self) -> str:
        """The key of the page that lists files of all projects; no project has it."""
        return f"{self._folder}/-"

    async def fetch(self, project: NormalizedName) -> Answer:
        """Asks the index for a page; what it answers has status 200.

        Raises:
            ProjectNotFound: when the index has no such project.
            IndexUnavailable: when it cannot be reached or keeps failing.
            InvalidPage: when the answer is too large to be a page.
            Offline: when asking is forbidden.
        """
        if self._offline:
            raise Offline(f"the page of {project} is not in the cache", hint="run once without --offline")
        answer = await self._fetch(f"{self._index}{project}/")
        if answer is None:
            raise ProjectNotFound(f"{without_credentials(self._index)} has no project {project}")
        return answer

    async def fetch_listing(self) -> Answer:
        """Asks for the one page that lists files of all projects; what it answers has status 200.

        Raises:
            IndexUnavailable: when it is not there, cannot be reached or keeps failing.
            InvalidPage: when the answer is too large to be a page.
            Offline: when asking is forbidden.
        """
        if self._offline:
            raise Offline(f"{without_credentials(self._index)} is not in the cache", hint="run once without --offline")
        answer = await self._fetch(self._index)
        if answer is None:
            raise IndexUnavailable(f"{without_credentials(self._index)} is not there", hint="check --find-links")
        return answer

    async def _fetch(self, url: str) -> Answer | None:
        """Returns what is there, or None when there is nothing."""
        attempt = 0
        async with self._limit:
            while True:
                try:
                    return self._checked(await self._ask(url))
                except AccessRefused as exc:
                    if exc.status in self._absent_statuses:
                        return None
                    raise
                except Interrupted as exc:
                    if not await self._budget.pause(attempt, exc.retry_after_seconds):
                        raise IndexUnavailable(
                            f"cannot fetch {without_credentials(url)}: {exc}",
                            hint="check --index-url and the network; --offline uses the cache alone",
                        ) from exc
                    attempt += 1

    def _checked(self, answer: Answer) -> Answer | None:
        if answer.status in self._absent_statuses:
            return None
        if answer.status != 200:
            raise IndexUnavailable(
                f"cannot fetch {without_credentials(answer.url)}: HTTP {answer.status} {answer.reason}"
            )
        return answer
