import base64
import hashlib
import os
import stat
import zlib
from pathlib import Path

import pytest

from engine.errors import InvalidWheel
from engine.wheel.tree import TreeWriter


def record_digest(content: bytes, algorithm: str = "sha256") -> str:
    return base64.urlsafe_b64encode(hashlib.new(algorithm, content).digest()).rstrip(b"=").decode()


@pytest.mark.parametrize("content", [b"", b"abc", bytes(range(256)) * 40])
def test_file_has_the_content_and_its_times_and_hash_are_told(content: bytes, tmp_path: Path) -> None:
    mtime_ns, sha256, _ = TreeWriter(str(tmp_path)).write("a/b/c.txt", memoryview(content))
    path = tmp_path / "a/b/c.txt"
    assert path.read_bytes() == content
    assert (mtime_ns, sha256) == (path.stat().st_mtime_ns, record_digest(content))


def test_file_written_in_pieces_is_the_same_as_one_written_at_once(tmp_path: Path) -> None:
    tree = TreeWriter(str(tmp_path))
    file = tree.start("a.txt")
    file.write(b"one")
    file.write(memoryview(b"two"))
    mtime_ns, sha256, _ = file.finish()
    file.close()
    path = tmp_path / "a.txt"
    assert path.read_bytes() == b"onetwo"
    assert (mtime_ns, sha256) == (path.stat().st_mtime_ns, record_digest(b"onetwo"))


def test_a_file_that_need_not_be_hashed_gets_its_crc(tmp_path: Path) -> None:
    tree = TreeWriter(str(tmp_path))
    file = tree.start("pieces", hashed=False)
    file.write(b"one")
    file.write(b"two")
    assert file.finish()[1:] == ("", zlib.crc32(b"onetwo"))
    assert tree.write("whole", b"onetwo", hashed=False)[1:] == ("", zlib.crc32(b"onetwo"))


def test_folder_is_made_with_those_above_it_and_only_once(tmp_path: Path) -> None:
    tree = TreeWriter(str(tmp_path))
    tree.make_folder("a/b/c")
    tree.make_folder("a/b")
    assert (tmp_path / "a/b/c").is_dir()


def test_very_deep_folder_is_no_bug(tmp_path: Path) -> None:
    with pytest.raises(InvalidWheel, match="too long"):
        TreeWriter(str(tmp_path)).make_folder("/".join(["a" * 250] * 20))


@pytest.mark.parametrize(("first", "second"), [("a", "a"), ("a", "a/b"), ("a/b", "a"), ("a", "a/b/c")])
def test_name_that_is_taken_is_the_wheels_fault(first: str, second: str, tmp_path: Path) -> None:
    tree = TreeWriter(str(tmp_path))
    tree.write(first, b"first")
    with pytest.raises(InvalidWheel, match="another member"):
        tree.write(second, b"second")
    assert (tmp_path / first).read_bytes() == b"first"


@pytest.mark.skipif(os.name == "nt", reason="needs symbolic links")
def test_link_is_never_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    root = tmp_path / "root"
    root.mkdir()
    (root / "a").symlink_to(outside)
    with pytest.raises(InvalidWheel):
        TreeWriter(str(root)).write("a", b"x")
    assert not outside.exists()


def test_refusal_of_the_operating_system_is_not_blamed_on_the_wheel(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        TreeWriter(str(tmp_path / "missing")).write("a", b"x")


def test_file_is_read_again_up_to_a_limit(tmp_path: Path) -> None:
    tree = TreeWriter(str(tmp_path))
    tree.write("a", b"abc")
    assert tree.read("a", 3) == b"abc"
    assert tree.crc32("a") == zlib.crc32(b"abc")
    assert tree.digest("a", "sha512") == record_digest(b"abc", "sha512")
    with pytest.raises(InvalidWheel, match="larger than 2 bytes"):
        tree.read("a", 2)


@pytest.mark.skipif(os.name == "nt", reason="needs modes")
@pytest.mark.parametrize("umask", [0o022, 0o027, 0o077, 0o002])
def test_executable_file_has_what_the_umask_leaves(umask: int, tmp_path: Path) -> None:
    tree = TreeWriter(str(tmp_path))
    before = os.umask(umask)
    try:
        tree.write("a", b"x")
        mtime_ns = (tmp_path / "a").stat().st_mtime_ns
        tree.make_executable("a")
    finally:
        os.umask(before)
    found = (tmp_path / "a").stat()
    assert stat.S_IMODE(found.st_mode) == 0o777 & ~umask
    assert found.st_mtime_ns == mtime_ns
