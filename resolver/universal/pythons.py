"""Which files count when the Python is not one.

Rule: only where the Pythons of a release begin counts (`resolver.markers.from_python`); an upper bound tells what was
not tried yet.

Source: PEP 503, "data-requires-python".
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from packaging.utils import NormalizedName
from packaging.version import Version

from resolver.availability import File, Policy, Release
from resolver.markers.diagram import Environments
from resolver.markers.versions import floor_of, from_python


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
        """Returns the release of these files, with the widest Requires-Python that a usable one has."""
        release = super().judge(name, version, files)
        if release.unusable is not None:
            return release
        found = [file for file in files if super(AnyPython, self).judge(name, version, (file,)).unusable is None]
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
