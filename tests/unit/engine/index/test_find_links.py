"""Folders, pages and single files are read as lists of files, and sorted by project."""

from pathlib import Path

import pytest

from engine.errors import ConfigurationError, IndexUnavailable
from engine.index.find_links import archive_page, by_project, read_place, read_project
from engine.index.page import File, ProjectPage
from engine.index.places import has_project, is_local, names_archive

WHEEL = "Demo_X-1.0-py3-none-any.whl"


def filenames(page: ProjectPage) -> list[str]:
    return [file.filename for file in page.files]


def test_a_folder_lists_its_archives_in_one_order_with_their_sizes(tmp_path: Path) -> None:
    for name in (WHEEL, "a-1.0.tar.gz", "b-1.0.zip", "readme.txt"):
        (tmp_path / name).write_bytes(b"12345")
    (tmp_path / "folder-1.0-py3-none-any.whl").mkdir()
    page = read_place(str(tmp_path))
    assert filenames(page) == [WHEEL, "a-1.0.tar.gz", "b-1.0.zip"] and {file.size for file in page.files} == {5}
    assert page.file_url(page.files[0]) == (tmp_path / WHEEL).as_uri()
    assert read_place(tmp_path.as_uri()) == page


def test_a_name_that_is_no_text_is_left_out(tmp_path: Path) -> None:
    try:
        (tmp_path / "demo-\udcff-py3-none-any.whl").write_bytes(b"")
    except (OSError, UnicodeError):
        pytest.skip("this file system only knows text")
    page = read_place(str(tmp_path))
    assert page.files == () and "unsafe file name" in page.notes[0]


@pytest.mark.parametrize("name", ["missing", "missing.html", "missing-1.0-py3-none-any.whl", "text"])
def test_a_place_that_is_none_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "text").write_bytes(b"")
    with pytest.raises(IndexUnavailable, match=name):
        read_place(str(tmp_path / name))


def test_a_place_on_another_host_is_refused() -> None:
    with pytest.raises(ConfigurationError):
        read_place("file://example.com/wheels")


def test_files_are_sorted_by_the_project_that_their_names_tell() -> None:
    names = [WHEEL, "demo.x-2.0.tar.gz", "demo-x-3.0.zip", "other-1.0-py3-none-any.whl", "odd.whl", "odd.txt", ".zip"]
    page = ProjectPage.of_files([File(filename=name, url=f"/{name}") for name in names], "https://example.com/links/")
    pages = by_project(page)
    assert {name: filenames(found) for name, found in pages.items()} == {"demo-x": names[:3], "other": names[3:4]}
    assert pages["other"].file_url(pages["other"].files[0]) == "https://example.com/other-1.0-py3-none-any.whl"


def test_a_single_file_on_the_web_is_a_page_of_its_own() -> None:
    url = f"https://example.com/a%20b/{WHEEL}?x=1&y=2#sha256={'a' * 64}"
    (file,) = archive_page(url).files
    assert (file.filename, file.hashes) == (WHEEL, {"sha256": "a" * 64})
    assert archive_page(url).file_url(file) == url.partition("#")[0]


@pytest.mark.parametrize("shape", ["page", "files", "nothing"])
def test_a_project_of_a_local_index_has_a_page_or_files(tmp_path: Path, shape: str) -> None:
    folder = tmp_path / "demo-x"
    folder.mkdir()
    if shape != "nothing":
        (folder / WHEEL).write_bytes(b"1")
        (folder / "other-1.0-py3-none-any.whl").write_bytes(b"1")
    if shape == "page":
        (folder / "index.html").write_text(f'<a href="../{WHEEL}">x</a>')
    page = read_project(str(tmp_path), "demo-x")
    assert page.name == "demo-x" and filenames(page) == ([] if shape == "nothing" else [WHEEL])
    if shape == "page":
        assert page.file_url(page.files[0]) == (tmp_path / WHEEL).as_uri()
    assert has_project(str(tmp_path), "demo-x") and not has_project(tmp_path.as_uri(), "other")


def test_a_local_index_that_is_not_there_is_an_error_and_not_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="nowhere"):
        has_project(str(tmp_path / "nowhere"), "demo")
    (tmp_path / "file").touch()
    with pytest.raises(IndexUnavailable, match="file"):
        has_project(str(tmp_path / "file"), "demo")


@pytest.mark.parametrize(
    ("place", "local", "archive"),
    [
        ("/srv/wheels", True, False),
        (f"/srv/{WHEEL}", True, True),
        ("file:///srv/wheels", True, False),
        ("https://example.com/wheels/", False, False),
        (f"https://example.com/{WHEEL}#sha256=12", False, True),
        ("https://example.com/page?file=a.whl", False, False),
    ],
)
def test_kinds_of_places(place: str, local: bool, archive: bool) -> None:
    assert (is_local(place), names_archive(place)) == (local, archive)


def test_an_address_whose_scheme_was_forgotten_is_told_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        has_project(str(tmp_path / "u:sekret@example.com/simple"), "demo")
    assert "example.com" in str(caught.value) and "sekret" not in str(caught.value)
