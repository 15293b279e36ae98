"""Which files count when the Python is not one.

Rule: only where the Pythons of a release begin counts (`resolver.markers.from_python`); an upper bound tells what was
not tried yet.  A wheel fits if its tags are for one of the Pythons; its platform does not count.  In a part of the
Pythons it counts from the first of its own on, since those that are still to come have no wheels yet.

Source: PEP 503, "data-requires-python"; PEP 425.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from packaging.utils import NormalizedName
from packaging.version import Version

from resolver.availability import File, Obstacle, Policy, Release, Unusable
from resolver.markers.diagram import EVERYWHERE, NOWHERE, Environments
from resolver.markers.versions import PYTHON, between, floor_of, from_python, minor_cut

_TAG = re.compile(r"(cp|pp|py)([23])(\d*)")


class AnyPython(Policy):
    """What a universal resolution allows of files: those for one of its Pythons at least.

    Args:
        environments: those that are resolved for.
        no_binary, only_binary, exclude_newer, exclude_newer_package: as for `Policy`.
    """

    def __init__(
        self,
        *,
        environments: Environments,
        no_binary: frozenset[str] = frozenset(),
        only_binary: frozenset[str] = frozenset(),
        exclude_newer: datetime | None = None,
        exclude_newer_package: Mapping[NormalizedName, datetime | None] | None = None,
    ) -> None:
        super().__init__(
            python=Version("0"),
            no_binary=no_binary,
            only_binary=only_binary,
            exclude_newer=exclude_newer,
            exclude_newer_package=exclude_newer_package,
        )
        self._environments = environments
        self._allowed: dict[str, bool] = {}

    def judge(self, name: NormalizedName, version: Version, files: Sequence[File]) -> Release:
        """Returns the release of these files: the widest Requires-Python of a usable one, and what all of them fit."""
        release = super().judge(name, version, files)
        if release.unusable is not None:
            return release
        found = [file for file in files if super(AnyPython, self).judge(name, version, (file,)).unusable is None]
        pythons = NOWHERE
        for file in found:
            pythons |= _and_newer(pythons_of(file.filename))
        release = release._replace(pythons=pythons)
        if any(file.requires_python is None for file in found):
            return release
        texts = sorted({file.requires_python for file in found if file.requires_python is not None})
        return release._replace(requires_python=min(texts, key=lambda text: floor_of(from_python(text))))

    def allows_python(self, specifier: str) -> bool:
        """Whether one of the Pythons is allowed."""
        known = self._allowed.get(specifier)
        if known is None:
            known = self._allowed[specifier] = bool(from_python(specifier) & self._environments)
        return known

    def _refuse(self, file: File, limit: datetime | None, *, no_binary: bool, only_binary: bool) -> Unusable | None:
        reason = super()._refuse(file, limit, no_binary=no_binary, only_binary=only_binary)
        if reason is None and file.is_wheel and not pythons_of(file.filename) & self._environments:
            return Unusable(Obstacle.NO_MATCHING_WHEEL)
        return reason


def pythons_of(filename: str) -> Environments:
    """Returns the environments with a Python that a wheel's tags are for, on whatever platform; of an sdist all."""
    if not filename.endswith(".whl"):
        return EVERYWHERE if filename else NOWHERE
    interpreters, abis, _ = filename[:-4].rsplit("-", 2)
    return _pythons(interpreters.rpartition("-")[2], abis.rpartition("-")[2])


def _and_newer(pythons: Environments) -> Environments:
    if pythons is EVERYWHERE:
        return pythons
    return between(PYTHON, floor_of(pythons), None)


@lru_cache(maxsize=4096)
def _pythons(interpreters: str, abis: str) -> Environments:
    found = NOWHERE
    for interpreter in interpreters.split("."):
        match = _TAG.fullmatch(interpreter)
        if match is None:
            return EVERYWHERE  # another implementation
        major, minor = int(match[2]), int(match[3] or 0)
        one_minor = match[1] != "py" and match[3] and "abi3" not in abis.split(".")
        found |= between(
            PYTHON, minor_cut(major, minor), minor_cut(*((major, minor + 1) if one_minor else (major + 1, 0)))
        )
    return found
