"""A run goes on where it was ended, when it is the same run."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.figures import FAILED, Figure, Results, Runs, from_json, to_json
from benchmarks.run import describe_locks, describe_sizes, earlier, other_file_system

ROOT = Path(__file__).resolve().parents[3]
FIGURE = Figure(name="n", group="g", label="l", column="c", tools={"engine": Runs(seconds=(1.0,))})


def test_what_was_measured_in_the_same_setting_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(to_json(Results(setting={"uv": "1", "distributions": "docs 3"}, figures=(FIGURE,))), "utf-8")
    assert earlier(path, {"uv": "1"}) == {"n": FIGURE}


def test_what_was_measured_in_another_setting_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(to_json(Results(setting={"uv": "1"}, figures=(FIGURE,))), "utf-8")
    assert earlier(path, {"uv": "2"}) == {}


def test_the_first_run_has_nothing_to_go_on_with(tmp_path: Path) -> None:
    assert earlier(tmp_path / "results.json", {}) == {}


def test_the_sizes_of_locks_are_told(tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text("x==1\ny==2 ; python_version > '3'\n", encoding="utf-8")
    (tmp_path / "a.txt").write_text("x==1\n", encoding="utf-8")
    assert describe_locks(tmp_path) == "a 1, b 2"


def test_rows_that_failed_in_the_same_setting_do_not_make_it_another(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(to_json(Results(setting={"uv": "1", FAILED: "x"}, figures=(FIGURE,))), "utf-8")
    assert earlier(path, {"uv": "1"}) == {"n": FIGURE}


def test_sizes_are_told_with_the_names_of_files(tmp_path: Path) -> None:
    file = tmp_path / "engine.pyz"
    file.write_bytes(bytes(2_600_000))
    assert describe_sizes([file]) == {"size of engine.pyz": "3 MB"}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at what Linux mounted")
def test_another_file_system_is_found_where_there_is_one(tmp_path: Path) -> None:
    assert other_file_system(tmp_path, [tmp_path / "none", tmp_path, Path("/proc")]) == Path("/proc")
    assert other_file_system(tmp_path, [tmp_path]) is None


_TOOL = """#!/bin/sh
case "$*" in
--version) echo "tool 1.2.3" ;;
*"--python"*"--python"*) echo "two are too many"; exit 7 ;;
*" venv "*|"venv "*) for last; do :; done; mkdir "$last" ;;
esac
"""


@pytest.mark.skipif(sys.platform == "win32", reason="tools are scripts of a shell")
def test_a_row_that_fails_is_named_and_the_others_are_measured(tmp_path: Path) -> None:
    folder = tmp_path / "state/tools/bin"
    folder.mkdir(parents=True)
    for name in ("engine", "uv", "python"):
        (folder / name).write_text(_TOOL, encoding="utf-8")
        (folder / name).chmod(0o755)
    (tmp_path / "runs").mkdir()
    (tmp_path / "state/some-results.json").write_text("of an earlier run", encoding="utf-8")
    command = [sys.executable, "-m", "benchmarks.run", "--rounds", "1", "--state", str(tmp_path / "state")]
    command += ["--folder", str(tmp_path / "runs")]
    rows = ["growth/environments/1", "growth/environments/2", "growth/environments-parallel/1"]
    done = subprocess.run([*command, *rows], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert "1 of 3 rows failed: growth/environments/2" in done.stderr and "two are too many" in done.stderr
    results = from_json((tmp_path / "state/some-results.json").read_text(encoding="utf-8"))
    assert [figure.name for figure in results.figures] == [rows[0], rows[2]]
    assert results.setting[FAILED] == rows[1]
    assert not list((tmp_path / "runs").iterdir())
