"""Unfinished downloads: kept once, taken once, and gone after a while."""

import json
import os
import time
from pathlib import Path

import pytest

from cache.layout import Layout
from cache.partials import PartialStore

KEY = "ab" * 32


@pytest.fixture
def store(tmp_path: Path) -> PartialStore:
    return PartialStore(Layout(str(tmp_path / "cache")))


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """The folder of a run that has ended."""
    folder = tmp_path / "left"
    folder.mkdir()
    return folder


def leave(folder: Path, content: bytes, key: str = KEY, number: int = 1) -> None:
    (folder / f"{number}.part").write_bytes(content)
    (folder / f"{number}.about").write_text(json.dumps({"key": key}))


def test_what_a_run_has_left_is_taken_by_one_other(store: PartialStore, left: Path, tmp_path: Path) -> None:
    leave(left, b"data")
    store.salvage(str(left), least_bytes=4)
    about = store.take(KEY, str(tmp_path / "mine"))
    assert about is not None and json.loads(about) == {"key": KEY}
    assert (tmp_path / "mine").read_bytes() == b"data"
    assert store.take(KEY, str(tmp_path / "other")) is None
    assert os.listdir(store.folder) == []


def test_of_two_the_longer_is_kept(store: PartialStore, left: Path, tmp_path: Path) -> None:
    for number, content in enumerate([b"long", b"longest", b"l"]):
        leave(left, content, number=number)
        store.salvage(str(left), least_bytes=1)
    store.take(KEY, str(tmp_path / "mine"))
    assert (tmp_path / "mine").read_bytes() == b"longest"


@pytest.mark.parametrize("key", ["../../escape", "", "AB" * 32, 7])
def test_a_key_that_is_none_is_left(key: str, store: PartialStore, left: Path) -> None:
    leave(left, b"data", key)
    store.salvage(str(left), least_bytes=1)
    assert not os.path.exists(store.folder)
    assert store.take(str(key), str(left / "mine")) is None


def test_what_is_too_short_or_has_no_data_is_left(store: PartialStore, left: Path) -> None:
    leave(left, b"abc")
    (left / "2.about").write_text(json.dumps({"key": KEY}))
    (left / "3.part").write_bytes(b"data")
    store.salvage(str(left), least_bytes=4)
    assert not os.path.exists(store.folder)


def test_data_without_a_description_is_dropped(store: PartialStore, left: Path, tmp_path: Path) -> None:
    leave(left, b"data")
    store.salvage(str(left), least_bytes=1)
    os.unlink(f"{store.folder}/{KEY}.about")
    assert store.take(KEY, str(tmp_path / "mine")) is None
    assert not (tmp_path / "mine").exists()


def test_what_nobody_went_on_with_goes_when_something_new_comes(store: PartialStore, left: Path) -> None:
    old = "cd" * 32
    leave(left, b"data", old)
    store.salvage(str(left), least_bytes=1)
    week = time.time() - 8 * 86400
    for name in os.listdir(store.folder):
        os.utime(f"{store.folder}/{name}", (week, week))
    Path(store.folder, "claims").write_bytes(b"")
    os.utime(f"{store.folder}/claims", (week, week))
    leave(left, b"data")
    store.salvage(str(left), least_bytes=1)
    assert sorted(os.listdir(store.folder)) == [KEY, f"{KEY}.about", "claims"]
