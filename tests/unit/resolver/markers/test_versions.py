"""Which Pythons a specifier is for."""

import pytest
from packaging.specifiers import SpecifierSet

from resolver.markers import EVERYWHERE, NOWHERE, floor_of, from_python, python_environments, write_marker


@pytest.mark.parametrize(
    ("specifier", "marker"),
    [
        (">=3.9", "python_version >= '3.9'"),
        (">=3.9,<3.13", "python_version >= '3.9'"),
        (">=3.9.1", "python_full_version >= '3.9.1'"),
        (">3.9", "python_full_version > '3.9'"),
        ("~=3.9", "python_version >= '3.9'"),
        ("==3.9.*", "python_version >= '3.9'"),
        (">=3.9,!=3.9.0,!=3.9.1", "python_full_version > '3.9.1'"),
        (">=3.8,!=3.8.*,!=3.9.*", "python_version >= '3.10'"),
        (">=2.7,!=3.0.*,!=3.1.*", "python_version >= '2.7'"),
    ],
)
def test_of_a_requires_python_only_the_beginning_counts(specifier: str, marker: str) -> None:
    assert str(write_marker(from_python(specifier))).replace('"', "'") == marker


@pytest.mark.parametrize("specifier", ["<4", "", "!=3.9.*", "three"])
def test_without_a_beginning_all_pythons_are_allowed(specifier: str) -> None:
    assert from_python(specifier) is EVERYWHERE


@pytest.mark.parametrize("specifier", [">=3.9,<3.13", ">=3.9,!=3.10.*", "==3.9.*", "~=3.10"])
def test_all_of_a_projects_range_counts(specifier: str) -> None:
    found = python_environments(SpecifierSet(specifier))
    for minor in range(8, 15):
        inside = bool(found & python_environments(SpecifierSet(f"==3.{minor}.1")))
        assert inside == SpecifierSet(specifier).contains(f"3.{minor}.1")


def test_a_range_without_a_python_is_empty_and_every_other_has_a_floor() -> None:
    assert python_environments(SpecifierSet(">=3.9,<3.9")) is NOWHERE
    low, high = (floor_of(python_environments(SpecifierSet(text))) for text in (">=3.9", ">=3.10,<4"))
    assert low < high
    assert floor_of(EVERYWHERE) < low
