"""Options of `compile` that users of uv and pip-tools know."""

import pytest

from tests.support.index import Index
from tests.support.tool import Target, Tool
from tests.support.wheels import make_wheel


@pytest.fixture(autouse=True)
def projects(index: Index) -> None:
    """`app` needs `base`; both have a pre-release, and `other` has one too."""
    for version in ("1.0", "2.0", "3.0", "4.0b1"):
        index.add(make_wheel("base", version), make_wheel("app", version, requires=["base"]))
    index.add(make_wheel("other", "1.0"), make_wheel("other", "2.0b1"))


def pins(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]


def compiled(tool: Tool, *words: str, wanted: tuple[str, ...] = ("app",)) -> list[str]:
    result = tool.compile(str(tool.write_lock(*wanted, name="in.txt")), *words)
    assert result.code == 0, result.err
    return pins(result.out)


def test_without_dependencies_only_what_is_named_is_locked(tool: Tool) -> None:
    assert compiled(tool, "--no-deps") == ["app==3.0"]
    assert compiled(tool, "--no-deps", "--universal") == ["app==3.0"]
    assert compiled(tool, "--no-deps", "--deps") == ["app==3.0", "base==3.0"]


def test_one_project_has_a_mode_of_pre_releases_of_its_own(tool: Tool, target: Target) -> None:
    wanted = ("app", "other")
    allowed = ("--prerelease-package", "base=allow")
    assert compiled(tool, *allowed, wanted=wanted) == ["app==3.0", "base==4.0b1", "other==1.0"]
    assert compiled(tool, "--pre", "--prerelease-package", "base=disallow") == ["app==4.0b1", "base==3.0"]
    assert compiled(tool, "--universal", *allowed) == ["app==3.0", "base==4.0b1"]
    (tool.folder / "engine.toml").write_text('prerelease-package = ["app=allow"]\n')
    assert compiled(tool) == ["app==4.0b1", "base==3.0"]
    result = tool.install(target, "app", *allowed)
    assert result.code == 0 and target.installed() == {"app-4.0b1", "base-4.0b1"}, result.err
    (tool.folder / "engine.toml").write_text('prerelease-package = ["app=maybe"]\n')
    assert "engine.toml:1" in tool.compile("in.txt").err


@pytest.mark.parametrize("universal", [(), ("--universal",)])
def test_an_upgrade_may_be_bounded(tool: Tool, universal: tuple[str, ...]) -> None:
    output = tool.folder / "out.txt"
    output.write_text("app==1.0\nbase==1.0\n")
    words = ("-o", str(output), "--dry-run", *universal)
    assert compiled(tool, *words, "-P", "base<3") == ["app==1.0", "base==2.0"]
    assert compiled(tool, *words, "--upgrade-package=base", "-P", "App!=3.0") == ["app==2.0", "base==3.0"]
    failed = tool.compile("in.txt", *words, "-P", "base>4")
    assert failed.code == 1 and "base>4 (--upgrade-package)" in failed.err


def test_a_bounded_upgrade_asks_for_the_page_anew(tool: Tool, index: Index) -> None:
    output = tool.folder / "out.txt"
    assert compiled(tool, "-o", str(output)) == ["app==3.0", "base==3.0"]
    index.requests.clear()
    compiled(tool, "-o", str(output), "-P", "base<4")
    assert index.requests == ["/simple/base/"]


def test_an_install_may_bound_an_upgrade_too(tool: Tool, target: Target) -> None:
    assert tool.install(target, "app==1", "base==1").code == 0
    assert tool.install(target, "app", "-P", "base<3").code == 0
    assert target.installed() == {"app-1.0", "base-2.0"}


def test_what_a_setting_asks_for_can_be_taken_back(tool: Tool) -> None:
    (tool.folder / "engine.toml").write_text("no-header = true\nno-annotate = true\ngenerate-hashes = true\n")
    tool.write_lock("app", name="in.txt")
    assert tool.compile("in.txt").out.count("--hash") == 2
    out = tool.compile("in.txt", "--header", "--annotate", "--no-generate-hashes", "--strip-extras").out
    assert "--hash" not in out and "# via" in out and out.startswith("# This file")


@pytest.mark.parametrize(
    "words", [("--no-emit-index-url",), ("--allow-unsafe",), ("--no-reuse-hashes",), ("--no-upgrade",)]
)
def test_what_is_so_anyway_may_be_said(tool: Tool, words: tuple[str, ...]) -> None:
    assert compiled(tool, *words) == ["app==3.0", "base==3.0"]


def test_the_format_has_two_names(tool: Tool) -> None:
    assert any("lock-version" in line for line in compiled(tool, "--format", "pylock.toml"))


@pytest.mark.parametrize(
    "line",
    [
        "-e ./folder",
        "./folder",
        "./one-1.0.tar.gz",
        "one @ git+https://example.com/one.git",
        "one @ file:///one-1.0.zip",
    ],
)
def test_what_would_have_to_be_built_is_refused_by_its_line(tool: Tool, target: Target, line: str) -> None:
    path = tool.write_lock("# a remark", "app", line, name="in.txt")
    words = line.split(" ", 1) if line.startswith("-e") else [line]
    for result in (
        tool.compile(str(path)),
        tool.install(target, "-r", str(path)),
        tool.install(target, *words),
    ):
        assert result.code == 2 and "so far" in result.err
        assert "hint: name a wheel of it" in result.err, result.err
    assert "in.txt:3: " in tool.compile(str(path)).err
    assert target.installed() == set()


def test_a_project_is_resolved_for_a_python_that_it_is_for(tool: Tool) -> None:
    (tool.folder / "pyproject.toml").write_text(
        '[project]\nname = "mine"\nversion = "1"\nrequires-python = ">=3.9,<3.40"\ndependencies = ["app"]\n'
    )
    failed = tool.compile("pyproject.toml", "--python-version", "3.8")
    assert failed.code == 1 and "pyproject.toml:4: the project is for Python" in failed.err
    words = ("--python-version", "3.9")
    assert f"hint: {' '.join(words)} " in failed.err
    assert pins(tool.compile("pyproject.toml", *words).out) == ["app==3.0", "base==3.0"]
    lock = tool.compile("pyproject.toml", "-o", "pylock.toml", *words).out
    assert 'requires-python = "<3.40,>=3.9"' in lock
    (tool.folder / "pyproject.toml").unlink()
    (tool.folder / "setup.cfg").write_text("[metadata]\nname = mine\n[options]\npython_requires = >=3.41\n")
    assert "setup.cfg:4" in tool.compile("setup.cfg", *words).err
