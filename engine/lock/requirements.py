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

from packaging.version import InvalidVersion, Version

from engine.credentials import without_credentials
from engine.environment.installed import normalize_name
from engine.errors import ConfigurationError
from engine.lock.direct import Place, has_scheme, looks_direct, read_direct
from engine.lock.options import FileOptions, Include, split_words
from engine.lock.pins import Constraint, Digest, LockedFile, Pin
from engine.lock.text import expand, logical_lines, variables_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.markers import Marker
    from packaging.utils import NormalizedName

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_PINNED = re.compile(rf"({_NAME})\s*(?:\[([^\]]*)\])?\s*(===?)\s*([^\s,;()<>=~@]+)\s*(?:;\s*(.*))?")
# Not compiled before they are needed: most locks need none of these.
_NAMED_WHEEL = rf"({_NAME})\s*(?:\[([^\]]*)\])?\s*@\s*(\S+)\s*(?:\s;\s*(.*))?"
_BARE_WHEEL = r"(\S.*?)(?:\[([^\]]*)\])?\s*(?:(?:(?<=\s);|;(?=\s))\s*(.*))?"
_BEFORE_URL = rf"{_NAME}\s*(?:\[[^\]]*\])?\s*@"
_NAMED = rf"({_NAME})\s*(?:\[[^\]]*\])?\s*([^;]*)"
_EXTRA = _NAME
_USUAL_HASHES = re.compile(r"(?:\s+--hash=sha256:[0-9a-f]{64})+")

#: What may follow a requirement, and is for building it.
_BUILD_OPTIONS = frozenset({"-C", "--config-settings", "--config-setting"})

#: Options that name a place to ask, which nobody has called `${NAME}`.
_PLACES = frozenset({"-i", "--index-url", "--pypi-url", "--extra-index-url", "-f", "--find-links"})

#: Shorter values of variables are no secrets, and too likely to be part of another word.
_SECRET_LENGTH = 4

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
        reader = _Reader(source, place or Place(folder="/"), environ, constrains=constrains)
        for number, line in logical_lines(text):
            reader.read(line, number)
        return reader.result()


