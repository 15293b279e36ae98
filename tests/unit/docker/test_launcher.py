"""What starts engine in an image says where it cannot, in words."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.tool import ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a script for sh")


def test_a_system_without_glibc_is_told(tmp_path: Path) -> None:
    text = (ROOT / "docker" / "engine.sh").read_text(encoding="utf-8")
    command = tmp_path / "engine"
    command.write_text(text.replace("@LOADER@", str(tmp_path / "ld-linux.so.2")).replace("@FOLDER@", str(tmp_path)))
    done = subprocess.run(["sh", str(command), "sync"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: ") and "needs glibc" in done.stderr and "\nhint: " in done.stderr


def test_all_else_is_handed_to_its_own_python(tmp_path: Path) -> None:
    python = tmp_path / "python" / "bin" / "python3"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "$@"\n')
    python.chmod(0o755)
    text = (ROOT / "docker" / "engine.sh").read_text(encoding="utf-8")
    command = tmp_path / "engine"
    command.write_text(text.replace("@LOADER@", str(tmp_path)).replace("@FOLDER@", str(tmp_path)))
    done = subprocess.run(["sh", str(command), "sync", "a b"], capture_output=True, text=True)
    assert done.stdout == f"-I -S {tmp_path}/start.py sync a b\n"
