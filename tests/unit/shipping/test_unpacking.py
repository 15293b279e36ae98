"""A folder is there whole or not at all, and nothing is written elsewhere."""

import os
import time
import zlib
from pathlib import Path

import pytest

from shipping.payload import File, pack
from shipping.start import is_trusted
from shipping.unpacking import ABANDONED_SECONDS, UNUSED_SECONDS, WHOLE, provide, unfit, unpack

PAYLOAD = pack({f"folder/module{number}.py": File(b"x = 1\n" * number) for number in range(50)}, block_bytes=200)


def provided(root: Path, payload: bytes = PAYLOAD) -> str:
    return provide(str(root), "name", [payload], is_trusted)


def test_the_folder_and_those_above_it_are_made(tmp_path: Path) -> None:
    folder = provided(tmp_path / "some" / "root")
    assert folder == str(tmp_path / "some" / "root" / "name") and len(os.listdir(f"{folder}/folder")) == 50


def test_a_damaged_payload_leaves_nothing(tmp_path: Path) -> None:
    for damaged in (PAYLOAD[:-20], PAYLOAD[:-20] + bytes(20), b"12\n" + PAYLOAD[4:], b"nonsense"):
        with pytest.raises(ValueError):
            provided(tmp_path, damaged)
        assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["../out", "/out", "a/../../out", "a\\out", "c:out", "a//out", "./out", "a/.."])
def test_nothing_is_written_outside(tmp_path: Path, name: str) -> None:
    stream = zlib.compress(b"x")
    table = zlib.compress(f"block {len(stream)} 1\n644 1 {name}".encode())
    (tmp_path / "inside").mkdir()
    with pytest.raises(ValueError, match="outside"):
        unpack([b"%d\n" % len(table) + table + stream], str(tmp_path / "inside"))
    assert os.listdir(tmp_path) == ["inside"] and os.listdir(tmp_path / "inside") == []


def test_the_winner_of_a_race_is_used_and_stays_as_it_is(tmp_path: Path) -> None:
    seen: list[bool] = []

    def another_start_is_faster(root: str, folder: str) -> bool:
        if len(seen) == 1:
            (tmp_path / "name").mkdir()
            (tmp_path / "name" / "theirs").touch()
        seen.append(is_trusted(root, folder))
        return seen[-1]

    assert provide(str(tmp_path), "name", [PAYLOAD], another_start_is_faster) == str(tmp_path / "name")
    assert os.listdir(tmp_path) == ["name"] and os.listdir(tmp_path / "name") == ["theirs"]
    assert seen == [False, True, True]


def test_a_folder_that_others_may_write_into_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "name").mkdir()
    (tmp_path / "name").chmod(0o777)
    with pytest.raises(PermissionError, match="others"):
        provided(tmp_path)
    assert os.listdir(tmp_path) == ["name"] and os.listdir(tmp_path / "name") == []


def test_only_owners_may_rename_where_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(PermissionError, match="others"):
        provided(tmp_path)
    assert os.listdir(tmp_path) == []
    tmp_path.chmod(0o1777)
    assert os.listdir(provided(tmp_path))


def test_the_umask_makes_nothing_writable_by_others(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        folder = Path(provided(tmp_path / "above" / "root"))
    finally:
        os.umask(before)
    assert not [
        path for path in (tmp_path / "above", folder.parent, folder, *folder.rglob("*")) if path.stat().st_mode & 0o022
    ]


def test_what_killed_starts_left_is_removed_after_a_day(tmp_path: Path) -> None:
    for name, age in ((".unfinished-1-1", ABANDONED_SECONDS + 60), (".unfinished-2-2", 60), ("other", 10**9)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "part.py").touch()
        then = (tmp_path / name).stat().st_mtime - age
        os.utime(tmp_path / name, (then, then))
    provided(tmp_path)
    assert sorted(os.listdir(tmp_path)) == [".unfinished-2-2", "name", "other"]


def test_folders_that_no_start_has_used_for_a_month_are_removed(tmp_path: Path) -> None:
    now, unused = time.time(), time.time() - UNUSED_SECONDS - 60
    for name, listed, checked in (
        ("unused", unused, unused),
        ("used", unused, now),
        ("used-by-who-cannot-write", now, unused),
        ("foreign", unused, None),
    ):
        (tmp_path / name).mkdir()
        if checked is not None:
            (tmp_path / name / WHOLE).touch()
            os.utime(tmp_path / name / WHOLE, (checked, checked))
        os.utime(tmp_path / name, (listed, 1))
    provided(tmp_path)
    assert sorted(os.listdir(tmp_path)) == ["foreign", "name", "used", "used-by-who-cannot-write"]


def test_a_damaged_folder_is_unpacked_again_and_a_whole_one_is_not(tmp_path: Path) -> None:
    folder = Path(provided(tmp_path))
    inode = folder.stat().st_ino
    assert Path(provided(tmp_path)).stat().st_ino == inode
    lost = folder / "folder" / "module7.py"
    for damage in (
        lost.unlink,
        lambda: lost.write_bytes(b""),
        (folder / WHOLE).unlink,
        lambda: (folder / WHOLE).write_text(""),
        lambda: (folder / WHOLE).write_bytes(b"\xff" * 99),
        lambda: (folder / WHOLE).write_bytes(b"1 \0\n1 files\n"),
    ):
        damage()
        assert provided(tmp_path) == str(folder) and os.listdir(tmp_path) == ["name"]
        assert lost.read_bytes() == b"x = 1\n" * 7


def test_a_system_that_lacks_what_compiled_modules_need_is_told() -> None:
    assert unfit({}) is None
    assert unfit({"machine": os.uname().machine}) is None
    assert unfit({"machine": "vax"}) == f"engine.pyz is for vax, and this machine is {os.uname().machine}"
    found = unfit({"glibc": "99.1"})
    assert found is not None and found.startswith("engine.pyz needs glibc 99.1 or newer, and this system has")


@pytest.mark.skipif("CS_GNU_LIBC_VERSION" not in os.confstr_names, reason="a system with glibc")
def test_versions_of_glibc_are_compared_as_numbers() -> None:
    assert unfit({"glibc": "2.5"}) is None


@pytest.mark.parametrize("size", [1, 3])
def test_a_table_that_does_not_fit_its_blocks_is_damage(tmp_path: Path, size: int) -> None:
    stream = zlib.compress(b"xy")
    table = zlib.compress(f"block {len(stream)} 2\n644 {size} name".encode())
    with pytest.raises(ValueError, match="size"):
        provided(tmp_path, b"%d\n" % len(table) + table + stream)
    assert os.listdir(tmp_path) == []
