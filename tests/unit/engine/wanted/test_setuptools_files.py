"""What setup.cfg says, and when setup.py leaves it to that."""

import pytest

from engine.lock.direct import Place
from engine.wanted.project import StaticProject
from engine.wanted.setuptools_files import read_setup_cfg, setup_py_says_nothing


def read(text: str, *, extras: bool = True) -> StaticProject:
    place = Place(folder="/job")
    return read_setup_cfg(text.encode(), source="setup.cfg", shown="setup.cfg", place=place, extras=extras)


def test_lists_are_on_lines_or_between_semicolons() -> None:
    project = read(
        "[metadata]\nname = My_Proj\n[options]\npython_requires = >=3.9\ninstall_requires =\n  # why\n  alpha>1\n"
        "  beta; python_version < '3'\n[options.extras_require]\nFast = gamma; delta<2\n"
    )
    assert project.problems == []
    assert project.name == "my-proj"
    assert [str(one.requirement) for one in project.dependencies] == ["alpha>1", 'beta; python_version < "3"']
    assert [one.where for one in project.dependencies] == ["setup.cfg:7", "setup.cfg:8"]
    assert {name: [str(one.requirement) for one in wanted] for name, wanted in project.optional.items()} == {
        "fast": ["gamma", "delta<2"]
    }
    assert project.python is not None and project.python.where == "setup.cfg:4"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[options]\ninstall_requires = file: r.txt\n", "setup.cfg:2: install_requires = file: r.txt: known only by"),
        ("[options]\nextras_require = file: r.txt\n", "setup.cfg:2: extras_require = file: r.txt: known only by"),
        ("[options.extras_require]\na = b\n", "setup.cfg: it has no [options] section"),
        ("[options]\ninstall_requires =\n  a =1\n", 'setup.cfg:3: "a =1": '),
        ("no section\n", "setup.cfg: File contains no section headers."),
    ],
)
def test_a_fault_has_its_line(text: str, problem: str) -> None:
    problems = read(text).problems
    assert len(problems) == 1 and problems[0].startswith(problem)


@pytest.mark.parametrize(
    ("text", "nothing"),
    [
        ("from setuptools import setup\nsetup()", True),
        ("import setuptools\nsetuptools.setup(name='x', packages=setuptools.find_packages())", True),
        ("from setuptools import setup\nsetup(install_requires=['a'])", False),
        ("from setuptools import setup\nsetup(**options)", False),
        ("from setuptools import setup\nif x:\n    setup()\nelse:\n    setup(name='y')", False),
        ("setup(", False),
        ("print('no setup at all')", False),
    ],
)
def test_only_a_plain_call_without_requirements_says_nothing(text: str, nothing: bool) -> None:
    assert setup_py_says_nothing(text.encode()) is nothing
