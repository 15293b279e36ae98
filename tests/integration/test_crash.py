"""A process that ends at any step of a commit leaves an environment that the next run makes right.

The loops run the fault at step 0, 1, 2, … until a run ends without one.
"""

import shutil
import signal
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from engine.locations import IndexLocation, IndexOptions
from engine.options import LockOptions, SyncOptions
from engine.reporting import Outcome, View
from engine.sync import sync
from tests.support.commit_until import REFUSED
from tests.support.index import Index
from tests.support.tool import Target, Tool
from tests.support.trees import Tree, check_cache
from tests.support.wheels import Wheel, make_wheel

# Replaced, removed, added and kept ones; `shared` is a namespace of four, `bin` and `share` are shared by many.
OLD = [
    make_wheel("replaced", "1.0", {"replaced/__init__.py": "1\n", "replaced/gone.py": "", "shared/replaced.py": "1\n"}),
    make_wheel(
        "removed",
        "1.0",
        {"removed.py": "", "shared/removed.py": "", "shared/deep/removed.py": ""},
        console_scripts=["removed = removed:main"],
        data={"data/share/removed/file.txt": ""},
    ),
    make_wheel("kept", "1.0", {"kept.py": "", "shared/kept.py": "", "shared/deep/kept.py": ""}),
]
NEW = [
    make_wheel(
        "replaced",
        "2.0",
        {"replaced/__init__.py": "2\n", "replaced/new.py": "", "shared/replaced.py": "2\n"},
        console_scripts=["replaced = replaced:main"],
    ),
    OLD[2],
    make_wheel("added", "1.0", {"added.py": "", "shared/added.py": "", "shared/deep/added.py": "", "x/y/z.py": ""}),
]


class Scene(NamedTuple):
    """An environment before a change, and what it is to be afterwards."""

    tool: Tool
    before: Target
    lock: Path
    old: Tree
    new: Tree


def pins(wheels: list[Wheel]) -> list[str]:
    return [wheel.pin for wheel in wheels]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, pristine: Target) -> Scene:
    """Every tree is taken at one path: scripts have it in their first line."""
    folder = tmp_path_factory.mktemp("crash")
    index = Index()
    index.add(*OLD, NEW[0], NEW[2])
    tool = Tool(folder, index.url)
    place = pristine.copy_to(folder / "env")
    run = tool.sync(tool.write_lock(*pins(OLD), name="old.txt"), place)
    assert run.code == 0, run.err
    (place.site / "shared" / "mine.txt").write_text("mine\n")
    before = place.copy_to(folder / "before")
    lock = tool.write_lock(*pins(NEW))
    run = tool.sync(lock, place)
    index.close()
    assert run.code == 0, run.err
    assert place.installed() == {"replaced-2.0", "kept-1.0", "added-1.0"}
    return Scene(tool, before, lock, before.tree(), place.tree())


def place_of(scene: Scene) -> Target:
    """The environment as it was before the change, anew."""
    place = scene.tool.folder / "env"
    shutil.rmtree(place)
    return scene.before.copy_to(place)


def sync_here(scene: Scene, target: Target) -> Outcome:
    """A plain run, in this process: all of it is warm, so it starts nothing."""
    options = SyncOptions(
        locks=LockOptions(files=[str(scene.lock)]),
        pythons=(str(target.prefix),),
        cache_dir=str(scene.tool.cache),
        indexes=IndexOptions(locations=[IndexLocation(scene.tool.index_url, default=True)]),
    )
    (outcome,) = sync(options, {}, str(scene.tool.folder), View())
    return outcome


def fault(scene: Scene, target: Target, step: int, kind: str) -> int:
    words = (scene.lock, target.prefix, scene.tool.cache, scene.tool.index_url, step, kind)
    run = scene.tool.run(sys.executable, "-m", "tests.support.commit_until", *map(str, words))
    assert run.code in (0, REFUSED, -signal.SIGKILL), run.err
    return run.code


