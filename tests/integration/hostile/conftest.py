"""What tests of hostile input share: a ground with decoys, and the oracle that judges a run on it."""

from pathlib import Path

import pytest

from tests.support.index import Index
from tests.support.oracle import NEW, OLD, Ground, Oracle
from tests.support.tool import Target, Tool


@pytest.fixture(scope="session")
def used(tmp_path_factory: pytest.TempPathFactory, pristine: Target) -> Target:
    """An environment with one distribution; grounds copy it."""
    folder = tmp_path_factory.mktemp("used")
    target = pristine.copy_to(folder / "env")
    index = Index()
    index.add(OLD)
    tool = Tool(folder, index.url)
    result = tool.sync(tool.write_lock(OLD.pin), target, options=["--link-mode", "copy"])
    index.close()
    assert result.code == 0, result.err
    return target


@pytest.fixture(scope="module")
def refusing_ground(tmp_path_factory: pytest.TempPathFactory, used: Target) -> Ground:
    """The ground of all runs of a module that must change nothing, which each of them proves."""
    return Ground(tmp_path_factory.mktemp("refusing"), used)


@pytest.fixture
def refusing(tool: Tool, index: Index, refusing_ground: Ground) -> Oracle:
    """Judges runs that must fail."""
    index.add(OLD, NEW)
    return Oracle(tool, index, refusing_ground)


@pytest.fixture
def accepting(tool: Tool, index: Index, tmp_path: Path, used: Target) -> Oracle:
    """Judges runs that must succeed."""
    index.add(OLD, NEW)
    folder = tmp_path / "ground"
    folder.mkdir()
    return Oracle(tool, index, Ground(folder, used))
