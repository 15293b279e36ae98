"""ZIP structures of a wheel: local headers, data descriptors and the central directory.

Owns reading and comparing them.  It opens no file, inflates nothing and does not
judge names (`engine.wheel.layout` does).

Rules: an archive has one reading or none.  Members lie back to back from offset 0
to the central directory, which ends at the end records, which end the file; what
is said twice must agree.  So no second tool can see other members than this one.

Source: APPNOTE.TXT 6.3.10; PEP 427, "File format".
"""

import struct
import zlib
from collections.abc import Callable
from operator import itemgetter
from typing import NamedTuple

from engine.errors import InvalidWheel

STORED = 0
DEFLATED = 8
DESCRIPTOR_FLAG = 0x0008

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_LOCATOR_64 = struct.Struct("<4sIQI")
_END_64 = struct.Struct("<4sQ2H2I4Q")
_LOCAL_MAGIC = b"PK\x03\x04"
_CENTRAL_MAGIC = b"PK\x01\x02"
_END_MAGIC = b"PK\x05\x06"
_LOCATOR_64_MAGIC = b"PK\x06\x07"
_END_64_MAGIC = b"PK\x06\x06"
_DESCRIPTOR_MAGIC = b"PK\x07\x08"
_COMMENT_MAX_BYTES = 0xFFFF
_WIDE = 0xFFFFFFFF
_WIDE_COUNT = 0xFFFF
_EXTRA_ZIP64 = 0x0001
_EXTRA_UNICODE_PATH = 0x7075
_SECRET_FLAGS = 0x0001 | 0x0040 | 0x2000
_PATCH_FLAG = 0x0020
_UNIX_SYSTEMS = (3, 19)
_METHOD_NAMES = {1: "shrink", 6: "implode", 9: "deflate64", 12: "bzip2", 14: "lzma", 93: "zstandard", 95: "xz"}


class LocalHeader(NamedTuple):
    """What stands before a member's data; `header_bytes` is the length of all of it."""

    name: str
    flags: int
    method: int
    crc32: int
    compressed_size: int
    size_bytes: int
    header_bytes: int


class Member(NamedTuple):
    """An entry of the central directory; `mode` is 0 where it was not made on Unix.

    `end_offset` is where the next member, or the central directory, begins.
    """

    name: str
    flags: int
    method: int
    crc32: int
    compressed_size: int
    size_bytes: int
    header_offset: int
    mode: int
    is_folder: bool
    end_offset: int


#: The fields of a `Member` without its end.
_Entry = tuple[str, int, int, int, int, int, int, int, bool]
_HEADER_OFFSET = itemgetter(6)


def parse_local_header(buffer: bytes | memoryview, offset: int) -> LocalHeader | None:
    """Reads the local header at `offset`.

    Args:
        buffer: bytes of the archive, from anywhere on.
        offset: where in the buffer the header begins.

    Returns:
        The header, or None when the buffer ends before the header does.

    Raises:
        InvalidWheel: when there is no local header, or one that cannot be unpacked.
    """
    start = offset + 30
    if start > len(buffer):
        return None
    magic, _, flags, method, _, _, crc32, compressed, size, name_bytes, extra_bytes = _LOCAL.unpack_from(buffer, offset)
    if magic != _LOCAL_MAGIC:
        raise InvalidWheel("the archive has bytes that belong to no member")
    end = start + name_bytes
    if end + extra_bytes > len(buffer):
        return None
    raw_name = bytes(buffer[start:end])
    name = _decode_name(raw_name)
    if flags & (_SECRET_FLAGS | _PATCH_FLAG) or (method != DEFLATED and method != STORED):
        _refuse_method(name, flags, method)
    if extra_bytes:
        wide = _zip64_field(bytes(buffer[end : end + extra_bytes]), raw_name, name)
        size, compressed, _ = _widen(wide, (size, compressed, 0), name)
    elif _WIDE in (size, compressed):
        raise InvalidWheel(f"member {name!r} lacks its ZIP64 sizes")
    return LocalHeader(name, flags, method, crc32, compressed, size, 30 + name_bytes + extra_bytes)


def read_central_directory(read: Callable[[int, int], bytes | memoryview], total_bytes: int) -> list[Member]:
    """Reads all entries, in the order in which they lie in the archive.

    Args:
        read: gives the bytes at an offset, of a length; both in bytes.
        total_bytes: the length of the archive.

    Raises:
        InvalidWheel: when the end records, the directory or the places of the members are not exactly right.
    """
    count, offset, length = _read_end(read, total_bytes)
    directory = read(offset, length)
    entries = []
    position = 0
    for _ in range(count):
        entry, position = _parse_entry(directory, position)
        entries.append(entry)
    if position != length:
        raise InvalidWheel("the central directory has more entries than its end record counts")
    entries.sort(key=_HEADER_OFFSET)
    if entries and entries[0][6]:
        raise InvalidWheel("the archive has bytes before its first member")
    ends = [entry[6] for entry in entries[1:]]
    ends.append(offset)
    members = []
    for entry, end_offset in zip(entries, ends, strict=False):
        member = Member(*entry, end_offset)
        if member.header_offset + 30 + len(member.name) + member.compressed_size > end_offset:
            raise InvalidWheel(f"member {member.name!r} overlaps what comes after it")
        members.append(member)
    return members


