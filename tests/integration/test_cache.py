"""The cache's commands as a user runs them, alone and beside many installs."""

import json
import os
import sys
import threading
from pathlib import Path

import pytest

from tests.integration.conftest import NewTarget
from tests.support.index import Fault, Index
from tests.support.tool import Result, Tool
from tests.support.trees import check_cache, leftovers, published, snapshot
from tests.support.wheels import make_wheel

ONE = make_wheel("one", "1.0", {"one.py": "one = 1\n"})
TWO = make_wheel("two-more", "2.0", {"two.py": "two = 2\n"})
SYNCS = 12


def cache(tool: Tool, *words: str, cwd: Path | None = None) -> Result:
    return tool.run(sys.executable, "-m", "cli", "cache", *words, "--cache-dir", str(tool.cache), cwd=cwd)


@pytest.fixture
def filled(index: Index, tool: Tool, new_target: NewTarget) -> Tool:
    """A cache with two wheels, their pages and two plans."""
    index.add(ONE, TWO)
    for lock in ([ONE.pin, TWO.pin], [TWO.pin]):
        run = tool.sync(tool.write_lock(*lock), new_target(f"filler{len(lock)}"))
        assert run.code == 0, run.err
    index.requests.clear()
    return tool


def test_its_size_is_given_in_bytes_and_for_people(filled: Tool) -> None:
    size = cache(filled, "size")
    assert size.code == 0 and int(size.out) > 1000
    assert cache(filled, "size", "-H").out.endswith("KiB\n")
    filled.cache = filled.folder / "none"
    assert cache(filled, "size").out == "0\n"


def test_its_wheels_are_listed(filled: Tool) -> None:
    lines = cache(filled, "list").out.splitlines()
    assert [line.split()[:2] for line in lines] == [["Name", "Version"], ["one", "1.0"], ["two-more", "2.0"]]
    (wheel,) = json.loads(cache(filled, "list", "Two_*", "--format", "json").out)
    assert wheel["name"] == "two-more" and wheel["sha256"] == TWO.sha256 and wheel["filename"] == TWO.filename
    assert "Number of wheels: 2" in cache(filled, "info").out


@pytest.mark.parametrize("words", [["clean"], ["remove"]])
def test_what_it_has_of_a_project_is_removed(
    words: list[str], index: Index, filled: Tool, new_target: NewTarget
) -> None:
    run = cache(filled, *words, "Two.More")
    assert run.code == 0 and TWO.filename in run.err
    assert published(filled.cache) == {ONE.sha256}
    assert filled.sync(filled.write_lock(ONE.pin, TWO.pin), new_target("again")).code == 0
    assert index.requests == ["/simple/two-more/", f"/files/{TWO.filename}"]


@pytest.mark.parametrize("word", ["clean", "purge"])
def test_all_of_it_is_removed(word: str, filled: Tool) -> None:
    assert cache(filled, word).code == 0
    assert not filled.cache.exists()
    assert "No cache" in cache(filled, word).err


def test_to_remove_needs_a_name(filled: Tool) -> None:
    assert cache(filled, "remove").code == 2
    assert published(filled.cache) == {ONE.sha256, TWO.sha256}


def test_it_is_not_cleaned_from_inside(filled: Tool) -> None:
    run = cache(filled, "clean", cwd=filled.cache)
    assert run.code == 2 and "is inside the cache" in run.err
    assert published(filled.cache) == {ONE.sha256, TWO.sha256}


def test_pruning_says_what_goes_before_it_goes(filled: Tool) -> None:
    before = snapshot(filled.cache)
    assert "Nothing to prune" in cache(filled, "prune").err
    assert "Nothing to prune" in cache(filled, "prune", "--older-than", "30d", "--max-size", "1G").err
    run = cache(filled, "prune", "--ci", "--dry-run")
    assert "Would remove 2 wheels and 4 records" in run.err and ONE.filename in run.err
    assert snapshot(filled.cache) == before
    assert "Removed 2 wheels and 4 records" in cache(filled, "prune", "--ci").err
    assert published(filled.cache) == set()
    assert cache(filled, "prune", "--older-than", "soon").code == 2


def test_a_warm_sync_counts_as_a_use_of_what_its_plan_names(filled: Tool, new_target: NewTarget) -> None:
    old = 86400 * 60
    for path in filled.cache.rglob("*"):
        if path.name != "manifest" and "tree" not in path.parts:
            _make_older(path, old)
    assert filled.sync(filled.write_lock(TWO.pin), new_target("again"), options=["--offline"]).code == 0
    run = cache(filled, "prune", "--older-than", "30d")
    assert run.code == 0 and ONE.filename in run.err
    assert published(filled.cache) == {TWO.sha256}


