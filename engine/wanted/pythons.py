"""What projects say about Python, and the one Python that is resolved for.  PURE.

A range of Pythons is for `engine.solving.everywhere`.

Source: core metadata, "Requires-Python"; PEP 751, `requires-python`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from engine.errors import NoResolution

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.wanted.model import PythonBound

#: Minor versions that a hint may name.
_MINORS = range(50)


def check_python(bounds: Iterable[PythonBound], python: str) -> None:
    """Looks whether the projects are for a Python.

    Args:
        bounds: what they say.
        python: its full version.

    Raises:
        NoResolution: when one of them is not.
    """
    bounds, python = tuple(bounds), python.removesuffix("+")
    for bound in bounds:
        if not bound.specifier.contains(python, prereleases=True):
            raise NoResolution(
                f"{bound.where}: the project is for Python {bound.specifier}, and what it needs was to be found for "
                f"{python}",
                hint=_other_python(bounds, python),
            )


def pythons_from(bounds: Iterable[PythonBound], python: str) -> SpecifierSet:
    """Returns the Pythons that an answer for one of them is for: from it on, as far as the projects are.

    Args:
        bounds: what the projects say.
        python: its full version.
    """
    clauses = {str(clause) for bound in bounds for clause in bound.specifier if not clause.operator.startswith(">")}
    return SpecifierSet(",".join((f">={python.removesuffix('+')}", *sorted(clauses))))


def _other_python(bounds: Iterable[PythonBound], python: str) -> str:
    both = SpecifierSet(",".join(str(bound.specifier) for bound in bounds))
    minor = int(python.split(".")[1])
    for other in sorted(_MINORS, key=lambda number: abs(number - minor)):
        if both.contains(f"3.{other}"):
            return f"--python-version 3.{other} resolves for one that it is for"
    return "--python-version names another one"
