"""Wheels that must be refused: how each is built, and what the message must say.

The numbers are those of the table in docs/hostile-input.md.
"""

import os
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from engine.wheel.record import RECORD_MAX_BYTES
from engine.wheel.unpack import SMALL_BYTES
from tests.support.building import (
    DIST_INFO,
    FILENAME,
    Entry,
    archive,
    central_part,
    deflate,
    end_part,
    end_part_64,
    local_part,
    wheel,
    wheel_entries,
)

SYMLINK, FOLDER = 0o120777, 0o40755
WIDE = 0xFFFFFFFF


class Refused(NamedTuple):
    """A wheel that must be refused.

    `build` gets the ground, for names and links that point there; `words` must all be in the message.
    """

    number: int
    name: str
    build: Callable[[Path], bytes]
    words: tuple[str, ...]
    filename: str = FILENAME
    options: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """How the test is called."""
        return f"{self.number}-{self.name}"


MODULE = Entry(name="demo.py", content=b"version = '1.0'\n" * 9)


def _case(number: int, name: str, body: bytes, *words: str, filename: str = FILENAME) -> Refused:
    return Refused(number, name, lambda ground: body, words, filename)


def _member(number: int, name: str, path: str, *words: str) -> Refused:
    return _case(number, name, wheel(MODULE, Entry(name=path, content=b"evil")), *words)


def _changed(number: int, name: str, *words: str, **changes: object) -> Refused:
    return _case(number, name, wheel(replace(MODULE, **changes)), *words)  # type: ignore[arg-type]


def _pieces(*, count: int = 0, before: bytes = b"", extra: bytes = b"", comment: bytes = b"") -> bytes:
    """Returns a wheel whose end record counts `count` entries too many, or which has bytes where none belong."""
    entries = wheel_entries(MODULE)
    body, directory = before, b""
    for entry in entries:
        directory += central_part(entry, len(body))
        body += local_part(entry)
    directory += extra
    return body + directory + end_part(len(entries) + count, len(directory), len(body), comment)


def _wide(*, extensible: bytes = b"", locator_shift: int = 0, count: int = 0, narrow: int | None = None) -> bytes:
    """Returns a wheel with a ZIP64 end record that is wrong in one way."""
    entries = wheel_entries(MODULE)
    whole = archive(entries)
    offset = sum(len(local_part(entry)) for entry in entries)
    length = len(whole) - offset - 22
    wide = end_part_64(len(entries) + count, length, offset, extensible=extensible, locator_shift=locator_shift)
    return whole[: offset + length] + wide + end_part(len(entries) if narrow is None else narrow, length, offset)


def _link(ground: Path) -> bytes:
    return wheel(MODULE, Entry(name="demo/link.py", content=str(ground / "etc" / "x.py").encode(), mode=SYMLINK))


def _linked_folder(ground: Path) -> bytes:
    link = Entry(name="demo/link", content=str(ground / "etc").encode(), mode=SYMLINK)
    return wheel(MODULE, link, Entry(name="demo/link/x.py", content=b"evil"))


def _overlapping() -> bytes:
    """Two entries of the directory share one body, which the first one quotes."""
    inner = Entry(name="demo/inner", content=bytes(99), method=0)
    outer = Entry(name="demo/outer", content=local_part(inner), method=0)
    part = local_part(outer)
    rest = wheel_entries(MODULE)
    directory = central_part(outer, 0) + central_part(inner, 30 + len(outer.name))
    body = part
    for entry in rest:
        directory += central_part(entry, len(body))
        body += local_part(entry)
    return body + directory + end_part(len(rest) + 2, len(directory), len(body))


def _unicode_path(name: bytes, other: bytes) -> bytes:
    payload = b"\x01" + struct.pack("<I", zlib.crc32(name)) + other
    return struct.pack("<2H", 0x7075, len(payload)) + payload


def _zip64(*values: int) -> bytes:
    return struct.pack(f"<2H{len(values)}Q", 1, 8 * len(values), *values)


def _hidden(place: int) -> bytes:
    entries = wheel_entries(MODULE)
    entries.insert(place, Entry(name="demo/hidden.py", content=b"evil", hidden=True))
    return archive(entries)


