import pytest

from engine.index.compatibility import Target, WheelName
from engine.index.page import File, ProjectPage
from engine.index.refusal import no_matching_distribution, quarantined
from engine.lock.requirements import RequirementsFile

TARGET = Target(tag_priority={"py3-none-any": 0}, python_full_version="3.12.1", describe="a machine")
(PIN,) = RequirementsFile.parse("foo==1.0", source="lock.txt").pins


def page(*filenames: str) -> ProjectPage:
    files = tuple(File(filename=filename, url="/") for filename in filenames)
    return ProjectPage(name="foo", url="https://example.com/simple/foo/", files=files)


def test_every_reason_comes_with_advice_except_a_missing_version() -> None:
    tagged, excluded = "foo-1.0-py2-none-any.whl", "foo-1.0-py3-none-any.whl"
    name = WheelName.parse(tagged)
    other = WheelName.parse(excluded)
    assert name is not None and other is not None
    by_tag = [(File(filename=tagged, url="/"), name)]
    by_python = [(File(filename=excluded, url="/", requires_python=">=4"), other)]
    errors = [
        quarantined([page()], PIN, "lock.txt:1"),
        no_matching_distribution([page()], PIN, TARGET, by_tag, "lock.txt:1"),
        no_matching_distribution([page()], PIN, TARGET, by_python, "lock.txt:1"),
        no_matching_distribution([page("foo-1.0.zip")], PIN, TARGET, [], "lock.txt:1"),
    ]
    assert all(error.hint for error in errors)
    assert len({str(error) for error in errors}) == len(errors)


@pytest.mark.parametrize("filename", ["foo-1.0.tar.bz2", "foo-1.0.exe", "foo", "foo-.zip", "-1.0.zip", "foo1.0.zip"])
def test_odd_files_do_not_count_as_releases(filename: str) -> None:
    assert "nor any other" in str(no_matching_distribution([page(filename)], PIN, TARGET, [], "lock.txt:1"))


def test_the_tags_that_are_named_are_the_ones_that_are_nearest_to_the_target() -> None:
    target = Target(
        tag_priority={"cp312-cp312-manylinux_2_17_x86_64": 0, "py3-none-any": 1},
        python_full_version="3.12.1",
        describe="a machine",
    )
    wheels = []
    for tag in (
        "cp312-cp312-win_amd64",
        "cp311-cp311-manylinux_2_17_aarch64",
        "cp312-cp312-macosx_10_9_x86_64",
        "cp312-cp312-musllinux_1_1_x86_64",
        "cp311-cp311-manylinux_2_17_x86_64",
    ):
        filename = f"foo-1.0-{tag}.whl"
        name = WheelName.parse(filename)
        assert name is not None
        wheels.append((File(filename=filename, url="/"), name))
    message = str(no_matching_distribution([page()], PIN, target, wheels, "lock.txt:1"))
    assert message.endswith(
        "cp311-cp311-manylinux_2_17_x86_64, cp312-cp312-musllinux_1_1_x86_64, "
        "cp311-cp311-manylinux_2_17_aarch64 and 2 more"
    )


def test_what_was_left_out_of_a_page_is_said_when_nothing_else_is_found() -> None:
    left = ProjectPage(name="foo", url="https://example.com/", files=(), notes=("left out 'foo'", "left out 'bar'"))
    assert str(no_matching_distribution([left], PIN, TARGET, [], "lock.txt:1")).endswith("(left out 'foo' and 1 more)")


def test_the_reason_of_a_quarantine_is_told() -> None:
    told = ProjectPage(name="foo", url="https://example.com/", files=(), status="quarantined", status_reason="malware")
    assert str(quarantined([told], PIN, "lock.txt:1")).endswith("quarantined the project: malware")
    assert str(quarantined([page()], PIN, "lock.txt:1")).endswith("quarantined the project")
