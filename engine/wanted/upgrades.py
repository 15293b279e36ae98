"""`--upgrade-package` and `--prerelease-package`: what is said of single projects.  PURE.

Source: `uv pip compile --help`, for the notations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from engine.errors import ConfigurationError
from engine.wanted.model import Wanted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class Upgrades(NamedTuple):
    """What is to be chosen anew.

    Attributes:
        names: of projects.
        constraints: what must be true of their new versions.
    """

    names: frozenset[NormalizedName]
    constraints: tuple[Wanted, ...]


def read_upgrades(words: Iterable[str]) -> Upgrades:
    """Returns what `--upgrade-package` asks for.

    Args:
        words: each a project, or a requirement that the new version must meet.

    Raises:
        ConfigurationError: when one is neither, or names a file.
    """
    names: set[NormalizedName] = set()
    constraints: list[Wanted] = []
    for word in words:
        try:
            requirement = Requirement(word)
        except ValueError as exc:
            raise ConfigurationError(
                f'--upgrade-package takes a project or a bound, such as "flask<4", not "{word}"'
            ) from exc
        if requirement.url is not None:
            raise ConfigurationError(
                f'--upgrade-package takes no URL, as in "{requirement.name} @ …"', hint="name it in your requirements"
            )
        names.add(canonicalize_name(requirement.name))
        if requirement.specifier:
            constraints.append(Wanted(requirement=requirement, where="--upgrade-package"))
    return Upgrades(frozenset(names), tuple(constraints))


def read_prereleases(words: Iterable[str], modes: Sequence[str]) -> Mapping[NormalizedName, str]:
    """Returns what `--prerelease-package` says: a mode by the name of a project.

    Args:
        words: each `NAME=MODE`, the nearest first; of two for one project the first counts.
        modes: the names there are.

    Raises:
        ConfigurationError: when one is something else.
    """
    found: dict[NormalizedName, str] = {}
    for word in words:
        name, _, mode = (part.strip() for part in word.partition("="))
        if not name or mode not in modes:
            raise ConfigurationError(
                f'--prerelease-package takes NAME=MODE, not "{word}"', hint=f"the modes are {', '.join(modes)}"
            )
        found.setdefault(canonicalize_name(name), mode)
    return found
