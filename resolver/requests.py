"""What the resolver asks for, and what it is told.  Values only.

Rule: a request is answered at most once, in any order; the answer to an equal
request is the same whenever it comes.
"""

from collections.abc import Sequence
from typing import NamedTuple

from packaging.utils import NormalizedName
from packaging.version import Version

from resolver.availability import Release, Unusable


class Versions(NamedTuple):
    """Asks for the releases of a project; with `url`, for the one release behind it.  Answered by a `Listing`."""

    name: NormalizedName
    url: str | None = None


class Dependencies(NamedTuple):
    """Asks for the metadata of a candidate.  Answered by `Metadata` or, if it has none, by `Unusable`."""

    name: NormalizedName
    version: Version
    url: str | None = None


Request = Versions | Dependencies


class Listing(NamedTuple):
    """The releases of a project, in any order.

    Args:
        releases: every version that is known; unusable ones too, they serve explanations.
        missing: for an empty listing why there is none, in words ("was not found in the index").
    """

    releases: Sequence[Release]
    missing: str = ""


class Metadata(NamedTuple):
    """The core metadata that matter.

    Args:
        requires_dist: the lines of Requires-Dist as they are.
        requires_python: a specifier, or None.
        provides_extra: names as they are.
    """

    requires_dist: tuple[str, ...] = ()
    requires_python: str | None = None
    provides_extra: tuple[str, ...] = ()


Answer = Listing | Metadata | Unusable


class Waiting(NamedTuple):
    """The resolver cannot go on.

    Args:
        needed: every request that must be answered before the next step can do anything.
        likely: requests that may be needed later, the likeliest first; each is handed out once.
            They may stay unanswered: the resolution is the same.
        ahead: metadata of candidates that will be needed if those that are needed now are rejected, the likeliest
            first; worth asking for only where many cost no more than one.  Some may have been told before.
    """

    needed: tuple[Request, ...]
    likely: tuple[Request, ...]
    ahead: tuple[Request, ...] = ()


class Pin(NamedTuple):
    """A chosen distribution; `extras` are those that were asked for and exist, in order of name."""

    name: NormalizedName
    version: Version
    url: str | None
    extras: tuple[NormalizedName, ...]


class Effort(NamedTuple):
    """How much work it was: counts that do not depend on time.

    `rejections` are candidates that were ruled out by what was decided before them, `metadata` the files read.
    """

    decisions: int
    conflicts: int
    rejections: int
    metadata: int


class Resolution(NamedTuple):
    """The answer.

    Args:
        pins: in the order of decision, which defines what "highest" means.
        dependencies: for every pin the names it depends on, in order of name.
        warnings: one line each, such as an extra that a distribution does not have.
        effort: how much work it was.
    """

    pins: tuple[Pin, ...]
    dependencies: dict[NormalizedName, tuple[NormalizedName, ...]]
    warnings: tuple[str, ...]
    effort: Effort
