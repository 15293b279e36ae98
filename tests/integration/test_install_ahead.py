"""Wheels are on their way while `install` still looks for versions; what was fetched in vain costs bytes only."""

import os
import threading
from collections.abc import Iterator

import pytest

from engine.limits import LARGE_BYTES
from tests.support.index import Fault, Index
from tests.support.tool import Target, Tool
from tests.support.wheels import Wheel, make_wheel

SMALL = {"content.bin": b"content"}
LARGE = {"content.bin": os.urandom(LARGE_BYTES)}


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Set when the test is over."""
    event = threading.Event()
    yield event
    event.set()


def path(wheel: Wheel) -> str:
    return f"/files/{wheel.filename}"


@pytest.mark.parametrize("files", [SMALL, LARGE], ids=["small", "large"])
def test_a_wheel_is_asked_for_while_pages_are_awaited(
    tool: Tool, target: Target, index: Index, gate: threading.Event, files: dict[str, bytes]
) -> None:
    app = make_wheel("app", "1.0", files, requires=["base"])
    index.add_with_metadata(app, make_wheel("base", "1.0"))
    index.fault("/simple/base/", Fault(silent=True, gate=gate))
    index.on_request = lambda _: gate.set() if path(app) in index.requests else None
    result = tool.install(target, "app")
    assert result.code == 0, result.err
    assert gate.is_set(), "the page was answered because the wheel had been asked for"
    assert target.installed() == {"app-1.0", "base-1.0"}
    assert index.requests.count(path(app)) == 1


def test_a_download_that_nobody_needs_any_more_is_given_up(
    tool: Tool, target: Target, index: Index, gate: threading.Event
) -> None:
    newest = make_wheel("app", "2.0", requires=["base>=2"])
    index.add_with_metadata(newest, make_wheel("app", "1.0"), make_wheel("base", "1.0"), make_wheel("base", "2.0"))
    index.fault(path(newest), Fault(silent=True, gate=gate))
    asked = threading.Event()
    index.fault("/simple/base/", Fault(silent=True, gate=asked))
    index.on_request = lambda _: asked.set() if path(newest) in index.requests else None
    result = tool.install(target, "app", "base<2")
    assert result.code == 0, result.err
    assert target.installed() == {"app-1.0", "base-1.0"}
    assert asked.is_set() and not gate.is_set()


def test_a_guess_that_cannot_be_had_is_nobodys_matter(tool: Tool, target: Target, index: Index) -> None:
    newest = make_wheel("app", "2.0", requires=["base>=2"])
    index.add_with_metadata(newest, make_wheel("app", "1.0"), make_wheel("base", "1.0"), make_wheel("base", "2.0"))
    index.fault(path(newest), Fault(status=404))
    result = tool.install(target, "app", "base<2")
    assert result.code == 0, result.err
    assert "404" not in result.err
    assert target.installed() == {"app-1.0", "base-1.0"}


def test_what_is_needed_and_cannot_be_had_is_told(tool: Tool, target: Target, index: Index) -> None:
    app = make_wheel("app", "2.0", requires=["base"])
    index.add_with_metadata(app, make_wheel("base", "1.0"))
    index.fault(path(app), Fault(status=404))
    result = tool.install(target, "app")
    assert result.code == 1 and app.filename in result.err and "404" in result.err
    assert target.installed() == set()


@pytest.mark.parametrize("hold", [SMALL, LARGE], ids=["small", "large"])
def test_a_dry_run_fetches_no_wheel(tool: Tool, target: Target, index: Index, hold: dict[str, bytes]) -> None:
    app = make_wheel("app", "1.0", hold, requires=["base"])
    index.add_with_metadata(app, make_wheel("base", "1.0"))
    result = tool.install(target, "app", "--dry-run")
    assert result.code == 0, result.err
    assert not [asked for asked in index.requests if asked.endswith(".whl")]


def test_where_no_answer_is_found_downloads_end_with_it(
    tool: Tool, target: Target, index: Index, gate: threading.Event
) -> None:
    app = make_wheel("app", "2.0", requires=["base>=2"])
    index.add_with_metadata(app, make_wheel("base", "1.0"))
    index.fault(path(app), Fault(silent=True, gate=gate))
    result = tool.install(target, "app")
    assert result.code == 1 and "base>=2" in result.err
    assert not gate.is_set()
