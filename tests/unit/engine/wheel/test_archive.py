import io
import struct
import zipfile
import zlib

import pytest

from engine.errors import InvalidWheel
from engine.wheel.archive import LocalHeader, Member, check_local_header, parse_local_header, read_central_directory
from engine.wheel.verify import check_members
from tests.support.building import (
    Entry,
    archive,
    central_part,
    deflate,
    end_part,
    end_part_64,
    local_part,
)

WIDE = 0xFFFFFFFF


def members_of(body: bytes) -> list[Member]:
    return read_central_directory(lambda offset, length: body[offset : offset + length], len(body))


def check(body: bytes) -> list[Member]:
    """Reads the directory and compares every local header with it."""
    members = members_of(body)
    for member in members:
        header = parse_local_header(body, member.header_offset)
        assert header is not None
        check_local_header(member, header, lambda offset, length: body[offset : offset + length])
    return members


def zip64(*values: int) -> bytes:
    return struct.pack(f"<2H{len(values)}Q", 1, 8 * len(values), *values)


def test_local_header_says_what_was_written() -> None:
    part = local_part(Entry(name="demo/ü.py", content=b"abc"))
    expected = LocalHeader("demo/ü.py", 0x800, 8, zlib.crc32(b"abc"), len(deflate(b"abc")), 3, 30 + 10)
    assert parse_local_header(b"??" + part, 2) == expected
    assert parse_local_header(memoryview(b"??" + part), 2) == expected


def test_local_header_that_is_not_there_in_full_asks_for_more() -> None:
    part = local_part(Entry(name="demo/a.py", local={"extra": b"\x99\x99\x02\x00ab"}))
    header_bytes = 30 + 9 + 6
    for length in range(header_bytes):
        assert parse_local_header(part[:length], 0) is None
    header = parse_local_header(part[:header_bytes], 0)
    assert header is not None
    assert header.header_bytes == header_bytes


def test_other_bytes_are_no_local_header() -> None:
    with pytest.raises(InvalidWheel, match="belong to no member"):
        parse_local_header(b"PK\x01\x02" + bytes(60), 0)


def test_directory_lists_what_zipfile_wrote() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as written:
        written.writestr("a.txt", "a" * 1000)
        written.mkdir("folder")
        written.writestr(zipfile.ZipInfo("stored ü"), "b")
        with written.open("folder/wide", "w", force_zip64=True) as file:
            file.write(b"c")
    found = check(stream.getvalue())
    expected = [
        (info.filename, info.compress_type, info.CRC, info.compress_size, info.file_size, info.header_offset)
        for info in written.infolist()
    ]
    assert [(m.name, m.method, m.crc32, m.compressed_size, m.size_bytes, m.header_offset) for m in found] == expected
    assert [member.is_folder for member in found] == [False, True, False, False]


def test_mode_counts_only_where_the_entry_was_made_on_unix() -> None:
    body = archive(
        [
            Entry(name="a", mode=0o100755),
            Entry(name="b", mode=0o100755, central={"made_by": 0}),
            Entry(name="c", mode=0o100755, central={"made_by": 19}),
        ]
    )
    assert [member.mode for member in members_of(body)] == [0o100755, 0, 0o100755]


def test_members_are_given_in_the_order_of_their_places() -> None:
    entries = [Entry(name="a", content=b"1"), Entry(name="b", content=b"22")]
    parts = [local_part(entry) for entry in entries]
    directory = central_part(entries[1], len(parts[0])) + central_part(entries[0], 0)
    offset = len(parts[0] + parts[1])
    found = check(b"".join(parts) + directory + end_part(2, len(directory), offset))
    assert [(member.name, member.end_offset) for member in found] == [("a", len(parts[0])), ("b", offset)]


def test_empty_archive_has_no_members() -> None:
    assert members_of(archive([])) == []


def test_comment_is_allowed() -> None:
    assert [member.name for member in members_of(archive([Entry(name="a")], comment=b"PK and more" * 99))] == ["a"]


def test_zip64_end_record_is_read() -> None:
    assert [member.name for member in members_of(archive([Entry(name="a"), Entry(name="b")], wide=True))] == ["a", "b"]


def test_seventy_thousand_members_are_read_and_checked() -> None:
    members = check(archive([Entry(name=f"demo/{number}", method=0) for number in range(70_000)], wide=True))
    by_name, warnings = check_members(members, 1000)
    assert (len(members), len(by_name), warnings) == (70_000, 70_000, [])


def test_zip64_sizes_are_read() -> None:
    size = len(deflate(b"abc"))
    entry = Entry(
        name="a",
        content=b"abc",
        local={"size": WIDE, "compressed": WIDE, "extra": b"\x99\x99\0\0" + zip64(3, size)},
        central={"size": WIDE, "offset": WIDE, "extra": zip64(3, 0)},
    )
    [member] = check(archive([entry]))
    assert (member.size_bytes, member.compressed_size, member.header_offset) == (3, size, 0)


