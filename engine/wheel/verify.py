"""Whether a wheel's members may be unpacked, and whether what was unpacked is what RECORD says.

Pure: reading files again goes through a port.  Rules: only plain files and
folders; a hash in RECORD that fits proves a file, otherwise the archive's CRC
must; what else RECORD says wrongly is a warning, because installers never
enforced it and published wheels would break, and the manifest gets the truth.

Source: PEP 427, "Installing a wheel"; PEP 376, "RECORD"; PEP 815.
"""

import re
import stat
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple, Protocol

from cache.manifest import ManifestFile
from engine.errors import InvalidWheel
from engine.wheel.archive import Member
from engine.wheel.layout import check_member_name

# Deflate cannot shrink more than 1,032 times, honest wheels hardly ever more than 20 times.
BOMB_RATIO = 200
ODD_RATIO = 50
BOMB_FLOOR_BYTES = 64 * 1024 * 1024
_DIGEST = re.compile(r"[A-Za-z0-9_-]{43}")
_SLOW_HASHES = ("sha384", "sha512")
_SIGNATURES = ("RECORD.jws", "RECORD.p7s")


class WrittenFile(NamedTuple):
    """A file as it lies in the tree; `sha256` as RECORD writes it, or "" where `crc32` was computed instead."""

    size_bytes: int
    mtime_ns: int
    sha256: str
    crc32: int


class Disk(Protocol):
    """Reads files of the tree once more."""

    def crc32(self, name: str) -> int:
        """Returns the CRC of a file."""

    def digest(self, name: str, algorithm: str) -> str:
        """Returns a digest of a file as RECORD writes it."""


def check_members(members: Iterable[Member], archive_bytes: int) -> tuple[dict[str, Member], list[str]]:
    """Checks names, kinds and sizes of all members.

    Args:
        members: all entries of the central directory.
        archive_bytes: length of the archive.

    Returns:
        The members by name, of duplicates the first, and warnings.

    Raises:
        InvalidWheel: when a name is not allowed, a member is no plain file or folder, two different
            members have one name, or all together are absurdly larger than the archive.
    """
    warnings: list[str] = []
    by_name: dict[str, Member] = {}
    declared_bytes = 0
    for member in members:
        name = member.name
        check_member_name(name)
        declared_bytes += member.size_bytes
        kind = stat.S_IFMT(member.mode)
        if kind not in (0, stat.S_IFREG) and not (kind == stat.S_IFDIR and member.is_folder):
            raise InvalidWheel(f"member {name!r} is neither a plain file nor a folder")
        if member.is_folder and member.size_bytes:
            raise InvalidWheel(f"member {name!r} is a folder with content")
        first = by_name.setdefault(name, member)
        if first is not member:
            if (first.crc32, first.size_bytes, first.mode) != (member.crc32, member.size_bytes, member.mode):
                raise InvalidWheel(f"two different members have the name {name!r}")
            warnings.append(f"member {name!r} is there twice")
    if declared_bytes > BOMB_FLOOR_BYTES and declared_bytes > BOMB_RATIO * archive_bytes:
        raise InvalidWheel(f"{archive_bytes} bytes would unpack to {declared_bytes}")
    if declared_bytes > BOMB_FLOOR_BYTES and declared_bytes > ODD_RATIO * archive_bytes:
        warnings.append(f"{archive_bytes} bytes unpack to {declared_bytes}, which is unusually much")
    warnings += _collisions(by_name)
    return by_name, warnings


def _collisions(names: Collection[str]) -> list[str]:
    """Warns of names that some file systems cannot tell apart."""
    folded = {name.casefold() if name.isascii() else _normal_form(name) for name in names}
    if len(folded) == len(names):
        return []
    warnings = []
    seen: dict[str, str] = {}
    for name in names:
        first = seen.setdefault(_normal_form(name), name)
        if first != name:
            warnings.append(f"members {first!r} and {name!r} are the same file on some file systems")
    return warnings


def _normal_form(name: str) -> str:
    import unicodedata

    return unicodedata.normalize("NFC", name.casefold())