def _long_record(ground: Path) -> bytes:
    rows = b"demo/none.py,,\n" * (RECORD_MAX_BYTES // 15 + 1)
    entries = wheel_entries(MODULE, record=rows)
    entries[-1].method = 0
    return archive(entries)


def _entry_points(number: int, name: str, line: str, *words: str, group: str = "console_scripts") -> Refused:
    return _case(number, name, wheel(MODULE, entry_points=f"[{group}]\n{line}\n".encode()), *words)


def _strict(number: int, name: str, entries: list[Entry], *words: str) -> Refused:
    body = archive(entries)
    return Refused(number, name, lambda ground: body, words, options=("--strict-record",))


def _wrong_row(row: bytes) -> list[Entry]:
    """Returns the members of a wheel in whose RECORD the module has this row."""
    entries = wheel_entries(MODULE)
    entries[-1].content = row + b"".join(entries[-1].content.splitlines(keepends=True)[1:])
    return entries


NAMES = (
    _member(1, "climbs", "../x.py", "'../x.py'", "'..'"),
    _member(2, "climbs-inside", "a/../../x", "'a/../../x'", "'..'"),
    Refused(
        3, "absolute", lambda ground: wheel(Entry(name=f"{ground}/etc/x", content=b"evil")), ("etc/x", "absolute path")
    ),
    _member(4, "drive", "C:\\x", "backslash"),
    _member(4, "drive-with-slash", "C:/x", "drive letter"),
    _member(4, "backslash", "a\\..\\..\\x", "backslash"),
    _member(4, "share", "\\\\srv\\s", "backslash"),
    _member(5, "neighbour", "../site-packages-evil/x", "site-packages-evil", "'..'"),
    Refused(6, "symlink", _link, ("demo/link.py", "neither a plain file")),
    Refused(7, "linked-folder", _linked_folder, ("demo/link'", "neither a plain file")),
    _changed(8, "character-device", "neither a plain file", mode=0o20666),
    _changed(8, "block-device", "neither a plain file", mode=0o60666),
    _changed(8, "fifo", "neither a plain file", mode=0o10644),
    _changed(8, "socket", "neither a plain file", mode=0o140755),
    _case(
        11,
        "different-duplicate",
        wheel(MODULE, replace(MODULE, content=b"evil\n")),
        "two different members",
        "demo.py",
    ),
    _case(
        11,
        "different-duplicate-with-one-crc",
        wheel(Entry(name="demo/x", content=b"plumless"), Entry(name="demo/x", content=b"buckeroo")),
        "two different members",
        "demo/x",
    ),
    _member(28, "nul", "demo/\0.py", "U+0000"),
    _member(28, "line-feed", "demo/\n.py", "U+000A"),
    _member(28, "carriage-return", "demo/\r.py", "U+000D"),
    _member(28, "escape", "demo/\x1b[31m.py", "U+001B"),
    _member(28, "bidi-override", "demo/\u202egpj.py", "U+202E"),
    _member(28, "zero-width", "demo/\u200b.py", "U+200B"),
    _changed(29, "not-utf-8", "not UTF-8", local={"name": b"demo\xff"}, central={"name": b"demo\xff"}),
    _changed(29, "second-name", "second, different name", central={"extra": _unicode_path(b"demo.py", b"evil.py")}),
    _changed(29, "second-name-locally", "demo.py", local={"extra": _unicode_path(b"demo.py", b"evil.py")}),
    _member(30, "long-part", "b" * 256, "more than 255 bytes"),
    _member(30, "long-part-in-utf-8", "\u00e9" * 128, "more than 255 bytes"),
    _member(30, "long-path", "/".join(["b" * 200] * 30), "more than 4096 bytes"),
    _member(30, "deep", "a/" * 1200 + "x", "more than 200 folders deep"),
    _case(32, "file-then-folder", wheel(Entry(name="a"), Entry(name="a/b")), "'a'", "another member"),
    _case(32, "folder-then-file", wheel(Entry(name="a/b"), Entry(name="a")), "'a'", "another member"),
    _case(
        32,
        "folder-below-data",
        wheel(Entry(name="a"), Entry(name="demo-1.0.data/purelib/a/b")),
        "'a'",
        "needs a folder",
    ),
    _case(32, "one-place", wheel(MODULE, Entry(name="demo-1.0.data/platlib/demo.py")), "belong to one place"),
)

STRUCTURE = (
    _changed(12, "local-name", "demo.py", "differs", local={"name": b"evil.py"}),
    _changed(13, "local-crc", "demo.py", "differs", local={"crc": 5}),
    _changed(13, "local-size", "demo.py", "differs", method=0, local={"size": 144, "compressed": 1}),
    _case(
        13,
        "wrong-crc",
        archive(
            wheel_entries(
                replace(MODULE, local={"crc": 5}, central={"crc": 5}), record=f"{DIST_INFO}/RECORD,,\n".encode()
            )
        ),
        "demo.py",
        "CRC is wrong",
    ),
    *(_case(14, f"local-only-{place}", _hidden(place), "member") for place in (0, 1, 4)),
    _case(15, "directory-only", _pieces(count=1, extra=central_part(Entry(name="demo/ghost.py"), 0)), "member"),
    _case(16, "counts-too-many", _pieces(count=1), "fewer entries"),
    _case(16, "counts-too-few", _pieces(count=-1), "more entries"),
    _case(17, "two-end-records", wheel(MODULE)[:-2] + b"\x16\x00" + end_part(0, 0, 0), "two ZIP end records"),
    _case(18, "archive-in-comment", _pieces(comment=wheel(MODULE) + b"."), "another archive"),
    _case(19, "trailing-bytes", wheel(MODULE) + b"more", "end record"),
    _case(19, "trailing-nuls", wheel(MODULE) + bytes(32), "end record"),
    _case(20, "leading-bytes", b"#!/bin/sh\n" + wheel(MODULE), "end record"),
    _case(20, "leading-bytes-with-right-offsets", _pieces(before=b"#!/bin/sh\n"), "before its first member"),
    _changed(21, "zip64-contradicts", "ZIP64", central={"extra": _zip64(4)}),
    _changed(21, "zip64-twice", "extra fields", central={"size": WIDE, "extra": _zip64(144) + _zip64(9)}),
    _changed(21, "zip64-missing", "ZIP64", central={"size": WIDE}),
    _case(21, "zip64-extensible", _wide(extensible=b"more"), "ZIP64"),
    _case(21, "zip64-extensible-and-located", _wide(extensible=b"more", locator_shift=4), "ZIP64"),
    _case(21, "zip64-locator", _wide(locator_shift=1), "ZIP64 locator"),
    _case(21, "zip64-differs", _wide(count=1), "ZIP64"),
    _case(21, "zip64-counts-too-many", _wide(count=1, narrow=0xFFFF), "fewer entries"),
    _changed(22, "encrypted", "encrypted", flags=1),
    _changed(22, "patch", "patch", flags=0x20),
    _changed(22, "deflate64", "deflate64", method=9, data=b"x"),
    _changed(22, "bzip2", "bzip2", method=12, data=b"x"),
    _changed(22, "lzma", "lzma", method=14, data=b"x"),
    _changed(22, "zstandard", "zstandard", method=93, data=b"x"),
    _changed(22, "unheard-of", "number 77", method=77, data=b"x"),
    _changed(23, "wrong-descriptor", "data descriptor", descriptor="wrong"),
    _changed(23, "descriptor-and-more", "data descriptor", descriptor="signed", after=b"more"),
    _case(24, "overlapping", _overlapping(), "overlaps"),
    Refused(25, "bomb", lambda ground: wheel(Entry(name="zeros", content=bytes(70 << 20))), ("would unpack to",)),
    _changed(
        26,
        "larger-than-declared",
        "demo.py",
        "longer than declared",
        data=deflate(bytes(1 << 24)),
        local={"size": 10, "crc": 1},
        central={"size": 10, "crc": 1},
    ),
    Refused(
        26,
        "large-and-larger-than-declared",
        lambda ground: wheel(
            Entry(name="noise", content=os.urandom(1 << 20), method=0),
            Entry(name="zeros", content=bytes(SMALL_BYTES + 1), data=deflate(bytes(SMALL_BYTES * 3))),
        ),
        ("zeros", "longer than declared"),
    ),
    _changed(26, "smaller-than-declared", "demo.py", "were declared", local={"size": 999}, central={"size": 999}),
)

METADATA = (
    _case(34, "no-dist-info", archive([MODULE]), "it has no dist-info"),
    _case(34, "two-dist-infos", wheel(Entry(name="other-1.dist-info/METADATA")), "2 dist-info folders"),
    _member(34, "dist-info-below-data", "demo-1.0.data/purelib/good-1.0.dist-info/RECORD", "metadata of another"),
    _case(35, "other-name", wheel(MODULE), "another distribution", filename="demon-1.0-py3-none-any.whl"),
    _case(35, "other-version", wheel(MODULE), "another distribution", filename="demo-1.1-py3-none-any.whl"),
    _case(36, "metadata-name", wheel(MODULE, metadata=b"Name: other\nVersion: 1.0\n"), "METADATA", "'other'"),
    _case(36, "metadata-version", wheel(MODULE, metadata=b"Name: demo\nVersion: 1.1\n"), "METADATA", "'1.1'"),
    _case(36, "no-metadata", archive(wheel_entries(MODULE, metadata=None)), "no METADATA"),
    _case(37, "wheel-2.0", wheel(MODULE, wheel=b"Wheel-Version: 2.0\n"), "wheel format 2.0"),
    _case(37, "no-wheel-file", archive(wheel_entries(MODULE, wheel=None)), "no WHEEL"),
    _member(39, "unknown-scheme", "demo-1.0.data/nowhere/x", "no known scheme", "hint: known are"),
    _member(40, "script-in-folder", "demo-1.0.data/scripts/sub/x", "sub-folder"),
    _case(
        40,
        "script-is-a-link",
        wheel(MODULE, Entry(name="demo-1.0.data/scripts/x", content=b"/bin/sh", mode=SYMLINK)),
        "neither a plain file",
    ),
    _member(41, "interpreter", "demo-1.0.data/data/bin/python3", "replace the interpreter"),
    _member(41, "interpreter-as-script", "demo-1.0.data/scripts/python", "replace the interpreter"),
    _member(41, "configuration", "demo-1.0.data/data/pyvenv.cfg", "part of the environment"),
    _entry_points(41, "interpreter-as-entry-point", "python3 = demo:main", "replace the interpreter"),
    _member(42, "data-climbs", "demo-1.0.data/purelib/../../x", "'..'"),
    _case(43, "no-record", archive(wheel_entries(MODULE)[:-1]), "it has no RECORD"),
    _strict(44, "strict-absent", wheel_entries(MODULE, add_to_record="gone.py,,\n"), "'gone.py'", "--strict-record"),
    _strict(45, "strict-unlisted", _wrong_row(b""), "'demo.py' is not in RECORD", "--strict-record"),
    _strict(46, "strict-hash", _wrong_row(b"demo.py,sha256=AAAA,144\n"), "wrong about 'demo.py'", "--strict-record"),
    _strict(46, "strict-size", _wrong_row(b"demo.py,,143\n"), "wrong about 'demo.py'", "--strict-record"),
    _strict(48, "strict-md5", _wrong_row(b"demo.py,md5=AAAA,144\n"), "wrong about 'demo.py'", "--strict-record"),
    _case(48, "two-columns", wheel(MODULE, record=b"demo.py,sha256=x\n"), "2 columns", "line 1"),
    _case(48, "quotes", wheel(MODULE, record=b'"demo.py"x,,\n'), "not CSV"),
    _case(48, "not-utf-8", wheel(MODULE, record=b"\xff,,\n"), "RECORD is not UTF-8"),
    Refused(48, "too-long", _long_record, ("RECORD", "larger than")),
    *(
        _entry_points(49, f"script-{place}", f"{name} = demo:main", "cannot be a file name")
        for place, name in enumerate(("../x", "/x", ".", "..", "a/b", "a\\b", "", "a\0b", "a\x1bb"))
    ),
    _entry_points(49, "gui-script", "../x = demo:main", "cannot be a file name", group="gui_scripts"),
    *(
        _entry_points(50, f"value-{place}", f"x = {value}", "not module:attribute")
        for place, value in enumerate(
            (
                'os:system("x")',
                "demo",
                "demo:",
                ":main",
                "demo:main;x",
                "de mo:main",
                "demo:main [x",
                "demo:a\rimport os",
            )
        )
    ),
    _entry_points(51, "continued", "x = demo:main\n  import os", "several lines"),
    _entry_points(51, "second-line", "x = demo:main\nimport os", "without '='"),
)

REFUSED = (*NAMES, *STRUCTURE, *METADATA)
