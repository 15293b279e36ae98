"""From requirements to what is wanted in some of many environments.

Owns the environments of each requirement; all else is as `resolver.dependencies` has it.
Rules: what is wanted in no environment of the fork is not wanted; a line of an extra counts
where it does not count without it.
"""

from collections.abc import Iterable

from packaging.markers import Marker
from packaging.utils import NormalizedName, canonicalize_name

from resolver.dependencies import Dependencies, InvalidLine, Line, Wanted
from resolver.errors import ResolverError
from resolver.inputs import Problem, Requested
from resolver.markers.diagram import EVERYWHERE, Environments
from resolver.markers.reading import UnreadableMarker, read_marker
from resolver.markers.variables import Variable

_EXTRA = Variable.named("extra")


class InvalidRequirementMarker(ResolverError):
    """The marker of a requirement of the user's compares what cannot be compared."""


class ConditionalDependencies(Dependencies):
    """Reads requirements for one fork.

    Args:
        problem: gives overrides and excludes.
        environments: of the fork.
        shared: another of the same problem, whose parsed lines are used.
    """

    def __init__(
        self, problem: Problem, environments: Environments, shared: "ConditionalDependencies | None" = None
    ) -> None:
        super().__init__(problem)
        self._environments = environments
        self._where: dict[tuple[str, str], Environments] = {}
        if shared is not None:
            self._lines, self._where = shared._lines, shared._where
        for name, replacing in self._overrides.items():
            replacing.clear()
            for requested in problem.overrides:
                if canonicalize_name(requested.requirement.name) == name:
                    replacing += self._with_condition(requested)

    def direct(self, requested: Iterable[Requested]) -> tuple[Wanted, ...]:
        """Returns what the user's requirements ask for, in their order, overrides and excludes applied."""
        found: list[Wanted] = []
        for one in requested:
            wanted = Wanted.of(one.requirement, one.source)
            if wanted.name in self._overrides:
                found += self._placed(wanted, EVERYWHERE)
            else:
                found += [placed for condition in self._with_condition(one) for placed in self._replaced(condition)]
        return tuple(found)

    def applying(self, requested: Iterable[Requested]) -> tuple[Wanted, ...]:
        """Returns those that count somewhere, untouched by overrides; excludes are dropped."""
        found = [wanted for one in requested for wanted in self._with_condition(one)]
        return tuple(wanted for wanted in found if wanted.name not in self._excludes)

    def _plainly(self, text: str, line: Line) -> list[Wanted]:
        is_overridden = not line.has_extra and line.wanted.name in self._overrides
        return self._placed(line.wanted, EVERYWHERE if is_overridden else self._read(text, line, ""))

    def _added(self, text: str, line: Line, extra: NormalizedName) -> list[Wanted]:
        where = self._read(text, line, extra) & ~self._read(text, line, "")
        return self._placed(line.wanted, where)

    def _read(self, text: str, line: Line, extra: str) -> Environments:
        key = (line.condition, extra)
        known = self._where.get(key)
        if known is None:
            try:
                known = read_marker(line.marker).assign(_EXTRA, extra)
            except UnreadableMarker:
                raise InvalidLine(text) from None
            self._where[key] = known
        return known

    def _placed(self, wanted: Wanted, where: Environments) -> list[Wanted]:
        """Returns a requirement, or what replaces it, for its environments in this fork."""
        if not where & self._environments:
            return []
        found = []
        for one in self._replaced(wanted):
            both = where if one.where is None else where & one.where
            if both & self._environments:
                found.append(one._replace(where=both))
        return found

    def _with_condition(self, requested: Requested) -> list[Wanted]:
        requirement = requested.requirement
        try:
            where = read_marker(requirement.marker).assign(_EXTRA, "")
        except UnreadableMarker as exc:
            place = f"{requested.source}: " if requested.source else ""
            raise InvalidRequirementMarker(
                f"{place}the marker of {requirement.name} cannot be evaluated: {exc}"
            ) from exc
        if not where & self._environments:
            return []
        return [Wanted.of(requirement, requested.source)._replace(where=where)]

    def _holds(self, marker: Marker | None, extra: str) -> bool:
        return True  # the constructor of the base asks before environments are known; see above
