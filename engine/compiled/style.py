"""What a requirements.txt is to tell; light, because it is made before the first question to an index."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from packaging.utils import NormalizedName


class Annotations(Enum):
    """How it is told why something is there."""

    SPLIT = "split"
    LINE = "line"
    NONE = "none"


class TextStyle(NamedTuple):
    """What the text has in it besides the pins.

    Attributes:
        command: the command line that made it (`engine.compiled.command`); "" for no header.
        annotations: why something is there.
        hashes: of every file.
        extras: of every entry (`--no-strip-extras`).
        markers: of every entry (`--no-strip-markers`, and always for a universal answer).
        index_urls, find_links, formats: the options of the answer.
        index_annotations: where each entry comes from.
        left_out: projects that get no line.
    """

    command: str = ""
    annotations: Annotations = Annotations.SPLIT
    hashes: bool = False
    extras: bool = False
    markers: bool = False
    index_urls: bool = False
    find_links: bool = False
    formats: bool = False
    index_annotations: bool = False
    left_out: tuple[NormalizedName, ...] = ()
