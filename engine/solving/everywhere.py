"""The target of a universal resolution: every platform, and a range of Pythons.  Pure.

The range is the project's Requires-Python, or begins with `--python-version`, or with the
interpreter at hand.

Source: PEP 425 for what the tags of a wheel say about Pythons; uv for where the range begins.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from packaging.specifiers import SpecifierSet

from engine.errors import ConfigurationError
from engine.wanted.model import PythonBound
from resolver.markers import POSSIBLE, Environments, floor_of, python_environments
from resolver.universal import AnyPython

_TAG = re.compile(r"(cp|pp|py)([23])(\d*)")
#: What the newest Python is taken to be where there is no upper bound: none.
_ENDLESS = 1 << 16


class Everywhere(NamedTuple):
    """A target.

    Attributes:
        python: the range of Pythons.
        environments: those that can be.
        tags: which tags of wheels fit any of them; 0 for wheels of every platform.
    """

    python: SpecifierSet
    environments: Environments
    tags: "PythonTags"

    def policy(self, *, no_binary: frozenset[str], only_binary: frozenset[str]) -> AnyPython:
        """Returns what is allowed of files."""
        return AnyPython(environments=self.environments, no_binary=no_binary, only_binary=only_binary)


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
    return Everywhere(python, environments, PythonTags(python))


class PythonTags(Mapping[str, int]):
    """Maps a tag to 0 or 1 if an interpreter of a range of Pythons can have it, on whatever platform.

    Args:
        python: the range.
    """

    def __init__(self, python: SpecifierSet) -> None:
        floor = floor_of(python_environments(python))[0].release
        self._oldest = (*floor, 0)[:2]
        self._python = python
        self._known: dict[str, int | None] = {}

    def __getitem__(self, tag: str) -> int:
        if tag not in self._known:
            self._known[tag] = self._rank(tag)
        rank = self._known[tag]
        if rank is None:
            raise KeyError(tag)
        return rank

    def __iter__(self) -> Iterator[str]:
        return iter([tag for tag, rank in self._known.items() if rank is not None])

    def __len__(self) -> int:
        return len(list(iter(self)))

    def _rank(self, tag: str) -> int | None:
        interpreter, _, rest = tag.partition("-")
        abi, _, platform = rest.partition("-")
        match = _TAG.fullmatch(interpreter)
        if match is not None:
            kind, major, minor = match[1], int(match[2]), int(match[3] or 0)
            any_later = kind == "py" or abi == "abi3"
            newest = (major, _ENDLESS) if any_later else (major, minor)
            if newest < self._oldest or not self._allows(major, minor, any_later=any_later):
                return None
        return int(platform != "any")

    def _allows(self, major: int, minor: int, *, any_later: bool) -> bool:
        """Whether the range goes on to a Python, or, for what fits all later ones, begins after it."""
        if any_later and (major, minor) <= self._oldest:
            return True
        return bool(python_environments(self._python) & python_environments(SpecifierSet(f"=={major}.{minor}.*")))
