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
from collections.abc import Iterable

from packaging.specifiers import Specifier, SpecifierSet
from packaging.version import Version

from resolver.availability import Release

#: The bit of "not installed".
ABSENT = 1

_Key = tuple[int, tuple[int, ...]]


class VersionTable:
    """The known versions of a project.

    Args:
        releases: in any order; of equal versions the first counts.
        urls: for projects that come from URLs: the URL of each release, in the same order.
        missing: why there are none, in words.
    """

    __slots__ = ("_keys", "_known", "_texts", "full", "missing", "prereleases", "releases", "some", "urls")

    def __init__(self, releases: Iterable[Release], *, urls: Iterable[str] = (), missing: str = "") -> None:
        addresses = tuple(urls)
        pairs: list[tuple[Release, str | None]]
        pairs = list(zip(releases, addresses, strict=True)) if addresses else [(release, None) for release in releases]
        pairs.sort(key=lambda pair: pair[0].version)
        distinct = [
            pair
            for previous, pair in zip([None, *pairs], pairs, strict=False)
            if previous is None or previous[1] != pair[1] or previous[0].version != pair[0].version
        ]
        self.releases = tuple(release for release, _ in distinct)
        self.urls = tuple(url for _, url in distinct)
        self.missing = missing
        self.full = (1 << (len(self.releases) + 1)) - 1
        self.some = self.full & ~ABSENT
        self.prereleases = _bits(i for i, release in enumerate(self.releases) if release.version.is_prerelease)
        self._known: dict[str, int] = {"": self.some}
        self._texts: dict[str, int] | None = None
        self._keys: list[_Key] | None = None

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
        position = bisect_left(self.releases, version, key=lambda release: release.version)
        if position < len(self.releases) and self.releases[position].version == version:
            return position
        return None

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
        key, keys = _key(version), self._sorted_keys()
        low = bisect_left(keys, key)
        high = bisect_right(keys, key, low)
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
        keys = self._sorted_keys()
        low = bisect_left(keys, (epoch, _stripped(release)))
        above = epoch, (*release[:-1], release[-1] + 1)
        return low, bisect_left(keys, above, low)

    def _sorted_keys(self) -> list[_Key]:
        if self._keys is None:
            self._keys = [_key(release.version) for release in self.releases]
        return self._keys


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
