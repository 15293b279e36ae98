"""Staging: everything that one wheel installs, from a cache that is checked file by file."""

import csv
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from cache.manifest import EntryPoint
from cache.plans import PlannedEntry
from engine.linking import Linker
from engine.staging import Area, Drift, digest, script_files, stage_entry
from engine.unstaging import unstage_entry
from tests.unit.engine.entries import make_area, publish, row_digest, tree_of

INFO = "demo-1.0.dist-info"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def area(tmp_path: Path) -> Area:
    return make_area(tmp_path / "stage")


@pytest.fixture
def other_device(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system, where there is one."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no other file system")
    folder = memory / f"staging-{os.getpid()}"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


def stage(cache: Path, entry: PlannedEntry, area: Area, mode: str = "hardlink") -> tuple[list[str], Linker]:
    linker = Linker(mode)
    return stage_entry(entry, tree_of(cache, entry), area, linker), linker


def staged(area: Area) -> set[str]:
    root = Path(area.stage)
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


FILES = {
    "demo/__init__.py": b"",
    "demo/sub/deep/a.py": b"a = 1\n",
    "demo-1.0.data/data/share/man/x.1": b"man",
    "demo-1.0.data/headers/demo.h": b"#define X",
    "demo-1.0.data/scripts/run": b"#!python\nprint('x')\n",
}
GENERATED = {f"purelib/{INFO}/{name}" for name in ("INSTALLER", "REQUESTED", "RECORD")}


@pytest.mark.parametrize("mode", ["hardlink", "clone", "copy"])
def test_every_file_gets_to_its_scheme_in_every_mode(cache: Path, area: Area, mode: str) -> None:
    entry = publish(cache, FILES, console_scripts=(EntryPoint("demo", "demo", "main"),))
    collisions, linker = stage(cache, entry, area, mode)
    assert collisions == []
    assert staged(area) == GENERATED | {
        *("purelib/demo/__init__.py", "purelib/demo/sub/deep/a.py", f"purelib/{INFO}/METADATA"),
        *("data/share/man/x.1", "headers/demo/demo.h", "scripts/run", "scripts/demo"),
    }
    assert sum(linker.counts.values()) == entry.file_count == 5
    assert (Path(area.stage) / "purelib/demo/sub/deep/a.py").read_bytes() == b"a = 1\n"


def test_files_are_shared_with_the_cache_but_not_those_that_are_written(cache: Path, area: Area) -> None:
    entry = publish(cache, FILES)
    _, linker = stage(cache, entry, area)
    assert linker.counts == {"hardlink": 5, "clone": 0, "copy": 0}
    root = Path(area.stage)
    shared = {path for path in staged(area) if (root / path).stat().st_nlink > 1}
    assert shared == staged(area) - GENERATED - {"scripts/run"}


@pytest.mark.skipif(os.name == "nt", reason="modes of POSIX")
def test_a_file_with_another_mode_than_the_umask_gives_is_copied(cache: Path, area: Area) -> None:
    entry = publish(cache, FILES)
    private = Path(tree_of(cache, entry), "demo/sub/deep/a.py")
    usual = stat.S_IMODE(private.stat().st_mode)
    private.chmod(0o600)
    _, linker = stage(cache, entry, area)
    made = Path(area.stage, "purelib/demo/sub/deep/a.py")
    assert linker.counts["hardlink"] == 4 and linker.counts["clone"] + linker.counts["copy"] == 1
    assert stat.S_IMODE(made.stat().st_mode) == usual and made.read_bytes() == b"a = 1\n"
    assert made.stat().st_mtime_ns == private.stat().st_mtime_ns and made.stat().st_nlink == 1


@pytest.mark.skipif(os.name == "nt", reason="modes of POSIX")
def test_a_file_whose_copy_would_have_its_mode_shows_that_the_others_can_be_linked(cache: Path, area: Area) -> None:
    entry = publish(cache, FILES)
    linker = Linker("hardlink")
    linker.modes.clear()
    stage_entry(entry, tree_of(cache, entry), area, linker)
    assert linker.counts["hardlink"] == 4


def test_another_file_system_gets_copies(cache: Path, other_device: Path) -> None:
    entry = publish(cache, FILES)
    area = make_area(other_device / "stage")
    collisions, linker = stage(cache, entry, area)
    assert collisions == [] and linker.counts["hardlink"] == 0 and not linker.links
    assert linker.counts["clone"] + linker.counts["copy"] == 5
    assert (other_device / "stage/purelib/demo/sub/deep/a.py").read_bytes() == b"a = 1\n"


