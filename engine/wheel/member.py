"""METADATA of a wheel that is not unpacked: found and inflated from wherever its bytes are.

Pure: the bytes are given by a function, so that they may come from a file or, piece by
piece, from a server.  Rules are those of `engine.wheel.archive`: the archive has one
reading or none.  What METADATA may take is bounded before it is inflated.
"""

import zlib
from collections.abc import Callable

from engine.errors import InvalidWheel
from engine.limits import METADATA_BYTES
from engine.wheel.archive import DEFLATED, check_local_header, parse_local_header, read_central_directory
from engine.wheel.inflate import inflate
from engine.wheel.metadata import find_dist_info

#: A local header has its name and fields of at most that length each behind it.
_HEADER_MAX_BYTES = 30 + 2 * 0xFFFF + 24


def read_metadata_member(
    read: Callable[[int, int], bytes | memoryview], total_bytes: int, filename: str
) -> bytes | bytearray:
    """Returns the METADATA of a wheel.

    Args:
        read: gives the bytes at an offset, of a length; both in bytes.
        total_bytes: the length of the wheel.
        filename: of the wheel.

    Raises:
        InvalidWheel: when the archive is damaged or ambiguous, or has no METADATA of a sensible size.
    """
    members = {member.name: member for member in read_central_directory(read, total_bytes)}
    dist_info, _ = find_dist_info(members, filename)
    member = members.get(f"{dist_info}/METADATA")
    if member is None:
        raise InvalidWheel("it has no METADATA")
    span = member.end_offset - member.header_offset
    if max(member.size_bytes, member.compressed_size) > METADATA_BYTES:
        raise InvalidWheel(f"its METADATA is larger than {METADATA_BYTES >> 20} MiB")
    if span > member.compressed_size + _HEADER_MAX_BYTES:
        raise InvalidWheel(f"member {member.name!r} is followed by bytes that belong to no member")
    data = memoryview(read(member.header_offset, span))
    header = parse_local_header(data, 0)
    if header is None:
        raise InvalidWheel(f"member {member.name!r} overlaps what comes after it")
    check_local_header(member, header, read)
    packed = data[header.header_bytes : header.header_bytes + member.compressed_size]
    try:
        content = inflate(packed, member.size_bytes) if member.method == DEFLATED else bytes(packed)
    except ValueError as exc:
        raise InvalidWheel(f"member {member.name!r}: {exc}") from exc
    if len(content) != member.size_bytes or zlib.crc32(content) != member.crc32:
        raise InvalidWheel(f"member {member.name!r} is damaged: its CRC is another")
    return content
