"""Universal answers, restricted to one environment after the other; and which forks there are, case by case."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resolver import ResolutionFailed, Strategy
from resolver.markers import POSSIBLE, from_python, read_marker, write_marker
from resolver.universal import ForkStrategy, Preference, UniversalProblem, UniversalResolution, UniversalResolver
from tests.support.exhaustive import ENVIRONMENTS, Small, conditional_universes, solutions, wanted_names
from tests.support.universes import Facts, Universe, drive, problem

ASSUMED = POSSIBLE & from_python(">=3.8")


def universal(
    requirements: list[str],
    *,
    constraints: tuple[str, ...] = (),
    overrides: tuple[str, ...] = (),
    strategy: ForkStrategy = ForkStrategy.REQUIRES_PYTHON,
    python: str = ">=3.8",
    preferences: tuple[Preference, ...] = (),
    order: Strategy = Strategy.HIGHEST,
) -> UniversalProblem:
    return UniversalProblem(
        problem=problem(requirements, constraints=constraints, overrides=overrides, strategy=order),
        environments=POSSIBLE & from_python(python),
        python=python,
        preferences=preferences,
        strategy=strategy,
    )


def resolve(case: UniversalProblem, universe: Universe, chance: random.Random | None = None) -> UniversalResolution:
    return drive(UniversalResolver(case), universe, chance=chance)[0]


def written(resolution: UniversalResolution) -> list[str]:
    """Returns one line for each pin, as a file has it."""
    found = []
    for pin in resolution.pins:
        marker = write_marker(pin.where, ASSUMED)
        found.append(f"{pin.name}=={pin.version}" + (f" ; {marker}".replace('"', "'") if marker else ""))
    return found


def restricted(resolution: UniversalResolution, environment: dict[str, str]) -> list[tuple[str, str]]:
    """Returns names and versions of what the written markers leave in an environment."""
    found = []
    for pin in resolution.pins:
        marker = write_marker(pin.where, ASSUMED)
        if marker is None or marker.evaluate(environment):
            found.append((str(pin.name), str(pin.version)))
    return found


@settings(max_examples=200, deadline=None)
@given(conditional_universes(), st.sampled_from(ForkStrategy))
def test_answer_is_one_for_each_environment_with_nothing_that_nobody_wants(
    drawn: tuple[Small, list[str]], strategy: ForkStrategy
) -> None:
    universe, requirements = drawn
    try:
        resolution = resolve(universal(requirements, strategy=strategy), universe)
    except ResolutionFailed:
        return
    for environment in ENVIRONMENTS:
        left = restricted(resolution, environment)
        chosen = dict(left)
        assert len(chosen) == len(left), "one project has one version"
        assert wanted_names(universe, requirements, chosen, environment) == set(chosen)


@settings(max_examples=150, deadline=None)
@given(conditional_universes(), st.sampled_from(ForkStrategy))
def test_there_is_an_answer_exactly_where_every_environment_has_one(
    drawn: tuple[Small, list[str]], strategy: ForkStrategy
) -> None:
    universe, requirements = drawn
    possible = all(solutions(universe, requirements, environment) for environment in ENVIRONMENTS)
    try:
        resolve(universal(requirements, strategy=strategy), universe)
    except ResolutionFailed:
        assert not possible
    else:
        assert possible


@settings(max_examples=75, deadline=None)
@given(conditional_universes(), st.integers(0, 2**32))
def test_answer_does_not_depend_on_order_and_delay_of_answers(drawn: tuple[Small, list[str]], seed: int) -> None:
    universe, requirements = drawn

    def attempt(chance: random.Random | None) -> tuple[list[str], ...] | str:
        try:
            resolution = resolve(universal(requirements), universe, chance)
        except ResolutionFailed as exc:
            return str(exc)
        return written(resolution), [str(write_marker(fork, POSSIBLE)) for fork in resolution.forks]

    assert attempt(None) == attempt(random.Random(seed))


PLAIN: Universe = {"a": {"1": (), "2": ()}, "b": {"1": ()}}
PYTHONS: Universe = {
    "a": {
        "1": Facts(requires_python=">=3.7,<3.12"),
        "2": Facts(("b",), requires_python=">=3.9"),
        "3": Facts(("b",), requires_python=">=3.10"),
    },
    "b": {"1": (), "2": Facts(requires_python=">=3.10")},
}
LINES: Universe = {
    "a": {"1": ["b<2; python_version < '3.9'", "b; python_version >= '3.9'", "c; os_name == 'nt'"]},
    "b": {"1": (), "2": ()},
    "c": {"1": ["d; python_version < '3.10'"]},
    "d": {"1": ["c"]},
}
EXTRAS: Universe = {
    "a": {"1": Facts(("b; extra == 'x'", "c; extra == 'y' and os_name == 'nt'"))},
    "b": {"1": ()},
    "c": {"1": ()},
}
APART: Universe = {
    "a": {"1": ["c<2; os_name == 'nt'"]},
    "b": {"1": ["c>=2; os_name != 'nt'"]},
    "c": {"1": (), "2": ()},
}


@pytest.mark.parametrize(
    ("requirements", "universe", "lines"),
    [
        (["a", "b; python_version < '3'"], PLAIN, ["a==2"]),
        (["a", "b; os_name == 'nt'"], PLAIN, ["a==2", "b==1 ; os_name == 'nt'"]),
        (
            ["a<2; os_name == 'nt'", "a>1; os_name != 'nt'"],
            PLAIN,
            ["a==1 ; os_name == 'nt'", "a==2 ; os_name != 'nt'"],
        ),
        (
            ["a"],
            PYTHONS,
            [
                "a==1 ; python_version < '3.9'",
                "a==2 ; python_version == '3.9'",
                "a==3 ; python_version >= '3.10'",
                "b==1 ; python_version == '3.9'",
                "b==2 ; python_version >= '3.10'",
            ],
        ),
        (
            ["a"],
            LINES,
            [
                "a==1",
                "b==1 ; python_version < '3.9'",
                "b==2 ; python_version >= '3.9'",
                "c==1 ; os_name == 'nt'",
                "d==1 ; os_name == 'nt' and python_version < '3.10'",
            ],
        ),
        (
            ["a", "a[x]; python_version < '3.9'", "a[y]; python_version >= '3.10'"],
            EXTRAS,
            ["a==1", "b==1 ; python_version < '3.9'", "c==1 ; os_name == 'nt' and python_version >= '3.10'"],
        ),
        (["a", "b"], APART, ["a==1", "b==1", "c==1 ; os_name == 'nt'", "c==2 ; os_name != 'nt'"]),
        (["a<2; os_name == 'nt'", "a; os_name != 'nt'"], PLAIN, ["a==1"]),
        (["a; os_name == 'nt'", "a<2; os_name != 'nt'"], PLAIN, ["a==1"]),
        (
            ["b; 'x' in extras", "a; 'y' in dependency_groups"],
            PLAIN,
            ["a==2 ; 'y' in dependency_groups", "b==1 ; 'x' in extras"],
        ),
    ],
)
def test_entries_have_the_markers_under_which_they_are_wanted(
    requirements: list[str], universe: Universe, lines: list[str]
) -> None:
    assert written(resolve(universal(requirements), universe)) == lines


def test_fewest_takes_an_older_version_that_is_for_all_pythons() -> None:
    assert written(resolve(universal(["a"], strategy=ForkStrategy.FEWEST), PYTHONS)) == ["a==1"]


def test_constraints_and_overrides_hold_where_their_markers_do() -> None:
    constrained = universal(["a"], constraints=("a<2; os_name == 'nt'", "a!=1; os_name != 'nt'", "b<1"))
    assert written(resolve(constrained, PLAIN)) == ["a==1 ; os_name == 'nt'", "a==2 ; os_name != 'nt'"]
    overridden = universal(["a>3"], overrides=("a<2; os_name == 'nt'", "a>1; os_name != 'nt'"))
    assert written(resolve(overridden, PLAIN)) == ["a==1 ; os_name == 'nt'", "a==2 ; os_name != 'nt'"]


def test_a_fork_takes_what_an_earlier_one_chose_where_it_fits() -> None:
    universe: Universe = {
        "a": {"1": ["b<2; python_version >= '3.9'", "c>=1"], "2": Facts(("b<2", "c"), requires_python=">=3.9")},
        "b": {"1": (), "2": ()},
        "c": {"1": (), "2": ()},
    }
    lines = written(resolve(universal(["a", "b"]), universe))
    assert lines == ["a==1 ; python_version < '3.9'", "a==2 ; python_version >= '3.9'", "b==1", "c==2"]


def test_what_one_part_cannot_have_does_not_make_the_other_older() -> None:
    universe: Universe = {
        "a": {"1": (), "2": ["b; python_version < '3.12'", "b>=2; python_version >= '3.12'"]},
        "b": {"1": (), "2": ()},
    }
    lines = written(resolve(universal(["b<2", "a"]), universe))
    assert lines == ["a==1 ; python_version >= '3.12'", "a==2 ; python_version < '3.12'", "b==1"]
    assert written(resolve(universal(["b<2", "a"], strategy=ForkStrategy.FEWEST), universe)) == lines


def test_fewest_gives_newer_pythons_what_older_ones_have() -> None:
    universe: Universe = {"a": {"1": (), "2": Facts(requires_python=">=3.10")}, "b": {"1": (), "2": ()}}
    wanted = ["b<2; python_version < '3.10'", "b; python_version >= '3.10'", "a"]
    assert written(resolve(universal(wanted), universe))[:2] == [
        "a==1 ; python_version < '3.10'",
        "a==2 ; python_version >= '3.10'",
    ]
    assert written(resolve(universal(wanted, strategy=ForkStrategy.FEWEST), universe)) == ["a==1", "b==1"]


def test_what_an_earlier_answer_says_is_kept_where_it_was_chosen() -> None:
    preferences = tuple(
        Preference(name, version, read_marker(marker))
        for name, version, marker in (
            (pin.name, pin.version, write_marker(pin.where, ASSUMED))
            for pin in resolve(universal(["a<2; os_name == 'nt'", "a>1; os_name != 'nt'", "b"]), PLAIN).pins
        )
    )
    grown: Universe = {"a": {"1": (), "1.5": (), "2": (), "3": ()}, "b": {"1": (), "2": ()}}
    kept = universal(["a<2; os_name == 'nt'", "a>1; os_name != 'nt'", "b"], preferences=preferences)
    assert written(resolve(kept, grown)) == ["a==1 ; os_name == 'nt'", "a==2 ; os_name != 'nt'", "b==1"]


def test_a_failure_tells_where() -> None:
    with pytest.raises(ResolutionFailed, match=r"cannot be installed, where os_name == .nt.") as caught:
        resolve(universal(["b", "a>5; os_name == 'nt'"]), PLAIN)
    assert "no version of a matches a>5: it has 1 to 2" in caught.value.facts
    old: Universe = {"a": {"1": Facts(requires_python=">=3.9")}}
    with pytest.raises(ResolutionFailed, match=r"where python_version < .3\.9.") as caught:
        resolve(universal(["a"]), old)
    assert "needs Python >=3.9, and the answer is for Python >=3.8" in str(caught.value)


def test_urls_count_where_they_are_named() -> None:
    at = "https://example.com/a"
    universe: Universe = {at: {"7": ()}, "a": {"1": ()}, "b": {"1": ["a"]}}
    lines = written(resolve(universal(["b", f"a @ {at} ; os_name == 'nt'"]), universe))
    assert lines == ["a==1 ; os_name != 'nt'", "a==7 ; os_name == 'nt'", "b==1"]
