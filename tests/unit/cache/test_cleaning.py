"""Deleting a cache: all of its buckets, and nothing that is not its own."""

import re
from pathlib import Path

import pytest

from cache.cleaning import BUCKETS, Removed, clean
from cache.layout import Layout
from cache.records import RecordStore


def make(root: Path) -> None:
    layout = Layout(str(root))
    layout.create()
    RecordStore(layout.bucket("index-v1")).put("a/b", b"123")
    RecordStore(layout.bucket("index-v12")).put("c", b"4567")


def test_a_whole_cache_is_gone_with_its_folder(tmp_path: Path) -> None:
    root = tmp_path / "cache"
    make(root)
    assert clean(str(root)) == Removed(files=2, bytes=7)
    assert not root.exists()


def test_a_second_time_there_is_no_cache(tmp_path: Path) -> None:
    make(tmp_path / "cache")
    clean(str(tmp_path / "cache"))
    assert clean(str(tmp_path / "cache")) is None


def test_other_files_and_folders_stay_and_so_does_the_tag(tmp_path: Path) -> None:
    make(tmp_path)
    (tmp_path / "notes-v1.txt").write_text("mine")
    (tmp_path / "src").mkdir()
    (tmp_path / "api-v2").mkdir()
    (tmp_path / "wheels-vault").mkdir()
    (tmp_path / "plans-v1").write_text("a file, no bucket")
    assert clean(str(tmp_path)) == Removed(files=2, bytes=7)
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["CACHEDIR.TAG", "api-v2", "notes-v1.txt", "plans-v1", "src", "wheels-vault"]


def test_a_link_with_the_name_of_a_bucket_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").write_text("x")
    root = tmp_path / "cache"
    make(root)
    (root / "wheels-v1").symlink_to(elsewhere)
    clean(str(root))
    assert (elsewhere / "precious").read_text() == "x"


def test_links_inside_a_bucket_are_removed_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").write_text("x")
    root = tmp_path / "cache"
    make(root)
    (root / "index-v1" / "link").symlink_to(elsewhere)
    clean(str(root))
    assert not root.exists()
    assert (elsewhere / "precious").read_text() == "x"


def test_a_file_is_not_a_cache(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(NotADirectoryError):
        clean(str(tmp_path / "file"))


def test_every_bucket_that_the_sources_name_is_cleaned() -> None:
    root = Path(__file__).resolve().parents[3]
    sources = [*(root / "cache").rglob("*.py"), *(root / "engine").rglob("*.py")]
    named = {found for path in sources for found in re.findall(r"\b([a-z]+)-v\d\b", path.read_text(encoding="utf-8"))}
    assert named and named <= BUCKETS
