"""Pruning: what serves nobody always goes; age, size and `ci` decide about wheels; the rest stays."""

import os
from pathlib import Path
from typing import Any

import pytest

from cache import plans
from cache.disposal import Disposal
from cache.inventory import CachedWheel, buckets, cached_wheels, disk_bytes
from cache.layout import Layout
from cache.plans import PlannedEntry
from cache.pruning import Pruned, PruneOptions, choose_wheels, prune
from cache.records import RecordStore
from tests.unit.engine.entries import RELATIVE, publish

DAY = 86400
NOW = 2_000_000_000


def wheel(name: str, age_days: float, size: int = 100) -> CachedWheel:
    return CachedWheel(name * 64, name, "1.0", f"{name}.whl", size, NOW - age_days * DAY)


@pytest.mark.parametrize(
    ("options", "total", "going"),
    [
        (PruneOptions(), 10**9, []),
        (PruneOptions(older_than_seconds=5 * DAY), 0, ["c", "b"]),
        (PruneOptions(max_size_bytes=300), 300, []),
        (PruneOptions(max_size_bytes=299), 300, ["c"]),
        (PruneOptions(max_size_bytes=150), 300, ["c", "b"]),
        (PruneOptions(max_size_bytes=0), 300, ["c", "b", "a"]),
        (PruneOptions(older_than_seconds=8 * DAY, max_size_bytes=200), 300, ["c"]),
        (PruneOptions(everything_downloaded=True), 300, ["c", "b", "a"]),
    ],
)
def test_the_least_recently_used_go_first(options: PruneOptions, total: int, going: list[str]) -> None:
    wheels = [wheel("a", 1), wheel("b", 6), wheel("c", 9)]
    assert [one.name for one in choose_wheels(wheels, options, NOW, total)] == going


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(str(tmp_path / "cache"))
    layout.create()
    return layout


def add(layout: Layout, name: str, age_days: float) -> PlannedEntry:
    entry = publish(Path(layout.root), {f"{name}.py": b"x" * 5000}, name=name)
    age(layout.entry(entry.sha256), age_days)
    return entry


def add_plan(layout: Layout, number: int, age_days: float, *entries: PlannedEntry) -> Path:
    path = Path(layout.plan(f"{number:064x}"))
    plans.store(str(path), plans.Plan(RELATIVE, list(entries)))
    age(str(path), age_days)
    return path


def age(path: str, days: float) -> None:
    os.utime(path, (NOW - days * DAY, NOW - days * DAY))


def run(layout: Layout, *, dry_run: bool = False, **options: float | bool) -> Pruned:
    trash = Path(layout.temporary, "trash")
    trash.mkdir(parents=True, exist_ok=True)
    disposal = Disposal(None if dry_run else str(trash))
    pruned = prune(layout, disposal, PruneOptions(**options), NOW)  # type: ignore[arg-type]
    assert disposal.refused == []
    disposal.empty()
    return pruned


def names(layout: Layout) -> list[str]:
    return [wheel.name for wheel in cached_wheels(layout)]


def test_without_options_only_what_serves_nobody_goes(layout: Layout) -> None:
    kept = add(layout, "kept", 400)
    whole = add_plan(layout, 1, 400, kept, PlannedEntry("unknown", "1.0"))
    dangling = add_plan(layout, 2, 0, kept, PlannedEntry("gone", "1.0", sha256="ab" * 32))
    fetched_again = add_plan(layout, 3, 0, PlannedEntry("kept", "1.0", sha256=kept.sha256, stamp=kept.stamp + 1))
    torn = Path(layout.plan("4" * 64))
    torn.parent.mkdir(parents=True)
    torn.write_bytes(b"torn")
    stale = Path(layout.root, "wheels-v0", "aa")
    stale.mkdir(parents=True)
    records = RecordStore(layout.bucket("index-v3"))
    records.put("index/kept", b"page")
    litter = Path(layout.bucket("index-v3"), "index", "kept.12-ab.tmp")
    litter.write_bytes(b"half")
    age(str(litter), 2)
    fresh = Path(layout.bucket("index-v3"), "index", "new.12-ab.tmp")
    fresh.write_bytes(b"half")
    age(str(fresh), 0.1)
    pointers = RecordStore(layout.bucket("pointers-v1"))
    pointers.put("right", kept.sha256.encode())
    pointers.put("wrong", b"cd" * 32)
    pruned = run(layout)
    assert pruned.wheels == [] and pruned.others == 6
    assert names(layout) == ["kept"] and whole.exists() and fresh.exists()
    assert not any(path.exists() for path in (dangling, fetched_again, torn, stale, litter))
    assert records.has("index/kept") and pointers.has("right") and not pointers.has("wrong")


def test_an_entry_without_a_manifest_goes(layout: Layout) -> None:
    Path(layout.manifest(add(layout, "broken", 0).sha256)).unlink()
    assert run(layout).others == 1
    assert list(Path(layout.root, "wheels-v1").glob("*/*")) == []


def test_what_a_used_plan_names_is_in_use_however_old_it_is(layout: Layout) -> None:
    used, unused = add(layout, "used", 400), add(layout, "unused", 400)
    add_plan(layout, 1, 1, used)
    old = add_plan(layout, 2, 400, unused)
    pages = RecordStore(layout.bucket("index-v3"))
    pages.put("index/unused", b"page")
    age(f"{pages.folder}/index/unused", 400)
    assert [wheel.name for wheel in run(layout, older_than_seconds=30 * DAY).wheels] == ["unused"]
    assert names(layout) == ["used"] and not old.exists() and not pages.has("index/unused")


