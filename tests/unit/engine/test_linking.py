"""Files come from the cache by link, reflink or copy, and each falls back on its own."""

import errno
import os
from pathlib import Path

import pytest

from engine.linking import LINK_MODES, Linker, write_all, write_file

posix_only = pytest.mark.skipif(os.name == "nt", reason="modes of POSIX")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(b"content " * 300_000)
    return path


@pytest.mark.parametrize("mode", LINK_MODES)
def test_only_the_hardlink_mode_links(mode: str) -> None:
    assert Linker(mode).links == (mode == "hardlink")


@pytest.mark.parametrize("mode", LINK_MODES)
def test_a_fallen_back_file_has_the_content_and_shares_nothing(source: Path, tmp_path: Path, mode: str) -> None:
    target = tmp_path / "target"
    linker = Linker(mode)
    linker.fall_back(str(source), str(target), None)
    assert target.read_bytes() == source.read_bytes()
    assert target.stat().st_ino != source.stat().st_ino
    assert linker.counts["hardlink"] == 0 and linker.counts["clone"] + linker.counts["copy"] == 1


def test_the_copy_mode_copies(source: Path, tmp_path: Path) -> None:
    linker = Linker("copy")
    linker.fall_back(str(source), str(tmp_path / "target"), None)
    assert linker.counts == {"hardlink": 0, "clone": 0, "copy": 1}


@posix_only
@pytest.mark.parametrize("executable", [False, True])
def test_a_copy_is_executable_when_its_source_is_and_follows_the_umask(
    source: Path, tmp_path: Path, executable: bool
) -> None:
    source.chmod(0o6755 if executable else 0o444)
    before = os.umask(0o027)
    try:
        Linker("copy").fall_back(str(source), str(tmp_path / "target"), None)
    finally:
        os.umask(before)
    assert (tmp_path / "target").stat().st_mode & 0o7777 == (0o750 if executable else 0o640)


@pytest.mark.parametrize("number", [errno.EXDEV, errno.ENOSYS, errno.EOPNOTSUPP])
def test_what_can_never_be_linked_is_not_tried_twice(source: Path, tmp_path: Path, number: int) -> None:
    linker = Linker("hardlink")
    linker.fall_back(str(source), str(tmp_path / "target"), OSError(number, "no"))
    assert not linker.links and (tmp_path / "target").exists()


@pytest.mark.parametrize("number", [errno.EMLINK, errno.EPERM, errno.EACCES])
def test_what_one_file_is_denied_is_tried_again_for_the_next(source: Path, tmp_path: Path, number: int) -> None:
    linker = Linker("hardlink")
    linker.fall_back(str(source), str(tmp_path / "target"), OSError(number, "no"))
    assert linker.links and (tmp_path / "target").exists()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.ENOENT])
def test_a_reason_that_no_copy_can_help_is_raised_and_nothing_is_made(
    source: Path, tmp_path: Path, number: int
) -> None:
    reason = OSError(number, "no")
    with pytest.raises(OSError) as caught:
        Linker("hardlink").fall_back(str(source), str(tmp_path / "target"), reason)
    assert caught.value is reason
    assert not (tmp_path / "target").exists()


def test_a_target_that_is_there_is_neither_overwritten_nor_followed(source: Path, tmp_path: Path) -> None:
    (tmp_path / "target").write_text("mine")
    with pytest.raises(FileExistsError):
        Linker("copy").fall_back(str(source), str(tmp_path / "target"), None)
    assert (tmp_path / "target").read_text() == "mine"


@posix_only
def test_a_source_that_became_a_link_is_refused(source: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(source)
    with pytest.raises(OSError):
        Linker("copy").fall_back(str(tmp_path / "link"), str(tmp_path / "target"), None)
    assert not (tmp_path / "target").exists()


@posix_only
def test_falling_back_leaves_no_descriptor_open(source: Path, tmp_path: Path) -> None:
    lowest = os.open(source, os.O_RDONLY)
    os.close(lowest)
    linker = Linker("hardlink")
    linker.fall_back(str(source), str(tmp_path / "one"), OSError(errno.EMLINK, "no"))
    with pytest.raises(FileExistsError):
        linker.fall_back(str(source), str(tmp_path / "one"), None)
    again = os.open(source, os.O_RDONLY)
    os.close(again)
    assert again == lowest


@posix_only
def test_write_file_follows_the_umask_and_never_a_link(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        write_file(str(tmp_path / "plain"), b"a")
        write_file(str(tmp_path / "run"), b"b", executable=True)
    finally:
        os.umask(before)
    assert (tmp_path / "plain").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "run").stat().st_mode & 0o777 == 0o755
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        write_file(str(tmp_path / "link"), b"c")
    assert not (tmp_path / "elsewhere").exists()


@posix_only
def test_write_all_writes_all_even_when_a_pipe_takes_it_in_pieces() -> None:
    reader, writer = os.pipe()
    data = bytes(range(256)) * 2_000
    pid = os.fork()
    if not pid:
        try:
            os.close(reader)
            write_all(writer, data)
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader, "rb") as pipe:
        assert pipe.read() == data
    os.waitpid(pid, 0)


@pytest.mark.parametrize("mode", LINK_MODES)
def test_every_way_keeps_the_mtime_that_compiled_files_are_checked_against(
    source: Path, tmp_path: Path, mode: str
) -> None:
    os.utime(source, ns=(0, 1_234_567_890_000_000_000))
    Linker(mode).fall_back(str(source), str(tmp_path / "target"), None)
    assert (tmp_path / "target").stat().st_mtime_ns == 1_234_567_890_000_000_000


def test_who_links_nothing_leaves_the_umask_of_all_threads_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def umask(mask: int) -> int:
        asked.append(mask)
        return 0o022

    monkeypatch.setattr(os, "umask", umask)
    assert Linker("copy").modes == Linker("clone").modes == set() and asked == []
    assert Linker("hardlink").modes == {0o100644, 0o100755}


@pytest.mark.skipif(not os.path.exists("/proc/self/mem"), reason="a file that cannot be read")
def test_a_source_that_cannot_be_read_is_named_as_such(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="mem") as caught:
        Linker("copy").fall_back("/proc/self/mem", str(tmp_path / "target"), None)
    assert caught.value.filename == "/proc/self/mem"
