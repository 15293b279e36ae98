"""What a run collects when pins cannot be had, so that a user learns of all of them at once.

A refusal belongs to one pin: the project is not there, has no wheel that fits, or
only wheels that the lock does not list.  It spoils its environment, but the pages of
the other pins are still read.  Rule: what is reported comes in the order of the lock,
whatever the order of arrival.
"""

from collections.abc import Sequence

from engine.cold import Need
from engine.errors import EngineError, HashMismatch, NoMatchingDistribution, PinsRefused, ProjectNotFound
from engine.work import Work

#: What is wrong with one pin, and says nothing about the others.
REFUSALS = (ProjectNotFound, NoMatchingDistribution, HashMismatch)


class Refusals:
    """The refusals of a run.

    Args:
        needs: what is missing where, in the order of the lock.
    """

    def __init__(self, needs: Sequence[Need]) -> None:
        self._needs = needs
        self._found: dict[int, EngineError] = {}

    def add(self, need: Need, error: EngineError) -> None:
        """Notes why a pin cannot be had."""
        self._found.setdefault(id(need), error)

    def conclude(self, work: Work) -> EngineError | None:
        """Returns what to say about an environment; None where nothing was refused or something else failed first."""
        needs = [need for need in self._needs if need.work is work]
        errors = [error for need in needs if (error := self._found.get(id(need))) is not None]
        if not any(error is work.error for error in errors):
            return None
        if len(errors) == 1:
            return errors[0]
        if len(errors) == len(needs) and all(isinstance(error, ProjectNotFound) for error in errors):
            return ProjectNotFound(
                f"{errors[0].message}, nor any other of the {len(needs)} that are needed",
                hint=errors[0].hint or "check --index-url",
            )
        return PinsRefused(errors)
