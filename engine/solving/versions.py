"""What the pages of a project say, version by version.  Pure.

Owns which files are of one version, whether the version can be used, which of its
files is the best for the target, and what has to be known of a file to fetch it.
The judgement itself is that of `resolver.availability`.

Rules: of a page with thousands of files nothing is done for each file that can be
done for each distinct text: versions, tags and Requires-Python are read once.  A file
whose name is of another project, or has no version, is left out.  All else about a
file is found out when somebody asks for its version.

Source: "Binary distribution format", "File name convention"; PEP 625; PEP 592; PEP 700.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from packaging.utils import NormalizedName
from packaging.version import Version

from engine.chosen import Chosen
from engine.errors import EngineError
from engine.index.compatibility import WheelName, best_rank
from engine.index.page import File, ProjectPage
from engine.index.reading import notes_of
from engine.index.sorting import files_by_text, version_of, wheel_end
from resolver.availability import File as JudgedFile
from resolver.availability import Policy, Release
from resolver.requests import Listing
from resolver.versions import SortedReleases

#: Stands for all releases that can be used without conditions.
_PLAIN = Release(Version("0"))
_LONG_AGO = datetime(1, 1, 2, tzinfo=UTC)
_HEX = frozenset("0123456789abcdef")


class ListedFile(NamedTuple):
    """One file of a release, as its index describes it.

    `url` is absolute, `page` the page's address for messages, `hashes` maps algorithms to hex digests in lower case,
    strongest first; `yanked` is the reason ("" where none is given), or None; `uploaded` is the index's text.
    `core_metadata` maps algorithms to the digests of the file's metadata, which the index serves beside it; empty
    where it serves them without a digest, None where it does not serve them.
    """

    filename: str
    url: str
    page: str
    hashes: dict[str, str]
    size_bytes: int | None
    uploaded: str | None
    requires_python: str | None
    yanked: str | None
    core_metadata: dict[str, str] | None

    @property
    def is_wheel(self) -> bool:
        """Whether it is a wheel; else it is a source distribution."""
        return self.filename.endswith(".whl")

    @property
    def sha256(self) -> str | None:
        """What the index promises, or None."""
        digits = self.hashes.get("sha256", "")
        return digits if len(digits) == 64 and _HEX.issuperset(digits) else None

    def chosen(self) -> Chosen:
        """Returns the file as one that is to be installed."""
        yanked = ""
        if self.yanked is not None:
            yanked = f"{self.filename} was yanked" + (f": {self.yanked}" if self.yanked else "")
        return Chosen(self.url, self.filename, self.size_bytes, self.sha256, self.hashes, (), yanked)


#: Of a wheel: the rank of its best tag, or None where none fits; and its build.
_Fit = tuple[int | None, tuple[()] | tuple[int, str]]

#: The files of one version on one page, the number of the page's group, and whether one of them settles the version.
_Share = tuple[ProjectPage, int, list[File], bool]


class _SortedShares:
    """The shares of a page whose files are sorted already."""

    __slots__ = ("_page", "_releases")

    def __init__(self, page: ProjectPage, releases: SortedReleases) -> None:
        self._page = page
        self._releases = releases

    def get(self, version: Version, default: list[_Share]) -> list[_Share]:
        position = self._releases.position(version)
        if position is None or self._page.by_version is None:
            return default
        return [(self._page, 0, self._page.by_version.files(position), False)]


class _Row(NamedTuple):
    """A file of a version; `fit` is None of an sdist."""

    file: File
    page: ProjectPage
    group: int
    fit: _Fit | None


class ProjectListing:
    """The versions of a project.

    Attributes:
        listing: what the resolver is told.
        warnings: lines for the user; `notes` are for one who asks for more.
        advice: which indexes were not asked and how they would be, or "".
        failure: why a page that may be out of date had to do, or why there is nothing, or None.
    """

    __slots__ = (
        "_best",
        "_fits",
        "_policy",
        "_project",
        "_shares",
        "_wheels_settle",
        "advice",
        "failure",
        "listing",
        "notes",
        "warnings",
    )

    def __init__(
        self,
        project: NormalizedName,
        policy: Policy,
        shares: dict[Version, list[_Share]] | _SortedShares,
        fits: "_Fits",
        listing: Listing,
        *,
        warnings: tuple[str, ...] = (),
        notes: tuple[str, ...] = (),
        advice: str = "",
        failure: EngineError | None = None,
    ) -> None:
        self._project = project
        self._policy = policy
        self._shares = shares
        self._fits = fits
        self._best: dict[Version, ListedFile | None] = {}
        self._wheels_settle: bool | None = None
        self.listing = listing
        self.warnings = warnings
        self.notes = notes
        self.advice = advice
        self.failure = failure

    def best(self, version: Version) -> ListedFile | None:
        """Returns the file to install, and to ask for metadata; None where no file of the version can be used.

        One that is not yanked goes before one that is, a wheel before an sdist, the first index before the others;
        then the best tag counts, and the highest build.
        """
        if version not in self._best:
            rows = self._rows(version)
            usable = [row for row in rows if self._is_plainly_usable(row)]
            # All others are yanked, or no wheels, or of no use.
            usable = usable or [row for row in rows if self._is_usable(version, row)]
            best = max(usable, key=_preference) if len(usable) > 1 else next(iter(usable), None)
            self._best[version] = None if best is None else _listed(best)
        return self._best[version]

    def files(self, version: Version) -> tuple[ListedFile, ...]:
        """Returns all files of a version on the index that the best one is of, usable or not, in the page's order."""
        rows = self._rows(version)
        if len({row.group for row in rows}) == 1:
            return tuple(map(_listed, rows))
        usable = [row for row in rows if self._is_usable(version, row)]
        group = max(usable, key=_preference).group if usable else min((row.group for row in rows), default=0)
        return tuple(_listed(row) for row in rows if row.group == group)

    def _rows(self, version: Version) -> list[_Row]:
        return self._fits.rows(self._shares.get(version, []))

    def _is_plainly_usable(self, row: _Row) -> bool:
        """Tells whether a file is a wheel that nothing speaks against; where there are limits, judging finds out."""
        if self._wheels_settle is None:
            self._wheels_settle = _wheels_settle(self._project, self._policy)
        file, fit = row.file, row.fit
        return (
            self._wheels_settle
            and file.yanked is False
            and fit is not None
            and fit[0] is not None
            and (file.requires_python is None or self._policy.allows_python(file.requires_python))
        )

    def _is_usable(self, version: Version, row: _Row) -> bool:
        judged = _judged(row, timed=_has_limit(self._policy, self._project))
        return self._policy.judge(self._project, version, (judged,)).unusable is None


