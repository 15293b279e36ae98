"""The command line: exit codes, and text that no terminal obeys."""

import gc
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cli
from engine.errors import IndexUnavailable
from engine.reporting import Outcome


@pytest.mark.parametrize(
    "line", ["", "install x", "sync", "sync a b", "sync --nonsense a", "sync a --link-mode soft", "cache", "cache wash"]
)
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
    (tmp_path / "cache" / "index-v1").mkdir(parents=True)
    (tmp_path / "cache" / "index-v1" / "page").write_bytes(b"x" * 2_000_000)
    assert cli.main(["cache", "clean", "--cache-dir", str(tmp_path / "cache")]) == cli.OK
    assert "Removed 1 files, 2.0 MB" in capsys.readouterr().err
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


def printed(outcome: Outcome, capsys: pytest.CaptureFixture[str], **changes: object) -> list[str]:
    arguments = {"several": False, "dry_run": False, "quiet": 0, "seconds": 0.25, **changes}
    cli._print_outcome(outcome, **arguments)  # type: ignore[arg-type]
    captured = capsys.readouterr()
    assert captured.out == ""
    return [line for line in captured.err.splitlines() if line]


def outcome(**changes: object) -> Outcome:
    fields: dict[str, object] = {
        "added": [("zeta", "1.0"), ("alpha", "2.0")],
        "removed": [("alpha", "1.0")],
        "kept": 3,
        "warnings": ["odd", "odd"],
        "details": [],
    }
    return Outcome("/env", **{**fields, **changes})  # type: ignore[arg-type]


def test_changes_are_listed_by_name_and_warnings_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(outcome(), capsys) == [
        "warning: odd",
        "Removed 1 distribution",
        "Installed 2 distributions in 250 ms",
        " - alpha==1.0",
        " + alpha==2.0",
        " + zeta==1.0",
    ]


def test_a_dry_run_says_would(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(outcome(created=True), capsys, dry_run=True)
    assert lines[1].startswith("Would remove") and lines[2].startswith("Would install")
    assert not any(line.startswith("Created") for line in lines)


def test_quiet_keeps_warnings_and_twice_quiet_only_errors(capsys: pytest.CaptureFixture[str]) -> None:
    failed = outcome(error=IndexUnavailable("no answer", hint="look"))
    assert printed(outcome(), capsys, quiet=1) == ["warning: odd"]
    assert printed(outcome(), capsys, quiet=2) == []
    assert printed(failed, capsys, quiet=2) == ["error: no answer", "hint: look"]


def test_with_several_environments_every_line_says_which(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(outcome(warnings=[]), capsys, several=True)
    assert all("/env" in line for line in lines[:2])
    failed = printed(outcome(warnings=[], error=IndexUnavailable("no")), capsys, several=True)
    assert failed == ["/env was left as it was:", "error: no"]


def test_nothing_to_do_is_said_too(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(outcome(added=[], removed=[], warnings=[], recovered=True), capsys)
    assert len(lines) == 2 and "interrupted run" in lines[0]
    assert lines[1].startswith("Nothing to do: 3 distributions in place")


@given(st.text())
def test_escaped_text_is_printable_and_ordinary_text_stays_as_it_is(text: str) -> None:
    escaped = cli.escape(text)
    assert escaped.isprintable()
    assert text.isprintable() == (escaped == text)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("plain é 漢", "plain é 漢"),
        ("\x1b[31m", "\\x1b[31m"),
        ("a\r\nb", "a\\r\\nb"),
        ("\u202eabc", "\\u202eabc"),
        ("\x9b", "\\x9b"),
        ("\udc80", "\\udc80"),
        ("\u200b\ufeff", "\\u200b\\ufeff"),
    ],
)
def test_what_a_terminal_could_obey_is_made_visible(text: str, escaped: str) -> None:
    assert cli.escape(text) == escaped


def test_exit_codes_are_the_usual_ones() -> None:
    assert (cli.OK, cli.FAILED, cli.USAGE, cli.INTERRUPTED, cli.TERMINATED) == (0, 1, 2, 128 + 2, 128 + 15)
