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

from packaging.markers import Marker, UndefinedEnvironmentName
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name

from resolver.inputs import Problem, Requested

if TYPE_CHECKING:
    from resolver.markers.diagram import Environments

_CREDENTIALS = re.compile(r"(?<=//)[^/@\s]*@")
#: A name and versions, as most lines are; what it does not match is read by the grammar.
_PLAIN = re.compile(
    r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?) *(?:\(([\w.<>=!~, *+-]*[\w*])\)|([<>=!~][\w.<>=!~, *+-]*[\w*])?)",
    re.ASCII,
)
#: An extra that a marker asks for, by its name.
_EXTRA = re.compile(r"""\bextra *[=!]= *["']([^"']*)["']|["']([^"']*)["'] *[=!]= *extra\b""")
_QUOTED = re.compile(r"""["'][^"']*["']""")
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
        return cls(
            canonicalize_name(requirement.name),
            tuple(sorted({canonicalize_name(extra) for extra in requirement.extras})),
            requirement.specifier,
            _spelled(requirement.specifier),
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


class Line(NamedTuple):
    """A line of Requires-Dist.

    `condition` is the text of its marker, `extras` has those that the marker names, None where any may meet it.
    """

    wanted: Wanted
    marker: Marker | None
    condition: str
    has_extra: bool
    extras: frozenset[NormalizedName] | None


class _Lines:
    """The lines of one distribution: what they come to without extras, and where to look for one."""

    __slots__ = ("by_extra", "by_name", "plain")

    def __init__(self, plain: tuple[Wanted, ...]) -> None:
        self.plain = plain
        self.by_name: dict[NormalizedName | None, list[tuple[str, Line]]] = {}
        self.by_extra: dict[NormalizedName, tuple[Wanted, ...]] = {}


class Dependencies:
    """Reads requirements for one problem.

    Args:
        problem: gives the marker environment, overrides and excludes.
    """

    def __init__(self, problem: Problem) -> None:
        self._markers = dict(problem.markers)
        self._excludes = problem.excludes
        self._counted = problem.dependencies
        self._lines: dict[str, Line] = {}
        self._conditions: dict[str, tuple[Marker | None, str, bool, frozenset[NormalizedName] | None]] = {}
        self._applies: dict[tuple[str, str], bool] = {}
        self._known: dict[tuple[str, ...], _Lines] = {}
        self._overrides: dict[NormalizedName, list[Wanted]] = {}
        for requested in problem.overrides:
            name = canonicalize_name(requested.requirement.name)
            replacing = self._overrides.setdefault(name, [])
            if self._holds(requested.requirement.marker, ""):
                replacing.append(Wanted.of(requested.requirement, requested.source))

    def direct(self, requested: Iterable[Requested]) -> tuple[Wanted, ...]:
        """Returns what the user's requirements ask for, in their order, overrides and excludes applied."""
        found: list[Wanted] = []
        for one in requested:
            wanted = Wanted.of(one.requirement, one.source)
            if wanted.name in self._overrides or self._holds(one.requirement.marker, ""):
                found += self._replaced(wanted)
        return tuple(found)

    def applying(self, requested: Iterable[Requested]) -> tuple[Wanted, ...]:
        """Returns those whose marker holds, untouched by overrides; excludes are dropped."""
        found = [Wanted.of(one.requirement, one.source) for one in requested if self._holds(one.requirement.marker, "")]
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
        known = self._known.get(lines) or self._sorted(lines)
        if extra is None:
            return known.plain
        wanted = known.by_extra.get(extra)
        if wanted is None:
            naming = (*known.by_name.get(extra, ()), *known.by_name.get(None, ()))
            wanted = tuple(one for text, line in naming for one in self._added(text, line, extra))
            known.by_extra[extra] = wanted
        return wanted

    def _sorted(self, lines: tuple[str, ...]) -> _Lines:
        plain: list[Wanted] = []
        named: list[tuple[str, Line]] = []
        for text in lines:
            line = self._lines.get(text) or self._parse(text)
            if line.has_extra:
                named.append((text, line))
            plain += self._plainly(text, line)
        known = self._known[lines] = _Lines(tuple(plain))
        for text, line in named:
            for extra in (None,) if line.extras is None else line.extras:
                known.by_name.setdefault(extra, []).append((text, line))
        return known

    def _plainly(self, text: str, line: Line) -> list[Wanted]:
        """Returns what a line asks for without any extra."""
        is_overridden = not line.has_extra and line.wanted.name in self._overrides
        return self._replaced(line.wanted) if is_overridden or self._evaluate(line, "") else []

    def _added(self, text: str, line: Line, extra: NormalizedName) -> list[Wanted]:
        """Returns what a line asks for with an extra, and does not without it."""
        is_added = not self._evaluate(line, "") and self._evaluate(line, extra)
        return self._replaced(line.wanted) if is_added else []

    def _parse(self, text: str) -> Line:
        if len(text) > _MOST_DIGITS and _NUMBER.search(text):
            raise InvalidLine(f"{text[:200]}...")
        line = self._lines[text] = self._plain_line(text) or _line(text)
        return line

    def _plain_line(self, text: str) -> Line | None:
        """Reads a line whose marker many others have, or that has none; None where the grammar is needed."""
        head, separator, condition = text.partition(";")
        wanted = _plain_wanted(head.rstrip(" "))
        condition = condition.strip(" ")
        if wanted is None or (separator and not condition):
            return None
        known = self._conditions.get(condition)
        if known is None:
            try:
                known = _condition(Marker(condition) if condition else None)
            except ValueError:
                return None
            self._conditions[condition] = known
        return Line(wanted, *known)

    def _replaced(self, wanted: Wanted) -> list[Wanted]:
        if wanted.name in self._excludes:
            return []
        return self._overrides.get(wanted.name, [wanted])

    def _evaluate(self, line: Line, extra: str) -> bool:
        if line.marker is None:
            return True
        key = (line.condition, extra)
        known = self._applies.get(key)
        if known is None:
            try:
                known = self._applies[key] = self._holds(line.marker, extra)
            except (ValueError, UndefinedEnvironmentName):
                raise InvalidLine(f"{line.wanted}; {line.condition}") from None
        return known

    def _holds(self, marker: Marker | None, extra: str) -> bool:
        return marker is None or marker.evaluate({**self._markers, "extra": extra})


#: A number with more digits cannot be read, which packaging finds out when it compares.
_MOST_DIGITS = 4000
_NUMBER = re.compile(f"[0-9]{{{_MOST_DIGITS}}}")


def _spelled(specifiers: SpecifierSet) -> str:
    ordered = sorted(specifiers, key=lambda one: (_ORDER.index(one.operator), one.version))
    return ",".join(map(str, ordered))


def _line(text: str) -> Line:
    try:
        requirement = Requirement(text)
    except ValueError:
        raise InvalidLine(text) from None
    return Line(Wanted.of(requirement), *_condition(requirement.marker))


def _condition(marker: Marker | None) -> tuple[Marker | None, str, bool, frozenset[NormalizedName] | None]:
    """Returns what a line says of where it counts, as `Line` has it."""
    text = "" if marker is None else str(marker)
    if "extra" not in text:
        return marker, text, False, frozenset()
    names = frozenset(canonicalize_name(one or other) for one, other in _EXTRA.findall(text))
    is_named = "extra" not in _QUOTED.sub("", _EXTRA.sub("", text))
    return marker, text, True, names if is_named else None


def _plain_wanted(text: str) -> Wanted | None:
    """Reads what is no more than a name and versions, for a third of the price of the grammar; else None."""
    match = _PLAIN.fullmatch(text)
    if match is None or "===" in text:
        return None
    try:
        specifiers = SpecifierSet(match[2] or match[3] or "")
    except ValueError:
        return None
    return Wanted(canonicalize_name(match[1]), (), specifiers, _spelled(specifiers), None, "")
