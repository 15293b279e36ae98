"""The wheel of one page or several that a pin and a target get.  Pure.

Owns which version texts a pin means, what its hashes allow, and the order of
preference.  `engine.index.refusal` words the failures.

Rules, in this order: only wheels whose version the pin means, whose tags and
Requires-Python the target has, and whose hashes on the page do not contradict
the lock; of these, one whose hash the lock lists before one that only a download
can prove, one that is not yanked before one that is, then the highest version
(which matters where `==1.0` meets `1.0+cpu`), the first index, the best tag, the
highest build.  The order in which pages arrived changes nothing.

Source: PEP 440, "Version matching" and "Arbitrary equality"; PEP 592; PEP 427.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from packaging.version import Version

from engine.environment.installed import normalize_name
from engine.errors import HashMismatch, NoMatchingDistribution
from engine.index.compatibility import Target, WheelName, allows_python, best_rank
from engine.index.page import File, ProjectPage
from engine.index.refusal import no_matching_distribution, quarantined
from engine.lock.pins import Pin

_PLAIN_RELEASE = re.compile(r"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))*")
_SHA256_DIGITS = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelChoice:
    """A chosen wheel.

    `url` is absolute, `version` None only where `===` chose a text that is no
    version, `sha256` what the page promises (lower-case hex) or None.
    """

    file: File
    filename: str
    url: str
    version: Version | None
    sha256: str | None
    warnings: tuple[str, ...]
    yanked: str = ""


#: Pages of equal rank: that of one index, behind what find-links have of the project.
Group = Sequence[ProjectPage]


class _Candidate(NamedTuple):
    file: File
    name: WheelName
    rank: int
    page: ProjectPage
    group: int


def choose_first_match(groups: Sequence[Group], pin: Pin, target: Target, *, where: str) -> WheelChoice:
    """Returns the best wheel of the first group that has one; arguments and errors as for `choose_among`."""
    for group in groups[:-1]:
        try:
            return choose_among((group,), pin, target, where=where)
        except (NoMatchingDistribution, HashMismatch):
            continue
    try:
        return choose_among(groups[-1:], pin, target, where=where)
    except (NoMatchingDistribution, HashMismatch):
        # Nobody has it: what is said about all of them together says most.
        return choose_among(groups, pin, target, where=where)


def choose_among(groups: Sequence[Group], pin: Pin, target: Target, *, where: str) -> WheelChoice:
    """Returns the best wheel of all pages for a pin.

    Args:
        groups: pages of the pin's project, those of the first index first.
        pin: what the lock asks for.
        target: what the environment can use.
        where: file and line of the pin, for messages.

    Raises:
        NoMatchingDistribution: when no wheel has the version, the tags and the
            Requires-Python that are needed, or the project is quarantined.
        HashMismatch: when every wheel that would do has a hash the lock does not list.
    """
    pages = [page for group in groups for page in group]
    usable = [(number, page) for number, group in enumerate(groups) for page in group if page.status != "quarantined"]
    if pages and not usable:
        raise quarantined(pages, pin, where)
    pinned = _PinnedVersions(pin)
    wheels: list[tuple[File, WheelName]] = []
    fitting: list[_Candidate] = []
    for number, page in usable:
        for file, name in _pinned_wheels(page, pin, pinned):
            wheels.append((file, name))
            if (rank := _fit(file, name, target)) is not None:
                fitting.append(_Candidate(file, name, rank, page, number))
    if not fitting:
        raise no_matching_distribution([page for _, page in usable], pin, target, wheels, where)
    best = _best(fitting, pin, where)
    file = best.file
    yanked = ""
    if file.yanked is not False:
        reason = f": {file.yanked}" if isinstance(file.yanked, str) and file.yanked else ""
        yanked = f"{file.filename} was yanked{reason}"
    sha256 = file.hashes.get("sha256", "").lower()
    return WheelChoice(
        file=file,
        filename=file.filename,
        url=best.page.file_url(file),
        version=_version(best.name.version),
        sha256=sha256 if _SHA256_DIGITS.fullmatch(sha256) else None,
        warnings=(f"{where}: {yanked}",) if yanked else (),
        yanked=yanked,
    )


class _PinnedVersions(dict[str, bool]):
    """Tells by the text of a version whether a pin means it, and remembers the answer.

    A page has thousands of files and a few hundred versions; comparing plain
    releases as text spares most of them the parsing.
    """

    def __init__(self, pin: Pin) -> None:
        super().__init__()
        self._pin = pin
        self._arbitrary = _arbitrary_key(pin.version_text) if pin.arbitrary_equality else None
        self._plain = _plain_key(pin.version_text)

    def __missing__(self, text: str) -> bool:
        verdict = self[text] = self._means(text)
        return verdict

    def _means(self, text: str) -> bool:
        if self._arbitrary is not None:
            return _arbitrary_key(text) == self._arbitrary
        wanted = self._pin.version
        if wanted is None:
            return False
        # "If the specified version identifier is a public version identifier (no local version label),
        # then the local version label of any candidate versions MUST be ignored when matching versions."
        if wanted.local is None:
            text = text.partition("+")[0]
            plain = _plain_key(text)
            if plain is not None and self._plain is not None:
                return plain == self._plain
        return _version(text) == wanted


def _plain_key(text: str) -> str | None:
    """Returns the text of a plain release without final zeros: equal keys are equal versions."""
    if _PLAIN_RELEASE.fullmatch(text) is None:
        return None
    while text.endswith(".0"):
        text = text[:-2]
    return text


def _arbitrary_key(text: str) -> str:
    """Arbitrary equality ignores case; a file name has `_` where the version has `-`."""
    return text.lower().replace("-", "_")


@lru_cache(maxsize=4096)
def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except ValueError:
        return None


def _pinned_wheels(page: ProjectPage, pin: Pin, pinned: _PinnedVersions) -> list[tuple[File, WheelName]]:
    projects: dict[str, bool] = {}
    wheels = []
    for file in page.all_files():
        # Two splits for every file of the page; the whole name is only parsed for the pinned version.
        parts = file.filename.split("-", 2)
        if len(parts) == 3 and pinned[parts[1]]:
            name = WheelName.parse(file.filename)
            if name is None:
                continue
            belongs = projects.get(name.project)
            if belongs is None:
                belongs = projects[name.project] = normalize_name(name.project) == pin.name
            if belongs:
                wheels.append((file, name))
    return wheels


def _fit(file: File, name: WheelName, target: Target) -> int | None:
    """Returns the rank of a wheel's best tag; None when the target cannot use the wheel."""
    rank = best_rank(name.tags, target.tag_priority)
    if rank is None or (
        file.requires_python is not None and not allows_python(file.requires_python, target.python_full_version)
    ):
        return None
    return rank