def unlisted(project: NormalizedName, policy: Policy, missing: str, failure: EngineError) -> ProjectListing:
    """Returns the listing of a project that nobody has.

    Args:
        project: what was looked for.
        policy: of the run.
        missing: why there are no versions, as words that follow the project's name.
        failure: the same as an error.
    """
    return ProjectListing(project, policy, {}, _Fits(None), Listing((), missing), failure=failure)


def list_versions(
    project: NormalizedName,
    groups: Sequence[Sequence[ProjectPage]],
    policy: Policy,
    tag_priority: Mapping[str, int] | None,
    *,
    advice: str = "",
    failure: EngineError | None = None,
) -> ProjectListing:
    """Returns the versions that pages list.

    Args:
        project: whose pages they are.
        groups: those of the first index first.
        policy: what the run allows.
        tag_priority: maps the target's tags to their rank, 0 the best; None where any wheel fits.
        advice: as `ProjectListing` has it.
        failure: why a page may be out of date, or None.
    """
    pages = [page for group in groups for page in group]
    usable = [page for page in pages if page.status != "quarantined"]
    fits = _Fits(tag_priority)
    shares: dict[Version, list[_Share]] | _SortedShares
    releases: Sequence[Release]
    if len(pages) == 1 and usable and pages[0].by_version is not None and not _has_limit(policy, project):
        releases = sorted_releases = _sorted_releases(project, pages[0], fits, policy)
        shares = _SortedShares(pages[0], sorted_releases)
    else:
        shares = _shares(project, groups, fits, policy)
        releases = _releases(project, shares, fits, policy)
    missing = ""
    if not releases:
        missing = "has no files" if usable else f"is {pages[0].status_words}" if pages else "was not found in the index"
    warnings = dict.fromkeys(warning for page in pages for warning in page.warnings)
    return ProjectListing(
        project,
        policy,
        shares,
        fits,
        Listing(releases, missing),
        warnings=tuple(warnings),
        notes=notes_of(groups),
        advice=advice,
        failure=failure,
    )


