"""What can be chosen of a project: its extras and dependency groups, each under a marker that asks for it.  PURE.

Source: PEP 751, "extras" and "dependency_groups"; PEP 735.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.markers import Marker
from packaging.utils import canonicalize_name

from engine.errors import ConfigurationError
from engine.wanted.extras import with_extras

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from packaging.utils import NormalizedName

    from engine.wanted.model import Wanted
    from engine.wanted.project import StaticProject


def with_parts(project: StaticProject, groups: Mapping[NormalizedName, Sequence[Wanted]]) -> list[Wanted]:
    """Returns what a project needs, and what its extras and groups need where they are asked for.

    A requirement on the project itself is replaced by what the extras that it names need.

    Args:
        project: what is written.
        groups: what each of its dependency groups needs.
    """
    found = with_extras(project, ())
    for extra in sorted(project.optional):
        part = with_extras(replace(project, dependencies=[]), (extra,))
        found += [wanted.only_where(Marker(f"'{extra}' in extras")) for wanted in part]
    for group, needed in sorted(groups.items()):
        part = with_extras(replace(project, dependencies=list(needed)), ())
        found += [wanted.only_where(Marker(f"'{group}' in dependency_groups")) for wanted in part]
    return found


def default_groups(groups: Collection[NormalizedName], asked: Iterable[str] | None) -> tuple[NormalizedName, ...]:
    """Returns the groups that are installed unless somebody says otherwise.

    Args:
        groups: those that there are.
        asked: what was said; None for `dev` where there is one, as with uv.

    Raises:
        ConfigurationError: when one that was asked for is not there.
    """
    if asked is None:
        return tuple(group for group in groups if group == "dev")
    found = tuple(sorted({canonicalize_name(group) for group in asked}))
    if missing := [group for group in found if group not in groups]:
        there = f"the groups are {', '.join(sorted(groups))}" if groups else "there are none"
        raise ConfigurationError(f"--default-group {missing[0]}: no such dependency group; {there}")
    return found