def _best(fitting: list[_Candidate], pin: Pin, where: str) -> _Candidate:
    """Returns the candidate to take; the first on the page among equals.

    Raises:
        HashMismatch: when the lock lists the hash of none of them.
    """
    listed: dict[str, set[str]] = {}
    for digest in pin.hashes:
        listed.setdefault(digest.algorithm, set()).add(digest.hex)

    def order(trusted: tuple[bool, _Candidate]) -> tuple[object, ...]:
        proven, candidate = trusted
        version = () if pin.arbitrary_equality else (_version(candidate.name.version),)
        place = (-candidate.group, -candidate.rank)
        return (proven, candidate.file.yanked is False, *version, *place, candidate.name.build)

    trusted = [(proven, candidate) for candidate in fitting if (proven := _proven(candidate.file, listed)) is not None]
    if not trusted:
        raise HashMismatch(
            f"{where}: the lock does not list the hash that {fitting[0].file.filename} has on {fitting[0].page.index}",
            hint="the file was replaced or the lock is of another index; find out which before you change the lock",
        )
    return max(trusted, key=order)[1]


def _proven(file: File, listed: dict[str, set[str]]) -> bool | None:
    """Returns whether the lock lists the page's hashes; None when it contradicts one of them.

    False where lock and page share no algorithm: only the download can tell.
    """
    common = [algorithm for algorithm in file.hashes if algorithm in listed]
    if any(file.hashes[algorithm].lower() not in listed[algorithm] for algorithm in common):
        return None
    return bool(common)
