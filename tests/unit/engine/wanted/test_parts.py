"""Extras and groups of a project as parts that can be chosen."""

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from engine.errors import ConfigurationError
from engine.wanted.model import Wanted
from engine.wanted.parts import default_groups, with_parts
from engine.wanted.project import StaticProject


def wanted(texts: list[str]) -> list[Wanted]:
    return [Wanted(requirement=Requirement(text), where="p:1") for text in texts]


def parts(dependencies: list[str], optional: dict[str, list[str]], groups: dict[str, list[str]]) -> list[str]:
    project = StaticProject(
        name=canonicalize_name("proj"),
        dependencies=wanted(dependencies),
        optional={canonicalize_name(name): wanted(texts) for name, texts in optional.items()},
    )
    needed = {canonicalize_name(name): wanted(texts) for name, texts in groups.items()}
    return [str(one.requirement).replace('"', "'") for one in with_parts(project, needed)]


def test_each_part_asks_for_itself() -> None:
    found = parts(["x"], {"Fast": ["y; os_name == 'nt'"]}, {"dev": ["z"], "docs": ["x<2"]})
    assert found == [
        "x",
        "y; 'fast' in extras and os_name == 'nt'",
        "z; 'dev' in dependency_groups",
        "x<2; 'docs' in dependency_groups",
    ]


def test_parts_that_name_the_project_need_what_its_extras_do() -> None:
    found = parts(["x", "proj[a]; os_name == 'nt'"], {"a": ["y"], "b": ["proj[a]"]}, {"dev": ["Proj[b]", "proj"]})
    assert found == [
        "x",
        "y; os_name == 'nt'",
        "y; 'a' in extras",
        "y; 'b' in extras",
        "y; 'dev' in dependency_groups",
    ]


def test_dev_is_a_default_group_where_there_is_one_and_nobody_names_others() -> None:
    groups = tuple(map(canonicalize_name, ("dev", "docs")))
    assert default_groups(groups, None) == ("dev",)
    assert default_groups(groups[1:], None) == ()
    assert default_groups(groups, ["Docs", "docs"]) == ("docs",)
    with pytest.raises(ConfigurationError, match="lint: no such dependency group; the groups are dev, docs"):
        default_groups(groups, ["lint"])
