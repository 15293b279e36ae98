"""All answers of a small universe, found by trying every combination; and such universes for hypothesis.

It shares nothing with the resolver but the parsing of requirements.
"""

import itertools
from collections.abc import Sequence

from hypothesis import strategies as st
from packaging.requirements import Requirement

from tests.support.universes import MARKERS, Facts, Universe

NAMES = "abcde"
TEXTS = ("1", "2", "3", "4")
EXTRAS = ("x", "y")

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


def solutions(universe: Universe, requirements: Sequence[str]) -> list[Solution]:
    """Returns every set of versions that meets the requirements and has nothing that nobody wants."""
    names = sorted(universe)
    found = []
    for texts in itertools.product(*([None, *universe[name]] for name in names)):
        chosen = {name: text for name, text in zip(names, texts, strict=True) if text is not None}
        if _wanted_names(universe, requirements, chosen) == set(chosen):
            found.append(chosen)
    return found


def _wanted_names(universe: Universe, requirements: Sequence[str], chosen: Solution) -> set[str] | None:
    """Returns the names that are reached, None if a requirement is not met."""
    queue = [Requirement(line) for line in requirements]
    seen: set[tuple[str, str]] = set()
    for requirement in queue:
        text = chosen.get(requirement.name)
        if text is None or not requirement.specifier.contains(text):
            return None
        for extra in {"", *requirement.extras} - {extra for name, extra in seen if name == requirement.name}:
            seen.add((requirement.name, extra))
            facts = universe[requirement.name][text]
            assert isinstance(facts, Facts)
            for line in map(Requirement, facts.requires):
                if line.marker is None or line.marker.evaluate({**MARKERS, "extra": extra}):
                    queue.append(line)
    return {name for name, _ in seen}
