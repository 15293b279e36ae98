"""What the resolver answers: against all answers of small universes, and case by case."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.utils import canonicalize_name
from packaging.version import Version

from resolver import (
    Dependencies,
    Listing,
    Metadata,
    Obstacle,
    Prereleases,
    Problem,
    Release,
    ResolutionFailed,
    Resolver,
    Strategy,
    UnexpectedAnswer,
    Unusable,
    Versions,
    Waiting,
)
from tests.support.exhaustive import Small, Solution, solutions, universes
from tests.support.universes import Facts, Universe, drive, pins, problem, run


def attempt(case: Problem, universe: Universe, chance: random.Random | None = None) -> Solution | str:
    """Returns the versions in the order of decision, or the explanation of the failure."""
    try:
        resolution = run(case, universe, chance=chance).resolution
    except ResolutionFailed as exc:
        return str(exc)
    return {pin.name: str(pin.version) for pin in resolution.pins}


@settings(max_examples=150, deadline=None)
@given(universes(), st.sampled_from(Strategy))
def test_answer_is_the_best_of_all_answers_in_the_order_of_decision(
    drawn: tuple[Small, list[str]], strategy: Strategy
) -> None:
    universe, requirements = drawn
    possible = solutions(universe, requirements)
    answer = attempt(problem(requirements, strategy=strategy), universe)
    assert isinstance(answer, str) is not bool(possible)
    if isinstance(answer, str):
        return
    assert answer in possible
    direct = {line[0] for line in requirements}
    for name, text in answer.items():
        texts = [solution[name] for solution in possible if name in solution]
        is_lowest = strategy is Strategy.LOWEST or (strategy is Strategy.LOWEST_DIRECT and name in direct)
        assert text == (min(texts) if is_lowest else max(texts))
        possible = [solution for solution in possible if solution.get(name) == text]


@settings(max_examples=100, deadline=None)
@given(universes(), st.integers(0, 2**32))
def test_answer_does_not_depend_on_order_and_delay_of_answers(drawn: tuple[Small, list[str]], seed: int) -> None:
    universe, requirements = drawn
    case = problem(requirements)
    plain, shuffled = attempt(case, universe), attempt(case, universe, random.Random(seed))
    assert plain == shuffled
    assert isinstance(plain, str) or isinstance(shuffled, str) or list(plain) == list(shuffled)


@settings(max_examples=100, deadline=None)
@given(universes(), st.integers(0, 2**32), st.sets(st.sampled_from("abcdez")))
def test_answer_does_not_depend_on_what_is_expected(
    drawn: tuple[Small, list[str]], seed: int, expected: set[str]
) -> None:
    universe, requirements = drawn
    resolver = Resolver(problem(requirements))
    resolver.expect(map(canonicalize_name, expected))
    found: Solution | str
    try:
        pinned = drive(resolver, universe, chance=random.Random(seed))[0].pins
        found = {pin.name: str(pin.version) for pin in pinned}
    except ResolutionFailed as exc:
        found = str(exc)
    plain = attempt(problem(requirements), universe)
    assert found == plain and list(found) == list(plain)


@settings(max_examples=100, deadline=None)
@given(universes(), st.data())
def test_with_a_requirement_less_what_had_an_answer_has_one(
    drawn: tuple[Small, list[str]], data: st.DataObject
) -> None:
    universe, requirements = drawn
    if isinstance(attempt(problem(requirements), universe), str):
        return
    left = out_of(requirements, data.draw(st.integers(0, len(requirements) - 1)))
    assert not isinstance(attempt(problem(left), universe), str)


def out_of(requirements: list[str], place: int) -> list[str]:
    return [*requirements[:place], *requirements[place + 1 :]]


PLAIN: Universe = {"a": {"1": (), "2": (), "3": ()}, "b": {"1": ["a<3"], "2": ["a<2"]}}
EXTRAS: Universe = {
    "a": {
        "1": ["b; extra == 'x'", "c<2; extra == 'y'", "a[x,y]; extra == 'z'"],
        "2": ["b>1; extra == 'x'", "c; extra == 'y'", "a[x,y]; extra == 'z'"],
    },
    "b": {"1": ()},
    "c": {"1": (), "2": ()},
    "d": {"1": ["a[x]"]},
}
MARKED: Universe = {
    "a": {"1": ["b; python_version < '3.0'", "c; sys_platform == 'linux'", "d; platform_system == 'Windows'"]},
    "b": {"1": ()},
    "c": {"1": ()},
}
EARLY: Universe = {"a": {"1": (), "2rc1": (), "2rc2": ()}, "b": {"1": ["a>=2rc1"]}, "c": {"1rc1": ()}}
YANKED: Universe = {"a": {"1": (), "2": Facts(yanked="broken")}, "b": {"1": ["a==2"]}}
AT = "https://example.com/a"
URLS: Universe = {
    AT: {"1.5": ["b @ https://example.com/b"]},
    "https://example.com/b": {"2": ()},
    "a": {"1": (), "9": ()},
    "b": {"1": (), "9": ()},
    "c": {"1": ["a>1"], "2": ["a>2"]},
    "d": {"1": [f"a @ {AT}"]},
}

CASES: dict[str, tuple[Problem, Universe, Solution]] = {
    "nothing is asked for": (problem([]), PLAIN, {}),
    "highest": (problem(["a"]), PLAIN, {"a": "3"}),
    "names are normalised": (problem(["A"]), PLAIN, {"a": "3"}),
    "first mention is decided first": (problem(["a", "b"]), PLAIN, {"a": "2", "b": "1"}),
    "first mention is decided first, the other way": (problem(["b", "a"]), PLAIN, {"b": "2", "a": "1"}),
    "exact pins are decided first": (problem(["b", "a==2"]), PLAIN, {"a": "2", "b": "1"}),
    "lowest": (problem(["b"], strategy=Strategy.LOWEST), PLAIN, {"b": "1", "a": "1"}),
    "lowest-direct": (problem(["b"], strategy=Strategy.LOWEST_DIRECT), PLAIN, {"b": "1", "a": "2"}),
    "preference": (problem(["a"], preferences={"a": "2"}), PLAIN, {"a": "2"}),
    "preference that does not fit": (problem(["a>2"], preferences={"a": "2"}), PLAIN, {"a": "3"}),
    "preference that is not published": (problem(["a"], preferences={"a": "2.5"}), PLAIN, {"a": "3"}),
    "constraint": (problem(["a"], constraints=["a<3"]), PLAIN, {"a": "2"}),
    "constraint on what is not installed": (problem(["a"], constraints=["b<1", "zzz"]), PLAIN, {"a": "3"}),
    "constraint for another platform": (problem(["a"], constraints=["a<3; os_name == 'nt'"]), PLAIN, {"a": "3"}),
    "override": (problem(["b"], overrides=["a==3"]), PLAIN, {"b": "2", "a": "3"}),
    "override of a requirement": (problem(["a<2"], overrides=["a>2"]), PLAIN, {"a": "3"}),
    "override for another platform": (problem(["b"], overrides=["a; os_name == 'nt'"]), PLAIN, {"b": "2"}),
    "override whatever the marker": (problem(["a"], overrides=["b==1"]), MARKED, {"a": "1", "b": "1", "c": "1"}),
    "exclude": (problem(["b", "a"], excludes=["A"]), PLAIN, {"b": "2"}),
    "markers": (problem(["a", "b; os_name == 'nt'"]), MARKED, {"a": "1", "c": "1"}),
    "extra": (problem(["a[x]"]), EXTRAS, {"a": "1", "b": "1"}),
    "extra in capitals": (problem(["a[X]"]), EXTRAS, {"a": "1", "b": "1"}),
    "no extra": (problem(["a"]), EXTRAS, {"a": "2"}),
    "extra of extras": (problem(["a[z]"]), EXTRAS, {"a": "1", "b": "1", "c": "1"}),
    "extra below": (problem(["a", "d"]), EXTRAS, {"a": "1", "d": "1", "b": "1"}),
    "override of an extra's dependency": (problem(["a"], overrides=["b==1"]), EXTRAS, {"a": "2"}),
    "final before pre-release": (problem(["a"]), EARLY, {"a": "1"}),
    "a pre-release that is named": (problem(["a>=2rc1"]), EARLY, {"a": "2rc2"}),
    "a pre-release that is named, and a final version that fits": (problem(["a>=0rc1"]), EARLY, {"a": "1"}),
    "a pre-release that a constraint names": (problem(["a"], constraints=["a!=2rc2,>1"]), EARLY, {"a": "2rc1"}),
    "pre-release where no final one fits": (problem(["b"]), EARLY, {"b": "1", "a": "2rc2"}),
    "pre-release where there is no final one": (problem(["c"]), EARLY, {"c": "1rc1"}),
    "pre-releases allowed": (problem(["a"], prereleases=Prereleases.ALLOW), EARLY, {"a": "2rc2"}),
    "pre-releases only if necessary": (
        problem(["a>=1rc1"], prereleases=Prereleases.IF_NECESSARY), EARLY, {"a": "1"},
    ),
    "pre-releases explicit": (problem(["a>=2rc1"], prereleases=Prereleases.EXPLICIT), EARLY, {"a": "2rc2"}),
    "pre-releases of one project": (
        problem(["a"], prereleases_package={"A": Prereleases.ALLOW}), EARLY, {"a": "2rc2"},
    ),
    "lowest prefers final versions": (problem(["a"], strategy=Strategy.LOWEST), EARLY, {"a": "1"}),
    "yanked": (problem(["a"]), YANKED, {"a": "1"}),
    "yanked and pinned": (problem(["a==2"]), YANKED, {"a": "2"}),
    "yanked and pinned as text": (problem(["a===2"]), YANKED, {"a": "2"}),
    "yanked and pinned by a constraint": (problem(["a"], constraints=["a==2"]), YANKED, {"a": "2"}),
    "yanked and preferred": (problem(["a"], preferences={"a": "2"}), YANKED, {"a": "2"}),
    "local version is higher": (problem(["a==1"]), {"a": {"1": (), "1+gpu": ()}}, {"a": "1+gpu"}),
    "local version by name": (problem(["a==1+cpu"]), {"a": {"1+cpu": (), "1+gpu": ()}}, {"a": "1+cpu"}),
    "direct URL": (problem([f"a @ {AT}"]), URLS, {"a": "1.5", "b": "2"}),
    "direct URL and bounds": (problem([f"a @ {AT}", "c"]), URLS, {"a": "1.5", "c": "1", "b": "2"}),
    "constraint by URL": (problem(["a"], constraints=[f"a @ {AT}"]), URLS, {"a": "1.5", "b": "2"}),
    "override by URL": (problem(["c"], overrides=[f"a @ {AT}"]), URLS, {"c": "2", "a": "1.5", "b": "2"}),
    "URL below that the user names too": (problem(["d", f"a @ {AT}"]), URLS, {"d": "1", "a": "1.5", "b": "2"}),
    "broken metadata is passed over": (
        problem(["a"]),
        {"a": {"1": (), "2": Facts(broken=Unusable(Obstacle.BUILD_FAILED)), "3": ["in valid"]}},
        {"a": "1"},
    ),
    "Requires-Python in the metadata": (
        problem(["a"]), {"a": {"1": (), "2": Facts(requires_python=">=4")}}, {"a": "1"},
    ),
    "unusable releases are passed over": (
        problem(["a"]), {"a": {"1": (), "2": Facts(unusable=Unusable(Obstacle.NO_FILES))}}, {"a": "1"},
    ),
    "circle": (problem(["a"]), {"a": {"1": ["b"]}, "b": {"1": ["a"]}}, {"a": "1", "b": "1"}),
    "a version that wants another of itself": (problem(["a"]), {"a": {"1": (), "2": ["a<2"]}}, {"a": "1"}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_resolves(name: str) -> None:
    case, universe, expected = CASES[name]
    assert pins(case, universe) == expected


def test_pin_has_the_extras_that_exist_and_the_resolution_warns_of_the_others() -> None:
    universe: Universe = {"a": {"1": Facts(("b; extra == 'x'",), extras=("X",))}, "b": {"1": ()}}
    resolution = run(problem(["a[x,nope]"]), universe).resolution
    assert resolution.pins[0].extras == ("x",)
    assert resolution.warnings == ("a==1 has no extra nope",)
    assert resolution.dependencies == {"a": ("b",), "b": ()}


def test_pin_has_its_url() -> None:
    assert {pin.name: pin.url for pin in run(problem([f"a @ {AT}"]), URLS).resolution.pins} == {
        "a": AT,
        "b": "https://example.com/b",
    }


def test_step_changes_nothing_while_answers_are_missing() -> None:
    resolver = Resolver(problem(["a", "b"]))
    first = resolver.step()
    assert isinstance(first, Waiting)
    assert first.needed == (Versions(canonicalize_name("a")), Versions(canonicalize_name("b")))
    again = resolver.step()
    assert again == Waiting(first.needed, ())


def test_finished_resolution_is_returned_again() -> None:
    resolver = Resolver(problem([]))
    assert resolver.step() is resolver.step()


def test_second_answer_is_ignored() -> None:
    resolver = Resolver(problem(["a"]))
    name = canonicalize_name("a")
    resolver.answer(Versions(name), Listing((Release(Version("1")),)))
    resolver.answer(Versions(name), Listing((Release(Version("2")),)))
    outcome = resolver.step()
    assert isinstance(outcome, Waiting) and outcome.needed == (Dependencies(name, Version("1")),)


def test_answer_of_the_wrong_kind_is_refused() -> None:
    with pytest.raises(UnexpectedAnswer, match="Metadata"):
        Resolver(problem(["a"])).answer(Versions(canonicalize_name("a")), Metadata())


def test_several_releases_behind_one_url_are_refused() -> None:
    releases = tuple(Release(Version(text)) for text in "12")
    with pytest.raises(UnexpectedAnswer, match="one release"):
        Resolver(problem([f"a @ {AT}"])).answer(Versions(canonicalize_name("a"), AT), Listing(releases))


CONTRADICTION: Universe = {"a": {"1": [], "2": ["b<2"]}, "b": {"1": [], "2": []}, "c": {"1": []}}


def answered(requirements: list[str], *texts: str) -> Resolver:
    """Returns a resolver that has been told all versions, and then the metadata of some, and asked what is next."""
    resolver = Resolver(problem(requirements))
    for name, versions in CONTRADICTION.items():
        resolver.answer(Versions(canonicalize_name(name)), Listing(tuple(Release(Version(one)) for one in versions)))
    resolver.step()
    for text in texts:
        name, _, version = text.partition("==")
        wants = CONTRADICTION[name][version]
        assert isinstance(wants, list)
        resolver.answer(Dependencies(canonicalize_name(name), Version(version)), Metadata(tuple(wants)))
    return resolver


@pytest.mark.parametrize(
    ("requirements", "texts", "expected"),
    [
        (["c"], ["c==1"], True),
        (["a", "b"], ["a==2"], True),
        (["a", "b>1"], ["a==2"], False),
        (["a<2", "b"], ["a==2"], False),
        (["a"], [], False),
        (["b"], ["c==1"], False),
    ],
)
def test_a_candidate_fits_while_nothing_speaks_against_it(
    requirements: list[str], texts: list[str], expected: bool
) -> None:
    name, _, version = (texts or ["a==2"])[0].partition("==")
    request = Dependencies(canonicalize_name(name), Version(version))
    assert answered(requirements, *texts).fits(request) is expected


def test_what_is_decided_is_told_while_the_rest_is_open() -> None:
    resolver = answered(["a", "c"], "c==1")
    assert isinstance(resolver.step(), Waiting)
    assert [(pin.name, str(pin.version)) for pin in resolver.decided()] == [("c", "1")]
    resolver.answer(Dependencies(canonicalize_name("a"), Version("2")), Metadata(("b<2",)))
    waiting = resolver.step()
    assert isinstance(waiting, Waiting) and [request.name for request in waiting.needed] == ["b"]
    assert {(pin.name, str(pin.version)) for pin in resolver.decided()} == {("a", "2"), ("c", "1")}
