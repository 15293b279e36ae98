"""The probe takes `packaging` and nothing else from where it lies, and old interpreters can read it."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import packaging

from engine.environment import probe
from engine.environment.interpreter import probe_command


def test_neighbours_of_packaging_are_not_importable(tmp_path: Path) -> None:
    folder = tmp_path / "packaging"
    shutil.copytree(packaging.__path__[0], folder, ignore=shutil.ignore_patterns("__pycache__"))
    for neighbour in ("json", "re", "platform", "sysconfig", "logging", "_manylinux"):
        (tmp_path / f"{neighbour}.py").write_text("raise SystemExit('wrong module')", encoding="utf-8")
    command = probe_command(sys.executable, is_virtual=True)
    command[-2] = str(folder)
    run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert (run.returncode, run.stderr) == (0, "")
    assert probe.BEGIN in run.stdout


def test_probe_writes_nothing_beside_packaging(tmp_path: Path) -> None:
    folder = tmp_path / "packaging"
    shutil.copytree(packaging.__path__[0], folder, ignore=shutil.ignore_patterns("__pycache__"))
    before = sorted(tmp_path.rglob("*"))
    command = probe_command(sys.executable, is_virtual=True)
    command[-2] = str(folder)
    subprocess.run(command, capture_output=True, check=True)
    assert sorted(tmp_path.rglob("*")) == before


def test_source_parses_as_python_3_8() -> None:
    ast.parse(Path(probe.__file__).read_text(encoding="utf-8"), feature_version=(3, 8))


def test_probe_imports_nothing_of_engine() -> None:
    tree = ast.parse(Path(probe.__file__).read_text(encoding="utf-8"))
    modules = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert modules == {"packaging.tags"}
