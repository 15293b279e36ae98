"""A cached file that was changed through a link is noticed, replaced, and said; nobody gets the changed one."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.conftest import NewTarget
from tests.support.index import Index
from tests.support.tool import Target, Tool
from tests.support.trees import check_cache
from tests.support.wheels import make_wheel

TEXT = "value = 'right'\n"
ONE = make_wheel("one", "1.0", {"one.py": TEXT, "kept.py": "kept = 1\n"})
TWO = make_wheel("two", "1.0")


def cached(tool: Tool, name: str) -> Path:
    return tool.cache / "wheels-v1" / ONE.sha256[:2] / ONE.sha256 / "tree" / name


def edit_same_size(tool: Tool, target: Target) -> None:
    path = target.site / "one.py"
    with open(path, "r+", encoding="utf-8") as file:
        file.write(TEXT.replace("right", "wrong"))
    status = path.stat()
    # However coarse the clock of the file system is, an edit has another time.
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000))


def append(tool: Tool, target: Target) -> None:
    with open(target.site / "one.py", "a", encoding="utf-8") as file:
        file.write("more = 1\n")


def truncate(tool: Tool, target: Target) -> None:
    os.truncate(target.site / "one.py", 0)


def delete(tool: Tool, target: Target) -> None:
    cached(tool, "one.py").unlink()


def delete_the_folder(tool: Tool, target: Target) -> None:
    for path in cached(tool, "one-1.0.dist-info").iterdir():
        path.unlink()
    cached(tool, "one-1.0.dist-info").rmdir()


def replace_by_link(tool: Tool, target: Target) -> None:
    path = cached(tool, "one.py")
    path.unlink()
    path.symlink_to("/etc/hostname")


Damage = Callable[[Tool, Target], None]
DAMAGES = [edit_same_size, append, truncate, delete, delete_the_folder, replace_by_link]


@pytest.fixture
def first(index: Index, tool: Tool, new_target: NewTarget) -> Target:
    """An environment whose files are links to the cache."""
    index.add(ONE, TWO)
    target = new_target("first")
    run = tool.sync(tool.write_lock(ONE.pin, TWO.pin), target)
    assert run.code == 0, run.err
    index.requests.clear()
    return target


WITH_PLAN, WITHOUT_PLAN = [ONE.pin, TWO.pin], [ONE.pin]


@pytest.mark.parametrize(
    ("damage", "lock"),
    [*((damage, WITH_PLAN) for damage in DAMAGES), (edit_same_size, WITHOUT_PLAN), (delete, WITHOUT_PLAN)],
    ids=lambda value: value.__name__ if callable(value) else f"{len(value)}-pins",
)
def test_the_next_environment_gets_the_right_file(
    damage: Damage, lock: list[str], index: Index, tool: Tool, first: Target, new_target: NewTarget
) -> None:
    damage(tool, first)
    untouched = first.tree()
    second = new_target("second")
    run = tool.sync(tool.write_lock(*lock), second)
    assert run.code == 0, run.err
    assert "warning: " in run.err and "fetched again" in run.err
    assert (second.site / "one.py").read_text() == TEXT
    assert (second.site / "one-1.0.dist-info" / "METADATA").exists()
    assert index.requests.count(f"/files/{ONE.filename}") == 1
    assert f"/files/{TWO.filename}" not in index.requests
    assert first.tree() == untouched
    check_cache(tool.cache)
    assert tool.sync(tool.write_lock(*lock), new_target("third")).err.count("warning") == 0


@pytest.mark.parametrize("damage", [append, delete_the_folder], ids=lambda damage: damage.__name__)
def test_without_a_server_it_is_an_error_and_nothing_changes(
    damage: Damage, index: Index, tool: Tool, first: Target, new_target: NewTarget
) -> None:
    damage(tool, first)
    index.close()
    second = new_target("second")
    before = second.tree()
    run = tool.sync(tool.write_lock(ONE.pin, TWO.pin), second)
    assert run.code == 1
    assert ONE.filename in run.err and "Traceback" not in run.err
    assert second.tree() == before


def test_a_damaged_entry_is_an_error_offline(index: Index, tool: Tool, first: Target, new_target: NewTarget) -> None:
    append(tool, first)
    second = new_target("second")
    run = tool.sync(tool.write_lock(ONE.pin, TWO.pin), second, options=["--offline"])
    assert run.code == 1
    assert ONE.filename in run.err and "--offline" in run.err
    assert second.installed() == set()
    assert index.requests == []


@pytest.mark.parametrize("content", [b"", b"{}", b"not json"])
def test_a_damaged_manifest_is_fetched_again(content: bytes, tool: Tool, first: Target, new_target: NewTarget) -> None:
    cached(tool, "").parent.joinpath("manifest").write_bytes(content)
    second = new_target("second")
    run = tool.sync(tool.write_lock(ONE.pin), second)
    assert run.code == 0, run.err
    assert (second.site / "one.py").read_text() == TEXT
    check_cache(tool.cache)


def test_a_torn_plan_is_made_anew(tool: Tool, first: Target, new_target: NewTarget) -> None:
    for path in tool.cache.glob("plans-v1/*/*"):
        path.write_bytes(path.read_bytes()[:-10])
    second = new_target("second")
    run = tool.sync(tool.write_lock(ONE.pin, TWO.pin), second)
    assert run.code == 0, run.err
    assert second.tree() == first.tree()


def test_torn_records_are_made_anew(tool: Tool, first: Target, new_target: NewTarget) -> None:
    for bucket in ("index-v3", "interpreters-v1", "plans-v1"):
        for path in (tool.cache / bucket).rglob("*"):
            if path.is_file():
                path.write_bytes(path.read_bytes()[:9])
    second = new_target("second")
    run = tool.sync(tool.write_lock(ONE.pin, TWO.pin), second)
    assert run.code == 0, run.err
    assert second.tree() == first.tree()


def test_all_damaged_wheels_of_a_run_are_replaced(
    index: Index, tool: Tool, first: Target, new_target: NewTarget
) -> None:
    for name in ("one.py", "two.py"):
        with open(first.site / name, "a", encoding="utf-8") as file:
            file.write("# edited\n")
    targets = [new_target("second"), new_target("third")]
    run = tool.sync(tool.write_lock(ONE.pin, TWO.pin), *targets)
    assert run.code == 0, run.err
    for target in targets:
        assert "edited" not in (target.site / "one.py").read_text() + (target.site / "two.py").read_text()
    check_cache(tool.cache)
