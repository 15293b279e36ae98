"""The problem: everything that an answer depends on besides what the index says.  Values only."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from packaging.requirements import Requirement
from packaging.utils import NormalizedName
from packaging.version import Version


class Strategy(enum.Enum):
    """Which end of a project's versions is tried first."""

    HIGHEST = "highest"
    LOWEST = "lowest"
    LOWEST_DIRECT = "lowest-direct"


class Prereleases(enum.Enum):
    """When a pre-release may be chosen.

    DISALLOW never, ALLOW like any other version, IF_NECESSARY when no final version of the project fits,
    EXPLICIT the same where a requirement, constraint or override of the problem names one, else never.
    IF_NECESSARY_OR_EXPLICIT is IF_NECESSARY, as since uv 0.12: what names a pre-release allows it, and no more.
    """

    DISALLOW = "disallow"
    ALLOW = "allow"
    IF_NECESSARY = "if-necessary"
    EXPLICIT = "explicit"
    IF_NECESSARY_OR_EXPLICIT = "if-necessary-or-explicit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested:
    """One requirement of the user's.

    Args:
        requirement: as it was parsed.
        source: where it was written ("requirements.txt:3"); empty for the command line.
    """

    requirement: Requirement
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is to be resolved.

    Args:
        requirements: what must be installed.
        constraints: bounds for projects that are installed for another reason; their extras do not count.
        overrides: replace every requirement on their project, extras and markers included.
        excludes: projects that nothing is installed of; requirements on them are dropped.
        preferences: versions to keep where they fit, from a lock or an environment.
        strategy, prereleases: the order of candidates.
        prereleases_package: another mode for some projects.
        markers: the target's marker environment, `packaging.markers.default_environment()` of the target.
        dependencies: whether what is installed has to have what it depends on.
    """

    requirements: tuple[Requested, ...]
    markers: Mapping[str, str]
    constraints: tuple[Requested, ...] = ()
    overrides: tuple[Requested, ...] = ()
    excludes: frozenset[NormalizedName] = frozenset()
    preferences: Mapping[NormalizedName, Version] = field(default_factory=dict)
    strategy: Strategy = Strategy.HIGHEST
    prereleases: Prereleases = Prereleases.IF_NECESSARY_OR_EXPLICIT
    prereleases_package: Mapping[NormalizedName, Prereleases] = field(default_factory=dict)
    dependencies: bool = True
