"""Rows are distinct, and chosen by name."""

from pathlib import Path

from benchmarks.rows import QUICK, REMEMBERED, State, Work, all_rows, choose, needed_bytes

INPUTS = Path(__file__).resolve().parents[3] / "benchmarks/inputs"


def test_no_two_rows_have_one_name_or_one_place() -> None:
    rows = all_rows()
    assert len({row.name for row in rows}) == len(rows)
    assert len({(row.group, row.label, row.column) for row in rows}) == len(rows)


def test_every_row_has_something_to_work_on() -> None:
    for row in all_rows():
        assert row.work is Work.START or row.synthetic or row.universe or (INPUTS / f"{row.source}.in").is_file(), (
            row.name
        )


def test_rows_are_chosen_by_shell_patterns() -> None:
    chosen = [row.name for row in choose(all_rows(), ["sync/docs/c*", "start/installed"])]
    assert chosen == ["sync/docs/cold", "start/installed"]
    assert choose(all_rows(), []) == all_rows()
    assert choose(all_rows(), ["nothing-like-it"]) == []


def test_each_pattern_of_the_quick_run_chooses_something_and_the_run_is_small() -> None:
    assert all(choose(all_rows(), [pattern]) for pattern in QUICK)
    assert len(choose(all_rows(), list(QUICK))) < len(all_rows()) / 2


def test_rows_that_engine_remembers_say_so_and_no_other_does() -> None:
    for row in all_rows():
        if row.work is Work.START or row.group.startswith("growth"):
            continue
        remembered = row.state in (State.WARM, State.STALE, State.DONE)
        assert (REMEMBERED in row.label) == remembered, row.name


def test_each_input_is_also_measured_where_nothing_is_remembered() -> None:
    names = {row.name for row in all_rows()}
    for name in names:
        for remembered, anew in (("/again", "/changed"), ("install/docs/warm", "install/docs/changed")):
            if name.endswith(remembered):
                assert name.removesuffix(remembered) + anew in names
        if name.startswith("sync/") and name.endswith("/warm"):
            assert name.replace("/warm", "/other") in names


def test_many_environments_are_also_measured_with_runs_in_parallel() -> None:
    rows = all_rows()
    found = {(row.group, row.column, row.environments, row.together) for row in rows if row.environments > 1}
    assert {key[-1] for key in found} == {False, True}
    for row in rows:
        if row.environments > 1 and row.group == "sync":
            assert ("parallel" in row.label) == row.together
            assert ("one after the other" in row.label) == (not row.together)


def test_a_row_needs_more_room_for_more_rounds_only_where_files_are_not_shared() -> None:
    rows = {row.name: row for row in all_rows()}
    cold, warm = rows["sync/docs/cold"], rows["sync/docs/other"]
    assert needed_bytes(cold, 11, 3) > needed_bytes(cold, 5, 3) > needed_bytes(warm, 5, 3) == needed_bytes(warm, 11, 3)
    assert needed_bytes(rows["sync/docs/apart"], 11, 3) > needed_bytes(warm, 11, 3)


def test_a_full_run_needs_what_the_documentation_says() -> None:
    greatest = max(needed_bytes(row, 11, 3) for row in all_rows())
    text = (INPUTS.parent / "README.md").read_text(encoding="utf-8")
    assert f"{greatest / 1e9:.0f} GB" in text
