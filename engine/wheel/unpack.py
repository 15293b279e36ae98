"""Unpacking a wheel into a private folder while its bytes still arrive.

Owns the order of things: members are unpacked from their local headers as far as
the download has come; at the end the central directory, which is what counts, is
compared with all of that, the rest is unpacked from it, and RECORD and the
metadata are checked.  It runs in a worker, without asyncio; it neither downloads,
hashes the archive, nor publishes.

Rules: nothing is written outside the folder; memory is bounded whatever the
archive declares; where the local headers are odd, unpacking waits for the central
directory; every error names the wheel.

Source: PEP 427; APPNOTE.TXT 6.3.10.
"""

import hashlib
from dataclasses import dataclass

from cache.manifest import EntryPoint, Manifest
from engine.environment.installed import normalize_name
from engine.errors import InvalidWheel
from engine.wheel.archive import (
    DESCRIPTOR_FLAG,
    STORED,
    LocalHeader,
    Member,
    check_local_header,
    read_central_directory,
)
from engine.wheel.digest import encode_digest
from engine.wheel.inflate import Data, Inflater, inflate
from engine.wheel.layout import check_destinations, check_member_name
from engine.wheel.metadata import check_core_metadata, find_dist_info, parse_entry_points, parse_wheel_file
from engine.wheel.record import RECORD_MAX_BYTES, parse_record
from engine.wheel.strict import refuse_faults
from engine.wheel.tree import OpenFile, TreeWriter
from engine.wheel.verify import BOMB_FLOOR_BYTES, BOMB_RATIO, WrittenFile, check_members, reconcile
from engine.wheel.window import WINDOW_BYTES, Window, read_at

# Up to here an archive is read in one go.
WHOLE_MAX_BYTES = 8 * 1024 * 1024
# What is larger is unpacked as a stream, in bounded memory and before its last byte is there.
SMALL_COMPRESSED_BYTES = 4 * 1024 * 1024
SMALL_BYTES = 16 * 1024 * 1024
# Hashing every file took a fifth of the time of a lock of large wheels (1.1 GB unpacked, two cores); those from here
# on have nine tenths of the bytes.
VOUCHED_BYTES = 64 * 1024
_TEXT_MAX_BYTES = 16 * 1024 * 1024
# A RECORD of a million wrong rows is one fault, not a million.
_WARNINGS_MAX = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpackedWheel:
    """What was unpacked, and what was odd about it without being an error, in lines that name the wheel."""

    manifest: Manifest
    warnings: list[str]


class _Stream:
    """A large member on its way: the archive's bytes from `offset` to `end` are still to come."""

    __slots__ = ("end", "file", "inflater", "name", "offset", "size_bytes")

    def __init__(self, header: LocalHeader, size: int, offset: int, end: int, file: OpenFile) -> None:
        self.name = header.name
        self.size_bytes = size
        self.offset = offset
        self.end = end
        self.file = file
        self.inflater = None if header.method == STORED else Inflater(size)

    def feed(self, data: Data) -> None:
        """Writes what the next bytes of the archive give."""
        self.offset += len(data)
        if self.inflater is None:
            self.file.write(data)
        else:
            for piece in self.inflater.feed(data):
                self.file.write(piece)

    def finish(self) -> WrittenFile:
        """Closes the file; tells what it became."""
        if self.inflater is not None:
            self.inflater.check_finished()
        return WrittenFile(self.size_bytes, *self.file.finish())


