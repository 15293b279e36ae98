"""A question that failed in a way that may pass."""

from engine.errors import IndexUnavailable
from engine.limits import RETRY_SECONDS

#: What went wrong with a body that hardly moves.
DRIPS = "the server hardly sends anything"


#: What to do about a server that answers with 500 and the like.
SERVER_FAILS = "the server fails: run it again later, or take another index (--index-url)"


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
