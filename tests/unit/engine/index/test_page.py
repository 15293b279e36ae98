import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidPage
from engine.index.page import ProjectPage

URL = "https://example.com/simple/foo/"
WHEEL = "foo-1.0-py3-none-any.whl"


def file(**fields: Any) -> dict[str, Any]:
    return {"filename": WHEEL, "url": WHEEL, "hashes": {}, **fields}


def page(*files: Any, **fields: Any) -> ProjectPage:
    body = {"meta": {"api-version": "1.1"}, "name": "foo", "files": list(files), **fields}
    return ProjectPage.from_json(json.dumps(body).encode(), URL, "foo")


def html(body: str, url: str = URL) -> ProjectPage:
    return ProjectPage.from_html(body.encode(), url, "Foo")


def test_json_fields_are_read() -> None:
    read = page(
        file(
            hashes={"sha256": "ab", "md5": "cd", "unknown": "ef"},
            size=12,
            yanked="broken",
            **{
                "requires-python": ">=3.8",
                "upload-time": "2024-01-01T00:00:00Z",
                "core-metadata": {"sha256": "12"},
                "gpg-sig": True,
            },
        ),
        versions=["1.0"],
        unknown={"a": 1},
        **{"project-status": {"status": "archived", "reason": "old"}},
    )
    (wheel,) = read.files
    assert wheel.hashes == {"sha256": "ab", "md5": "cd"}
    assert (wheel.filename, wheel.size, wheel.yanked, wheel.requires_python) == (WHEEL, 12, "broken", ">=3.8")
    assert (wheel.upload_time, wheel.core_metadata) == ("2024-01-01T00:00:00Z", {"sha256": "12"})
    assert (read.name, read.versions, read.status, read.notes) == ("foo", ("1.0",), "archived", ())
    assert (read.status_reason, read.status_words) == ("old", "archived (old)")


def test_absent_json_fields_have_defaults() -> None:
    read = ProjectPage.from_json(b'{"files": [{"filename": "a.whl", "url": "a.whl"}]}', URL, "Foo_Bar")
    (wheel,) = read.files
    assert (wheel.hashes, wheel.size, wheel.yanked, wheel.requires_python) == ({}, None, False, None)
    assert (wheel.upload_time, wheel.core_metadata) == (None, False)
    assert (read.name, read.versions, read.status) == ("foo-bar", (), "active")


@pytest.mark.parametrize(
    ("link", "absolute"),
    [
        (WHEEL, f"https://example.com/simple/foo/{WHEEL}"),
        (f"../../files/{WHEEL}", f"https://example.com/files/{WHEEL}"),
        (f"/files/{WHEEL}", f"https://example.com/files/{WHEEL}"),
        (f"//files.example.com/{WHEEL}", f"https://files.example.com/{WHEEL}"),
        (f"http://127.0.0.1:8/{WHEEL}?x=a:b", f"http://127.0.0.1:8/{WHEEL}?x=a:b"),
        ("get?file=a:b", "https://example.com/simple/foo/get?file=a:b"),
    ],
)
def test_links_become_absolute_on_use(link: str, absolute: str) -> None:
    read = page(file(url=link))
    assert read.file_url(read.files[0]) == absolute


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "ftp://example.com/a",
        "data:,a",
        "java\nscript:a/b",
        "",
        "git+https://example.com/a",
    ],
)
def test_links_that_do_not_lead_to_the_web_are_left_out(link: str) -> None:
    read = page(file(url=link), file(filename="foo-2.0.tar.gz"))
    assert [kept.filename for kept in read.files] == ["foo-2.0.tar.gz"]
    assert "not a web address" in read.notes[0]


@pytest.mark.parametrize("base", ["https://example.com?x=/a", "https://example.com#f/a", "https://example.com"])
def test_a_link_from_the_root_stays_behind_the_origin_whatever_the_base(base: str) -> None:
    read = html(f'<base href="{base}"><a href="/files/{WHEEL}">x</a>')
    assert read.file_url(read.files[0]) == f"https://example.com/files/{WHEEL}"


def test_a_link_that_cannot_be_joined_is_returned_as_it_is() -> None:
    read = page(file(url="//[/a"))
    assert read.file_url(read.files[0]) == "//[/a"


def test_file_links_are_kept_on_a_page_from_a_file() -> None:
    body = json.dumps({"files": [file(url="file:///index/foo.whl")]}).encode()
    read = ProjectPage.from_json(body, "file:///index/foo/index.json", "foo")
    assert read.file_url(read.files[0]) == "file:///index/foo.whl"


