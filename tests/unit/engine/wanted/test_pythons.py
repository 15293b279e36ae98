"""What projects say about Python."""

import pytest
from packaging.specifiers import SpecifierSet

from engine.errors import NoResolution
from engine.wanted.model import PythonBound
from engine.wanted.pythons import check_python, pythons_from


def bound(text: str, where: str = "pyproject.toml:4") -> PythonBound:
    return PythonBound(specifier=SpecifierSet(text), where=where)


@pytest.mark.parametrize("python", ["3.11.0", "3.12.0rc1", "3.11.7+"])
def test_a_python_that_a_project_is_for_is_taken(python: str) -> None:
    check_python([bound(">=3.11"), bound("<4")], python)


@pytest.mark.parametrize(
    ("bounds", "python", "other"),
    [
        ([">=3.12"], "3.9.0", "3.12"),
        (["<3.12"], "3.14.1+", "3.11"),
        ([">=3.10.2"], "3.10.0", "3.11"),
        (["!=3.10.*", "<3.11"], "3.10.4", "3.9"),
    ],
)
def test_another_one_is_refused_and_one_that_fits_is_named(bounds: list[str], python: str, other: str) -> None:
    with pytest.raises(NoResolution, match=r"pyproject.toml:4: the project is for Python") as caught:
        check_python([bound(text) for text in bounds], python)
    assert caught.value.hint is not None and f"--python-version {other} " in caught.value.hint
    check_python([bound(text) for text in bounds], f"{other}.0")


def test_bounds_that_nothing_meets_name_no_python() -> None:
    with pytest.raises(NoResolution) as caught:
        check_python([bound("<3"), bound(">3", "setup.cfg:9")], "3.11.0")
    assert caught.value.hint == "--python-version names another one"


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [([], ">=3.12.1"), ([">=3.8,<3.14"], ">=3.12.1,<3.14"), (["~=3.9", "!=3.13.*,>3.1"], ">=3.12.1,~=3.9,!=3.13.*")],
)
def test_an_answer_is_for_its_python_and_newer_ones_that_the_projects_are_for(bounds: list[str], expected: str) -> None:
    assert pythons_from([bound(text) for text in bounds], "3.12.1+" if not bounds else "3.12.1") == SpecifierSet(
        expected
    )
