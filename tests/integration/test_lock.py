"""`lock` and `sync` without a lock's name, as a user runs them in the folder of a project."""

import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.index import Index
from tests.support.tool import Result, Target, Tool
from tests.support.wheels import make_wheel

HERE, ELSEWHERE = ("linux", "win32") if sys.platform == "linux" else (sys.platform, "linux")
PYPROJECT = f"""\
[project]
name = "mine"
version = "1"
requires-python = ">=3.9"
dependencies = ["app", "winner; sys_platform == '{ELSEWHERE}'"]

[project.optional-dependencies]
web = ["server"]
all = ["mine[web]", "extra-thing"]

[dependency-groups]
dev = ["checker", {{include-group = "lint"}}]
lint = ["linter"]
docs = ["writer", "mine[web]"]
"""


@pytest.fixture(autouse=True)
def project(index: Index, tool: Tool) -> Path:
    index.add(
        make_wheel("app", "1.0", requires=["base"]),
        make_wheel("app", "2.0", requires=["base"], requires_python=">=3.11"),
        *(make_wheel(name, "1.0") for name in ("base", "winner", "server", "checker", "writer", "extra-thing")),
        make_wheel("linter", "1.0", requires=["base<2"]),
    )
    path = tool.folder / "pyproject.toml"
    path.write_text(PYPROJECT)
    return path


class Project:
    """The folder, and commands in it."""

    def __init__(self, tool: Tool) -> None:
        self._tool = tool
        self.lock_file = tool.folder / "pylock.toml"

    def lock(self, *words: str) -> Result:
        return self._run("lock", *words)

    def sync(self, target: Target, *words: str) -> Result:
        return self._run("sync", *words, "--python", str(target.prefix))

    def _run(self, *words: str) -> Result:
        places = ("--cache-dir", str(self._tool.cache), "--index-url", self._tool.index_url)
        return self._tool.run(sys.executable, "-m", "cli", *words, *places)

    def pins(self) -> dict[str, str | None]:
        packages = tomllib.loads(self.lock_file.read_text())["packages"]
        return {f"{one['name']}=={one['version']}": one.get("marker") for one in packages}


@pytest.fixture
def here(tool: Tool) -> Project:
    return Project(tool)


def test_a_lock_has_every_part_of_the_project_for_every_platform(here: Project) -> None:
    result = here.lock()
    assert result.code == 0 and result.out == "" and "Locked 9 distributions in pylock.toml" in result.err, result.err
    lock = tomllib.loads(here.lock_file.read_text())
    assert (lock["requires-python"], lock["extras"], lock["default-groups"]) == (">=3.9", ["all", "web"], ["dev"])
    assert lock["dependency-groups"] == ["dev", "docs", "lint"]
    assert here.pins() == {
        "app==1.0": "python_version < '3.11'",
        "app==2.0": "python_version >= '3.11'",
        "base==1.0": None,
        "checker==1.0": "'dev' in dependency_groups",
        "extra-thing==1.0": "'all' in extras",
        "linter==1.0": "'dev' in dependency_groups or 'lint' in dependency_groups",
        "server==1.0": "'all' in extras or 'web' in extras or 'docs' in dependency_groups",
        "winner==1.0": f"sys_platform == '{ELSEWHERE}'",
        "writer==1.0": "'docs' in dependency_groups",
    }


def test_a_sync_without_a_name_takes_the_lock_here_with_the_parts_that_are_asked_for(
    here: Project, index: Index, target: Target
) -> None:
    app = "app-2.0" if sys.version_info >= (3, 11) else "app-1.0"
    assert here.lock().code == 0
    index.requests.clear()
    result = here.sync(target, "--extra", "web", "--group", "docs")
    assert result.code == 0, result.err
    everything = {app, "base-1.0", "checker-1.0", "linter-1.0", "server-1.0", "writer-1.0"}
    assert target.installed() == everything
    assert all(path.startswith("/files/") for path in index.requests), "no page is asked for"
    assert here.sync(target, "--no-default-groups").code == 0
    assert target.installed() == {app, "base-1.0"}
    assert here.sync(target, "--all-extras", "--all-groups").code == 0
    assert target.installed() == everything | {"extra_thing-1.0"}


def test_a_sync_without_a_name_and_without_a_lock_says_how_to_get_one(
    here: Project, target: Target, project: Path
) -> None:
    result = here.sync(target)
    assert result.code == 2 and "no pylock.toml here" in result.err and "engine lock" in result.err
    project.unlink()
    result = here.sync(target)
    assert result.code == 2 and "requirements.txt" in result.err and "engine lock" not in result.err


def test_what_the_lock_says_stays_until_it_is_to_be_upgraded(here: Project, index: Index) -> None:
    assert here.lock().code == 0
    before = here.lock_file.read_bytes()
    index.add(*(make_wheel(name, "1.5") for name in ("base", "server")))
    result = here.lock()
    assert result.code == 0 and "Nothing to do" in result.err and here.lock_file.read_bytes() == before
    result = here.lock("-P", "server", "--dry-run")
    assert " + server==1.5" in result.err and " - server==1.0" in result.err and "base" not in result.err
    assert here.lock_file.read_bytes() == before
    assert here.lock("--upgrade-package", "server").code == 0
    assert {"server==1.5", "base==1.0"} <= here.pins().keys()
    assert here.lock("--upgrade").code == 0 and "base==1.5" in here.pins()


def test_a_wheel_that_is_uploaded_later_comes_with_an_upgrade(here: Project, index: Index) -> None:
    assert here.lock().code == 0
    before = here.lock_file.read_bytes()
    index.add(make_wheel("base", "1.0", tag="cp311-cp311-win_amd64"))
    assert here.lock("--check", "--refresh").code == 0
    assert here.lock("--refresh").code == 0 and here.lock_file.read_bytes() == before
    assert here.lock("--upgrade-package", "base").code == 0 and b"win_amd64" in here.lock_file.read_bytes()


def test_check_tells_whether_the_lock_is_what_the_project_asks_for(here: Project, project: Path) -> None:
    missing = here.lock("--check", "-q")
    assert missing.code == 1 and "pylock.toml is not there" in missing.err and not here.lock_file.exists()
    assert here.lock().code == 0 and here.lock("--check").code == 0
    before = here.lock_file.read_bytes()
    project.write_text(PYPROJECT.replace('"writer"', '"writer", "winner"'))
    result = here.lock("--check")
    assert result.code == 1 and "hint: engine lock" in result.err and here.lock_file.read_bytes() == before
    assert here.lock().code == 0 and here.lock("--check").code == 0


def test_a_lock_without_a_range_of_pythons_says_what_it_is_for(here: Project, project: Path) -> None:
    project.write_text('[project]\nname = "mine"\nversion = "1"\ndependencies = ["base"]\n')
    result = here.lock("--default-group", "dev")
    assert result.code == 2 and "no such dependency group" in result.err
    result = here.lock()
    python = f">={sys.version_info[0]}.{sys.version_info[1]}"
    assert result.code == 0 and f"no requires-python: what is locked is for Python {python}" in result.err
    assert f'requires-python = "{python}"' in here.lock_file.read_text()
    project.unlink()
    assert here.lock().code == 2
