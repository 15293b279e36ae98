"""Publishing wheels: all or nothing, the first one stays, damage is replaced."""

from pathlib import Path

import pytest

from cache import CacheError
from cache.entries import EntryStore
from cache.layout import Layout
from cache.manifest import Manifest
from tests.unit.engine.entries import write_tree

KEY = "cd" + "1" * 62


@pytest.fixture
def store(tmp_path: Path) -> EntryStore:
    return EntryStore(Layout(str(tmp_path / "cache")))


def finished(store: EntryStore, name: str, content: bytes = b"one") -> tuple[str, Manifest]:
    """Returns a folder that is ready to be published, and its manifest."""
    folder = Path(store.layout.temporary) / name
    manifest = Manifest(
        filename="a-1-py3-none-any.whl",
        name="a",
        version="1",
        dist_info="a-1.dist-info",
        data=None,
        root_is_purelib=True,
        files=write_tree(folder / "tree", {"a.py": content}),
    )
    return str(folder), manifest


def test_an_entry_that_nobody_published_is_a_miss(store: EntryStore) -> None:
    assert not store.has(KEY)
    assert store.load(KEY) is None


def test_a_published_entry_is_found_with_the_stamp_of_its_manifest(store: EntryStore) -> None:
    folder, manifest = finished(store, "one")
    published, stamp = store.publish(folder, KEY, manifest)
    assert published == manifest
    assert store.has(KEY)
    assert store.load(KEY) == (manifest, stamp)
    assert stamp == Path(store.layout.manifest(KEY)).stat().st_mtime_ns
    assert Path(store.layout.tree(KEY), "a.py").read_bytes() == b"one"


def test_publishing_takes_the_folder_away(store: EntryStore) -> None:
    folder, manifest = finished(store, "one")
    store.publish(folder, KEY, manifest)
    assert not Path(folder).exists()


def test_the_second_to_publish_gets_the_first_ones_entry_and_keeps_its_folder(store: EntryStore) -> None:
    first, manifest = finished(store, "one", b"first")
    mine = store.publish(first, KEY, manifest)
    second, other = finished(store, "two", b"second!")
    assert store.publish(second, KEY, other) == mine
    assert Path(store.layout.tree(KEY), "a.py").read_bytes() == b"first"
    assert Path(second, "tree", "a.py").read_bytes() == b"second!"


@pytest.mark.parametrize("damage", [b"", b"{}", b'{"format":1'])
def test_a_damaged_manifest_is_an_error_to_a_reader_and_replaced_by_a_publisher(
    store: EntryStore, damage: bytes
) -> None:
    folder, manifest = finished(store, "one")
    store.publish(folder, KEY, manifest)
    Path(store.layout.manifest(KEY)).write_bytes(damage)
    with pytest.raises(CacheError):
        store.load(KEY)
    again, manifest = finished(store, "two", b"again")
    store.publish(again, KEY, manifest)
    assert Path(store.layout.tree(KEY), "a.py").read_bytes() == b"again"
    loaded = store.load(KEY)
    assert loaded is not None and loaded[0] == manifest


def test_an_entry_without_a_manifest_is_replaced(store: EntryStore) -> None:
    folder, manifest = finished(store, "one")
    store.publish(folder, KEY, manifest)
    Path(store.layout.manifest(KEY)).unlink()
    again, manifest = finished(store, "two", b"again")
    store.publish(again, KEY, manifest)
    assert Path(store.layout.tree(KEY), "a.py").read_bytes() == b"again"


def test_what_is_set_aside_is_a_miss_and_leaves_nothing(store: EntryStore) -> None:
    folder, manifest = finished(store, "one")
    store.publish(folder, KEY, manifest)
    store.set_aside(KEY)
    assert not store.has(KEY)
    assert list(Path(store.layout.temporary).iterdir()) == []


def test_setting_aside_what_another_process_has_set_aside_is_no_error(store: EntryStore) -> None:
    store.set_aside(KEY)
    assert not store.has(KEY)