def test_zip64_sizes_that_only_repeat_the_header_are_accepted() -> None:
    size = len(deflate(b"abc"))
    check(archive([Entry(name="a", content=b"abc", local={"extra": zip64(3, size)}, central={"extra": zip64(3)})]))


@pytest.mark.parametrize(
    "fields",
    [
        {"size": WIDE},
        {"compressed": WIDE, "extra": b"\x99\x99\0\0"},
        {"size": WIDE, "extra": zip64()},
        {"size": WIDE, "extra": zip64(3, 5)},
        {"size": WIDE, "extra": b"\x01\0\x04\0abcd"},
        {"size": WIDE, "extra": zip64(3) + zip64(3)},
        {"extra": zip64(4)},
        {"extra": b"\x01\0\xff\0ab"},
        {"extra": b"\x01"},
        {"extra": b"up" + struct.pack("<HBI", 6, 1, zlib.crc32(b"a")) + b"b"},
        {"extra": b"up" + struct.pack("<HBI", 6, 1, 0) + b"a"},
    ],
)
@pytest.mark.parametrize("place", ["local", "central"])
def test_contradicting_extra_fields_are_refused(place: str, fields: dict[str, object]) -> None:
    entry = Entry(name="a", content=b"abc")
    setattr(entry, place, fields)
    with pytest.raises(InvalidWheel, match="'a'"):
        check(archive([entry]))


def test_unicode_name_that_repeats_the_name_is_accepted() -> None:
    check(archive([Entry(name="a", central={"extra": b"up" + struct.pack("<HBI", 6, 1, zlib.crc32(b"a")) + b"a"})]))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"flags": 1}, "'a' is encrypted"),
        ({"flags": 0x2000}, "'a' is encrypted"),
        ({"flags": 0x20}, "'a' is a patch"),
        ({"method": 9}, "deflate64"),
        ({"method": 12}, "bzip2"),
        ({"method": 14}, "lzma"),
        ({"method": 77}, "number 77"),
        ({"name": b"a\xff"}, "not UTF-8"),
    ],
)
@pytest.mark.parametrize("place", ["local", "central"])
def test_what_cannot_be_unpacked_is_refused_by_name(place: str, fields: dict[str, object], reason: str) -> None:
    entry = Entry(name="a", content=b"abc")
    setattr(entry, place, fields)
    with pytest.raises(InvalidWheel, match=reason):
        check(archive([entry]))


@pytest.mark.parametrize(
    "fields",
    [{"name": b"b"}, {"method": 0}, {"crc": 1}, {"size": 4}, {"compressed": 4}],
    ids=lambda fields: str(fields),
)
@pytest.mark.parametrize("place", ["local", "central"])
def test_headers_that_differ_are_refused(place: str, fields: dict[str, object]) -> None:
    entry = Entry(name="a", content=b"abc")
    setattr(entry, place, fields)
    with pytest.raises(InvalidWheel, match="differs from the central directory"):
        check(archive([entry]))


@pytest.mark.parametrize("descriptor", ["signed", "bare", "wide"])
def test_consistent_data_descriptor_is_accepted(descriptor: str) -> None:
    [first, _] = check(archive([Entry(name="a", content=b"abc", descriptor=descriptor), Entry(name="b")]))
    assert first.size_bytes == 3


@pytest.mark.parametrize(
    "entry",
    [
        Entry(name="a", content=b"abc", descriptor="wrong"),
        Entry(name="a", content=b"abc", flags=8, local={"crc": 0, "compressed": 0, "size": 0}),
        Entry(name="a", content=b"abc", descriptor="signed", after=b"more"),
        Entry(name="a", content=b"abc", descriptor="signed", local={"crc": 1}),
        Entry(name="a", content=b"abc", descriptor="signed", local={"name": b"b"}),
    ],
    ids=["wrong", "missing", "followed by bytes", "other crc", "other name"],
)
def test_inconsistent_data_descriptor_is_refused(entry: Entry) -> None:
    with pytest.raises(InvalidWheel, match="differs from the central directory"):
        check(archive([entry]))


def test_bytes_between_members_are_refused() -> None:
    for entries in ([Entry(name="a", after=b"x"), Entry(name="b")], [Entry(name="a", after=b"x")]):
        with pytest.raises(InvalidWheel, match="belong to no member"):
            check(archive(entries))


@pytest.mark.parametrize("place", [0, 1, 2])
def test_member_that_only_has_a_local_header_is_refused(place: int) -> None:
    entries = [Entry(name="a"), Entry(name="b")]
    entries.insert(place, Entry(name="hidden", hidden=True))
    with pytest.raises(InvalidWheel, match=r"belong to no member|before its first member"):
        check(archive(entries))


