"""Extras of a project that name the project itself."""

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from engine.wanted.extras import with_extras
from engine.wanted.model import Wanted
from engine.wanted.project import StaticProject


def project(dependencies: list[str], **optional: list[str]) -> StaticProject:
    def wanted(texts: list[str]) -> list[Wanted]:
        return [Wanted(requirement=Requirement(text), where="p:1") for text in texts]

    return StaticProject(
        name=canonicalize_name("proj"),
        dependencies=wanted(dependencies),
        optional={canonicalize_name(name): wanted(texts) for name, texts in optional.items()},
    )


def needs(one: StaticProject, *extras: str) -> list[str]:
    return [str(wanted.requirement) for wanted in with_extras(one, map(canonicalize_name, extras))]


def test_extras_lead_to_extras() -> None:
    one = project(["x"], a=["y"], b=["z", "proj[a]"])
    assert needs(one) == ["x"]
    assert needs(one, "b") == ["x", "z", "y"]


def test_markers_on_the_way_hold_together() -> None:
    one = project(["Proj[a]; os_name == 'nt'"], a=["y; python_version < '3' or python_version > '4'"])
    assert needs(one) == ['y; os_name == "nt" and (python_version < "3" or python_version > "4")']


def test_extras_that_lead_to_each_other_end() -> None:
    one = project([], a=["proj[b]; os_name == 'nt'", "x"], b=["proj[a]; os_name == 'nt'", "y"])
    assert sorted(needs(one, "a")) == ["x", 'y; os_name == "nt"']


def test_an_extra_that_is_not_there_is_a_problem() -> None:
    one = project(["proj[c]"])
    assert needs(one) == [] and one.problems == ["p:1: proj has no extra c"]


def test_an_extra_that_is_reached_twice_is_told_once() -> None:
    one = project([], a=["y"], b=["proj[a]"], c=["proj[a]"])
    assert needs(one, "a", "b", "c") == ["y"]
