"""The candidates of one project and their order."""

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from resolver import Obstacle, Prereleases, Problem, Release, Strategy, Unusable
from resolver.candidates import Candidates, Project
from resolver.dependencies import Dependencies
from resolver.versions import VersionTable
from tests.support.universes import problem

RELEASES = (
    Release(Version("1")),
    Release(Version("2"), yanked="broken"),
    Release(Version("3")),
    Release(Version("4b1")),
    Release(Version("5"), Unusable(Obstacle.NO_FILES)),
)


def project(case: Problem) -> Project:
    return Candidates(case, Dependencies(case)).project(canonicalize_name("a"), VersionTable(RELEASES))


def order(case: Problem) -> list[str]:
    found = project(case)
    return [str(RELEASES[bit.bit_length() - 2].version) for bit in found.first(found.usable, 9)]


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (problem(["a"]), ["3", "1", "4b1"]),
        (problem(["a"], strategy=Strategy.LOWEST), ["1", "3", "4b1"]),
        (problem(["a"], strategy=Strategy.LOWEST_DIRECT), ["1", "3", "4b1"]),
        (problem(["b"], strategy=Strategy.LOWEST_DIRECT), ["3", "1", "4b1"]),
        (problem(["a"], prereleases=Prereleases.ALLOW), ["4b1", "3", "1"]),
        (problem(["a"], prereleases=Prereleases.DISALLOW), ["3", "1"]),
        (problem(["a"], prereleases=Prereleases.EXPLICIT), ["3", "1"]),
        (problem(["a<5b1"], prereleases=Prereleases.EXPLICIT), ["3", "1", "4b1"]),
        (problem(["a<5b1"], prereleases=Prereleases.IF_NECESSARY), ["3", "1", "4b1"]),
        (problem(["a"], overrides=["a<5b1"]), ["3", "1", "4b1"]),
        (problem(["a"], prereleases_package={"a": Prereleases.DISALLOW}), ["3", "1"]),
        (problem(["a"], preferences={"a": "1"}), ["1", "3", "4b1"]),
        (problem(["a"], preferences={"a": "2"}), ["2", "3", "1", "4b1"]),
        (problem(["a==2"]), ["3", "2", "1", "4b1"]),
        (problem(["a==2; os_name == 'nt'"]), ["3", "1", "4b1"]),
        (problem(["a==2.*"]), ["3", "1", "4b1"]),
        (problem(["a"], preferences={"a": "5"}), ["3", "1", "4b1"]),
        (problem(["a"], preferences={"a": "4b1"}, prereleases=Prereleases.DISALLOW), ["4b1", "3", "1"]),
    ],
)
def test_order_of_candidates(case: Problem, expected: list[str]) -> None:
    assert order(case) == expected


def test_every_release_is_usable_or_barred_for_one_reason() -> None:
    found = project(problem(["a"], prereleases=Prereleases.DISALLOW))
    reasons = {reason: bits for bits, reason in found.barred}
    assert reasons == {
        Unusable(Obstacle.NO_FILES): 0b100000,
        Unusable(Obstacle.YANKED, "broken"): 0b000100,
        Unusable(Obstacle.PRERELEASE): 0b010000,
    }
    assert found.usable == 0b001010
