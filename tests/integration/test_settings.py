"""Settings reach the runs of the tool, and what is wrong with them reaches its user."""

import os
import sys
from pathlib import Path

import pytest

from tests.support.index import Index
from tests.support.tool import Result, Target, Tool
from tests.support.wheels import make_wheel

ONE = make_wheel("one", "1.0")


def sync(tool: Tool, *words: str, cwd: Path | None = None, **environ: str) -> Result:
    """Runs a sync that gets all but its lock from settings, in the folder of the tool."""
    lock = tool.write_lock("one==1.0")
    return tool.run(sys.executable, "-m", "cli", "sync", str(lock), *words, cwd=cwd, environ=environ)


def settings(tool: Tool, target: Target) -> str:
    return f"""
        cache-dir = "{tool.cache}"
        python = ["{target.prefix}"]
        [[index]]
        url = "{tool.index_url}"
        default = true
    """


@pytest.mark.parametrize("place", ["project", "pyproject", "above", "user", "system", "named"])
def test_a_file_says_all_that_a_sync_needs(
    index: Index, tool: Tool, target: Target, tmp_path: Path, place: str
) -> None:
    index.add(ONE)
    here = tool.folder / "here"
    here.mkdir()
    text, environ, words = settings(tool, target), {}, []
    path = here / "engine.toml"
    if place == "pyproject":
        path = here / "pyproject.toml"
        text = '[project]\nname = "x"\n[tool.engine]\n' + text.replace("[[index]]", "[[tool.engine.index]]")
    elif place == "above":
        path = tool.folder / "engine.toml"
    elif place == "user":
        path = tool.folder / ".config" / "engine" / "engine.toml"
    elif place == "system":
        path = tmp_path / "etc" / "engine" / "engine.toml"
        environ = {"XDG_CONFIG_DIRS": str(tmp_path / "etc")}
    elif place == "named":
        path = here / "other.toml"
        words = ["--config-file", "other.toml"]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    run = sync(tool, "-v", *words, cwd=here, **environ)
    assert run.code == 0, run.err
    assert f"settings from {path}" in run.err
    assert target.installed() == {"one-1.0"} and tool.cache.is_dir()
    asked = len(index.requests)
    again = sync(tool, *words, cwd=here, **environ)
    assert again.code == 0 and "Nothing to do" in again.err and len(index.requests) == asked


def test_variables_say_all_that_a_sync_needs(index: Index, tool: Tool, target: Target) -> None:
    index.add(ONE)
    run = sync(tool, ENGINE_CACHE_DIR=str(tool.cache), UV_PYTHON=str(target.prefix), PIP_INDEX_URL=tool.index_url)
    assert run.code == 0, run.err
    assert target.installed() == {"one-1.0"} and tool.cache.is_dir()


def test_all_that_is_wrong_is_told_before_anything_is_done(index: Index, tool: Tool, target: Target) -> None:
    path = tool.folder / "engine.toml"
    path.write_text(settings(tool, target) + "x = 1\n[sources]\none = 1\n", encoding="utf-8")
    run = sync(tool)
    assert run.code == 2 and run.out == ""
    assert run.err.splitlines() == [
        f"error: {path}:7: index[0].x is no setting; allowed here: url, name, default, explicit, format, "
        "ignore-error-codes",
        f'error: {path}:9: sources.one must be a table: {{ index = "NAME" }}',
        "hint: engine sync --help lists the options; each is a setting under its long name",
    ]
    assert not tool.cache.exists() and not index.requests


def test_without_settings_files_what_is_wrong_in_them_is_no_matter(index: Index, tool: Tool, target: Target) -> None:
    index.add(ONE)
    (tool.folder / "engine.toml").write_text("nonsense", encoding="utf-8")
    run = sync(tool, "--no-config", "-p", str(target.prefix), ENGINE_INDEX_URL=index.url)
    assert run.code == 0 and target.installed() == {"one-1.0"}


def test_a_secret_in_a_file_works_and_is_nowhere_else(index: Index, tool: Tool, target: Target) -> None:
    index.add(ONE)
    secret = tool.index_url.replace("://", "://user:hidden-word@")
    (tool.folder / "engine.toml").write_text(settings(tool, target).replace(tool.index_url, secret), encoding="utf-8")
    for _ in range(2):
        run = sync(tool, "-v")
        assert run.code == 0 and "hidden-word" not in run.err
    for root in (tool.cache, target.prefix):
        for folder, _, names in os.walk(root):
            assert not any(b"hidden-word" in Path(folder, name).read_bytes() for name in names)


def test_the_cache_command_finds_the_cache_of_the_settings(tool: Tool) -> None:
    (tool.folder / "engine.toml").write_text("cache-dir = 'there'", encoding="utf-8")
    run = tool.run(sys.executable, "-m", "cli", "cache", "dir")
    assert (run.code, run.out) == (0, f"{tool.folder / 'there'}\n")
    assert not (tool.folder / ".cache").exists()


def test_warnings_about_settings_are_told_unless_only_errors_are_wanted(tool: Tool) -> None:
    (tool.folder / "engine.toml").write_text("")
    (tool.folder / "pyproject.toml").write_text("[tool.engine]\n")
    command = (sys.executable, "-m", "cli", "cache", "dir")
    assert tool.run(*command).err.startswith("warning: ")
    assert tool.run(*command, "-qq").err == ""


def test_what_is_pinned_to_the_default_index_comes_from_it(index: Index, tool: Tool, target: Target) -> None:
    index.add(ONE)
    text = settings(tool, target) + "name = 'corp'\n[sources]\none = { index = 'none' }\n"
    (tool.folder / "engine.toml").write_text(text, encoding="utf-8")
    run = sync(tool)
    assert run.code == 2 and '"none"' in run.err
    (tool.folder / "engine.toml").write_text(text.replace("'none' }", "'corp' }"), encoding="utf-8")
    run = sync(tool)
    assert run.code == 0, run.err
