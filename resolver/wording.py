"""The words for versions and for what is wrong with them.  Pure.

Owns phrases, no logic of what belongs to an explanation.  Rule: text from outside is
brought to one line of bounded length and shows no credentials.
"""

from collections.abc import Sequence

from resolver.availability import WITH_SDIST, Obstacle, Unusable
from resolver.dependencies import Wanted, without_credentials
from resolver.versions import VersionTable

_LONGEST = 160

_NO_WHEEL = "no wheel for this platform and Python"

#: For one version and for several.
_PHRASES = {
    Obstacle.NO_FILES: ("has no files", "have no files"),
    Obstacle.SDIST_REFUSED: (
        "has only an sdist, which cannot be built so far",
        "have only sdists, which cannot be built so far",
    ),
    Obstacle.WHEEL_REFUSED: (
        "has only wheels, which --no-binary refuses",
        "have only wheels, which --no-binary refuses",
    ),
    Obstacle.NO_MATCHING_WHEEL: (
        f"has {_NO_WHEEL}, and no sdist",
        f"have {_NO_WHEEL}, and no sdist",
    ),
    Obstacle.UPLOAD_TIME_UNKNOWN: (
        "has no upload time, so --exclude-newer leaves it out",
        "have no upload time, so --exclude-newer leaves them out",
    ),
    Obstacle.PRERELEASE: ("is a pre-release", "are pre-releases"),
}


def what_is_wrong(reason: Unusable, *, several: bool, python: str) -> str:
    """Returns what is wrong with one version or several, as the rest of a sentence.

    Args:
        reason: why they cannot be used.
        several: whether the subject is a plural.
        python: the target's version.
    """
    detail = one_line(reason.detail)
    match reason.obstacle:
        case Obstacle.REQUIRES_PYTHON:
            target = "this is" if python[:1].isdigit() else "the answer is for"
            return f"{'need' if several else 'needs'} Python {detail}, and {target} Python {python}"
        case Obstacle.TOO_NEW:
            return f"{'were' if several else 'was'} uploaded on {detail}, later than --exclude-newer allows"
        case Obstacle.YANKED:
            return f"{'are' if several else 'is'} yanked" + (f" ({detail})" if detail else "")
        case Obstacle.INVALID_METADATA:
            return f"{'have' if several else 'has'} invalid metadata" + (f": {detail}" if detail else "")
        case Obstacle.BUILD_FAILED:
            return "could not be built" + (f": {detail}" if detail else "")
        case Obstacle.UNAVAILABLE:
            return "cannot be had" + (f": {detail}" if detail else "")
        case Obstacle.URL_DEPENDENCY:
            return f"{'depend' if several else 'depends'} on {detail}, a URL that only your own requirements may name"
        case Obstacle.NO_MATCHING_WHEEL if detail == WITH_SDIST:
            sdists = "their sdists" if several else "its sdist"
            return f"{'have' if several else 'has'} {_NO_WHEEL}, and {sdists} cannot be built so far"
        case _:
            return _PHRASES[reason.obstacle][several]


def versions_text(table: VersionTable, bits: int, among: int) -> str:
    """Returns a set of versions in few words: "1.0", "1.0 and 1.2", "1.0 to 1.9", "7 versions from 1.0 to 3.2".

    Args:
        table: the project's versions.
        bits: the set, not empty.
        among: the versions that are spoken about; a gap that has none of them is no gap.
    """
    runs: list[list[int]] = []
    for position in table.positions(bits | among):
        if not bits >> position & 2:
            runs.append([])
        elif runs:
            runs[-1].append(position)
        else:
            runs = [[position]]
    runs = [run for run in runs if run]
    known = [str(release.version) for release in table.releases]
    if len(runs) > 3:
        return f"{sum(map(len, runs))} versions from {known[runs[0][0]]} to {known[runs[-1][-1]]}"
    parts: list[str] = []
    for run in runs:
        ends = [known[position] for position in run]
        parts += ends if len(run) < 3 else [f"{ends[0]} to {ends[-1]}"]
    return joined(parts)


def joined(parts: Sequence[str]) -> str:
    """Returns "a", "a and b", "a, b and c"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def with_source(wanted: Wanted) -> str:
    """Returns a requirement and where it was written."""
    return f"{wanted} ({wanted.source})" if wanted.source else str(wanted)


def one_line(text: str) -> str:
    """Returns a text from outside in one line of bounded length."""
    line = without_credentials(" ".join(text.split()))
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
