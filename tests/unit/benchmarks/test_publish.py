"""What was measured is shown, and what was not is not."""

import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from benchmarks import tables
from benchmarks.figures import FAILED, FAILED_BARE, Figure, Results, Runs, to_json
from benchmarks.publish import BARS, CURVES, draw, publish
from benchmarks.rows import Row, all_rows

ROOT = Path(__file__).resolve().parents[3]
README = f"# engine\n\n{tables.BEGIN}\n\nold figures\n\n{tables.END}\n\nmore\n"


def measured(row: Row) -> Figure:
    tools = {tool: Runs(seconds=(1.0, 2.0)) for tool in row.tools}
    return Figure(name=row.name, group=row.group, label=row.label, column=row.column, tools=tools)


EVERYTHING = tuple(measured(row) for row in all_rows())


def test_readme_page_and_pictures_are_written(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(README, encoding="utf-8")
    publish(Results(setting={"uv": "0.1", "processor": "P"}, figures=EVERYTHING), tmp_path)
    readme = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "old figures" not in readme and readme.endswith(f"{tables.END}\n\nmore\n")
    for picture in (tmp_path / "docs/pictures").glob("*.svg"):
        ElementTree.parse(picture)
        assert f"docs/pictures/{picture.name}" in readme
    page = (tmp_path / "docs/figures.md").read_text(encoding="utf-8")
    assert all(f"| {figure.name} | {tool} | 2 |" in page for figure in EVERYTHING for tool in figure.tools)
    assert "* processor: P" in page


def test_every_row_is_in_a_table_or_a_picture_of_the_readme(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(README, encoding="utf-8")
    publish(Results(setting={}, figures=EVERYTHING), tmp_path)
    readme = (tmp_path / "README.md").read_text(encoding="utf-8")
    drawn = draw(EVERYTHING)
    for row in all_rows():
        assert row.label in readme or row.group in drawn, row.name


def test_pictures_of_an_earlier_run_do_not_stay(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(README, encoding="utf-8")
    publish(Results(setting={}, figures=EVERYTHING), tmp_path)
    publish(Results(setting={}, figures=EVERYTHING[:1]), tmp_path)
    assert [path.name for path in (tmp_path / "docs/pictures").iterdir()] == ["cold.svg"]
    assert "warm.svg" not in (tmp_path / "README.md").read_text(encoding="utf-8")


def test_nothing_is_written_when_the_readme_has_no_place(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("none", encoding="utf-8")
    with pytest.raises(tables.MarkersMissing):
        publish(Results(setting={}, figures=EVERYTHING), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]


def test_the_readme_of_this_project_has_its_place() -> None:
    readme = Path(__file__).resolve().parents[3] / "README.md"
    assert tables.BEGIN in tables.replace_between_markers(readme.read_text(encoding="utf-8"), "")


def test_sizes_and_failures_stand_in_the_readme(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(README, encoding="utf-8")
    setting = {
        "size of engine.pyz": "49 MB",
        "size of engine-cp312.pyz": "17 MB",
        FAILED: "sync/docs/cold, start/installed",
        FAILED_BARE: "nothing/docs",
    }
    publish(Results(setting=setting, figures=EVERYTHING), tmp_path)
    readme = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "`engine.pyz` 49 MB, `engine-cp312.pyz` 17 MB" in readme
    for name in ("sync/docs/cold, start/installed", "nothing/docs"):
        assert name in readme


def test_settings_of_several_results_are_merged(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(README, encoding="utf-8")
    paths = [tmp_path / "results.json", tmp_path / "nothing.json"]
    for path, setting in zip(paths, ({"uv": "0.1"}, {"bare system": "B"}), strict=True):
        path.write_text(to_json(Results(setting=setting, figures=EVERYTHING[:1])), encoding="utf-8")
    command = [sys.executable, "-m", "benchmarks.publish", "--root", str(tmp_path), *map(str, paths)]
    subprocess.run(command, cwd=ROOT, check=True)
    page = (tmp_path / "docs/figures.md").read_text(encoding="utf-8")
    assert "* uv: 0.1\n* bare system: B" in page


def test_the_first_start_of_each_file_is_in_a_table_of_the_readme(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(README, encoding="utf-8")
    publish(Results(setting={}, figures=EVERYTHING), tmp_path)
    readme = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "the first start, which unpacks it" in readme


@pytest.mark.parametrize("entry", [*BARS, *CURVES], ids=lambda entry: str(entry[0]))
def test_titles_fit_their_pictures_and_say_what_the_runs_of_uv_are_like(entry: tuple[str, str, str]) -> None:
    title = next(word for word in entry if " " in word)
    assert len(title) <= 76
    if "environments" in title:
        assert ("one after the other" in title) == ("parallel" not in entry[0])
        assert ("in parallel" in title) == ("parallel" in entry[0])