@pytest.mark.parametrize(
    "name",
    [
        "../foo.whl",
        "a/foo.whl",
        "a\\foo.whl",
        "a%2ffoo.whl",
        "a%252ffoo.whl",
        "..",
        "a\nb.whl",
        "a\x00.whl",
        "a\u202eb.whl",
        "",
    ],
)
def test_unsafe_file_names_are_left_out(name: str) -> None:
    read = page(file(filename=name), file())
    assert [kept.filename for kept in read.files] == [WHEEL]
    assert "unsafe file name" in read.notes[0]
    assert "\n" not in read.notes[0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": "big"},
        {"size": -1},
        {"size": 1.5},
        {"upload-time": 5},
        {"core-metadata": "yes"},
        {"core-metadata": [1]},
        {"yanked": None},
    ],
)
def test_an_optional_field_of_a_wrong_type_is_ignored(wrong: dict[str, Any]) -> None:
    read = page(file(**wrong), file(filename="foo-2.0.tar.gz", size=5))
    first, second = read.files
    assert (first.size, first.upload_time, first.core_metadata, first.yanked) == (None, None, False, False)
    assert second.size == 5


@pytest.mark.parametrize(
    "wrong",
    [
        {"yanked": 5},
        {"requires-python": ["3"]},
        {"hashes": "sha256=ab"},
        {"hashes": {"sha256": 5}},
        {"filename": 5},
        {"url": None},
    ],
)
def test_a_file_whose_meaning_is_unclear_is_left_out(wrong: dict[str, Any]) -> None:
    read = page(file(**wrong), file(filename="foo-2.0.tar.gz"), 5, None, [])
    assert [kept.filename for kept in read.files] == ["foo-2.0.tar.gz"]
    assert len(read.notes) == 4


def test_a_page_with_other_wrong_types_keeps_its_meaning() -> None:
    read = page(file(), versions=["1.0", 2], **{"project-status": {"status": "quarantined"}})
    assert (read.versions, read.status) == (("1.0",), "quarantined")
    assert page(file(), versions=5, meta=None, **{"project-status": 5}).status == "active"
    odd = page(file(), **{"project-status": {"status": "sleeping", "reason": 5}})
    assert (odd.status_reason, odd.status_words) == ("", "sleeping, a status that engine does not know")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"null",
        b'{"name": "foo"}',
        b'{"files": null}',
        b'{"files": {}}',
        b'{"files": [], "meta": NaN}',
        b'{"files": [' + b"[" * 100_000,
        b'{"files": [{"filename": "\xff", "url": "a"}]}',
        b'{"files": [], "versions": [' + b"9" * 5000 + b"]}",
        b"\xff\xfe{\x00}\x00",
    ],
)
def test_what_is_no_page_is_one_line_of_error(body: bytes) -> None:
    with pytest.raises(InvalidPage) as caught:
        ProjectPage.from_json(body, "https://user:secret@example.com/simple/foo/", "foo")
    assert "https://***@example.com/simple/foo/" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("version", ["2.0", "2", "0.9", "10.0", "", 2.0])
def test_another_major_version_is_refused(version: object) -> None:
    with pytest.raises(InvalidPage, match="reads version 1"):
        page(file(), meta={"api-version": version})


def test_a_newer_minor_version_is_warned_about_once_for_a_host() -> None:
    (warning,) = page(file(), meta={"api-version": "1.9"}).warnings
    assert warning.startswith("https://example.com speaks version 1.9 ")
    assert page(file(), meta={"api-version": "1.4"}).notes == ()


def test_the_page_of_another_project_is_refused() -> None:
    with pytest.raises(InvalidPage, match='page of "bar", not of foo'):
        page(file(), name="bar")
    assert page(file(), name="FOO").name == "foo"


