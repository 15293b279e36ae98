"""The text of a requirements file: bytes to text, text to lines, variables to values.  PURE.

A byte order mark decides the encoding (UTF-8, UTF-16, UTF-32), then a declaration
such as `# -*- coding: latin-1 -*-` in the first two lines, then it is UTF-8; what
is not that is an error, and never read in the encoding of the machine.
`${NAME}` is replaced where a variable of that name has a value, and left alone
where it has none.

Source: pip's "Requirements File Format", "Encoding", "Using environment variables"; PEP 263.
"""

from __future__ import annotations

import codecs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# UTF-32 first: the mark of little-endian UTF-16 is the beginning of that of UTF-32.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARATION = rb"coding[:=]\s*([-\w.]+)"
_VARIABLE = r"\$\{([A-Z0-9_]+)\}"


def decode(data: bytes) -> str:
    """Returns the text of a file.

    Raises:
        ValueError: when the bytes are not what they are declared to be, or the declaration names no encoding of
            text; the message says what they are not.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _decode(data[len(mark) :], encoding)
    for line in data.split(b"\n", 2)[:2]:
        if line.startswith(b"#") and b"coding" in line:
            import re  # 5 ms, and few files say anything

            if (declared := re.search(_DECLARATION, line)) is not None:
                return _decode(data, declared[1].decode("ascii", "replace"))
    return _decode(data, "utf-8")


def _decode(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as exc:
        raise ValueError(f"not {encoding.upper()} text (byte {exc.start})") from exc
    except (LookupError, UnicodeError) as exc:  # LookupError: also of codecs that do not make text, such as hex
        raise ValueError(f'"{encoding}" is no encoding of text') from exc


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yields (number of the first physical line, content) without comments and blank lines.

    As in pip, a line that is only a comment ends a continuation.
    """
    pending: list[str] = []
    first = 0
    for number, line in enumerate(text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        only_comment = line.lstrip().startswith("#")
        if not pending:
            first = number
        if line.endswith("\\") and not only_comment:
            pending.append(line[:-1])
            continue
        if pending:
            line = "".join(pending) if only_comment else "".join(pending) + line
            pending.clear()
        content = _without_comment(line)
        if content:
            yield first, content
    content = _without_comment("".join(pending))
    if content:
        yield first, content


def _without_comment(line: str) -> str:
    at = line.find("#")
    while at > 0 and not line[at - 1].isspace():
        at = line.find("#", at + 1)
    return line.strip() if at < 0 else line[:at].strip()


def variables_in(line: str) -> list[str]:
    """Returns the names of the variables that a line mentions, in its order."""
    import re

    return re.findall(_VARIABLE, line)


def expand(line: str, environ: Mapping[str, str]) -> str:
    """Returns a line with the values of its variables; one that is unset or empty stays as it is written.

    A value is not looked at again, so that it may hold anything.
    """
    import re

    return re.sub(_VARIABLE, lambda match: environ.get(match[1]) or match[0], line)
