"""Requirements files as locks: text in, pins and problems out.

A lock is a requirements file in which every project is pinned by `==` (or `===`).
Comments, continuations, markers, extras, `--hash` and `--index-url` are read as
pip reads them; whatever else pip would accept is named as a problem, because a
lock that is half understood installs the wrong thing.  Variables (`${NAME}`)
are not expanded.

Rules: pure; every problem of the file is collected before one error is raised;
no line with a problem is dropped silently.  `packaging.markers` is imported
when the first marker is met: most locks have none, and it costs 20 ms.

Source: pip's "Requirements File Format"; the dependency specifiers standard (PEP 508).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from packaging.version import InvalidVersion, Version

from engine.credentials import without_credentials
from engine.environment.installed import normalize_name
from engine.errors import InvalidLock
from engine.lock.pins import Digest, Pin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.markers import Marker
    from packaging.utils import NormalizedName

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_PINNED = re.compile(rf"({_NAME})\s*(?:\[([^\]]*)\])?\s*(===?)\s*([^\s,;()<>=~@]+)\s*(?:;\s*(.*))?")
_NAMED = re.compile(rf"({_NAME})\s*(?:\[[^\]]*\])?\s*([^;]*)")
_EXTRA = re.compile(_NAME)
_COMMENT = re.compile(r"(?<!\S)#")
_VARIABLE = re.compile(r"\$\{[A-Z0-9_]+\}")
_USUAL_HASHES = re.compile(r"(?:\s+--hash=sha256:[0-9a-f]{64})+")
_FILE_SUFFIXES = (".whl", ".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tar.xz", ".egg")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementsFile:
    """What one file says: its pins in order, and the index that it names, if any."""

    pins: tuple[Pin, ...]
    index_url: str | None

    @classmethod
    def parse(cls, text: str, *, source: str) -> RequirementsFile:
        """Reads a file.

        Args:
            text: the file's content; a byte order mark and any line ends are accepted.
            source: the file's name, for messages.

        Raises:
            InvalidLock: when any line is not a pin, an index URL or a comment;
                `problems` has one entry for every fault.

        Source: pip's "Requirements File Format".
        """
        reader = _Reader(source)
        for number, line in _logical_lines(text):
            reader.read(line, number)
        if reader.problems:
            raise InvalidLock(reader.problems, hint=reader.hint)
        return cls(pins=tuple(reader.pins), index_url=reader.index_url)


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yields (number of the first physical line, content) without comments and blank lines.

    As in pip, a line that is only a comment ends a continuation.
    """
    pending: list[str] = []
    first = 0
    for number, line in enumerate(text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        only_comment = line.lstrip().startswith("#")
        if not pending:
            first = number
        if line.endswith("\\") and not only_comment:
            pending.append(line[:-1])
            continue
        if pending:
            line = "".join(pending) if only_comment else "".join(pending) + line
            pending.clear()
        content = _without_comment(line)
        if content:
            yield first, content
    content = _without_comment("".join(pending))
    if content:
        yield first, content


def _without_comment(line: str) -> str:
    if "#" in line:
        comment = _COMMENT.search(line)
        if comment is not None:
            line = line[: comment.start()]
    return line.strip()


class _Reader:
    """What has been read of one file so far."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.pins: list[Pin] = []
        self.problems: list[str] = []
        self.index_url: str | None = None
        self.hint: str | None = None
        self._markers: dict[str, Marker] = {}

    def read(self, line: str, number: int) -> None:
        if "${" in line and (variable := _VARIABLE.search(line)) is not None:
            self._report(number, f"the variable {variable[0]} is not expanded in a lock")
        elif line.startswith("-"):
            self._read_option(line, number)
        else:
            self._read_requirement(line.replace("\t", " "), number)

    def _report(self, number: int, problem: str) -> None:
        self.problems.append(f"{self.source}:{number}: {without_credentials(problem)}")

    def _read_option(self, line: str, number: int) -> None:
        first, _, rest = line.replace("\t", " ").partition(" ")
        if first.startswith("--"):
            option, _, value = first.partition("=")
        else:
            option, value = first[:2], first[2:].removeprefix("=")
        value = f"{value} {rest}".strip().strip("\"'")
        if option in ("-i", "--index-url"):
            if not value or " " in value:
                self._report(number, f"option {option} takes one URL and nothing else")
            else:
                self.index_url = value
        elif option == "--hash":
            self._report(number, f'"{line}" follows no requirement: is a "\\" missing at the end of the line before?')
        else:
            self._report(number, f"option {option} is not supported in a lock")

    def _read_requirement(self, line: str, number: int) -> None:
        options_at = line.find(" -")
        requirement = line if options_at < 0 else line[:options_at].rstrip()
        match = _PINNED.fullmatch(requirement) or _PINNED.fullmatch(_without_parentheses(requirement))
        if match is None:
            self._report(number, self._refusal(requirement))
            return
        name, extras, operator, version_text, marker = match.groups()
        problems = len(self.problems)
        pin = Pin(
            name=cast("NormalizedName", normalize_name(name)),
            version_text=version_text,
            version=self._version(version_text, operator, requirement, number),
            arbitrary_equality=operator == "===",
            extras=self._extras(extras, number) if extras else frozenset(),
            marker=None if marker is None else self._marker(marker, number),
            hashes=() if options_at < 0 else self._hashes(line[options_at:], number),
            line=number,
            source=self.source,
        )
        if len(self.problems) == problems:
            self.pins.append(pin)

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
            if _EXTRA.fullmatch(extra) is None:
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
        words = iter(options.split())
        for word in words:
            option, _, value = word.partition("=")
            if option != "--hash":
                self._report(number, f"option {option} is not supported in a lock")
                break
            try:
                digests.append(Digest.parse(value or next(words, "")))
            except ValueError as exc:
                self._report(number, str(exc))
        return tuple(digests)

    def _refusal(self, text: str) -> str:
        """Says why a line is not a pin, in the terms of what it seems to be."""
        match = _NAMED.match(text)
        specifier = "" if match is None else _without_parentheses(match[2]).strip()
        if match is not None and specifier.startswith("@"):
            return f'"{text}": a requirement with a URL is not supported in a lock'
        if text.startswith(("git+", "hg+", "svn+", "bzr+")):
            return f'"{text}": a version control URL is not supported in a lock'
        if "://" in text or text.startswith("file:"):
            return f'"{text}": a URL is not supported in a lock'
        if text.startswith((".", "/", "\\", "~")) or "/" in text or "\\" in text or text.endswith(_FILE_SUFFIXES):
            return f'"{text}": a local file or folder is not supported in a lock'
        if match is None:
            return f'"{text}": invalid project name'
        if "," in specifier:
            return f'"{text}": a pin has one specifier, not several'
        if not specifier or specifier.startswith(("<", ">", "!=", "~=")):
            self.hint = "a lock pins every project: name==version"
            return f'"{text}": {match[1]} is not pinned by =='
        return f'"{text}": not a requirement of the form name==version'


def _without_parentheses(text: str) -> str:
    """Turns the older `name (==1.0)` into `name ==1.0`."""
    before, opening, rest = text.partition("(")
    inside, closing, after = rest.partition(")")
    # A parenthesis behind the semicolon belongs to the marker.
    return f"{before}{inside} {after}" if opening and closing and ";" not in before else text
