"""`--exclude-newer`: as if nothing had been uploaded since, on the command line, in settings and for an install."""

import shlex

import pytest

from tests.support.index import Index
from tests.support.tool import Target, Tool
from tests.support.wheels import make_wheel


@pytest.fixture(autouse=True)
def projects(index: Index) -> None:
    """Releases of `app` and `base` in January, March and May; `timeless` has no time."""
    for version, month in (("1.0", "01"), ("2.0", "03"), ("3.0", "05")):
        time = {"upload-time": f"2024-{month}-15T12:00:00.000000Z"}
        index.add(make_wheel("app", version, requires=["base"]), **time)
        index.add(make_wheel("base", version), **time)
    index.add(make_wheel("timeless", "1.0"))


def compiled(tool: Tool, *words: str, wanted: str = "app") -> list[str]:
    result = tool.compile(str(tool.write_lock(wanted, name="in.txt")), "--no-header", "--no-annotate", *words)
    assert result.code == 0, result.err
    return result.out.split()


def test_what_was_uploaded_later_does_not_count(tool: Tool) -> None:
    assert compiled(tool) == ["app==3.0", "base==3.0"]
    assert compiled(tool, "--exclude-newer", "2024-03-15") == ["app==2.0", "base==2.0"]
    assert compiled(tool, "--exclude-newer", "2024-03-15T12:00:00Z") == ["app==1.0", "base==1.0"]
    assert compiled(tool, "--exclude-newer", "2024-03-15T12:00:01Z") == ["app==2.0", "base==2.0"]
    assert compiled(tool, "--exclude-newer", "1 week") == ["app==3.0", "base==3.0"]
    assert compiled(tool, "--universal", "--exclude-newer", "2024-03-15") == ["app==2.0", "base==2.0"]


def test_a_project_has_a_limit_of_its_own_or_none(tool: Tool) -> None:
    early = ("--exclude-newer", "2024-02-01")
    assert compiled(tool, *early, "--exclude-newer-package", "base=2024-04-01") == ["app==1.0", "base==2.0"]
    assert compiled(tool, *early, "--exclude-newer-package", "base=false") == ["app==1.0", "base==3.0"]
    assert compiled(tool, "--exclude-newer-package", "app=2024-04-01") == ["app==2.0", "base==3.0"]


def test_what_the_output_pins_is_no_exception(tool: Tool) -> None:
    output = tool.folder / "out.txt"
    output.write_text("app==3.0\nbase==1.0\n")
    words = ("-o", str(output), "--exclude-newer", "2024-04-01")
    assert compiled(tool, *words) == ["app==2.0", "base==1.0"]


def test_files_in_a_folder_were_not_uploaded(tool: Tool) -> None:
    wheel = make_wheel("local", "1.0")
    (tool.folder / wheel.filename).write_bytes(wheel.content)
    words = ("--find-links", str(tool.folder), "--exclude-newer", "2024-01-01")
    assert compiled(tool, *words, wanted="local") == ["local==1.0"]


def test_settings_say_it_too_and_the_nearest_counts(tool: Tool) -> None:
    (tool.folder / "engine.toml").write_text(
        'exclude-newer = "2024-02-01"\nexclude-newer-package = ["base=2024-04-01"]\n'
    )
    assert compiled(tool) == ["app==1.0", "base==2.0"]
    assert compiled(tool, "--exclude-newer", "false", "--exclude-newer-package", "base=false") == [
        "app==3.0",
        "base==3.0",
    ]
    (tool.folder / "engine.toml").write_text('exclude-newer = "2 months"\n')
    result = tool.compile("in.txt")
    assert result.code == 2 and "engine.toml:1" in result.err and "months" in result.err


def test_an_install_has_the_same_limits(tool: Tool, target: Target) -> None:
    words = ("--exclude-newer", "2024-04-01", "--exclude-newer-package", "base=2024-02-01")
    result = tool.install(target, "app", *words)
    assert result.code == 0, result.err
    assert target.installed() == {"app-2.0", "base-1.0"}
    assert tool.install(target, "app>2", *words[:2]).code == 1


def test_what_is_wrong_is_named(tool: Tool) -> None:
    tool.write_lock("app", name="in.txt")
    result = tool.compile("in.txt", "--exclude-newer", "yesterday")
    assert result.code == 2 and '"yesterday"' in result.err and "--exclude-newer" in result.err


@pytest.mark.parametrize(
    ("wanted", "told"), [("app>=3", "app 3.0 was uploaded on 2024-05-15"), ("timeless", "no upload")]
)
def test_the_hint_can_be_followed(tool: Tool, wanted: str, told: str) -> None:
    words = (str(tool.write_lock(wanted, name="in.txt")), "--exclude-newer", "2024-04-01")
    failed = tool.compile(*words)
    assert failed.code == 1 and told in failed.err
    hint = next(line for line in failed.err.splitlines() if line.startswith("hint: "))
    _, option, rest = hint.partition("--exclude-newer-package ")
    assert tool.compile(*words, option.strip(), shlex.split(rest.replace(",", " "))[0]).code == 0, hint
