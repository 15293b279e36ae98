"""What an earlier answer says: versions to keep where they still fit, and the hashes of their files.  PURE.

Reads requirements.txt and pylock.toml of any tool.  Never fails: a line that is not
understood prefers nothing, because the file is about to be written anew.

Source: pip-tools and uv, which keep what an existing output file pins.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from engine.inputs import is_pylock
from engine.lock.options import split_words
from engine.lock.pins import Digest
from engine.lock.text import decode, logical_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """What to keep.

    Attributes:
        versions: of each project; where the file has several for different environments, the first that applies.
        digests: of the files of a version, sorted; a version without hashes is not there.
    """

    versions: Mapping[NormalizedName, Version] = field(default_factory=dict)
    digests: Mapping[tuple[NormalizedName, Version], tuple[Digest, ...]] = field(default_factory=dict)

    def without(self, names: Iterable[NormalizedName]) -> Preferences:
        """Returns the same without some projects: those that are to be upgraded."""
        dropped = frozenset(names)
        return replace(self, versions={name: one for name, one in self.versions.items() if name not in dropped})


class Pinned(NamedTuple):
    """One version that an earlier answer pins, where its marker is true."""

    name: NormalizedName
    version: Version
    marker: Marker | None


def read_pinned(body: bytes, name: str, upgrades: Iterable[str] = ()) -> list[Pinned]:
    """Returns all that a file pins, for whatever environments; in its order.

    Args:
        body: the file.
        name: the last part of its path, which tells the format.
        upgrades: normalised names of projects that do not count.
    """
    dropped = frozenset(upgrades)
    rows = pylock_pins(body) if is_pylock(name) else _text_pins(body)
    return [Pinned(project, version, marker) for project, version, marker, _ in rows if project not in dropped]


def read_preferences(body: bytes, name: str, markers: Mapping[str, str] | None = None) -> Preferences:
    """Returns what a file prefers.

    Args:
        body: the file.
        name: the last part of its path, which tells the format.
        markers: of the environment to resolve for; None for all, as in a universal lock.
    """
    versions: dict[NormalizedName, Version] = {}
    digests: dict[tuple[NormalizedName, Version], set[Digest]] = {}
    for project, version, marker, hashes in pylock_pins(body) if is_pylock(name) else _text_pins(body):
        if not _applies(marker, markers):
            continue
        versions.setdefault(project, version)
        if hashes:
            digests.setdefault((project, version), set()).update(hashes)
    return Preferences(
        versions=versions,
        digests={key: tuple(sorted(found, key=lambda one: (one.algorithm, one.hex))) for key, found in digests.items()},
    )


def _applies(marker: Marker | None, markers: Mapping[str, str] | None) -> bool:
    if marker is None or markers is None:
        return True
    try:
        return marker.evaluate({**markers, "extra": ""})
    except ValueError:
        return False


def _text_pins(body: bytes) -> Iterator[tuple[NormalizedName, Version, Marker | None, list[Digest]]]:
    try:
        text = decode(body)
    except ValueError:
        return
    for _, line in logical_lines(text):
        requirement_text, _, options = line.replace("\t", " ").partition(" --")
        try:
            requirement = Requirement(requirement_text)
        except (ValueError, RecursionError):
            continue  # an option, a path, or what another tool understands
        clauses = list(requirement.specifier)
        if len(clauses) != 1 or clauses[0].operator not in ("==", "==="):
            continue
        try:
            version = Version(clauses[0].version)
        except ValueError:
            continue
        hashes = _digests((split_words(f"--{options}") or []) if options else [])
        yield canonicalize_name(requirement.name), version, requirement.marker, hashes


def _digests(words: Iterable[str]) -> list[Digest]:
    digests = []
    for word in words:
        text = word.removeprefix("--hash=").removeprefix("--hash")
        try:
            digests.append(Digest.parse(text))
        except ValueError:
            continue  # another option, or a weak hash
    return digests


def pylock_pins(body: bytes) -> Iterator[tuple[NormalizedName, Version, Marker | None, list[Digest]]]:
    """Yields name, version, marker and the hashes of the files of each package that has a version."""
    try:
        packages = tomllib.loads(body.decode("utf-8")).get("packages", [])
    except (ValueError, RecursionError):
        return
    for package in packages if isinstance(packages, list) else ():
        try:
            name, version = canonicalize_name(package["name"]), Version(package["version"])
            marker = Marker(package["marker"]) if "marker" in package else None
            hashes = _file_digests(package)
        except (TypeError, KeyError, AttributeError, ValueError, RecursionError):
            continue  # without a version, or no package at all
        yield name, version, marker, hashes


def _file_digests(package: Mapping[str, Any]) -> list[Digest]:
    files = [*package.get("wheels", ()), *(package[kind] for kind in ("sdist", "archive") if kind in package)]
    return _digests(f"{algorithm}:{digits}" for file in files for algorithm, digits in file.get("hashes", {}).items())
