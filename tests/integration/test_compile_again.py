"""What was compiled before is answered at once while nothing has changed, and is compiled again when anything has."""

import pytest

from tests.support.index import Index
from tests.support.tool import Result, Tool
from tests.support.wheels import make_wheel

REMEMBERED = "the resolution is remembered"


@pytest.fixture(autouse=True)
def projects(index: Index) -> None:
    index.add(make_wheel("app", "1.0", requires=["base"]), make_wheel("base", "1.0"), make_wheel("other", "1.0"))


def compiled(tool: Tool, *words: str) -> Result:
    result = tool.compile(*words, "-v")
    assert result.code == 0, result.err
    return result


def wanted(tool: Tool, *lines: str) -> str:
    return str(tool.write_lock(*(lines or ("app",)), name="wanted.in"))


@pytest.mark.parametrize(
    "options",
    [[], ["--universal"], ["--format", "pylock.toml"], ["--generate-hashes"], ["--python-version", "3.12"]],
    ids=["plain", "universal", "pylock", "hashes", "python"],
)
def test_the_same_is_answered_without_the_index_and_to_the_byte(tool: Tool, index: Index, options: list[str]) -> None:
    first = compiled(tool, wanted(tool), *options)
    assert REMEMBERED not in first.err
    index.requests.clear()
    second = compiled(tool, wanted(tool), *options)
    assert REMEMBERED in second.err and second.out == first.out and index.requests == []


def test_another_output_file_has_a_header_of_its_own(tool: Tool, index: Index) -> None:
    for name in ("one.txt", "two.txt"):
        result = compiled(tool, wanted(tool), "-o", name)
        assert f"-o {name}" in result.out and (tool.folder / name).read_text() == result.out
    assert REMEMBERED in result.err
    index.requests.clear()
    # Its own answer as the preferences changes nothing.
    assert REMEMBERED in compiled(tool, wanted(tool), "-o", "one.txt").err and index.requests == []


def test_a_conflict_of_the_output_file_with_what_is_remembered_is_resolved_anew(tool: Tool, index: Index) -> None:
    compiled(tool, wanted(tool), "-o", "lock.txt")
    index.add(make_wheel("base", "0.9"))
    (tool.folder / "lock.txt").write_text("base==0.9\n")
    index.max_age_seconds = 0
    result = compiled(tool, wanted(tool), "-o", "lock.txt", "--refresh")
    assert REMEMBERED not in result.err and "base==0.9" in result.out
    (tool.folder / "lock.txt").write_text("base==1.0\n")
    assert "base==1.0" in compiled(tool, wanted(tool), "-o", "lock.txt").out


@pytest.mark.parametrize("change", ["word", "include", "index", "option", "refresh", "upgrade"])
def test_whatever_changes_is_seen(tool: Tool, index: Index, change: str) -> None:
    (tool.folder / "more.in").write_text("base\n")
    lines = ["app", "-r more.in"]
    words = [wanted(tool, *lines)]
    assert REMEMBERED not in compiled(tool, *words).err
    assert REMEMBERED in compiled(tool, *words).err
    if change == "word":
        wanted(tool, *lines, "other")
    elif change == "include":
        (tool.folder / "more.in").write_text("other\n")
    elif change == "index":
        words += ["--extra-index-url", index.url]
    elif change == "option":
        words += ["--resolution", "lowest"]
    elif change == "refresh":
        words += ["--refresh"]
    else:
        words += ["-P", "base"]
    result = tool.compile(*words, "-v")
    assert REMEMBERED not in result.err
    if change in ("word", "include"):
        assert "other==1.0" in result.out


def test_pages_that_are_no_longer_fresh_are_asked_for(tool: Tool, index: Index) -> None:
    index.max_age_seconds = 0
    compiled(tool, wanted(tool))
    index.add(make_wheel("base", "2.0"))
    result = compiled(tool, wanted(tool))
    assert REMEMBERED not in result.err and "base==2.0" in result.out
    assert REMEMBERED in compiled(tool, wanted(tool), "--offline").err


def test_files_beside_a_setup_py_are_looked_for_each_time(tool: Tool) -> None:
    (tool.folder / "setup.py").write_text("from setuptools import setup\nsetup()\n")
    setup_cfg = tool.folder / "setup.cfg"
    setup_cfg.write_text("[metadata]\nname = demo\n[options]\ninstall_requires =\n    app\n")
    compiled(tool, "setup.py")
    setup_cfg.write_text("[metadata]\nname = demo\n[options]\ninstall_requires =\n    other\n")
    result = compiled(tool, "setup.py")
    assert "other==1.0" in result.out and REMEMBERED not in result.err


def test_what_is_damaged_is_found_out_anew(tool: Tool) -> None:
    first = compiled(tool, wanted(tool))
    for path in (tool.cache / "plans-v1").rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[:-3] + b"odd")
    second = compiled(tool, wanted(tool))
    assert REMEMBERED not in second.err and second.out == first.out
