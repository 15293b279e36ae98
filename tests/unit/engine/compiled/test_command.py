"""The command line that the header of a file tells."""

import pytest

from engine.compiled.command import told_command


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("engine compile a.in -o b.txt", "engine compile a.in -o b.txt"),
        ("engine compile a.in -U -P x --upgrade-package=y --upgrade-package z -Pw", "engine compile a.in"),
        ("engine compile -q -vv --quiet --no-progress a.in --check --dry-run", "engine compile a.in"),
        ("engine compile a.in -i u --index-url=v --extra-index-url w --find-links x -fy", "engine compile a.in"),
        ("engine compile a.in --color never --universal", "engine compile a.in --color never --universal"),
    ],
)
def test_what_changes_nothing_is_left_out(words: str, told: str) -> None:
    assert told_command(words.split(), index_urls=False, find_links=False) == told


def test_indexes_are_told_where_the_file_has_them_and_without_passwords() -> None:
    words = [
        "engine",
        "compile",
        "a.in",
        "--emit-index-url",
        "-i",
        "https://u:secret@example.com/s?token=abc",
        "-f",
        "x",
    ]
    assert told_command(words, index_urls=True, find_links=True) == (
        "engine compile a.in --emit-index-url -i https://***@example.com/s?token=*** -f x"
    )
    assert told_command(words, index_urls=False, find_links=True) == "engine compile a.in --emit-index-url -f x"


def test_words_that_a_shell_would_split_are_quoted() -> None:
    assert told_command(["engine", "compile", "a b.in", ""], index_urls=False, find_links=False) == (
        "engine compile 'a b.in' ''"
    )
