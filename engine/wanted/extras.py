"""What the extras of a project itself lead to: `project[a,b]` among its own requirements is what a and b need.  PURE.

Source: the "pyproject.toml specification"; setuptools and pip both follow such requirements through the metadata.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.markers import Marker
    from packaging.utils import NormalizedName

    from engine.wanted.model import Wanted
    from engine.wanted.project import StaticProject


def with_extras(project: StaticProject, extras: Iterable[NormalizedName]) -> list[Wanted]:
    """Returns what a project needs with some of its extras.

    A requirement on the project itself is replaced by what its extras need, under its marker; one that comes back to
    an extra that led to it ends there.

    Args:
        project: what is written.
        extras: those that are asked for; one that the project does not have adds nothing.
    """
    found: list[Wanted] = []
    seen: set[tuple[NormalizedName, str]] = set()
    waiting: deque[tuple[Iterable[Wanted], Marker | None, tuple[NormalizedName, ...]]] = deque()
    waiting.append((project.dependencies, None, ()))

    def follow(extra: NormalizedName, marker: Marker | None, chain: tuple[NormalizedName, ...]) -> None:
        # An extra that leads back to itself does so under a narrower marker, which adds nothing.
        if extra not in chain and (extra, str(marker)) not in seen:
            seen.add((extra, str(marker)))
            waiting.append((project.optional.get(extra, ()), marker, (*chain, extra)))

    for extra in extras:
        follow(extra, None, ())
    while waiting:
        needed, marker, chain = waiting.popleft()
        for wanted in needed:
            if wanted.name != project.name or wanted.file is not None:
                found.append(wanted.only_where(marker))
                continue
            inner = wanted.only_where(marker).requirement.marker
            for name in sorted(wanted.requirement.extras):
                if canonicalize_name(name) not in project.optional:
                    problem = f"{wanted.where}: {project.name} has no extra {name}"
                    if problem not in project.problems:
                        project.problems.append(problem)
                follow(canonicalize_name(name), inner, chain)
    return found
