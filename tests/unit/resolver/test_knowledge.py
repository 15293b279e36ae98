"""What is read out of the answers."""

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from resolver import InvalidProblem, Listing, Metadata, Obstacle, Problem, Release, Unusable, Versions
from resolver.knowledge import Knowledge
from tests.support.universes import problem

A = canonicalize_name("a")
ONE = Version("1")


def known(metadata: Metadata | Unusable) -> Knowledge:
    knowledge = Knowledge(problem(["a"]))
    knowledge.add(Versions(A), Listing((Release(ONE),)))
    project = knowledge.project(A)
    assert project is not None
    knowledge.add(knowledge.request(project, 0), metadata)
    return knowledge


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        (Unusable(Obstacle.BUILD_FAILED, "no compiler"), Unusable(Obstacle.BUILD_FAILED, "no compiler")),
        (Metadata(requires_python=">=4"), Unusable(Obstacle.REQUIRES_PYTHON, ">=4")),
        (Metadata(("in valid",)), Unusable(Obstacle.INVALID_METADATA, "Requires-Dist: in valid")),
        (Metadata(requires_python=">=3.11"), ()),
    ],
)
def test_candidate_wants(metadata: Metadata | Unusable, expected: object) -> None:
    knowledge = known(metadata)
    project = knowledge.project(A)
    assert project is not None
    assert knowledge.wants(project, 0, None) == expected


def test_project_is_unknown_until_all_its_urls_are_answered() -> None:
    urls = "https://example.com/a", "https://example.com/b"
    knowledge = Knowledge(problem([f"a @ {url}" for url in urls]))
    assert knowledge.listings(A) == (Versions(A, urls[0]), Versions(A, urls[1]))
    for url in urls:
        assert knowledge.project(A) is None
        knowledge.add(Versions(A, url), Listing((Release(ONE),)))
    project = knowledge.project(A)
    assert project is not None and project.table.urls == urls


@pytest.mark.parametrize("markers", [{}, {"python_full_version": "three"}])
def test_markers_that_tell_no_python_version_are_refused(markers: dict[str, str]) -> None:
    with pytest.raises(InvalidProblem, match="python_full_version"):
        Knowledge(Problem(requirements=(), markers=markers))


def test_version_of_a_python_built_from_its_repository_is_understood() -> None:
    """Such a Python adds a plus sign to its version."""
    assert Knowledge(Problem(requirements=(), markers={"python_full_version": "3.15.0a1+"})).python == "3.15.0a1+"
