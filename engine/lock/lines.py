"""What one line of a requirements file may say: variables, options, hashes, and a wheel that it names.  PURE.

Does not know what a requirement may be: `engine.lock.requirements` reads pins, `engine.wanted.lines` whatever is
to be resolved.

Rules: every problem of the file is collected; no line with a problem is dropped
silently; no value of a variable gets into a message.

Source: pip's "Requirements File Format".
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Generic, TypeVar

from engine.credentials import without_credentials
from engine.environment.installed import normalize_name
from engine.errors import ConfigurationError
from engine.lock.direct import UNBUILT_HINT, Place, Unbuilt, has_scheme, looks_direct, read_direct
from engine.lock.options import FileOptions, Include, split_words
from engine.lock.pins import Digest, LockedFile, line_reference
from engine.lock.text import expand, logical_lines, variables_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.version import Version

NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
NAMED_WHEEL = rf"({NAME})\s*(?:\[([^\]]*)\])?\s*@\s*(\S+)\s*(?:\s;\s*(.*))?"
BARE_WHEEL = r"(\S.*?)(?:\[([^\]]*)\])?\s*(?:(?:(?<=\s);|;(?=\s))\s*(.*))?"
_BEFORE_URL = rf"{NAME}\s*(?:\[[^\]]*\])?\s*@"
_USUAL_HASHES = re.compile(r"(?:\s+--hash=sha256:[0-9a-f]{64})+")

#: What may follow a requirement, and is for building it.
_BUILD_OPTIONS = frozenset({"-C", "--config-settings", "--config-setting"})

#: Options that name a place to ask, which nobody has called `${NAME}`.
_PLACES = frozenset({"-i", "--index-url", "--pypi-url", "--extra-index-url", "-f", "--find-links"})

#: Shorter values of variables are no secrets, and too likely to be part of another word.
_SECRET_LENGTH = 4

Item = TypeVar("Item")


class LineReader(ABC, Generic[Item]):
    """What has been read of one file so far.

    Args:
        source: its name, for messages.
        place: where relative names start.
        environ: values of variables; None where none may be read (a file from the network).
        constrains: it is a constraints file.

    Attributes:
        items: requirements and includes in order.
        options: of lines of their own.
        variables: every one that is mentioned, and its value.
        notes, problems: lines for who wants to know more, and for the user.
        hint: what to do about the problems.
    """

    def __init__(self, source: str, place: Place, environ: Mapping[str, str] | None, *, constrains: bool) -> None:
        self.source = source
        self.place = place
        self._environ = environ
        self._constrains = constrains
        self.items: list[Item | Include] = []
        self.options = FileOptions()
        self.variables: dict[str, str] = {}
        self.notes: list[str] = []
        self.problems: list[str] = []
        self.hint: str | None = None

    @abstractmethod
    def take_requirement(self, line: str, number: int) -> None:
        """Takes a line that is no option, of a file of requirements."""

    @abstractmethod
    def take_constraint(self, line: str, number: int) -> None:
        """Takes a line that is no option, of a file of constraints."""

    @abstractmethod
    def refusal(self, text: str) -> str:
        """Says why a line is no requirement, in the terms of what it seems to be."""

    def read_text(self, text: str) -> None:
        """Reads all lines of a file; any line ends are accepted."""
        for number, line in logical_lines(text):
            self.read(line, number)

    def read(self, line: str, number: int) -> None:
        """Reads one logical line, without its comment."""
        if "${" in line and (names := variables_in(line)):
            if self._environ is None:
                self.report(number, f"${{{names[0]}}}: a file from the network does not get the value of a variable")
                return
            self.variables.update((name, self._environ.get(name, "")) for name in names)
            line = expand(line, self._environ)
        if line.startswith("-"):
            self._read_options(line, number)
        elif self._constrains:
            self.take_constraint(line.replace("\t", " "), number)
        else:
            self.take_requirement(line.replace("\t", " "), number)

    def where(self, number: int) -> str:
        """Returns how messages name a line."""
        return line_reference(self.source, number)

    def report(self, number: int, problem: str) -> None:
        """Notes a problem of a line."""
        self.problems.append(f"{self.where(number)}: {self._presentable(problem)}")

    def _presentable(self, text: str) -> str:
        """Returns a text without secrets: those of URLs, and values of variables."""
        for name, value in sorted(self.variables.items(), key=lambda item: -len(item[1])):
            if len(value) >= _SECRET_LENGTH:
                text = text.replace(value, f"${{{name}}}")
        return without_credentials(text)

    def _read_options(self, line: str, number: int) -> None:
        words = split_words(line)
        if words is None:
            self.report(number, f'"{line}": a quotation mark is not closed')
            return
        first = words[0].partition("=")[0]
        if first == "--hash":
            self.report(number, f'"{line}" follows no requirement: is a "\\" missing at the end of the line before?')
            return
        if (
            first in _PLACES
            and "${" in line
            and (unset := [name for name in variables_in(line) if self._is_unset(name)])
        ):
            self.report(number, f"{first}: the variable {unset[0]} is not set, or empty")
            return
        try:
            for include in self.options.read(words, number):
                self.items.append(include)
        except ValueError as exc:
            self._refuse(number, exc, str(exc))

    def _refuse(self, number: int, reason: Exception, problem: str) -> None:
        self.report(number, problem)
        if isinstance(reason, Unbuilt):
            self.hint = self.hint or UNBUILT_HINT

    def _is_unset(self, name: str) -> bool:
        return name in self.variables and not self.variables[name]

    def wheel(self, text: str, number: int) -> tuple[str, str | None, Version, str | None, LockedFile] | None:
        """Reads a requirement that names its wheel; reports what does not.

        Returns:
            Project, text of the extras, version, text of the marker, file; None when there was a problem.
        """
        if ".whl;" in text and re.match(_BEFORE_URL, text) is not None:
            self.report(number, f'"{text}": a space is missing before the ";", which could be part of the URL')
            return None
        named = re.fullmatch(NAMED_WHEEL, text)
        bare = re.fullmatch(BARE_WHEEL, text) if named is None else None
        if named is not None:
            name, extras, target, marker = named.groups()
        elif bare is not None and is_direct(bare[1]):
            name, (target, extras, marker) = "", bare.groups()
        else:
            self.report(number, self.refusal(text))
            return None
        try:
            wheel = read_direct(target, self.place)
        except (ValueError, ConfigurationError) as exc:
            self._refuse(number, exc, f'"{text}": {exc}')
            return None
        if name and normalize_name(name) != wheel.project:
            self.report(number, f'"{text}": the wheel is of the project {wheel.project}, not of {name}')
            return None
        return wheel.project, extras, wheel.version, marker, wheel.file

    def hashes(self, options: str, number: int) -> tuple[Digest, ...]:
        """Returns the hashes among the options that follow a requirement; reports other options."""
        if _USUAL_HASHES.fullmatch(options) is not None:
            return tuple([Digest(algorithm="sha256", hex=word[14:]) for word in options.split()])
        digests = []
        words = iter(split_words(options) or [options])
        for word in words:
            option, equals, value = word.partition("=")
            if option in _BUILD_OPTIONS:
                if not equals:
                    next(words, "")
                self.notes.append(f"{self.source}:{number}: {option} has no meaning for a wheel")
                continue
            if option != "--hash":
                self.report(number, f"option {option} is not supported after a requirement")
                break
            try:
                digests.append(Digest.parse(value or next(words, "")))
            except ValueError as exc:
                self.report(number, str(exc))
        return tuple(digests)


def is_direct(text: str) -> bool:
    """Tells whether a text is a URL, or a path: one that leads to a wheel may have spaces in it."""
    if not any(character.isspace() for character in text):
        return looks_direct(text)
    spaced_path = text.endswith(".whl") and (text.startswith("file:") or not has_scheme(text))
    return spaced_path and re.match(_BEFORE_URL, text) is None