def check_local_header(member: Member, header: LocalHeader, read: Callable[[int, int], bytes | memoryview]) -> None:
    """Checks that a local header, and the data descriptor after it, say what the directory says.

    Args:
        member: the entry of the central directory.
        header: the local header at its `header_offset`.
        read: gives the bytes at an offset, of a length; asked only for data descriptors.

    Raises:
        InvalidWheel: when they differ, or when bytes that belong to no member follow the data.
    """
    said = (member.name, member.method, member.crc32, member.compressed_size, member.size_bytes)
    found = (header.name, header.method, header.crc32, header.compressed_size, header.size_bytes)
    data_end = member.header_offset + header.header_bytes + member.compressed_size
    gap = member.end_offset - data_end
    if not header.flags & DESCRIPTOR_FLAG:
        if said != found:
            raise InvalidWheel(f"member {member.name!r} has a local header that differs from the central directory")
        if gap:
            raise InvalidWheel(f"member {member.name!r} is followed by bytes that belong to no member")
        return
    if said[:2] != found[:2] or found[2:] not in (said[2:], (0, 0, 0)):
        raise InvalidWheel(f"member {member.name!r} has a local header that differs from the central directory")
    if gap not in (12, 16, 20, 24) or bytes(read(data_end, gap)) not in _descriptors(member):
        raise InvalidWheel(f"member {member.name!r} has a data descriptor that differs from the central directory")


def _descriptors(member: Member) -> list[bytes]:
    values = (member.crc32, member.compressed_size, member.size_bytes)
    bodies = [struct.pack("<I2Q", *values)]
    if max(values) <= _WIDE:
        bodies.append(struct.pack("<3I", *values))
    return [magic + body for body in bodies for magic in (_DESCRIPTOR_MAGIC, b"")]


def _read_end(read: Callable[[int, int], bytes | memoryview], total_bytes: int) -> tuple[int, int, int]:
    """Returns the count of entries, and the offset and length of the central directory."""
    tail_bytes = min(total_bytes, _END.size + _COMMENT_MAX_BYTES)
    tail = bytes(read(total_bytes - tail_bytes, tail_bytes))
    at = _find_end(tail)
    end_offset = total_bytes - tail_bytes + at
    _, disk, first_disk, count_here, count, length, offset, _ = _END.unpack_from(tail, at)
    if disk or first_disk or count_here != count:
        raise InvalidWheel("the archive is split over several files")
    locator_offset = end_offset - _LOCATOR_64.size
    if locator_offset >= 0:
        locator = bytes(read(locator_offset, _LOCATOR_64.size))
        if locator.startswith(_LOCATOR_64_MAGIC):
            end_offset, found = _read_end_64(read, locator, locator_offset)
            for narrow, wide, mark in zip((count, length, offset), found, (_WIDE_COUNT, _WIDE, _WIDE), strict=True):
                if narrow not in (wide, mark):
                    raise InvalidWheel("the ZIP64 end record differs from the end record")
            count, length, offset = found
    if offset + length != end_offset:
        raise InvalidWheel("the central directory does not end where the end record begins")
    return count, offset, length


def _find_end(tail: bytes) -> int:
    """Returns where the only end record lies that ends with the file."""
    found = []
    at = tail.find(_END_MAGIC)
    while at >= 0:
        comment_bytes = int.from_bytes(tail[at + 20 : at + 22], "little")
        if at + _END.size + comment_bytes == len(tail):
            found.append(at)
        at = tail.find(_END_MAGIC, at + 1)
    if not found:
        raise InvalidWheel("the archive does not end with a ZIP end record", hint="it is truncated or no wheel at all")
    if len(found) > 1:
        raise InvalidWheel("the archive has two ZIP end records")
    comment = tail[found[0] + _END.size :]
    if b"PK" in comment and any(magic in comment for magic in (_LOCAL_MAGIC, _CENTRAL_MAGIC, _END_MAGIC)):
        raise InvalidWheel("the comment of the archive holds another archive")
    return found[0]


