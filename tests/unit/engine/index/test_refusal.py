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
