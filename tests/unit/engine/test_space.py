"""What a refusal of the operating system is told as."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.space import in_words

ROOT = Path(__file__).resolve().parents[3]


def refusal(number: int, path: Path | None = None) -> OSError:
    return OSError(number, os.strerror(number), str(path)) if path else OSError(number, os.strerror(number))


@pytest.mark.skipif(not hasattr(os, "statvfs"), reason="the system does not tell")
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_want_of_room_names_the_file_system_and_what_was_needed(tmp_path: Path, number: int) -> None:
    words = in_words(refusal(number, tmp_path / "gone" / "file"), needed_bytes=1234, needed_files=5)
    assert words.startswith(f"{os.strerror(number)}: {tmp_path / 'gone' / 'file'} (")
    assert "bytes and" in words and "files are left on /" in words
    assert words.endswith(", 1234 bytes in 5 files were needed)")


def test_what_is_not_known_is_not_said(tmp_path: Path) -> None:
    assert in_words(refusal(errno.ENOSPC)) == os.strerror(errno.ENOSPC)
    assert "needed" not in in_words(refusal(errno.ENOSPC, tmp_path))


def test_want_of_descriptors_names_the_limit(tmp_path: Path) -> None:
    assert "ulimit -n" in in_words(refusal(errno.EMFILE, tmp_path))


def test_other_refusals_are_told_as_they_are(tmp_path: Path) -> None:
    assert in_words(refusal(errno.EIO, tmp_path)) == f"{os.strerror(errno.EIO)}: {tmp_path}"


@pytest.mark.skipif(os.name == "nt", reason="there is no such limit")
@pytest.mark.parametrize(
    ("limits", "left"), [((20, 20), "no more than 20"), ((20, 4096), (48, 4096)), ((100, 100), (100, 100))]
)
def test_few_descriptors_are_raised_or_refused(limits: tuple[int, int], left: tuple[int, int] | str) -> None:
    """In a child: a hard limit cannot be raised again."""
    code = f"""
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, {limits})
from engine.errors import InstallFailed
from engine.space import require_descriptors
try:
    require_descriptors()
except InstallFailed as exc:
    print(exc)
else:
    print(resource.getrlimit(resource.RLIMIT_NOFILE))
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert str(left) in run.stdout
