"""pylock.toml: wheels come from where the lock says, no index is asked, and the lock is for whom it says."""

import json
from pathlib import Path

import pytest

from tests.integration.test_locks import serve, sync
from tests.support.index import Index
from tests.support.tool import Target, Tool
from tests.support.wheels import Wheel, make_wheel

ONE, TWO, THREE = (make_wheel(name, "1.0", {f"{name}.py": ""}) for name in ("one", "two", "three"))
HEAD = 'lock-version = "1.0"\ncreated-by = "somebody"\n'


def wheel(wheel: Wheel, place: str, *, size: int | None = None) -> str:
    """Returns the table of a wheel; `place` is `url = …` or `path = …`."""
    size = len(wheel.content) if size is None else size
    return f'{{ name = "{wheel.filename}", {place}, size = {size}, hashes = {{ sha256 = "{wheel.sha256}" }} }}'


def package(name: str, *wheels: str, more: str = "") -> str:
    return f'[[packages]]\nname = "{name}"\nversion = "1.0"\n{more}\nwheels = [{", ".join(wheels)}]\n'


def write(tool: Tool, *packages: str, head: str = HEAD, name: str = "pylock.toml") -> Path:
    path = tool.folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(head + "\n".join(packages))
    return path


def at(index: Index, *wheels: Wheel) -> list[str]:
    """Serves wheels outside the index; returns how a lock names them."""
    return [f'url = "{serve(index, f"/locked/{one.filename}", one.content)}"' for one in wheels]


@pytest.mark.parametrize("name", ["pylock.toml", "pylock.dev.toml"])
def test_the_wheels_that_the_lock_names_are_installed_without_any_index(
    name: str, tool: Tool, index: Index, target: Target
) -> None:
    places = at(index, ONE, TWO)
    lock = write(tool, package("one", wheel(ONE, places[0])), package("two", wheel(TWO, places[1])), name=name)
    result = tool.sync(lock, target, options=["-v"])
    assert result.code == 0, result.err
    assert target.installed() == {"one-1.0", "two-1.0"}
    assert sorted(index.requests) == [f"/locked/{ONE.filename}", f"/locked/{TWO.filename}"]
    assert not (target.site / "one-1.0.dist-info" / "direct_url.json").exists()
    assert "created by somebody" in result.err
    again = tool.sync(lock, target, options=["--offline"])
    assert again.code == 0 and "Nothing to do" in again.err


def test_the_best_wheel_for_the_environment_is_taken(tool: Tool, index: Index, target: Target) -> None:
    foreign = make_wheel("one", "1.0", tag="cp27-cp27m-win32")
    exact = make_wheel("one", "1.0", {"one.py": "EXACT = 1\n"}, tag="py3-none-any", build="9")
    plain = make_wheel("one", "1.0", {"one.py": ""}, tag="py2.py3-none-any")
    wheels = [
        wheel(one, place) for one, place in zip((foreign, plain, exact), at(index, foreign, plain, exact), strict=True)
    ]
    assert tool.sync(write(tool, package("one", *wheels)), target).code == 0
    assert f"/locked/{foreign.filename}" not in index.requests


def test_paths_start_from_the_folder_of_the_lock_and_may_leave_it(tool: Tool, target: Target) -> None:
    (tool.folder / "wheels").mkdir()
    (tool.folder / "wheels" / ONE.filename).write_bytes(ONE.content)
    (tool.folder / TWO.filename).write_bytes(TWO.content)
    lock = write(
        tool,
        package("one", wheel(ONE, f'path = "../wheels/{ONE.filename}"')),
        package("two", wheel(TWO, f"path = '{tool.folder / TWO.filename}'")),
        name="locks/pylock.toml",
    )
    result = tool.sync(lock, target, options=["--offline"])
    assert result.code == 0, result.err
    assert target.installed() == {"one-1.0", "two-1.0"}


def test_a_lock_from_the_network_has_its_wheels_below_its_folder(tool: Tool, index: Index, target: Target) -> None:
    serve(index, f"/locks/wheels/{ONE.filename}", ONE.content)
    body = HEAD + package("one", wheel(ONE, f'path = "wheels/x/../{ONE.filename}"'))
    result = sync(tool, [serve(index, "/locks/pylock.toml", body.encode())], target)
    assert result.code == 0, result.err
    assert target.installed() == {"one-1.0"}


def test_extras_and_groups_are_chosen(tool: Tool, index: Index, target: Target) -> None:
    places = at(index, ONE, TWO, THREE)
    lock = write(
        tool,
        package("one", wheel(ONE, places[0]), more="marker = \"'Fancy' in extras\""),
        package("two", wheel(TWO, places[1]), more="marker = \"'dev' in dependency_groups\""),
        package("three", wheel(THREE, places[2]), more="marker = \"'main' in dependency_groups\""),
        head=HEAD + 'extras = ["fancy"]\ndependency-groups = ["dev", "main"]\ndefault-groups = ["main"]\n',
    )
    expected: dict[tuple[str, ...], set[str]] = {
        (): {"three"},
        ("--extra", "FANCY"): {"one", "three"},
        ("--all-extras", "--no-default-groups"): {"one"},
        ("--group", "dev"): {"two", "three"},
        ("--group", "dev", "--no-default-groups"): {"two"},
        ("--all-groups",): {"two", "three"},
        ("--all-groups", "--all-extras"): {"one", "two", "three"},
        ("--no-default-groups",): set(),
    }
    for options, names in expected.items():
        result = tool.sync(lock, target, options=options)
        assert result.code == 0, result.err
        assert target.installed() == {f"{name}-1.0" for name in names}, options
    for options in (("--extra", "plain"), ("--group", "test")):
        result = tool.sync(lock, target, options=options)
        assert result.code == 2 and options[1] in result.err and "it has" in result.err
    result = tool.sync(tool.write_lock("one==1.0"), target, options=["--extra", "fancy"])
    assert result.code == 2 and "pylock.toml" in result.err