def test_html_attributes_are_read() -> None:
    read = html(
        f"""<!DOCTYPE html><html><head><meta name="pypi:repository-version" content="1.1">
        <meta name="pypi:project-status" content="deprecated">
        <meta name="pypi:project-status-reason" content="use bar"></head><body>
        <a href="{WHEEL}#sha256=ab" data-requires-python="&gt;=3.8" data-yanked="a &amp; b"
           data-core-metadata="sha256=cd" data-dist-info-metadata="true">text</a>
        <a href="../foo-1.0.tar.gz#egg=foo&amp;sha512=ef" data-yanked data-dist-info-metadata="true">
        <a href="foo-2.0.tar.gz#md5=12" data-core-metadata="false" data-yanked=""><a name="no link">"""
    )
    wheel, sdist, other = read.files
    assert (wheel.filename, wheel.hashes, wheel.requires_python) == (WHEEL, {"sha256": "ab"}, ">=3.8")
    assert (wheel.yanked, wheel.core_metadata) == ("a & b", {"sha256": "cd"})
    assert (sdist.hashes, sdist.yanked, sdist.core_metadata) == ({"sha512": "ef"}, True, True)
    assert (other.hashes, other.yanked, other.core_metadata) == ({"md5": "12"}, True, False)
    assert (read.name, read.status) == ("foo", "deprecated") and read.status_words == "deprecated (use bar)"
    assert read.file_url(sdist) == "https://example.com/simple/foo-1.0.tar.gz"


def test_html_file_names_are_decoded_once() -> None:
    read = html('<a href="files/foo-1.0%2Bcpu-py3-none-any.whl?a/b#sha256=1">x</a>')
    assert read.files[0].filename == "foo-1.0+cpu-py3-none-any.whl"
    assert read.file_url(read.files[0]) == "https://example.com/simple/foo/files/foo-1.0%2Bcpu-py3-none-any.whl?a/b"


def test_the_first_html_base_counts() -> None:
    read = html(f'<base href="https://files.example.com/a/"><base href="/b/"><a href="{WHEEL}">x</a>')
    assert read.file_url(read.files[0]) == f"https://files.example.com/a/{WHEEL}"
    relative = html(f'<base href="/a/"><a href="{WHEEL}">x</a>')
    assert relative.file_url(relative.files[0]) == f"https://example.com/a/{WHEEL}"


@pytest.mark.parametrize("base", ["javascript:alert(1)", "file:///", "data:text/html,"])
def test_a_hostile_html_base_is_ignored(base: str) -> None:
    read = html(f'<base href="{base}"><a href="{WHEEL}">x</a>')
    assert read.file_url(read.files[0]) == URL + WHEEL
    assert read.notes


@pytest.mark.parametrize(
    "href",
    [
        "file:///etc/foo.whl",
        "javascript:foo.whl",
        "jav&#x0A;ascript:foo.whl",
        "a/..%2ffoo.whl",
        "a/%252e%252e%252ffoo.whl",
        "/",
    ],
)
def test_hostile_html_links_are_left_out(href: str) -> None:
    assert html(f'<a href="{href}">x</a><a href="foo-1.0.tar.gz">').files[0].filename == "foo-1.0.tar.gz"


def test_another_major_version_in_html_is_refused() -> None:
    with pytest.raises(InvalidPage, match="reads version 1"):
        html('<meta name="pypi:repository-version" content="2.0">')


@given(
    st.lists(
        st.sampled_from(
            ["<a href=", "<", ">", '"', "</a", "<!--", "<![", "<!", "<?", "&#x", "a.whl", " ", "\x00", "<base "]
        )
    )
)
def test_broken_html_is_a_page_or_an_error(pieces: list[str]) -> None:
    with suppress(InvalidPage):
        html("".join(pieces))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=3),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "files",
                        "meta",
                        "name",
                        "filename",
                        "url",
                        "hashes",
                        "yanked",
                        "size",
                        "api-version",
                        "project-status",
                        "status",
                    ]
                ),
                inner,
            )
        ),
    )
)
def test_any_json_is_a_page_or_an_error(value: Any) -> None:
    try:
        read = ProjectPage.from_json(json.dumps(value).encode(), URL, "foo")
    except InvalidPage:
        return
    assert isinstance(value, dict) and len(read.files) <= len(value["files"])


def test_unpack_reads_what_pack_wrote() -> None:
    read = page(
        file(
            hashes={"sha256": "ab"},
            yanked="why",
            size=0,
            **{"core-metadata": {"sha256": "1"}, "requires-python": ">=3"},
        ),
        file(url="bad:"),
        versions=["1.0"],
    )
    assert read.notes and ProjectPage.unpack(read.pack()) == read


@pytest.mark.parametrize("cut", [0, 1, 10, -1])
def test_a_damaged_packed_page_is_a_miss(cut: int) -> None:
    assert ProjectPage.unpack(page(file()).pack()[:cut]) is None


@pytest.mark.parametrize("body", [b"\x00", b"\x80", b"{}", b"\xc1", b"\x91" * 100_000])
def test_other_bytes_are_a_miss(body: bytes) -> None:
    assert ProjectPage.unpack(body) is None
