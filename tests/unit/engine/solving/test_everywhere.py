"""Which Pythons a universal resolution is for."""

import pytest
from packaging.specifiers import SpecifierSet

from engine.errors import ConfigurationError
from engine.solving.everywhere import everywhere
from engine.wanted.model import PythonBound

HERE = {"python_version": "3.12"}


def bound(text: str) -> PythonBound:
    return PythonBound(specifier=SpecifierSet(text), where=f"pyproject.toml:{len(text)}")


@pytest.mark.parametrize(
    ("version", "bounds", "python"),
    [
        (None, [], ">=3.12"),
        (None, [">=3.9,<4"], ">=3.9,<4"),
        (None, [">=3.9", "<3.13"], ">=3.9,<3.13"),
        ("3.8", [">=3.9"], ">=3.8"),
        ("3.9.2", [], ">=3.9.2"),
    ],
)
def test_the_range_is_what_is_asked_for_then_the_projects_then_what_is_here(
    version: str | None, bounds: list[str], python: str
) -> None:
    assert everywhere(version, map(bound, bounds), HERE).python == SpecifierSet(python)


def test_what_is_no_version_and_what_leaves_no_python_is_named() -> None:
    with pytest.raises(ConfigurationError, match="--python-version must be"):
        everywhere("three", [], HERE)
    with pytest.raises(ConfigurationError, match=r"toml:5 and pyproject\.toml:4: there is no Python that is"):
        everywhere(None, [bound(">=3.9"), bound("<3.9")], HERE)
