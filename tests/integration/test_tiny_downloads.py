"""Many tiny wheels come over few connections, and whatever is wrong with one of them is found as it is with any."""

from random import Random

import pytest

from engine.limits import BULK_CONNECTIONS, EARLY_CONNECTIONS, TINY_ALONE, TINY_BYTES
from tests.integration.conftest import NewTarget
from tests.support.index import Fault, Index
from tests.support.tool import Tool
from tests.support.wheels import make_wheel

COUNT = 60
WHEELS = [make_wheel(f"tiny{n}", "1.0", {f"tiny{n}.py": f"x = {n}\n"}) for n in range(COUNT)]
ALL = {f"tiny{n}-1.0" for n in range(COUNT)}
ODD = WHEELS[COUNT // 2]
PATH = f"/files/{ODD.filename}"


@pytest.fixture(autouse=True)
def many(index: Index) -> None:
    """An index that has them."""
    index.add(*WHEELS)


def files(index: Index) -> list[str]:
    return [path for path in index.requests if path.startswith("/files/")]


def test_many_are_asked_for_once_each_over_few_connections(index: Index, tool: Tool, new_target: NewTarget) -> None:
    target = new_target("one")
    run = tool.sync(tool.write_lock(*(wheel.pin for wheel in WHEELS)), target)
    assert run.code == 0, run.err
    assert target.installed() == ALL
    assert sorted(files(index)) == sorted(f"/files/{wheel.filename}" for wheel in WHEELS)
    assert index.connections <= EARLY_CONNECTIONS + BULK_CONNECTIONS + TINY_ALONE + 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=503, times=1),
        Fault(cut_after_bytes=100, times=1),
        Fault(reset=True, times=1),
        Fault(body=b"something else", times=1),
        Fault(headers={"Transfer-Encoding": "chunked"}, body=b"0\r\n\r\n", times=1),
    ],
    ids=["busy", "cut", "reset", "other", "chunked"],
)
def test_what_fails_among_others_is_asked_for_alone(
    index: Index, tool: Tool, new_target: NewTarget, fault: Fault
) -> None:
    index.fault(PATH, fault)
    target = new_target("one")
    run = tool.sync(tool.write_lock(*(wheel.pin for wheel in WHEELS)), target)
    assert run.code == 0, run.err
    assert target.installed() == ALL and files(index).count(PATH) >= 2


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (Fault(status=404), "HTTP 404"),
        (Fault(status=403), "HTTP 403"),
        (Fault(body=ODD.content[:-1] + b"x"), "sha256"),
        (Fault(body=ODD.content + b"x"), "bytes"),
    ],
    ids=["absent", "refused", "changed", "longer"],
)
def test_what_stays_wrong_is_told_as_always_and_nothing_is_installed(
    index: Index, tool: Tool, new_target: NewTarget, fault: Fault, says: str
) -> None:
    index.fault(PATH, fault)
    target = new_target("one")
    run = tool.sync(tool.write_lock(*(wheel.pin for wheel in WHEELS)), target)
    assert run.code == 1 and says in run.err and ODD.filename in run.err, run.err
    assert target.installed() == set()


def test_who_says_how_many_downloads_there_are_gets_no_more(index: Index, tool: Tool, new_target: NewTarget) -> None:
    target = new_target("one")
    lock = tool.write_lock(*(wheel.pin for wheel in WHEELS))
    run = tool.sync(lock, target, options=["--concurrent-downloads", "1"])
    assert run.code == 0, run.err
    assert target.installed() == ALL and len(files(index)) == COUNT


def test_a_file_that_is_larger_is_not_held_in_memory_with_others(
    index: Index, tool: Tool, new_target: NewTarget
) -> None:
    large = make_wheel("large", "1.0", {"large.bin": Random(1).randbytes(2 * TINY_BYTES)})
    index.add(large)
    target = new_target("one")
    run = tool.sync(tool.write_lock(large.pin, *(wheel.pin for wheel in WHEELS)), target)
    assert run.code == 0, run.err
    assert target.installed() == {*ALL, "large-1.0"}
