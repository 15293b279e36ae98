"""Where a bare system cannot be run, that is said, and no old figure stays."""

import subprocess
import sys
from pathlib import Path

from benchmarks.from_nothing import OWN_FILE, describe_bare, pip_of, scripts

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


def test_ways_of_ours_have_the_names_of_their_files() -> None:
    ways = scripts([Path("dist/engine-cp311.pyz"), Path("dist/engine.pyz")])
    assert list(ways) == ["engine-cp311.pyz", "engine.pyz", "uv", "pip", "uv-binary"]
    told = ways["engine-cp311.pyz"].format(files="F", index="I")
    assert "F/engine/engine-cp311.pyz" in told and "./engine-cp311.pyz sync -q --index-url I lock.txt" in told
    assert OWN_FILE.name == "engine-cp311.pyz"


def test_pip_does_no_more_than_the_others() -> None:
    script = scripts([])["pip"]
    assert "--without-pip" in script and "--no-compile" in script and "--no-deps" in script


def test_the_pip_of_the_system_is_named_with_its_version(tmp_path: Path) -> None:
    assert pip_of(tmp_path) == "unknown"
    (tmp_path / "usr/lib/python3/dist-packages/pip-23.0.1.dist-info").mkdir(parents=True)
    assert pip_of(tmp_path) == "23.0.1"
    assert describe_bare(tmp_path, [], 3)["bare system"].endswith("CPython 3.11, pip 23.0.1")
