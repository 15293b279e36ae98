"""What was measured, and the arithmetic on it.

PURE.  Owns the form of results, as values and as JSON, and medians, spreads and ratios.  It runs nothing.

Rules: runs of the tools alternate, so the runs of one round are a pair, and a ratio is the median of the ratios of
pairs: what disturbs the machine for a while disturbs both.  A tool that ran fewer rounds is compared in those.
"""

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

FAILED, FAILED_BARE = "rows that failed", "rows from a bare system that failed"
SIZE = "size of "
"""What results call what more than one module reads: names of rows, and, with a file's name behind, megabytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The least, the median and the greatest of some durations, in seconds."""

    minimum: float
    median: float
    maximum: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """The runs of one tool in one row: seconds, in order, and the most memory that one of its processes took."""

    seconds: tuple[float, ...]
    peak_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What one row came to.

    `group` is the table or picture that it belongs to, `label` its line there and `column` its column or, where things
    grow, the number on the horizontal axis.
    """

    name: str
    group: str
    label: str
    column: str
    tools: dict[str, Runs]


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """All figures of one run, and what they were measured with and on: words to words."""

    setting: dict[str, str]
    figures: tuple[Figure, ...] = field(default=())


def spread(seconds: Sequence[float]) -> Spread:
    """Returns the spread of at least one duration."""
    return Spread(minimum=min(seconds), median=statistics.median(seconds), maximum=max(seconds))


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Returns the median of the pairwise ratios: below 1 where ours took less time."""
    return statistics.median(our / their for our, their in zip(ours, theirs, strict=False))


def ours_of(tools: Iterable[str]) -> str | None:
    """Returns the tool of ours that the others are compared with: the first, `engine` or a file `engine….pyz`."""
    return next((tool for tool in tools if tool.startswith("engine")), None)


def to_json(results: Results) -> str:
    """Returns results as JSON text, with the summaries that readers want."""
    document: dict[str, Any] = {"setting": results.setting, "figures": []}
    for figure in results.figures:
        entry = asdict(figure)
        for tool, runs in figure.tools.items():
            entry["tools"][tool].update(asdict(spread(runs.seconds)))
        ours = ours_of(figure.tools)
        entry["engine_ratio"] = {
            tool: round(ratio(figure.tools[ours].seconds, runs.seconds), 3)
            for tool, runs in figure.tools.items()
            if ours is not None and tool != ours
        }
        document["figures"].append(entry)
    return json.dumps(document, indent=1) + "\n"


def from_json(text: str) -> Results:
    """Returns the results that `to_json` wrote."""
    document = json.loads(text)
    return Results(
        setting=document["setting"],
        figures=tuple(
            Figure(
                name=entry["name"],
                group=entry["group"],
                label=entry["label"],
                column=entry["column"],
                tools={
                    tool: Runs(seconds=tuple(runs["seconds"]), peak_bytes=runs["peak_bytes"])
                    for tool, runs in entry["tools"].items()
                },
            )
            for entry in document["figures"]
        ),
    )
