"""What a cache holds: names, versions, sizes on disk, and the last use."""

import os
from pathlib import Path

import pytest

from cache import plans
from cache.inventory import cached_wheels, disk_bytes
from cache.layout import Layout
from tests.unit.engine.entries import RELATIVE, publish

DAY = 86400
NOW = 1_700_000_000


def set_times(layout: Layout, sha256: str, seconds: float) -> None:
    os.utime(layout.entry(sha256), (seconds, seconds))


@pytest.mark.parametrize(
    ("patterns", "names"),
    [((), ["one", "three", "two"]), (["t*"], ["three", "two"]), (["one", "two"], ["one", "two"]), (["on"], [])],
)
def test_wheels_are_found_by_name(patterns: list[str], names: list[str], tmp_path: Path) -> None:
    for name in ("two", "three", "one"):
        publish(tmp_path, {"a.py": b"x" * 100}, name=name)
    wheels = cached_wheels(Layout(str(tmp_path)), patterns)
    assert [wheel.name for wheel in wheels] == names
    assert all(wheel.version == "1.0" and wheel.filename.startswith(wheel.name) for wheel in wheels)
    assert all(wheel.size_bytes == disk_bytes(Layout(str(tmp_path)).entry(wheel.sha256)) for wheel in wheels)


@pytest.mark.parametrize(("noted", "planned", "used"), [(5, 9, 9), (9, 5, 9), (5, None, 5)])
def test_the_last_use_is_the_newest_of_the_entrys_own_and_of_the_plans_that_name_it(
    noted: int, planned: int | None, used: int, tmp_path: Path
) -> None:
    layout = Layout(str(tmp_path))
    entry = publish(tmp_path, {"a.py": b""})
    for number, day in enumerate([1, planned]):
        if day is not None:
            path = layout.plan(f"{number:064x}")
            plans.store(path, plans.Plan(RELATIVE, [entry]))
            os.utime(path, (NOW + day * DAY, NOW + day * DAY))
    set_times(layout, entry.sha256, NOW + noted * DAY)
    (wheel,) = cached_wheels(layout)
    assert wheel.used_seconds == NOW + used * DAY


def test_a_damaged_manifest_hides_its_wheel_alone(tmp_path: Path) -> None:
    layout = Layout(str(tmp_path))
    publish(tmp_path, {"a.py": b""}, name="whole")
    Path(layout.manifest(publish(tmp_path, {"a.py": b""}, name="torn").sha256)).write_bytes(b"{")
    assert [wheel.name for wheel in cached_wheels(layout)] == ["whole"]


def test_hard_links_inside_a_folder_count_once(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 100_000)
    alone = disk_bytes(str(tmp_path))
    os.link(tmp_path / "a", tmp_path / "b")
    (tmp_path / "c").symlink_to(tmp_path / "a")
    assert alone >= 100_000
    assert disk_bytes(str(tmp_path)) < alone + 50_000


def test_a_cache_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert cached_wheels(Layout(str(tmp_path / "none"))) == []
    assert disk_bytes(str(tmp_path / "none")) == 0
