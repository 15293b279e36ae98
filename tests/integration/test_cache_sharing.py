"""Caches that cannot be written, belong to others, or are in a place where no cache should be."""

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.conftest import NewTarget
from tests.support.index import Index
from tests.support.tool import Result, Target, Tool
from tests.support.trees import check_cache, leftovers, published, snapshot
from tests.support.unprivileged import unprivileged
from tests.support.wheels import make_wheel

ONE = make_wheel("one", "1.0", {"one.py": "one = 1\n"})
TWO = make_wheel("two", "1.0", {"two.py": "two = 2\n"}, console_scripts=["two = two:main"])
STRANGER = 54321

pytestmark = pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")


@pytest.fixture
def filled(index: Index, tool: Tool, new_target: NewTarget) -> Iterator[Tool]:
    """A cache that has `one` and its plan."""
    index.add(ONE, TWO)
    run = tool.sync(tool.write_lock(ONE.pin), new_target("filler"))
    assert run.code == 0, run.err
    index.requests.clear()
    yield tool
    set_modes(tool.cache, 0o700, 0o200)


def set_modes(root: Path, add: int, add_to_files: int, remove: int = 0) -> None:
    for folder, _, files in os.walk(root):
        os.chmod(folder, stat.S_IMODE(os.lstat(folder).st_mode) & ~remove | add)
        for name in files:
            path = os.path.join(folder, name)
            os.chmod(path, stat.S_IMODE(os.lstat(path).st_mode) & ~remove | add_to_files)


def make_read_only(tool: Tool) -> None:
    # The files too: what root owns it may write, even without its privileges.
    set_modes(tool.cache, 0, 0, remove=0o222)


