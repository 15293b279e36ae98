"""Which files of an earlier lock stay in the next one."""

from collections.abc import Collection
from dataclasses import replace

import pytest
from packaging.markers import Marker
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from engine.compiled.keeping import with_files_of
from engine.compiled.model import Answer, ChosenFile, Entry
from engine.compiled.pylock_toml import pylock_text
from engine.lock.pins import Digest

WINDOWS = Marker("sys_platform == 'win32'")


def entry(*letters: str, version: str = "1", marker: Marker | None = None) -> Entry:
    """Returns an entry with a wheel for each letter, which is its hash."""
    files = tuple(
        ChosenFile(
            filename=f"a-{version}-{letter}-py3-none-any.whl",
            url=f"https://example.com/a-{version}-{letter}-py3-none-any.whl",
            digests=(Digest(algorithm="sha256", hex=letter[1] * 64),),
        )
        for letter in letters
    )
    return Entry(name=canonicalize_name("a"), version=Version(version), marker=marker, files=files)


def answer(one: Entry, python: str = ">=3.9") -> Answer:
    return Answer(entries=(one,), requires_python=SpecifierSet(python))


def kept(new: Answer, old: Answer, upgraded: Collection[str] = ()) -> list[str]:
    body = pylock_text(old, command="", folder="/job").encode()
    (one,) = with_files_of(new, body, upgraded).entries
    return [file.filename.split("-")[2] for file in one.files]


def test_files_of_the_same_entry_stay_alone() -> None:
    old, new = entry("1a", "2b", marker=WINDOWS), entry("1a", "2b", "3c", marker=WINDOWS)
    assert kept(answer(new), answer(old)) == ["1a", "2b"]
    assert kept(answer(new), answer(old), ["a"]) == ["1a", "2b", "3c"]


@pytest.mark.parametrize(
    ("new", "python"),
    [
        (entry("1a", "2b", version="2"), ">=3.9"),
        (entry("1a", "2b", marker=WINDOWS), ">=3.9"),
        (entry("1a", "2b"), ">=3.8"),
        (entry("1b", "2c"), ">=3.9"),
    ],
    ids=["version", "marker", "range of Pythons", "a file that is gone"],
)
def test_another_entry_has_all_its_files(new: Entry, python: str) -> None:
    assert kept(answer(new, python), answer(entry("1a"))) == [file.filename.split("-")[2] for file in new.files]


@pytest.mark.parametrize("body", [b"", b"\xff", b"requires-python = 3\n[[packages]]\nname = 1\n", b"packages = 3"])
def test_what_is_no_lock_keeps_nothing(body: bytes) -> None:
    one = replace(answer(entry("1a")), requires_python=None)
    assert with_files_of(one, body, ()) == one
