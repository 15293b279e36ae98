"""Publishing wheels: all or nothing, the first one stays, damage is replaced."""

import errno
import os
import re
import shutil
import time
from collections.abc import Iterator
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


@pytest.fixture
def other_device(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system, where there is one."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no other file system")
    folder = memory / f"entries-{os.getpid()}"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


def test_what_the_cache_refuses_is_published_in_the_private_layer(store: EntryStore, other_device: Path) -> None:
    private = EntryStore(store.layout, Layout(str(other_device / "private")))
    folder, manifest = finished(EntryStore(Layout(str(other_device))), "one")
    mine = private.publish(folder, KEY, manifest)
    assert private.has(KEY) and private.load(KEY) == mine
    assert Path(private.tree(KEY), "a.py").read_bytes() == b"one"
    assert private.tree(KEY).startswith(str(other_device))
    assert not store.has(KEY)


def test_without_a_private_layer_a_refusal_is_an_error(store: EntryStore, other_device: Path) -> None:
    folder, manifest = finished(EntryStore(Layout(str(other_device))), "one")
    with pytest.raises(OSError, match=re.escape(os.strerror(errno.EXDEV))):
        store.publish(folder, KEY, manifest)


def test_the_private_layer_goes_before_the_cache(store: EntryStore) -> None:
    folder, manifest = finished(store, "one", b"in the cache")
    store.publish(folder, KEY, manifest)
    private = EntryStore(store.layout, Layout(f"{store.layout.temporary}/private"))
    folder, manifest = finished(store, "two", b"private")
    alone = EntryStore(Layout(f"{store.layout.temporary}/private"))
    mine = alone.publish(folder, KEY, manifest)
    assert private.load(KEY) == mine
    assert Path(private.tree(KEY), "a.py").read_bytes() == b"private"


def test_an_entry_whose_files_changed_is_replaced_by_a_publisher(store: EntryStore) -> None:
    folder, manifest = finished(store, "one")
    store.publish(folder, KEY, manifest)
    Path(store.layout.tree(KEY), "a.py").write_bytes(b"edited")
    again, manifest = finished(store, "two", b"again")
    store.publish(again, KEY, manifest)
    assert Path(store.layout.tree(KEY), "a.py").read_bytes() == b"again"


@pytest.mark.parametrize(("age_days", "noted"), [(0.5, False), (2, True)])
def test_a_use_is_noted_once_a_day_and_leaves_the_stamp(store: EntryStore, age_days: float, noted: bool) -> None:
    folder, manifest = finished(store, "one")
    published = store.publish(folder, KEY, manifest)
    entry = Path(store.layout.entry(KEY))
    old = time.time() - age_days * 86400
    os.utime(entry, (old, old))
    store.note_use(KEY)
    assert (time.time() - entry.stat().st_mtime < 3600) == noted
    assert store.load(KEY) == published
