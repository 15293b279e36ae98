"""From lines of Requires-Dist to what a candidate wants of other projects.

Owns parsing, markers, extras, overrides and excludes.  Rules: a line is parsed once in a
run, however many releases have it, and a release whose lines were seen costs a look-up.
An override replaces a requirement whatever that one's marker says, but a line that
belongs to an extra counts only with this extra.  Constraints are no dependencies: the
solver applies them to the project.

Source: PEP 508; PEP 685, "normalized before comparison".
"""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name

from resolver.inputs import Problem, Requested

if TYPE_CHECKING:
    from resolver.markers.diagram import Environments

_CREDENTIALS = re.compile(r"(?<=//)[^/@\s]*@")
_ORDER = (">=", ">", "~=", "==", "===", "!=", "<=", "<")


class Wanted(NamedTuple):
    """What one requirement asks of a project.

    Args:
        name, extras: normalised.
        specifiers: empty where any version will do.
        text: the specifiers in one fixed spelling, the key for what they match.
        url: a direct URL, or None.
        source: where the user wrote it, or empty.
        where: the environments it counts in, in a universal resolution; else None.
    """

    name: NormalizedName
    extras: tuple[NormalizedName, ...]
    specifiers: SpecifierSet
    text: str
    url: str | None
    source: str
    where: "Environments | None" = None

    @classmethod
    def of(cls, requirement: Requirement, source: str = "") -> "Wanted":
        """Returns what a requirement asks for, its marker aside."""
        ordered = sorted(requirement.specifier, key=lambda one: (_ORDER.index(one.operator), one.version))
        return cls(
            canonicalize_name(requirement.name),
            tuple(sorted({canonicalize_name(extra) for extra in requirement.extras})),
            requirement.specifier,
            ",".join(map(str, ordered)),
            requirement.url,
            source,
        )

    @property
    def pins(self) -> bool:
        """Whether it allows one version only."""
        return any(
            one.operator == "===" or (one.operator == "==" and not one.version.endswith(".*"))
            for one in self.specifiers
        )

    def __str__(self) -> str:
        extras = f"[{','.join(self.extras)}]" if self.extras else ""
        return f"{self.name}{extras}" + (f" @ {without_credentials(self.url)}" if self.url else self.text)


def without_credentials(text: str) -> str:
    """Returns a text with the credentials of the URLs in it left out."""
    return _CREDENTIALS.sub("", text)


class InvalidLine(Exception):
    """A line of Requires-Dist cannot be read; the text is the line."""


class _Line(NamedTuple):
    requirement: Requirement
    wanted: Wanted
    has_extra: bool


class Dependencies:
    """Reads requirements for one problem.

    Args:
        problem: gives the marker environment, overrides and excludes.
    """

    def __init__(self, problem: Problem) -> None:
        self._markers = dict(problem.markers)
        self._excludes = problem.excludes
        self._counted = problem.dependencies
        self._lines: dict[str, _Line] = {}
        self._applies: dict[tuple[str, str], bool] = {}
        self._known: dict[tuple[tuple[str, ...], str], tuple[Wanted, ...]] = {}
        self._overrides: dict[NormalizedName, list[Wanted]] = {}
        for requested in problem.overrides:
            name = canonicalize_name(requested.requirement.name)
            replacing = self._overrides.setdefault(name, [])
            if self._holds(requested.requirement, ""):
                replacing.append(Wanted.of(requested.requirement, requested.source))

    def direct(self, requested: Iterable[Requested]) -> tuple[Wanted, ...]:
        """Returns what the user's requirements ask for, in their order, overrides and excludes applied."""
        found: list[Wanted] = []
        for one in requested:
            wanted = Wanted.of(one.requirement, one.source)
            if wanted.name in self._overrides or self._holds(one.requirement, ""):
                found += self._replaced(wanted)
        return tuple(found)

    def applying(self, requested: Iterable[Requested]) -> tuple[Wanted, ...]:
        """Returns those whose marker holds, untouched by overrides; excludes are dropped."""
        found = [Wanted.of(one.requirement, one.source) for one in requested if self._holds(one.requirement, "")]
        return tuple(wanted for wanted in found if wanted.name not in self._excludes)

    def of_lines(self, lines: tuple[str, ...], extra: NormalizedName | None) -> tuple[Wanted, ...]:
        """Returns what a candidate wants.

        Args:
            lines: its Requires-Dist.
            extra: None for the distribution itself; else only what this extra adds to it.

        Raises:
            InvalidLine: a line is no requirement.
        """
        if not self._counted:
            return ()
        key = (lines, extra or "")
        known = self._known.get(key)
        if known is None:
            found: list[Wanted] = []
            for text in lines:
                line = self._lines.get(text) or self._parse(text)
                if self._counts(text, line, extra):
                    found += self._replaced(line.wanted)
            known = self._known[key] = tuple(found)
        return known

    def _counts(self, text: str, line: _Line, extra: NormalizedName | None) -> bool:
        if not line.has_extra:
            overridden = line.wanted.name in self._overrides
            return extra is None and (overridden or self._evaluate(text, line.requirement, ""))
        plain = self._evaluate(text, line.requirement, "")
        return plain if extra is None else not plain and self._evaluate(text, line.requirement, extra)

    def _parse(self, text: str) -> _Line:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            raise InvalidLine(text) from None
        has_extra = requirement.marker is not None and "extra" in str(requirement.marker)
        line = self._lines[text] = _Line(requirement, Wanted.of(requirement), has_extra)
        return line

    def _replaced(self, wanted: Wanted) -> list[Wanted]:
        if wanted.name in self._excludes:
            return []
        return self._overrides.get(wanted.name, [wanted])

    def _evaluate(self, text: str, requirement: Requirement, extra: str) -> bool:
        if requirement.marker is None:
            return True
        known = self._applies.get((text, extra))
        if known is None:
            known = self._applies[text, extra] = self._holds(requirement, extra)
        return known

    def _holds(self, requirement: Requirement, extra: str) -> bool:
        return requirement.marker is None or requirement.marker.evaluate({**self._markers, "extra": extra})
