"""Files that several distributions bring: the first in lock order gets its way, whoever was staged first."""

import os
from itertools import permutations
from pathlib import Path

import pytest

from cache.manifest import EntryPoint
from cache.plans import PlannedEntry
from engine.collisions import settle
from engine.linking import Linker
from engine.staging import Area, stage_entry
from tests.unit.engine.entries import make_area, publish, tree_of


def stage_in_order(cache: Path, order: list[PlannedEntry], area: Area) -> set[str]:
    collided: set[str] = set()
    for entry in order:
        collided.update(stage_entry(entry, tree_of(cache, entry), area, Linker("hardlink")))
    return collided


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_first_in_lock_order_wins_in_whatever_order_they_were_staged(
    tmp_path: Path, order: tuple[int, ...]
) -> None:
    cache, area = tmp_path / "cache", make_area(tmp_path / "stage")
    lock = [
        publish(cache, {"shared/a.py": name.encode(), f"{name}-1.0.data/scripts/run": name.encode()}, name=name)
        for name in ("one", "two", "three")
    ]
    collided = stage_in_order(cache, [lock[index] for index in order], area)
    warnings = settle(lock, collided, {entry.sha256: tree_of(cache, entry) for entry in lock}, area)
    assert Path(area.stage, "purelib/shared/a.py").read_bytes() == b"one"
    assert Path(area.stage, "scripts/run").read_bytes() == b"one"
    assert len(warnings) == 2
    assert all(name in warning for warning in warnings for name in ("one", "two", "three"))
    assert "shared/a.py" in warnings[0] and "whose file is used" in warnings[0]


def test_settling_does_not_change_the_cache(tmp_path: Path) -> None:
    cache, area = tmp_path / "cache", make_area(tmp_path / "stage")
    lock = [publish(cache, {"shared.py": name.encode()}, name=name) for name in ("one", "two")]
    collided = stage_in_order(cache, lock[::-1], area)
    settle(lock, collided, {entry.sha256: tree_of(cache, entry) for entry in lock}, area)
    contents = [(Path(tree_of(cache, entry)) / "shared.py").read_bytes() for entry in lock]
    assert contents == [b"one", b"two"]


def test_equal_files_are_no_reason_for_a_warning(tmp_path: Path) -> None:
    cache, area = tmp_path / "cache", make_area(tmp_path / "stage")
    lock = [publish(cache, {"space/__init__.py": b""}, name=name) for name in ("one", "two")]
    collided = stage_in_order(cache, lock, area)
    assert collided == {"purelib/space/__init__.py"}
    assert settle(lock, collided, {entry.sha256: tree_of(cache, entry) for entry in lock}, area) == []


def test_launchers_of_one_name_are_settled_too(tmp_path: Path) -> None:
    cache, area = tmp_path / "cache", make_area(tmp_path / "stage")
    lock = [
        publish(cache, {}, name=name, console_scripts=(EntryPoint("run", name, "main"),)) for name in ("one", "two")
    ]
    collided = stage_in_order(cache, lock[::-1], area)
    warnings = settle(lock, collided, {entry.sha256: tree_of(cache, entry) for entry in lock}, area)
    assert len(warnings) == 1
    script = Path(area.stage, "scripts/run")
    assert b"from one import main" in script.read_bytes() and script.stat().st_mode & 0o100


def test_a_file_that_one_distribution_brings_twice_is_nobody_elses_matter(tmp_path: Path) -> None:
    cache, area = tmp_path / "cache", make_area(tmp_path / "stage")
    entry = publish(cache, {"a.py": b"1", "demo-1.0.data/purelib/a.py": b"2"})
    collided = stage_in_order(cache, [entry], area)
    assert collided == {"purelib/a.py"}
    assert settle([entry], collided, {entry.sha256: tree_of(cache, entry)}, area) == []


COMPILED = "shared/__pycache__/a.tag.pyc"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("same", [True, False])
def test_a_module_and_its_compiled_file_come_from_one_owner(tmp_path: Path, order: tuple[int, int], same: bool) -> None:
    """A compiled file is checked against its module's mtime, so equal modules are not interchangeable."""
    cache, area = tmp_path / "cache", make_area(tmp_path / "stage")
    lock = [
        publish(cache, {"shared/a.py": b"" if same else name.encode(), COMPILED: name.encode()}, name=name)
        for name in ("one", "two")
    ]
    lock = [aged(cache, entry, seconds * 10**9) for seconds, entry in enumerate(lock, 1)]
    collided = stage_in_order(cache, [lock[index] for index in order], area)
    warnings = settle(lock, collided, {entry.sha256: tree_of(cache, entry) for entry in lock}, area)
    assert Path(area.stage, "purelib", COMPILED).read_bytes() == b"one"
    assert Path(area.stage, "purelib/shared/a.py").stat().st_mtime_ns == 10**9
    assert len(warnings) == (0 if same else 1)


def aged(cache: Path, entry: PlannedEntry, mtime_ns: int) -> PlannedEntry:
    """Gives a module another mtime, in the cache; returns what is planned then."""
    os.utime(Path(tree_of(cache, entry), "shared/a.py"), ns=(0, mtime_ns))
    return PlannedEntry(
        *(entry.name, entry.version, entry.sha256, entry.stamp, entry.site, entry.dist_info, entry.record),
        folders=tuple((*old[:5], (mtime_ns,)) if old[3] == ("a.py",) else old for old in entry.folders),
    )


def test_a_losers_compiled_file_does_not_stay_beside_the_winners_module(tmp_path: Path) -> None:
    cache, area = tmp_path / "cache", make_area(tmp_path / "stage")
    lock = [
        publish(
            cache, {"shared/a.py": b"print 'one'", "shared/b.py": b"", "shared/__pycache__/b.tag.pyc": b""}, name="one"
        ),
        publish(cache, {"shared/a.py": b"x = 'two_'", COMPILED: b"two"}, name="two"),
    ]
    collided = stage_in_order(cache, lock, area)
    settle(lock, collided, {entry.sha256: tree_of(cache, entry) for entry in lock}, area)
    assert {path.name for path in Path(area.stage, "purelib/shared/__pycache__").iterdir()} == {"b.tag.pyc"}
