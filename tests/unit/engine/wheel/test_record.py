import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidWheel
from engine.wheel.record import RECORD_MAX_BYTES, RECORD_MAX_ROWS, format_row, parse_record

PATHS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


def test_rows_are_path_hash_and_size() -> None:
    text = "a.py,sha256=abc,3\r\nb/c.py,,\n\n\r\nd-1.dist-info/RECORD,,"
    assert parse_record(text) == [("a.py", "sha256=abc", "3"), ("b/c.py", "", ""), ("d-1.dist-info/RECORD", "", "")]


def test_quoted_paths_are_read_as_csv() -> None:
    assert parse_record('"a,b.py",sha256=x,1\n"say ""hi"".py",,\n') == [
        ("a,b.py", "sha256=x", "1"),
        ('say "hi".py', "", ""),
    ]


def test_characters_that_look_like_line_ends_stay_in_their_path() -> None:
    assert parse_record("a\x0bb\x85c\u2028d,,\n") == [("a\x0bb\x85c\u2028d", "", "")]


@pytest.mark.parametrize("text", ["a.py,sha256=x\n", "a.py\n", "a,b,c,d\n", '"a",b\n', '"a"b,c,d\n', '"a,b,c\n'])
def test_row_without_three_columns_is_refused(text: str) -> None:
    with pytest.raises(InvalidWheel, match="line 1"):
        parse_record(text)


@pytest.mark.parametrize("text", ["a" * (RECORD_MAX_BYTES + 1), "\n" * (RECORD_MAX_ROWS + 1)])
def test_endless_record_is_refused(text: str) -> None:
    with pytest.raises(InvalidWheel, match="RECORD"):
        parse_record(text)


def test_row_without_hash_and_size_has_empty_columns() -> None:
    assert format_row("d-1.dist-info/RECORD") == "d-1.dist-info/RECORD,,\n"


def test_empty_file_has_its_size() -> None:
    assert format_row("a.py", "x", 0) == "a.py,sha256=x,0\n"


@given(PATHS, st.integers(0))
def test_formatted_row_is_read_back(path: str, size_bytes: int) -> None:
    row = format_row(path, "abc", size_bytes)
    assert parse_record(row) == [(path, "sha256=abc", str(size_bytes))]
    assert list(csv.reader(io.StringIO(row, newline=""))) == [[path, "sha256=abc", str(size_bytes)]]


@given(st.lists(st.tuples(PATHS.filter(lambda path: '"' not in path), st.text("abc"), st.text("123"))))
def test_short_way_reads_what_csv_reads(rows: list[tuple[str, str, str]]) -> None:
    rows = [row for row in rows if not set(row[0]) & set(",\r\n")]
    text = "".join(",".join(row) + "\n" for row in rows)
    assert parse_record(text) == [tuple(fields) for fields in csv.reader(io.StringIO(text, newline=""))]
