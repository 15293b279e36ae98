"""The candidates of a project: which of its versions may be chosen, and in which order.

Owns the policies that speak about one project alone: yanked releases, pre-releases,
preferences, the strategy.  Rules: a preferred version first, as long as it is possible;
then, where pre-releases are only a last resort, all final versions before any of them;
then the strategy's end of the order.  A yanked release can be chosen only if a
requirement, constraint, override or preference of the problem pins exactly its version.

Source: PEP 440, "Handling of pre-releases"; PEP 592, "Installers".
"""

from collections.abc import Iterable
from typing import NamedTuple

from packaging.utils import NormalizedName

from resolver.availability import Obstacle, Unusable
from resolver.dependencies import Dependencies, Wanted
from resolver.inputs import Prereleases, Problem, Strategy
from resolver.versions import ABSENT, VersionTable


class Project(NamedTuple):
    """A project whose releases are known.

    Args:
        name: its name.
        table: its releases.
        barred: sets of releases that cannot be chosen, with the reason; disjoint.
        usable: the set of all others.
        preferred: the bit of the preferred version, or 0.
        lowest: whether the lowest version is tried first.
        late: pre-releases that are a last resort.
        bounds: the user's constraints, each with the set it allows.
    """

    name: NormalizedName
    table: VersionTable
    barred: tuple[tuple[int, Unusable], ...]
    usable: int
    preferred: int
    lowest: bool
    late: int
    bounds: tuple[tuple[Wanted, int], ...]

    def best(self, bits: int) -> int:
        """Returns the bit of the version of a set that is tried first, 0 for the set of none."""
        bits &= ~ABSENT
        if bits & self.preferred:
            return self.preferred
        bits = bits & ~self.late or bits
        return bits & -bits if self.lowest else (1 << bits.bit_length()) >> 1

    def from_here(self, bits: int, bit: int) -> int:
        """Returns the part of a set that is tried no earlier than the version of a bit, preferences aside."""
        return bits & -bit if self.lowest else bits & ((bit << 1) - 1)

    def first(self, bits: int, count: int) -> list[int]:
        """Returns the bits of the versions of a set that are tried first, at most `count`, in this order."""
        found: list[int] = []
        while len(found) < count and (bit := self.best(bits)):
            found.append(bit)
            bits &= ~bit
        return found


def wanted_bits(wanted: Wanted, table: VersionTable) -> int:
    """Returns the versions that a requirement allows."""
    if wanted.url is not None:
        return table.at_url(wanted.url)
    return table.matching(wanted.specifiers, wanted.text)


class Candidates:
    """Makes projects of listings, for one problem.

    Args:
        problem: gives strategy, pre-release modes, preferences and constraints.
        dependencies: reads its requirements.
    """

    def __init__(self, problem: Problem, dependencies: Dependencies) -> None:
        self._problem = problem
        self._direct = {wanted.name for wanted in dependencies.direct(problem.requirements)}
        self._bounds: dict[NormalizedName, list[Wanted]] = {}
        for wanted in dependencies.applying(problem.constraints):
            self._bounds.setdefault(wanted.name, []).append(wanted)
        self._named: dict[NormalizedName, list[Wanted]] = {}
        for requested in (problem.requirements, problem.constraints, problem.overrides):
            for wanted in dependencies.applying(requested):
                self._named.setdefault(wanted.name, []).append(wanted)

    def urls(self) -> dict[NormalizedName, tuple[str, ...]]:
        """Returns the direct URLs that the problem itself names."""
        found = {
            name: tuple(dict.fromkeys(wanted.url for wanted in named if wanted.url is not None))
            for name, named in self._named.items()
        }
        return {name: urls for name, urls in found.items() if urls}

    def project(self, name: NormalizedName, table: VersionTable) -> Project:
        """Returns the project with this table."""
        mode = self._mode(name)
        reasons: dict[Unusable, int] = {}
        yanked = 0
        kinds = table.by_kind()
        for release, bits in kinds:
            if release.unusable is not None:
                reasons[release.unusable] = reasons.get(release.unusable, 0) | bits
            elif release.yanked is not None:
                yanked |= bits
        yanked &= ~self._pinned(name, table)
        for release, bits in kinds if yanked else ():
            if bits & yanked:
                reason = Unusable(Obstacle.YANKED, release.yanked or "")
                reasons[reason] = reasons.get(reason, 0) | bits & yanked
        unusable = sum(reasons.values())
        if mode is Prereleases.DISALLOW and (early := table.prereleases & ~unusable & ~self._preferred(name, table)):
            reasons[Unusable(Obstacle.PRERELEASE)] = early
            unusable |= early
        bounds = tuple((wanted, wanted_bits(wanted, table)) for wanted in self._bounds.get(name, ()))
        return Project(
            name=name,
            table=table,
            barred=tuple((bits, reason) for reason, bits in reasons.items()),
            usable=table.some & ~unusable,
            preferred=self._preferred(name, table),
            lowest=self._lowest(name),
            late=table.prereleases if mode is Prereleases.IF_NECESSARY else 0,
            bounds=bounds,
        )

    def _lowest(self, name: NormalizedName) -> bool:
        strategy = self._problem.strategy
        return strategy is Strategy.LOWEST or (strategy is Strategy.LOWEST_DIRECT and name in self._direct)

    def _mode(self, name: NormalizedName) -> Prereleases:
        """Reduces the five modes to three: never, like any other, as a last resort."""
        mode = self._problem.prereleases_package.get(name, self._problem.prereleases)
        if mode is Prereleases.EXPLICIT:
            named = any(wanted.url is not None or _names_prerelease(wanted) for wanted in self._named.get(name, ()))
            return Prereleases.IF_NECESSARY if named else Prereleases.DISALLOW
        return Prereleases.IF_NECESSARY if mode is Prereleases.IF_NECESSARY_OR_EXPLICIT else mode

    def _preferred(self, name: NormalizedName, table: VersionTable) -> int:
        version = self._problem.preferences.get(name)
        position = None if version is None else table.index(version)
        return 0 if position is None else 2 << position

    def _pinned(self, name: NormalizedName, table: VersionTable) -> int:
        exact: Iterable[Wanted] = (wanted for wanted in self._named.get(name, ()) if wanted.pins or wanted.url)
        bits = self._preferred(name, table)
        for wanted in exact:
            bits |= wanted_bits(wanted, table)
        return bits


def _names_prerelease(wanted: Wanted) -> bool:
    return any(one.prereleases for one in wanted.specifiers)