def test_member_that_only_the_directory_has_is_refused() -> None:
    entry = Entry(name="a", content=b"abc")
    part = local_part(entry)
    directory = central_part(entry, 0) + central_part(Entry(name="b"), len(part))
    with pytest.raises(InvalidWheel, match="overlaps"):
        check(part + directory + end_part(2, len(directory), len(part)))


def test_overlapping_members_are_refused() -> None:
    inner = local_part(Entry(name="inner", content=b"abc", method=0))
    outer = Entry(name="outer", content=inner, method=0)
    part = local_part(outer)
    directory = central_part(outer, 0) + central_part(Entry(name="inner", content=b"abc", method=0), 35)
    with pytest.raises(InvalidWheel, match="'outer' overlaps"):
        check(part + directory + end_part(2, len(directory), len(part)))
    twice = central_part(outer, 0) * 2
    with pytest.raises(InvalidWheel, match="'outer' overlaps"):
        check(part + twice + end_part(2, len(twice), len(part)))


BODY = local_part(Entry(name="a", content=b"abc"))
DIRECTORY = central_part(Entry(name="a", content=b"abc"), 0)
AT = len(BODY)
LENGTH = len(DIRECTORY)
END = end_part(1, LENGTH, AT)
WHOLE = BODY + DIRECTORY + END


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "end record"),
        (b"not a zip" * 99, "end record"),
        (BODY, "end record"),
        (WHOLE + b"x", "end record"),
        (WHOLE + bytes(30), "end record"),
        (b"#!/bin/sh\n" + WHOLE, "does not end where the end record begins"),
        (b"x" + BODY + central_part(Entry(name="a", content=b"abc"), 1) + end_part(1, LENGTH, AT + 1), "first member"),
        (BODY + DIRECTORY + end_part(2, LENGTH, AT), "fewer entries"),
        (BODY + DIRECTORY + end_part(0, LENGTH, AT), "more entries"),
        (BODY + DIRECTORY + end_part(1, LENGTH - 1, AT), "does not end where"),
        (BODY + DIRECTORY + b"x" + end_part(1, LENGTH + 1, AT), "more entries"),
        (BODY + DIRECTORY + b"x" + END, "does not end where"),
        (BODY + DIRECTORY[:-1] + b"x" + DIRECTORY[-1:] + end_part(1, LENGTH + 1, AT), "more entries"),
        (BODY + b"PK\x01\x03" + DIRECTORY[4:] + END, "directory is damaged"),
        (BODY + DIRECTORY[:28] + b"\xff\xff" + DIRECTORY[30:] + END, "directory is damaged"),
        (BODY + DIRECTORY[:34] + b"\x01\x00" + DIRECTORY[36:] + END, "several files"),
        (BODY + DIRECTORY + END[:4] + b"\x01\x00" + END[6:], "several files"),
        (BODY + DIRECTORY + END[:8] + b"\x02\x00" + END[10:], "several files"),
        (WHOLE[:-2] + b"\x16\x00" + END, "two ZIP end records"),
        (BODY + DIRECTORY + end_part(1, LENGTH, AT, b"PK\x03\x04"), "another archive"),
        (BODY + DIRECTORY + end_part(1, LENGTH, AT, WHOLE + b"."), "another archive"),
    ],
)
def test_archive_with_two_readings_or_none_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(InvalidWheel, match=reason):
        check(body)


@pytest.mark.parametrize(
    ("wide", "end", "reason"),
    [
        (end_part_64(1, LENGTH, AT, locator_shift=1), END, "locator"),
        (end_part_64(1, LENGTH, AT, extensible=b"more"), END, "locator"),
        (end_part_64(1, LENGTH, AT, extensible=b"more", locator_shift=4), END, "damaged"),
        (end_part_64(1, LENGTH, AT)[:-4] + b"\2\0\0\0", END, "locator"),
        (end_part_64(1, LENGTH, AT)[:-16] + b"\1\0\0\0" + end_part_64(1, LENGTH, AT)[-12:], END, "locator"),
        (end_part_64(2, LENGTH, AT), END, "differs"),
        (end_part_64(1, LENGTH, AT), end_part(1, WIDE, AT + 1), "differs"),
        (end_part_64(2, LENGTH, AT), end_part(0xFFFF, WIDE, WIDE), "fewer entries"),
        (b"PK\x06\x07" + end_part_64(1, LENGTH, AT)[4:], END, "damaged"),
    ],
)
def test_zip64_end_record_that_is_not_exactly_right_is_refused(wide: bytes, end: bytes, reason: str) -> None:
    with pytest.raises(InvalidWheel, match=reason):
        check(BODY + DIRECTORY + wide + end)


def test_zip64_end_record_fills_in_what_the_end_record_leaves_open() -> None:
    assert len(check(BODY + DIRECTORY + end_part_64(1, LENGTH, AT) + end_part(0xFFFF, WIDE, WIDE))) == 1
