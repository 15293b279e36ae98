"""A failure of `compile` is told whole, and who follows its hint gets an answer."""

import re
import shlex
from pathlib import Path

import pytest

from tests.support.index import Fault, Index
from tests.support.tool import Result, Target, Tool
from tests.support.wheels import make_wheel


@pytest.fixture(autouse=True)
def projects(index: Index) -> None:
    """One project for each thing that can be in the way."""
    index.add(make_wheel("early", "1.0"), make_wheel("early", "2.0b1"))
    index.add(make_wheel("broken", "1.0"))
    index.add(make_wheel("broken", "2.0"), yanked="it does not start")
    index.add(make_wheel("modern", "1.0", requires_python=">=3.99"))
    index.add(make_wheel("base", "1.0"), make_wheel("base", "2.0"), make_wheel("app", "1.0", requires=["base>=2"]))
    index.add(make_wheel("picky", "1.0", requires=["base>=9"]))
    sdist = {"filename": "source-1.0.tar.gz", "url": "/files/source-1.0.tar.gz", "hashes": {}}
    index.add_file("source", "source-1.0.tar.gz", b"", sdist)


def wants(tool: Tool, *lines: str) -> Path:
    return tool.write_lock(*lines, name="in.txt")


def failed(tool: Tool, *words: str) -> str:
    """Compiles in.txt in vain, and returns the first hint."""
    result = tool.compile("in.txt", *words)
    assert result.code == 1 and result.out == "" and result.err.startswith("error: "), result
    hint: str = next(line for line in result.err.splitlines() if line.startswith("hint: "))
    return hint.removeprefix("hint: ")


def pins(result: Result) -> list[str]:
    assert result.code == 0, result.err
    return [line for line in result.out.splitlines() if line and not line.lstrip().startswith("#")]


def first_options(hint: str) -> list[str]:
    """Returns the option that a hint names, with its value."""
    option = re.search(r"--[a-z-]+ [^ ,]+", hint)
    assert option is not None, hint
    return shlex.split(option[0])


def test_a_pre_release_is_permitted(tool: Tool) -> None:
    wants(tool, "early>1")
    words = ("--prerelease", "disallow")
    assert pins(tool.compile("in.txt", *words, *first_options(failed(tool, *words)))) == ["early==2.0b1"]


def test_a_yanked_version_is_required_exactly(tool: Tool) -> None:
    wants(tool, "broken>1")
    exact = re.search(r"require (\S+) exactly", failed(tool))
    assert exact is not None
    wants(tool, exact[1])
    assert pins(tool.compile("in.txt")) == ["broken==2.0"]


def test_a_version_that_can_be_used_is_allowed(tool: Tool) -> None:
    wants(tool, "broken>1")
    other = re.search(r"or allow (\S+)$", failed(tool))
    assert other is not None
    wants(tool, other[1])
    assert pins(tool.compile("in.txt")) == ["broken==1.0"]


def test_another_python_is_used(tool: Tool) -> None:
    wants(tool, "modern")
    python = re.search(r"use a Python that >=(\S+) allows \(--python\)", failed(tool))
    assert python is not None
    assert pins(tool.compile("in.txt", "--python-version", python[1])) == ["modern==1.0"]


def test_a_constraint_is_relaxed(tool: Tool) -> None:
    wants(tool, "app")
    bounds = tool.write_lock("# a remark", "base<2", name="constraints.txt")
    hint = failed(tool, "-c", "constraints.txt")
    assert "base<2" in hint and "constraints.txt:2" in hint
    bounds.write_text("")
    assert pins(tool.compile("in.txt", "-c", "constraints.txt")) == ["app==1.0", "base==2.0"]


def test_a_dependency_is_overridden(tool: Tool) -> None:
    wants(tool, "picky")
    override = re.search(r"an override: (\S+) in a file for (--override)", failed(tool))
    assert override is not None
    tool.write_lock(override[1], name="overrides.txt")
    assert pins(tool.compile("in.txt", override[2], "overrides.txt")) == ["base==2.0", "picky==1.0"]


