"""Deleting a cache, all of it or some projects: its own buckets, and nothing that is not its own."""

import re
from pathlib import Path

import pytest

from cache import plans
from cache.cleaning import clean, clean_projects, remove_if_empty
from cache.disposal import Disposal
from cache.inventory import CURRENT, entry_keys
from cache.layout import Layout
from cache.records import RecordStore
from tests.unit.engine.entries import RELATIVE, publish


def make(root: Path) -> Layout:
    layout = Layout(str(root))
    layout.create()
    RecordStore(layout.bucket("index-v3")).put("a/b", b"123")
    RecordStore(layout.bucket("index-v32")).put("c", b"4567")
    return layout


def clean_all(layout: Layout) -> int:
    """Cleans the cache; returns how many files that deleted."""
    trash = Path(layout.temporary, "trash")
    trash.mkdir(parents=True)
    disposal = Disposal(str(trash))
    clean(layout, disposal)
    assert disposal.refused == []
    removed = disposal.empty()
    trash.rmdir()
    remove_if_empty(layout)
    return removed.files


def test_a_whole_cache_is_gone_with_its_folder(tmp_path: Path) -> None:
    assert clean_all(make(tmp_path / "cache")) == 2
    assert not (tmp_path / "cache").exists()


def test_a_run_that_lives_keeps_the_folder(tmp_path: Path) -> None:
    layout = make(tmp_path / "cache")
    Path(layout.temporary, "1-living").mkdir(parents=True)
    clean_all(layout)
    assert Path(layout.temporary, "1-living").is_dir()
    assert Path(layout.root, "CACHEDIR.TAG").exists()


def test_other_files_and_folders_stay_and_so_does_the_tag(tmp_path: Path) -> None:
    layout = make(tmp_path)
    (tmp_path / "notes-v1.txt").write_text("mine")
    (tmp_path / "src").mkdir()
    (tmp_path / "api-v2").mkdir()
    (tmp_path / "wheels-vault").mkdir()
    (tmp_path / "plans-v1").write_text("a file, no bucket")
    assert clean_all(layout) == 2
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["CACHEDIR.TAG", "api-v2", "notes-v1.txt", "plans-v1", "src", "wheels-vault"]


@pytest.mark.parametrize("place", ["wheels-v1", "index-v3/link"])
def test_a_link_is_not_followed(place: str, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").write_text("x")
    layout = make(tmp_path / "cache")
    (Path(layout.root) / place).symlink_to(elsewhere)
    clean_all(layout)
    assert (elsewhere / "precious").read_text() == "x"


def test_a_file_is_not_a_cache(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(NotADirectoryError):
        clean(Layout(str(tmp_path / "file")), Disposal(None))


@pytest.mark.parametrize(
    ("patterns", "left"), [(["one"], {"two", "other"}), (["o*"], {"two"}), (["none"], {"one", "two", "other"})]
)
def test_some_projects_lose_their_wheels_pages_and_plans(patterns: list[str], left: set[str], tmp_path: Path) -> None:
    entries = {name: publish(tmp_path, {f"{name}.py": b""}, name=name) for name in ("one", "two", "other")}
    layout = Layout(str(tmp_path))
    pages = RecordStore(layout.bucket("index-v3"))
    metadata = RecordStore(layout.bucket("metadata-v2"))
    for number, (name, entry) in enumerate(entries.items()):
        pages.put(f"index/{name}", b"page")
        metadata.put(name, b"metadata")
        plans.store(layout.plan(f"{number:064x}"), plans.Plan(RELATIVE, [entry]))
    trash = tmp_path / "tmp-v1" / "trash"
    trash.mkdir(parents=True)
    gone = clean_projects(layout, patterns, Disposal(str(trash)))
    assert {wheel.name for wheel in gone.wheels} == set(entries) - left
    assert gone.unmatched == ([] if gone.wheels else patterns)
    assert set(entry_keys(layout)) == {entries[name].sha256 for name in left}
    for number, name in enumerate(entries):
        assert pages.has(f"index/{name}") == metadata.has(name) == (name in left)
        assert Path(layout.plan(f"{number:064x}")).exists() == (name in left)


def test_every_bucket_that_the_sources_name_is_known_with_its_version() -> None:
    root = Path(__file__).resolve().parents[3]
    sources = [*(root / "cache").rglob("*.py"), *(root / "engine").rglob("*.py")]
    named = {
        (kind, int(version))
        for path in sources
        for kind, version in re.findall(r"\b([a-z]+)-v(\d)\b", path.read_text(encoding="utf-8"))
    }
    assert named == set(CURRENT.items())
