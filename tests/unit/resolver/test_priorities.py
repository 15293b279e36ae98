"""The order of decisions and the effort that it takes."""

import pytest

from resolver import Dependencies, ResolutionFailed, Resolver, Versions, Waiting
from tests.support.universes import Facts, Universe, asked_versions, problem, reply, run


def chain(count: int, last_old: int) -> Universe:
    """Returns an SDK and its core that release in step; from `last_old` on the core needs a new `low`."""
    return {
        "sdk": {f"1.{number}": [f"core>=1.{number},<1.{number + 3}"] for number in range(count)},
        "core": {f"1.{number}": ["low<2" if number <= last_old else "low>=2"] for number in range(count)},
        "low": {"1": (), "2": ()},
    }


def test_projects_in_step_are_tried_in_few_rounds() -> None:
    done = run(problem(["sdk", "low<2"]), chain(300, 20))
    assert {pin.name: str(pin.version) for pin in done.resolution.pins} == {"sdk": "1.20", "core": "1.20", "low": "1"}
    assert done.steps < 40
    assert done.resolution.effort.conflicts < 40


def test_failure_over_many_versions_takes_few_rounds_too() -> None:
    universe = {**chain(300, -1)}
    with pytest.raises(ResolutionFailed) as caught:
        run(problem(["sdk", "low<2"]), universe)
    assert "core 1.0 to 1.299 depend on low>=2" in caught.value.facts


def test_rejected_project_is_read_in_growing_batches() -> None:
    universe: Universe = {
        "a": {str(number): [f"b=={number}"] if number > 20 else () for number in range(1, 31)},
        "b": {"1": (), **{str(number): ["c>1"] for number in range(21, 31)}},
        "c": {"1": (), "2": ()},
    }
    done = run(problem(["c<2", "a"]), universe)
    assert {pin.name: str(pin.version) for pin in done.resolution.pins} == {"c": "1", "a": "20"}
    assert done.steps < 20


@pytest.mark.parametrize(("cheap", "expected"), [(True, ["9", "8", "7", "6"]), (False, ["9", "8", "7"])])
def test_only_cheap_metadata_is_read_ahead(cheap: bool, expected: list[str]) -> None:
    universe: Universe = {
        "a": {str(number): Facts((f"c>{number - 7}",) if number > 7 else (), cheap=cheap) for number in range(1, 10)},
        "c": {"1": (), "2": ()},
    }
    assert asked_versions(run(problem(["c==1", "a"]), universe).asked, "a") == expected


def told_ahead(universe: Universe, *requirements: str) -> list[list[str]]:
    """Returns the versions of `a` that each step told ahead, where it told any; only what is needed is answered."""
    resolver = Resolver(problem(requirements))
    found: list[list[str]] = []
    while isinstance(outcome := resolver.step(), Waiting):
        found += [asked_versions(outcome.ahead, "a")] if outcome.ahead else []
        for request in outcome.needed:
            resolver.answer(request, reply(universe, request))
    return found


@pytest.mark.parametrize("cheap", [True, False])
def test_what_comes_after_the_next_batch_is_told_ahead_where_it_is_cheap(cheap: bool) -> None:
    universe: Universe = {
        "a": {str(number): Facts((f"c>{number - 7}",) if number > 7 else (), cheap=cheap) for number in range(1, 21)},
        "c": {"1": (), "2": ()},
    }
    told = told_ahead(universe, "c==1", "a")
    if not cheap:
        assert told == []
        return
    # Rejected once and waited for once: four times two times two.
    assert told[0] == [str(number) for number in range(19, 3, -1)]
    assert told[1] == [str(number) for number in range(18, 0, -1)], "all that are left after the second"
    assert all(one == sorted(one, key=int, reverse=True) for one in told)


def test_projects_that_soon_find_a_version_are_asked_ahead_for_no_more_than_some_in_all() -> None:
    """Each of many projects is rejected a few times, and has hundreds of versions that nobody needs."""
    names = [f"a{number}" for number in range(40)]
    versions = {str(number): [f"c>{2 if number > 290 else 0}"] for number in range(1, 301)}
    universe: Universe = {name: versions for name in names} | {"c": {"1": (), "2": ()}}
    done = run(problem(["c==1", *names]), universe, speculate=True)
    assert all(str(pin.version) == "290" for pin in done.resolution.pins if pin.name in names)
    read = {request for request in done.asked if not isinstance(request, Versions)}
    assert len(read) < 1500


def test_who_answers_what_is_told_ahead_waits_a_few_times_for_many_candidates() -> None:
    universe: Universe = {
        "a": {str(number): (f"b=={number}",) if number > 1 else () for number in range(1, 1501)},
        "b": {str(number): ["c>1"] for number in range(1, 1501)},
        "c": {"1": (), "2": ()},
    }
    case = problem(["c<2", "a"])
    patient, quick = run(case, universe), run(case, universe, speculate=True)
    assert quick.resolution.pins == patient.resolution.pins
    assert quick.steps < 25
    assert patient.steps > 60


def test_project_that_rules_out_many_versions_of_another_gives_way() -> None:
    """`new` is mentioned first, but its newest version would send `big` back to the oldest one."""
    universe: Universe = {
        "top": {"1": ["new", "big"]},
        "new": {"1": (), "2": ()},
        "big": {str(number): ["new<2"] for number in range(10, 60)} | {"1": ()},
    }
    done = run(problem(["top"]), universe)
    assert {pin.name: str(pin.version) for pin in done.resolution.pins} == {"top": "1", "big": "59", "new": "1"}


def test_metadata_of_a_graph_without_conflicts_is_read_once_per_pin() -> None:
    universe: Universe = {
        f"p{number}": {str(text): [f"p{number + 1}>=2"] if number < 30 else () for text in range(1, 9)}
        for number in range(31)
    }
    done = run(problem(["p0"]), universe)
    assert sum(isinstance(one, Dependencies) for one in done.asked) == 31
    assert sum(isinstance(one, Versions) for one in done.asked) == 31
    assert done.resolution.effort.conflicts == 0


def test_exact_pin_is_decided_before_what_was_mentioned_earlier() -> None:
    universe: Universe = {"b": {"1": (), "2": ()}, "a": {"1": (), "2": ["b<2"]}}
    done = run(problem(["b", "a==2"]), universe)
    assert [pin.name for pin in done.resolution.pins] == ["a", "b"]
    assert asked_versions(done.asked, "b") == ["1"]


def test_what_an_extra_rules_out_is_learned_for_many_versions_at_once() -> None:
    universe: Universe = {
        "a": {str(number): ["c>1; extra == 'x'"] if number > 10 else () for number in range(1, 80)},
        "c": {"1": (), "2": ()},
    }
    done = run(problem(["c<2", "a[x]"]), universe)
    assert {pin.name: str(pin.version) for pin in done.resolution.pins} == {"c": "1", "a": "10"}
    assert done.resolution.effort.decisions < 30
