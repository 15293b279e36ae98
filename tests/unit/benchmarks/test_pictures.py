"""Pictures are well-formed, and show what was measured where it belongs."""

import xml.etree.ElementTree as ElementTree

import pytest

from benchmarks import pictures
from benchmarks.figures import Figure, Runs

SVG = "{http://www.w3.org/2000/svg}"


def figure(column: str, **tools: tuple[float, ...]) -> Figure:
    runs = {tool: Runs(seconds=seconds) for tool, seconds in tools.items()}
    return Figure(name=column, group="g", label="l", column=column, tools=runs)


def widths(picture: str, tool: str) -> list[float]:
    """Returns the widths of a tool's bars, without the square of the legend."""
    shapes = ElementTree.fromstring(picture).iter(f"{SVG}rect")
    found = [float(shape.attrib["width"]) for shape in shapes if shape.get("class") == pictures.css_class(tool)]
    return found[1:]


def test_bars_are_as_long_as_their_medians() -> None:
    picture = pictures.bars(
        "t", [figure("a", engine=(1.0, 2.0, 9.0), uv=(4.0,)), figure("b", engine=(3.0,), uv=(6.0,))]
    )
    first, second = widths(picture, "engine")
    others = widths(picture, "uv")
    assert second / first == pytest.approx(1.5, rel=0.01)
    assert others[0] / first == pytest.approx(2, rel=0.01)


def test_a_bar_that_would_dwarf_the_others_is_cut_and_tells_its_number() -> None:
    picture = pictures.bars("t", [figure("a", engine=(1.0,), uv=(1.1,), pip=(60.0,))])
    root = ElementTree.fromstring(picture)
    assert [path.get("class") for path in root.iter(f"{SVG}path")] == ["cut"]
    assert "60.0" in {text.text for text in root.iter(f"{SVG}text")}
    assert widths(picture, "engine")[0] > (pictures.RIGHT - pictures.LEFT) / 2


def test_no_bar_is_cut_that_can_be_shown() -> None:
    picture = pictures.bars("t", [figure("a", engine=(1.0,), uv=(1.1,), pip=(1.5,))])
    assert not list(ElementTree.fromstring(picture).iter(f"{SVG}path"))


def test_whiskers_go_from_the_least_to_the_greatest() -> None:
    picture = pictures.bars("t", [figure("a", engine=(1.0, 2.0, 4.0), uv=(2.0,))])
    lines = [shape for shape in ElementTree.fromstring(picture).iter(f"{SVG}line") if shape.get("class") == "whisker"]
    start, end = (float(lines[0].attrib[key]) - pictures.LEFT for key in ("x1", "x2"))
    assert end / start == pytest.approx(4, rel=0.01)
    assert widths(picture, "engine")[0] == pytest.approx(2 * start, rel=0.01)


def test_text_from_outside_cannot_break_a_picture() -> None:
    name = "<a & b>"
    root = ElementTree.fromstring(pictures.bars(name, [figure(name, engine=(1.0,), uv=(1.0,))]))
    assert [text.text for text in root.iter(f"{SVG}text")].count(name) == 2


def test_curves_have_a_point_per_number_and_less_is_lower() -> None:
    shown = [figure("1", engine=(0.1,), uv=(0.2,)), figure("10", engine=(1.0,), uv=(0.4,))]
    root = ElementTree.fromstring(pictures.curves("t", shown, "files"))
    lines = [line.attrib["points"].split() for line in root.iter(f"{SVG}polyline")]
    assert [len(points) for points in lines] == [2, 2]
    heights = [[float(point.split(",")[1]) for point in points] for points in lines]
    assert heights[0][0] > heights[1][0] > heights[1][1] > heights[0][1]


def test_tools_keep_their_colours_whatever_they_are_shown_with() -> None:
    both = pictures.bars("t", [figure("a", engine=(1.0,), uv=(1.0,))])
    other = pictures.bars("t", [figure("a", uv=(1.0,), pip=(1.0,))])
    rule = both[both.index(".tool-uv{") :].partition("}")[0]
    assert rule in other
    assert both.count(".tool-uv{") == 2  # light and dark


@pytest.mark.parametrize(("limit", "step"), [(0.08, 0.01), (1.0, 0.2), (8.0, 1), (11.0, 2), (45, 10), (100, 20)])
def test_ticks_are_at_round_numbers(limit: float, step: float) -> None:
    assert pictures.tick_step(limit) == pytest.approx(step)


def test_a_logarithmic_axis_ends_at_the_ticks_around_the_values() -> None:
    low, high = pictures.decades(0.03, 7.0)
    assert [10**low, 10**high] == pytest.approx([0.02, 10])
    assert pictures.ticks(low, high) == pytest.approx([0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10])
    assert pictures.decades(1.0, 1.0) == (0.0, 1.0)


def test_labels_that_would_cover_each_other_are_moved_apart() -> None:
    assert pictures.apart([(20.0, "b"), (10.0, "a"), (90.0, "c")]) == [(10.0, "a"), (23.0, "b"), (90.0, "c")]
