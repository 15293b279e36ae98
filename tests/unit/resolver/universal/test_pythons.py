"""Which files count when the Python is not one."""

import pytest
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from resolver.availability import File, Obstacle, Release
from resolver.markers import EVERYWHERE, NOWHERE, POSSIBLE, python_environments, write_marker
from resolver.universal import AnyPython, pythons_of

NAME, VERSION = canonicalize_name("a"), Version("1")


def wheel(tags: str, requires_python: str | None = None) -> File:
    return File(is_wheel=True, requires_python=requires_python, filename=f"a-1-{tags}.whl")


def judged(*files: File, python: str = ">=3.9") -> Release:
    return AnyPython(environments=POSSIBLE & python_environments(SpecifierSet(python))).judge(NAME, VERSION, files)


@pytest.mark.parametrize(
    ("tags", "marker"),
    [
        ("py3-none-any", "python_version < '4.0' and python_version >= '3.0'"),
        ("py2.py3-none-any", "python_version < '4.0' and python_version >= '2.0'"),
        ("py310-none-any", "python_version < '4.0' and python_version >= '3.10'"),
        ("cp310-cp310-win_amd64", "python_version == '3.10'"),
        ("cp310-none-win_amd64", "python_version == '3.10'"),
        ("cp39.cp310-abi3-win_amd64", "python_version < '4.0' and python_version >= '3.9'"),
        ("7-pp39-pypy39_pp73-linux_x86_64", "python_version == '3.9'"),
    ],
)
def test_tags_say_which_pythons_a_wheel_is_for(tags: str, marker: str) -> None:
    assert str(write_marker(pythons_of(f"a-1-{tags}.whl"))).replace('"', "'") == marker


def test_another_implementation_and_an_sdist_are_for_all_and_a_file_without_a_name_for_none() -> None:
    assert pythons_of("a-1-graalpy310-none-any.whl") is EVERYWHERE
    assert pythons_of("a-1.tar.gz") is EVERYWHERE
    assert pythons_of("") is NOWHERE


def test_a_release_without_a_wheel_for_any_of_the_pythons_cannot_be_used() -> None:
    release = judged(wheel("cp38-cp38-win_amd64"), wheel("py2-none-any"))
    assert release.unusable is not None and release.unusable.obstacle is Obstacle.NO_MATCHING_WHEEL
    assert judged(wheel("cp38-cp38-win_amd64"), wheel("py3-none-any")).unusable is None
    release = judged(wheel("py3-none-any", "<3.9"), wheel("py3-none-any", ">=3.9"), python=">=3.9")
    assert release.unusable is None


def test_a_release_says_where_its_pythons_begin() -> None:
    release = judged(wheel("cp39-cp39-win_amd64", ">=3.9"), wheel("cp310-cp310-win_amd64", ">=3.10,<3.11"))
    assert release.requires_python == ">=3.9"
    assert judged(wheel("py3-none-any", ">=3.10"), wheel("py3-none-any")).requires_python is None
    release = judged(wheel("cp310-cp310-win_amd64"), wheel("cp38-cp38-win_amd64"))
    assert release.pythons is not None
    assert str(write_marker(release.pythons)) == 'python_version >= "3.10"', "newer ones have no wheels yet"
