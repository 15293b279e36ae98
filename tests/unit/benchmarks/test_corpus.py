"""The comparison of the corpus finds what it is there to find."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.corpus import Content, Report, check_wheel, compare, describe, find_sources
from tests.support.building import DIST_INFO, FILENAME, Entry, archive, wheel, wheel_entries

ONE = {"a": Content("1", False), "b": Content("2", True)}


def test_equal_trees_have_no_differences() -> None:
    assert compare(ONE, dict(reversed(ONE.items())), frozenset(ONE)) == ([], [])


@pytest.mark.parametrize(
    ("theirs", "difference"),
    [
        ({"a": ONE["a"]}, "'b' is too much"),
        ({**ONE, "c": ONE["a"]}, "'c' is missing"),
        ({**ONE, "a": Content("3", False)}, "'a' has another content"),
        ({**ONE, "a": Content("1", True)}, "'a' is not executable"),
        ({**ONE, "b": Content("2", False)}, "'b' is executable"),
    ],
)
def test_each_kind_of_difference_is_named(theirs: dict[str, Content], difference: str) -> None:
    assert compare(ONE, theirs, frozenset({"a", "b"})) == ([difference], [])


def test_modes_that_were_not_written_on_unix_explain_a_difference() -> None:
    theirs = {**ONE, "a": Content("1", True)}
    assert compare(ONE, theirs, frozenset({"b"})) == ([], ["'a' is not executable"])


def test_a_wheel_is_unpacked_in_both_ways_and_compared(tmp_path: Path) -> None:
    path = tmp_path / FILENAME
    module = Entry(name="demo.py", content=b"x", mode=0o100755)
    path.write_bytes(wheel(module, Entry(name="noise", content=bytes(3 << 20), method=0)))
    report = check_wheel(path)
    assert (report.differences, report.explained, report.refused, report.failed) == ([], [], None, None)
    assert (report.files, report.size_bytes) == (5, path.stat().st_size)
    path.write_bytes(wheel(replace(module, central={"made_by": 0})))
    report = check_wheel(path)
    assert (report.differences, report.explained) == ([], ["'demo.py' is not executable"])
    entries = wheel_entries()
    entries[-1].mode = 0o100755
    path.write_bytes(archive(entries))
    report = check_wheel(path)
    assert (report.differences, report.explained) == ([], [f"'{DIST_INFO}/RECORD' is not executable"])


def test_a_refused_wheel_is_told_apart_from_a_difference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / FILENAME
    path.write_bytes(wheel(Entry(name="../evil.py")))
    lines, code = describe([check_wheel(path)], verbose=False)
    assert code == 2 and "1 refused" in lines[1]
    assert capsys.readouterr().out.startswith(f"refused: {FILENAME}: ")


@pytest.mark.parametrize(
    ("report", "code"),
    [
        (Report(wheel=FILENAME), 0),
        (Report(wheel=FILENAME, explained=["x"]), 0),
        (Report(wheel=FILENAME, differences=["x"]), 1),
        (Report(wheel=FILENAME, failed="x"), 2),
    ],
)
def test_the_exit_code_is_about_differences(report: Report, code: int) -> None:
    assert describe([report], verbose=True)[1] == code


def test_sources_are_wheels_folders_and_projects(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / FILENAME).touch()
    (tmp_path / "other.txt").touch()
    found = list(find_sources([str(tmp_path), str(tmp_path / "below" / FILENAME), "some.project"]))
    assert found == [tmp_path / "below" / FILENAME, tmp_path / "below" / FILENAME, "some.project"]
    with pytest.raises(ValueError, match="neither"):
        list(find_sources(["--index-url=x"]))
