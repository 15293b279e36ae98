"""Where a bare system cannot be run, that is said, and no old figure stays."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_without_the_one_file_nothing_is_measured_and_the_reason_is_told(tmp_path: Path) -> None:
    (tmp_path / "nothing.json").write_text("old", encoding="utf-8")
    command = [sys.executable, "-m", "benchmarks.from_nothing", "--state", str(tmp_path)]
    done = subprocess.run(
        [*command, "--one-file", str(tmp_path / "engine.pyz")], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0
    assert "from nothing: not measured: " in done.stderr
    assert not list(tmp_path.iterdir())
