"""The values of versions in markers: from comparisons to intervals, and back to comparisons.

Rules: python_version is the first two numbers of python_full_version, pre-releases included, so
`python_version < '3.9'` ends before the first pre-release of 3.9; only 3.9.0 has pre-releases,
not 3.9.1 (none had since 3.8); versions of interpreters have no post-releases, and what is
local about them does not count.

Source: PEP 440, "Version specifiers"; PEP 508, "Environment Markers".
"""

from functools import lru_cache

from packaging.markers import Marker, UndefinedComparison
from packaging.specifiers import Specifier, SpecifierSet
from packaging.version import Version

from resolver.markers.diagram import EVERYWHERE, NOWHERE, Cut, Environments, node
from resolver.markers.variables import Variable

PYTHON = Variable.named("python_full_version")
#: Pythons that have been, and some to come.
_MINORS = {*((2, minor) for minor in range(8)), *((3, minor) for minor in range(41)), (4, 0)}


def between(variable: Variable, low: Cut | None, high: Cut | None) -> Environments:
    """Returns the environments in which a version lies between two cuts; None for no bound."""
    if low is None:
        return EVERYWHERE if high is None else node(variable, (high,), (EVERYWHERE, NOWHERE))
    if high is None:
        return node(variable, (low,), (NOWHERE, EVERYWHERE))
    return node(variable, (low, high), (NOWHERE, EVERYWHERE, NOWHERE)) if low < high else NOWHERE


def minor_cut(major: int, minor: int) -> Cut:
    """Returns the cut before all versions of a Python such as 3.9."""
    return Version(f"{major}.{minor}.dev0"), 0


def compared(variable: Variable, operator: str, text: str, *, is_reversed: bool) -> Environments | None:
    """Returns the environments in which a comparison of a whole version holds; None where it cannot be told.

    Args:
        variable: one with versions for values.
        operator: of PEP 508.
        text: the literal.
        is_reversed: the literal stands on the left.
    """
    try:
        Specifier(f"{operator}{text}")
        Version(text.removesuffix(".*") if operator != "===" else "0")
    except ValueError:
        return None
    if is_reversed:
        return _reversed(variable, operator, text)
    if text.endswith(".*"):
        inside = _prefix(variable, Version(text[:-2]))
        return inside if operator == "==" else ~inside
    version = Version(text) if operator != "===" else None
    if version is None or version.is_postrelease or version.local:
        return None
    before, after = (version, 0), (version, 1)
    first = before if version.is_prerelease else _start_of(version)
    match operator:
        case "<":
            return between(variable, None, first)
        case "<=":
            return between(variable, None, after)
        case ">":
            return between(variable, after, None)
        case ">=":
            return between(variable, before, None)
        case "~=":
            release = version.release[:-1]
            return between(variable, before, None) & _prefix(variable, Version(_text(version.epoch, release)))
    exactly = between(variable, before, after)
    return exactly if operator == "==" else ~exactly


def _reversed(variable: Variable, operator: str, text: str) -> Environments | None:
    """Returns where a literal on the left is in some relation to the version, as a specifier made of that version."""
    try:
        version = Version(text)
    except ValueError:
        return None
    if version.is_prerelease or version.is_postrelease or version.local:
        return None
    before, after = (version, 0), (version, 1)
    match operator:
        case "<":
            return between(variable, after, None)
        case "<=":
            return between(variable, before, None)
        case ">":
            return between(variable, None, before)
        case ">=":
            return between(variable, None, after)
        case "==":
            return between(variable, before, after)
        case "!=":
            return ~between(variable, before, after)
    return None


def compared_minor(operator: str, text: str, *, is_reversed: bool) -> Environments | None:
    """Returns the environments in which a comparison of python_version holds; None where it cannot be told."""
    try:
        version = Version(text.removesuffix(".*"))
        Specifier(f"{operator}{text}")
        major, minor = (*version.release, 0)[:2]
        minors = {(major, 0), (major + 1, 0), (major, minor), (major, minor + 1)}
    except ValueError:
        minors = _MINORS  # they are compared as texts
    cuts = sorted(minor_cut(*pair) for pair in minors)
    sides = (f"{text!r}", "python_version") if is_reversed else ("python_version", f"{text!r}")
    marker = Marker(f"{sides[0]} {operator} {sides[1]}")
    try:
        # The first Python of each interval stands for all of it; 0.0 is before any.
        samples = ["0.0", *(_minor_text(cut) for cut in cuts)]
        holds = [marker.evaluate({"python_version": sample}) for sample in samples]
    except UndefinedComparison:
        return None
    return node(PYTHON, tuple(cuts), tuple(EVERYWHERE if one else NOWHERE for one in holds))


