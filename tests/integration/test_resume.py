"""Downloads that break off go on where they were, in the same run or in the next, and never become another file."""

import random
import re
import signal
import sys
import threading
from dataclasses import replace

import pytest

from tests.integration.conftest import NewTarget
from tests.support.index import Fault, Index
from tests.support.tool import Target, Tool
from tests.support.trees import check_cache, leftovers, published
from tests.support.wheels import make_wheel

MIB = 1 << 20
RANDOM = random.Random(7)
LARGE = make_wheel("large", "1.0", {"large/data.bin": RANDOM.randbytes(9 * MIB)}, compress=False)
#: Another file of the same name and length.
OTHER = make_wheel("large", "1.0", {"large/data.bin": RANDOM.randbytes(9 * MIB)}, compress=False)
FILE = f"/files/{LARGE.filename}"
SIZE = len(LARGE.content)


@pytest.fixture(autouse=True)
def listed(index: Index) -> None:
    assert len(OTHER.content) == SIZE
    index.ranges = True
    index.add(LARGE)


def asked(index: Index) -> list[int | None]:
    """Where each question for the file began; None for all of it."""
    found = []
    for path, headers in zip(index.requests, index.headers, strict=True):
        if path == FILE:
            part = re.fullmatch(r"bytes=(\d+)-", headers.get("range", ""))
            found.append(int(part[1]) if part else None)
    return found


def check(tool: Tool, target: Target, content: bytes = LARGE.content) -> None:
    assert target.installed() == {"large-1.0"}
    assert content[100:200] in (target.site / "large" / "data.bin").read_bytes()
    assert published(tool.cache) == {LARGE.sha256}
    check_cache(tool.cache)
    assert leftovers(tool.cache) == []
    assert partials(tool) == []


def partials(tool: Tool) -> list[str]:
    return sorted(path.name for path in (tool.cache / "partial-v1").glob("*") if path.name != "claims")


def test_a_broken_connection_is_continued_as_often_as_it_brings_something(
    index: Index, tool: Tool, target: Target
) -> None:
    for _ in range(6):
        index.fault(FILE, Fault(cut_after_bytes=MIB + 12345, times=1))
    run = tool.sync(tool.write_lock(LARGE.pin), target)
    assert run.code == 0, run.err
    assert asked(index) == [None, *(number * (MIB + 12345) for number in range(1, 7))]
    check(tool, target)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(ignores_range=True),
        Fault(status=416, body=b""),
        Fault(headers={"Content-Range": f"bytes 0-{SIZE - 1}/{SIZE}"}),
        Fault(headers={"Content-Range": f"bytes {3 * MIB}-{SIZE - 2}/{SIZE}"}),
        Fault(headers={"Content-Range": f"bytes {3 * MIB}-{SIZE}/{SIZE + 1}"}),
        Fault(headers={"Content-Range": "bytes nonsense"}),
        Fault(headers={"Content-Range": ""}),
        Fault(headers={"ETag": '"changed"'}),
        Fault(headers={"Content-Encoding": "gzip"}),
    ],
    ids=["ignored", "416", "all", "short", "long", "nonsense", "none", "etag", "gzip"],
)
def test_what_is_no_continuation_makes_it_start_again(fault: Fault, index: Index, tool: Tool, target: Target) -> None:
    index.fault(FILE, Fault(cut_after_bytes=3 * MIB, times=1))
    index.fault(FILE, replace(fault, times=1))
    run = tool.sync(tool.write_lock(LARGE.pin), target)
    assert run.code == 0, run.err
    assert asked(index) == [None, 3 * MIB, None]
    check(tool, target)


def test_a_part_of_another_file_is_found_out_and_all_is_asked_for_again(
    index: Index, tool: Tool, target: Target
) -> None:
    index.fault(FILE, Fault(cut_after_bytes=3 * MIB, times=1))
    etag = index.answer(FILE)[1]["ETag"]
    index.fault(FILE, Fault(body=OTHER.content, headers={"ETag": etag}, times=1))
    run = tool.sync(tool.write_lock(LARGE.pin), target)
    assert run.code == 0, run.err
    assert asked(index) == [None, 3 * MIB, None]
    check(tool, target)


