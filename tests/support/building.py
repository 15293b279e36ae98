"""Builds wheels byte by byte, also such as no tool would write."""

import base64
import hashlib
import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

FILENAME = "demo-1.0-py3-none-any.whl"
DIST_INFO = "demo-1.0.dist-info"


def deflate(content: bytes) -> bytes:
    """Returns a raw deflate stream."""
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    return stream.compress(content) + stream.flush()


@dataclass(kw_only=True)
class Entry:
    """A member; `local` and `central` replace fields of its headers after they were computed.

    Their keys are `name`, `flags`, `method`, `crc`, `compressed`, `size`, `extra`, and in the central
    directory `offset`, `made_by` and `attributes`.
    """

    name: str
    content: bytes = b""
    method: int = 8
    mode: int = 0o100644
    flags: int = 0
    data: bytes | None = None
    descriptor: str = ""
    local: Mapping[str, object] = field(default_factory=dict)
    central: Mapping[str, object] = field(default_factory=dict)
    hidden: bool = False
    after: bytes = b""

    def payload(self) -> bytes:
        """Returns what stands between the headers."""
        if self.data is not None:
            return self.data
        return deflate(self.content) if self.method == 8 else self.content

    def fields(self, offset: int) -> dict[str, object]:
        """Returns the true fields of the headers."""
        return {
            "name": self.name.encode(),
            "flags": self.flags | (8 if self.descriptor else 0) | (0 if self.name.isascii() else 0x800),
            "method": self.method,
            "crc": zlib.crc32(self.content),
            "compressed": len(self.payload()),
            "size": len(self.content),
            "extra": b"",
            "offset": offset,
            "made_by": 3,
            "attributes": self.mode << 16,
        }


def local_part(entry: Entry) -> bytes:
    """Returns a local header, the data, and a data descriptor where one is asked for."""
    fields = entry.fields(0)
    crc, compressed, size = fields["crc"], fields["compressed"], fields["size"]
    if entry.descriptor:
        fields.update(crc=0, compressed=0, size=0)
    fields.update(entry.local)
    name, extra = fields["name"], fields["extra"]
    assert isinstance(name, bytes) and isinstance(extra, bytes)
    header = struct.pack(
        "<4s5H3I2H",
        b"PK\x03\x04",
        20,
        *(fields["flags"], fields["method"], 0, 33),
        *(fields["crc"], fields["compressed"], fields["size"], len(name), len(extra)),
    )
    tail = {
        "": b"",
        "signed": struct.pack("<4s3I", b"PK\x07\x08", crc, compressed, size),
        "bare": struct.pack("<3I", crc, compressed, size),
        "wide": struct.pack("<4sI2Q", b"PK\x07\x08", crc, compressed, size),
        "wrong": struct.pack("<4s3I", b"PK\x07\x08", 1, 2, 3),
    }[entry.descriptor]
    return header + name + extra + entry.payload() + tail + entry.after


def central_part(entry: Entry, offset: int) -> bytes:
    """Returns the entry of the central directory."""
    fields = entry.fields(offset) | dict(entry.central)
    name, extra, made_by = fields["name"], fields["extra"], fields["made_by"]
    assert isinstance(name, bytes) and isinstance(extra, bytes) and isinstance(made_by, int)
    return (
        struct.pack(
            "<4s6H3I5H2I",
            *(b"PK\x01\x02", made_by << 8 | 20, 20, fields["flags"], fields["method"], 0, 33),
            *(fields["crc"], fields["compressed"], fields["size"]),
            *(len(name), len(extra), 0, 0, 0, fields["attributes"], fields["offset"]),
        )
        + name
        + extra
    )


def end_part(count: int, length: int, offset: int, comment: bytes = b"") -> bytes:
    """Returns an end record."""
    return struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, count, count, length, offset, len(comment)) + comment


def end_part_64(count: int, length: int, offset: int, *, extensible: bytes = b"", locator_shift: int = 0) -> bytes:
    """Returns the ZIP64 end record and its locator, for a directory that they follow directly."""
    at = offset + length
    record = struct.pack("<4sQ2H2I4Q", b"PK\x06\x06", 44 + len(extensible), 45, 45, 0, 0, count, count, length, offset)
    return record + extensible + struct.pack("<4sIQI", b"PK\x06\x07", 0, at + locator_shift, 1)


def archive(entries: Iterable[Entry], *, comment: bytes = b"", wide: bool = False) -> bytes:
    """Returns the archive of these members."""
    body, directory, count = bytearray(), bytearray(), 0
    for entry in entries:
        if not entry.hidden:
            directory += central_part(entry, len(body))
            count += 1
        body += local_part(entry)
    end = end_part_64(count, len(directory), len(body)) if wide else b""
    return bytes(body + directory) + end + end_part(min(count, 0xFFFF), len(directory), len(body), comment)


def record_row(path: str, content: bytes) -> str:
    """Returns a row of RECORD."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(content)}\n"


METADATA = b"Metadata-Version: 2.1\nName: Demo\nVersion: 1.0\n\nName: other\n"
WHEEL = b"Wheel-Version: 1.0\nGenerator: building\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def wheel_entries(
    *entries: Entry,
    metadata: bytes | None = METADATA,
    wheel: bytes | None = WHEEL,
    entry_points: bytes | None = None,
    record: bytes | None = None,
    add_to_record: str = "",
) -> list[Entry]:
    """Returns the members of a whole wheel: those given, then the dist-info folder with a right RECORD."""
    members = list(entries)
    for name, body in (("METADATA", metadata), ("WHEEL", wheel), ("entry_points.txt", entry_points)):
        if body is not None:
            members.append(Entry(name=f"{DIST_INFO}/{name}", content=body))
    if record is None:
        rows = [record_row(entry.name, entry.content) for entry in members if not entry.name.endswith("/")]
        record = ("".join(rows) + add_to_record + f"{DIST_INFO}/RECORD,,\n").encode()
    members.append(Entry(name=f"{DIST_INFO}/RECORD", content=record))
    return members


def wheel(*entries: Entry, **changes: bytes) -> bytes:
    """Returns a whole wheel; see `wheel_entries`."""
    return archive(wheel_entries(*entries, **changes))  # type: ignore[arg-type]