def test_a_run_that_is_killed_at_any_step_is_made_right_by_the_next(scene: Scene) -> None:
    recoveries = []
    for step in range(1000):
        target = place_of(scene)
        killed = fault(scene, target, step, "kill") != 0
        assert (target.prefix / ".engine").exists() == killed
        outcome = sync_here(scene, target)
        assert outcome.error is None, step
        assert target.tree() == scene.new, step
        if not killed:
            break
        recoveries.append(outcome.recovered)
    # Before the journal is there, nothing was decided; when it is gone, all was done.
    assert recoveries == [False, False, *[True] * (len(recoveries) - 3), False]
    assert len(recoveries) > 15
    check_cache(scene.tool.cache)


def test_a_recovery_is_said_and_what_was_recovered_can_be_synced_back(scene: Scene) -> None:
    target = place_of(scene)
    assert fault(scene, target, 6, "kill") == -signal.SIGKILL
    run = scene.tool.sync(scene.lock, target)
    assert run.code == 0, run.err
    assert "Finished what an interrupted run had left" in run.err
    assert target.tree() == scene.new
    scene.tool.sync(scene.tool.folder / "old.txt", target)
    assert target.tree() == scene.old


@pytest.mark.parametrize("kind", ["raise", "interrupt"])
def test_a_refusal_or_an_interrupt_at_any_step_rolls_back(kind: str, scene: Scene) -> None:
    target = place_of(scene)
    rolled_back = 0
    for step in range(1000):
        if fault(scene, target, step, kind) == 0:
            break
        if target.tree() == scene.old:
            rolled_back += 1
            continue
        # The steps after the last rename: the change is done, and only tidying up was refused.
        outcome = sync_here(scene, target)
        assert outcome.error is None and not outcome.added, step
        assert target.tree() == scene.new, step
        target = place_of(scene)
    assert rolled_back == step - 2 > 15
    assert target.tree() == scene.new


def test_a_damaged_journal_stops_the_run_and_is_named(scene: Scene) -> None:
    target = place_of(scene)
    fault(scene, target, 6, "kill")
    (journal,) = target.prefix.glob(".engine/*/journal")
    journal.write_bytes(journal.read_bytes()[:-5])
    run = scene.tool.sync(scene.lock, target)
    assert run.code == 1
    assert str(journal) in run.err


@pytest.mark.parametrize("option", ["--compile-bytecode", "--target"])
def test_compiled_files_and_folders_survive_a_kill_at_any_step(tmp_path: Path, pristine: Target, option: str) -> None:
    old, new = (make_wheel("one", version, {"one/__init__.py": f"x = {version}\n", "top.py": ""}) for version in "12")
    index = Index()
    index.add(old, new)
    tool = Tool(tmp_path, index.url)
    place = tmp_path / "place"
    if option == "--target":
        words: list[str] = ["--python", sys.executable, option, str(place)]
        (tmp_path / "before").mkdir()
    else:
        words = ["--python", str(place), option]
        pristine.copy_to(tmp_path / "before")

    def run(lock: Path) -> None:
        result = tool.run(*tool.command(lock, [], *words))
        assert result.code == 0, result.err

    def fresh() -> None:
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(tmp_path / "before", place, symlinks=True)

    fresh()
    locks = [tool.write_lock(wheel.pin, name=f"{wheel.version}.txt") for wheel in (old, new)]
    run(locks[0])
    shutil.rmtree(tmp_path / "before")
    shutil.copytree(place, tmp_path / "before", symlinks=True)
    run(locks[1])
    index.close()
    wanted = everything(place)
    assert (option == "--compile-bytecode") == any(path.endswith(".pyc") for path in wanted)
    for step in range(1000):
        fresh()
        arguments = (locks[1], place, tool.cache, tool.index_url, step, "kill", option)
        code = tool.run(sys.executable, "-m", "tests.support.commit_until", *map(str, arguments)).code
        assert code in (0, -signal.SIGKILL)
        run(locks[1])
        assert everything(place) == wanted, step
        if code == 0:
            break
    assert step > 5
    check_cache(tool.cache)


def everything(folder: Path) -> set[str]:
    """All paths, compiled files too."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
