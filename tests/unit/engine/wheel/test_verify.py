import stat
import zlib
from collections.abc import Mapping

import pytest

from cache.manifest import ManifestFile
from engine.errors import InvalidWheel
from engine.wheel.archive import Member
from engine.wheel.verify import BOMB_FLOOR_BYTES, WrittenFile, check_members, faults_of_record, reconcile

DIST_INFO = "d-1.dist-info"
RECORD = "d-1.dist-info/RECORD"


def member(name: str, *, crc32: int = 1, size_bytes: int = 3, mode: int = 0o100644) -> Member:
    return Member(name, 0, 8, crc32, size_bytes, size_bytes, 0, mode, name.endswith("/"), 0)


class Files:
    """Files in memory, whose digests are their names."""

    def __init__(self, contents: Mapping[str, bytes]) -> None:
        self.contents = contents
        self.read: list[str] = []

    def crc32(self, name: str) -> int:
        self.read.append(name)
        return zlib.crc32(self.contents[name])

    def digest(self, name: str, algorithm: str) -> str:
        self.read.append(name)
        return f"{algorithm}-{name}"


def compare(rows: list[tuple[str, str, str]], *names: str, damaged: str = "") -> tuple[list[str], list[str], list[str]]:
    """Reconciles three-byte files whose sha256 is `hash-of-<name>`; returns paths, warnings and what was read."""
    names = (*names, RECORD)
    disk = Files({name: b"bad" if name == damaged else b"abc" for name in names})
    written = {name: WrittenFile(3, 5, f"hash-of-{name}", 0) for name in names}
    members = {name: member(name, crc32=zlib.crc32(b"abc")) for name in names}
    files, warnings = reconcile([*rows, (RECORD, "", "")], written, members, DIST_INFO, disk)
    return [file.path for file in files], warnings, disk.read


def test_right_hash_proves_a_file_without_reading_it_again() -> None:
    assert compare([("a", "sha256=hash-of-a", "3")], "a") == (["a"], [], [RECORD])


def test_size_may_be_missing() -> None:
    assert compare([("a", "sha256=hash-of-a", "")], "a") == (["a"], [], [RECORD])


@pytest.mark.parametrize("algorithm", ["sha384", "sha512"])
def test_other_strong_hash_is_computed(algorithm: str) -> None:
    assert compare([("a", f"{algorithm}={algorithm}-a=", "3")], "a") == (["a"], [], ["a", RECORD])


@pytest.mark.parametrize(
    "row",
    [
        ("a", "", ""),
        ("a", "", "3"),
        ("a", "sha256=other", "3"),
        ("a", "sha512=other", "3"),
        ("a", "md5=md5-a", "3"),
        ("a", "nonsense", "3"),
        ("a", "sha256=hash-of-a", "4"),
        ("a", "sha256=hash-of-a", "three"),
    ],
)
def test_wrong_row_is_a_warning_when_the_archive_vouches_for_the_file(row: tuple[str, str, str]) -> None:
    paths, warnings, _ = compare([row], "a")
    assert (paths, warnings) == (["a"], ["RECORD is wrong about 'a'"])


@pytest.mark.parametrize("rows", [[("a", "sha256=other", "3")], [("a", "", "")], []])
def test_file_that_nothing_vouches_for_is_damaged(rows: list[tuple[str, str, str]]) -> None:
    with pytest.raises(InvalidWheel, match="'a' is damaged"):
        compare(rows, "a", damaged="a")


@pytest.mark.parametrize("name", [RECORD, "d-1.dist-info/RECORD.jws"])
def test_files_without_a_row_are_checked_too(name: str) -> None:
    with pytest.raises(InvalidWheel, match="damaged"):
        compare([], "d-1.dist-info/RECORD.jws", damaged=name)


def test_file_that_is_not_in_record_is_added() -> None:
    assert compare([], "a", "b")[:2] == (["a", "b"], ["'a' is not in RECORD", "'b' is not in RECORD"])


def test_row_without_file_is_dropped() -> None:
    rows = [("gone\x1b", "sha256=x", "1"), ("folder/", "", ""), ("/etc/passwd", "", "")]
    assert compare(rows)[:2] == (
        [],
        ["RECORD lists 'gone\\x1b', which is not there", "RECORD lists '/etc/passwd', which is not there"],
    )


def test_signatures_need_no_row() -> None:
    paths, warnings, _ = compare([], "d-1.dist-info/RECORD.jws", "d-1.dist-info/RECORD.p7s")
    assert (paths, warnings) == (["d-1.dist-info/RECORD.jws", "d-1.dist-info/RECORD.p7s"], [])


@pytest.mark.parametrize(
    ("mode", "executable"), [(0, False), (0o100644, False), (0o100755, True), (0o100654, True), (0o106001, True)]
)
def test_any_execute_bit_makes_a_file_executable(mode: int, executable: bool) -> None:
    files, _ = reconcile(
        [("a", "sha256=x", "3"), (RECORD, "", "")],
        {"a": WrittenFile(3, 5, "x", 0)},
        {"a": member("a", mode=mode)},
        DIST_INFO,
        Files({}),
    )
    assert [file.executable for file in files] == [executable]


