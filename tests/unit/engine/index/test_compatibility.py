import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.utils import parse_wheel_filename

from engine.index.compatibility import WheelName, allows_python, best_rank

numbers = st.integers(0, 15).map(str) | st.just("08")
releases = st.lists(numbers, min_size=1, max_size=4).map(".".join)


@pytest.mark.parametrize(
    "filename",
    [
        "foo-1.0-py3-none-any.whl",
        "Foo_Bar-1.0+cpu-1-py2.py3-none-any.whl",
        "foo-1.0-12abc-cp312-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        "foo-1.0-CP312-cp312-Win_AMD64.whl",
        "foo-1!2.0.dev1-cp38.cp39-none.abi3-any.whl",
    ],
)
def test_wheel_names_are_split_as_packaging_does(filename: str) -> None:
    name = WheelName.parse(filename)
    assert name is not None
    _, _, build, tags = parse_wheel_filename(filename)
    assert name.build == build
    assert set(name.tags) == {str(tag) for tag in tags}


@pytest.mark.parametrize(
    "filename",
    [
        "foo-1.0.tar.gz",
        "foo-1.0-py3-none.whl",
        "foo-1.0-build-py3-none-any.whl",
        "foo-1.0-1-py3-none-any-variant.whl",
        "foo--py3-none-any.whl",
        "-1.0-py3-none-any.whl",
        "foo-1.0--py3-none-any.whl",
        "foo-1.0-py3-none-any.whl.metadata",
        "foo-1.0-" + "9" * 5000 + "-py3-none-any.whl",
        ".whl",
        "",
    ],
)
def test_other_names_are_no_wheels(filename: str) -> None:
    assert WheelName.parse(filename) is None


def test_the_best_of_several_tags_counts() -> None:
    priority = {"cp312-cp312-linux_x86_64": 0, "py3-none-any": 5}
    assert best_rank(("py2-none-any", "py3-none-any", "cp312-cp312-linux_x86_64"), priority) == 0
    assert best_rank(("py2-none-any", "py3-none-any"), priority) == 5
    assert best_rank(("py3-none-any",), priority) == 5
    assert best_rank(("py2-none-any",), priority) is None
    assert best_rank(("py2-none-any", "py1-none-any"), priority) is None


@given(
    st.lists(
        st.builds(
            lambda operator, space, release, end: operator + space + release + end,
            st.sampled_from([">=", "<=", ">", "<", "==", "!=", "~=", "==="]),
            st.sampled_from(["", " "]),
            releases,
            st.sampled_from(["", "", "", ".*", "rc1", ".dev0"]),
        ),
        max_size=3,
    ).map(",".join),
    releases,
)
def test_requires_python_means_what_packaging_says(requires_python: str, python: str) -> None:
    try:
        expected = SpecifierSet(requires_python).contains(python, prereleases=True)
    except ValueError:
        expected = True
    assert allows_python(requires_python, python) is expected


@pytest.mark.parametrize(
    ("requires_python", "python", "allowed"),
    [
        (">=3.13", "3.12.1", False),
        (">=3.8,<4", "3.12.1", True),
        (" >= 3.8 , != 3.12.* ", "3.12.1", False),
        ("!=3.12", "3.12.0", False),
        (">3.12", "3.12.1", True),
        ("~=3.8", "3.12.1", True),
        ("~=3.8", "4.0.0", False),
        (">=3.13", "3.13.0rc1", True),
        (">=3.13", "3.13.0+", True),
        (">=3.14", "3.13.0.dev1", False),
        ("", "3.12.1", True),
        (">=3.8,", "3.12.1", True),
        (">=3.8.*", "3.12.1", True),
        ("nonsense", "3.12.1", True),
        ("3.8", "3.12.1", True),
        (">=" + "9" * 5000, "3.12.1", True),
        (">=\u0663", "3.12.1", True),
    ],
)
def test_requires_python(requires_python: str, python: str, allowed: bool) -> None:
    assert allows_python(requires_python, python) is allowed
