"""What a project says about its requirements without being built, and where in its file.  PURE.

The formats are for `engine.wanted.pyproject` and `engine.wanted.setuptools_files`.

Rules: what would have to be found out by running a build backend is a problem
that says so, never an empty list.  Every problem is collected, with its line where
that can be found: TOML and INI readers do not tell it, so the text is searched.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from engine.wanted.lines import WantedReader
from engine.wanted.model import PythonBound, Wanted

if TYPE_CHECKING:
    from packaging.utils import NormalizedName

    from engine.lock.direct import Place

UNBUILT = "known only by building the project, which cannot be done so far"
HINT = "say them in pyproject.toml under [project], without `dynamic`"
_HEADER = re.compile(r"""\[\s*([^\[\]]+?)\s*\]\s*(?:[#;].*)?""")


@dataclass(slots=True, kw_only=True)
class StaticProject:
    """A project's requirements; filled by the readers below.

    Attributes:
        name: of the project; None where the file does not say.
        dependencies: what it always needs.
        optional: what each of its extras needs besides.
        python: which Pythons it is for, or None.
        problems: lines for the user; hint: what to do about them.
    """

    name: NormalizedName | None = None
    dependencies: list[Wanted] = field(default_factory=list)
    optional: dict[NormalizedName, list[Wanted]] = field(default_factory=dict)
    python: PythonBound | None = None
    problems: list[str] = field(default_factory=list)
    hint: str | None = None


class ProjectFile:
    """One file of a project, and what has been read of it."""

    def __init__(self, text: str, source: str, shown: str, place: Place) -> None:
        self._lines = text.split("\n")
        self._source = source
        self._shown = shown
        self._place = place
        self.project = StaticProject()

    def line(self, section: str, value: str) -> int:
        """Returns the line of a section that is a text, or has it as its key; else the first one with it, else 0."""
        key = re.compile(rf"""["']?{re.escape(value)}["']?\s*[=:]""")
        inside, found = False, 0
        for number, line in enumerate(self._lines, 1):
            stripped = line.strip()
            if (header := _HEADER.fullmatch(stripped)) is not None:
                inside = header[1].replace('"', "").replace("'", "") == section
            elif inside and not stripped.startswith("#"):
                if stripped.rstrip(",") == value or key.match(stripped) is not None:
                    return number
                found = found or (number if value in stripped else 0)
        return found

    def report(self, problem: str, section: str = "", value: str = "") -> None:
        """Notes a problem; with its line where a section and a text of it are given."""
        number = self.line(section, value) if section else 0
        self.project.problems.append(f"{self._source}:{number}: {problem}" if number else f"{self._source}: {problem}")

    def report_unbuilt(self, what: str, section: str, value: str) -> None:
        """Notes that something is not written there."""
        self.report(f"{what} {UNBUILT}", section, value)
        self.project.hint = HINT

    def wanted(self, texts: object, section: str, key: str, origin: str, *, quoted: bool = True) -> list[Wanted]:
        """Reads a list of requirements; reports what is none."""
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            self.report(f"{key} is not a list of texts", section, key)
            return []
        reader = WantedReader(self._source, self._place, None, origin=origin)
        for text in texts:
            reader.take_specifier(text, self._line_of(text, section, quoted=quoted))
        self.project.problems.extend(reader.problems)
        return [item for item in reader.items if isinstance(item, Wanted)]

    def _line_of(self, text: str, section: str, *, quoted: bool) -> int:
        if not quoted:
            return self.line(section, text)
        return self.line(section, f'"{text}"') or self.line(section, f"'{text}'")

    def set_python(self, value: object, section: str, key: str) -> None:
        """Takes the bound on Python."""
        try:
            specifier = SpecifierSet(str(value))
        except ValueError:
            self.report(f'invalid {key} "{value}"', section, key)
            return
        number = self.line(section, key)
        where = f"{self._source}:{number}" if number else self._source
        self.project.python = PythonBound(specifier=specifier, where=where)

    def origin(self, group: str = "") -> str:
        """Returns what an annotation says: `name (pyproject.toml)`."""
        inside = f"({self._shown}:{group})" if group else f"({self._shown})"
        return f"{self.project.name} {inside}" if self.project.name else inside
