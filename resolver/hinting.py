"""What may help when there is no answer.  Pure.

Rules: a hint names an option as it is spelled or a bound as the user wrote it, and where;
those that need the least to change come first.
"""

from typing import NamedTuple

from resolver.availability import WITH_SDIST, Obstacle, Unusable
from resolver.dependencies import Wanted
from resolver.wording import joined, one_line, with_source


class Finding(NamedTuple):
    """What stands in the way; higher `weight` is hinted at first."""

    weight: int
    text: str

    @classmethod
    def missing(cls, name: str) -> "Finding":
        """A project that the index does not have."""
        return cls(9, f"check the spelling of {name}, and that --index-url names the index that has it")

    @classmethod
    def constraint(cls, wanted: Wanted) -> "Finding":
        """A constraint that leaves out what is wanted."""
        return cls(6, f"relax the constraint {with_source(wanted)}")

    @classmethod
    def no_match(cls, wanted: Wanted, *, is_direct: bool) -> "Finding":
        """A requirement that no version matches."""
        if is_direct:
            return cls(8, f"relax {with_source(wanted)}")
        return cls(2, f"replace the dependency with an override: {wanted.name} in a file for --override")

    @classmethod
    def obstacle(
        cls, name: str, reason: Unusable, version: str, other: str | None, *, is_all: bool
    ) -> "Finding | None":
        """Versions that cannot be used; None where there is nothing to advise.

        Args:
            name: the project.
            reason: of the newest of them.
            version: the newest of them.
            other: a version that can be used and that nobody asked for, or None.
            is_all: whether no version that was asked for can be used.
        """
        advice = _advice(name, one_line(reason.detail), reason.obstacle, version)
        if advice is None and other is None:
            return None
        weight = 5 if reason.obstacle is Obstacle.REQUIRES_PYTHON else 7
        instead = f"allow {name}=={other}" if other else None
        return cls(weight if is_all else -1, ", or ".join(part for part in (advice, instead) if part))


def _advice(name: str, detail: str, obstacle: Obstacle, version: str) -> str | None:
    match obstacle:
        case Obstacle.PRERELEASE:
            return f"--prerelease-package {name}=allow permits its pre-releases"
        case Obstacle.TOO_NEW:
            return f"choose a later --exclude-newer, or lift it with --exclude-newer-package {name}=false"
        case Obstacle.UPLOAD_TIME_UNKNOWN:
            return f"use an index that tells upload times, or lift the limit with --exclude-newer-package {name}=false"
        case Obstacle.SDIST_REFUSED:
            return _make_wheel(name, version)
        case Obstacle.WHEEL_REFUSED:
            return f"leave {name} out of --no-binary"
        case Obstacle.REQUIRES_PYTHON:
            return f"use a Python that {detail} allows (--python)"
        case Obstacle.YANKED:
            return f"require {name}=={version} exactly to take a yanked version"
        case Obstacle.URL_DEPENDENCY:
            return f"add {detail} to your requirements"
        case Obstacle.NO_MATCHING_WHEEL:
            other = f"use a Python and platform that {name} has wheels for (--python)"
            return f"{other}, or {_make_wheel(name, version)}" if detail == WITH_SDIST else other
        case _:
            return None


def _make_wheel(name: str, version: str) -> str:
    return f"make a wheel of it (pip wheel --no-deps {name}=={version}) and name its folder with --find-links"


def hints(findings: list[Finding], direct: list[Wanted]) -> tuple[str, ...]:
    """Returns the hints, the likeliest first.

    Args:
        findings: what stands in the way.
        direct: the user's requirements that take part in the failure.
    """
    found = list(findings)
    bounded = [wanted for wanted in direct if wanted.text]
    if len(direct) > 1 and bounded:
        found.append(Finding(0, "relax " + " or ".join(dict.fromkeys(with_source(wanted) for wanted in bounded[-2:]))))
    elif len(direct) > 1:
        names = list(dict.fromkeys(wanted.name for wanted in direct))[:2]
        text = f"install {joined(names)} into different environments, or override what they depend on"
        found.append(Finding(0, text if len(names) > 1 else f"keep one of the requirements on {names[0]}"))
    elif bounded:
        found.append(Finding(0, f"relax {with_source(bounded[0])}"))
    found.sort(key=lambda finding: -finding.weight)
    return tuple(dict.fromkeys(finding.text for finding in found))