def test_without_hash_and_validator_it_starts_again(index: Index, tool: Tool, new_target: NewTarget) -> None:
    nohash = make_wheel("nohash", "1.0", {"data.bin": RANDOM.randbytes(3 * MIB)}, compress=False)
    index.add(nohash, hashes={})
    index.fault(f"/files/{nohash.filename}", Fault(cut_after_bytes=2 * MIB, headers={"ETag": 'W/"weak"'}, times=1))
    run = tool.sync(tool.write_lock(nohash.pin), new_target("a"))
    assert run.code == 0, run.err
    assert all("range" not in headers for headers in index.headers)
    check_cache(tool.cache)


def interrupt(index: Index, tool: Tool, target: Target, number: signal.Signals, *, slow_seconds: float) -> None:
    """Ends a run by a signal when most of the file has come."""
    gate = threading.Event()
    index.fault(FILE, Fault(slow_seconds=slow_seconds, hold_after_bytes=6 * MIB, gate=gate, times=1))
    process = tool.start(tool.write_lock(LARGE.pin), target)
    index.wait_for(FILE)
    for _ in range(3000):
        if sum(path.stat().st_size for path in tool.cache.glob("tmp-v1/*/*.part")) >= 4 * MIB:
            break
        gate.wait(0.01)
    process.send_signal(number)
    process.communicate(timeout=60)
    gate.set()
    index.requests.clear()
    index.headers.clear()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_the_next_run_transfers_only_the_rest(number: signal.Signals, index: Index, tool: Tool, target: Target) -> None:
    interrupt(index, tool, target, number, slow_seconds=1.5)
    run = tool.sync(tool.write_lock(LARGE.pin), target)
    assert run.code == 0, run.err
    (start,) = asked(index)
    assert start is not None and start >= 4 * MIB
    check(tool, target)


def test_what_comes_fast_is_not_kept(index: Index, tool: Tool, target: Target) -> None:
    interrupt(index, tool, target, signal.SIGTERM, slow_seconds=0)
    assert partials(tool) == [] and leftovers(tool.cache) == []
    assert tool.sync(tool.write_lock(LARGE.pin), target).code == 0
    assert asked(index) == [None]


@pytest.mark.parametrize("damage", ["content", "about", "length"])
def test_a_damaged_part_is_no_part(damage: str, index: Index, tool: Tool, target: Target) -> None:
    interrupt(index, tool, target, signal.SIGTERM, slow_seconds=1.5)
    data, about = (tool.cache / "partial-v1" / (LARGE.sha256 + suffix) for suffix in ("", ".about"))
    if damage == "content":
        content = bytearray(data.read_bytes())
        content[MIB : 2 * MIB] = bytes(MIB)
        data.write_bytes(content)
    elif damage == "about":
        about.write_bytes(b"{}")
    else:
        data.write_bytes(LARGE.content + b"more")
    run = tool.sync(tool.write_lock(LARGE.pin), target)
    assert run.code == 0, run.err
    assert asked(index)[-1] is None
    check(tool, target)


def test_a_file_of_another_place_continues_where_the_hash_is_the_same(index: Index, tool: Tool, target: Target) -> None:
    interrupt(index, tool, target, signal.SIGTERM, slow_seconds=1.5)
    other = Index()
    other.ranges = True
    other.add(LARGE)
    try:
        tool.index_url = other.url
        run = tool.sync(tool.write_lock(LARGE.pin), target)
        assert run.code == 0, run.err
        (part,) = [headers for path, headers in zip(other.requests, other.headers, strict=True) if path == FILE]
        # The validators are those of another server.
        assert "range" in part and "if-range" not in part
    finally:
        other.close()
    check(tool, target)


def test_a_part_is_cleaned_away(index: Index, tool: Tool, target: Target) -> None:
    interrupt(index, tool, target, signal.SIGTERM, slow_seconds=1.5)
    assert partials(tool) == [LARGE.sha256, f"{LARGE.sha256}.about"]
    run = tool.run(sys.executable, "-m", "cli", "cache", "prune", "--ci", "--cache-dir", str(tool.cache))
    assert run.code == 0, run.err
    assert partials(tool) == []