class Unpacker:
    """Unpacks one wheel.

    Args:
        descriptor: of the file that the wheel arrives in; its position may be moved.
        tree: path of an existing, empty folder that nobody else uses.
        filename: of the wheel.
        vouched: the caller compares the digest of the whole archive with what a lock or an index promised.  Files
            of `VOUCHED_BYTES` and more are then not hashed one by one: RECORD's hash is taken, and the CRC checked.
        strict_record: hash every file, and refuse the wheel when its RECORD says anything wrongly.
    """

    def __init__(
        self, descriptor: int, tree: str, filename: str, *, vouched: bool = False, strict_record: bool = False
    ) -> None:
        self._vouched = vouched and not strict_record
        self._strict_record = strict_record
        self._filename = filename
        self._tree = TreeWriter(tree)
        self._window = Window(descriptor)
        self._written: dict[str, WrittenFile] = {}
        self._headers: list[tuple[int, LocalHeader]] = []
        self._position = 0
        self._declared_bytes = 0
        self._forward = True
        self._stream: _Stream | None = None

    @property
    def consumed_bytes(self) -> int:
        """Up to where the archive is not read again: all before is unpacked."""
        return self._position if self._stream is None else self._stream.offset

    def advance(self, available_bytes: int) -> None:
        """Unpacks what can be unpacked now.

        Args:
            available_bytes: how many bytes, from the first on, are in the file.

        Raises:
            InvalidWheel: when it is clear already that the wheel cannot be installed.
            OSError: when the operating system refuses.
        """
        try:
            self._advance(available_bytes)
        except InvalidWheel as exc:
            raise self._named(exc) from exc

    def finish(self, total_bytes: int) -> UnpackedWheel:
        """Unpacks the rest and checks all of it.

        Args:
            total_bytes: the length of the archive, which is there in full.

        Raises:
            InvalidWheel: when the wheel breaks a standard; the folder is then good for nothing.
            OSError: when the operating system refuses.
        """
        try:
            return self._finish(total_bytes)
        except InvalidWheel as exc:
            raise self._named(exc) from exc

    def close(self) -> None:
        """Closes what is still open, after an error or instead of `finish`; a second call does nothing."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.file.close()

    def _named(self, error: InvalidWheel) -> InvalidWheel:
        return InvalidWheel(f"{ascii(self._filename)[1:-1]}: {error.message}", hint=error.hint)

    def _advance(self, available_bytes: int) -> None:
        self._window.limit = available_bytes
        if self._stream is not None:
            self._pump(self._stream, available_bytes)
        while self._forward and self._stream is None:
            try:
                header = self._window.local_header(self._position)
            except InvalidWheel:
                # The central directory begins here, or something that `finish` will refuse by name.
                self._forward = False
                return
            if header is None:
                return
            if header.flags & DESCRIPTOR_FLAG:
                self._forward = False
                return
            data_end = self._position + header.header_bytes + header.compressed_size
            if data_end > available_bytes and (
                header.name in self._written or not _is_large(header.compressed_size, header.size_bytes)
            ):
                return
            declared_bytes = self._declared_bytes + header.size_bytes
            if declared_bytes > BOMB_FLOOR_BYTES and declared_bytes > BOMB_RATIO * available_bytes:
                return
            self._declared_bytes = declared_bytes
            check_member_name(header.name)
            self._headers.append((self._position, header))
            self._unpack(header, self._position, header.compressed_size, header.size_bytes)
            self._position = data_end

    def _unpack(self, header: LocalHeader, header_offset: int, compressed_bytes: int, size_bytes: int) -> None:
        """Unpacks a member, or starts to; sizes are arguments because a descriptor may have told them."""
        name = header.name
        offset = header_offset + header.header_bytes
        if name.endswith("/"):
            self._tree.make_folder(name[:-1])
            return
        if header.method == STORED and compressed_bytes != size_bytes:
            raise InvalidWheel(f"member {name!r} is stored but has two sizes")
        if name in self._written:
            self._compare_duplicate(header, offset, compressed_bytes, size_bytes)
            return
        hashed = not (self._vouched and size_bytes >= VOUCHED_BYTES)
        if _is_large(compressed_bytes, size_bytes):
            end = offset + compressed_bytes
            self._stream = _Stream(header, size_bytes, offset, end, self._tree.start(name, hashed=hashed))
            self._pump(self._stream, self._window.limit)
            return
        content: Data = self._window.view(offset, compressed_bytes)
        if header.method != STORED:
            try:
                content = inflate(content, size_bytes)
            except ValueError as exc:
                raise InvalidWheel(f"member {name!r} is damaged: {exc}") from exc
        self._written[name] = WrittenFile(size_bytes, *self._tree.write(name, content, hashed=hashed))

    def _compare_duplicate(self, header: LocalHeader, offset: int, compressed_bytes: int, size_bytes: int) -> None:
        """Checks that a member has the bytes of the one that was unpacked under its name: CRCs are easily forged."""
        digest = hashlib.sha256(usedforsecurity=False)
        inflater = None if header.method == STORED else Inflater(size_bytes)
        end = offset + compressed_bytes
        try:
            while offset < end:
                data = read_at(self._window.descriptor, offset, min(WINDOW_BYTES, end - offset))
                if not data:
                    raise InvalidWheel(f"member {header.name!r} is cut off")
                offset += len(data)
                for piece in (data,) if inflater is None else inflater.feed(data):
                    digest.update(piece)
            if inflater is not None:
                inflater.check_finished()
        except ValueError as exc:
            raise InvalidWheel(f"member {header.name!r} is damaged: {exc}") from exc
        if encode_digest(digest.digest()) != self._tree.digest(header.name, "sha256"):
            raise InvalidWheel(f"two different members have the name {header.name!r}")

    def _pump(self, stream: _Stream, available_bytes: int) -> None:
        """Unpacks of a large member what is there; it is done when no stream is left."""
        descriptor = self._window.descriptor
        try:
            while stream.offset < stream.end:
                length = min(WINDOW_BYTES, stream.end - stream.offset, available_bytes - stream.offset)
                if length <= 0:
                    return
                stream.feed(read_at(descriptor, stream.offset, length))
            self._written[stream.name] = stream.finish()
        except ValueError as exc:
            raise InvalidWheel(f"member {stream.name!r} is damaged: {exc}") from exc
        self._stream = None

    def _finish(self, total_bytes: int) -> UnpackedWheel:
        window = self._window
        window.limit = total_bytes
        if total_bytes <= WHOLE_MAX_BYTES:
            window.window_bytes = total_bytes
            window.load(0)
        members = read_central_directory(window.view, total_bytes)
        by_name, warnings = check_members(members, total_bytes)
        dist_info, data = find_dist_info(by_name, self._filename)
        if data is not None:
            check_destinations([name for name in by_name if not name.endswith("/")], dist_info, data)
        self._check_headers(members)
        if self._stream is not None:
            self._pump(self._stream, total_bytes)
        for member in members[len(self._headers) :]:
            header = window.local_header(member.header_offset)
            if header is None:
                raise InvalidWheel(f"member {member.name!r} is cut off")
            check_local_header(member, header, window.view)
            self._unpack(header, member.header_offset, member.compressed_size, member.size_bytes)
        return self._describe(by_name, dist_info, data, warnings)

    def _check_headers(self, members: list[Member]) -> None:
        """Compares what was unpacked from local headers with the central directory."""
        for place, (offset, header) in enumerate(self._headers):
            if place >= len(members) or members[place].header_offset != offset:
                raise InvalidWheel(f"member {header.name!r} is not in the central directory")
            check_local_header(members[place], header, self._window.view)

    def _describe(
        self, members: dict[str, Member], dist_info: str, data: str | None, warnings: list[str]
    ) -> UnpackedWheel:
        """Checks RECORD and the metadata, and makes the manifest of them."""
        requires_python = check_core_metadata(self._text(f"{dist_info}/METADATA"), self._filename)
        root_is_purelib, more_warnings = parse_wheel_file(self._text(f"{dist_info}/WHEEL"), self._filename)
        warnings += more_warnings
        rows = parse_record(_decode(self._text(f"{dist_info}/RECORD", RECORD_MAX_BYTES), "RECORD"))
        files, disagreements = reconcile(rows, self._written, members, dist_info, self._tree)
        if self._strict_record:
            refuse_faults(disagreements)
        console: tuple[EntryPoint, ...] = ()
        gui: tuple[EntryPoint, ...] = ()
        if f"{dist_info}/entry_points.txt" in self._written:
            entry_points = self._text(f"{dist_info}/entry_points.txt")
            console, gui = parse_entry_points(_decode(entry_points, "entry_points.txt"))
        for file in files:
            if file.executable:
                self._tree.make_executable(file.path)
        name, _, version = dist_info.removesuffix(".dist-info").rpartition("-")
        manifest = Manifest(
            filename=self._filename,
            name=normalize_name(name),
            version=version,
            dist_info=dist_info,
            data=data,
            root_is_purelib=root_is_purelib,
            files=tuple(files),
            console_scripts=console,
            gui_scripts=gui,
            requires_python=requires_python,
        )
        return UnpackedWheel(manifest=manifest, warnings=self._worded(warnings + disagreements))

    def _worded(self, warnings: list[str]) -> list[str]:
        """Returns warnings with the wheel's name; of very many only the first."""
        shown = warnings[:_WARNINGS_MAX]
        if len(warnings) > len(shown):
            shown.append(f"and {len(warnings) - len(shown)} more warnings of this kind")
        return [f"{ascii(self._filename)[1:-1]}: {warning}" for warning in shown]

    def _text(self, name: str, limit_bytes: int = _TEXT_MAX_BYTES) -> bytes:
        if name not in self._written:
            raise InvalidWheel(f"it has no {name.rpartition('/')[2]}")
        return self._tree.read(name, limit_bytes)


def _is_large(compressed_bytes: int, size_bytes: int) -> bool:
    return compressed_bytes > SMALL_COMPRESSED_BYTES or size_bytes > SMALL_BYTES


def _decode(body: bytes, name: str) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise InvalidWheel(f"{name} is not UTF-8") from exc