def _make_older(path: Path, seconds: float) -> None:
    status = path.stat()
    os.utime(path, (status.st_atime - seconds, status.st_mtime - seconds))


def test_damage_is_found_removed_and_fetched_again(index: Index, filled: Tool, new_target: NewTarget) -> None:
    sound = cache(filled, "verify", "--full")
    assert sound.code == 0 and "sound" in sound.err
    with open(filled.cache / "wheels-v1" / ONE.sha256[:2] / ONE.sha256 / "tree" / "one.py", "a") as file:
        file.write("# edited\n")
    for path in filled.cache.glob("plans-v1/*/*"):
        path.write_bytes(b"torn")
    told = cache(filled, "verify", "--dry-run")
    assert told.code == 1 and ONE.filename in told.err and "one.py" in told.err
    assert cache(filled, "verify").code == 1
    assert published(filled.cache) == {TWO.sha256}
    assert cache(filled, "verify").code == 0
    run = filled.sync(filled.write_lock(ONE.pin, TWO.pin), new_target("again"))
    assert run.code == 0 and "warning" not in run.err
    check_cache(filled.cache)


def test_no_install_fails_while_the_cache_is_pruned_and_cleaned(
    index: Index, tool: Tool, new_target: NewTarget
) -> None:
    wheels = [
        make_wheel(
            f"project{number}",
            "1.0",
            # `shared.py` collides, and is settled from the cache after everything was staged.
            {f"project{number}/m{module}.py": f"# {module}\n" for module in range(30)}
            | {"shared.py": f"# {number % 2}\n"},
            console_scripts=[f"run{number} = project{number}:main"],
        )
        for number in range(5)
    ]
    index.add(*wheels)
    lock = tool.write_lock(*(wheel.pin for wheel in wheels))
    whole = new_target("whole")
    assert tool.sync(lock, whole).code == 0
    ended, failures = threading.Event(), list[str]()

    def tidy(*words: str) -> None:
        while not ended.is_set():
            run = cache(tool, *words)
            if run.code:
                failures.append(run.err)

    tidiers = [threading.Thread(target=tidy, args=words) for words in (["clean"], ["prune", "--max-size", "0"])]
    for thread in tidiers:
        thread.start()
    try:
        targets = [new_target(f"target{number}") for number in range(SYNCS)]
        processes = [tool.start(lock, target) for target in targets]
        for process in processes:
            _, err = process.communicate(timeout=120)
            if process.returncode:
                failures.append(err)
    finally:
        ended.set()
        for thread in tidiers:
            thread.join()
    assert failures == []
    for target in targets:
        assert sorted(target.tree()) == sorted(whole.tree())
        assert (target.site / "shared.py").read_text() == "# 0\n"
    check_cache(tool.cache)
    assert leftovers(tool.cache) == []


def test_sixteen_runs_on_one_cold_cache_download_each_wheel_once(
    index: Index, tool: Tool, new_target: NewTarget
) -> None:
    wheels = [make_wheel(f"project{number}", "1.0", {f"project{number}.py": ""}) for number in range(4)]
    index.add(*wheels)
    # Without a hash the artifact is known by its URL alone.
    index.add(ONE, hashes={})
    lock = tool.write_lock(*(wheel.pin for wheel in [*wheels, ONE]))
    targets = [new_target(f"target{number}") for number in range(16)]
    processes = [tool.start(lock, target) for target in targets]
    for process in processes:
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
    files = sorted(path for path in index.requests if path.startswith("/files/"))
    assert files == sorted(f"/files/{wheel.filename}" for wheel in [*wheels, ONE])
    assert [target.installed() for target in targets] == [targets[0].installed()] * 16
    assert len(targets[0].installed()) == 5
    check_cache(tool.cache)
    assert leftovers(tool.cache) == []


def test_who_waited_takes_over_when_the_first_is_killed(index: Index, tool: Tool, new_target: NewTarget) -> None:
    gate = threading.Event()
    index.max_age_seconds = 0
    index.add(ONE)
    index.fault(f"/files/{ONE.filename}", Fault(hold_after_bytes=20, gate=gate, times=1))
    lock = tool.write_lock(ONE.pin)
    first = tool.start(lock, new_target("first"))
    index.wait_for(f"/files/{ONE.filename}")
    target = new_target("second")
    second = tool.start(lock, target)
    index.wait_for_count("/simple/one/", 2)
    first.kill()
    first.communicate(timeout=60)
    _, err = second.communicate(timeout=60)
    gate.set()
    assert second.returncode == 0, err
    assert target.installed() == {"one-1.0"}
    assert index.requests.count(f"/files/{ONE.filename}") == 2
