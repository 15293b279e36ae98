"""Bytes to text, text to lines: as pip reads them, and never in the encoding of the machine."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pip._internal.req.req_file import _decode_req_file, ignore_comments, join_lines

from engine.lock.text import decode, expand, logical_lines, variables_in

TEXT = "# ä\nfoo==1.0\n"
MARKS = {
    "utf-8": codecs.BOM_UTF8,
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
    "utf-32-be": codecs.BOM_UTF32_BE,
}


@pytest.mark.parametrize("encoding", MARKS)
def test_a_byte_order_mark_decides(encoding: str) -> None:
    assert decode(MARKS[encoding] + TEXT.encode(encoding)) == TEXT


@pytest.mark.parametrize(
    "line", ["# -*- coding: latin-1 -*-", "# vim: set fileencoding=latin-1 :", "#!/x\n# coding=latin-1"]
)
def test_a_declaration_in_the_first_two_lines_decides_as_in_pip(line: str) -> None:
    data = f"{line}\n{TEXT}".encode("latin-1")
    assert decode(data) == _decode_req_file(data, "x") == f"{line}\n{TEXT}"


def test_without_a_mark_and_a_declaration_it_is_utf_8() -> None:
    assert decode(TEXT.encode()) == TEXT
    # The third line, and a line that is no comment, declare nothing.
    assert decode(f"\n\n# coding: latin-1\n{TEXT}".encode()).endswith(TEXT)
    assert decode(f"foo==1 # coding: latin-1\n{TEXT}".encode()).endswith(TEXT)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\xe9", r"not UTF-8 text \(byte 0\)"),
        (codecs.BOM_UTF16_LE + b"a", "not UTF-16-LE text"),
        (b"# coding: ascii\n\xe9", "not ASCII text"),
        (b"# coding: nonsense\n", '"nonsense" is no encoding'),
        (b"# coding: hex\n", '"hex" is no encoding'),
        (b"# coding: rot13\n", '"rot13" is no encoding'),
    ],
)
def test_what_is_no_text_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        decode(data)


@given(st.binary(max_size=60))
def test_any_bytes_are_text_or_refused(data: bytes) -> None:
    try:
        assert isinstance(decode(data), str)
    except ValueError:
        pass


@given(st.text(st.sampled_from("ab \t#\\\n"), max_size=30))
def test_lines_are_those_of_pip(text: str) -> None:
    physical = list(enumerate(text.split("\n"), 1))
    theirs = [(number, line) for number, line in ignore_comments(join_lines(physical))]
    # pip takes several backslashes off the end of a line and off its beginning; one is what everybody writes.
    if "\\\\" not in text and "\n\\" not in f"\n{text}":
        assert list(logical_lines(text)) == theirs


def test_variables_have_one_form() -> None:
    line = "${A} ${B_2} ${lower} $A ${} ${A-B} ${UNSET} ${EMPTY}"
    assert variables_in(line) == ["A", "B_2", "UNSET", "EMPTY"]
    assert expand(line, {"A": "1", "B_2": "${A}", "EMPTY": ""}) == "1 ${A} ${lower} $A ${} ${A-B} ${UNSET} ${EMPTY}"