def give_away(root: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    for folder, _, files in os.walk(root):
        for path in (folder, *(os.path.join(folder, name) for name in files)):
            os.chown(path, STRANGER, STRANGER, follow_symlinks=False)


def sync(tool: Tool, lock: Path, *targets: Target) -> Result:
    temporary = tool.folder / "system-temporary"
    temporary.mkdir(exist_ok=True)
    return tool.run(*unprivileged(*tool.command(lock, targets)), environ={"TMPDIR": str(temporary)})


def test_a_read_only_cache_serves_what_it_has(index: Index, filled: Tool, target: Target) -> None:
    make_read_only(filled)
    before = snapshot(filled.cache)
    run = sync(filled, filled.write_lock(ONE.pin), target)
    assert run.code == 0, run.err
    assert target.installed() == {"one-1.0"}
    assert index.requests == []
    assert snapshot(filled.cache) == before


def test_a_read_only_cache_is_verified_and_damage_told(filled: Tool) -> None:
    words = unprivileged(sys.executable, "-m", "cli", "cache", "verify", "--cache-dir", str(filled.cache))
    make_read_only(filled)
    sound = filled.run(*words)
    assert sound.code == 0 and "sound" in sound.err
    (file,) = filled.cache.glob("wheels-v1/*/*/tree/one.py")
    os.utime(file, (0, 0))
    run = filled.run(*words)
    assert run.code == 1 and "one.py was written to; not removed: the cache cannot be written" in run.err
    assert published(filled.cache) == {ONE.sha256}


def test_that_a_cache_cannot_be_used_is_told(filled: Tool, new_target: NewTarget) -> None:
    make_read_only(filled)
    lock = filled.write_lock(ONE.pin, TWO.pin)
    words = filled.command(lock, [new_target("a"), new_target("b")])
    run = filled.run(*unprivileged(*words, "-v"))
    assert run.code == 0 and run.err.count("cannot be written: what it lacks is not kept") == 1
    filled.cache.chmod(0)
    run = filled.run(*unprivileged(*filled.command(lock, [new_target("c"), new_target("d")])))
    assert run.code == 0 and run.err.count("cannot be used: permission denied") == 1
    size = filled.run(*unprivileged(sys.executable, "-m", "cli", "cache", "size", "--cache-dir", str(filled.cache)))
    assert size.code == 1 and "cannot read the cache" in size.err and not size.out


def test_what_a_read_only_cache_has_not_goes_to_a_private_place_that_is_removed(
    index: Index, filled: Tool, new_target: NewTarget
) -> None:
    make_read_only(filled)
    before = snapshot(filled.cache)
    targets = [new_target("a"), new_target("b")]
    run = sync(filled, filled.write_lock(ONE.pin, TWO.pin), *targets)
    assert run.code == 0, run.err
    assert [target.installed() for target in targets] == [{"one-1.0", "two-1.0"}] * 2
    assert index.requests.count(f"/files/{TWO.filename}") == 1
    assert f"/files/{ONE.filename}" not in index.requests
    assert snapshot(filled.cache) == before
    assert list((filled.folder / "system-temporary").iterdir()) == []


@pytest.mark.parametrize("kind", ["edited", "unreadable"])
def test_a_damaged_entry_that_cannot_be_removed_is_replaced_for_this_run(
    kind: str, index: Index, filled: Tool, target: Target
) -> None:
    tree = filled.cache / "wheels-v1" / ONE.sha256[:2] / ONE.sha256 / "tree"
    if kind == "edited":
        (tree / "one.py").write_text("one = 'wrong'\n")
    make_read_only(filled)
    if kind == "unreadable":
        tree.chmod(0)
    run = sync(filled, filled.write_lock(ONE.pin), target)
    assert run.code == 0, run.err
    assert "fetched again" in run.err
    assert (target.site / "one.py").read_text() == "one = 1\n"
    assert index.requests.count(f"/files/{ONE.filename}") == 1


def test_colliding_files_are_settled_from_the_private_place_too(index: Index, filled: Tool, target: Target) -> None:
    other = make_wheel("other", "1.0", {"one.py": "one = 'other'\n"})
    index.add(other)
    make_read_only(filled)
    run = sync(filled, filled.write_lock(other.pin, ONE.pin), target)
    assert run.code == 0, run.err
    assert "whose file is used" in run.err
    assert (target.site / "one.py").read_text() == "one = 'other'\n"


def test_a_cache_of_another_user_is_used_and_never_fails_a_run(index: Index, filled: Tool, target: Target) -> None:
    give_away(filled.cache)
    before = snapshot(filled.cache)
    run = sync(filled, filled.write_lock(ONE.pin, TWO.pin), target)
    assert run.code == 0, run.err
    assert target.installed() == {"one-1.0", "two-1.0"}
    assert f"/files/{ONE.filename}" not in index.requests
    assert snapshot(filled.cache) == before


def test_a_bucket_of_another_user_does_not_keep_the_rest_from_being_stored(
    index: Index, filled: Tool, target: Target
) -> None:
    give_away(filled.cache / "wheels-v1")
    run = sync(filled, filled.write_lock(TWO.pin), target)
    assert run.code == 0, run.err
    assert published(filled.cache) == {ONE.sha256}
    assert leftovers(filled.cache) == []
    assert list((filled.cache / "index-v3").glob("*/two"))


def test_a_cache_that_a_group_shares_stays_writable_for_the_group(index: Index, tool: Tool, target: Target) -> None:
    index.add(ONE)
    tool.cache.mkdir()
    tool.cache.chmod(0o2775)
    command = tool.command(tool.write_lock(ONE.pin), [target])
    run = tool.run("sh", "-c", 'umask 002; exec "$@"', "sh", *command)
    assert run.code == 0, run.err
    for folder, _, files in os.walk(tool.cache):
        assert stat.S_IMODE(os.lstat(folder).st_mode) == 0o2775, folder
        for name in files:
            assert os.lstat(os.path.join(folder, name)).st_mode & 0o664 == 0o664, name
    assert (tool.cache / "CACHEDIR.TAG").read_bytes().startswith(b"Signature: 8a477f597d28d172789f06886806bc55")


@pytest.mark.parametrize("name", ["", "tmp-v1"])
def test_a_planted_link_is_refused_and_not_followed(name: str, filled: Tool, target: Target) -> None:
    if not name and os.geteuid() != 0:
        pytest.skip("only root can make another user's link")
    elsewhere = filled.folder / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").mkdir()
    planted = filled.cache / name if name else filled.folder / "planted"
    if name:
        planted.rmdir()
    planted.symlink_to(elsewhere)
    if not name:
        os.chown(planted, STRANGER, STRANGER, follow_symlinks=False)
        filled.cache = planted
    before = target.tree()
    run = filled.sync(filled.write_lock(ONE.pin, TWO.pin), target)
    assert run.code == 2
    assert "symbolic link" in run.err and str(planted) in run.err and "Traceback" not in run.err
    assert [path.name for path in elsewhere.iterdir()] == ["precious"]
    assert target.tree() == before


def test_a_link_of_ones_own_is_followed(filled: Tool, target: Target) -> None:
    own = filled.folder / "own"
    own.symlink_to(filled.cache)
    filled.cache = own
    run = filled.sync(filled.write_lock(ONE.pin, TWO.pin), target)
    assert run.code == 0, run.err
    check_cache(own)


def test_an_environment_inside_the_cache_is_refused(filled: Tool, pristine: Target) -> None:
    inside = pristine.copy_to(filled.cache / "environment")
    before = inside.tree()
    run = filled.sync(filled.write_lock(ONE.pin), inside)
    assert run.code == 2
    assert "is inside the cache" in run.err
    assert inside.tree() == before


def test_a_working_folder_inside_the_cache_is_refused(filled: Tool, target: Target) -> None:
    run = filled.run(*filled.command(filled.write_lock(ONE.pin), [target]), cwd=filled.cache / "wheels-v1")
    assert run.code == 2
    assert "is inside the cache" in run.err
    assert target.installed() == set()


def test_a_cache_inside_the_working_folder_or_an_environment_is_fine(index: Index, tool: Tool, target: Target) -> None:
    index.add(ONE)
    tool.cache = target.prefix / ".cache"
    run = tool.run(*tool.command(tool.write_lock(ONE.pin), [target]), cwd=target.prefix)
    assert run.code == 0, run.err


MODES = make_wheel(
    "modes",
    "1.0",
    {"modes/__init__.py": "", "modes/tool.sh": "#!/bin/sh\n", "modes-1.0.data/scripts/run": "#!python\n"},
    executable=["modes/tool.sh", "modes-1.0.data/scripts/run"],
    console_scripts=["made = modes:main"],
)


def modes(target: Target, umask: int) -> tuple[set[str], dict[str, str]]:
    """Returns the executable files and folders of an environment, and the modes that `umask` does not explain."""
    executable, wrong = set(), {}
    for path in [
        *target.site.rglob("modes*"),
        *target.site.glob("modes*/**/*"),
        target.prefix / "bin/run",
        target.prefix / "bin/made",
    ]:
        mode = stat.S_IMODE(path.lstat().st_mode)
        if mode & 0o100:
            executable.add(path.name)
        if mode != (0o777 if mode & 0o100 else 0o666) & ~umask:
            wrong[path.name] = oct(mode)
    return executable, wrong


@pytest.mark.parametrize("filler", [0o022, 0o077, 0o027, 0o002])
def test_modes_follow_the_umask_of_the_run_and_not_that_of_who_filled_the_cache(
    filler: int, index: Index, tool: Tool, new_target: NewTarget
) -> None:
    index.add(MODES)
    lock = tool.write_lock(MODES.pin)
    for place, umask in enumerate((filler, 0o022, 0o077, 0o027, 0o002, filler)):
        target = new_target(str(place))
        command = tool.command(lock, [target], "--compile-bytecode", "-v")
        run = tool.run("sh", "-c", f'umask {umask:o}; exec "$@"', "sh", *command)
        assert run.code == 0, run.err
        executable, wrong = modes(target, umask)
        assert wrong == {}, (oct(umask), wrong)
        assert executable & {"tool.sh", "run", "made", "__init__.py"} == {"tool.sh", "run", "made"}
        assert ("hardlink" in run.err + run.out) == (umask == filler)
    assert len([request for request in index.requests if request.endswith(".whl")]) == 1
