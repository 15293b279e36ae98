"""Whether a release can be used at all, and if not, why.  Pure.

Owns the judgement of a release's files under the run's policy: file formats, tags,
Requires-Python, the cut-off date, yanks.  The driver says what it knows of each file;
whether a yanked or a pre-release version is taken is decided later, by the problem.

Rules: a release is usable if one of its files is.  If none is, the reason is that of
the file which came furthest, because it needs the least to change.  A release is yanked
when every file that is usable otherwise is yanked.

Source: PEP 592; PEP 700, "upload-time"; PEP 503, "data-requires-python".
"""

import enum
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName
from packaging.version import Version

if TYPE_CHECKING:
    from resolver.markers.diagram import Environments


class Obstacle(enum.Enum):
    """Why a release cannot be used.  The order of those up to TOO_NEW is that of the checks of a file."""

    NO_FILES = "no files"
    SDIST_REFUSED = "only an sdist"
    WHEEL_REFUSED = "only wheels"
    NO_MATCHING_WHEEL = "no matching wheel"
    REQUIRES_PYTHON = "requires another Python"
    UPLOAD_TIME_UNKNOWN = "upload time unknown"
    TOO_NEW = "too new"
    YANKED = "yanked"
    PRERELEASE = "pre-release"
    INVALID_METADATA = "invalid metadata"
    BUILD_FAILED = "build failed"
    URL_DEPENDENCY = "depends on a URL"
    UNAVAILABLE = "unavailable"


class Unusable(NamedTuple):
    """The reason why a release cannot be used; `detail` is its variable part, ready to be shown, or empty."""

    obstacle: Obstacle
    detail: str = ""


class Release(NamedTuple):
    """What the driver knows of one version before it has read metadata.

    Args:
        version: the version.
        unusable: why none of its files can be used, or None.
        yanked: the index's reason for yanking it (may be empty), or None if it is not yanked.
        cheap: whether its metadata can be had without building anything.
        requires_python, pythons: of its usable files, where the policy leaves the judgement to the resolution: what
            they say, and which environments their tags are for.
    """

    version: Version
    unusable: Unusable | None = None
    yanked: str | None = None
    cheap: bool = True
    requires_python: str | None = None
    pythons: "Environments | None" = None


class File(NamedTuple):
    """What the driver knows of one file.

    Args:
        is_wheel: a wheel; else an sdist.
        fits: whether the target has one of the wheel's tags; True for an sdist.
        requires_python: a specifier, or None.
        yanked: the reason (may be empty), or None.
        uploaded: aware time of the upload, or None where the index does not tell.
        cheap: whether the index serves its metadata, or it is a wheel.
        filename: empty where it does not matter.
    """

    is_wheel: bool
    fits: bool = True
    requires_python: str | None = None
    yanked: str | None = None
    uploaded: datetime | None = None
    cheap: bool = True
    filename: str = ""


#: Detail of a release without a matching wheel: it has an sdist, which is refused.
WITH_SDIST = "sdist"


class Policy:
    """What a run allows of files.

    Args:
        python: the target's full version.
        no_binary, only_binary: names, or `{":all:"}`.
        exclude_newer: files uploaded at this time or later do not count; None for no limit.
        exclude_newer_package: other limits for some projects; None lifts the limit.
    """

    def __init__(
        self,
        *,
        python: Version,
        no_binary: frozenset[str] = frozenset(),
        only_binary: frozenset[str] = frozenset(),
        exclude_newer: datetime | None = None,
        exclude_newer_package: Mapping[NormalizedName, datetime | None] | None = None,
    ) -> None:
        self.python = python
        self.no_binary = no_binary
        self.only_binary = only_binary
        self.exclude_newer = exclude_newer
        self.exclude_newer_package = exclude_newer_package or {}
        self._pythons: dict[str, bool] = {}

    def judge(self, name: NormalizedName, version: Version, files: Sequence[File]) -> Release:
        """Returns the release of these files.

        Args:
            name: the project.
            version: the version all files have.
            files: in any order.
        """
        limit = self.exclude_newer_package.get(name, self.exclude_newer)
        no_binary = _names(self.no_binary, name, against=self.only_binary)
        only_binary = _names(self.only_binary, name, against=self.no_binary)
        best: tuple[int, str] = (0, "")
        usable: list[File] = []
        for file in files:
            reason = self._refuse(file, limit, no_binary=no_binary, only_binary=only_binary)
            if reason is None:
                usable.append(file)
            elif (rank := _RANKS[reason.obstacle]) > best[0]:
                best = (rank, reason.detail)
        if not usable and _CHECKED[best[0]] is Obstacle.NO_MATCHING_WHEEL and not all(file.is_wheel for file in files):
            best = (best[0], WITH_SDIST)
        if not usable:
            return Release(version, Unusable(_CHECKED[best[0]], best[1]))
        return self._release(version, usable)

    def _release(self, version: Version, usable: list[File]) -> Release:
        kept = [file for file in usable if file.yanked is None]
        yanked = None if kept else next((file.yanked for file in usable if file.yanked), "")
        return Release(version, None, yanked, any(file.cheap for file in kept or usable))

    def allows_python(self, specifier: str) -> bool:
        """Whether the target has a Python that the specifier allows; one that cannot be read allows all, as in pip."""
        known = self._pythons.get(specifier)
        if known is None:
            try:
                known = SpecifierSet(specifier).contains(self.python, prereleases=True)
            except ValueError:
                known = True
            self._pythons[specifier] = known
        return known

    def _refuse(self, file: File, limit: datetime | None, *, no_binary: bool, only_binary: bool) -> Unusable | None:
        if file.is_wheel and no_binary:
            return Unusable(Obstacle.WHEEL_REFUSED)
        if not file.is_wheel and only_binary:
            return Unusable(Obstacle.SDIST_REFUSED)
        if not file.fits:
            return Unusable(Obstacle.NO_MATCHING_WHEEL)
        if file.requires_python is not None and not self.allows_python(file.requires_python):
            return Unusable(Obstacle.REQUIRES_PYTHON, file.requires_python)
        if limit is not None and file.uploaded is None:
            return Unusable(Obstacle.UPLOAD_TIME_UNKNOWN)
        if limit is not None and file.uploaded is not None and file.uploaded >= limit:
            return Unusable(Obstacle.TOO_NEW, file.uploaded.date().isoformat())
        return None


_CHECKED = tuple(Obstacle)[: tuple(Obstacle).index(Obstacle.TOO_NEW) + 1]
_RANKS = {obstacle: rank for rank, obstacle in enumerate(_CHECKED)}


def _names(chosen: frozenset[str], name: str, *, against: frozenset[str]) -> bool:
    return name in chosen or (":all:" in chosen and name not in against)