def test_metadata_go_when_they_are_old_and_where_wheels_are_not_enough(layout: Layout) -> None:
    metadata = RecordStore(layout.bucket("metadata-v2"))
    for name, days in (("old", 400), ("kept", 9), ("new", 1)):
        metadata.put(name, b"x" * 9000)
        age(f"{metadata.folder}/{name}", days)
    assert run(layout, older_than_seconds=30 * DAY).others == 1
    assert not metadata.has("old") and metadata.has("kept")
    size = sum(disk_bytes(path) for path, kind, _ in buckets(layout) if kind != "tmp")
    assert run(layout, max_size_bytes=size - 1).others == 1
    assert not metadata.has("kept") and metadata.has("new")


def test_the_size_of_the_whole_cache_counts(layout: Layout) -> None:
    for number, name in enumerate(("newest", "newer", "old")):
        add(layout, name, number)
    size = sum(disk_bytes(path) for path, kind, _ in buckets(layout) if kind != "tmp")
    run(layout, max_size_bytes=size)
    assert names(layout) == ["newer", "newest", "old"]
    pruned = run(layout, max_size_bytes=size - 1)
    assert [wheel.name for wheel in pruned.wheels] == ["old"] and pruned.excess_bytes == 0


def test_plans_and_pages_go_where_wheels_are_not_enough(layout: Layout) -> None:
    pages = RecordStore(layout.bucket("index-v3"))
    for name, days in (("old", 9), ("new", 1)):
        pages.put(f"index/{name}", b"x" * 9000)
        age(f"{pages.folder}/index/{name}", days)
    wheel = add(layout, "wheel", 0)
    plan = add_plan(layout, 1, 0, PlannedEntry("unknown", "1.0"))
    size = sum(disk_bytes(path) for path, kind, _ in buckets(layout) if kind != "tmp")
    pruned = run(layout, max_size_bytes=size - disk_bytes(layout.entry(wheel.sha256)) - 1)
    assert (pruned.others, pruned.excess_bytes) == (1, 0)
    assert not pages.has("index/old") and pages.has("index/new") and plan.exists()


def test_a_size_that_cannot_be_reached_is_told(layout: Layout) -> None:
    layout_of_interpreters = RecordStore(layout.bucket("interpreters-v1"))
    layout_of_interpreters.put("key", b"x" * 9000)
    assert run(layout, max_size_bytes=1).excess_bytes >= 8999


def test_bytecode_goes_with_its_wheel_and_counts_before_it_goes(layout: Layout) -> None:
    wheel, other = add(layout, "wheel", 9), add(layout, "other", 1)
    compiled = Path(layout.bucket("bytecode-v1"), "kind", wheel.sha256[:2], wheel.sha256)
    compiled.mkdir(parents=True)
    (compiled / "manifest").write_bytes(b"x" * 9000)
    size = sum(disk_bytes(path) for path, kind, _ in buckets(layout) if kind != "tmp")
    most = size - disk_bytes(layout.entry(wheel.sha256)) - disk_bytes(str(compiled))
    said = run(layout, dry_run=True, max_size_bytes=most)
    assert [one.name for one in said.wheels] == ["wheel"] and said.others == 1
    assert run(layout, max_size_bytes=most) == said
    assert not compiled.exists() and names(layout) == [other.name]


def test_ci_keeps_pages_and_forgets_wheels_and_their_plans(layout: Layout) -> None:
    plan = add_plan(layout, 1, 0, add(layout, "one", 0))
    pages = RecordStore(layout.bucket("index-v3"))
    pages.put("index/one", b"page")
    assert [wheel.name for wheel in run(layout, everything_downloaded=True).wheels] == ["one"]
    assert names(layout) == [] and not plan.exists() and pages.has("index/one")


def test_a_dry_run_says_the_same_and_removes_nothing(layout: Layout) -> None:
    plan = add_plan(layout, 1, 400, add(layout, "one", 400))
    said = run(layout, dry_run=True, older_than_seconds=DAY)
    assert names(layout) == ["one"] and plan.exists()
    assert run(layout, older_than_seconds=DAY) == said


@pytest.mark.parametrize(
    ("age_days", "options", "left"),
    [
        (6, {}, True),
        (8, {}, False),
        (2, {"older_than_seconds": DAY}, False),
        (0.1, {"older_than_seconds": 300 * DAY}, True),
        (0.1, {"everything_downloaded": True}, False),
        (0.1, {"max_size_bytes": 1 << 30}, True),
        (0.1, {"max_size_bytes": 0}, False),
    ],
)
def test_unfinished_downloads_go_first(age_days: float, options: dict[str, Any], left: bool, layout: Layout) -> None:
    folder = Path(layout.root, "partial-v1")
    folder.mkdir()
    for name in ("ab" * 32, f"{'ab' * 32}.about", "claims"):
        (folder / name).write_bytes(b"x")
        age(str(folder / name), age_days)
    assert run(layout, **options).others == (0 if left else 2)
    assert len(list(folder.iterdir())) == (3 if left else 1)
