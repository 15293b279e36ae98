"""What an environment has, as a resolution sees it: releases that need no index, with their own metadata.

Owns the resolution that asks nobody, which tells whether anything is to be done at all.

Source: "Recording installed projects"; PEP 610.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from engine.environment.installed import Installed
from engine.errors import InvalidWheel
from engine.solving.headers import read_metadata
from resolver import (
    Answer,
    Dependencies,
    Listing,
    Metadata,
    Obstacle,
    Problem,
    Release,
    Request,
    Resolution,
    ResolutionFailed,
    Resolver,
    Unusable,
    Waiting,
)

#: (dist-info folder, URL that is wanted) -> whether that distribution came from there.
CameFrom = Callable[[str, str], bool]


class InstalledRelease(NamedTuple):
    """One installed distribution: its version, and its dist-info folder."""

    version: Version
    path: str


def installed_releases(found: Mapping[str, list[Installed]]) -> dict[NormalizedName, InstalledRelease]:
    """Returns the distributions that can stay as they are: whole ones, with metadata, one of each project."""
    releases: dict[NormalizedName, InstalledRelease] = {}
    for name, distributions in found.items():
        one = distributions[0]
        if len(distributions) != 1 or one.broken or one.legacy:
            continue
        try:
            releases[NormalizedName(name)] = InstalledRelease(Version(one.version), one.path)
        except ValueError:
            continue
    return releases


def read_installed(name: NormalizedName, release: InstalledRelease) -> Metadata | Unusable:
    """Returns the metadata of an installed distribution, or why they cannot be used."""
    try:
        with open(os.path.join(release.path, "METADATA"), "rb") as file:
            return read_metadata(file.read(), name, release.version)
    except (OSError, InvalidWheel) as exc:
        return Unusable(Obstacle.INVALID_METADATA, str(exc))


def settle(
    problem: Problem, installed: Mapping[NormalizedName, InstalledRelease], came_from: CameFrom
) -> Resolution | None:
    """Returns the resolution that consists of what is installed; None where there is none.

    Args:
        problem: what is wanted.
        installed: what may stay.
        came_from: tells whether a distribution came from a URL.
    """
    resolver = Resolver(problem)
    try:
        while isinstance(outcome := resolver.step(), Waiting):
            for request in outcome.needed:
                answer = _answer(request, installed, came_from)
                if answer is None:
                    return None
                resolver.answer(request, answer)
    except ResolutionFailed:
        return None
    return outcome


def _answer(
    request: Request, installed: Mapping[NormalizedName, InstalledRelease], came_from: CameFrom
) -> Answer | None:
    """Returns what the environment answers; None where only somebody else can."""
    release = installed.get(request.name)
    if release is None or (request.url is not None and not came_from(release.path, request.url)):
        return None
    if isinstance(request, Dependencies):
        return read_installed(request.name, release)
    return Listing((Release(release.version),))


def may_stay(
    problem: Problem, installed: Mapping[NormalizedName, InstalledRelease], upgrades: Iterable[str]
) -> dict[NormalizedName, InstalledRelease]:
    """Returns the distributions that nothing of the problem itself sends away.

    Args:
        problem: what is wanted.
        installed: what there is.
        upgrades: normalised names of projects that are to be chosen anew.
    """
    going = set(upgrades)
    for requested in (*problem.requirements, *problem.constraints, *problem.overrides):
        requirement = requested.requirement
        name = canonicalize_name(requirement.name)
        found = installed.get(name)
        if found is not None and (
            requirement.url is not None or not requirement.specifier.contains(found.version, prereleases=True)
        ):
            going.add(name)
    return {name: release for name, release in installed.items() if name not in going}
