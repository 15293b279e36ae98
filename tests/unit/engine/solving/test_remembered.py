"""What is remembered is what was read, of the same version, from whichever process."""

from pathlib import Path

import pytest
from packaging.utils import NormalizedName
from packaging.version import Version

from cache.records import RecordStore
from engine.index.freshness import Freshness
from engine.solving import remembered
from engine.solving.remembered import FOREVER, Remembered, RememberedMetadata
from resolver.requests import Metadata

DEMO = NormalizedName("demo")
ONE = Version("1.0")
FOUND = Remembered(Metadata(("a>=1", "b"), ">=3.8", ("x",)), FOREVER)
KEY = b"k" * 32


def opened(folder: Path) -> RememberedMetadata:
    return RememberedMetadata(RecordStore(str(folder)))


def add(folder: Path, *keys: bytes, found: Remembered = FOUND) -> None:
    store = opened(folder)
    for key in keys:
        store.add(DEMO, ONE, key, found)
    store.store()


@pytest.mark.parametrize("freshness", [FOREVER, Freshness(12, True, '"etag"', "yesterday")])
def test_what_was_added_is_found_by_the_next_run(tmp_path: Path, freshness: Freshness) -> None:
    found = FOUND._replace(freshness=freshness)
    add(tmp_path, KEY, found=found)
    assert opened(tmp_path).get(DEMO, ONE, KEY) == found
    assert opened(tmp_path).get(DEMO, ONE, KEY + b"k") is None
    assert opened(tmp_path).get(NormalizedName("other"), ONE, KEY) is None


def test_the_same_run_finds_it_before_it_is_stored(tmp_path: Path) -> None:
    add(tmp_path, b"old")
    store = opened(tmp_path)
    store.add(DEMO, ONE, KEY, FOUND)
    assert store.get(DEMO, ONE, KEY) == store.get(DEMO, ONE, b"old") == FOUND
    assert opened(tmp_path).get(DEMO, ONE, KEY) is None


def test_metadata_of_another_version_are_none(tmp_path: Path) -> None:
    add(tmp_path, KEY)
    assert opened(tmp_path).get(DEMO, Version("2.0"), KEY) is None


def test_nothing_lasts_longer_than_it_may(tmp_path: Path) -> None:
    assert FOUND.is_fresh and not FOUND._replace(freshness=Freshness(12)).is_fresh


def test_two_runs_add_to_one_record(tmp_path: Path) -> None:
    first, second = opened(tmp_path), opened(tmp_path)
    for store, key in ((first, b"first"), (second, b"second")):
        assert store.get(DEMO, ONE, key) is None
        store.add(DEMO, ONE, key, FOUND)
    first.store()
    second.store()
    assert opened(tmp_path).get(DEMO, ONE, b"first") == opened(tmp_path).get(DEMO, ONE, b"second") == FOUND


def test_a_damaged_record_is_none_and_is_replaced(tmp_path: Path) -> None:
    add(tmp_path, KEY)
    whole = (tmp_path / "demo").read_bytes()
    for damaged in (b"", whole[:-1], b"\xc1" + whole[1:], whole + b"\x00"):
        (tmp_path / "demo").write_bytes(damaged)
        assert opened(tmp_path).get(DEMO, ONE, KEY) is None
    add(tmp_path, KEY)
    assert opened(tmp_path).get(DEMO, ONE, KEY) == FOUND


def test_of_too_many_files_the_first_go_first(tmp_path: Path) -> None:
    keys = [b"%d" % number for number in range(remembered.MOST_FILES + 1)]
    add(tmp_path, *keys[:-1])
    add(tmp_path, keys[0], keys[-1])
    store = opened(tmp_path)
    assert store.get(DEMO, ONE, keys[1]) is None
    assert store.get(DEMO, ONE, keys[0]) == store.get(DEMO, ONE, keys[2]) == store.get(DEMO, ONE, keys[-1]) == FOUND
