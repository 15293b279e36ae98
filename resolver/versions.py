"""Sets of versions of one project, as bits of an integer.

Owns the order of a project's versions, the meaning of a specifier for them, and how a
set is written for a person.  Bit 0 stands for "not installed", bit i + 1 for the i-th
version in ascending order, so a set and its complement say everything a term can say,
and every operation of the solver is one of an integer.

A simple comparison is a slice of the order, found by bisection: only versions with the
specifier's own release number need `packaging`'s judgement, all others lie to one side.

Source: PEP 440, "Version specifiers".
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import overload

from packaging.specifiers import Specifier, SpecifierSet
from packaging.version import Version

from resolver.availability import Release

#: The bit of "not installed".
ABSENT = 1

_Key = tuple[int, tuple[int, ...]]


class SortedReleases(Sequence[Release]):
    """Releases in ascending order that are made when somebody looks at them.

    Args:
        texts: their versions.
        kinds: releases that stand for all that differ from them in the version alone.
        kind_of: for each version which of them it is.
        early: the places of the pre-releases.
    """

    __slots__ = ("_kind_of", "_kinds", "_made", "_texts", "early")

    def __init__(
        self, texts: Sequence[str], kinds: Sequence[Release], kind_of: Sequence[int], early: Sequence[int]
    ) -> None:
        self._texts = texts
        self._kinds = kinds
        self._kind_of = kind_of
        self._made: dict[int, Release] = {}
        self.early = early

    def __len__(self) -> int:
        return len(self._texts)

    @overload
    def __getitem__(self, place: int) -> Release: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[Release, ...]: ...

    def __getitem__(self, place: int | slice) -> Release | tuple[Release, ...]:
        if isinstance(place, slice):
            return tuple(self[one] for one in range(*place.indices(len(self._texts))))
        release = self._made.get(place)
        if release is None:
            version = Version(self._texts[place])
            release = self._made[place] = self._kinds[self._kind_of[place]]._replace(version=version)
        return release

    def position(self, version: Version) -> int | None:
        """Returns the place of a version, or None if it is not among them."""
        return _position(self, version)

    def by_kind(self) -> list[tuple[Release, int]]:
        """Returns what stands for releases that differ in their version alone, with their set."""
        bits = [0] * len(self._kinds)
        for position, kind in enumerate(self._kind_of):
            bits[kind] |= 2 << position
        return list(zip(self._kinds, bits, strict=True))


class VersionTable:
    """The known versions of a project.

    Args:
        releases: in any order; of equal versions the first counts.
        urls: for projects that come from URLs: the URL of each release, in the same order.
        missing: why there are none, in words.
    """

    __slots__ = ("_known", "_texts", "full", "missing", "prereleases", "releases", "some", "urls")

    def __init__(self, releases: Iterable[Release], *, urls: Iterable[str] = (), missing: str = "") -> None:
        addresses = tuple(urls)
        self.releases: Sequence[Release]
        self.urls: tuple[str | None, ...]
        if isinstance(releases, SortedReleases) and not addresses:
            self.releases = releases
            self.urls = (None,) * len(releases)
            self.prereleases = _bits(releases.early)
        else:
            pairs: list[tuple[Release, str | None]]
            pairs = list(zip(releases, addresses, strict=True)) if addresses else [(one, None) for one in releases]
            pairs.sort(key=lambda pair: pair[0].version)
            distinct = [
                pair
                for previous, pair in zip([None, *pairs], pairs, strict=False)
                if previous is None or previous[1] != pair[1] or previous[0].version != pair[0].version
            ]
            self.releases = tuple(release for release, _ in distinct)
            self.urls = tuple(url for _, url in distinct)
            self.prereleases = _bits(i for i, release in enumerate(self.releases) if release.version.is_prerelease)
        self.missing = missing
        self.full = (1 << (len(self.releases) + 1)) - 1
        self.some = self.full & ~ABSENT
        self._known: dict[str, int] = {"": self.some}
        self._texts: dict[str, int] | None = None

    def by_kind(self) -> list[tuple[Release, int]]:
        """Returns releases that stand for all that differ from them in their version alone, each with that set."""
        if isinstance(self.releases, SortedReleases):
            return self.releases.by_kind()
        return [(release, 2 << position) for position, release in enumerate(self.releases)]

    def matching(self, specifiers: SpecifierSet, text: str) -> int:
        """Returns the set of versions that match, pre-releases included.

        Args:
            specifiers: what they must match.
            text: its text, the key under which the answer is kept.
        """
        known = self._known.get(text)
        if known is None:
            known = self.some
            for specifier in specifiers:
                known &= self._matching_one(specifier)
            self._known[text] = known
        return known

    def at_url(self, url: str) -> int:
        """Returns the set of the releases behind a URL."""
        return _bits(i for i, known in enumerate(self.urls) if known == url)

    def index(self, version: Version) -> int | None:
        """Returns the position of a version, or None if it is not known."""
        return _position(self.releases, version)

    def positions(self, bits: int) -> list[int]:
        """Returns the positions of a set's versions, ascending."""
        found = []
        bits >>= 1
        while bits:
            low = bits & -bits
            found.append(low.bit_length() - 1)
            bits ^= low
        return found

    def runs(self, bits: int) -> list[tuple[Version, Version, int]]:
        """Returns a set as runs of neighbours: first and last version and their number, ascending."""
        found: list[tuple[Version, Version, int]] = []
        bits >>= 1
        position = 0
        while bits:
            skipped = (bits & -bits).bit_length() - 1
            bits >>= skipped
            length = (~bits & (bits + 1)).bit_length() - 1
            first = position + skipped
            found.append((self.releases[first].version, self.releases[first + length - 1].version, length))
            bits >>= length
            position = first + length
        return found

    def _matching_one(self, specifier: Specifier) -> int:
        operator, text = specifier.operator, specifier.version
        if operator == "===":
            if self._texts is None:
                self._texts = {str(release.version).lower(): i for i, release in enumerate(self.releases)}
            position = self._texts.get(text.lower())
            return 0 if position is None else 2 << position
        if text.endswith(".*"):
            version = Version(text[:-2])
            inside = _slice(*self._prefix(version.epoch, version.release))
            return inside if operator == "==" else self.some & ~inside
        version = Version(text)
        if operator == "~=":
            inside = _slice(*self._prefix(version.epoch, version.release[:-1]))
            return inside & self._matching_one(Specifier(f">={text}"))
        key = _key(version)
        low = bisect_left(self.releases, key, key=_key_of)
        high = bisect_right(self.releases, key, low, key=_key_of)
        near = 0
        for position in range(low, high):
            if specifier.contains(self.releases[position].version, prereleases=True):
                near |= 2 << position
        if operator in ("<", "<="):
            return near | _slice(0, low)
        if operator in (">", ">="):
            return near | _slice(high, len(self.releases))
        return near if operator == "==" else near | _slice(0, low) | _slice(high, len(self.releases))

    def _prefix(self, epoch: int, release: tuple[int, ...]) -> tuple[int, int]:
        low = bisect_left(self.releases, (epoch, _stripped(release)), key=_key_of)
        above = epoch, (*release[:-1], release[-1] + 1)
        return low, bisect_left(self.releases, above, low, key=_key_of)


def _position(releases: Sequence[Release], version: Version) -> int | None:
    position = bisect_left(releases, version, key=lambda release: release.version)
    if position < len(releases) and releases[position].version == version:
        return position
    return None


def _key_of(release: Release) -> _Key:
    return _key(release.version)


def _key(version: Version) -> _Key:
    return version.epoch, _stripped(version.release)


def _stripped(release: tuple[int, ...]) -> tuple[int, ...]:
    length = len(release)
    while length > 1 and not release[length - 1]:
        length -= 1
    return release[:length]


def _slice(low: int, high: int) -> int:
    return ((1 << high) - (1 << low)) << 1


def _bits(positions: Iterable[int]) -> int:
    bits = 0
    for position in positions:
        bits |= 2 << position
    return bits