def _shares(
    project: NormalizedName, groups: Sequence[Sequence[ProjectPage]], fits: "_Fits", policy: Policy
) -> dict[Version, list[_Share]]:
    shares: dict[Version, list[_Share]] = {}
    versions: dict[str, Version | None] = {}
    settles = _settling(fits, policy) if _wheels_settle(project, policy) else None
    for number, group in enumerate(groups):
        for page in group:
            if page.status == "quarantined":
                continue
            found = files_by_text(project, page.all_files(), settles)
            for text, files in found.files.items():
                version = versions[text] if text in versions else versions.setdefault(text, version_of(text))
                if version is not None:
                    # 1.0 and 1.0.0 are one version.
                    shares.setdefault(version, []).append((page, number, files, text in found.settled))
    return shares


def _settling(fits: "_Fits", policy: Policy) -> Callable[[File, str], bool]:
    """Returns what tells whether a wheel, of which the end of the name is given too, fits without conditions."""
    fit_of, allows_python = fits.of_end, policy.allows_python

    def settles(file: File, end: str) -> bool:
        if file.yanked is not False:
            return False
        fit = fit_of(end)
        if fit is None or fit[0] is None:
            return False
        return file.requires_python is None or allows_python(file.requires_python)

    return settles


def _sorted_releases(project: NormalizedName, page: ProjectPage, fits: "_Fits", policy: Policy) -> SortedReleases:
    """Judges one version of each kind for all of its kind."""
    sorted_ = page.by_version
    assert sorted_ is not None
    kinds: list[Release] = []
    settles = _settling(fits, policy) if _wheels_settle(project, policy) else None
    for place, kind in enumerate(sorted_.kinds):
        if kind == len(kinds):
            files = sorted_.files(place)
            if settles is not None and any(settles(file, wheel_end(file.filename)) for file in files):
                kinds.append(_PLAIN)
                continue
            rows = fits.rows([(page, 0, files, False)])
            version = Version(sorted_.texts[place])
            kinds.append(policy.judge(project, version, [_judged(row, timed=False) for row in rows]))
    return SortedReleases(sorted_.texts, kinds, sorted_.kinds, sorted_.early)


class _Fits:
    """How well wheels fit the target; every distinct end of a name is read once."""

    def __init__(self, tag_priority: Mapping[str, int] | None) -> None:
        self._tag_priority = tag_priority
        self._known: dict[str, _Fit | None] = {}

    def of(self, filename: str) -> _Fit | None:
        """Returns how a wheel fits; None where its name is none of a wheel."""
        return self.of_end(wheel_end(filename))

    def of_end(self, end: str) -> _Fit | None:
        """Returns how a wheel fits, from what its name has behind the version."""
        return self._known[end] if end in self._known else self._read(end)

    def rows(self, shares: Sequence[_Share]) -> list[_Row]:
        """Returns the files of a version; those whose names are no names of wheels are left out."""
        rows = []
        for page, group, files, _ in shares:
            for file in files:
                fit = self.of(file.filename) if (is_wheel := file.filename.endswith(".whl")) else None
                if fit is not None or not is_wheel:
                    rows.append(_Row(file, page, group, fit))
        return rows

    def _read(self, end: str) -> _Fit | None:
        parsed = WheelName.parse(f"x-1-{end}")
        found: _Fit | None = None
        if parsed is not None:
            # Where any wheel fits, one for every platform tells most.
            rank = int(not end.endswith("-any.whl"))
            found = (rank if self._tag_priority is None else best_rank(parsed.tags, self._tag_priority), parsed.build)
        self._known[end] = found
        return found


