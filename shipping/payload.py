"""Packs files so that they can be unpacked fast.  Pure; `shipping.unpacking` reads what this writes.

A payload is a line with the length of its table in bytes, the table as a zlib
stream, and then its blocks, each a zlib stream too.  A line of the table is

    block <compressed bytes> <bytes>      the next block
    <mode, octal> <bytes> <path>          the next file of that block

The modules of a block share one stream, which makes them a fifth smaller than
as members of a zip, and two blocks can be inflated at the same time.  The
largest block is the first, as whatever is unpacked last is waited for.

The same files give the same bytes, given the same zlib.
"""

import zlib
from collections.abc import Mapping
from typing import NamedTuple

#: Small enough that both of two threads have something to do until the end.
BLOCK_BYTES = 1 << 20


class File(NamedTuple):
    """One file to pack: what is in it, and whether it may be run (compiled modules need that on some platforms)."""

    body: bytes
    executable: bool = False


def pack(files: Mapping[str, File], block_bytes: int = BLOCK_BYTES) -> bytes:
    """Returns the payload of some files.

    Args:
        files: by their path below the folder they will be unpacked to, with slashes.
        block_bytes: a block that has as much is full.
    """
    blocks: list[list[str]] = []
    room = 0
    for path in sorted(files):
        if room <= 0 or len(files[path].body) >= block_bytes:
            blocks.append([])
            room = block_bytes
        blocks[-1].append(path)
        room -= len(files[path].body)
    lines, streams = [], []
    for block in sorted(blocks, key=lambda paths: (-sum(len(files[path].body) for path in paths), paths)):
        body = b"".join(files[path].body for path in block)
        streams.append(zlib.compress(body, 9))
        lines.append(f"block {len(streams[-1])} {len(body)}")
        for path in block:
            lines.append(f"{0o755 if files[path].executable else 0o644:o} {len(files[path].body)} {path}")
    table = zlib.compress("\n".join(lines).encode(), 9)
    return b"%d\n" % len(table) + table + b"".join(streams)
