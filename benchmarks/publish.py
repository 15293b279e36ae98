"""Writes what was measured: tables and pictures of the README, and the page with every figure.

    python -m benchmarks.publish .bench/results.json

Owns which figures are shown where.  Rules: nothing that it writes is edited by hand; what was not measured keeps no old
figure beside new ones, because all of it is written anew.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import pictures, tables
from benchmarks.figures import FAILED, FAILED_BARE, SIZE, Figure, Results, from_json
from benchmarks.rows import REMEMBERED

ROOT = Path(__file__).resolve().parents[1]

BARS = (
    ("cold", "sync/*/cold", "Sync with an empty cache, index 20 ms and 200 Mbit/s away"),
    ("warm", "sync/*/warm", f"Sync of a new environment, full cache {REMEMBERED}"),
    ("other", "sync/*/other", "Sync of a new environment, full cache, another lock"),
    ("stale", "sync/*/stale", f"Sync, index to be asked again {REMEMBERED}"),
    ("done", "sync/*/done", f"Sync with nothing to do {REMEMBERED}"),
    ("many", "sync/*/many", "Sync of 8 new environments, full cache; uv runs them one after the other"),
    ("many-parallel", "sync/*/many-parallel", "Sync of 8 new environments, full cache; uv's runs in parallel"),
    ("apart", "sync/*/apart", "Sync of a new environment, full cache on another file system"),
    ("install", "install/*/cold", "Install with an empty cache, index 20 ms and 200 Mbit/s away"),
    ("install-warm", "install/*/warm", f"Install, full cache {REMEMBERED}"),
    ("install-changed", "install/*/changed", "Install, full cache, another comment in its input"),
    ("compile", "compile/*/cold", "Compile with an empty cache, index 20 ms and 200 Mbit/s away"),
    ("compile-again", "compile/*/again", f"Compile, full cache {REMEMBERED}"),
    ("compile-changed", "compile/*/changed", "Compile, full cache, another comment in its input"),
    ("nothing", "nothing/*", "From a bare system to an environment, installer included"),
)
CURVES = (
    ("growth-distributions", "Warm sync of more and more distributions", "distributions"),
    ("growth-downloads", "Cold sync of more and more distributions", "distributions"),
    (
        "growth-environments",
        "Warm sync of more and more environments; uv runs them one after the other",
        "environments of 50 distributions",
    ),
    (
        "growth-environments-parallel",
        "Warm sync of more and more environments; uv's runs in parallel",
        "environments of 50 distributions",
    ),
    ("growth-files", "Warm sync of a wheel with more and more files", "files"),
    ("growth-latency", "Cold sync of 100 distributions, and how far away the index is", "milliseconds of round trip"),
)
_TABLES = (
    ("sync", "`sync` of a lock"),
    ("resolve", "`install` and `compile`"),
    ("start", "`--version`, and other starts"),
    ("nothing", "From a bare system to an environment"),
)
"""Groups and the titles of their tables."""


def main() -> int:
    """Publishes the results that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, nargs="+")
    parser.add_argument("--root", type=Path, default=ROOT, help="where README.md and docs/ are (default: here)")
    options = parser.parse_args()
    found = [from_json(path.read_text(encoding="utf-8")) for path in options.results if path.exists()]
    if not found:
        parser.error("there are no results; make bench measures")
    figures = tuple(figure for results in found for figure in results.figures)
    setting = {name: words for results in found for name, words in results.setting.items()}
    publish(Results(setting=setting, figures=figures), options.root)
    return 0


def publish(results: Results, root: Path) -> None:
    """Writes README.md, docs/figures.md and docs/pictures/ below `root`.

    Raises:
        MarkersMissing: when README.md has no place for figures; nothing is written then.
    """
    readme = root / "README.md"
    drawn = draw(results.figures)
    text = tables.replace_between_markers(readme.read_text(encoding="utf-8"), summary(results, drawn))
    folder = root / "docs/pictures"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.svg"):
        old.unlink()
    for name, (_, picture) in drawn.items():
        (folder / f"{name}.svg").write_text(picture, encoding="utf-8")
    (root / "docs/figures.md").write_text(every_figure(results, drawn), encoding="utf-8")
    readme.write_text(text, encoding="utf-8")


def draw(figures: Sequence[Figure]) -> dict[str, tuple[str, str]]:
    """Returns the pictures of figures: name to title and SVG; none for what was not measured."""
    drawn: dict[str, tuple[str, str]] = {}
    for name, pattern, title in BARS:
        if shown := [figure for figure in figures if Path(figure.name).match(pattern)]:
            drawn[name] = (title, pictures.bars(title, shown))
    for name, title, horizontal in CURVES:
        shown = [figure for figure in figures if figure.group == name]
        if len(shown) > 1:
            drawn[name] = (title, pictures.curves(title, shown, horizontal))
    return drawn


def summary(results: Results, drawn: dict[str, tuple[str, str]]) -> str:
    """Returns the README's part: what the figures are, a table per group, and the pictures."""
    setting = results.setting
    versions = {name: setting.get(name, "unknown") for name in ("uv", "pip")}
    parts = [
        f"Beside uv {versions['uv']} and pip {versions['pip']} on the same work, in turn, each run in a new folder."
        " **Bold** is the median of the pairwise ratios engine/uv: below 1 is faster than uv. In brackets are medians,"
        " in seconds, of engine / uv / pip, or of the first two. docs/figures.md has spreads, memory, and the rest of"
        f" what it was measured on: {setting_line(setting)}.",
        *sizes(setting),
        *failures(setting),
    ]
    for group, title in _TABLES:
        if shown := [figure for figure in results.figures if figure.group == group]:
            parts.append(tables.grid(title, shown))
    images = [image(name, title, "docs/pictures") for name, (title, _) in drawn.items()]
    return "\n\n".join([*parts, "\n".join(images)])


def sizes(setting: dict[str, str]) -> list[str]:
    """Returns a paragraph with the sizes of our files; none where they were not made."""
    words = {name.removeprefix(SIZE): value for name, value in setting.items() if name.startswith(SIZE)}
    return ["Sizes: " + ", ".join(f"`{name}` {value}" for name, value in words.items()) + "."] if words else []


def failures(setting: dict[str, str]) -> list[str]:
    """Returns a paragraph with the rows that could not be measured; none where all were."""
    names = [names for key in (FAILED, FAILED_BARE) if (names := setting.get(key))]
    return [f"Not measured, because a tool failed: {', '.join(names)}."] if names else []


def setting_line(setting: dict[str, str]) -> str:
    """Returns the machine in a line."""
    return ", ".join(
        f"{setting[name]}{' cores' if name == 'cores' else ''}"
        for name in ("processor", "cores", "system", "file system", "interpreter of the environments")
        if name in setting
    )


def image(name: str, title: str, folder: str) -> str:
    """Returns a picture as Markdown readers show it: two beside each other."""
    return f'<img src="{folder}/{name}.svg" width="49%" alt="{title}">'


def every_figure(results: Results, drawn: dict[str, tuple[str, str]]) -> str:
    """Returns the page with everything that was measured."""
    images = "\n".join(image(name, title, "pictures") for name, (title, _) in drawn.items())
    return "\n\n".join(
        [
            "# Figures",
            "Written by `make bench`, which anyone can run; benchmarks/README.md says how it measures.",
            tables.setting(results),
            images,
            tables.details(results.figures),
            "",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
