"""What a universal resolution is asked, and its answer.  Values only."""

import enum
from dataclasses import dataclass
from typing import NamedTuple

from packaging.utils import NormalizedName
from packaging.version import Version

from resolver.inputs import Problem
from resolver.markers.diagram import Environments
from resolver.requests import Effort


class ForkStrategy(enum.Enum):
    """What happens to a version that is not for all of the Pythons.

    REQUIRES_PYTHON divides the environments there, so that each Python has the newest version; FEWEST takes an older
    version that is for all of them.
    """

    REQUIRES_PYTHON = "requires-python"
    FEWEST = "fewest"


class Preference(NamedTuple):
    """A version to keep where it fits, and where it was chosen before."""

    name: NormalizedName
    version: Version
    where: Environments


@dataclass(frozen=True, slots=True, kw_only=True)
class UniversalProblem:
    """What is to be resolved for many environments.

    Args:
        problem: requirements, constraints, overrides and policies; its markers and preferences do not count.
        environments: those that the answer is for.
        python: the Pythons of these, in words for explanations, such as ">=3.9".
        preferences: what an earlier answer says.
        strategy: what divides the environments.
    """

    problem: Problem
    environments: Environments
    python: str
    preferences: tuple[Preference, ...] = ()
    strategy: ForkStrategy = ForkStrategy.REQUIRES_PYTHON


class UniversalPin(NamedTuple):
    """A chosen distribution, and the environments that need it.

    Args:
        dependencies: names and versions of what it leads to, in this order.
    """

    name: NormalizedName
    version: Version
    url: str | None
    extras: tuple[NormalizedName, ...]
    where: Environments
    dependencies: tuple[tuple[NormalizedName, Version], ...]


class UniversalResolution(NamedTuple):
    """The answer.

    Args:
        pins: by name, version and URL; those of one project are for environments that exclude each other.
        forks: the parts of the environments that were resolved each for itself.
        warnings: one line each.
        effort: how much work it was.
    """

    pins: tuple[UniversalPin, ...]
    forks: tuple[Environments, ...]
    warnings: tuple[str, ...]
    effort: Effort
