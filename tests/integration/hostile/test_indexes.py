"""Indexes that lie, contradict or answer with nonsense: named in one line, and nothing of it is installed.

The numbers of the cases are those of docs/hostile-input.md.
"""

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.index import HTML_TYPE, JSON_TYPE, Fault, Index, serving
from tests.support.oracle import Oracle
from tests.support.wheels import Wheel, make_wheel

BAD = make_wheel("bad", "1.0", {"bad.py": "home = 'one'\n"})
#: The same file name, and other bytes.
TWIN = make_wheel("bad", "1.0", {"bad.py": "home = 'another'\n"})
PAGE = "/simple/bad/"
HOME = "import bad; print(bad.home)"
PAGE_BYTES = 256 << 20
QUARANTINED: Any = {"status": "quarantined", "reason": "evil \x1b[31m"}


@pytest.fixture
def other() -> Iterator[Index]:
    """Another index."""
    with serving() as served:
        yield served


def entry(wheel: Wheel, **fields: Any) -> dict[str, Any]:
    url = f"/files/{wheel.filename}"
    return {"filename": wheel.filename, "url": url, "hashes": {"sha256": wheel.sha256}, **fields}


def page(*files: Any, version: str = "1.4", **fields: Any) -> bytes:
    return json.dumps({"meta": {"api-version": version}, "name": "bad", "files": list(files), **fields}).encode()


def serve(index: Index, body: bytes, kind: str = JSON_TYPE, **headers: str) -> None:
    """Lists BAD, and answers with another page than the right one."""
    index.add(BAD)
    index.fault(PAGE, Fault(body=body, headers={"Content-Type": kind, **headers}))


# -- 58, 59, 60: hashes, and one file name on two indexes -----------------------


def test_58_a_hash_of_the_index_that_the_lock_does_not_list_is_refused(index: Index, refusing: Oracle) -> None:
    index.add(TWIN)
    said = refusing.refused(f"{BAD.pin} --hash=sha256:{BAD.sha256}", options=("--no-require-hashes",))
    assert "lock.txt:2" in said and BAD.filename in said and "does not list" in said
    assert f"/files/{TWIN.filename}" not in index.requests, "what the lock forbids is not even downloaded"


def test_58_an_index_that_promises_the_locks_hash_and_sends_something_else_is_refused(
    index: Index, refusing: Oracle
) -> None:
    index.add(TWIN, hashes={"sha256": BAD.sha256})
    said = refusing.refused(f"{BAD.pin} --hash=sha256:{BAD.sha256}", options=("--no-require-hashes",))
    assert "lock.txt:2" in said and TWIN.sha256 in said


def test_59_one_file_name_with_other_bytes_on_two_indexes_is_two_entries(
    index: Index, other: Index, accepting: Oracle
) -> None:
    index.add(BAD)
    other.add(TWIN)
    accepting.accepted(BAD.pin)
    target = accepting.ground.target
    assert target.run(HOME) == "one"
    accepting.accepted("good==1.0")
    accepting.tool.index_url = other.url
    accepting.accepted(BAD.pin, "# elsewhere")
    assert target.run(HOME) == "another"
    assert {BAD.sha256, TWIN.sha256} <= {path.name for path in accepting.tool.cache.glob("wheels-v1/*/*")}


def test_60_what_one_index_sent_without_a_hash_never_answers_for_another(
    index: Index, other: Index, accepting: Oracle
) -> None:
    index.add(BAD, hashes={})
    other.add(TWIN, hashes={})
    accepting.accepted(BAD.pin)
    accepting.accepted("good==1.0")
    accepting.tool.index_url = other.url
    accepting.accepted(BAD.pin, "# elsewhere")
    assert accepting.ground.target.run(HOME) == "another"
    assert f"/files/{TWIN.filename}" in other.requests and PAGE in other.requests


# -- 61: HTML -------------------------------------------------------------------

LINK = f'<a href="/files/{BAD.filename}#sha256={BAD.sha256}">x</a>'

ODD_PAGES = {
    "a base that is no web address": f'<base href="javascript:alert(1)">{LINK}',
    "a base that is a local folder": f'<base href="file:///etc/">{LINK}',
    "unclosed tags": f"<html><body><p><div {LINK}<a href=<b><i>{LINK}<a",
    "duplicate links": LINK * 500,
    "references": LINK.replace(".whl", "&#46;whl").replace("sha256", "sha&#50;56"),
    "comments and scripts": f"<!-- <a href='x.whl'> --><script>'{LINK.replace('bad', 'evil')}'</script>{LINK}",
}