def test_a_wheel_is_made_of_what_has_none(tool: Tool) -> None:
    wants(tool, "source")
    hint = failed(tool)
    assert "pip wheel --no-deps source==1.0" in hint and hint.endswith("name its folder with --find-links")
    wheel = make_wheel("source", "1.0")
    (tool.folder / wheel.filename).write_bytes(wheel.content)
    assert pins(tool.compile("in.txt", "--find-links", ".")) == ["source==1.0"]


def test_wheels_that_an_option_refuses_are_allowed(tool: Tool) -> None:
    wants(tool, "app")
    assert failed(tool, "--no-binary", "base") == "leave base out of --no-binary"
    assert pins(tool.compile("in.txt")) == ["app==1.0", "base==2.0"]


def test_a_requirement_is_relaxed(tool: Tool) -> None:
    wants(tool, "base", "base>=3")
    assert failed(tool) == "relax base>=3 (in.txt:2)"


def test_a_name_that_no_index_has_is_told_with_the_option(tool: Tool) -> None:
    wants(tool, "bsae")
    assert "spelling of bsae" in failed(tool) and "--index-url" in failed(tool)


def test_an_install_gives_the_same_hint(tool: Tool, target: Target) -> None:
    result = tool.install(target, "early>1", "--prerelease", "disallow")
    assert result.code == 1 and target.installed() == set()
    words = first_options(next(line for line in result.err.splitlines() if line.startswith("hint: ")))
    assert tool.install(target, "early>1", "--prerelease", "disallow", *words).code == 0
    assert target.installed() == {"early-2.0b1"}


@pytest.mark.parametrize("status", [500, 503])
def test_a_page_that_cannot_be_had_is_named_with_what_to_do(tool: Tool, index: Index, status: int) -> None:
    wants(tool, "app")
    index.fault("/simple/base/", Fault(status=status))
    result = tool.compile("in.txt", "--retries", "0")
    assert result.code == 1 and result.out == ""
    assert f"/base/: HTTP {status}" in result.err and "hint: the server fails: run it again" in result.err, result.err
    assert "cannot be installed" not in result.err
    index.heal()
    assert pins(tool.compile("in.txt")) == ["app==1.0", "base==2.0"]


def test_a_page_that_is_damaged_is_named_with_what_to_do(tool: Tool, index: Index) -> None:
    wants(tool, "app")
    index.fault("/simple/app/", Fault(body=b"{"))
    result = tool.compile("in.txt")
    assert result.code == 1 and "/simple/app/ is not a project page" in result.err
    assert "hint: run it again" in result.err and "--index-url" in result.err


def test_a_metadata_file_that_is_another_than_was_promised_is_told_and_the_wheel_is_read(
    tool: Tool, index: Index
) -> None:
    wheel = make_wheel("beside", "1.0", requires=["base<2"])
    index.add(wheel, **{"core-metadata": {"sha256": "0" * 64}})
    index.fault(f"/files/{wheel.filename}.metadata", Fault(status=200, body=b"Metadata-Version: 2.1\n"))
    wants(tool, "beside")
    result = tool.compile("in.txt")
    assert pins(result) == ["base==1.0", "beside==1.0"]
    assert f"warning: {index.url.removesuffix('simple/')}files/{wheel.filename}.metadata is not" in result.err


def test_metadata_that_cannot_be_had_are_named_with_what_to_do(tool: Tool, index: Index) -> None:
    wheel = make_wheel("beside", "1.0")
    index.add(wheel, **{"core-metadata": True})
    index.fault(f"/files/{wheel.filename}.metadata", Fault(status=500))
    wants(tool, "beside")
    result = tool.compile("in.txt", "--retries", "0")
    assert result.code == 1 and f"{wheel.filename}.metadata: HTTP 500" in result.err
    assert "hint: the server fails: run it again" in result.err


def test_what_is_told_is_whole(tool: Tool) -> None:
    wants(tool, "app", "base<2")
    result = tool.compile("in.txt")
    assert result.code == 1 and result.err.splitlines() == [
        "error: app (in.txt:1) and base<2 (in.txt:2) cannot be installed together",
        "    app 1.0 depends on base>=2",
        "hint: relax base<2 (in.txt:2)",
    ]
