"""What was measured is shown, and what was not is not."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from benchmarks import tables
from benchmarks.figures import Figure, Results, Runs
from benchmarks.publish import draw, publish
from benchmarks.rows import Row, all_rows

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
    assert all(f"| {figure.name} | engine | 2 |" in page for figure in EVERYTHING)
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
