"""The command line: exit codes, and what goes where."""

import gc
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import cli
from engine.printing import Style
from tests.support.mistakes import MISTAKES
from tests.support.tool import ROOT


@pytest.mark.parametrize("line", MISTAKES)
def test_a_mistake_is_explained_by_argparse(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(line.split()) == cli.USAGE
    captured = capsys.readouterr()
    assert captured.out == "" and "usage: engine" in captured.err


@pytest.mark.parametrize("line", ["--version", "--help", "sync --help", "cache -h"])
def test_help_and_version_are_printed_and_no_error(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(line.split()) == cli.OK
    captured = capsys.readouterr()
    assert "engine" in captured.out and captured.err == ""


@pytest.fixture
def settings() -> Iterator[None]:
    """Puts back what a run sets for its whole process."""
    handler, threshold = signal.getsignal(signal.SIGTERM), gc.get_threshold()
    yield
    signal.signal(signal.SIGTERM, handler)
    gc.set_threshold(*threshold)


def test_a_lock_that_is_not_there_is_a_usage_error_in_one_line(
    settings: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = tmp_path / "none\x1b[31m.txt"
    code = cli.main(["sync", str(lock), "--cache-dir", str(tmp_path / "cache"), "--python", sys.executable])
    assert code == cli.USAGE
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.startswith("error: cannot read the lock")
    assert "\x1b" not in captured.err and "\\x1b[31m" in captured.err
    assert not (tmp_path / "cache").exists()


def test_an_environment_that_is_not_there_fails_with_a_hint(
    settings: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = tmp_path / "lock.txt"
    lock.write_text("")
    code = cli.main(["sync", str(lock), "--cache-dir", str(tmp_path), "--python", str(tmp_path / "none")])
    assert code == cli.FAILED
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["error", "hint"]


def test_cache_dir_prints_the_folder_alone(settings: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["cache", "dir", "--cache-dir", str(tmp_path)]) == cli.OK
    assert capsys.readouterr() == (f"{tmp_path}\n", "")


def test_cache_clean_says_what_it_removed(settings: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "cache" / "index-v3").mkdir(parents=True)
    (tmp_path / "cache" / "index-v3" / "page").write_bytes(b"x" * 2_000_000)
    assert cli.main(["cache", "clean", "--cache-dir", str(tmp_path / "cache")]) == cli.OK
    assert "Removed 1 file, 1.9MiB" in capsys.readouterr().err
    assert cli.main(["cache", "clean", "--cache-dir", str(tmp_path / "none")]) == cli.OK
    assert "No cache" in capsys.readouterr().err
    assert cli.main(["cache", "clean", "-q", "--cache-dir", str(tmp_path / "none")]) == cli.OK
    assert capsys.readouterr() == ("", "")


def test_a_cache_that_is_a_file_is_a_usage_error(
    settings: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("mine")
    assert cli.main(["cache", "clean", "--cache-dir", str(tmp_path / "file")]) == cli.USAGE
    assert "error" in capsys.readouterr().err and (tmp_path / "file").read_text() == "mine"


def test_exit_codes_are_the_usual_ones() -> None:
    assert (cli.OK, cli.FAILED, cli.USAGE, cli.INTERRUPTED, cli.TERMINATED) == (0, 1, 2, 128 + 2, 128 + 15)


@pytest.mark.parametrize(
    ("hidden", "term", "shown"), [(False, "xterm", True), (True, "xterm", False), (False, "dumb", False)]
)
def test_a_progress_line_is_for_terminals_that_can_draw_it(
    hidden: bool, term: str, shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = os.openpty()
    with open(ours, "rb"), open(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        monkeypatch.setenv("TERM", term)
        assert bool(cli._view(Style(), hidden=hidden).interval_seconds) is shown


def test_no_progress_line_is_drawn_where_nobody_looks() -> None:
    assert not cli._view(Style(), hidden=False).interval_seconds


@pytest.mark.parametrize(("word", "code"), [("--version", 0), ("--nonsense", 2)])
def test_what_is_to_be_done_at_the_end_is_done_however_it_ends(word: str, code: int) -> None:
    script = "import cli, os; cli.run(lambda: os.write(1, b'ended'))"
    done = subprocess.run([sys.executable, "-c", script, word], capture_output=True, cwd=ROOT, timeout=60)
    assert done.returncode == code and b"ended" in done.stdout
