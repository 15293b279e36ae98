"""What integration tests share: an index, the tool, and environments that are copied, not made."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.index import Index, serving
from tests.support.tool import Target, Tool, clean_environ

NewTarget = Callable[[str], Target]


@pytest.fixture
def index() -> Iterator[Index]:
    """An empty index."""
    with serving() as served:
        yield served


@pytest.fixture
def tool(tmp_path: Path, index: Index) -> Tool:
    """The tool with an empty cache, asking `index`."""
    folder = tmp_path / "tool"
    folder.mkdir()
    return Tool(folder, index.url)


def make_environment(python: str, prefix: Path) -> Target:
    subprocess.run(
        [python, "-m", "venv", "--without-pip", str(prefix)],
        check=True,
        capture_output=True,
        env=clean_environ(prefix.parent),
        timeout=60,
    )
    return Target(prefix)


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Target:
    """A new environment; tests copy it."""
    return make_environment(sys.executable, tmp_path_factory.mktemp("pristine") / "env")


@pytest.fixture
def new_target(tmp_path: Path, pristine: Target) -> NewTarget:
    """Makes empty environments below `tmp_path / "targets"`."""
    return lambda name: pristine.copy_to(tmp_path / "targets" / name)


@pytest.fixture
def target(new_target: NewTarget) -> Target:
    """An empty environment."""
    return new_target("env")
