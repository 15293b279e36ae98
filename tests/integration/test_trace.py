"""`--trace`: what was done when, of a cold run, a warm run and one that fails; and nothing in the way of the run."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import NewTarget
from tests.support.index import Fault, Index
from tests.support.tool import Target, Tool
from tests.support.wheels import make_wheel

DEMO, OTHER = make_wheel("demo", "1.0"), make_wheel("other", "1.0")

#: What docs/reports.md explains.
STEPS = {"find", "plan", "fetch", "parse", "wait", "compare", "fork", "import", "store"}
PHASES = {"page", "choose", "download", "unpack", "publish", "stage", "compile", "commit"} | STEPS


@pytest.fixture(autouse=True)
def wheels(index: Index) -> None:
    index.add(DEMO, OTHER)


def events(path: Path) -> list[dict[str, Any]]:
    """The complete events of a trace."""
    document = json.loads(path.read_text(encoding="ascii"))
    return [event for event in document["traceEvents"] if event["ph"] == "X"]


def phases(path: Path) -> Counter[str]:
    return Counter(event["cat"] for event in events(path))


def test_a_cold_run_has_every_page_choice_download_and_commit(tool: Tool, target: Target, tmp_path: Path) -> None:
    trace = tmp_path / "trace.json"
    run = tool.sync(tool.write_lock(DEMO.pin, OTHER.pin), target, options=["--trace", str(trace)])
    assert run.code == 0, run.err
    found = phases(trace)
    assert found.keys() <= PHASES
    assert (found["page"], found["download"], found["stage"], found["publish"], found["commit"]) == (2, 2, 2, 2, 1)
    assert found["choose"] >= 2 and found["unpack"] >= 2
    downloads = {event["args"]["project"]: event["args"] for event in events(trace) if event["cat"] == "download"}
    assert downloads["demo"] == {"project": "demo", "attempt": 1, "bytes": len(DEMO.content)}
    staged = [event for event in events(trace) if event["cat"] == "stage"]
    assert {event["name"] for event in staged} == {f"stage {DEMO.filename}", f"stage {OTHER.filename}"}
    main = {event["pid"] for event in events(trace) if event["cat"] == "commit"}
    assert not main & {event["pid"] for event in staged}


def test_everything_happens_within_the_run_and_in_order(tool: Tool, target: Target, tmp_path: Path) -> None:
    trace = tmp_path / "trace.json"
    assert tool.sync(tool.write_lock(DEMO.pin), target, options=["--trace", str(trace)]).code == 0
    one = {event["cat"]: event for event in events(trace)}
    assert all(event["ts"] >= 0 and event["dur"] >= 0 for event in events(trace))
    order = ["page", "download", "stage", "publish", "commit"]
    starts = [one[phase]["ts"] for phase in order]
    assert starts == sorted(starts)


def test_a_warm_run_has_what_it_stages(tool: Tool, target: Target, new_target: NewTarget, tmp_path: Path) -> None:
    lock = tool.write_lock(DEMO.pin, OTHER.pin)
    assert tool.sync(lock, target).code == 0
    trace = tmp_path / "trace.json"
    assert tool.sync(lock, new_target("again"), options=["--trace", str(trace)]).code == 0
    found = phases(trace)
    assert (found["stage"], found["commit"], found["compare"], found["page"]) == (2, 1, 1, 0)
    assert {event["args"]["cached"] for event in events(trace) if event["cat"] == "stage"} == {True}


def test_a_wheel_of_the_cache_is_marked(tool: Tool, target: Target, new_target: NewTarget, tmp_path: Path) -> None:
    assert tool.sync(tool.write_lock(DEMO.pin), target).code == 0
    trace = tmp_path / "trace.json"
    lock = tool.write_lock(DEMO.pin, OTHER.pin)
    assert tool.sync(lock, new_target("again"), options=["--trace", str(trace)]).code == 0
    staged = {event["args"]["project"]: event["args"]["cached"] for event in events(trace) if event["cat"] == "stage"}
    assert staged == {"demo": True, "other": False}


def test_every_attempt_of_a_download_is_there(tool: Tool, index: Index, target: Target, tmp_path: Path) -> None:
    index.fault(f"/files/{DEMO.filename}", Fault(cut_after_bytes=50, times=1))
    trace = tmp_path / "trace.json"
    assert tool.sync(tool.write_lock(DEMO.pin), target, options=["--trace", str(trace)]).code == 0
    downloads = [event["args"] for event in events(trace) if event["cat"] == "download"]
    assert [args["attempt"] for args in downloads] == [1, 2]
    assert "failed" in downloads[0] and "failed" not in downloads[1]


def test_pages_of_several_places_are_read_and_chosen_from(
    tool: Tool, index: Index, target: Target, tmp_path: Path
) -> None:
    other = Index()
    other.add(make_wheel("demo", "2.0"))
    trace = tmp_path / "trace.json"
    links = other.url.replace("/simple/", "/simple/demo")
    options = ["--trace", str(trace), "--extra-index-url", other.url, "--find-links", links]
    options += ["--index-strategy", "unsafe-best-match"]
    run = tool.sync(tool.write_lock(DEMO.pin), target, options=options)
    other.close()
    assert run.code == 0, run.err
    assert phases(trace)["choose"] >= 1 and phases(trace)["page"] >= 2
    assert phases(trace).keys() <= PHASES


def test_compiling_has_its_time(tool: Tool, target: Target, tmp_path: Path) -> None:
    trace = tmp_path / "trace.json"
    run = tool.sync(tool.write_lock(DEMO.pin), target, options=["--trace", str(trace), "--compile-bytecode"])
    assert run.code == 0 and phases(trace)["compile"] == 1 and phases(trace)["stage"] >= 1


def test_a_run_that_fails_leaves_its_trace(tool: Tool, index: Index, target: Target, tmp_path: Path) -> None:
    index.fault(f"/files/{DEMO.filename}", Fault(status=403))
    trace = tmp_path / "trace.json"
    assert tool.sync(tool.write_lock(DEMO.pin), target, options=["--trace", str(trace)]).code == 1
    assert phases(trace)["download"] == 1 and phases(trace)["commit"] == 0


def test_a_trace_can_be_printed(tool: Tool, target: Target) -> None:
    run = tool.sync(tool.write_lock(DEMO.pin), target, options=["--trace", "-"])
    assert run.code == 0 and "Installed" in run.err
    document = json.loads(run.out)
    assert document["traceEvents"] and document["otherData"]["link_mode"] == "hardlink"


def test_who_asks_twice_for_more_is_told_what_became_of_each_wheel(tool: Tool, index: Index, target: Target) -> None:
    index.fault(f"/files/{DEMO.filename}", Fault(cut_after_bytes=50, times=1))
    run = tool.sync(tool.write_lock(DEMO.pin), target, options=["-v", "-v"])
    assert run.code == 0 and run.out == ""
    (line,) = [line for line in run.err.splitlines() if line.startswith(f"   {DEMO.filename}: ")]
    assert f"{len(DEMO.content)} bytes, 2 attempts, download " in line and "unpack" in line and "hardlink" in line


def test_a_password_is_in_no_trace(tool: Tool, index: Index, target: Target, tmp_path: Path) -> None:
    trace = tmp_path / "trace.json"
    url = index.url.replace("://", "://user:hunter2@")
    run = tool.sync(tool.write_lock(DEMO.pin), target, options=["--trace", str(trace), "--index-url", url])
    assert run.code == 0 and phases(trace)["page"] == 1
    assert "hunter2" not in trace.read_text()


def test_a_place_that_cannot_be_is_a_mistake_before_anything_is_done(
    tool: Tool, index: Index, target: Target, tmp_path: Path
) -> None:
    lock = tool.write_lock(DEMO.pin)
    for path in (tmp_path / "none" / "trace.json", tmp_path):
        run = tool.sync(lock, target, options=["--trace", str(path)])
        assert run.code == 2 and str(path) in run.err
    assert target.installed() == set() and index.requests == []


def test_a_file_is_replaced_at_once_and_a_link_to_it_stays(tool: Tool, target: Target, tmp_path: Path) -> None:
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    real.write_text("old")
    link.symlink_to(real)
    assert tool.sync(tool.write_lock(DEMO.pin), target, options=["--trace", str(link)]).code == 0
    assert link.is_symlink() and events(real)
    assert sorted(path.name for path in tmp_path.glob("*.json*")) == ["link.json", "real.json"]


def test_what_is_no_file_is_written_to_and_stays(tool: Tool, target: Target) -> None:
    run = tool.sync(tool.write_lock(DEMO.pin), target, options=["--trace", "/dev/stderr"])
    assert run.code == 0 and '"traceEvents"' in run.err