class _Reader:
    """What has been read of one file so far."""

    def __init__(self, source: str, place: Place, environ: Mapping[str, str] | None, *, constrains: bool) -> None:
        self._source = source
        self._place = place
        self._environ = environ
        self._constrains = constrains
        self._items: list[Pin | Include] = []
        self._constraints: list[Constraint] = []
        self._options = FileOptions()
        self._variables: dict[str, str] = {}
        self._notes: list[str] = []
        self._problems: list[str] = []
        self._hint: str | None = None
        self._markers: dict[str, Marker] = {}

    def result(self) -> RequirementsFile:
        return RequirementsFile(
            items=tuple(self._items),
            constraints=tuple(self._constraints),
            options=self._options,
            variables=frozenset(self._variables),
            notes=tuple(self._notes),
            problems=tuple(self._problems),
            hint=self._hint,
        )

    def read(self, line: str, number: int) -> None:
        if "${" in line and (names := variables_in(line)):
            if self._environ is None:
                self._report(number, f"${{{names[0]}}}: a file from the network does not get the value of a variable")
                return
            self._variables.update((name, self._environ.get(name, "")) for name in names)
            line = expand(line, self._environ)
        if line.startswith("-"):
            self._read_options(line, number)
        elif self._constrains:
            self._read_constraint(line.replace("\t", " "), number)
        else:
            self._read_requirement(line.replace("\t", " "), number)

    def _report(self, number: int, problem: str) -> None:
        self._problems.append(f"{self._source}:{number}: {self._presentable(problem)}")

    def _presentable(self, text: str) -> str:
        """Returns a text without secrets: those of URLs, and values of variables."""
        for name, value in sorted(self._variables.items(), key=lambda item: -len(item[1])):
            if len(value) >= _SECRET_LENGTH:
                text = text.replace(value, f"${{{name}}}")
        return without_credentials(text)

    def _read_options(self, line: str, number: int) -> None:
        words = split_words(line)
        if words is None:
            self._report(number, f'"{line}": a quotation mark is not closed')
            return
        first = words[0].partition("=")[0]
        if first == "--hash":
            self._report(number, f'"{line}" follows no requirement: is a "\\" missing at the end of the line before?')
            return
        if (
            first in _PLACES
            and "${" in line
            and (unset := [name for name in variables_in(line) if self._is_unset(name)])
        ):
            self._report(number, f"{first}: the variable {unset[0]} is not set, or empty")
            return
        try:
            for include in self._options.read(words, number):
                self._items.append(include)
        except ValueError as exc:
            self._report(number, str(exc))

    def _is_unset(self, name: str) -> bool:
        return name in self._variables and not self._variables[name]

    def _read_requirement(self, line: str, number: int) -> None:
        options_at = line.find(" -")
        requirement = line if options_at < 0 else line[:options_at].rstrip()
        problems = len(self._problems)
        match = _PINNED.fullmatch(requirement) or _PINNED.fullmatch(_without_parentheses(requirement))
        if match is not None:
            name, extras, operator, version_text, marker = match.groups()
            version = self._version(version_text, operator, requirement, number)
            file = None
        else:
            wheel = self._wheel(requirement, number)
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
            hashes=() if options_at < 0 else self._hashes(line[options_at:], number),
            line=number,
            source=self._source,
            file=file,
        )
        if len(self._problems) == problems:
            self._items.append(pin)

    def _wheel(self, text: str, number: int) -> tuple[str, str | None, Version, str | None, LockedFile] | None:
        """Reads a requirement that names its wheel; reports what is neither that nor a pin."""
        if ".whl;" in text and re.match(_BEFORE_URL, text) is not None:
            self._report(number, f'"{text}": a space is missing before the ";", which could be part of the URL')
            return None
        named = re.fullmatch(_NAMED_WHEEL, text)
        bare = re.fullmatch(_BARE_WHEEL, text) if named is None else None
        if named is not None:
            name, extras, target, marker = named.groups()
        elif bare is not None and _is_direct(bare[1]):
            name, (target, extras, marker) = "", bare.groups()
        else:
            self._report(number, self._refusal(text))
            return None
        try:
            wheel = read_direct(target, self._place)
        except (ValueError, ConfigurationError) as exc:
            self._report(number, f'"{text}": {exc}')
            return None
        if name and normalize_name(name) != wheel.project:
            self._report(number, f'"{text}": the wheel is of the project {wheel.project}, not of {name}')
            return None
        return wheel.project, extras, wheel.version, marker, wheel.file

    def _version(self, text: str, operator: str, requirement: str, number: int) -> Version | None:
        try:
            return Version(text)
        except InvalidVersion:
            if operator == "==":
                fault = "a wildcard is not a pin" if text.endswith(".*") else f'invalid version "{text}"'
                self._report(number, f'"{requirement}": {fault}')
            return None

    def _extras(self, text: str, number: int) -> frozenset[NormalizedName]:
        extras = [extra.strip() for extra in text.split(",")] if text.strip() else []
        for extra in extras:
            if re.fullmatch(_EXTRA, extra) is None:
                self._report(number, f'invalid extra "{extra}"')
        return frozenset(cast("NormalizedName", normalize_name(extra)) for extra in extras)

    def _marker(self, text: str, number: int) -> Marker | None:
        marker = self._markers.get(text)
        if marker is None:
            from packaging.markers import InvalidMarker, Marker

            try:
                marker = self._markers[text] = Marker(text)
            except (InvalidMarker, RecursionError):
                self._report(number, f'invalid marker "{text}"')
        return marker

    def _hashes(self, options: str, number: int) -> tuple[Digest, ...]:
        if _USUAL_HASHES.fullmatch(options) is not None:
            return tuple([Digest(algorithm="sha256", hex=word[14:]) for word in options.split()])
        digests = []
        words = iter(split_words(options) or [options])
        for word in words:
            option, equals, value = word.partition("=")
            if option in _BUILD_OPTIONS:
                if not equals:
                    next(words, "")
                self._notes.append(f"{self._source}:{number}: {option} has no meaning for a wheel")
                continue
            if option != "--hash":
                self._report(number, f"option {option} is not supported after a requirement in a lock")
                break
            try:
                digests.append(Digest.parse(value or next(words, "")))
            except ValueError as exc:
                self._report(number, str(exc))
        return tuple(digests)

    def _read_constraint(self, line: str, number: int) -> None:
        options_at = line.find(" -")
        text = line if options_at < 0 else line[:options_at].rstrip()
        problems = len(self._problems)
        from packaging.requirements import InvalidRequirement, Requirement

        try:
            requirement = Requirement(text)
        except (InvalidRequirement, RecursionError):
            self._report(number, f'"{text}": not a constraint of the form name==version')
            return
        if requirement.extras:
            self._report(number, f'"{text}": a constraint has no extras')
        file = None
        if requirement.url is not None:
            try:
                file = read_direct(requirement.url, self._place).file
            except (ValueError, ConfigurationError) as exc:
                self._report(number, f'"{text}": {exc}')
        constraint = Constraint(
            name=cast("NormalizedName", normalize_name(requirement.name)),
            specifier=requirement.specifier,
            marker=requirement.marker,
            hashes=() if options_at < 0 else self._hashes(line[options_at:], number),
            line=number,
            source=self._source,
            file=file,
        )
        if len(self._problems) == problems:
            self._constraints.append(constraint)

    def _refusal(self, text: str) -> str:
        """Says why a line is not a pin, in the terms of what it seems to be."""
        match = re.match(_NAMED, text)
        specifier = "" if match is None else _without_parentheses(match[2]).strip()
        if match is None:
            return f'"{text}": invalid project name'
        if "," in specifier:
            return f'"{text}": a pin has one specifier, not several'
        if not specifier or specifier.startswith(("<", ">", "!=", "~=")):
            self._hint = UNPINNED_HINT
            return f'"{text}": {match[1]} is not pinned by =='
        return f'"{text}": not a requirement of the form name==version'


def _is_direct(text: str) -> bool:
    """Tells whether a text is a URL, or a path: one that leads to a wheel may have spaces in it."""
    if not any(character.isspace() for character in text):
        return looks_direct(text)
    spaced_path = text.endswith(".whl") and (text.startswith("file:") or not has_scheme(text))
    return spaced_path and re.match(_BEFORE_URL, text) is None


def _without_parentheses(text: str) -> str:
    """Turns the older `name (==1.0)` into `name ==1.0`."""
    before, opening, rest = text.partition("(")
    inside, closing, after = rest.partition(")")
    # A parenthesis behind the semicolon belongs to the marker.
    return f"{before}{inside} {after}" if opening and closing and ";" not in before else text