def _releases(
    project: NormalizedName, shares: dict[Version, list[_Share]], fits: _Fits, policy: Policy
) -> tuple[Release, ...]:
    timed = _has_limit(policy, project)
    # The files of most versions are of one kind.  What fits is one object for each ending of a name.
    known: dict[tuple[object, ...], Release] = {}
    releases = []
    for version, shared in shares.items():
        if any(share[3] for share in shared):
            releases.append(Release(version))
        elif rows := fits.rows(shared):
            kind = tuple((id(row.fit), row.file.requires_python, row.file.yanked, _is_cheap(row)) for row in rows)
            release = None if timed else known.get(kind)
            if release is None:
                release = known[kind] = policy.judge(project, version, [_judged(row, timed=timed) for row in rows])
            releases.append(release._replace(version=version))
    return tuple(releases)


def _wheels_settle(project: NormalizedName, policy: Policy) -> bool:
    """Tells whether one wheel that fits without conditions settles its version; most versions have one."""
    return policy.judge(project, Version("0"), (JudgedFile(is_wheel=True),)).unusable is None


def _has_limit(policy: Policy, project: NormalizedName) -> bool:
    return policy.exclude_newer_package.get(project, policy.exclude_newer) is not None


def _judged(row: _Row, *, timed: bool) -> JudgedFile:
    """Returns what the policy has to know of a file; the time of its upload only where that counts."""
    file, fit = row.file, row.fit
    return JudgedFile(
        is_wheel=fit is not None,
        fits=fit is None or fit[0] is not None,
        requires_python=file.requires_python,
        yanked=_reason(file),
        uploaded=_uploaded(row) if timed else None,
        cheap=_is_cheap(row),
        filename=file.filename,
    )


def _is_cheap(row: _Row) -> bool:
    return row.fit is not None or row.file.core_metadata is not False


def _uploaded(row: _Row) -> datetime | None:
    """Returns when a file was uploaded; one on this machine counts as old, since nobody uploads it."""
    return _LONG_AGO if row.page.url.startswith("file:") else upload_time(row.file.upload_time)


def _reason(file: File) -> str | None:
    return None if file.yanked is False else "" if file.yanked is True else file.yanked


def upload_time(text: str | None) -> datetime | None:
    """Returns the time of an upload; None where it is none, or tells no time zone.

    Source: PEP 700: "in the format yyyy-mm-ddThh:mm:ss.ffffffZ".
    """
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _preference(row: _Row) -> tuple[object, ...]:
    rank, build = row.fit or (None, ())
    return (row.file.yanked is False, row.fit is not None, -row.group, -(rank or 0), build)


def _listed(row: _Row) -> ListedFile:
    file = row.file
    stated = file.core_metadata
    served: dict[str, str] | None = None
    if stated is not False:
        served = {} if stated is True else {name: digits.lower() for name, digits in stated.items()}
    return ListedFile(
        filename=file.filename,
        url=row.page.file_url(file),
        page=row.page.index,
        hashes={name: digits.lower() for name, digits in file.hashes.items()},
        size_bytes=file.size,
        uploaded=file.upload_time,
        requires_python=file.requires_python,
        yanked=_reason(file),
        core_metadata=served,
    )
