"""The target of a universal resolution: every platform, and a range of Pythons.  Pure.

The range is the project's Requires-Python, or begins with `--python-version`, or with the
interpreter at hand.

Source: uv, for where the range begins.
"""

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from packaging.specifiers import SpecifierSet

from engine.errors import ConfigurationError
from engine.wanted.model import PythonBound
from resolver.markers import POSSIBLE, Environments, python_environments
from resolver.universal import AnyPython

if TYPE_CHECKING:
    from engine.cutoff import Cutoffs


class Everywhere(NamedTuple):
    """A target.

    Attributes:
        python: the range of Pythons.
        environments: those that can be.
    """

    python: SpecifierSet
    environments: Environments

    def policy(
        self, *, no_binary: frozenset[str], only_binary: frozenset[str], cutoffs: "Cutoffs | None" = None
    ) -> AnyPython:
        """Returns what is allowed of files."""
        return AnyPython(
            environments=self.environments,
            no_binary=no_binary,
            only_binary=only_binary,
            exclude_newer=cutoffs.everything if cutoffs is not None else None,
            exclude_newer_package=cutoffs.projects if cutoffs is not None else None,
        )


def everywhere(python_version: str | None, bounds: Iterable[PythonBound], here: Mapping[str, str]) -> Everywhere:
    """Returns the target.

    Args:
        python_version: the oldest Python, such as `3.9` or `3.9.2`, or None.
        bounds: what the projects say.
        here: marker variables of the interpreter at hand.

    Raises:
        ConfigurationError: when `python_version` is none, or no Python is in all bounds.
    """
    bounds = tuple(bounds)
    if python_version is not None:
        if re.fullmatch(r"\d{1,3}\.\d{1,3}(\.\d{1,3})?", python_version) is None:
            raise ConfigurationError(
                f'--python-version must be a version such as 3.12 or 3.12.1, not "{python_version}"'
            )
        python = SpecifierSet(f">={python_version}")
    elif bounds:
        python = SpecifierSet(",".join(str(bound.specifier) for bound in bounds))
    else:
        python = SpecifierSet(f">={here['python_version']}")
    environments = POSSIBLE & python_environments(python)
    if not environments:
        places = " and ".join(bound.where for bound in bounds)
        raise ConfigurationError(f"{places}: there is no Python that is {python}")
    return Everywhere(python, environments)
