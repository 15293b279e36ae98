"""How long pages are used without asking, and what is asked when they are not fresh any more."""

import pytest

from tests.integration.conftest import NewTarget
from tests.support.index import Fault, Index
from tests.support.tool import Target, Tool
from tests.support.trees import leftovers
from tests.support.wheels import make_wheel

ONE, TWO = make_wheel("one", "1.0"), make_wheel("one", "2.0")
PAGE = "/simple/one/"


@pytest.fixture(autouse=True)
def listed(index: Index, tool: Tool) -> None:
    index.add(ONE, TWO)
    index.validates = True


def pages(index: Index) -> list[str]:
    """What was asked about the page: its validator, or "" for all of it."""
    asked = zip(index.requests, index.headers, strict=True)
    return [headers.get("if-none-match", "") for path, headers in asked if path == PAGE]


def test_a_page_that_has_not_changed_is_renewed(index: Index, tool: Tool, new_target: NewTarget) -> None:
    index.cache_control = "max-age=0"
    assert tool.sync(tool.write_lock("one==1.0"), new_target("a")).code == 0
    index.cache_control = "max-age=600"
    # A wheel that is not in the cache: the index is asked, and its page is fresh from now on.
    assert tool.sync(tool.write_lock("one==2.0"), new_target("b")).code == 0
    first, second = pages(index)
    assert first == "" and second.startswith('"')
    three = make_wheel("one", "3.0")
    index.add(three)
    (tool.cache / "wheels-v1").rename(tool.folder / "gone")
    assert tool.sync(tool.write_lock("one==2.0"), new_target("c")).code == 0
    assert len(pages(index)) == 2


def test_a_page_that_has_changed_comes_whole(index: Index, tool: Tool, new_target: NewTarget) -> None:
    index.cache_control = "max-age=0"
    assert tool.sync(tool.write_lock("one==1.0"), new_target("a")).code == 0
    index.add(make_wheel("one", "3.0"))
    target = new_target("b")
    assert tool.sync(tool.write_lock("one==3.0"), target).code == 0
    assert target.installed() == {"one-3.0"} and len(pages(index)) == 2


def test_a_page_that_must_not_be_stored_is_not(index: Index, tool: Tool, new_target: NewTarget) -> None:
    index.cache_control = "no-store, max-age=600"
    for version in ("1.0", "2.0"):
        assert tool.sync(tool.write_lock(f"one=={version}"), new_target(version)).code == 0
    assert pages(index) == ["", ""]
    assert list(tool.cache.glob("index-v3/*/*")) == []


def down(index: Index) -> None:
    index.fault(PAGE, Fault(status=503))


def test_a_stale_page_is_used_with_a_warning_when_the_index_is_down(
    index: Index, tool: Tool, new_target: NewTarget
) -> None:
    index.cache_control = "max-age=0"
    assert tool.sync(tool.write_lock("one==1.0"), new_target("a")).code == 0
    down(index)
    target = new_target("b")
    run = tool.sync(tool.write_lock("one==2.0"), target, options=["--retries", "0"])
    assert run.code == 0, run.err
    assert target.installed() == {"one-2.0"}
    assert run.err.count("warning: ") == 1 and "503" in run.err and index.url in run.err


def test_a_stale_page_does_not_say_that_there_is_no_such_release(
    index: Index, tool: Tool, new_target: NewTarget
) -> None:
    index.cache_control = "max-age=0"
    assert tool.sync(tool.write_lock("one==1.0"), new_target("a")).code == 0
    down(index)
    run = tool.sync(tool.write_lock("one==3.0"), new_target("b"), options=["--retries", "0"])
    assert run.code == 1
    assert "error: " in run.err and "503" in run.err.partition("error: ")[2]


def test_an_index_can_forbid_stale_pages(index: Index, tool: Tool, new_target: NewTarget) -> None:
    index.cache_control = "max-age=0, must-revalidate"
    assert tool.sync(tool.write_lock("one==1.0"), new_target("a")).code == 0
    down(index)
    run = tool.sync(tool.write_lock("one==2.0"), new_target("b"), options=["--retries", "0"])
    assert run.code == 1 and "503" in run.err


def test_offline_uses_stale_pages_and_asks_nobody(index: Index, tool: Tool, new_target: NewTarget) -> None:
    index.cache_control = "max-age=0"
    assert tool.sync(tool.write_lock("one==1.0"), new_target("a")).code == 0
    asked = len(index.requests)
    run = tool.sync(tool.write_lock("one ==1.0"), new_target("b"), options=["--offline"])
    assert run.code == 0, run.err
    assert len(index.requests) == asked


@pytest.mark.parametrize(
    ("option", "asks"),
    [
        (["--refresh"], True),
        (["--refresh-package", "One"], True),
        (["--refresh-package", "two"], False),
        (["--refresh", "--offline"], False),
    ],
)
def test_a_fresh_page_is_asked_for_when_that_is_wanted(
    option: list[str], asks: bool, index: Index, tool: Tool, new_target: NewTarget
) -> None:
    lock = tool.write_lock("one==1.0")
    assert tool.sync(lock, new_target("a")).code == 0
    run = tool.sync(lock, new_target("b"), options=option)
    assert run.code == 0, run.err
    assert (len(pages(index)) == 2) == asks


def test_a_stored_page_that_is_damaged_is_fetched_whole(index: Index, tool: Tool, target: Target) -> None:
    index.cache_control = "max-age=0"
    assert tool.sync(tool.write_lock("one==1.0"), target).code == 0
    (record,) = tool.cache.glob("index-v3/*/one")
    record.write_bytes(record.read_bytes()[:-20])
    run = tool.sync(tool.write_lock("one==2.0"), target)
    assert run.code == 0, run.err
    assert target.installed() == {"one-2.0"} and pages(index)[-1] == ""
    assert leftovers(tool.cache) == []