@pytest.mark.parametrize("body", ODD_PAGES.values(), ids=ODD_PAGES.keys())
def test_61_a_page_of_odd_html_is_read_for_what_it_says(index: Index, accepting: Oracle, body: str) -> None:
    serve(index, body.encode(), HTML_TYPE)
    accepting.accepted(BAD.pin)
    assert accepting.ground.target.run(HOME) == "one"


@pytest.mark.parametrize(
    "scheme", ["file://", "javascript:", "data:application/zip;base64,", "ftp://127.0.0.1", "FILE://"]
)
@pytest.mark.parametrize("kind", [HTML_TYPE, JSON_TYPE])
def test_61_a_link_to_something_else_than_the_web_is_left_out(
    index: Index, refusing: Oracle, scheme: str, kind: str
) -> None:
    wheel = refusing.tool.folder / BAD.filename
    wheel.write_bytes(BAD.content)
    link = f"{scheme}{wheel}"
    serve(index, f'<a href="{link}">x</a>'.encode() if kind == HTML_TYPE else page(entry(BAD, url=link)), kind)
    said = refusing.refused(BAD.pin)
    assert "not a web address" in said and BAD.filename in said


def test_61_a_page_that_unpacks_to_too_much_is_refused(index: Index, refusing: Oracle) -> None:
    body = gzip.compress(bytes(PAGE_BYTES + 1), 1)
    serve(index, body, HTML_TYPE, **{"Content-Encoding": "gzip"})
    assert "larger than 256 MiB" in refusing.refused(BAD.pin)


@pytest.mark.parametrize(
    "piece", ["<a ", "<a href=x ", "<!", "<!--", "<a href='", "&#", '<a href="">', "</", "<script>", "<![CDATA["]
)
def test_61_a_page_that_never_ends_what_it_begins_takes_no_longer_than_its_length(
    index: Index, refusing: Oracle, piece: str
) -> None:
    serve(index, piece.encode() * 100_000, HTML_TYPE)
    assert "bad==1.0" in refusing.refused(BAD.pin)


# -- 62: JSON -------------------------------------------------------------------

WRONG_PAGES = {
    "another major version": (page(entry(BAD), version="2.0"), JSON_TYPE, 'version "2.0"'),
    "no files": (page(files=None), JSON_TYPE, "files"),
    "files that are no list": (page(files={"a": 1}), JSON_TYPE, "files"),
    "a list": (b"[]", JSON_TYPE, "is not a project page"),
    "not a number": (page().replace(b'"files": []', b'"files": NaN'), JSON_TYPE, "is not a project page"),
    "nested without end": (b"[" * 1_000_000, JSON_TYPE, "is not a project page"),
    "nested in a field": (page(x=0).replace(b" 0", b'{"a":' * 100_000), JSON_TYPE, "is not a project page"),
    "a huge number": (page(entry(BAD, size=0)).replace(b" 0", b"1" * 5000), JSON_TYPE, "is not a project page"),
    "an infinite number": (page(entry(BAD, size=0)).replace(b" 0", b"1e400"), JSON_TYPE, "is not a project page"),
    "half of it": (page(entry(BAD))[:-9], JSON_TYPE, "is not a project page"),
    "nothing": (b"", JSON_TYPE, "is not a project page"),
    "no UTF-8": (b'{"files": [], "name": "\xff"}', JSON_TYPE, "is not a project page"),
    "another type": (page(entry(BAD)), "application/pdf", "application/pdf"),
    "no type": (page(entry(BAD)), "", "which is no project page"),
    "html that says it is json": (LINK.encode(), JSON_TYPE, "is not a project page"),
}


@pytest.mark.parametrize(("body", "kind", "word"), WRONG_PAGES.values(), ids=WRONG_PAGES.keys())
def test_62_an_answer_that_is_no_page_is_refused_in_one_line(
    index: Index, refusing: Oracle, body: bytes, kind: str, word: str
) -> None:
    serve(index, body, kind)
    said = refusing.refused(BAD.pin)
    assert word in said and "lock.txt:2" in said and len(said) < 2000


def test_62_a_newer_minor_version_is_a_warning(index: Index, accepting: Oracle) -> None:
    serve(index, page(entry(BAD), version="1.9"))
    said = accepting.accepted(BAD.pin)
    assert "warning" in said and "1.9" in said and accepting.ground.target.run(HOME) == "one"


