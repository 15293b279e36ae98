"""The grammar of requirements that are to be resolved: a line in, a requirement or a problem out.  PURE.

What a line of a lock may say besides its pin (`engine.lock.lines`) may be said
here too.  Only wheels can be named by a URL or a path: everything else is told
apart and named.

Rules: every problem is collected; a name that ends like an archive is a path, as
in pip; what was written for a wheel is kept as it is, so that an answer can say
it again without the values of variables.

Source: pip's "Requirements File Format"; the dependency specifiers standard (PEP 508).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.markers import UndefinedEnvironmentName
from packaging.requirements import Requirement
from packaging.version import Version

from engine.lock.direct import looks_direct
from engine.lock.lines import BARE_WHEEL, NAMED_WHEEL, LineReader
from engine.wanted.model import Wanted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.lock.direct import Place


class WantedReader(LineReader[Wanted]):
    """Reads requirements.

    Args:
        source: name of the file, for messages; "" for the command line.
        place: where relative names start.
        environ: values of variables; None where none may be read.
        origin: what an annotation says of the file.
        constrains: it is a constraints file.
    """

    def __init__(
        self, source: str, place: Place, environ: Mapping[str, str] | None, *, origin: str, constrains: bool = False
    ) -> None:
        super().__init__(source, place, environ, constrains=constrains)
        self._origin = origin
        self._written = ""

    def read(self, line: str, number: int) -> None:
        """Reads one logical line, without its comment."""
        self._written = line
        super().read(line, number)

    def report(self, number: int, problem: str) -> None:
        """Notes a problem of a line."""
        super().report(number, problem)
        if not self.source:
            self.problems[-1] = self.problems[-1].removeprefix(f"{self.where(number)}: ")

    def take_word(self, word: str) -> None:
        """Takes a word of the command line, where a shell has put in the values of variables."""
        self._written = word
        self.take_requirement(word, 0)

    def take_requirement(self, line: str, number: int) -> None:
        """Takes a line of a requirements file."""
        problems = len(self.problems)
        wanted = self._wanted(line, number)
        if wanted is not None and len(self.problems) == problems:
            self.items.append(wanted)

    def take_constraint(self, line: str, number: int) -> None:
        """Takes a line of a constraints file."""
        problems = len(self.problems)
        wanted = self._wanted(line, number)
        if wanted is not None and wanted.requirement.extras:
            self.report(number, f'"{line}": a constraint has no extras')
        if wanted is not None and len(self.problems) == problems:
            self.items.append(wanted)

    def take_specifier(self, text: str, number: int) -> None:
        """Takes a requirement of a project's metadata, where the standard's form is all there is."""
        self._written = text
        parsed = _parsed(text)
        if isinstance(parsed, str):
            self.report(number, f'"{text}": {parsed}')
        elif parsed.url is None:
            self.items.append(Wanted(requirement=parsed, where=self.where(number), origin=self._origin))
        else:
            self.take_requirement(text, number)

    def refusal(self, text: str) -> str:
        """Says why a line is no requirement."""
        parsed = _parsed(text)
        return f'"{text}": {parsed if isinstance(parsed, str) else "not a requirement"}'

    def _wanted(self, line: str, number: int) -> Wanted | None:
        options_at = line.find(" -")
        text = line if options_at < 0 else line[:options_at].rstrip()
        hashes = () if options_at < 0 else self.hashes(line[options_at:], number)
        where = self.where(number) if self.source else ""
        parsed = _parsed(text)
        if isinstance(parsed, Requirement) and parsed.url is None and not looks_direct(parsed.name):
            return Wanted(requirement=parsed, where=where, origin=self._origin, hashes=hashes)
        wheel = self.wheel(text, number)
        if wheel is None:
            return None
        name, extras, _, marker, file = wheel
        bracket = f"[{extras}]" if extras else ""
        parsed = _parsed(f"{name}{bracket} @ {file.url}" + (f" ; {marker}" if marker is not None else ""))
        if isinstance(parsed, str):
            self.report(number, f'"{text}": {parsed}')
            return None
        return Wanted(
            requirement=parsed,
            where=where,
            origin=self._origin,
            hashes=hashes,
            file=file,
            given=_given(self._written or text),
        )


def _parsed(text: str) -> Requirement | str:
    """Returns a requirement, or what keeps a text from being one."""
    try:
        requirement = Requirement(text)
        for specifier in requirement.specifier:
            if specifier.operator != "===":
                Version(specifier.version.removesuffix(".*"))
    except ValueError as exc:
        if str(exc).startswith("Exceeds the limit"):
            return "it has a number that is too long"
        fault = (str(exc).splitlines() or ["not a requirement"])[0]
        return fault[:1].lower() + fault[1:]
    except RecursionError:
        return "its marker is nested too deeply"
    try:
        # Wherever it is true: what compares two texts, or what cannot be compared, shows anywhere.
        if requirement.marker is not None:
            requirement.marker.evaluate({"extra": ""})
    except (ValueError, UndefinedEnvironmentName):
        return "its marker compares what cannot be compared"
    return requirement


def _given(line: str) -> str:
    """Returns the URL or path of a line that names a wheel."""
    options_at = line.find(" -")
    text = line if options_at < 0 else line[:options_at].rstrip()
    if (named := re.fullmatch(NAMED_WHEEL, text)) is not None:
        return named[3]
    bare = re.fullmatch(BARE_WHEEL, text)
    return text if bare is None else bare[1]
