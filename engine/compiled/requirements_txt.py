"""requirements.txt: the text of an answer.  PURE.

The form is uv's (and nearly pip-compile's), so that who changes the tool sees no
difference in the file: two spaces and four, the order of the annotations, the
quotation marks.

Rules: one answer has one text, whatever the order of its entries.  No password is
written.

Source: pip's "Requirements File Format".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from engine.compiled.model import marker_text, without_login
from engine.compiled.style import Annotations, header_lines
from engine.lock.direct import has_scheme

if TYPE_CHECKING:
    from engine.compiled.model import Answer, Entry
    from engine.compiled.style import TextStyle

#: Where annotations of the line style begin, after two spaces.
_COLUMN = 24


def requirements_text(answer: Answer, style: TextStyle) -> str:
    """Returns the file.

    Args:
        answer: what was chosen.
        style: what is to be told of it.
    """
    lines = [*header_lines(style.command)]
    if options := list(_options(answer, style)):
        lines += [*options, ""]
    entries = answer.sorted_entries
    for entry in entries:
        if entry.name not in style.left_out:
            lines.extend(_entry(entry, style))
    names = {entry.name for entry in entries}
    if left_out := [name for name in dict.fromkeys(style.left_out) if name in names]:
        lines += ["", "# The following packages were excluded from the output:", *(f"# {name}" for name in left_out)]
    # A name of a file may have line ends in it.
    return "".join(f"{' '.join(line.splitlines())}\n" for line in lines)


def _options(answer: Answer, style: TextStyle) -> Iterator[str]:
    if style.index_urls:
        if answer.index_url:
            yield f"--index-url {without_login(answer.index_url)}"
        for url in answer.extra_index_urls:
            yield f"--extra-index-url {without_login(url)}"
    if style.find_links:
        for place in answer.find_links:
            yield f"--find-links {without_login(place)}"
    if style.formats:
        for option, value in sorted(answer.formats, key=lambda one: one[0]):
            yield f"--{option} {value}"


def _entry(entry: Entry, style: TextStyle) -> Iterator[str]:
    line = _requirement(entry, style)
    digests = entry.digests if style.hashes else []
    reason = _reason_in_a_line(entry) if style.annotations is Annotations.LINE else ""
    for digest in digests:
        yield f"{line} \\"
        line = f"    --hash={digest.algorithm}:{digest.hex}"
    if reason and not digests:
        yield f"{line:{_COLUMN}}  {reason}"
    else:
        yield line
        if reason:
            yield f"    {reason}"
    if style.annotations is Annotations.SPLIT:
        yield from _reasons(entry)
    if style.index_annotations and entry.index_url:
        yield f"    # from {without_login(entry.index_url)}"


def _requirement(entry: Entry, style: TextStyle) -> str:
    extras = f"[{','.join(sorted(entry.extras))}]" if style.extras and entry.extras else ""
    direct = without_login(entry.direct)
    if not direct:
        text = f"{entry.name}{extras}=={entry.version}"
    elif has_scheme(direct):
        text = f"{entry.name}{extras} @ {direct}"
    else:
        text = f"{direct}{extras}"
    return f"{text} ; {marker_text(entry.marker)}" if style.markers and entry.marker is not None else text


def _reasons(entry: Entry) -> Iterator[str]:
    reasons = [*_sorted_origins(entry), *sorted(entry.wanted_by)]
    if len(reasons) == 1:
        yield f"    # via {reasons[0]}"
    elif reasons:
        yield "    # via"
        yield from (f"    #   {reason}" for reason in reasons)


def _reason_in_a_line(entry: Entry) -> str:
    reasons = [*sorted(entry.wanted_by), *_sorted_origins(entry)]
    return f"# via {', '.join(reasons)}" if reasons else ""


def _sorted_origins(entry: Entry) -> list[str]:
    """Returns what the user said: constraints, overrides, files, projects."""
    kinds = ("-c ", "--override ", "-r ")

    def key(origin: str) -> tuple[int, str]:
        return next((at for at, kind in enumerate(kinds) if origin.startswith(kind)), len(kinds)), origin

    return sorted({origin for origin in entry.origins if origin}, key=key)
