"""Options that bound what happens at once, and a run that keeps nothing."""

import threading
from pathlib import Path

import pytest

from tests.support.index import Fault, Index
from tests.support.tool import Target, Tool
from tests.support.wheels import make_wheel

WHEELS = [make_wheel(f"project{number}", "1.0") for number in range(4)]
PINS = [wheel.pin for wheel in WHEELS]


@pytest.fixture(autouse=True)
def listed(index: Index) -> None:
    index.add(*WHEELS)


def test_downloads_come_one_after_the_other_when_that_is_wanted(index: Index, tool: Tool, target: Target) -> None:
    under_way = threading.Semaphore(1)
    together = []

    def note(number: int) -> None:
        if index.requests[number - 1].startswith("/files/"):
            together.append(under_way.acquire(blocking=False))
            # Long enough for another request to come, if there is one.
            index.closed.wait(0.2)
            if together[-1]:
                under_way.release()

    index.on_request = note
    run = tool.sync(tool.write_lock(*PINS), target, options=["--concurrent-downloads", "1"])
    assert run.code == 0, run.err
    assert together == [True] * len(WHEELS)


def test_one_process_installs_as_well(index: Index, tool: Tool, target: Target) -> None:
    lock = tool.write_lock(*PINS)
    run = tool.sync(lock, target, options=["--concurrent-installs", "1", "--retries", "0"])
    assert run.code == 0, run.err
    assert len(target.installed()) == len(WHEELS)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--retries", "-1"),
        ("--retries", "many"),
        ("--timeout", "0"),
        ("--timeout", "nan"),
        ("--connect-timeout", "soon"),
        ("--concurrent-downloads", "0"),
        ("--concurrent-installs", "1.5"),
    ],
)
def test_a_number_that_makes_no_sense_is_refused(option: str, value: str, tool: Tool, target: Target) -> None:
    run = tool.sync(tool.write_lock(*PINS), target, options=[f"{option}={value}"])
    assert run.code == 2
    assert option in run.err and value in run.err and "Traceback" not in run.err


@pytest.mark.parametrize("fails", [False, True])
def test_a_run_without_a_cache_leaves_none(fails: bool, index: Index, tool: Tool, target: Target) -> None:
    temporary = tool.folder / "temporary"
    temporary.mkdir()
    if fails:
        index.fault(f"/files/{WHEELS[0].filename}", Fault(status=404))
    run = tool.sync(tool.write_lock(*PINS), target, options=["--no-cache"], environ={"TMPDIR": str(temporary)})
    assert (run.code != 0) == fails, run.err
    assert list(temporary.iterdir()) == [] and not Path(tool.cache).exists()
    assert len(target.installed()) == (0 if fails else len(WHEELS))
    if not fails:
        assert target.run("import project0; print(1)") == "1"
