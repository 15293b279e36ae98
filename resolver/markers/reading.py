"""From a marker to the set of environments that it is true in.

Source: PEP 508, "Environment Markers"; PEP 685 for names of extras.
"""

import re
from functools import lru_cache

from packaging.markers import Marker
from packaging.utils import canonicalize_name

from resolver.markers.diagram import EVERYWHERE, NOWHERE, Environments, node
from resolver.markers.variables import SETS, VERSIONS, Variable
from resolver.markers.versions import compared, compared_minor

_TOKEN = re.compile(r"""\s*(?:([()])|(and|or)\b|"([^"]*)"|'([^']*)'|(not\s+in|in\b|[<>=!~]{1,3})|([a-z_]+))""")
#: Systems that are one platform: both variables say the same, and one of them is enough, as uv has it.
SYSTEMS = {"Windows": "win32", "Linux": "linux", "Darwin": "darwin"}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_OPPOSITES = {"!=": "==", "not in": "in"}


class UnreadableMarker(ValueError):
    """A marker compares what cannot be compared; the text says what."""


@lru_cache(maxsize=1 << 14)
def read_marker(marker: Marker | None) -> Environments:
    """Returns the environments in which a marker is true; all of them for None.

    Raises:
        UnreadableMarker: it compares what cannot be compared, such as `os_name ~= 'posix'`.
        MarkerTooComplex: the set needs too large a diagram.
    """
    return EVERYWHERE if marker is None else _Words(str(marker)).either()


class _Words:
    """The words of a marker, from left to right."""

    def __init__(self, text: str) -> None:
        self._words = [match.groups() for match in _TOKEN.finditer(text)]
        self._at = 0

    def either(self) -> Environments:
        """Reads `a or b`."""
        found = self._every()
        while self._takes("or"):
            found |= self._every()
        return found

    def _every(self) -> Environments:
        found = self._one()
        while self._takes("and"):
            found &= self._one()
        return found

    def _one(self) -> Environments:
        if self._words[self._at][0] == "(":
            self._at += 1
            found = self.either()
            self._at += 1
            return found
        left, middle, right = self._words[self._at : self._at + 3]
        self._at += 3
        operator = " ".join((middle[4] or "").split())
        if left[5] is not None:
            return comparison(left[5], operator, _literal(right), is_reversed=False)
        return comparison(right[5] or "", operator, _literal(left), is_reversed=True)

    def _takes(self, word: str) -> bool:
        if self._at < len(self._words) and self._words[self._at][1] == word:
            self._at += 1
            return True
        return False


def _literal(word: tuple[str | None, ...]) -> str:
    return word[2] if word[2] is not None else word[3] or ""


def comparison(name: str, operator: str, literal: str, *, is_reversed: bool) -> Environments:
    """Returns the environments in which one comparison holds.

    Args:
        name: of the variable.
        operator: as it stands there.
        literal: the text that the variable is compared with.
        is_reversed: it stands on the left.

    Raises:
        UnreadableMarker: the two cannot be compared so.
    """
    found: Environments | None
    if not name:
        raise UnreadableMarker(f'it compares the text "{literal}" with another one')
    if name == "python_version":
        found = compared_minor(operator, literal, is_reversed=is_reversed)
        if found is None:
            raise UnreadableMarker(_told(name, operator, literal, is_reversed=is_reversed))
        return found
    if name in VERSIONS:
        found = compared(Variable.named(name), operator, literal, is_reversed=is_reversed)
        if found is not None:
            return found
    if name == "platform_system" and literal in SYSTEMS and operator in ("==", "!="):
        return _of_text("sys_platform", operator, SYSTEMS[literal], is_reversed=is_reversed)
    if name == "extra":
        literal = canonicalize_name(literal)
    if name in SETS:
        return _of_set(name, operator, literal, is_reversed=is_reversed)
    return _of_text(name, operator, literal, is_reversed=is_reversed)


def _of_set(name: str, operator: str, literal: str, *, is_reversed: bool) -> Environments:
    if operator not in ("in", "not in") or not is_reversed:
        raise UnreadableMarker(_told(name, operator, literal, is_reversed=is_reversed))
    found = _atom(name, "in", canonicalize_name(literal), is_reversed=True)
    return found if operator == "in" else ~found


def _of_text(name: str, operator: str, literal: str, *, is_reversed: bool) -> Environments:
    opposite = _OPPOSITES.get(operator)
    if opposite is not None:
        return ~_of_text(name, opposite, literal, is_reversed=is_reversed)
    if operator == "in":
        return _atom(name, operator, literal, is_reversed=is_reversed)
    if operator not in ("==", "<", "<=", ">", ">="):
        raise UnreadableMarker(_told(name, operator, literal, is_reversed=is_reversed))
    if name == "platform_release" or name in VERSIONS:
        # Texts or versions, which cannot be told before the value is known.
        return _atom(name, _MIRRORED.get(operator, operator) if is_reversed else operator, literal, is_reversed=False)
    if operator in ("<", ">"):
        return NOWHERE  # "there is no defined ordering" of texts
    return node(Variable.named(name), (literal,), (EVERYWHERE, NOWHERE))


def _atom(name: str, operator: str, literal: str, *, is_reversed: bool) -> Environments:
    variable = Variable(Variable.named(name).rank, operator, literal, is_reversed)
    return node(variable, ("true",), (EVERYWHERE, NOWHERE))


def _told(name: str, operator: str, literal: str, *, is_reversed: bool) -> str:
    left, right = (repr(literal), name) if is_reversed else (name, repr(literal))
    return f"{left} {operator} {right} cannot be told"
