"""`--report`: pip's report and more, of runs of every kind; valid, whole, and without secrets."""

import json
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from engine.report_schema import Report
from tests.integration.conftest import NewTarget
from tests.support.index import Fault, Index
from tests.support.tool import Result, Target, Tool
from tests.support.wheels import make_wheel

DEMO = make_wheel("demo", "1.0", {"demo.py": "x = 1\n", "demo.pth": "", "demo/inner.pth": ""}, requires=["other>=1"])
OTHER = make_wheel("other", "1.0", requires_python=">=3.8")
PIP_FIELDS = ("metadata", "download_info", "is_direct", "is_yanked", "requested", "requested_extras")


def load(text: str) -> dict[str, Any]:
    """A report that is held to its model."""
    assert text.isascii() and text.count("\n") == 1
    Report.model_validate_json(text)
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "report.json"


def report(place: Path) -> dict[str, Any]:
    return load(place.read_text(encoding="ascii"))


def by_name(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {item["metadata"]["name"]: item for item in found["install"]}


def sync(tool: Tool, place: Path, *lines: str, targets: list[Target], options: tuple[str, ...] = ()) -> Result:
    return tool.sync(tool.write_lock(*lines), *targets, options=["--report", str(place), *options])


@pytest.mark.parametrize("how", ["cold", "dry-run", "warm", "cached"])
def test_what_pip_tells_too_is_the_same(
    how: str, tool: Tool, index: Index, target: Target, new_target: NewTarget, place: Path
) -> None:
    index.add(DEMO, OTHER)
    lines = ["demo[fast]==1.0", "other==1.0"]
    if how in ("warm", "cached"):
        others = [line.replace("==", " == ") for line in lines]  # lines that no plan knows
        assert tool.sync(tool.write_lock(*(others if how == "cached" else lines)), target).code == 0
        target = new_target("again")
    options = ("--dry-run",) if how == "dry-run" else ()
    assert sync(tool, place, *lines, targets=[target], options=options).code == 0
    ours = report(place)
    run = tool.run(
        *(sys.executable, "-m", "pip", "--python", str(new_target("pip").python), "install", "--dry-run", "--no-deps"),
        *("--report", "-", "--quiet", "--index-url", index.url, "-r", str(tool.folder / "lock.txt")),
        *("--no-cache-dir", "--disable-pip-version-check"),
        environ={"PYTHONPATH": ""},
    )
    assert run.code == 0, run.err
    theirs = json.loads(run.out)
    assert set(theirs) <= set(ours) and ours["version"] == theirs["version"]
    assert ours["environment"] == theirs["environment"]
    assert by_name(ours).keys() == by_name(theirs).keys() == {"demo", "other"}
    for name, item in by_name(theirs).items():
        mine = by_name(ours)[name]
        if how == "dry-run":  # nothing was downloaded that could be read
            assert mine["metadata"] == {"name": name, "version": "1.0"}
            mine["metadata"] = item["metadata"]
        assert {key: mine.get(key) for key in PIP_FIELDS} == {key: item.get(key) for key in PIP_FIELDS}


def test_a_cold_run_tells_sizes_times_and_links(tool: Tool, index: Index, target: Target, place: Path) -> None:
    index.add(DEMO)
    index.fault(f"/files/{DEMO.filename}", Fault(cut_after_bytes=50, times=1))
    assert sync(tool, place, DEMO.pin, targets=[target]).code == 0
    found = by_name(report(place))["demo"]["engine"]
    assert (found["filename"], found["size_bytes"], found["cache_hit"]) == (DEMO.filename, len(DEMO.content), False)
    assert found["retries"] == 1 and found["environments"] == [str(target.prefix)]
    assert found["links"]["hardlink"] >= 3 and found["startup_files"] == ["demo.pth"]
    assert all(found[time] > 0 for time in ("fetch_ms", "unpack_ms", "stage_ms"))


def test_compiling_is_no_second_attempt(tool: Tool, index: Index, target: Target, place: Path) -> None:
    index.add(DEMO)
    assert sync(tool, place, DEMO.pin, targets=[target], options=("--compile-bytecode",)).code == 0
    found = by_name(report(place))["demo"]["engine"]
    assert (found["retries"], found["cache_hit"]) == (0, False) and found["compile_ms"] > 0


def test_a_warm_run_tells_what_it_linked(
    tool: Tool, index: Index, target: Target, new_target: NewTarget, place: Path
) -> None:
    index.add(DEMO)
    assert tool.sync(tool.write_lock(DEMO.pin), target).code == 0
    assert sync(tool, place, DEMO.pin, targets=[new_target("again")]).code == 0
    found = by_name(report(place))["demo"]["engine"]
    assert found["cache_hit"] is True and found["retries"] == 0 and found["fetch_ms"] is None
    assert (found["filename"], found["size_bytes"]) == (DEMO.filename, len(DEMO.content))
    assert found["links"]["hardlink"] >= 3 and found["stage_ms"] > 0 and found["startup_files"] == ["demo.pth"]


def test_several_environments_share_an_item_and_each_has_its_changes(
    tool: Tool, index: Index, target: Target, new_target: NewTarget, place: Path
) -> None:
    index.add(DEMO, OTHER)
    assert tool.sync(tool.write_lock(OTHER.pin), target).code == 0
    second = new_target("second")
    assert sync(tool, place, DEMO.pin, targets=[target, second]).code == 0
    found = report(place)
    (item,) = found["install"]
    assert item["engine"]["environments"] == [str(target.prefix), str(second.prefix)]
    one, two = found["engine"]["environments"]
    assert one["removed"] == [{"name": "other", "version": "1.0"}] and two["removed"] == []
    assert one["added"] == two["added"] == [{"name": "demo", "version": "1.0"}]
    assert one["error"] is two["error"] is None and one["markers"]["python_full_version"]


def test_nothing_to_do_is_a_report_too(tool: Tool, index: Index, target: Target, place: Path) -> None:
    index.add(DEMO)
    assert tool.sync(tool.write_lock(DEMO.pin), target).code == 0
    assert sync(tool, place, DEMO.pin, targets=[target], options=("--check",)).code == 0
    found = report(place)
    assert found["install"] == [] and found["engine"]["environments"][0]["kept"] == 1
    assert found["engine"]["dry_run"] is True


def test_a_yanked_wheel_is_marked_whenever_it_is_installed(
    tool: Tool, index: Index, target: Target, new_target: NewTarget, place: Path
) -> None:
    index.add(DEMO, yanked="it broke\x1b[31m")
    for environment in (target, new_target("again")):
        assert sync(tool, place, DEMO.pin, targets=[environment]).code == 0
        assert by_name(report(place))["demo"]["is_yanked"] is True


def test_a_failed_environment_has_its_error_and_others_what_they_got(
    tool: Tool, index: Index, target: Target, tmp_path: Path, place: Path
) -> None:
    index.add(DEMO)
    run = sync(tool, place, DEMO.pin, targets=[target, Target(tmp_path / "none")])
    assert run.code == 1
    found = report(place)
    good, bad = found["engine"]["environments"]
    assert good["error"] is None and len(found["install"]) == 1
    assert bad["error"]["kind"] == "InvalidEnvironment" and str(tmp_path / "none") in bad["error"]["message"]


def test_a_wheel_that_fails_is_told_with_its_attempts(tool: Tool, index: Index, target: Target, place: Path) -> None:
    index.add(DEMO)
    index.fault(f"/files/{DEMO.filename}", Fault(status=403))
    assert sync(tool, place, DEMO.pin, targets=[target]).code == 1
    found = report(place)
    (environment,) = found["engine"]["environments"]
    assert found["install"] == [] and environment["added"] == [{"name": "demo", "version": "1.0"}]
    assert "403" in environment["error"]["message"]
    assert [wheel["filename"] for wheel in found["engine"]["failed"]] == [DEMO.filename]


def test_a_wrong_lock_is_a_report_with_an_error(tool: Tool, target: Target, place: Path) -> None:
    assert sync(tool, place, "demo", targets=[target]).code == 2
    error = report(place)["engine"]["error"]
    assert error["kind"] == "InvalidLock" and "lock.txt:1" in error["message"]


def test_an_interrupted_run_leaves_its_report(tool: Tool, index: Index, target: Target, place: Path) -> None:
    index.add(DEMO)
    gate = threading.Event()
    index.fault(f"/files/{DEMO.filename}", Fault(hold_after_bytes=10, gate=gate))
    process = tool.start(tool.write_lock(DEMO.pin), target, options=("--report", str(place)))
    try:
        index.wait_for(f"/files/{DEMO.filename}")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    finally:
        gate.set()
    assert process.returncode == 130
    found = report(place)
    assert found["engine"]["error"]["kind"] == "KeyboardInterrupt" and found["install"] == []
    assert found["engine"]["environments"][0]["error"] is not None


def test_a_report_can_be_printed_alone(tool: Tool, index: Index, target: Target) -> None:
    index.add(DEMO)
    run = tool.sync(tool.write_lock(DEMO.pin), target, options=["--report", "-"])
    assert run.code == 0 and load(run.out)["install"]


def test_two_documents_cannot_have_one_place(tool: Tool, target: Target, place: Path) -> None:
    again = f"{place.parent}/./{place.name}"
    run = tool.sync(
        tool.write_lock(), target, options=["--allow-empty-requirements", "--report", str(place), "--trace", again]
    )
    assert run.code == 2 and "cannot both be" in run.err and not place.exists()


def test_two_documents_cannot_both_be_printed(tool: Tool, target: Target) -> None:
    run = tool.sync(tool.write_lock(), target, options=["--allow-empty-requirements", "--report", "-", "--trace", "-"])
    assert run.code == 2 and run.out == ""


def test_a_report_that_cannot_be_written_fails_the_run_that_is_done(tool: Tool, index: Index, target: Target) -> None:
    index.add(DEMO)
    run = tool.sync(tool.write_lock(DEMO.pin), target, options=["--report", "/dev/full"])
    assert run.code == 1 and "error: cannot write the report /dev/full" in run.err
    assert target.installed() == {"demo-1.0"}


def test_a_wheel_that_the_lock_names_is_direct(
    tool: Tool, index: Index, target: Target, new_target: NewTarget, tmp_path: Path, place: Path
) -> None:
    wheel = tmp_path / DEMO.filename
    wheel.write_bytes(DEMO.content)
    for environment in (target, new_target("again")):
        run = sync(tool, place, f"demo @ {wheel.as_uri()}", targets=[environment])
        assert run.code == 0, run.err
        (item,) = report(place)["install"]
        assert item["is_direct"] is True and item["download_info"]["url"] == wheel.as_uri()


def test_a_password_is_in_no_report(
    tool: Tool, index: Index, target: Target, new_target: NewTarget, place: Path
) -> None:
    index.add(DEMO)
    url = index.url.replace("://", "://user:hunter2@")
    for environment in (target, new_target("again")):
        assert sync(tool, place, DEMO.pin, targets=[environment], options=("--index-url", url)).code == 0
        assert "hunter2" not in place.read_text()
        assert by_name(report(place))["demo"]["download_info"]["url"].startswith("http://127.0.0.1")
