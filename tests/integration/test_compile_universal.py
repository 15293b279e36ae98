"""`compile --universal` as a user runs it: one file for every platform and a range of Pythons."""

import sys

import pytest

from tests.support.index import Index
from tests.support.tool import Target, Tool
from tests.support.wheels import make_wheel

HERE, ELSEWHERE = ("linux", "win32") if sys.platform == "linux" else (sys.platform, "linux")


@pytest.fixture(autouse=True)
def projects(index: Index) -> None:
    """`app` needs other things elsewhere; `newer` has left old Pythons behind, `tagged` has wheels for each."""
    bounds = [f'base<2; sys_platform == "{ELSEWHERE}"', f'base>1; sys_platform != "{ELSEWHERE}"']
    index.add(
        make_wheel("app", "1.0", requires=bounds),
        make_wheel("base", "1.0"),
        make_wheel("base", "2.0"),
        make_wheel("newer", "1.0", requires_python=">=3.8"),
        make_wheel("newer", "2.0", requires_python=">=3.10", requires=['base; python_version < "3.12"']),
        make_wheel("tagged", "1.0", tag="cp36-cp36m-win32"),
        make_wheel("tagged", "1.0", tag="cp310-cp310-win_amd64"),
        make_wheel("tagged", "1.0"),
        make_wheel("gone", "1.0", tag="cp36-cp36m-win32"),
    )


def pins(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]


def test_one_file_says_what_is_needed_where(tool: Tool, target: Target) -> None:
    wanted, lock = tool.write_lock("app", "newer", name="requirements.in"), tool.folder / "lock.txt"
    result = tool.compile(str(wanted), "--universal", "--python-version", "3.9", "-o", str(lock))
    assert result.code == 0, result.err
    assert pins(result.out) == [
        "app==1.0",
        f"base==1.0 ; sys_platform == '{ELSEWHERE}'",
        f"base==2.0 ; sys_platform != '{ELSEWHERE}'",
        "newer==1.0 ; python_version < '3.10'",
        "newer==2.0 ; python_version >= '3.10'",
    ]
    assert tool.sync(lock, target).code == 0
    assert target.installed() == {"app-1.0", "base-2.0", "newer-2.0"}


def test_a_pylock_for_every_platform_is_synced_by_its_markers(tool: Tool, index: Index, target: Target) -> None:
    wanted, lock = tool.write_lock("app", "newer", "tagged", name="requirements.in"), tool.folder / "pylock.toml"
    result = tool.compile(str(wanted), "--universal", "--python-version", "3.9", "-o", str(lock))
    assert result.code == 0, result.err
    text = lock.read_text()
    assert 'requires-python = ">=3.9"' in text and "cp310-cp310-win_amd64" in text and "cp36" not in text
    index.requests.clear()
    assert tool.sync(lock, target).code == 0
    assert target.installed() == {"app-1.0", "base-2.0", "newer-2.0", "tagged-1.0"}
    assert all(path.startswith("/files/") for path in index.requests)


def test_the_projects_pythons_are_the_range_and_fewest_takes_one_version_for_all(tool: Tool) -> None:
    path = tool.folder / "pyproject.toml"
    path.write_text('[project]\nname = "mine"\nversion = "1"\nrequires-python = ">=3.8"\ndependencies = ["newer"]\n')
    assert pins(tool.compile(str(path), "--universal").out)[-1] == "newer==2.0 ; python_version >= '3.10'"
    assert pins(tool.compile(str(path), "--universal", "--fork-strategy", "fewest").out) == ["newer==1.0"]
    path.write_text(path.read_text().replace(">=3.8", ">=3.12"))
    assert pins(tool.compile(str(path), "--universal").out) == ["newer==2.0"]


def test_what_the_output_pins_somewhere_is_kept_there(tool: Tool) -> None:
    wanted, lock = tool.write_lock("base", "newer", name="requirements.in"), tool.folder / "lock.txt"
    lock.write_text("base==1.0 ; python_version < '3.10'\nbase==2.0 ; python_version >= '3.10'\n")
    command = (str(wanted), "--universal", "--python-version", "3.8", "-o", str(lock))
    assert pins(tool.compile(*command).out)[:2] == [
        "base==1.0 ; python_version < '3.10'",
        "base==2.0 ; python_version >= '3.10'",
    ]
    before = lock.read_bytes()
    assert tool.compile(*command, "--check").code == 0
    assert pins(tool.compile(*command, "-P", "base").out)[0] == "base==2.0"
    assert lock.read_bytes() != before


@pytest.mark.parametrize(
    ("lines", "options", "code", "said"),
    [
        (("app",), ("--python-platform", "linux"), 2, "--universal"),
        (("app",), ("--python-version", "three"), 2, "--python-version"),
        (("gone",), ("--python-version", "3.9"), 1, "gone"),
        ((f"base>1; sys_platform == '{ELSEWHERE}'", "app"), (), 1, f"where sys_platform == '{ELSEWHERE}'"),
    ],
)
def test_what_cannot_be_is_told(
    lines: tuple[str, ...], options: tuple[str, ...], code: int, said: str, tool: Tool
) -> None:
    result = tool.compile(str(tool.write_lock(*lines, name="requirements.in")), "--universal", *options)
    assert result.code == code and said in result.err.replace('"', "'"), result.err
