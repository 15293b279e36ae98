"""Draws figures as SVG.

PURE.  Owns two kinds of pictures, bars and curves, and how they look: each tool has its colour, in a light and in a
dark version that the reader's settings choose.  It knows no file.

Rules: bars and points are medians, and thin lines go from the least to the greatest.  A bar axis starts at 0; a bar
that would make the others too short to compare is cut, visibly, and tells its number.  Curves have logarithmic axes.

Source: "Scalable Vector Graphics (SVG) 2".
"""

import math
from collections.abc import Sequence
from xml.sax.saxutils import escape

from benchmarks.figures import Figure, Spread, spread
from benchmarks.tables import seconds

WIDTH = 640
LEFT, RIGHT, TOP = 110, 590, 64
BAR, BAR_GAP, GROUP_GAP = 15, 4, 16
PLOT_HEIGHT = 240
CUT = 1.6
"""How many times as long as engine's and uv's longest bar another may be before it is cut."""

_COLOURS = {
    "engine": ("#d9480f", "#ff922b"),
    "uv": ("#6741d9", "#b197fc"),
    "pip": ("#1971c2", "#4dabf7"),
    "engine.pyz": ("#a17200", "#ffd43b"),
    "uv-binary": ("#2b8a3e", "#69db7c"),
}
_ONE_VERSION = _COLOURS["engine"]
_OTHER = ("#495057", "#adb5bd")


def css_class(tool: str) -> str:
    """Returns the class of a tool's shapes."""
    return "tool-" + "".join(letter if letter.isalnum() else "-" for letter in tool)


def _style(tools: Sequence[str]) -> str:
    def rules(which: int) -> str:
        ink, faint, ground = (("#212529", "#ced4da", "#ffffff"), ("#e9ecef", "#495057", "#161b22"))[which]
        parts = [f".ground{{fill:{ground};stroke:{faint}}}text{{fill:{ink}}}.axis{{stroke:{faint}}}"]
        parts.append(f".whisker{{stroke:{ink}}}.cut{{stroke:{ground}}}")
        for tool in tools:
            colour = _COLOURS.get(tool, _ONE_VERSION if tool.startswith("engine-cp") else _OTHER)[which]
            parts.append(f".{css_class(tool)}{{fill:{colour};stroke:{colour}}}")
        return "".join(parts)

    fixed = (
        "text{font:13px system-ui,sans-serif;stroke:none}.title{font-size:15px;font-weight:600}.small{font-size:11px}"
        ".whisker,.cut{fill:none}.cut{stroke-width:3}.curve{fill:none;stroke-width:2}"
    )
    return f"<style>{rules(0)}{fixed}@media(prefers-color-scheme:dark){{{rules(1)}}}</style>"


def _text(x: float, y: float, content: str, *, anchor: str = "start", kind: str = "") -> str:
    attributes = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{attributes}>{escape(content)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def _document(height: float, title: str, tools: Sequence[str], shapes: Sequence[str]) -> str:
    legend: list[str] = []
    x = float(LEFT)
    for tool in tools:
        legend.append(f'<rect x="{x:.1f}" y="36" width="11" height="11" class="{css_class(tool)}"/>')
        legend.append(_text(x + 16, 46, tool))
        x += 36 + 8 * len(tool)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}"'
            f' height="{height:.0f}" role="img">',
            f"<title>{escape(title)}</title>",
            _style(tools),
            f'<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1:.0f}" rx="8" class="ground"/>',
            _text(16, 24, title, kind="title"),
            *legend,
            *shapes,
            "</svg>\n",
        ]
    )


def tools_of(figures: Sequence[Figure]) -> list[str]:
    """Returns the tools that figures have, in the order in which they come."""
    return list(dict.fromkeys(tool for figure in figures for tool in figure.tools))


def bars(title: str, figures: Sequence[Figure]) -> str:
    """Returns a picture with a group of bars for each figure, named by its column."""
    tools = tools_of(figures)
    spreads = {(figure.column, tool): spread(runs.seconds) for figure in figures for tool, runs in figure.tools.items()}
    limit = bar_limit({key: found.maximum for key, found in spreads.items()})
    step = tick_step(limit)
    scale = (RIGHT - LEFT) / limit
    shapes: list[str] = []
    y = float(TOP)
    for figure in figures:
        height = len(figure.tools) * (BAR + BAR_GAP) - BAR_GAP
        shapes.append(_text(LEFT - 10, y + height / 2 + 5, figure.column, anchor="end"))
        for tool in figure.tools:
            shapes += _bar(y, scale, limit, tool, spreads[figure.column, tool])
            y += BAR + BAR_GAP
        y += GROUP_GAP - BAR_GAP
    bottom = y - GROUP_GAP + 6
    grid: list[str] = []
    for number in range(round(limit / step) + 1):
        x = LEFT + number * step * scale
        grid.append(_line(x, TOP - 6, x, bottom, "axis"))
        grid.append(_text(x, bottom + 16, f"{number * step:g}", anchor="middle", kind="small"))
    unit = _text((LEFT + RIGHT) / 2, bottom + 33, "seconds; less is better", anchor="middle", kind="small")
    return _document(bottom + 44, title, tools, [*grid, *shapes, unit])


