"""Tags and markers of Pythons and platforms that are not here."""

import pytest
from packaging import tags
from packaging.markers import default_environment

from engine.environment.platforms import PLATFORMS, find_platform, retarget
from engine.errors import ConfigurationError

HERE = {name: str(value) for name, value in default_environment().items()}
TAGS = tuple(map(str, tags.sys_tags()))


def test_what_was_not_asked_for_stays() -> None:
    assert retarget(HERE, TAGS) == (HERE, TAGS)


@pytest.mark.parametrize("name", PLATFORMS)
def test_every_platform_has_a_wheel_tag_and_markers_of_its_own(name: str) -> None:
    markers, found = retarget(HERE, TAGS, python_version="3.12", platform=find_platform(name, {}))
    assert found[0].startswith("cp312-cp312-") and found[-1] == "py30-none-any"
    assert len(found) == len(set(found)) and "py3-none-any" in found and "cp311-abi3-" in "".join(found)
    system = {"nt": "Windows", "posix": "Darwin" if markers["sys_platform"] == "darwin" else "Linux"}
    assert markers["platform_system"] == system[markers["os_name"]]


@pytest.mark.parametrize(
    ("name", "has", "lacks"),
    [
        ("linux", "cp312-cp312-manylinux_2_28_x86_64", "cp312-cp312-manylinux_2_29_x86_64"),
        ("linux", "cp312-cp312-manylinux1_x86_64", "cp312-cp312-musllinux_1_1_x86_64"),
        ("aarch64-manylinux_2_31", "cp312-cp312-manylinux_2_31_aarch64", "cp312-cp312-manylinux_2_16_aarch64"),
        ("x86_64-manylinux2014", "cp312-cp312-manylinux2014_x86_64", "cp312-cp312-manylinux_2_18_x86_64"),
        ("x86_64-unknown-linux-musl", "cp312-cp312-musllinux_1_2_x86_64", "cp312-cp312-manylinux_2_17_x86_64"),
        ("macos", "cp312-cp312-macosx_11_0_arm64", "cp312-cp312-macosx_14_0_arm64"),
        ("x86_64-apple-darwin", "cp312-cp312-macosx_10_9_universal2", "cp312-cp312-macosx_11_0_arm64"),
        ("windows", "cp312-cp312-win_amd64", "cp312-cp312-win32"),
        ("i686-pc-windows-msvc", "cp312-cp312-win32", "cp312-cp312-win_amd64"),
    ],
)
def test_a_platform_takes_the_wheels_of_its_kind(name: str, has: str, lacks: str) -> None:
    found = retarget(HERE, TAGS, python_version="3.12", platform=find_platform(name, {})).tags
    assert has in found and lacks not in found


def test_a_deployment_target_takes_newer_wheels() -> None:
    platform = find_platform("macos", {"MACOSX_DEPLOYMENT_TARGET": "14.2"})
    assert "macosx_14_0_arm64" in platform.tags
    with pytest.raises(ConfigurationError, match="MACOSX_DEPLOYMENT_TARGET"):
        find_platform("macos", {"MACOSX_DEPLOYMENT_TARGET": "x"})


@pytest.mark.parametrize(
    ("text", "short", "full"),
    [("3.9", "3.9", "3.9.0"), ("3.13.2", "3.13", "3.13.2"), ("3.14.0rc1", "3.14", "3.14.0rc1")],
)
def test_a_version_alone_changes_no_platform(text: str, short: str, full: str) -> None:
    markers, found = retarget(HERE, TAGS, python_version=text)
    assert (markers["python_version"], markers["python_full_version"]) == (short, full)
    assert markers["sys_platform"] == HERE["sys_platform"]
    assert {tag.rpartition("-")[2] for tag in found} == {tag.rpartition("-")[2] for tag in TAGS}
    assert found[0].startswith(f"cp{short.replace('.', '')}-")


def test_the_version_that_is_here_gives_the_tags_that_are_here() -> None:
    assert set(retarget(HERE, TAGS, python_version=HERE["python_version"]).tags) == set(TAGS)


@pytest.mark.parametrize("text", ["", "3", "three", "3.12.x", "3.12 ", "v3.12"])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="--python-version"):
        retarget(HERE, TAGS, python_version=text)


def test_an_unknown_platform_is_refused_with_what_may_have_been_meant() -> None:
    with pytest.raises(ConfigurationError, match="x86_64-linux") as caught:
        find_platform("x86_64-linux", {})
    assert caught.value.hint


def test_other_implementations_are_asked_themselves() -> None:
    with pytest.raises(ConfigurationError, match="pypy"):
        retarget({**HERE, "implementation_name": "pypy"}, TAGS, python_version="3.10")
