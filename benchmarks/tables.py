"""Writes figures as Markdown.

PURE.  Owns the tables, the words about what was measured on what, and where they go in a file: between two markers.
Everything else in the file is left alone.
"""

from collections.abc import Iterable, Sequence

from benchmarks.figures import Figure, Results, Runs, ours_of, ratio, spread

BEGIN = "<!-- figures: written by make bench -->"
END = "<!-- end of figures -->"


class MarkersMissing(Exception):
    """A file does not have the two markers, in order and once."""


def replace_between_markers(text: str, figures: str) -> str:
    """Returns `text` with `figures` between its markers.

    Raises:
        MarkersMissing: when it does not have each of them once, in order.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in after:
        raise MarkersMissing(f"expected {BEGIN} and {END}, once each, in this order")
    return f"{before}{BEGIN}\n\n{figures.strip()}\n\n{END}{after}"


def seconds(value: float) -> str:
    """Returns seconds as text, with three significant digits where there is a need for them."""
    return f"{value:.3f}" if value < 10 else f"{value:.1f}"


def cell(tools: dict[str, Runs]) -> str:
    """Returns the cell of one figure: the ratio to uv, and the medians of all tools."""
    medians = " / ".join(seconds(spread(runs.seconds).median) for runs in tools.values())
    ours = ours_of(tools)
    if "uv" not in tools or ours is None:
        return medians
    return f"**{ratio(tools[ours].seconds, tools['uv'].seconds):.2f}** ({medians})"


def grid(title: str, figures: Sequence[Figure]) -> str:
    """Returns a table with a line per label and a column per column, in the order in which they come."""
    labels = list(dict.fromkeys(figure.label for figure in figures))
    columns = list(dict.fromkeys(figure.column for figure in figures))
    found = {(figure.label, figure.column): figure for figure in figures}
    lines = [line([title, *columns]), "|---" * (len(columns) + 1) + "|"]
    for label in labels:
        cells = [cell(found[label, column].tools) if (label, column) in found else "" for column in columns]
        lines.append(line([label, *cells]))
    return "\n".join(lines)


def details(figures: Iterable[Figure]) -> str:
    """Returns a table with every tool's spread, memory and ratio: a line per figure and tool."""
    lines = [
        line(["row", "tool", "runs", "minimum", "median", "maximum", "ours / tool", "peak MB"]),
        "|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    for figure in figures:
        for tool, runs in figure.tools.items():
            ours = ours_of(figure.tools)
            relation = f"{ratio(figure.tools[ours].seconds, runs.seconds):.2f}" if ours and tool != ours else ""
            found = spread(runs.seconds)
            numbers = [seconds(number) for number in (found.minimum, found.median, found.maximum)]
            memory = f"{runs.peak_bytes / 1e6:.0f}" if runs.peak_bytes else ""
            lines.append(line([figure.name, tool, str(len(runs.seconds)), *numbers, relation, memory]))
    return "\n".join(lines)


def line(cells: Iterable[str]) -> str:
    """Returns one line of a table; a bar in a cell is escaped."""
    return "| " + " | ".join(text.replace("|", "\\|") for text in cells) + " |"


def setting(results: Results) -> str:
    """Returns a sentence per thing that the figures depend on."""
    return "\n".join(f"* {name}: {value}" for name, value in results.setting.items())
