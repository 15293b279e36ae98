"""The examples of the documentation and of `docker/` are readable, and name what there is."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.arguments import parse_arguments
from engine.settings.variables import unknown_variables
from tests.support.tool import ROOT

CI = ROOT / "docs" / "ci.md"
COMPOSE = ROOT / "docker" / "compose.yaml"
#: How engine is called in them.
CALLS = re.compile(r"(?:^|[\s/`])engine(?:\.pyz)? ((?:sync|cache|install|compile|lock)\b[^#`|\n]*)")


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
    """Returns the words behind the name of the program, an expression of GitHub's as one word."""
    text = re.sub(r"\$\{\{.*?\}\}", "3.12", text.replace("\\\n", " "))
    return [shlex.split(call) for call in CALLS.findall(text)]


def test_the_examples_keep_a_cache_by_the_lock_and_prune_it() -> None:
    actions, pipeline = examples()
    steps = actions["jobs"]["tests"]["steps"]
    cache = next(step["with"] for step in steps if step.get("uses", "").startswith("actions/cache@"))
    assert "hashFiles('requirements.txt')" in cache["key"]
    assert actions["jobs"]["tests"]["env"]["ENGINE_CACHE_DIR"].endswith(cache["path"])
    assert cache["key"].startswith(cache["restore-keys"])
    assert pipeline["tests"]["cache"]["key"]["files"] == ["requirements.txt"]
    assert not set("/$") & set(pipeline["tests"]["cache"]["key"]["prefix"]), (
        "GitLab refuses slashes, whoever brings them"
    )
    assert pipeline["tests"]["variables"]["ENGINE_CACHE_DIR"].endswith(pipeline["tests"]["cache"]["paths"][0])
    for example in (actions, pipeline):
        assert ["cache", "prune", "--ci"] in [call for text in texts(example) for call in calls(text)]


def test_the_variables_of_the_examples_are_read_by_somebody() -> None:
    actions, pipeline = examples()
    services = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
    for environ in (actions["jobs"]["tests"]["env"], pipeline["tests"]["variables"], services["sync"]["environment"]):
        assert any(name.startswith("ENGINE_") for name in environ) and unknown_variables(environ) == []


def test_what_is_downloaded_is_compared_with_its_hash_before_it_runs() -> None:
    for example in examples():
        lines = [line for text in texts(example) for line in text.splitlines()]
        check = next(number for number, line in enumerate(lines) if "sha256sum --check" in line)
        assert check < next(number for number, line in enumerate(lines) if re.search(r"engine\.pyz (sync|cache)", line))


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
