"""Errors of the resolver, named by whose fault they are.  Rule: data in attributes, text in `str()`."""


class ResolverError(Exception):
    """Root of all errors that the resolver expects."""


class InvalidProblem(ResolverError):
    """An input contradicts itself or cannot be read, before anything was asked for."""


class UnexpectedAnswer(ResolverError):
    """An answer belongs to no request, or contradicts an earlier one: the driver's fault."""


class ResolutionFailed(ResolverError):
    """No set of versions meets what was asked.

    Args:
        headline: one line that names the requirements that cannot be met.
        facts: one line each, in the order a person would tell them, that together show why.
        hints: what may help, the likeliest first.
        sources: where the requirements of the headline come from, without repetitions.
    """

    def __init__(
        self, headline: str, *, facts: tuple[str, ...] = (), hints: tuple[str, ...] = (), sources: tuple[str, ...] = ()
    ) -> None:
        super().__init__(headline)
        self.headline = headline
        self.facts = facts
        self.hints = hints
        self.sources = sources

    def __str__(self) -> str:
        return "\n".join((self.headline, *(f"  {fact}" for fact in self.facts)))

    @property
    def hint(self) -> str | None:
        """The likeliest hint, or None."""
        return self.hints[0] if self.hints else None
