"""The names that well-known projects usually bring with them."""

import re

import pytest

from engine import usual
from engine.usual import MOST_PROJECTS, usual_projects


def table() -> list[list[str]]:
    with open(usual._TABLE, encoding="ascii") as file:
        return [line.split() for line in file if not line.startswith("#")]


def test_what_is_wanted_comes_first_and_then_what_that_requires_level_by_level() -> None:
    found = usual_projects(["unheard-of", "flask"])
    assert found[:2] == ["unheard-of", "flask"]
    assert {"werkzeug", "click", "itsdangerous", "blinker"} <= set(found) and len(set(found)) == len(found)
    assert usual_projects(["jupyter"]).index("notebook") < usual_projects(["jupyter"]).index("pycparser")


def test_extras_bring_what_they_add() -> None:
    assert "uvloop" not in usual_projects(["uvicorn"])
    found = usual_projects(["uvicorn", "uvicorn[standard]", "uvicorn[unheard-of]"])
    assert "uvloop" in found and not [name for name in found if "[" in name]


def test_what_is_installed_is_not_asked_for_and_brings_nothing() -> None:
    assert usual_projects(["flask"], {"jinja2", "unheard-of"}).count("jinja2") == 0
    assert "markupsafe" in usual_projects(["flask"]) and usual_projects(["jinja2"], {"jinja2"}) == []


def test_no_more_than_what_is_wanted_is_told_where_that_will_do() -> None:
    assert usual_projects(["flask", "flask[async]", "click"], more=False) == ["flask", "click"]


def test_there_is_a_bound() -> None:
    assert len(usual_projects(name for name, *_ in table())) == MOST_PROJECTS


def test_the_table_has_one_line_for_each_of_many_projects_and_nothing_but_names() -> None:
    keys = [key for key, *_ in table()]
    assert len(set(keys)) == len(keys) > 1000
    words = {word for line in table() for word in line}
    assert [
        word for word in words if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*(\[[a-z0-9]+(-[a-z0-9]+)*\])?", word)
    ] == []
    assert all(len(line) > 1 and line[0] not in line[1:] for line in table())


@pytest.mark.parametrize("name", ["pip", "unheard-of"])
def test_what_requires_nothing_brings_nothing(name: str) -> None:
    assert usual_projects([name]) == [name]