def _bar(y: float, scale: float, limit: float, tool: str, found: Spread) -> list[str]:
    end = LEFT + min(found.median, limit) * scale
    middle = y + BAR / 2
    shapes = [
        f'<rect x="{LEFT}" y="{y:.1f}" width="{max(end - LEFT, 1):.1f}" height="{BAR}" class="{css_class(tool)}"/>'
    ]
    if found.median > limit:
        x = end - 24
        shapes.append(f'<path d="M{x:.1f} {y - 1:.1f}l-5 {BAR / 2 + 1}l10 0l-5 {BAR / 2 + 1}" class="cut"/>')
        last = end
    else:
        last = LEFT + min(found.maximum, limit) * scale
        shapes.append(_line(LEFT + found.minimum * scale, middle, last, middle, "whisker"))
    shapes.append(_text(last + 5, middle + 4, seconds(found.median), kind="small"))
    return shapes


def bar_limit(greatest: dict[tuple[str, str], float]) -> float:
    """Returns where the axis of a bar picture ends: a multiple of its step.

    Args:
        greatest: column and tool to the greatest duration, in seconds.
    """
    compared = [value for (_, tool), value in greatest.items() if tool == "uv" or tool.startswith("engine")]
    everything = max(greatest.values())
    longest = max(compared, default=everything)
    shown = everything if everything <= longest * CUT else longest * 1.15
    step = tick_step(shown)
    return math.ceil(shown / step) * step


def tick_step(limit: float) -> float:
    """Returns a round distance between ticks: 1, 2 or 5 times a power of ten, so that four to ten fit."""
    rough = limit / 8
    power: float = 10.0 ** math.floor(math.log10(rough))
    return next((factor * power for factor in (1, 2, 5) if factor * power >= rough), 10 * power)


def curves(title: str, figures: Sequence[Figure], horizontal: str) -> str:
    """Returns a picture with a curve for each tool; the columns of the figures are numbers.

    Args:
        title: what is shown.
        figures: one for each number.
        horizontal: what the numbers count.
    """
    tools = tools_of(figures)
    numbers = [float(figure.column) for figure in figures]
    found = {(figure.column, tool): spread(runs.seconds) for figure in figures for tool, runs in figure.tools.items()}
    low, high = decades(min(each.minimum for each in found.values()), max(each.maximum for each in found.values()))
    bottom = TOP + PLOT_HEIGHT
    left_end, right_end = min(numbers), max(max(numbers), min(numbers) * 1.01)

    def x_of(number: float) -> float:
        return LEFT - 40 + (RIGHT - LEFT) * math.log(number / left_end) / math.log(right_end / left_end)

    def y_of(value: float) -> float:
        return bottom - PLOT_HEIGHT * (math.log10(value) - low) / (high - low)

    shapes = _logarithmic_grid({value: y_of(value) for value in ticks(low, high)})
    for number in numbers:
        shapes.append(_text(x_of(number), bottom + 16, f"{number:,.0f}", anchor="middle", kind="small"))
    for tool in tools:
        points = [(x_of(float(f.column)), found[f.column, tool]) for f in figures if tool in f.tools]
        path = " ".join(f"{x:.1f},{y_of(each.median):.1f}" for x, each in points)
        shapes.append(f'<g class="{css_class(tool)}"><polyline points="{path}" class="curve"/>')
        for x, each in points:
            shapes.append(f'<circle cx="{x:.1f}" cy="{y_of(each.median):.1f}" r="3.5"/>')
            shapes.append(_line(x, y_of(each.minimum), x, y_of(each.maximum), ""))
        shapes.append("</g>")
    for y, tool in apart([(y_of(found[figures[-1].column, tool].median), tool) for tool in figures[-1].tools]):
        shapes.append(
            _text(RIGHT - 32, y + 4, f"{tool} {seconds(found[figures[-1].column, tool].median)}", kind="small")
        )
    axis = f"{horizontal}; seconds upwards, both logarithmic; less is better"
    shapes.append(_text((LEFT + RIGHT) / 2 - 40, bottom + 34, axis, anchor="middle", kind="small"))
    return _document(bottom + 46, title, tools, shapes)


def _logarithmic_grid(heights: dict[float, float]) -> list[str]:
    shapes: list[str] = []
    for value, y in heights.items():
        shapes.append(_line(LEFT - 40, y, RIGHT - 40, y, "axis"))
        shapes.append(_text(LEFT - 46, y + 4, f"{value:g}", anchor="end", kind="small"))
    return shapes


def decades(least: float, greatest: float) -> tuple[float, float]:
    """Returns the decimal logarithms where a vertical axis begins and ends: at ticks around both values."""
    marks = [math.log10(mark) for mark in ticks(math.floor(math.log10(least)), math.ceil(math.log10(greatest)))]
    low = max(mark for mark in marks if mark <= math.log10(least) + 1e-9)
    high = min(mark for mark in marks if mark >= math.log10(greatest) - 1e-9)
    return (low, high) if high > low else (low, low + 1)


def ticks(low: float, high: float) -> list[float]:
    """Returns 1, 2 and 5 times the powers of ten between two decimal logarithms, both included."""
    powers = range(math.floor(low), math.ceil(high) + 1)
    values = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
    return [value for value in values if low - 1e-9 <= math.log10(value) <= high + 1e-9]


def apart(labels: list[tuple[float, str]]) -> list[tuple[float, str]]:
    """Returns labels in order from the top, moved down where they would cover each other."""
    moved: list[tuple[float, str]] = []
    for y, label in sorted(labels):
        moved.append((max(y, moved[-1][0] + 13) if moved else y, label))
    return moved