def test_62_of_a_key_that_is_there_twice_the_last_counts(index: Index, accepting: Oracle) -> None:
    serve(index, page(entry(BAD)).replace(b'"name": "bad"', b'"name": "wrong", "name": "bad"'))
    accepting.accepted(BAD.pin)
    assert accepting.ground.target.run(HOME) == "one"


# -- 63, 64, 65, 66: names, types, status ---------------------------------------


def test_63_the_page_of_another_project_is_refused(index: Index, refusing: Oracle) -> None:
    serve(index, page(entry(BAD), name="other\x1b[31m"))
    said = refusing.refused(BAD.pin)
    assert "not of bad" in said and "other\\x1b[31m" in said


@pytest.mark.parametrize(
    "filename",
    [
        "../bad-1.0-py3-none-any.whl",
        "sub/bad-1.0-py3-none-any.whl",
        "bad-1.0-py3-none-any\\..\\x.whl",
        "bad-1.0-py3-none-any%2f..%2fx.whl",
        "%252e%252e%252fbad-1.0-py3-none-any.whl",
        "bad-1.0-py3-none-..-any.whl",
        "bad-1.0-py3-none-any\x00.whl",
        "bad-1.0-py3-none-any\x1b[2J.whl",
        "bad-1.0-py3-none-\u202eany.whl",
    ],
)
@pytest.mark.parametrize("kind", [HTML_TYPE, JSON_TYPE])
def test_64_a_file_with_an_unsafe_name_is_left_out_with_the_reason(
    index: Index, refusing: Oracle, filename: str, kind: str
) -> None:
    if kind == JSON_TYPE:
        serve(index, page(entry(BAD, filename=filename)))
        assert "unsafe file name" in refusing.refused(BAD.pin)
        return
    quoted = filename.replace("%", "%25").replace("/", "%2f").replace("\x00", "%00")
    serve(index, f'<a href="/files/{quoted}">x</a>'.encode(), kind)
    assert "unsafe file name" in refusing.refused(BAD.pin)


@pytest.mark.parametrize("field", ["size", "upload-time", "core-metadata"])
def test_65_an_expendable_field_of_a_wrong_type_costs_the_field(index: Index, accepting: Oracle, field: str) -> None:
    serve(index, page(entry(BAD, **{field: -1 if field == "size" else [1]})))
    accepting.accepted(BAD.pin)
    assert accepting.ground.target.run(HOME) == "one"


@pytest.mark.parametrize(
    "fields", [{"requires-python": 3}, {"yanked": 1}, {"yanked": []}, {"hashes": "sha256"}, {"hashes": {"sha256": 1}}]
)
def test_65_a_field_of_a_wrong_type_that_decides_costs_the_file(
    index: Index, accepting: Oracle, fields: dict[str, Any]
) -> None:
    twin = make_wheel("bad", "1.0", {"bad.py": "home = 'built'\n"}, build="1")
    index.add(twin)
    serve(index, page(entry(twin, **fields), entry(BAD), "no file at all", {"url": "x"}))
    said = accepting.accepted(BAD.pin, options=("-v",))
    assert accepting.ground.target.run(HOME) == "one", "the other file has the higher build, but a broken entry"
    assert "left out" in said and twin.filename in said


def test_65_a_file_whose_needs_cannot_be_read_is_not_installed_and_the_refusal_says_why(
    index: Index, refusing: Oracle
) -> None:
    serve(index, page(entry(BAD, **{"requires-python": 3})))
    said = refusing.refused(BAD.pin)
    assert "left out" in said and BAD.filename in said


@pytest.mark.parametrize("kind", [HTML_TYPE, JSON_TYPE])
def test_66_a_quarantined_project_has_no_candidates(index: Index, refusing: Oracle, kind: str) -> None:
    body = page(entry(BAD), **{"project-status": QUARANTINED})
    html = f'<meta name="pypi:project-status" content="quarantined">{LINK}'.encode()
    serve(index, html if kind == HTML_TYPE else body, kind)
    assert "quarantined" in refusing.refused(BAD.pin)


def test_66_a_quarantine_of_the_first_index_is_not_got_around_by_the_next(
    index: Index, other: Index, refusing: Oracle
) -> None:
    index.add(BAD)
    serve(other, page(**{"project-status": QUARANTINED}))
    said = refusing.refused(BAD.pin, options=("--index", other.url))
    assert "quarantined" in said and PAGE not in index.requests
