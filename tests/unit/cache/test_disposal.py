"""What leaves a cache is out of sight at once; counting alone touches nothing."""

import os
from pathlib import Path

import pytest

from cache.disposal import Disposal


@pytest.fixture
def thing(tmp_path: Path) -> Path:
    """A folder with two files, one of them in a folder that may not be written."""
    thing = tmp_path / "cache" / "thing"
    (thing / "locked").mkdir(parents=True)
    (thing / "a").write_bytes(b"x" * 10_000)
    (thing / "locked" / "b").write_bytes(b"y")
    (thing / "locked").chmod(0o500)
    return thing


def test_a_thing_is_gone_before_it_is_deleted(thing: Path, tmp_path: Path) -> None:
    trash = tmp_path / "trash"
    trash.mkdir()
    disposal = Disposal(str(trash))
    assert disposal.remove(str(thing))
    assert not thing.exists() and len(list(trash.iterdir())) == 1
    removed = disposal.empty()
    assert removed.files == 2 and removed.bytes >= 10_000
    assert list(trash.iterdir()) == []


def test_what_another_process_has_removed_counts_for_nothing(tmp_path: Path) -> None:
    disposal = Disposal(str(tmp_path))
    assert not disposal.remove(str(tmp_path / "none"))
    assert disposal.empty().files == 0 and disposal.refused == []


def test_counting_alone_removes_nothing(thing: Path) -> None:
    disposal = Disposal(None)
    assert disposal.remove(str(thing)) and disposal.remove(str(thing / "a"))
    assert disposal.empty().files == 3
    assert (thing / "a").exists()


def test_what_the_system_refuses_is_said_and_stays(thing: Path, tmp_path: Path) -> None:
    disposal = Disposal(str(tmp_path / "no-such-folder" / os.pardir / "file"))
    (tmp_path / "file").write_bytes(b"")
    assert not disposal.remove(str(thing))
    assert thing.exists()