def test_an_archive_that_is_a_wheel_says_where_it_came_from(tool: Tool, index: Index, target: Target) -> None:
    url = serve(index, f"/locked/{ONE.filename}", ONE.content)
    archive = f'archive = {{ url = "{url}", hashes = {{ sha256 = "{ONE.sha256}" }} }}'
    lock = write(tool, f'[[packages]]\nname = "one"\n{archive}\n')
    for _ in range(2):
        result = tool.sync(lock, target)
        assert result.code == 0, result.err
    assert "Nothing to do" in result.err
    found = json.loads((target.site / "one-1.0.dist-info" / "direct_url.json").read_text())
    assert found["url"] == url and found["archive_info"]["hashes"] == {"sha256": ONE.sha256}


def test_what_this_version_does_not_know_is_a_warning(tool: Tool, index: Index, target: Target) -> None:
    lock = write(
        tool,
        package("one", wheel(ONE, *at(index, ONE)).replace("{ name", "{ novelty = 1, name"), more="color = 1"),
        head=HEAD.replace("1.0", "1.7") + "shape = 1\n",
    )
    result = tool.sync(lock, target)
    assert result.code == 0, result.err
    assert "warning: " in result.err and "1.7" in result.err
    assert "shape, packages[0].color, packages[0].wheels[0].novelty" in result.err
    assert target.installed() == {"one-1.0"}


def test_attestations_tools_and_dependencies_are_left_aside(tool: Tool, index: Index, target: Target) -> None:
    more = (
        'dependencies = [{ name = "absent" }]\nattestation-identities = [{ kind = "GitHub" }]\n[packages.tool]\nx = 1\n'
    )
    lock = write(tool, package("one", wheel(ONE, *at(index, ONE))) + more)
    result = tool.sync(lock, target)
    assert result.code == 0 and "warning" not in result.err, result.err


def test_a_lock_that_pins_nothing_here_says_so(tool: Tool, index: Index, target: Target) -> None:
    lock = write(tool, package("one", wheel(ONE, *at(index, ONE)), more="marker = \"python_version < '3'\""))
    result = tool.sync(lock, target)
    assert result.code == 0 and "pins nothing that applies" in result.err


def test_a_pylock_and_a_requirements_file_are_one_lock(tool: Tool, index: Index, target: Target) -> None:
    index.add(TWO)
    lock = write(tool, package("one", wheel(ONE, *at(index, ONE))))
    assert sync(tool, [lock, tool.write_lock("two==1.0", "one==1.0")], target).code == 0
    assert target.installed() == {"one-1.0", "two-1.0"} and "/simple/one/" not in index.requests
    result = sync(tool, [lock, tool.write_lock("one==2.0")], target)
    assert result.code == 2 and "pylock.toml:3" in result.err and "lock.txt:1" in result.err


@pytest.mark.parametrize(
    "text",
    [
        "lock-version = '1.0'\ncreated-by = 'x'\nenvironments = [\"'a' == 'b'\"]\npackages = []\n",
        "lock-version = '1.0'\ncreated-by = 'x'\n[[packages]]\nname = 'a'\nversion = '1'\nmarker = \"'a' == 'b'\"\n",
        f"lock-version = '1.0'\ncreated-by = 'x'\npackages = []\nx = {'1' * 5000}\n",
    ],
)
def test_what_nobody_can_compare_or_count_is_told(tool: Tool, target: Target, text: str) -> None:
    lock = tool.folder / "pylock.toml"
    lock.write_text(text, encoding="utf-8")
    result = tool.sync(lock, target, options=["--offline"])
    assert result.code == 2 and "pylock.toml:" in result.err and "Traceback" not in result.err


def test_a_file_with_another_name_is_no_pylock(tool: Tool, index: Index, target: Target) -> None:
    lock = write(tool, package("one", wheel(ONE, *at(index, ONE))), name="pylock.a.b.toml")
    result = tool.sync(lock, target)
    assert result.code == 2 and "pylock.NAME.toml" in result.err


@pytest.mark.parametrize("wrong", ["size", "hash"])
def test_a_file_that_is_not_as_the_lock_says_names_the_lock_and_the_line(
    wrong: str, tool: Tool, index: Index, target: Target
) -> None:
    table = wheel(ONE, *at(index, ONE), size=len(ONE.content) - (wrong == "size"))
    if wrong == "hash":
        table = table.replace(ONE.sha256, "0" * 64)
    result = tool.sync(write(tool, package("one", table)), target)
    assert result.code == 1 and "pylock.toml:3: " in result.err and "the lock promised" in result.err, result.err
    assert target.installed() == set()


@pytest.mark.parametrize(
    ("options", "refused"),
    [
        (["--no-binary", "one"], True),
        (["--no-binary", ":all:"], True),
        (["--no-binary", ":all:", "--only-binary", "one"], False),
        (["--no-binary", "two"], False),
        (["--only-binary", ":all:"], False),
    ],
)
def test_forbidden_wheels_are_refused_though_the_lock_names_them(
    options: list[str], refused: bool, tool: Tool, index: Index, target: Target
) -> None:
    result = tool.sync(write(tool, package("one", wheel(ONE, *at(index, ONE)))), target, options=options)
    assert target.installed() == (set() if refused else {"one-1.0"}), result.err
    if refused:
        assert result.code == 1 and "pylock.toml:3: one cannot be installed: --no-binary forbids" in result.err
        assert index.requests == []
