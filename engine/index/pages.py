"""Asks one index for project pages, with retries.

What is in a page is read by the workers (`engine.choosing`).

Source: PEP 503; PEP 691.
"""

import hashlib
from collections.abc import Awaitable, Callable

import anyio
from packaging.utils import NormalizedName

from engine.credentials import without_credentials
from engine.errors import IndexUnavailable, Offline, ProjectNotFound
from engine.index.client import Answer, Interrupted
from engine.limits import PAGES
from engine.network.retry import RetryBudget

#: How a page is asked for: URL in, answer out; raises as `engine.index.client.Network.ask`.
Ask = Callable[[str], Awaitable[Answer]]


class Pages:
    """The pages of one index.

    Args:
        index: its URL with a final `/`.
        ask: asks the index.
        budget: what the run may spend on trying again.
        offline: never ask.
    """

    def __init__(self, index: str, *, ask: Ask, budget: RetryBudget, offline: bool) -> None:
        self._index = index
        self._ask = ask
        self._budget = budget
        self._offline = offline
        self._limit = anyio.CapacityLimiter(PAGES)
        self._folder = hashlib.sha256(index.encode(), usedforsecurity=False).hexdigest()[:20]

    def key(self, project: NormalizedName) -> str:
        """Returns the key under which the cache keeps the page of a project."""
        return f"{self._folder}/{project}"

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
        url = f"{self._index}{project}/"
        attempt = 0
        async with self._limit:
            while True:
                try:
                    return self._checked(await self._ask(url), project)
                except Interrupted as exc:
                    if not await self._budget.pause(attempt, exc.retry_after_seconds):
                        raise IndexUnavailable(
                            f"cannot fetch {without_credentials(url)}: {exc}",
                            hint="check --index-url and the network; --offline uses the cache alone",
                        ) from exc
                    attempt += 1

    def _checked(self, answer: Answer, project: NormalizedName) -> Answer:
        if answer.status == 404:
            raise ProjectNotFound(f"{without_credentials(self._index)} has no project {project}")
        if answer.status != 200:
            raise IndexUnavailable(
                f"cannot fetch {without_credentials(answer.url)}: HTTP {answer.status} {answer.reason}"
            )
        return answer
