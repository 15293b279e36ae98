"""The values that are written: what was chosen, why, and from where.  PURE.

Source: PEP 751 for what a lock may say of a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

if TYPE_CHECKING:
    from datetime import datetime

    from packaging.markers import Marker
    from packaging.specifiers import SpecifierSet
    from packaging.utils import NormalizedName
    from packaging.version import Version

    from engine.lock.pins import Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenFile:
    """A file that may be installed: a wheel, or what one can be built from.

    Attributes:
        filename: its name.
        url: absolute: `https:`, `http:` or `file:`.
        size_bytes: None where it is not known.
        upload_time: None where it is not known; with a time zone.
        digests: strong ones.
    """

    filename: str
    url: str
    size_bytes: int | None = None
    upload_time: datetime | None = None
    digests: tuple[Digest, ...] = ()

    @property
    def is_wheel(self) -> bool:
        """Whether it is a wheel."""
        return self.filename.endswith(".whl")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A distribution of the answer.

    Attributes:
        name, version: what was chosen.
        extras: those that are wanted.
        marker: where it is wanted; None for everywhere.
        direct: the URL or path that names it, as it was written (`Wanted.given`); "" for one of an index.
        origins: what of the user's asks for it, such as `-r requirements.in` (`Wanted.origin`), constraints too.
        wanted_by: the projects that depend on it.
        index_url: the index or find-links that it comes from; "" without one.
        requires_python: of the release.
        dependencies: what of the answer it depends on.
        files: its wheels and sdists; for a direct one the one that it is.
    """

    name: NormalizedName
    version: Version
    extras: tuple[NormalizedName, ...] = ()
    marker: Marker | None = None
    direct: str = ""
    origins: tuple[str, ...] = ()
    wanted_by: tuple[NormalizedName, ...] = ()
    index_url: str = ""
    requires_python: SpecifierSet | None = None
    dependencies: tuple[tuple[NormalizedName, Version], ...] = ()
    files: tuple[ChosenFile, ...] = ()

    @property
    def digests(self) -> list[Digest]:
        """The hashes of all its files, sorted."""
        return sorted(
            {digest for file in self.files for digest in file.digests}, key=lambda one: (one.algorithm, one.hex)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """All that was chosen.

    Attributes:
        entries: in any order; one project may have several for different markers.
        index_url: the first index; "" for none.
        extra_index_urls, find_links: in order, as they were named.
        formats: (`no-binary` or `only-binary`, its value), in order.
        requires_python: the Pythons that the answer is for.
        environments: markers of the environments that it is for; () for all.
        extras, groups: those that markers of the entries may name.
        default_groups: of these groups, what is installed unless somebody says otherwise.
    """

    entries: tuple[Entry, ...]
    index_url: str = ""
    extra_index_urls: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    formats: tuple[tuple[str, str], ...] = ()
    requires_python: SpecifierSet | None = None
    environments: tuple[Marker, ...] = ()
    extras: tuple[NormalizedName, ...] = ()
    groups: tuple[str, ...] = ()
    default_groups: tuple[str, ...] = ()

    @property
    def sorted_entries(self) -> list[Entry]:
        """The entries by name, version and marker, so that one answer has one text."""
        return sorted(self.entries, key=lambda one: (one.name, one.version, str(one.marker or "")))


def marker_text(marker: Marker) -> str:
    """Returns a marker with single quotes, which need no escapes in TOML and are what uv writes."""
    text = str(marker)
    return text if "'" in text else text.replace('"', "'")


def without_login(url: str) -> str:
    """Returns a URL without user and password, as a file may have it; what variables stand for is no secret."""
    if "://" not in url or "@" not in url:
        return url
    scheme, netloc, path, query, fragment = urlsplit(url)
    login, at, host = netloc.rpartition("@")
    secret = login.partition(":")[2] or login
    if not at or (secret.startswith("${") and secret.endswith("}")):
        return url
    return urlunsplit((scheme, host, path, query, fragment))
