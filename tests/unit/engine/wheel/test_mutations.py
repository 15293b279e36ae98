"""Mutated wheels: each is refused, or unpacked to exactly what the standard library reads of it.

The bases are valid wheels of every shape that the unpacker treats in its own way; mutations prefer the headers, where
lies have consequences.
"""

import io
import os
import re
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.errors import InvalidWheel
from engine.wheel.unpack import Unpacker
from tests.support.building import FILENAME, Entry, archive, wheel_entries

_MAGIC = re.compile(rb"PK(?:\x01\x02|\x03\x04|\x05\x06|\x06\x06|\x06\x07|\x07\x08)")
_HEADER_BYTES = 60
_UTF8_FLAG = 0x0800

ENTRIES = [
    Entry(name="demo/", method=0, mode=0o40755),
    Entry(name="demo/__init__.py"),
    Entry(name="demo/code.py", content=b"x = 1\n" * 50),
    Entry(name="demo/stored", content=bytes(range(40)), method=0, mode=0o100755),
    Entry(name="demo-1.0.data/scripts/run", content=b"#!python\n"),
]
BASES = {
    "plain": archive(wheel_entries(*ENTRIES)),
    "wide": archive(wheel_entries(*ENTRIES), wide=True),
    "comment": archive(wheel_entries(*ENTRIES), comment=b"said by nobody"),
    "descriptors": archive(wheel_entries(*(replace(entry, descriptor="signed") for entry in ENTRIES[1:]))),
    "twice": archive(wheel_entries(*ENTRIES, ENTRIES[2])),
}


def flip(body: bytes, place: int, value: int) -> bytes:
    """Changes one byte."""
    return body[:place] + bytes([body[place] ^ (value or 1)]) + body[place + 1 :]


def cut(body: bytes, place: int, value: int) -> bytes:
    """Takes some bytes out."""
    return body[:place] + body[place + value % 8 + 1 :]


def insert(body: bytes, place: int, value: int) -> bytes:
    """Puts bytes in."""
    return body[:place] + bytes([value]) * (value % 4 + 1) + body[place:]


def truncate(body: bytes, place: int, value: int) -> bytes:
    """Leaves the end off."""
    return body[:place]


def repeat(body: bytes, place: int, value: int) -> bytes:
    """Says a piece twice."""
    return body[:place] + body[place : place + value] + body[place:]


def widen(body: bytes, place: int, value: int) -> bytes:
    """Sets a field to the mark of ZIP64."""
    return body[:place] + b"\xff" * 4 + body[place + 4 :]


MUTATIONS: tuple[Callable[[bytes, int, int], bytes], ...] = (flip, cut, insert, truncate, repeat, widen)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Returns a base with one mutation or several, mostly in headers."""
    body = BASES[draw(st.sampled_from(sorted(BASES)))]
    for _ in range(draw(st.integers(1, 3))):
        if not body:
            break
        last = len(body) - 1
        places = [min(at.start() + shift, last) for at in _MAGIC.finditer(body) for shift in range(_HEADER_BYTES)]
        anywhere = st.integers(0, last)
        near = st.sampled_from(places) if places else anywhere
        mutation = draw(st.sampled_from(MUTATIONS))
        body = mutation(body, draw(st.one_of(near, near, anywhere)), draw(st.integers(0, 255)))
    return body


def unpacked(body: bytes, steps: list[int]) -> dict[str, bytes] | None:
    """Returns what engine unpacks, or None where it refuses; checks that nothing else came of it."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        tree = root / "tree"
        tree.mkdir()
        descriptor = os.open(root / "wheel", os.O_RDWR | os.O_CREAT)
        unpacker = Unpacker(descriptor, str(tree), FILENAME)
        try:
            for available in sorted(step for step in steps if step < len(body)):
                os.pwrite(descriptor, body[:available], 0)
                unpacker.advance(available)
            os.pwrite(descriptor, body, 0)
            unpacker.finish(len(body))
        except InvalidWheel as exc:
            assert exc.message.startswith(f"{FILENAME}: ") and exc.message.isprintable()
            return None
        finally:
            unpacker.close()
            os.close(descriptor)
            assert sorted(path.name for path in root.iterdir()) == ["tree", "wheel"]
            assert not any(path.is_symlink() for path in tree.rglob("*"))
        return {path.relative_to(tree).as_posix(): path.read_bytes() for path in tree.rglob("*") if path.is_file()}


def as_zipfile_reads_it(body: bytes) -> dict[str, bytes] | None:
    """Returns the files of an archive, with names in UTF-8 whatever its flags say, as PEP 427 wants them.

    None where zipfile refuses what it calls a later version of the format: that is no second reading.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive_:
            return {_name(info): archive_.read(info) for info in archive_.infolist() if not info.is_dir()}
    except NotImplementedError:
        return None


def _name(info: zipfile.ZipInfo) -> str:
    return info.filename if info.flag_bits & _UTF8_FLAG else info.filename.encode("cp437").decode("utf-8")


@pytest.mark.parametrize("base", BASES)
def test_every_base_is_a_wheel_that_both_read_alike(base: str) -> None:
    assert unpacked(BASES[base], [200]) == as_zipfile_reads_it(BASES[base])


@given(mutated(), st.lists(st.integers(0, 2000), max_size=3))
@example(BASES["plain"], [0, 100, 700])
@settings(max_examples=400, deadline=None)
def test_a_mutated_wheel_is_refused_or_read_as_zipfile_reads_it(body: bytes, steps: list[int]) -> None:
    found = unpacked(body, steps)
    if found is not None:
        assert as_zipfile_reads_it(body) in (found, None)