def test_record_names_every_file_with_its_true_digest_and_size(cache: Path, area: Area, tmp_path: Path) -> None:
    entry = publish(cache, {**FILES, "odd, name.py": b"x"}, console_scripts=(EntryPoint("demo", "demo", "main"),))
    stage(cache, entry, area)
    prefix = tmp_path / "environment"
    for scheme, folder in area.schemes.items():
        shutil.copytree(Path(area.stage) / scheme, folder, dirs_exist_ok=True)
    site = Path(area.schemes["purelib"])
    rows = list(csv.reader((site / INFO / "RECORD").read_text().splitlines()))
    assert rows[-1] == [f"{INFO}/RECORD", "", ""]
    for path, algorithm_hash, size in rows[:-1]:
        content = (site / path).read_bytes()
        assert (algorithm_hash, size) == (f"sha256={row_digest(content)}", str(len(content))), path
    named = {os.path.normpath(site / path) for path, _, _ in rows}
    assert named == {str(path) for path in prefix.rglob("*") if path.is_file()}
    assert len(named) == len(rows)


def test_scripts_start_with_the_interpreter_of_the_environment_and_are_executable(cache: Path, area: Area) -> None:
    entry = publish(cache, FILES, console_scripts=(EntryPoint("demo", "demo.sub", "main"),))
    stage(cache, entry, area)
    for name in ("run", "demo"):
        script = Path(area.stage, "scripts", name)
        assert script.read_bytes().startswith(f"#!{area.python}\n".encode()), name
        assert os.name == "nt" or script.stat().st_mode & 0o100
    assert b"from demo.sub import main" in Path(area.stage, "scripts", "demo").read_bytes()


def test_a_script_of_the_wheel_wins_over_an_entry_point_of_the_same_name(cache: Path, area: Area) -> None:
    entry = publish(cache, FILES, console_scripts=(EntryPoint("run", "demo", "main"),))
    collisions, _ = stage(cache, entry, area)
    assert collisions == []
    assert [name for name, _, _ in script_files(entry, tree_of(cache, entry), area)] == ["run"]
    assert Path(area.stage, "scripts/run").read_bytes().endswith(b"print('x')\n")


def test_installer_says_engine_and_requested_is_empty(cache: Path, area: Area) -> None:
    stage(cache, publish(cache, {f"{INFO}/INSTALLER": b"other\n", "demo.py": b""}), area)
    assert Path(area.stage, "purelib", INFO, "INSTALLER").read_bytes() == b"engine\n"
    assert Path(area.stage, "purelib", INFO, "REQUESTED").read_bytes() == b""


@pytest.mark.parametrize("mode", ["hardlink", "copy"])
@pytest.mark.parametrize("damage", ["edit", "touch", "truncate", "remove", "remove folder", "link"])
def test_a_cached_file_that_has_changed_is_noticed(cache: Path, area: Area, mode: str, damage: str) -> None:
    entry = publish(cache, FILES)
    file = Path(tree_of(cache, entry)) / "demo/sub/deep/a.py"
    before = file.stat()
    if damage == "edit":
        file.write_bytes(b"b = 2\n")
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    elif damage == "touch":
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns - 1_000))
    elif damage == "truncate":
        os.truncate(file, 3)
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    elif damage == "link":
        file.unlink()
        file.symlink_to("/etc/hosts")
    elif damage == "remove":
        file.unlink()
    else:
        shutil.rmtree(file.parent)
    with pytest.raises(Drift) as caught:
        stage(cache, entry, area, mode)
    assert caught.value.sha256 == entry.sha256
    assert "demo/sub/deep" in caught.value.path


def test_a_refusal_of_the_system_is_not_taken_for_drift(cache: Path, area: Area) -> None:
    entry = publish(cache, FILES)
    Path(area.stage, "purelib", "demo").write_text("a file where a folder goes")
    with pytest.raises(OSError):
        stage(cache, entry, area)


@pytest.mark.skipif(os.name == "nt", reason="descriptors of POSIX")
@pytest.mark.parametrize("failure", ["drift", "target"])
def test_a_failure_leaves_no_descriptor_open(cache: Path, area: Area, failure: str) -> None:
    entry = publish(cache, FILES)
    if failure == "drift":
        (Path(tree_of(cache, entry)) / "demo/sub/deep/a.py").unlink()
    else:
        Path(area.stage, "purelib", "demo").write_text("a file where a folder goes")
    lowest = os.open(os.curdir, os.O_RDONLY)
    os.close(lowest)
    with pytest.raises((Drift, OSError)):
        stage(cache, entry, area)
    again = os.open(os.curdir, os.O_RDONLY)
    os.close(again)
    assert again == lowest


