"""What pyproject.toml says, and what is wrong with it."""

import pytest

from engine.lock.direct import Place
from engine.wanted.project import StaticProject
from engine.wanted.pyproject import read_group, read_pyproject

PLACE = Place(folder="/job")


def read(text: str, *, extras: bool = False) -> StaticProject:
    return read_pyproject(text.encode(), source="p.toml", shown="p.toml", place=PLACE, extras=extras)


def group(text: str, name: str) -> StaticProject:
    return read_group(text.encode(), name, source="p.toml", shown="p.toml", place=PLACE)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[project]\nname='x'\ndynamic = ['dependencies']\n", "p.toml:3: the dependencies are dynamic: known only by"),
        ("[build-system]\nrequires = []\n", "p.toml: it has no [project] table, so its requirements are known only"),
        ("[project]\nname='x'\ndependencies = 'alpha'\n", "p.toml:3: dependencies is not a list of texts"),
        ("[project]\nname='x'\ndependencies = [\n 'alpha',\n 'b =1']\n", 'p.toml:5: "b =1": '),
        ("[project]\nname='x'\ndependencies = ['a --hash=sha256:1']\n", 'p.toml:3: "a --hash=sha256:1": '),
        ("[project]\nname='x'\nrequires-python = 'three'\n", 'p.toml:3: invalid requires-python "three"'),
        ("[project]\nversion='1'\n", "p.toml: the project has no name"),
        ("[project\n", "p.toml: "),
        ("[project]\nname='x'\noptional-dependencies = []\n", "p.toml:3: optional-dependencies is not a table"),
        ("[project]\nname='x'\n[project.optional-dependencies]\na = 1\n", "p.toml:4: a is not a list of texts"),
        (
            "[project]\nname='x'\n[project.optional-dependencies]\n\"a'b\" = []\n",
            'p.toml:4: "a\'b" cannot be the name of an',
        ),
    ],
)
def test_a_fault_has_its_line(text: str, problem: str) -> None:
    problems = read(text).problems
    assert len(problems) == 1 and problems[0].startswith(problem)


def test_dynamic_extras_matter_only_when_extras_are_asked_for() -> None:
    text = "[project]\nname='x'\ndependencies=['a']\ndynamic = ['optional-dependencies']\n"
    assert read(text).problems == []
    assert len(read(text, extras=True).problems) == 1


def test_the_line_of_a_requirement_is_looked_for_in_its_own_table() -> None:
    text = "[project]\nname='x'\ndependencies=[\n'alpha']\n[project.optional-dependencies]\nb=[\n'alpha']\n"
    project = read(text)
    assert project.dependencies[0].where == "p.toml:4"
    assert project.optional[next(iter(project.optional))][0].where == "p.toml:7"


def test_a_group_that_is_not_there_is_told_with_those_that_are() -> None:
    assert group("[dependency-groups]\na=[]\n", "b").problems == ["p.toml: dependency group 'b' not found; it has a"]


def test_faults_of_a_group_are_all_told() -> None:
    project = group("[dependency-groups]\na=[{include-group='b'}]\nb=['x =1',\n'y =2']\n", "a")
    assert [problem.partition(": e")[0] for problem in project.problems] == ['p.toml:3: "x =1"', 'p.toml:4: "y =2"']


def test_a_group_has_a_name_that_a_marker_can_ask_for() -> None:
    problem = 'p.toml:2: "a\'b" cannot be the name of a dependency group'
    assert group("[dependency-groups]\n\"a'b\" = ['alpha']\n", "a'b").problems == [problem]


def test_a_group_that_includes_itself_is_a_problem() -> None:
    problems = group("[dependency-groups]\na=[{include-group='a'}]\n", "a").problems
    assert len(problems) == 1 and "a includes itself" in problems[0]


def test_a_requirement_of_a_group_is_found_however_it_is_spaced() -> None:
    project = group("[dependency-groups]\na=[\n'X >= 1, <2']\n", "a")
    assert [one.where for one in project.dependencies] == ["p.toml:3"]
