"""Resolves for many environments: fork by fork, and the answers put together.

Owns which fork comes when.  Rules: every fork is resolved by `resolver.Resolver` with the answers of all; a fork that
has to be divided is given up, and its parts begin anew with what it had decided preferred; newer Pythons come first, or
older ones where the fewest versions are wanted, and what they chose is preferred in the forks after them, so that forks
agree where they can.  The resolution depends on no order and delay of answers, since none of its steps does.
"""

from collections.abc import Iterable, Iterator

from packaging.utils import NormalizedName
from packaging.version import Version

from resolver.errors import ResolutionFailed
from resolver.markers.diagram import NOWHERE, Environments
from resolver.markers.versions import floor_of
from resolver.markers.writing import write_marker
from resolver.requests import Answer, Dependencies, Effort, Pin, Request, Waiting
from resolver.universal.forks import ForkKnowledge, ForkResolver, Shared, Split
from resolver.universal.inputs import ForkStrategy, UniversalPin, UniversalProblem, UniversalResolution
from resolver.universal.reachability import Reached

#: A fork that is still to be resolved, and what was decided for the one that it is a part of.
_Open = tuple[Environments, dict[NormalizedName, Version]]


class UniversalResolver:
    """Resolves one problem; asked and answered as a `resolver.Resolver`.

    Args:
        problem: what is to be resolved.

    Raises:
        ResolverError: a marker of the user's cannot be evaluated.
    """

    def __init__(self, problem: UniversalProblem) -> None:
        self._problem = problem
        self._shared = Shared(problem)
        self._open: list[_Open] = [(problem.environments, {})]
        self._done: list[Reached] = []
        self._decisions = self._conflicts = self._rejections = 0
        self._fork = self._next_fork()
        self._resolution: UniversalResolution | None = None

    def answer(self, request: Request, answer: Answer) -> None:
        """Takes an answer; see `Resolver.answer`."""
        self._fork.answer(request, answer)

    def expect(self, names: Iterable[NormalizedName]) -> None:
        """Learns which projects will probably be needed; see `Resolver.expect`."""
        self._fork.expect(names)

    def likely(self) -> tuple[Request, ...]:
        """Returns what further answers have made likely; see `Resolver.likely`."""
        return self._fork.likely()

    def decided(self) -> Iterator[Pin]:
        """Yields what the fork at hand has decided for now; see `Resolver.decided`."""
        return self._fork.decided()

    def fits(self, request: Dependencies) -> bool:
        """Tells whether nothing speaks against a candidate in the fork at hand; see `Resolver.fits`."""
        return self._fork.fits(request)

    def step(self) -> Waiting | UniversalResolution:
        """Goes on as far as the answers reach.

        Returns:
            The resolution, or what is waited for.

        Raises:
            ResolutionFailed: there is no answer for some of the environments.
            MarkerTooComplex: the markers together need too large a diagram.
        """
        while self._resolution is None:
            try:
                outcome = self._fork.step()
            except Split as split:
                self._divide(split.where)
                continue
            except ResolutionFailed as exc:
                raise self._told(exc) from exc
            if isinstance(outcome, Waiting):
                return outcome
            self._done.append(Reached(self._fork, outcome))
            self._decisions += outcome.effort.decisions
            self._conflicts += outcome.effort.conflicts
            self._rejections += outcome.effort.rejections
            if self._open:
                self._fork = self._next_fork()
            else:
                self._resolution = self._merged()
        return self._resolution

    def _next_fork(self) -> ForkResolver:
        environments, decided = self._open.pop()
        preferences = self._preferences(environments, decided)
        knowledge = ForkKnowledge(self._problem, environments, preferences, self._shared)
        return ForkResolver(knowledge)

    def _divide(self, where: Environments) -> None:
        environments = self._fork.knowledge.environments
        inside, outside = environments & where, environments & ~where
        first, second = floor_of(inside), floor_of(outside)
        if self._problem.strategy is ForkStrategy.FEWEST:
            first, second = second, first
        decided = self._fork.considered()
        parts: list[_Open] = [(outside, decided), (inside, decided)]
        self._open += parts if first >= second else reversed(parts)
        self._fork = self._next_fork()

    def _preferences(
        self, environments: Environments, decided: dict[NormalizedName, Version]
    ) -> dict[NormalizedName, Version]:
        """Returns for each project the version to keep.

        First that of an earlier answer, then that of the fork that was divided: what a part of it cannot have is no
        reason for the other part to have an older one, unless the fewest versions are wanted.  Then that of an earlier
        fork.
        """
        found: dict[NormalizedName, Version] = {}
        for preference in sorted(self._problem.preferences, key=lambda one: one.version, reverse=True):
            if preference.where & environments:
                found.setdefault(preference.name, preference.version)
        if self._problem.strategy is not ForkStrategy.FEWEST:
            found = {**decided, **found}
        for reached in self._done:
            for pin in reached.resolution.pins:
                if pin.url is None:
                    found.setdefault(pin.name, pin.version)
        return found

    def _told(self, exc: ResolutionFailed) -> ResolutionFailed:
        environments = self._fork.knowledge.environments
        marker = write_marker(environments, self._problem.environments)
        if marker is None:
            return exc
        return ResolutionFailed(
            f"{exc.headline}, where {marker}", facts=exc.facts, hints=exc.hints, sources=exc.sources
        )

    def _merged(self) -> UniversalResolution:
        where: dict[tuple[NormalizedName, Version, str], Environments] = {}
        extras: dict[tuple[NormalizedName, Version, str], set[NormalizedName]] = {}
        needs: dict[tuple[NormalizedName, Version, str], set[tuple[NormalizedName, Version]]] = {}
        warnings: dict[str, None] = {}
        for reached in self._done:
            warnings.update(dict.fromkeys(reached.resolution.warnings))
            for pin in reached.resolution.pins:
                if here := reached.where(pin):
                    key = _key(pin)
                    where[key] = where.get(key, NOWHERE) | here
                    extras.setdefault(key, set()).update(reached.extras(pin))
                    found = reached.dependencies(pin)
                    needs.setdefault(key, set()).update((one.name, one.version) for one in found)
        pins = tuple(
            UniversalPin(
                key[0], key[1], key[2] or None, tuple(sorted(extras[key])), where[key], tuple(sorted(needs[key]))
            )
            for key in sorted(where)
        )
        effort = Effort(self._decisions, self._conflicts, self._rejections, self._fork.knowledge.count_metadata())
        return UniversalResolution(pins, tuple(one.environments for one in self._done), tuple(warnings), effort)


def _key(pin: Pin) -> tuple[NormalizedName, Version, str]:
    return pin.name, pin.version, pin.url or ""