def test_plain_files_and_folders_are_accepted() -> None:
    members = [
        member("a"),
        member("b", mode=0),
        member("c/", mode=0o40755, size_bytes=0),
        member("d/", mode=0, size_bytes=0),
    ]
    by_name, warnings = check_members(members, 1000)
    assert (list(by_name), warnings) == (["a", "b", "c/", "d/"], [])


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK, stat.S_IFDIR])
def test_other_kind_of_member_is_refused(kind: int) -> None:
    with pytest.raises(InvalidWheel, match="neither a plain file nor a folder"):
        check_members([member("a", mode=kind | 0o777)], 1000)


def test_folder_with_content_is_refused() -> None:
    with pytest.raises(InvalidWheel, match="folder with content"):
        check_members([member("a/")], 1000)


def test_equal_duplicate_is_a_warning() -> None:
    by_name, warnings = check_members([member("a"), member("a")], 1000)
    assert (list(by_name), warnings) == (["a"], ["member 'a' is there twice"])


@pytest.mark.parametrize(
    "other", [member("a", crc32=2), member("a", size_bytes=4), member("a", mode=0o100755)], ids=["crc", "size", "mode"]
)
def test_different_duplicate_is_refused(other: Member) -> None:
    with pytest.raises(InvalidWheel, match="two different members"):
        check_members([member("a"), other], 1000)


@pytest.mark.parametrize(("first", "second"), [("Foo.py", "foo.py"), ("\u00e9", "e\u0301"), ("\u00c9", "e\u0301")])
def test_names_that_some_file_systems_confuse_are_a_warning(first: str, second: str) -> None:
    _, warnings = check_members([member(first), member(second), member("c")], 1000)
    assert warnings == [f"members {first!r} and {second!r} are the same file on some file systems"]


def test_absurd_ratio_is_refused_only_when_it_is_much() -> None:
    check_members([member("a", size_bytes=BOMB_FLOOR_BYTES)], 1000)
    _, warnings = check_members([member("a", size_bytes=BOMB_FLOOR_BYTES * 2)], BOMB_FLOOR_BYTES // 24)
    assert warnings == []
    with pytest.raises(InvalidWheel, match="would unpack to"):
        check_members([member("a", size_bytes=BOMB_FLOOR_BYTES), member("b")], BOMB_FLOOR_BYTES // 201)


def test_unusual_ratio_is_a_warning_only_when_it_is_much() -> None:
    assert check_members([member("a", size_bytes=BOMB_FLOOR_BYTES)], BOMB_FLOOR_BYTES // 51)[1] == []
    _, warnings = check_members([member("a", size_bytes=BOMB_FLOOR_BYTES), member("b")], BOMB_FLOOR_BYTES // 51)
    assert len(warnings) == 1 and str(BOMB_FLOOR_BYTES + 3) in warnings[0]


DIGEST = "A" * 43


def vouched(row: tuple[str, str, str] | None, *, crc32: int) -> tuple[str, list[str], list[str]]:
    """Reconciles a file of which only the CRC is known; returns its hash, the warnings and what was read."""
    disk = Files({"a": b"abc", RECORD: b"abc"})
    written = {"a": WrittenFile(3, 5, "", crc32), RECORD: WrittenFile(3, 5, "r", 0)}
    members = {name: member(name, crc32=zlib.crc32(b"abc")) for name in written}
    files, warnings = reconcile([*([row] if row else []), (RECORD, "", "")], written, members, DIST_INFO, disk)
    return files[0].sha256, warnings, disk.read


def test_the_hash_of_a_vouched_file_is_taken_from_record() -> None:
    assert vouched(("a", f"sha256={DIGEST}", "3"), crc32=zlib.crc32(b"abc")) == (DIGEST, [], [RECORD])


def test_a_vouched_file_with_another_crc_is_damaged() -> None:
    with pytest.raises(InvalidWheel, match="'a' is damaged"):
        vouched(("a", f"sha256={DIGEST}", "3"), crc32=1)


@pytest.mark.parametrize("row", [None, ("a", "sha256=short", "3"), ("a", f"sha256={DIGEST}", "4"), ("a", "", "")])
def test_a_vouched_file_that_record_does_not_describe_is_hashed(row: tuple[str, str, str] | None) -> None:
    sha256, warnings, read = vouched(row, crc32=zlib.crc32(b"abc"))
    assert sha256 == "sha256-a" and "a" in read
    assert len(warnings) == 1


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (("a", "sha256=sha256-a", "3"), None),
        (("a", "sha256=sha256-a=", ""), None),
        (("a", "sha512=sha512-a", "3"), None),
        (("a", "sha256=hash-of-the-manifest", "3"), "RECORD is wrong about 'a'"),
        (("a", "sha256=sha256-a", "4"), "RECORD is wrong about 'a'"),
        (("a", "md5=md5-a", "3"), "RECORD is wrong about 'a'"),
        (("b", "", ""), "'a' is not in RECORD"),
    ],
)
def test_faults_of_a_record_are_found_by_hashing_again(row: tuple[str, str, str], fault: str | None) -> None:
    files = [ManifestFile("a", 3, 5, False, "hash-of-the-manifest"), ManifestFile(f"{RECORD}.jws", 3, 5, False, "x")]
    disk = Files({file.path: b"abc" for file in files})
    found = faults_of_record([row, (RECORD, "", "")], files, DIST_INFO, disk)
    absent = ["RECORD lists 'b', which is not there"] if row[0] == "b" else []
    assert found == ([fault] if fault else []) + absent
