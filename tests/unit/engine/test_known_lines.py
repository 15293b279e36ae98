"""Which lines of a lock mean the same in every other lock."""

from pathlib import Path

import pytest

from engine.known_lines import Lines, read_lines
from engine.options import LockOptions, SyncOptions
from engine.reporting import View
from engine.sync import Run

HASH = f"--hash=sha256:{'0' * 64}"


def lines_of(tmp_path: Path, *texts: str, name: str = "lock.txt") -> Lines | None:
    files = []
    for number, text in enumerate(texts):
        path = tmp_path / str(number) / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        files.append(str(path))
    options = SyncOptions(locks=LockOptions(files=files), pythons=(), cache_dir=str(tmp_path / "cache"))
    return read_lines(Run(options, {}, str(tmp_path), View()))


def test_a_line_has_one_digest_wherever_it_stands(tmp_path: Path) -> None:
    one = lines_of(tmp_path, f"a==1.0 \\\n    {HASH}\nb==1.0 {HASH}\n")
    other = lines_of(tmp_path, f"# b is first\n\nb==1.0   {HASH}  # via c\na==1.0 {HASH}")
    assert one is not None and other is not None and one.are_all and other.are_all
    assert list(one.digests) == [1, 3] and list(other.digests) == [3, 4]
    assert (one.digests[1], one.digests[3]) == (other.digests[4], other.digests[3])


def test_each_part_of_a_line_makes_another_digest(tmp_path: Path) -> None:
    texts = ["a==1.0", "a==1.1", "a[x]==1.0", "a==1.0 ; python_version > '3'", f"a==1.0 {HASH}"]
    found = [lines_of(tmp_path, text) for text in texts]
    assert len({next(iter(lines.digests.values())) for lines in found if lines is not None}) == len(texts)


@pytest.mark.parametrize(
    "line", ["a @ https://example.com/a-1.0-py3-none-any.whl", "./a-1.0-py3-none-any.whl", "wheels\\a-1.0.whl"]
)
def test_what_is_at_a_place_is_known_of_no_other_lock(tmp_path: Path, line: str) -> None:
    lines = lines_of(tmp_path, f"{line}\nb==1.0\n")
    assert lines is not None and list(lines.digests) == [2] and not lines.are_all


@pytest.mark.parametrize(
    "line", ["-r other.txt", "-c other.txt", "--find-links=wheels", "--require-hashes", "-e .", "a==${VERSION}"]
)
def test_a_lock_that_is_more_than_its_lines_is_not_taken_apart(tmp_path: Path, line: str) -> None:
    assert lines_of(tmp_path, f"b==1.0\n{line}\n") is None


def test_a_lock_with_some_hashes_is_not_taken_apart(tmp_path: Path) -> None:
    assert lines_of(tmp_path, f"a==1.0 {HASH}\nb==1.0\n") is None


def test_neither_are_several_files_a_pylock_and_what_is_no_text(tmp_path: Path) -> None:
    assert lines_of(tmp_path, "a==1.0\n", "b==1.0\n") is None
    assert lines_of(tmp_path, "lock-version = '1.0'\n", name="pylock.toml") is None
    assert lines_of(tmp_path, "# coding: nonsense\na==1.0\n") is None


def test_options_of_the_file_are_kept_apart_from_its_lines(tmp_path: Path) -> None:
    lines = lines_of(tmp_path, "-i https://example.com/simple/\na==1.0\n--only-binary=:all:\n")
    assert lines is not None and lines.are_all and list(lines.digests) == [2]
    assert lines.options == "-i https://example.com/simple/\n--only-binary=:all:"