def reconcile(
    record: Iterable[tuple[str, str, str]],
    written: Mapping[str, WrittenFile],
    members: Mapping[str, Member],
    dist_info: str,
    disk: Disk,
) -> tuple[list[ManifestFile], list[str]]:
    """Compares RECORD with what was unpacked.

    Args:
        record: its rows: path, hash, size.
        written: every file of the tree.
        members: the entry of every file.
        dist_info: name of the dist-info folder.
        disk: reads files of the tree.

    Returns:
        The files for the manifest, RECORD itself excepted, and warnings.

    Raises:
        InvalidWheel: when a file has neither the hash of RECORD nor the CRC of the archive.
    """
    recorded = {path: (algorithm_hash, size) for path, algorithm_hash, size in record}
    record_path = f"{dist_info}/RECORD"
    unlisted = _unlisted(dist_info)
    files: list[ManifestFile] = []
    warnings: list[str] = []
    for name, file in written.items():
        member = members[name]
        size_bytes, mtime_ns, sha256, crc32 = file
        said = recorded.pop(name, None)
        if not sha256:
            sha256 = _vouched(name, said, size_bytes, crc32, member) or disk.digest(name, "sha256")
        if said is None or said[0] != "sha256=" + sha256 or said[1] != str(size_bytes):
            proven, fault = _examine(name, said, sha256, size_bytes, disk)
            if not proven:
                _check_crc(name, member, disk)
            if fault is not None and name not in unlisted:
                warnings.append(fault)
        if name != record_path:
            files.append(ManifestFile(name, size_bytes, mtime_ns, bool(member.mode & 0o111), sha256))
    return files, warnings + _absent(recorded)


def faults_of_record(
    record: Iterable[tuple[str, str, str]], files: Iterable[ManifestFile], dist_info: str, disk: Disk
) -> list[str]:
    """Compares RECORD with files that were unpacked at another time, and hashes every one of them.

    Args:
        record: its rows: path, hash, size.
        files: of the manifest.
        dist_info: name of the dist-info folder.
        disk: reads files of the tree.

    Returns:
        What RECORD says wrongly, in the words of `reconcile`.
    """
    recorded = {path: (algorithm_hash, size) for path, algorithm_hash, size in record}
    unlisted = _unlisted(dist_info)
    faults = []
    for file in files:
        said = recorded.pop(file.path, None)
        _, fault = _examine(file.path, said, disk.digest(file.path, "sha256"), file.size_bytes, disk)
        if fault is not None and file.path not in unlisted:
            faults.append(fault)
    recorded.pop(f"{dist_info}/RECORD", None)
    return faults + _absent(recorded)


def _unlisted(dist_info: str) -> set[str]:
    """Returns the files that RECORD need not describe."""
    return {f"{dist_info}/RECORD", *(f"{dist_info}/{name}" for name in _SIGNATURES)}


def _absent(recorded: Iterable[str]) -> list[str]:
    return [f"RECORD lists {name!r}, which is not there" for name in recorded if not name.endswith("/")]


def _vouched(name: str, said: tuple[str, str] | None, size_bytes: int, crc32: int, member: Member) -> str | None:
    """Returns the hash that RECORD gives a file whose content the archive's own digest vouches for.

    None when RECORD has no such hash, or another size.

    Raises:
        InvalidWheel: when the file has not the CRC of the archive.
    """
    if crc32 != member.crc32:
        raise InvalidWheel(f"member {name!r} is damaged: its CRC is wrong")
    if said is None or said[1] != str(size_bytes):
        return None
    algorithm, _, value = said[0].partition("=")
    return value if algorithm == "sha256" and _DIGEST.fullmatch(value) else None


def _examine(
    name: str, said: tuple[str, str] | None, sha256: str, size_bytes: int, disk: Disk
) -> tuple[bool, str | None]:
    """Returns whether RECORD proves a file, and what it says wrongly; nothing where it is right in an unusual way."""
    if said is None:
        return False, f"{name!r} is not in RECORD"
    algorithm, _, value = said[0].partition("=")
    value = value.rstrip("=")
    if algorithm == "sha256":
        proven = value == sha256
    else:
        proven = algorithm in _SLOW_HASHES and value == disk.digest(name, algorithm)
    right = proven and said[1] in ("", str(size_bytes))
    return proven, None if right else f"RECORD is wrong about {name!r}"


def _check_crc(name: str, member: Member, disk: Disk) -> None:
    if disk.crc32(name) != member.crc32:
        raise InvalidWheel(f"member {name!r} is damaged: its CRC is wrong")