def _read_end_64(
    read: Callable[[int, int], bytes | memoryview], locator: bytes, locator_offset: int
) -> tuple[int, tuple[int, int, int]]:
    """Returns where the ZIP64 end record begins, and its count, length and offset of the directory."""
    _, disk, offset, disks = _LOCATOR_64.unpack(locator)
    # The record lies directly before its locator: "extensible data" between them has no use in a wheel.
    if offset + _END_64.size != locator_offset or disk or disks > 1:
        raise InvalidWheel("the ZIP64 locator does not point at the ZIP64 end record")
    magic, size, _, _, disk, first_disk, count_here, count, length, directory = _END_64.unpack(
        read(offset, _END_64.size)
    )
    if magic != _END_64_MAGIC or size != _END_64.size - 12 or disk or first_disk or count_here != count:
        raise InvalidWheel("the ZIP64 end record is damaged")
    return offset, (count, length, directory)


def _parse_entry(directory: bytes | memoryview, position: int) -> tuple[_Entry, int]:
    """Returns the entry at a position, and the position of the next one."""
    start = position + 46
    if start > len(directory):
        raise InvalidWheel("the central directory has fewer entries than its end record counts")
    fields = _CENTRAL.unpack_from(directory, position)
    magic, made_by, _, flags, method, _, _, crc32, compressed, size = fields[:10]
    name_bytes, extra_bytes, comment_bytes, disk, _, attributes, offset = fields[10:]
    end = start + name_bytes
    after = end + extra_bytes + comment_bytes
    if magic != _CENTRAL_MAGIC or after > len(directory):
        raise InvalidWheel("the central directory is damaged")
    raw_name = bytes(directory[start:end])
    name = _decode_name(raw_name)
    if disk:
        raise InvalidWheel("the archive is split over several files")
    if flags & (_SECRET_FLAGS | _PATCH_FLAG) or (method != DEFLATED and method != STORED):
        _refuse_method(name, flags, method)
    if extra_bytes:
        wide = _zip64_field(bytes(directory[end : end + extra_bytes]), raw_name, name)
        size, compressed, offset = _widen(wide, (size, compressed, offset), name)
    elif _WIDE in (size, compressed, offset):
        raise InvalidWheel(f"member {name!r} lacks its ZIP64 sizes")
    mode = attributes >> 16 if made_by >> 8 in _UNIX_SYSTEMS else 0
    return (name, flags, method, crc32, compressed, size, offset, mode, name.endswith("/")), after


def _decode_name(raw_name: bytes) -> str:
    # PEP 427: "archive filenames are Unicode ... encoded as UTF-8", whatever flag bit 11 says.
    try:
        return raw_name.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise InvalidWheel(f"member name {ascii(raw_name)[1:]} is not UTF-8") from exc


def _refuse_method(name: str, flags: int, method: int) -> None:
    if flags & _SECRET_FLAGS:
        raise InvalidWheel(f"member {name!r} is encrypted")
    if flags & _PATCH_FLAG:
        raise InvalidWheel(f"member {name!r} is a patch of another file")
    method_name = _METHOD_NAMES.get(method, f"number {method}")
    raise InvalidWheel(f"member {name!r} is compressed with an unknown method ({method_name})")


def _zip64_field(extra: bytes, raw_name: bytes, name: str) -> bytes | None:
    """Returns the ZIP64 field, or None; a Unicode name that disagrees with the name is refused."""
    wide = None
    position = 0
    while position < len(extra):
        kind, length = struct.unpack_from("<2H", extra, position) if position + 4 <= len(extra) else (0, _WIDE)
        position += 4
        payload = extra[position : position + length]
        position += length
        if position > len(extra) or (kind == _EXTRA_ZIP64 and wide is not None):
            raise InvalidWheel(f"member {name!r} has damaged extra fields")
        if kind == _EXTRA_ZIP64:
            wide = payload
        elif kind == _EXTRA_UNICODE_PATH:
            expected = b"\x01" + struct.pack("<I", zlib.crc32(raw_name)) + raw_name
            if payload != expected:
                raise InvalidWheel(f"member {name!r} has a second, different name")
    return wide


def _widen(wide: bytes | None, narrow: tuple[int, int, int], name: str) -> tuple[int, int, int]:
    """Returns size, compressed size and offset with the ZIP64 field applied."""
    missing = narrow.count(_WIDE)
    if wide is None:
        if missing:
            raise InvalidWheel(f"member {name!r} lacks its ZIP64 sizes")
        return narrow
    values = [value for (value,) in struct.iter_unpack("<Q", wide)] if len(wide) % 8 == 0 else []
    if missing and len(values) == missing:
        left = iter(values)
        size, compressed, offset = (next(left) if value == _WIDE else value for value in narrow)
        return size, compressed, offset
    if missing or not values or tuple(values) != narrow[: len(values)]:
        raise InvalidWheel(f"member {name!r} has ZIP64 sizes that contradict its header")
    return narrow
