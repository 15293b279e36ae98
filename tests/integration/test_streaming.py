"""Large wheels, which are unpacked while they arrive."""

import random

import pytest

from tests.support.index import Fault, Index
from tests.support.tool import Target, Tool
from tests.support.trees import check_cache, leftovers, published
from tests.support.wheels import Wheel, make_wheel

BYTES = random.Random(20240102).randbytes(12 << 20)
# Half of it does not compress; both halves are larger than what is unpacked in one go.
MIXED = BYTES[: 6 << 20] + bytes(20 << 20)
FILES = {"large/__init__.py": b"", "large/mixed.bin": MIXED, "large/raw.bin": BYTES}
DEFLATED, STORED = make_wheel("large", "1.0", FILES), make_wheel("large", "1.0", FILES, compress=False)


def check_installed(target: Target) -> None:
    assert (target.site / "large" / "mixed.bin").read_bytes() == MIXED
    assert (target.site / "large" / "raw.bin").read_bytes() == BYTES


@pytest.mark.parametrize("wheel", [DEFLATED, STORED], ids=["deflated", "stored"])
@pytest.mark.parametrize("piece_bytes", [None, 64 << 10])
def test_a_large_wheel_arrives_whole(
    wheel: Wheel, piece_bytes: int | None, index: Index, tool: Tool, target: Target
) -> None:
    index.add(wheel)
    index.fault(f"/files/{wheel.filename}", Fault(piece_bytes=piece_bytes))
    run = tool.sync(tool.write_lock(wheel.pin), target)
    assert run.code == 0, run.err
    check_installed(target)
    check_cache(tool.cache)
    assert leftovers(tool.cache) == []


def test_a_large_download_that_breaks_off_starts_again(index: Index, tool: Tool, target: Target) -> None:
    index.add(DEFLATED)
    path = f"/files/{DEFLATED.filename}"
    index.fault(path, Fault(cut_after_bytes=7 << 20, times=2))
    run = tool.sync(tool.write_lock(DEFLATED.pin), target)
    assert run.code == 0, run.err
    assert index.requests.count(path) == 3
    check_installed(target)
    check_cache(tool.cache)
    assert leftovers(tool.cache) == []


def flipped(wheel: Wheel, offset: int) -> bytes:
    content = bytearray(wheel.content)
    content[offset] ^= 0xFF
    return bytes(content)


@pytest.mark.parametrize("wheel", [DEFLATED, STORED], ids=["deflated", "stored"])
def test_a_byte_that_changed_on_the_way_is_noticed(wheel: Wheel, index: Index, tool: Tool, target: Target) -> None:
    index.add(wheel)
    index.fault(f"/files/{wheel.filename}", Fault(body=flipped(wheel, 3 << 20)))
    before = target.tree()
    run = tool.sync(tool.write_lock(wheel.pin), target)
    assert run.code == 1
    assert "lock.txt:1" in run.err and wheel.filename in run.err
    assert target.tree() == before
    assert published(tool.cache) == set() and leftovers(tool.cache) == []


@pytest.mark.parametrize("wheel", [DEFLATED, STORED], ids=["deflated", "stored"])
def test_a_damaged_archive_is_refused_even_with_the_right_hash(
    wheel: Wheel, index: Index, tool: Tool, target: Target
) -> None:
    content = flipped(wheel, 3 << 20)
    damaged = Wheel(name="large", version="1.0", filename=wheel.filename, content=content)
    index.add(damaged)
    before = target.tree()
    run = tool.sync(tool.write_lock(damaged.pin), target)
    assert run.code == 1
    assert "mixed.bin" in run.err and wheel.filename in run.err
    assert target.tree() == before
    assert published(tool.cache) == set() and leftovers(tool.cache) == []


def test_a_wheel_that_turns_out_wrong_at_its_end_leaves_nothing(index: Index, tool: Tool, target: Target) -> None:
    cut = Wheel(name="large", version="1.0", filename=DEFLATED.filename, content=DEFLATED.content[:-40])
    index.add(cut)
    before = target.tree()
    run = tool.sync(tool.write_lock(cut.pin), target)
    assert run.code == 1
    assert cut.filename in run.err and "Traceback" not in run.err
    assert target.tree() == before
    assert published(tool.cache) == set() and leftovers(tool.cache) == []


def test_what_would_unpack_to_far_more_than_it_is_is_refused(index: Index, tool: Tool, target: Target) -> None:
    bomb = make_wheel("bomb", "1.0", {"bomb.bin": bytes(200 << 20)})
    index.add(bomb)
    run = tool.sync(tool.write_lock(bomb.pin), target)
    assert run.code == 1
    assert bomb.filename in run.err
    assert published(tool.cache) == set() and leftovers(tool.cache) == []
