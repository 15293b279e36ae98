"""Which wheels the file takes, and what pex is told of an interpreter that is not here."""

from shipping.zipapp import complete_platform, platforms


def test_wheels_that_need_a_newer_glibc_than_allowed_are_not_taken() -> None:
    tags = [
        "linux_x86_64",
        "manylinux_2_36_x86_64",
        "manylinux_2_29_x86_64",
        "manylinux_2_28_x86_64",
        "manylinux2014_x86_64",
    ]
    assert platforms(iter(tags)) == ["linux_x86_64", "manylinux_2_28_x86_64", "manylinux2014_x86_64"]


def test_other_platforms_are_taken_as_they_are() -> None:
    tags = ["musllinux_1_2_x86_64", "macosx_14_0_arm64", "win_amd64"]
    assert platforms(iter(tags)) == tags


def test_the_version_is_the_one_asked_for_not_the_one_that_runs() -> None:
    found = complete_platform((3, 99), ["linux_x86_64"])
    tags, markers = found["compatible_tags"], found["marker_environment"]
    assert isinstance(tags, list) and isinstance(markers, dict)
    assert tags[0] == "cp399-cp399-linux_x86_64" and "cp311-abi3-linux_x86_64" in tags and "py3-none-any" in tags
    assert (markers["python_version"], markers["python_full_version"]) == ("3.99", "3.99.0")


def test_nothing_of_the_kernel_that_builds_gets_into_the_file() -> None:
    markers = complete_platform((3, 12), ["linux_x86_64"])["marker_environment"]
    assert isinstance(markers, dict)
    assert markers["platform_release"] == markers["platform_version"] == ""
