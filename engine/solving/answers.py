"""Answers a resolution's requests from indexes and from the wheels behind URLs.

Joins what lists versions with what reads metadata, and remembers which file stands for
which version.  A URL's release has the name and the version of its wheel.
"""

from collections.abc import Collection, Mapping
from urllib.parse import unquote, urlsplit

from packaging.utils import NormalizedName
from packaging.version import Version

from engine.chosen import Chosen
from engine.credentials import without_credentials
from engine.environment.installed import normalize_name
from engine.errors import NoMatchingDistribution
from engine.index.compatibility import WheelName, best_rank
from engine.solving.installed import InstalledRelease, read_installed
from engine.solving.listings import Listings
from engine.solving.metadata import Found, MetadataSource
from engine.solving.versions import ListedFile, ProjectListing
from resolver import Dependencies, Listing, Metadata, Obstacle, Pin, Policy, Release, Unusable, Versions


class Answers:
    """Where a `Driver` has its answers from.

    Args:
        listings: the versions of projects.
        source: the metadata of files.
        policy: what the run allows of files.
        tag_priority: maps the target's tags to their rank; None where any wheel fits.
        installed: what need not be fetched, because it is there.
        staying: those of them of whose projects nothing else is considered.
    """

    def __init__(
        self,
        listings: Listings,
        source: MetadataSource,
        *,
        policy: Policy,
        tag_priority: Mapping[str, int] | None,
        installed: Mapping[NormalizedName, InstalledRelease] | None = None,
        staying: Collection[NormalizedName] = (),
    ) -> None:
        self.source = source
        self._listings = listings
        self._policy = policy
        self._tag_priority = tag_priority
        self._installed = installed or {}
        self._staying = staying
        self._projects: dict[NormalizedName, ProjectListing] = {}
        self._behind_urls: dict[str, ListedFile] = {}

    async def listing(self, request: Versions) -> Listing:
        """Returns the releases of a project, or the one behind a URL.

        Raises:
            EngineError: when an index cannot be asked, or a URL is none of a wheel.
        """
        if request.url is not None:
            return self._listing_of_url(request.name, request.url)
        there = self._installed.get(request.name)
        if there is not None and request.name in self._staying:
            return Listing((Release(there.version),))
        found = self._projects[request.name] = await self._listings.listing(request.name)
        return found.listing if there is None else _with_installed(found.listing, there.version)

    async def metadata(self, request: Dependencies) -> Metadata | Unusable:
        """Returns the metadata of a release, or why it has none.

        Raises:
            EngineError: when they cannot be had.
        """
        known = self.at_once(request)
        if known is not None:
            return known
        file = self.file(request.name, request.version, request.url)
        assert file is not None, "else it is known"
        return await self.source.metadata(file, request.name, request.version)

    def at_once(self, request: Dependencies) -> Metadata | Unusable | None:
        """Returns the metadata of a release where nobody has to be asked for them, else None."""
        there = self._installed.get(request.name)
        if there is not None and request.url is None and there.version == request.version:
            return read_installed(request.name, there)
        file = self.file(request.name, request.version, request.url)
        if file is None:
            return Unusable(Obstacle.NO_FILES)
        return self.source.at_once(file, request.name, request.version)

    def in_bulk(self, request: Dependencies, found: Found) -> bool:
        """Asks for the metadata of a release as `MetadataSource.in_bulk` does, and returns whether it is asked."""
        file = self.file(request.name, request.version, request.url)
        return file is not None and self.source.in_bulk(file, request.name, request.version, found)

    def file(self, name: NormalizedName, version: Version, url: str | None) -> ListedFile | None:
        """Returns the file that stands for a release, once its project was listed."""
        if url is not None:
            return self._behind_urls[url]
        project = self._projects.get(name)
        return None if project is None else project.best(version)

    def wheel(self, name: NormalizedName, version: Version, url: str | None) -> Chosen | None:
        """Returns the wheel that would be installed; None where there is none, or where the version is installed."""
        there = self._installed.get(name)
        if there is not None and there.version == version and url is None:
            return None
        file = self.file(name, version, url)
        return file.chosen() if file is not None and file.is_wheel else None

    def files(self, pin: Pin) -> tuple[ListedFile, ...]:
        """Returns all files of a chosen release."""
        if pin.url is not None:
            return (self._behind_urls[pin.url],)
        project = self._projects.get(pin.name)
        return () if project is None else project.files(pin.version)

    def tell(self, pins: tuple[Pin, ...]) -> tuple[list[str], list[str]]:
        """Returns warnings, and notes for who asks for more, about the projects that were chosen."""
        found = [self._projects[pin.name] for pin in pins if pin.url is None and pin.name in self._projects]
        warnings = [warning for project in found for warning in project.warnings]
        return warnings, [note for project in found for note in project.notes]

    def _listing_of_url(self, name: NormalizedName, url: str) -> Listing:
        parts = _wheel_of(url)
        if normalize_name(parts.project) != name:
            raise NoMatchingDistribution(f"{without_credentials(url)} is a wheel of {parts.project}, not of {name}")
        path, _, fragment = url.partition("#")
        hashes = dict(pair.split("=", 1) for pair in fragment.split("&") if "=" in pair)
        self._behind_urls[url] = ListedFile(
            filename=_filename(url),
            url=path,
            page=without_credentials(path),
            hashes={key: digits.lower() for key, digits in hashes.items() if key not in ("egg", "subdirectory")},
            size_bytes=None,
            uploaded=None,
            requires_python=None,
            yanked=None,
            core_metadata=None,
        )
        version = Version(parts.version)
        fits = self._tag_priority is None or best_rank(parts.tags, self._tag_priority) is not None
        return Listing((Release(version, None if fits else Unusable(Obstacle.NO_MATCHING_WHEEL)),))


def _with_installed(listing: Listing, version: Version) -> Listing:
    """Returns a listing in which the installed version can be used, whatever the index says of it."""
    others = tuple(release for release in listing.releases if release.version != version)
    return Listing((*others, Release(version)), listing.missing)


def _filename(url: str) -> str:
    return unquote(urlsplit(url).path.rpartition("/")[2])


def _wheel_of(url: str) -> WheelName:
    """Returns what the name of a wheel says.

    Raises:
        NoMatchingDistribution: when it is no name of a wheel.
    """
    parts = WheelName.parse(_filename(url))
    try:
        if parts is not None:
            Version(parts.version)
            return parts
    except ValueError:
        pass
    raise NoMatchingDistribution(
        f"{without_credentials(url)} is no wheel", hint="only wheels can be named by a URL; sdists cannot be built yet"
    )
