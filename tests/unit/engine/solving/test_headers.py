"""Of METADATA only the headers count, and only those of what was asked for."""

import pytest
from packaging.utils import NormalizedName
from packaging.version import Version

from engine.errors import InvalidWheel
from engine.solving.headers import read_metadata
from resolver.requests import Metadata

HEAD = b"Metadata-Version: 2.1\nName: De.Mo\nVersion: 1.0\n"


def read(body: bytes) -> Metadata:
    return read_metadata(body, NormalizedName("de-mo"), Version("1.0.0"))


def test_headers_are_read_as_they_are() -> None:
    body = HEAD + b"Requires-Python: >=3.8\nrequires-dist: a>=1; extra == 'x'\nRequires-Dist: b\nProvides-Extra: X\n"
    assert read(body) == Metadata(("a>=1; extra == 'x'", "b"), ">=3.8", ("X",))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_text_behind_the_first_empty_line_is_no_header(end: str) -> None:
    body = (HEAD + b"Requires-Dist: a\n\nRequires-Dist: b\n").replace(b"\n", end.encode())
    assert read(body).requires_dist == ("a",)


def test_a_value_goes_on_in_lines_that_begin_with_white_space() -> None:
    body = HEAD + b"Requires-Dist: a\n  ; python_version < '3'\nDescription: text\n        Requires-Dist: b\n"
    assert read(body).requires_dist == ("a ; python_version < '3'",)


def test_an_empty_requires_python_allows_all() -> None:
    assert read(HEAD + b"Requires-Python: \n").requires_python is None


@pytest.mark.parametrize(
    "body",
    [b"", b"\n" + HEAD, HEAD.replace(b"De.Mo", b"other"), HEAD.replace(b"1.0", b"1.1"), b"Name: de-mo\n", b"\xff"],
)
def test_metadata_of_something_else_are_refused(body: bytes) -> None:
    with pytest.raises(InvalidWheel, match="asked for was"):
        read(body)


def test_what_is_shown_of_a_wrong_name_is_short() -> None:
    with pytest.raises(InvalidWheel) as caught:
        read(b"Name: " + b"x" * 10_000)
    assert len(caught.value.message) < 200
