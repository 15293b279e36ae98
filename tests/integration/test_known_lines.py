"""A lock that nobody has synced, of lines that somebody has: what is known is not asked for again."""

import sys

import pytest

from tests.integration.conftest import NewTarget
from tests.support.index import Index
from tests.support.tool import Tool
from tests.support.wheels import make_wheel

ONE = make_wheel("one", "1.0", {"one.py": "x = 1\n"})
TWO = make_wheel("two", "1.0", {"two.py": "x = 2\n"})
THREE = make_wheel("three", "1.0", {"three.py": "x = 3\n"})
CLEAN = (sys.executable, "-m", "cli", "cache", "clean", "one")
OTHER_ONE = make_wheel("one", "1.0", {"one.py": "x = 'other'\n"}, build="2")


@pytest.fixture
def synced(index: Index, tool: Tool, new_target: NewTarget) -> Tool:
    """The tool after a sync of ONE and TWO, which the index has; what it was asked until then is forgotten."""
    index.add(ONE, TWO, THREE)
    run = tool.sync(tool.write_lock(ONE.pin, TWO.pin, 'three==1.0 ; python_version < "3"'), new_target("first"))
    assert run.code == 0, run.err
    index.requests.clear()
    return tool


@pytest.mark.parametrize(
    ("lines", "installed"),
    [
        ((ONE.pin,), {"one-1.0"}),
        ((TWO.pin, "# a comment", f"{ONE.pin}   # and another"), {"one-1.0", "two-1.0"}),
        (("one  ==1.0", TWO.pin), {"one-1.0", "two-1.0"}),
        ((ONE.pin, 'three==1.0 ; python_version < "3"'), {"one-1.0"}),
    ],
)
def test_another_lock_of_known_lines_is_synced_without_a_server(
    synced: Tool, index: Index, new_target: NewTarget, lines: tuple[str, ...], installed: set[str]
) -> None:
    known = "one  ==1.0" not in lines
    if known:
        index.close()
    lock = synced.folder / "another.txt"
    lock.write_text("\n".join(lines) + "\n", encoding="utf-8")
    target = new_target("second")
    run = synced.sync(lock, target, options=["-v"])
    assert run.code == 0, run.err
    assert target.installed() == installed
    assert ("by a stored plan" in run.err) == known


def test_only_the_line_that_is_new_is_asked_for(synced: Tool, index: Index, new_target: NewTarget) -> None:
    target = new_target("second")
    run = synced.sync(synced.write_lock(ONE.pin, THREE.pin, TWO.pin), target)
    assert run.code == 0, run.err
    assert target.installed() == {"one-1.0", "two-1.0", "three-1.0"}
    assert {path.split("/")[2].partition("-")[0] for path in index.requests} == {"three"}
    index.close()
    again = new_target("third")
    assert synced.sync(synced.write_lock(TWO.pin, THREE.pin), again).code == 0
    assert again.installed() == {"two-1.0", "three-1.0"}


def test_a_line_that_was_left_out_comes_back_without_a_question(
    synced: Tool, index: Index, new_target: NewTarget
) -> None:
    index.close()
    assert synced.sync(synced.write_lock(ONE.pin), new_target("second")).code == 0
    target = new_target("third")
    run = synced.sync(synced.write_lock("# again", ONE.pin, TWO.pin), target)
    assert run.code == 0, run.err
    assert target.installed() == {"one-1.0", "two-1.0"}


def test_other_hashes_are_another_line(synced: Tool, index: Index, new_target: NewTarget) -> None:
    index.add(OTHER_ONE)
    synced.sync(synced.write_lock(ONE.pin, "--index-url " + index.url), new_target("second"), options=["--refresh"])
    lock = synced.write_lock(f"{ONE.pin} --hash=sha256:{OTHER_ONE.sha256}")
    target = new_target("third")
    run = synced.sync(lock, target, options=["--refresh-package", "one"])
    assert run.code == 0, run.err
    assert target.run("import one; print(one.x)") == "other"
    wrong = synced.write_lock(f"{ONE.pin} --hash=sha256:{'0' * 64}")
    run = synced.sync(wrong, new_target("fourth"))
    assert run.code == 1 and "one" in run.err


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ((ONE.pin, "one==2.0"), "contradicts"),
        ((f"{ONE.pin} --hash=sha256:{ONE.sha256}", TWO.pin), "has no hash"),
        ((ONE.pin, "two=1.0"), "two=1.0"),
        ((ONE.pin, "-r missing.txt"), "missing.txt"),
    ],
)
def test_what_is_wrong_with_a_lock_is_told_although_lines_of_it_are_known(
    synced: Tool, new_target: NewTarget, lines: tuple[str, ...], says: str
) -> None:
    target = new_target("second")
    run = synced.sync(synced.write_lock(*lines), target)
    assert run.code == 2 and says in run.err
    assert target.installed() == set()


@pytest.mark.parametrize("in_the_lock", [True, False])
def test_another_index_knows_no_line(synced: Tool, index: Index, new_target: NewTarget, *, in_the_lock: bool) -> None:
    other = ("--extra-index-url", f"{index.url}other/")
    lines, options = ((" ".join(other), ONE.pin), ()) if in_the_lock else ((ONE.pin,), other)
    run = synced.sync(synced.write_lock(*lines), new_target("second"), options=[*options, "-v"])
    assert run.code == 0 and "by a stored plan" not in run.err
    assert any(path.startswith("/simple/other/one/") for path in index.requests), index.requests


def test_a_wheel_that_has_left_the_cache_is_fetched_again(synced: Tool, index: Index, new_target: NewTarget) -> None:
    assert synced.run(*CLEAN, "--cache-dir", str(synced.cache)).code == 0
    target = new_target("second")
    run = synced.sync(synced.write_lock("# another", TWO.pin, ONE.pin), target)
    assert run.code == 0, run.err
    assert target.installed() == {"one-1.0", "two-1.0"}
    assert any(path.startswith("/files/one-") for path in index.requests)


def test_refresh_asks_for_known_lines_too(synced: Tool, index: Index, new_target: NewTarget) -> None:
    assert synced.sync(synced.write_lock(ONE.pin), new_target("second"), options=["--refresh"]).code == 0
    assert any(path.startswith("/simple/one") for path in index.requests)


def test_check_and_dry_run_remember_nothing(synced: Tool, index: Index, new_target: NewTarget) -> None:
    index.close()
    target = new_target("second")
    before = sorted(path.name for path in synced.cache.glob("plans-v1/*/*"))
    run = synced.sync(synced.write_lock(ONE.pin), target, options=["--dry-run"])
    assert run.code == 0 and "one" in run.out + run.err
    assert synced.sync(synced.write_lock(ONE.pin), target, options=["--check"]).code == 1
    assert sorted(path.name for path in synced.cache.glob("plans-v1/*/*")) == before
    assert target.installed() == set()
