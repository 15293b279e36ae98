"""Tables have what was measured, where it belongs, and leave the rest of a file alone."""

import pytest

from benchmarks import tables
from benchmarks.figures import Figure, Runs

BOTH = {"engine": Runs(seconds=(0.5, 0.7, 0.6), peak_bytes=3_000_000), "uv": Runs(seconds=(1.0, 1.0, 1.0))}


def figure(label: str, column: str, tools: dict[str, Runs] = BOTH) -> Figure:
    return Figure(name=f"{label}/{column}", group="g", label=label, column=column, tools=tools)


def test_a_cell_has_the_ratio_to_uv_and_all_medians() -> None:
    assert tables.cell({**BOTH, "pip": Runs(seconds=(12.345,))}) == "**0.60** (0.600 / 1.000 / 12.3)"


def test_a_cell_without_uv_has_medians_only() -> None:
    assert tables.cell({"engine": Runs(seconds=(1.0,)), "engine.pyz": Runs(seconds=(2.0,))}) == "1.000 / 2.000"


def test_a_grid_has_a_line_per_label_and_an_empty_cell_where_nothing_was_measured() -> None:
    lines = tables.grid("T", [figure("cold", "a"), figure("cold", "b"), figure("warm", "b")]).splitlines()
    assert lines[0] == "| T | a | b |"
    assert lines[1] == "|---|---|---|"
    assert lines[2] == "| cold | **0.60** (0.600 / 1.000) | **0.60** (0.600 / 1.000) |"
    assert lines[3] == "| warm |  | **0.60** (0.600 / 1.000) |"


def test_details_have_the_spread_the_ratio_and_the_memory_of_every_tool() -> None:
    ours, theirs = tables.details([figure("cold", "a")]).splitlines()[2:]
    assert ours == "| cold/a | engine | 3 | 0.500 | 0.600 | 0.700 |  | 3 |"
    assert theirs == "| cold/a | uv | 3 | 1.000 | 1.000 | 1.000 | 0.60 |  |"


def test_the_memory_of_a_tool_is_called_what_it_is() -> None:
    heading = tables.details([figure("cold", "a")]).splitlines()[0]
    assert heading.split(" | ")[-1] == "peak MB |"


def test_a_file_of_ours_is_compared_where_the_command_is_not_there() -> None:
    ways = {"engine-cp311.pyz": BOTH["engine"], "engine.pyz": Runs(seconds=(9.0,)), "uv": BOTH["uv"]}
    assert tables.cell(ways) == "**0.60** (0.600 / 9.000 / 1.000)"
    lines = tables.details([figure("bare", "a", ways)]).splitlines()[2:]
    assert [line.split(" | ")[-2] for line in lines] == ["", "0.06", "0.60"]


def test_a_bar_in_a_cell_makes_no_column() -> None:
    assert tables.line(["a|b", "c"]) == "| a\\|b | c |"


def test_only_what_is_between_the_markers_is_replaced() -> None:
    text = f"before\n{tables.BEGIN}\n\nold\n\n{tables.END}\nafter\n"
    new = tables.replace_between_markers(text, "new\n")
    assert new == f"before\n{tables.BEGIN}\n\nnew\n\n{tables.END}\nafter\n"
    assert tables.replace_between_markers(new, "new") == new


@pytest.mark.parametrize(
    "text",
    [
        "",
        tables.BEGIN,
        tables.END,
        tables.END + tables.BEGIN,
        tables.BEGIN + tables.BEGIN + tables.END,
        tables.BEGIN + tables.END + tables.END,
    ],
)
def test_a_file_without_one_place_for_figures_is_not_touched(text: str) -> None:
    with pytest.raises(tables.MarkersMissing):
        tables.replace_between_markers(text, "new")
