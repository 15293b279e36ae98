"""What leaves a cache is out of sight at once; counting alone touches nothing."""

import os
from pathlib import Path

import pytest

from cache.disposal import Disposal
from cache.inventory import allocated_bytes, disk_bytes


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
    assert disposal.remove(str(thing)) and not disposal.remove(str(thing / "a"))
    assert disposal.empty().files == 2
    assert (thing / "a").exists()


def test_what_the_system_refuses_is_said_and_stays(thing: Path, tmp_path: Path) -> None:
    disposal = Disposal(str(tmp_path / "no-such-folder" / os.pardir / "file"))
    (tmp_path / "file").write_bytes(b"")
    assert not disposal.remove(str(thing))
    assert thing.exists()


@pytest.mark.skipif(not hasattr(os, "link"), reason="needs hard links")
def test_counting_and_removing_agree_and_tell_what_other_links_keep(thing: Path, tmp_path: Path) -> None:
    os.link(thing / "a", thing / "again")
    os.link(thing / "a", tmp_path / "environment")
    trash = tmp_path / "trash"
    trash.mkdir()
    counted, removing = Disposal(None), Disposal(str(trash))
    size = disk_bytes(str(thing))
    assert counted.remove(str(thing))
    would = counted.empty()
    assert removing.remove(str(thing)) and removing.empty() == would
    assert would.files == 3
    assert would.bytes == size and would.linked_bytes == allocated_bytes(os.stat(tmp_path / "environment"))
