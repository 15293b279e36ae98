"""Signals, kills and other processes: the next run is right, and nothing is left behind."""

import os
import random
import signal
import subprocess
import threading
from functools import partial
from pathlib import Path

import pytest

from tests.integration.conftest import NewTarget
from tests.support.index import Fault, Index
from tests.support.tool import Target, Tool
from tests.support.trees import check_cache, leftovers, published
from tests.support.wheels import make_wheel

SEED = 20240101
WHEELS = [
    make_wheel(
        f"project{number}",
        "1.0",
        {f"project{number}/m{module}.py": f"# {module}\n" * 50 for module in range(40)},
        console_scripts=[f"run{number} = project{number}:main"],
    )
    for number in range(8)
]
PINS = [wheel.pin for wheel in WHEELS]
INSTALLED = {f"project{number}-1.0" for number in range(8)}
LARGE = make_wheel("large", "1.0", {"large/data.bin": random.Random(SEED).randbytes(6 << 20)}, compress=False)


def children_of_session(session: int) -> list[str]:
    """Command lines of the live processes of a session."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except (OSError, NotADirectoryError):
            continue
        if fields[0] != "Z" and int(fields[3]) == session:
            found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found


def finish(process: "subprocess.Popen[str]") -> tuple[int, str]:
    _, err = process.communicate(timeout=60)
    return process.returncode, err


def set_when_reached(reached: threading.Event, fatal: int, number: int) -> None:
    if number >= fatal:
        reached.set()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_during_a_download_leaves_everything_as_it_was(
    number: signal.Signals, code: int, index: Index, tool: Tool, target: Target
) -> None:
    gate = threading.Event()
    index.add(LARGE, *WHEELS)
    index.fault(f"/files/{LARGE.filename}", Fault(hold_after_bytes=3 << 20, gate=gate))
    before = target.tree()
    process = tool.start(tool.write_lock(*PINS, LARGE.pin), target)
    index.wait_for(f"/files/{LARGE.filename}")
    process.send_signal(number)
    ended, err = finish(process)
    gate.set()
    assert ended == code, err
    assert "Traceback" not in err
    if os.path.isdir("/proc/self"):
        assert children_of_session(process.pid) == []
    assert target.tree() == before
    assert LARGE.sha256 not in published(tool.cache)
    assert leftovers(tool.cache) == []
    check_cache(tool.cache)


def test_an_interrupt_of_the_whole_group_is_quiet(index: Index, tool: Tool, target: Target) -> None:
    gate = threading.Event()
    index.add(LARGE)
    index.fault(f"/files/{LARGE.filename}", Fault(hold_after_bytes=3 << 20, gate=gate))
    process = tool.start(tool.write_lock(LARGE.pin), target)
    index.wait_for(f"/files/{LARGE.filename}")
    # As a terminal does it: the workers get the signal as well.
    os.killpg(process.pid, signal.SIGINT)
    ended, err = finish(process)
    gate.set()
    assert ended == 130, err
    assert err.count("\n") == 1


def test_a_cold_run_that_is_killed_at_any_request_is_made_right_by_the_next(
    index: Index, tool: Tool, new_target: NewTarget
) -> None:
    index.add(*WHEELS)
    lock = tool.write_lock(*PINS)
    whole = new_target("whole")
    assert tool.sync(lock, whole).code == 0
    choose = random.Random(SEED)
    for attempt in range(20):
        tool.cache = tool.folder / f"cache{attempt}"
        target = new_target(f"killed{attempt}")
        reached = threading.Event()
        fatal = choose.randint(1, 16)
        index.requests.clear()
        index.on_request = partial(set_when_reached, reached, fatal)
        process = tool.start(lock, target)
        assert reached.wait(30)
        process.kill()
        finish(process)
        index.on_request = None
        run = tool.sync(lock, target)
        assert run.code == 0, run.err
        assert target.installed() == INSTALLED
        assert sorted(target.tree()) == sorted(whole.tree())
        check_cache(tool.cache)
        assert leftovers(tool.cache) == []


def test_a_warm_run_that_is_killed_at_any_moment_is_made_right_by_the_next(
    index: Index, tool: Tool, new_target: NewTarget
) -> None:
    index.add(*WHEELS)
    lock = tool.write_lock(*PINS)
    whole = new_target("whole")
    assert tool.sync(lock, whole).code == 0
    choose = random.Random(SEED)
    for attempt in range(20):
        target = new_target(f"killed{attempt}")
        process = tool.start(lock, target)
        try:
            # There is no event to wait for: the moments are spread over the length of a run.
            process.wait(choose.uniform(0.02, 0.12))
        except subprocess.TimeoutExpired:
            process.kill()
        finish(process)
        run = tool.sync(lock, target)
        assert run.code == 0, run.err
        assert sorted(target.tree()) == sorted(whole.tree())
    check_cache(tool.cache)


def test_two_runs_share_one_cold_cache(index: Index, tool: Tool, new_target: NewTarget) -> None:
    index.add(*WHEELS)
    lock = tool.write_lock(*PINS)
    targets = [new_target("a"), new_target("b"), new_target("c")]
    processes = [tool.start(lock, target) for target in targets]
    for process in processes:
        code, err = finish(process)
        assert code == 0, err
    assert [target.installed() for target in targets] == [INSTALLED] * 3
    assert published(tool.cache) == {wheel.sha256 for wheel in WHEELS}
    check_cache(tool.cache)
    assert leftovers(tool.cache) == []


@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
def test_two_runs_change_one_environment(warm: bool, index: Index, tool: Tool, new_target: NewTarget) -> None:
    index.add(*WHEELS)
    lock = tool.write_lock(*PINS)
    if warm:
        assert tool.sync(lock, new_target("first")).code == 0
    target = new_target("shared")
    for process in [tool.start(lock, target) for _ in range(3)]:
        code, err = finish(process)
        assert code == 0, err
    assert target.installed() == INSTALLED
    assert not (target.prefix / ".engine").exists()
    assert tool.sync(lock, target).err.startswith("Nothing to do")
    alone = new_target("alone")
    assert tool.sync(lock, alone).code == 0
    assert sorted(target.tree()) == sorted(alone.tree())


def test_a_worker_that_is_killed_is_an_error_and_changes_nothing(index: Index, tool: Tool, target: Target) -> None:
    gate = threading.Event()
    index.add(LARGE)
    index.fault(f"/files/{LARGE.filename}", Fault(hold_after_bytes=3 << 20, gate=gate))
    before = target.tree()
    process = tool.start(tool.write_lock(LARGE.pin), target)
    index.wait_for(f"/files/{LARGE.filename}")
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    if not children.exists():
        process.kill()
        finish(process)
        gate.set()
        pytest.skip("the system does not tell a process's children")
    workers = [int(pid) for pid in children.read_text().split()]
    assert workers
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    gate.set()
    code, err = finish(process)
    assert code == 1
    assert "worker" in err and "Traceback" not in err
    assert target.tree() == before
    assert leftovers(tool.cache) == []
