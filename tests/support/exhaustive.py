"""All answers of a small universe, found by trying every combination; and such universes for hypothesis.

It shares nothing with the resolver but the parsing of requirements.
"""

import itertools
from collections.abc import Mapping, Sequence

from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from tests.support.universes import MARKERS, Facts, Universe

NAMES = "abcde"
TEXTS = ("1", "2", "3", "4")
EXTRAS = ("x", "y")
CONDITIONS = (
    *("python_version < '3.9'", "python_version >= '3.9'", "python_version >= '3.10'"),
    *("sys_platform == 'win32'", "sys_platform != 'win32'", "sys_platform == 'linux'", "os_name == 'nt'"),
)
#: One environment for each combination of truths that these can have.
ENVIRONMENTS = tuple(
    {
        **MARKERS,
        **dict(zip(("sys_platform", "os_name", "platform_system"), platform, strict=True)),
        "python_version": python,
        "python_full_version": f"{python}.1",
    }
    for platform in (
        *(("linux", "posix", "Linux"), ("win32", "nt", "Windows"), ("darwin", "posix", "Darwin")),
        ("cli", "nt", "Windows"),  # IronPython
    )
    for python in ("3.8", "3.9", "3.10")
)

Small = dict[str, dict[str, Facts]]
Solution = dict[str, str]


@st.composite
def lines(draw: st.DrawFn, names: Sequence[str], *, with_markers: bool) -> str:
    """Draws a requirement on one of the names."""
    extras = draw(st.sampled_from(["", "", "", "[x]", "[y]", "[x,y]"]))
    operator = draw(st.sampled_from(["", "", ">=", "<=", "==", "!=", "<", ">"]))
    bound = operator + draw(st.sampled_from(TEXTS)) if operator else ""
    marker = draw(st.sampled_from(["", "", "; extra == 'x'", "; extra == 'y'"])) if with_markers else ""
    return f"{draw(st.sampled_from(names))}{extras}{bound}{marker}"


@st.composite
def universes(draw: st.DrawFn) -> tuple[Small, list[str]]:
    """Draws a universe and the requirements to resolve in it."""
    names = NAMES[: draw(st.integers(2, len(NAMES)))]
    universe: Small = {}
    for name in names:
        texts = draw(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=4, unique=True))
        universe[name] = {
            text: Facts(tuple(draw(st.lists(lines(names, with_markers=True), max_size=3))), extras=EXTRAS)
            for text in texts
        }
    return universe, draw(st.lists(lines(names, with_markers=False), min_size=1, max_size=4))


@st.composite
def conditional_universes(draw: st.DrawFn) -> tuple[Small, list[str]]:
    """Draws a universe with requirements for some environments, Pythons that releases need, and what to resolve."""
    names = NAMES[: draw(st.integers(2, 4))]
    conditions = st.sampled_from(["", "", *CONDITIONS])

    def line(*, with_extras: bool) -> str:
        text = draw(lines(names, with_markers=with_extras))
        condition = draw(conditions)
        return text + (f" {'and' if ';' in text else ';'} {condition}" if condition else "")

    universe: Small = {}
    for name in names:
        texts = draw(st.lists(st.sampled_from(TEXTS[:3]), min_size=1, max_size=3, unique=True))
        universe[name] = {
            text: Facts(
                tuple(line(with_extras=True) for _ in range(draw(st.integers(0, 2)))),
                extras=EXTRAS,
                requires_python=draw(st.sampled_from([None, None, None, ">=3.9", ">=3.10"])),
            )
            for text in texts
        }
    return universe, [line(with_extras=False) for _ in range(draw(st.integers(1, 3)))]


def solutions(universe: Universe, requirements: Sequence[str], markers: Mapping[str, str] = MARKERS) -> list[Solution]:
    """Returns every set of versions that meets the requirements and has nothing that nobody wants."""
    names = sorted(universe)
    found = []
    for texts in itertools.product(*([None, *universe[name]] for name in names)):
        chosen = {name: text for name, text in zip(names, texts, strict=True) if text is not None}
        if wanted_names(universe, requirements, chosen, markers) == set(chosen):
            found.append(chosen)
    return found


def wanted_names(
    universe: Universe, requirements: Sequence[str], chosen: Solution, markers: Mapping[str, str] = MARKERS
) -> set[str] | None:
    """Returns the names that are reached, None if a requirement or a Requires-Python is not met."""
    direct = [Requirement(line) for line in requirements]
    queue = [one for one in direct if one.marker is None or one.marker.evaluate({**markers, "extra": ""})]
    seen: set[tuple[str, str]] = set()
    for requirement in queue:
        text = chosen.get(requirement.name)
        if text is None or not requirement.specifier.contains(text):
            return None
        for extra in {"", *requirement.extras} - {extra for name, extra in seen if name == requirement.name}:
            seen.add((requirement.name, extra))
            facts = universe[requirement.name][text]
            assert isinstance(facts, Facts)
            python = facts.requires_python
            if python and not SpecifierSet(python).contains(markers["python_full_version"], prereleases=True):
                return None
            for line in map(Requirement, facts.requires):
                if line.marker is None or line.marker.evaluate({**markers, "extra": extra}):
                    queue.append(line)
    return {name for name, _ in seen}