@pytest.mark.parametrize("mode", ["hardlink", "copy"])
def test_files_that_another_distribution_staged_before_are_told(cache: Path, area: Area, mode: str) -> None:
    first = publish(cache, {"shared/a.py": b"1", "one.py": b"", "one-1.0.data/scripts/run": b"1"}, name="one")
    stage(cache, first, area)
    second = publish(cache, {"shared/a.py": b"2", "two.py": b"", "two-1.0.data/scripts/run": b"2"}, name="two")
    collisions, _ = stage(cache, second, area, mode)
    assert sorted(collisions) == ["purelib/shared/a.py", "scripts/run"]
    assert Path(area.stage, "purelib/shared/a.py").read_bytes() == b"1"


def test_an_executable_stays_executable(cache: Path, area: Area) -> None:
    entry = publish(cache, {"demo/tool": b"#!/bin/sh\n"})
    os.chmod(Path(tree_of(cache, entry)) / "demo/tool", 0o755)
    for mode in ("hardlink", "copy"):
        shutil.rmtree(area.stage)
        make_area(Path(area.stage))
        stage(cache, entry, area, mode)
        assert Path(area.stage, "purelib/demo/tool").stat().st_mode & 0o100, mode


def test_digest_is_what_record_has() -> None:
    for content in (b"", b"\xfb\xff", bytes(range(256))):
        assert digest(content) == row_digest(content)


def test_an_origin_is_written_and_recorded(cache: Path, area: Area) -> None:
    entry = publish(cache, {"demo.py": b""})
    entry.direct_url = '{"archive_info":{},"url":"https://example.com/demo.whl"}'
    stage(cache, entry, area)
    written = (Path(area.stage) / "purelib" / INFO / "direct_url.json").read_bytes()
    record = (Path(area.stage) / "purelib" / INFO / "RECORD").read_text()
    assert written.decode() == entry.direct_url
    assert f"{INFO}/direct_url.json,sha256={row_digest(written)},{len(written)}\n" in record


def test_a_wheel_from_an_index_has_no_origin_not_even_one_that_it_brings(cache: Path, area: Area) -> None:
    stage(cache, publish(cache, {"demo.py": b"", f"{INFO}/direct_url.json": b"{}"}), area)
    assert not (Path(area.stage) / "purelib" / INFO / "direct_url.json").exists()


@pytest.mark.parametrize("mode", ["hardlink", "copy"])
@pytest.mark.parametrize("lost", ["demo/__init__.py", "demo/sub/deep/b.py", f"{INFO}/METADATA"])
def test_an_entry_that_is_lost_in_the_middle_leaves_only_what_others_had_staged(
    cache: Path, area: Area, mode: str, lost: str
) -> None:
    entry = publish(cache, {**FILES, "demo/sub/deep/b.py": b"b = 1\n"})
    others = {"purelib/demo/__init__.py", "data/share/man/x.1"}
    for path in others:
        (Path(area.stage) / path).parent.mkdir(parents=True, exist_ok=True)
        (Path(area.stage) / path).write_bytes(b"another's")
    (Path(tree_of(cache, entry)) / lost).unlink()
    with pytest.raises(Drift):
        stage(cache, entry, area, mode)
    assert staged(area) == others


def test_a_script_that_is_lost_is_a_drift_and_leaves_nothing(cache: Path, area: Area) -> None:
    entry = publish(cache, FILES)
    (Path(tree_of(cache, entry)) / "demo-1.0.data/scripts/run").unlink()
    with pytest.raises(Drift):
        stage(cache, entry, area)
    assert staged(area) == set()


def test_a_complete_entry_is_taken_back_without_what_others_had_staged(cache: Path, area: Area) -> None:
    before = publish(cache, {"demo/__init__.py": b"other"}, name="other")
    stage(cache, before, area)
    theirs = staged(area)
    entry = publish(cache, FILES, console_scripts=(EntryPoint("demo", "demo", "main"),))
    collisions, _ = stage(cache, entry, area)
    unstage_entry(entry, area, collisions)
    assert staged(area) == theirs
    # And it can be staged again.
    assert stage(cache, entry, area)[0] == collisions
