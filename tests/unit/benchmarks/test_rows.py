"""Rows are distinct, and chosen by name."""

from pathlib import Path

from benchmarks.rows import QUICK, Work, all_rows, choose

INPUTS = Path(__file__).resolve().parents[3] / "benchmarks/inputs"


def test_no_two_rows_have_one_name_or_one_place() -> None:
    rows = all_rows()
    assert len({row.name for row in rows}) == len(rows)
    assert len({(row.group, row.label, row.column) for row in rows}) == len(rows)


def test_every_row_has_something_to_work_on() -> None:
    for row in all_rows():
        assert row.work is Work.START or row.synthetic or (INPUTS / f"{row.source}.in").is_file(), row.name


def test_rows_are_chosen_by_shell_patterns() -> None:
    chosen = [row.name for row in choose(all_rows(), ["sync/docs/c*", "start/installed"])]
    assert chosen == ["sync/docs/cold", "start/installed"]
    assert choose(all_rows(), []) == all_rows()
    assert choose(all_rows(), ["nothing-like-it"]) == []


def test_each_pattern_of_the_quick_run_chooses_something_and_the_run_is_small() -> None:
    assert all(choose(all_rows(), [pattern]) for pattern in QUICK)
    assert len(choose(all_rows(), list(QUICK))) < len(all_rows()) / 2