@lru_cache(maxsize=4096)
def from_python(specifier: str) -> Environments:
    """Returns the environments with the oldest Python that a Requires-Python allows, or a newer one.

    Upper bounds, and holes above the oldest, do not count: they tell what was not tried yet, and leave out all that
    comes later.  A pre-release of Python counts as its release; what is no specifier allows everything, as with pip.
    """
    try:
        parts = list(SpecifierSet(specifier))
        lower = [
            (part.operator, Version(part.version.removesuffix(".*")))
            for part in parts
            if part.operator in (">=", ">", "~=", "==")
        ]
    except ValueError:
        return EVERYWHERE
    lowest: Cut | None = None
    for operator, version in lower:
        cut = (version, 1) if operator == ">" else _start_of(version)
        lowest = cut if lowest is None else max(lowest, cut)
    holes = {part.version for part in parts if part.operator == "!="}
    return between(PYTHON, None if lowest is None else _above_holes(lowest, holes), None)


def _above_holes(cut: Cut, holes: set[str]) -> Cut:
    """Returns the cut above those holes that a range begins with, such as those of `>=3.9,!=3.9.0,!=3.9.1`."""
    major, minor, micro = (*cut[0].release, 0, 0)[:3]
    while f"{major}.{minor}.*" in holes:
        minor, micro = minor + 1, 0
        cut = minor_cut(major, minor)
    while {f"{major}.{minor}.{micro}", *([f"{major}.{minor}"] if micro == 0 else [])} & holes:
        cut = Version(f"{major}.{minor}.{micro}"), 1
        micro += 1
    return cut


def python_environments(specifiers: SpecifierSet) -> Environments:
    """Returns the environments with a Python that is in a range."""
    found = EVERYWHERE
    for part in specifiers:
        allowed = compared(PYTHON, part.operator, part.version, is_reversed=False)
        found &= EVERYWHERE if allowed is None else allowed
    return found


def floor_of(environments: Environments) -> Cut:
    """Returns the cut below the oldest Python of a set; an early one where there is none."""
    lowest = (Version("0.dev0"), 0)
    while environments.variable < PYTHON:
        environments = environments.children[-1]
    if environments.variable != PYTHON or environments.children[0]:
        return lowest
    at = next(at for at, child in enumerate(environments.children) if child)
    key = environments.keys[at - 1]
    assert not isinstance(key, str)
    return key


def words_of(variable: Variable, low: Cut | None, high: Cut | None) -> list[str]:
    """Returns the comparisons that say that a version lies between two cuts."""
    if low is not None and high is not None:
        if low == (high[0], 0) and high[1]:
            return [f"{variable.name} == '{low[0]}'"]
        major, minor = (*low[0].release, 0)[:2]
        if variable == PYTHON and _is_minor(low) and high == minor_cut(major, minor + 1):
            return [f"python_version == '{_minor_text(low)}'"]
    return [
        *([] if low is None else [_above(variable, low)]),
        *([] if high is None else [_below(variable, high)]),
    ]


def _above(variable: Variable, cut: Cut) -> str:
    if variable == PYTHON and _is_minor(cut):
        return f"python_version >= '{_minor_text(cut)}'"
    return f"{variable.name} {'>' if cut[1] else '>='} '{cut[0]}'"


def _below(variable: Variable, cut: Cut) -> str:
    if variable == PYTHON and _is_minor(cut):
        return f"python_version < '{_minor_text(cut)}'"
    version, after = cut
    if after:
        return f"{variable.name} <= '{version}'"
    if version.dev == 0 and version.pre is None:
        return f"{variable.name} < '{version.base_version}'"
    if version.is_prerelease or any(version.release[2:]):
        return f"{variable.name} < '{version}'"
    # `<` would leave out the pre-releases of the version too.
    return f"'{version}' > {variable.name}"


def _is_minor(cut: Cut) -> bool:
    version, after = cut
    first = version.dev == 0 and version.pre is None and not after
    return first and not any(version.release[2:])


def _minor_text(cut: Cut) -> str:
    return _text(0, (*cut[0].release, 0)[:2])


def _prefix(variable: Variable, version: Version) -> Environments:
    release = version.release
    above = Version(f"{_text(version.epoch, (*release[:-1], release[-1] + 1))}.dev0")
    return between(variable, _start_of(version), (above, 0))


def _start_of(version: Version) -> Cut:
    """Returns the cut before the first of all pre-releases of a version."""
    text = _text(version.epoch, version.release)
    return (Version(text), 0) if any(version.release[2:]) else (Version(f"{text}.dev0"), 0)


def _text(epoch: int, release: tuple[int, ...]) -> str:
    return (f"{epoch}!" if epoch else "") + ".".join(map(str, release))
