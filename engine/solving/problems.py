"""From what is wanted to the problem that the resolver is given.  PURE."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from packaging.utils import NormalizedName
from packaging.version import Version

from engine.compiled.preferences import read_preferences
from engine.wanted.model import Wanted, Wants
from resolver import Prereleases, Problem, Requested, Strategy


class Order(NamedTuple):
    """Which versions are tried first.

    Attributes:
        strategy: its name.
        prereleases: the name of a mode, or None where nobody has said.
        prereleases_of: the same for single projects.
    """

    strategy: str = "highest"
    prereleases: str | None = None
    prereleases_of: Mapping[NormalizedName, str] = MappingProxyType({})


def preferences_of(
    body: bytes, name: str, markers: Mapping[str, str], upgrades: Iterable[str]
) -> Mapping[NormalizedName, Version]:
    """Returns what an earlier answer prefers.

    Args:
        body: of its file.
        name: of its file, which tells the format.
        markers: of the target.
        upgrades: normalised names of projects that are to be chosen anew.
    """
    return read_preferences(body, name, markers).without(NormalizedName(name) for name in upgrades).versions


def problem_of(
    wants: Wants,
    markers: Mapping[str, str],
    order: Order,
    preferences: Mapping[NormalizedName, Version],
    *,
    dependencies: bool = True,
) -> Problem:
    """Returns what is to be resolved.

    Args:
        wants: what is wanted.
        markers: of the target.
        order: which versions are tried first.
        preferences: versions that stay where they fit.
        dependencies: whether what these need counts.
    """
    mode = order.prereleases or ("allow" if wants.prereleases else "if-necessary-or-explicit")
    return Problem(
        requirements=_requested(wants.requirements),
        constraints=_requested(wants.constraints),
        overrides=_requested(wants.overrides),
        excludes=wants.excludes,
        preferences=preferences,
        strategy=Strategy(order.strategy),
        prereleases=Prereleases(mode),
        prereleases_package={name: Prereleases(one) for name, one in order.prereleases_of.items()},
        markers=markers,
        dependencies=dependencies,
    )


def _requested(wanted: Sequence[Wanted]) -> tuple[Requested, ...]:
    return tuple(Requested(requirement=one.requirement, source=one.where) for one in wanted)
