"""What starts engine in an image says where it cannot, in words."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.tool import ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a script for sh")

#: What glibc's loader says where a program wants a newer one.
TOO_OLD = "/lib/libc.so.6: version `GLIBC_2.36' not found (required by python3)"


def start(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Starts the script as it stands in a folder, with a loader that may be there."""
    text = (ROOT / "docker" / "engine.sh").read_text(encoding="utf-8")
    for name, value in ("LOADER", str(folder / "loader")), ("FOLDER", str(folder)), ("GLIBC", "2.36"):
        text = text.replace(f"@{name}@", value)
    (folder / "engine").write_text(text, encoding="utf-8")
    return subprocess.run(["sh", str(folder / "engine"), *words], capture_output=True, text=True)


def write_script(path: Path, *lines: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(("#!/bin/sh", *lines, "")), encoding="utf-8")
    path.chmod(0o755)


def test_a_system_without_glibc_is_told(tmp_path: Path) -> None:
    done = start(tmp_path, "sync")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: ") and "needs glibc" in done.stderr and "\nhint: " in done.stderr


def test_a_system_with_an_older_glibc_is_told_which_is_wanted(tmp_path: Path) -> None:
    write_script(tmp_path / "loader", f'echo "python3: {TOO_OLD.replace("`", chr(92) + "`")}" >&2', "exit 1")
    done = start(tmp_path, "sync")
    assert (done.returncode, done.stdout) == (1, "")
    first, hint = done.stderr.splitlines()
    assert first.startswith("error: ") and "glibc 2.36 or newer" in first and first.endswith(TOO_OLD.partition(": ")[2])
    assert hint.startswith("hint: ")


def test_all_else_is_handed_to_its_own_python(tmp_path: Path) -> None:
    write_script(tmp_path / "loader", "exit 0")
    write_script(tmp_path / "python" / "bin" / "python3", 'echo "$@"')
    assert start(tmp_path, "sync", "a b").stdout == f"-I -S {tmp_path}/start.py sync a b\n"
