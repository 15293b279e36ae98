"""The examples of the documentation and of `docker/` are readable, and name what there is."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.arguments import parse_arguments
from tests.support.tool import ROOT

CI = ROOT / "docs" / "ci.md"
COMPOSE = ROOT / "docker" / "compose.yaml"
#: How engine is called in them.
CALLS = re.compile(r"(?:^|[\s/])engine(?:\.pyz)? ((?:sync|cache|install|compile|lock)\b[^#\n]*)")


def examples() -> list[Any]:
    return [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", CI.read_text(encoding="utf-8"), re.S)]


def texts(value: object) -> Iterator[str]:
    """Returns all texts in what was read from YAML."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def calls(text: str) -> list[list[str]]:
    return [shlex.split(call) for call in CALLS.findall(text.replace("\\\n", " "))]


def test_the_examples_keep_a_cache_by_the_lock_and_prune_it() -> None:
    actions, pipeline = examples()
    steps = actions["jobs"]["tests"]["steps"]
    cache = next(step["with"] for step in steps if step.get("uses", "").startswith("actions/cache@"))
    assert "hashFiles('requirements.txt')" in cache["key"]
    assert actions["jobs"]["tests"]["env"]["ENGINE_CACHE_DIR"].endswith(cache["path"])
    assert pipeline["tests"]["cache"]["key"]["files"] == ["requirements.txt"]
    assert pipeline["tests"]["variables"]["ENGINE_CACHE_DIR"].endswith(pipeline["tests"]["cache"]["paths"][0])
    for example in (actions, pipeline):
        assert ["cache", "prune", "--ci"] in [call for text in texts(example) for call in calls(text)]


@pytest.mark.parametrize(
    "path", [CI, ROOT / "docs" / "containers.md", ROOT / "docker" / "example" / "Dockerfile"], ids=str
)
def test_every_command_and_option_is_one_of_engines(path: Path) -> None:
    found = calls(path.read_text(encoding="utf-8"))
    assert found
    for call in found:
        parse_arguments(call)


def test_the_compose_file_builds_what_is_there_and_syncs_what_the_index_has() -> None:
    services = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
    assert (COMPOSE.parent / services["index"]["build"] / "Dockerfile").exists()
    build = services["sync"]["build"]
    assert (COMPOSE.parent / build["context"] / build["dockerfile"]).exists()
    parse_arguments(services["sync"]["command"])
    lock = COMPOSE.parent / services["sync"]["volumes"][0].partition(":")[0]
    assert lock.exists() and services["sync"]["environment"]["ENGINE_INDEX_URL"] == "http://index:8000/simple/"
