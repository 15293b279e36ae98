"""RECORD: the table of a distribution's files, parsed and written row by row.

Pure, and on the warm path: it imports only errors; `csv` is loaded when a file has
quotes.  It neither compares hashes nor trusts paths; whoever reads a RECORD does.

Source: PEP 376, "RECORD"; PEP 627; "Recording installed projects".
"""

from engine.errors import InvalidWheel

RECORD_MAX_BYTES = 64 * 1024 * 1024
RECORD_MAX_ROWS = 1_000_000


def parse_record(text: str) -> list[tuple[str, str, str]]:
    """Reads all rows.

    Args:
        text: the whole file.

    Returns:
        Path, hash as `algorithm=value` or "", and size as written or "", in the order of the file.

    Raises:
        InvalidWheel: when the file is too long, is not CSV, or a row has not three columns.
    """
    if len(text) > RECORD_MAX_BYTES:
        raise InvalidWheel(f"RECORD is larger than {RECORD_MAX_BYTES} bytes")
    if text.count("\n") > RECORD_MAX_ROWS:
        raise InvalidWheel(f"RECORD has more than {RECORD_MAX_ROWS} rows")
    if '"' in text:
        return _parse_quoted(text)
    rows = []
    # Not splitlines(): a path may hold characters that it takes for line ends.
    for number, line in enumerate(text.split("\n"), 1):
        if not line or line == "\r":
            continue
        fields = line.rstrip("\r").split(",")
        if len(fields) != 3:
            raise InvalidWheel(f"RECORD has {len(fields)} columns instead of 3 in line {number}")
        rows.append((fields[0], fields[1], fields[2]))
    return rows


def _parse_quoted(text: str) -> list[tuple[str, str, str]]:
    import csv
    import io

    rows = []
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for fields in reader:
            if not fields:
                continue
            if len(fields) != 3:
                raise InvalidWheel(f"RECORD has {len(fields)} columns instead of 3 in line {reader.line_num}")
            rows.append((fields[0], fields[1], fields[2]))
    except csv.Error as exc:
        raise InvalidWheel(f"RECORD is not CSV in line {reader.line_num}: {exc}") from exc
    return rows


def format_row(path: str, sha256: str = "", size_bytes: int | None = None) -> str:
    """Returns one row with its line end.

    Args:
        path: with `/` between parts.
        sha256: digest in URL-safe base64 without padding; "" for files that carry none, as RECORD itself.
        size_bytes: length of the file; None for files that carry none.
    """
    if '"' in path or "," in path or "\n" in path or "\r" in path:
        path = '"' + path.replace('"', '""') + '"'
    algorithm_hash = f"sha256={sha256}" if sha256 else ""
    return f"{path},{algorithm_hash},{'' if size_bytes is None else size_bytes}\n"
