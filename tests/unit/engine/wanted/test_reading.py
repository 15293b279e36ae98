"""What a command line asks for, put together from files."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from engine.errors import ConfigurationError, IndexUnavailable, InvalidRequirements
from engine.inputs import conditions_hold
from engine.wanted.asked import Asked
from engine.wanted.model import Wanted, Wants
from engine.wanted.reading import read_wants
from tests.support.wheels import make_wheel

PYPROJECT = """\
[project]
name = "My.Proj"
dependencies = ["alpha>=1"]
requires-python = ">=3.9"

[project.optional-dependencies]
fast = [
    "beta; python_version < '3.12'",
]
all = ["my-proj[fast]; sys_platform == 'linux'", "gamma"]

[dependency-groups]
dev = ["delta", {include-group = "More"}]
more = ["epsilon"]
"""


class Folder:
    """A working directory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.web: dict[str, bytes] = {}

    def write(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            (self.path / name).parent.mkdir(exist_ok=True)
            (self.path / name).write_text(text)

    def fetch(self, url: str) -> tuple[str, bytes]:
        if url not in self.web:
            raise IndexUnavailable(f"cannot fetch {url}")
        return url, self.web[url]

    def read(self, asked: Asked, environ: Mapping[str, str] | None = None) -> Wants:
        return read_wants(asked, environ=environ or {}, cwd=str(self.path), fetch=self.fetch)

    def problems(self, asked: Asked) -> list[str]:
        with pytest.raises(InvalidRequirements) as caught:
            self.read(asked)
        return caught.value.problems


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def told(wanted: tuple[Wanted, ...]) -> list[tuple[str, str, str]]:
    return [(str(one.requirement), one.where, one.origin) for one in wanted]


def test_requirements_have_their_places_and_what_an_annotation_says(folder: Folder) -> None:
    folder.write(
        {
            "a.in": "alpha >= 1, <2 ; python_version > '3'  # why\n-r sub/b.in\n-c con.txt\n--pre\n",
            "sub/b.in": "\nbeta[x]\n",
            "con.txt": "gamma<2\n",
            "over.txt": "delta==1\n",
            "out.txt": "Epsilon\n",
        }
    )
    wants = folder.read(Asked(words=("zeta~=1.0",), files=("a.in",), overrides=("over.txt",), excludes=("out.txt",)))
    assert told(wants.requirements) == [
        ("zeta~=1.0", "", ""),
        ('alpha<2,>=1; python_version > "3"', "a.in:1", "-r a.in"),
        ("beta[x]", "sub/b.in:2", "-r sub/b.in"),
    ]
    assert told(wants.constraints) == [("gamma<2", "con.txt:1", "-c con.txt")]
    assert told(wants.overrides) == [("delta==1", "over.txt:1", "--override over.txt")]
    assert wants.excludes == {"epsilon"}
    assert wants.prereleases


def test_options_about_indexes_come_from_every_file(folder: Folder) -> None:
    folder.write(
        {"a.in": "--index-url https://example.com/a\n-f ./links\n--only-binary :all:\n", "b.in": "--no-index\n"}
    )
    wants = folder.read(Asked(files=("a.in", "b.in")))
    assert wants.index_url == "https://example.com/a"
    assert wants.find_links == (str(folder.path / "links"),)
    assert (wants.no_index, wants.formats) == (True, (("only-binary", ":all:"),))


def test_an_absolute_path_below_the_working_directory_is_shown_from_there(folder: Folder) -> None:
    folder.write({"a.in": "alpha"})
    wants = folder.read(Asked(files=(str(folder.path / "a.in"),)))
    assert wants.requirements[0].origin == "-r a.in"


def test_hashes_of_a_line_are_kept(folder: Folder) -> None:
    folder.write({"a.in": f"alpha>1 --hash=sha256:{'a' * 64}\n"})
    assert [digest.hex for digest in folder.read(Asked(files=("a.in",))).requirements[0].hashes] == ["a" * 64]


def test_wheels_are_named_by_paths_and_urls_and_keep_what_was_written(folder: Folder) -> None:
    wheel = make_wheel("alpha", "1.0")
    (folder.path / wheel.filename).write_bytes(wheel.content)
    url = "https://u:${SECRET}@example.com/beta-2-py3-none-any.whl"
    folder.write({"a.in": f"./{wheel.filename}[x]; python_version > '3'\nBeta @ {url}\n"})
    wants = folder.read(Asked(files=("a.in",)), {"SECRET": "geheim"})
    first, second = wants.requirements
    assert (first.name, first.requirement.extras, first.given) == ("alpha", {"x"}, f"./{wheel.filename}")
    assert first.requirement.url == f"file://{folder.path}/{wheel.filename}" and first.requirement.marker is not None
    assert second.given == url and second.file is not None and "geheim" in second.file.url


def test_a_stored_answer_ends_when_an_included_file_or_a_wheel_changes(folder: Folder) -> None:
    wheel = make_wheel("alpha", "1.0")
    (folder.path / wheel.filename).write_bytes(wheel.content)
    folder.write({"a.in": f"./{wheel.filename}\n-r b.in", "b.in": "beta"})
    wants = folder.read(Asked(files=("a.in",)))

    def holds() -> bool:
        assert wants.conditions
        return conditions_hold(wants.conditions, wants.inputs, str(folder.path), {})

    assert holds()
    folder.write({"b.in": "beta>1"})
    assert not holds()
    folder.write({"b.in": "beta"})
    assert holds()
    (folder.path / wheel.filename).write_bytes(b"another")
    assert not holds()


def test_what_came_from_the_network_is_not_stored(folder: Folder) -> None:
    folder.web["https://example.com/b.in"] = b"beta"
    folder.write({"a.in": "-r https://example.com/b.in"})
    wants = folder.read(Asked(files=("a.in",)))
    assert told(wants.requirements) == [
        ("beta", "https://example.com/b.in:1", "-r https://example.com/b.in"),
    ]
    assert wants.conditions is None


def test_every_fault_of_all_files_is_told_at_once(folder: Folder) -> None:
    folder.write(
        {
            "a.in": "alpha=1\n-e .\n./folder\nbeta @ git+https://example.com/x.git\n-r missing.in\ngamma-1.tar.gz\n",
            "con.txt": "alpha[x]<2\n",
            "out.txt": "alpha<2\n",
        }
    )
    problems = folder.problems(
        Asked(words=("b>>1",), files=("a.in", "absent.in"), constraints=("con.txt",), excludes=("out.txt",))
    )
    assert problems[0].startswith('"b>>1": ')
    assert problems[1].startswith('a.in:1: "alpha=1": ')
    assert problems[2:] == [
        "a.in:2: option -e is not supported: editables cannot be installed so far",
        'a.in:3: "./folder": it names no wheel, and folders cannot be installed so far',
        'a.in:4: "beta @ git+https://example.com/x.git": version control cannot be installed from so far',
        'a.in:6: "gamma-1.tar.gz": gamma-1.tar.gz is a source distribution, and only wheels can be installed so far',
        f"a.in:5: cannot read {folder.path}/missing.in: No such file or directory",
        "cannot read absent.in: No such file or directory",
        'con.txt:1: "alpha[x]<2": a constraint has no extras',
        'out.txt:1: "alpha<2": what is excluded is named without anything else',
    ]


@pytest.mark.parametrize("name", ["pylock.toml", "uv.lock", "other.toml", "script.py"])
def test_files_that_are_no_requirements_are_refused(folder: Folder, name: str) -> None:
    folder.write({name: "alpha"})
    assert name in folder.problems(Asked(files=(name,)))[0]


def test_a_word_that_is_a_requirements_file_is_told_apart(folder: Folder) -> None:
    folder.write({"requirements.txt": "alpha"})
    with pytest.raises(InvalidRequirements) as caught:
        folder.read(Asked(words=("requirements.txt",)))
    assert caught.value.hint == "-r requirements.txt installs what it asks for"


def test_a_project_needs_its_dependencies_and_those_of_its_extras(folder: Folder) -> None:
    folder.write({"pyproject.toml": PYPROJECT})
    origin = "my-proj (pyproject.toml)"
    wants = folder.read(Asked(files=("pyproject.toml",)))
    assert told(wants.requirements) == [("alpha>=1", "pyproject.toml:3", origin)]
    assert [(str(one.specifier), one.where) for one in wants.pythons] == [(">=3.9", "pyproject.toml:4")]
    wants = folder.read(Asked(files=("pyproject.toml",), extras=("ALL",)))
    assert told(wants.requirements) == [
        ("alpha>=1", "pyproject.toml:3", origin),
        ("gamma", "pyproject.toml:10", origin),
        ('beta; sys_platform == "linux" and python_version < "3.12"', "pyproject.toml:8", origin),
    ]
    wants = folder.read(Asked(files=("pyproject.toml",), all_extras=True))
    assert {one.name for one in wants.requirements} == {"alpha", "beta", "gamma"}


def test_groups_are_read_with_their_includes(folder: Folder) -> None:
    folder.write({"pyproject.toml": PYPROJECT, "sub/pyproject.toml": "[dependency-groups]\ntest = ['zeta']\n"})
    wants = folder.read(Asked(groups=("dev", "sub/pyproject.toml:test")))
    assert told(wants.requirements) == [
        ("delta", "pyproject.toml:13", "my-proj (pyproject.toml:dev)"),
        ("epsilon", "pyproject.toml:14", "my-proj (pyproject.toml:dev)"),
        ("zeta", "sub/pyproject.toml:2", "(sub/pyproject.toml:test)"),
    ]


def test_where_uv_would_take_a_requirement_from_is_not_passed_over(folder: Folder) -> None:
    sources = "[tool.uv.sources]\nalpha = { workspace = true }\nDelta = { index = 'x' }\nother = { path = '.' }\n"
    folder.write({"pyproject.toml": PYPROJECT + sources})
    assert folder.problems(Asked(files=("pyproject.toml",), groups=("dev",))) == [
        "pyproject.toml:17: where Delta comes from cannot be said here so far",
        "pyproject.toml:16: where alpha comes from cannot be said here so far",
    ]
    wants = folder.read(Asked(files=("pyproject.toml",), groups=("dev",), sources=False))
    assert {one.name for one in wants.requirements} == {"alpha", "delta", "epsilon"}


def test_an_extra_that_no_project_has_is_an_error(folder: Folder) -> None:
    folder.write({"pyproject.toml": PYPROJECT, "a.in": "alpha"})
    with pytest.raises(ConfigurationError, match=r"no extra slow; the extras are all, fast"):
        folder.read(Asked(files=("pyproject.toml",), extras=("slow",)))
    with pytest.raises(ConfigurationError, match="none was named"):
        folder.read(Asked(files=("a.in",), extras=("slow",)))


def test_setup_py_leaves_it_to_the_files_beside(folder: Folder) -> None:
    folder.write({"setup.py": "from setuptools import setup\nsetup(name='x', install_requires=compute())\n"})
    assert folder.problems(Asked(files=("setup.py",))) == [
        "setup.py: its requirements are known only by building the project, which cannot be done so far"
    ]
    folder.write({"setup.cfg": "[metadata]\nname = x\n[options]\ninstall_requires =\n    beta\n"})
    assert len(folder.problems(Asked(files=("setup.py",)))) == 1
    assert folder.problems(Asked(files=("setup.cfg",))) == [
        "setup.cfg: setup.py beside it has a say, and cannot be run so far"
    ]
    folder.write({"setup.py": "from setuptools import setup\nsetup()\n"})
    assert told(folder.read(Asked(files=("setup.py",))).requirements) == [("beta", "setup.cfg:5", "x (setup.py)")]
    assert told(folder.read(Asked(files=("setup.cfg",))).requirements) == [("beta", "setup.cfg:5", "x (setup.cfg)")]
    folder.write({"pyproject.toml": PYPROJECT})
    assert told(folder.read(Asked(files=("setup.py",))).requirements) == [
        ("alpha>=1", "pyproject.toml:3", "my-proj (setup.py)")
    ]


def test_standard_input_is_read_once(folder: Folder) -> None:
    with pytest.raises(ConfigurationError, match="standard input"):
        folder.read(Asked(files=("-",), constraints=("-",)))


def test_a_file_that_is_included_in_two_meanings_has_both(folder: Folder) -> None:
    folder.write({"a.in": "-r b.in\n-r b.in", "over.txt": "-r b.in", "b.in": "beta==1"})
    wants = folder.read(Asked(files=("a.in",), overrides=("over.txt",)))
    assert told(wants.requirements) == [("beta==1", "b.in:1", "-r b.in")]
    assert told(wants.overrides) == [("beta==1", "b.in:1", "--override b.in")]


def test_a_wheel_on_the_command_line_is_noticed_without_any_file(folder: Folder) -> None:
    wheel = make_wheel("alpha", "1.0")
    (folder.path / wheel.filename).write_bytes(wheel.content)
    wants = folder.read(Asked(words=(f"./{wheel.filename}",)))
    assert wants.conditions and conditions_hold(wants.conditions, (), str(folder.path), {})
    (folder.path / wheel.filename).unlink()
    assert not conditions_hold(wants.conditions, (), str(folder.path), {})
    assert folder.problems(Asked(words=(f"./{wheel.filename}",))) == [
        f"cannot read {folder.path}/{wheel.filename}: No such file or directory"
    ]
