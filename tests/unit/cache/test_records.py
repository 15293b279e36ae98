"""Small records: stored by one rename; a cache that cannot be written only costs time."""

from pathlib import Path

from cache.records import RecordStore


def test_what_was_put_is_got(tmp_path: Path) -> None:
    store = RecordStore(str(tmp_path / "index-v3"))
    store.put("one", b"1")
    store.put("two", b"")
    assert (store.get("one"), store.get("two"), store.get("three")) == (b"1", b"", None)


def test_a_key_may_have_folders(tmp_path: Path) -> None:
    store = RecordStore(str(tmp_path / "index-v3"))
    store.put("index/project", b"page")
    assert store.get("index/project") == b"page"
    assert (tmp_path / "index-v3" / "index" / "project").read_bytes() == b"page"


def test_putting_again_replaces_and_leaves_no_temporary_file(tmp_path: Path) -> None:
    store = RecordStore(str(tmp_path))
    store.put("one", b"a long first value")
    store.put("one", b"2")
    assert store.get("one") == b"2"
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


def test_a_bucket_that_cannot_be_made_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    store = RecordStore(str(tmp_path / "file"))
    store.put("one", b"1")
    assert store.get("one") is None


def test_a_record_that_cannot_be_published_leaves_no_temporary_file(tmp_path: Path) -> None:
    (tmp_path / "one" / "inside").mkdir(parents=True)
    store = RecordStore(str(tmp_path))
    store.put("one", b"1")
    assert store.get("one") is None
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
