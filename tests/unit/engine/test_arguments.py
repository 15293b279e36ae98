"""The words of the command line: two readers that agree."""

import contextlib
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine import arguments as command_line
from tests.support.mistakes import MISTAKES

FLAGS = [flag for option in (*command_line.SYNC_OPTIONS, *command_line.GLOBAL_OPTIONS) for flag in option[0]]
WORDS = st.one_of(
    st.sampled_from([*FLAGS, *command_line.COMMANDS, "dir", "clean", "hardlink", "copy", "lock.txt"]),
    st.sampled_from(["--", "-", "", "-qq", "-x", "-1", "- x", "--version", "-h"]),
    st.sampled_from([f"{flag}={value}" for flag in FLAGS for value in ("", "copy", "a=b", "-x")]),
    st.sampled_from([flag[:-1] for flag in FLAGS] + [f"{flag}3" for flag in FLAGS]),
    st.text(max_size=4),
)


def parsed(words: list[str]) -> dict[str, object] | None:
    """Returns what argparse makes of a command line, or None where it ends the program."""
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        try:
            return dict(command_line.parse_arguments(words))
        except SystemExit:
            return None


@given(st.lists(WORDS, max_size=6), st.sampled_from(["sync", "cache", "cache dir", ""]))
@example(["lock.txt", "-p", "a", "--python=b", "-q", "-q", "--link-mode", "copy", "--offline"], "sync")
@example(["nonsense"], "cache")
@example(["cache dir"], "")
@example(["a", "--offline", "b"], "sync")
@example(["a", "-", "-p", "b"], "sync")
@example(["lock.txt", "--link-mode", "value"], "sync")
@example(["lock.txt", "--python", "--offline"], "sync")
def test_whatever_the_scanner_understands_argparse_understands_the_same_way(words: list[str], command: str) -> None:
    arguments = [*command.split(), *words]
    scanned = command_line.scan_arguments(arguments)
    if scanned is not None:
        assert scanned == parsed(arguments)


@pytest.mark.parametrize(
    "line",
    [
        "sync lock.txt",
        "sync -q -q lock.txt --offline",
        "sync lock.txt --python=.venv -p other --dry-run --durable -v",
        "sync lock.txt --index-url https://example.com/simple/ --cache-dir=/there",
        "sync lock.txt -i https://example.com/ --link-mode clone",
        "sync a.txt b.txt -c c.txt -c d.txt",
        "sync --offline a.txt - https://example.com/lock.txt -q",
        "sync pylock.toml --extra a --extra b --group=c --no-default-groups --no-verify-hashes --verify-hashes",
        "cache dir",
        "cache clean --cache-dir x -q",
    ],
)
def test_the_usual_spellings_do_not_need_argparse(line: str) -> None:
    scanned = command_line.scan_arguments(line.split())
    assert scanned is not None and scanned == parsed(line.split())


@pytest.mark.parametrize("line", MISTAKES)
def test_a_mistake_is_left_to_argparse(line: str) -> None:
    assert command_line.scan_arguments(line.split()) is None
