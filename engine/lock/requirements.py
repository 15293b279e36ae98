"""The grammar of requirements files: text in; pins, constraints, includes, options and problems out.  PURE.

A lock is a requirements file in which every project is pinned by `==` (or `===`)
or names its wheel.  Comments, continuations, markers, extras, hashes, variables
and options are read as pip reads them; whatever else pip would accept is named
as a problem, because a lock that is half understood installs the wrong thing.
What includes lead to is for `engine.lock.reading`.

Rules: every problem of the file is collected; no line with a problem is dropped
silently; no value of a variable gets into a message.  `packaging.markers` is
imported when the first marker is met: most locks have none, and it costs 20 ms.

Source: pip's "Requirements File Format"; the dependency specifiers standard (PEP 508).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from packaging.version import Version

from engine.environment.installed import normalize_name
from engine.errors import ConfigurationError
from engine.lock.direct import Place, read_direct
from engine.lock.lines import NAME, LineReader
from engine.lock.options import FileOptions, Include
from engine.lock.pins import Constraint, Pin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.markers import Marker
    from packaging.utils import NormalizedName

_PINNED = re.compile(rf"({NAME})\s*(?:\[([^\]]*)\])?\s*(===?)\s*([^\s,;()<>=~@]+)\s*(?:;\s*(.*))?")
# Not compiled before they are needed: most locks need none of these.
_NAMED = rf"({NAME})\s*(?:\[[^\]]*\])?\s*([^;]*)"
UNPINNED_HINT = "a lock pins every project: name==version"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementsFile:
    """What one file says.

    `items` are its pins and includes in order; `constraints` is only filled for a constraints file, which has no
    pins.  `variables` are the names of those that it mentions; `notes` say what was left aside.
    """

    items: tuple[Pin | Include, ...]
    constraints: tuple[Constraint, ...]
    options: FileOptions
    variables: frozenset[str]
    notes: tuple[str, ...]
    problems: tuple[str, ...]
    hint: str | None

    @property
    def pins(self) -> tuple[Pin, ...]:
        """The pins of the file itself."""
        return tuple(item for item in self.items if isinstance(item, Pin))

    @classmethod
    def parse(
        cls,
        text: str,
        *,
        source: str,
        place: Place | None = None,
        environ: Mapping[str, str] | None = None,
        constrains: bool = False,
    ) -> RequirementsFile:
        """Reads a file.

        Args:
            text: its content; any line ends are accepted.
            source: its name, for messages.
            place: where relative names start; without one no wheel can be named by a relative path.
            environ: values of variables; None where none may be read (a file from the network), and mentioning one
                is a problem.
            constrains: it is a constraints file.

        Source: pip's "Requirements File Format".
        """
        reader = _PinReader(source, place or Place(folder="/"), environ, constrains=constrains)
        reader.read_text(text)
        return cls(
            items=tuple(reader.items),
            constraints=tuple(reader.constraints),
            options=reader.options,
            variables=frozenset(reader.variables),
            notes=tuple(reader.notes),
            problems=tuple(reader.problems),
            hint=reader.hint,
        )


class _PinReader(LineReader[Pin]):
    """Reads lines that pin; keeps the constraints of a constraints file apart."""

    def __init__(self, source: str, place: Place, environ: Mapping[str, str] | None, *, constrains: bool) -> None:
        super().__init__(source, place, environ, constrains=constrains)
        self.constraints: list[Constraint] = []
        self._markers: dict[str, Marker] = {}

    def take_requirement(self, line: str, number: int) -> None:
        options_at = line.find(" -")
        requirement = line if options_at < 0 else line[:options_at].rstrip()
        problems = len(self.problems)
        match = _PINNED.fullmatch(requirement) or _PINNED.fullmatch(_without_parentheses(requirement))
        if match is not None:
            name, extras, operator, version_text, marker = match.groups()
            version = self._version(version_text, operator, requirement, number)
            file = None
        else:
            wheel = self.wheel(requirement, number)
            if wheel is None:
                return
            name, extras, version, marker, file = wheel
            operator, version_text = "==", str(version)
        pin = Pin(
            name=cast("NormalizedName", normalize_name(name)),
            version_text=version_text,
            version=version,
            arbitrary_equality=operator == "===",
            extras=self._extras(extras, number) if extras else frozenset(),
            marker=None if marker is None else self._marker(marker, number),
            hashes=() if options_at < 0 else self.hashes(line[options_at:], number),
            line=number,
            source=self.source,
            file=file,
        )
        if len(self.problems) == problems:
            self.items.append(pin)

    def _version(self, text: str, operator: str, requirement: str, number: int) -> Version | None:
        try:
            return Version(text)
        except ValueError:
            if operator == "==":
                fault = "a wildcard is not a pin" if text.endswith(".*") else f'invalid version "{text}"'
                self.report(number, f'"{requirement}": {fault}')
            return None

    def _extras(self, text: str, number: int) -> frozenset[NormalizedName]:
        extras = [extra.strip() for extra in text.split(",")] if text.strip() else []
        for extra in extras:
            if re.fullmatch(NAME, extra) is None:
                self.report(number, f'invalid extra "{extra}"')
        return frozenset(cast("NormalizedName", normalize_name(extra)) for extra in extras)

    def _marker(self, text: str, number: int) -> Marker | None:
        marker = self._markers.get(text)
        if marker is None:
            from packaging.markers import Marker

            try:
                marker = self._markers[text] = Marker(text)
            except (ValueError, RecursionError):
                self.report(number, f'invalid marker "{text}"')
        return marker

    def take_constraint(self, line: str, number: int) -> None:
        options_at = line.find(" -")
        text = line if options_at < 0 else line[:options_at].rstrip()
        problems = len(self.problems)
        from packaging.requirements import Requirement

        try:
            requirement = Requirement(text)
        except (ValueError, RecursionError):
            self.report(number, f'"{text}": not a constraint of the form name==version')
            return
        if requirement.extras:
            self.report(number, f'"{text}": a constraint has no extras')
        file = None
        if requirement.url is not None:
            try:
                file = read_direct(requirement.url, self.place).file
            except (ValueError, ConfigurationError) as exc:
                self.report(number, f'"{text}": {exc}')
        constraint = Constraint(
            name=cast("NormalizedName", normalize_name(requirement.name)),
            specifier=requirement.specifier,
            marker=requirement.marker,
            hashes=() if options_at < 0 else self.hashes(line[options_at:], number),
            line=number,
            source=self.source,
            file=file,
        )
        if len(self.problems) == problems:
            self.constraints.append(constraint)

    def refusal(self, text: str) -> str:
        """Says why a line is not a pin, in the terms of what it seems to be."""
        match = re.match(_NAMED, text)
        specifier = "" if match is None else _without_parentheses(match[2]).strip()
        if match is None:
            return f'"{text}": invalid project name'
        if "," in specifier:
            return f'"{text}": a pin has one specifier, not several'
        if not specifier or specifier.startswith(("<", ">", "!=", "~=")):
            self.hint = UNPINNED_HINT
            return f'"{text}": {match[1]} is not pinned by =='
        return f'"{text}": not a requirement of the form name==version'


def _without_parentheses(text: str) -> str:
    """Turns the older `name (==1.0)` into `name ==1.0`."""
    before, opening, rest = text.partition("(")
    inside, closing, after = rest.partition(")")
    # A parenthesis behind the semicolon belongs to the marker.
    return f"{before}{inside} {after}" if opening and closing and ";" not in before else text
