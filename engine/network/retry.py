"""How often and how long a run tries again.

Waiting for one server is bounded for the whole run, not for each request: what
waits side by side counts once.  Decisions are pure; only `pause` sleeps.

Source: RFC 9110, section 10.2.3, "Retry-After".
"""

import asyncio
import time
from collections.abc import Callable

from engine.limits import RETRIES, RETRY_SECONDS

#: Bound of the first wait, doubled for each further one.
FIRST_SECONDS = 0.2

#: Longest wait that nobody has asked for.
LONGEST_SECONDS = 10.0


class RetryBudget:
    """What a run may spend on trying again.

    Args:
        retries: how often one request is repeated.
        seconds: how long the run may wait in all.
        clock: seconds, monotonic.
        jitter: returns a number between its two arguments; None for one that is drawn evenly.
    """

    def __init__(
        self,
        retries: int = RETRIES,
        seconds: float = RETRY_SECONDS,
        *,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[float, float], float] | None = None,
    ) -> None:
        self._retries = retries
        self._left_seconds = seconds
        self._clock = clock
        self._jitter = jitter or _uniform
        self._waits_until = float("-inf")

    def wait_seconds(self, attempt: int, retry_after_seconds: float | None = None) -> float | None:
        """Returns how long to wait before the next attempt, and books it; None when there is to be none.

        The wait has full jitter over a doubling bound, on top of what the server asked for.

        Args:
            attempt: how many attempts have failed so far, less one.
            retry_after_seconds: what the server asked for.
        """
        if attempt >= self._retries:
            return None
        seconds = self._jitter(0, min(LONGEST_SECONDS, FIRST_SECONDS * 2**attempt)) + (retry_after_seconds or 0)
        now = self._clock()
        new = max(0.0, now + seconds - max(now, self._waits_until))
        if new > self._left_seconds:
            return None
        self._left_seconds -= new
        self._waits_until = max(self._waits_until, now + seconds)
        return seconds

    async def pause(self, attempt: int, retry_after_seconds: float | None = None) -> bool:
        """Waits as `wait_seconds` says.

        Returns:
            Whether to try again.
        """
        seconds = self.wait_seconds(attempt, retry_after_seconds)
        if seconds is None:
            return False
        await asyncio.sleep(seconds)
        return True


def retry_after_seconds(header: str | None, now: float) -> float | None:
    """Returns how long a server asks to be left alone, or None where it does not say or nobody understands it.

    Args:
        header: the Retry-After header: seconds, or a date.
        now: seconds since the epoch.
    """
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    from engine.index.freshness import http_date

    date = http_date(text)
    return None if date is None else max(0.0, date - now)


def _uniform(least: float, most: float) -> float:
    import random  # 1.5 ms, and nobody waits before the first question

    return random.uniform(least, most)
