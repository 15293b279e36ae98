"""Which files count when the Python is not one.

Rule: only where the Pythons of a release begin counts (`resolver.markers.from_python`); an upper bound tells what was
not tried yet.  A wheel fits if its tags are for one of the Pythons; its platform does not count.  In a part of the
Pythons it counts from the first of its own on, since those that are still to come have no wheels yet.

Source: PEP 503, "data-requires-python"; PEP 425.
"""

import re
from collections.abc import Mapping
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
        self._fitting: dict[tuple[str, str], bool] = {}

    def _release(self, version: Version, usable: list[File]) -> Release:
        """Adds the widest Requires-Python of a file, and what all of them fit."""
        pythons = _fitting_some(frozenset(_tags(file.filename) for file in usable))
        texts = frozenset(file.requires_python for file in usable)
        return super()._release(version, usable)._replace(pythons=pythons, requires_python=_widest(texts))

    def allows_python(self, specifier: str) -> bool:
        """Whether one of the Pythons is allowed."""
        known = self._allowed.get(specifier)
        if known is None:
            known = self._allowed[specifier] = bool(from_python(specifier) & self._environments)
        return known

    def _refuse(self, file: File, limit: datetime | None, *, no_binary: bool, only_binary: bool) -> Unusable | None:
        reason = super()._refuse(file, limit, no_binary=no_binary, only_binary=only_binary)
        if reason is None and file.is_wheel:
            tags = _tags(file.filename)
            fits = self._fitting.get(tags)
            if fits is None:
                fits = self._fitting[tags] = bool(_pythons(*tags) & self._environments)
            return None if fits else Unusable(Obstacle.NO_MATCHING_WHEEL)
        return reason


def pythons_of(filename: str) -> Environments:
    """Returns the environments with a Python that a wheel's tags are for, on whatever platform; of an sdist all."""
    return _pythons(*_tags(filename))


def _tags(filename: str) -> tuple[str, str]:
    """Returns the tags of interpreters and of ABIs; of an sdist two that fit all."""
    if not filename.endswith(".whl"):
        return ("", "none") if filename else ("", "")
    front, abis, _ = filename.rsplit("-", 2)
    return front.rpartition("-")[2], abis


@lru_cache(maxsize=4096)
def _fitting_some(several: frozenset[tuple[str, str]]) -> Environments:
    found = NOWHERE
    for tags in several:
        found |= _and_newer(_pythons(*tags))
    return found


@lru_cache(maxsize=4096)
def _widest(specifiers: frozenset[str | None]) -> str | None:
    """Returns the Requires-Python that begins first, None where a file has none."""
    texts = sorted(text for text in specifiers if text is not None)
    return min(texts, key=lambda text: floor_of(from_python(text))) if len(texts) == len(specifiers) else None


def _and_newer(pythons: Environments) -> Environments:
    if pythons is EVERYWHERE:
        return pythons
    return between(PYTHON, floor_of(pythons), None)


@lru_cache(maxsize=4096)
def _pythons(interpreters: str, abis: str) -> Environments:
    found = NOWHERE
    if not interpreters:
        return EVERYWHERE if abis else NOWHERE
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
