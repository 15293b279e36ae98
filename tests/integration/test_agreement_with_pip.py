"""What is installed is what pip installs, file by file."""

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.index import Index
from tests.support.tool import Target, Tool
from tests.support.trees import Node, Tree
from tests.support.wheels import FILE_MODE, Member, Wheel, make_wheel

# Both installers generate these, each in its own words: RECORD and INSTALLER name the installer's own files.
OWN_WORDS = ("INSTALLER", "RECORD")
LAUNCHERS = ("tool", "tool-window", "own-tool")


def wheels() -> list[Wheel]:
    return [
        make_wheel("pure", "1.0", {"pure/__init__.py": "x = 1\n", "pure/data.bin": bytes(range(256)) * 400}),
        make_wheel("plat", "2.0", {"plat.py": "y = 2\n"}, purelib=False, build="1"),
        make_wheel(
            "everywhere",
            "3.1.4",
            {"everywhere/__init__.py": ""},
            data={
                "purelib/everywhere_pure.py": "a = 1\n",
                "platlib/everywhere_plat/module.py": "b = 2\n",
                "headers/sub/everywhere.h": "#define X\n",
                "scripts/hello": "#!python\nprint('hello')\n",
                "scripts/hello-window": "#!pythonw\nprint('window')\n",
                "scripts/shell": "#!/bin/sh\necho shell\n",
                "data/share/doc/everywhere/README": "read me\n",
                "data/etc/everywhere.cfg": "[x]\n",
            },
            executable=[
                *(f"scripts/{name}" for name in ("hello", "hello-window", "shell")),
                "data/share/doc/everywhere/README",
            ],
        ),
        make_wheel(
            "programs",
            "1!4.0.post1",
            {"programs/__init__.py": "def main():\n    print('main')\n\n\nclass A:\n    run = staticmethod(main)\n"},
            console_scripts=["tool = programs:main", "own-tool = programs:A.run"],
            gui_scripts=["tool-window = programs:main"],
            requires=["pure>=1"],
        ),
        make_wheel(
            "bits",
            "1",
            {"bits/run.sh": "#!/bin/sh\n", "bits/lib.so": b"\x7fELF", "bits/plain.txt": "plain\n"},
            executable=["bits/run.sh", "bits/lib.so"],
            purelib=False,
        ),
        make_wheel("names", "1.0", {"namés/日本.py": "", "namés/a b,c.txt": "comma\n", "namés/__init__.py": ""}),
        make_wheel(
            "hollow",
            "1.0",
            {"hollow/__init__.py": "", "hollow/empty.txt": ""},
            members=[Member(name="hollow/nothing/", mode=0o040755)],
        ),
        make_wheel("space-one", "1.0", {"space/one.py": "1\n", "space/deep/er/one.py": "1\n"}),
        make_wheel("space.two", "1.0", {"space/two.py": "2\n", "space/deep/er/two.py": "2\n"}),
        make_wheel("licensed", "1.0", licenses={"LICENSE": "MIT\n", "vendored/LICENSE.txt": "other\n"}),
        make_wheel("deep", "1.0", {"/".join("abcdefghijklmnop") + f"/m{n}.py": f"{n}\n" for n in range(30)}),
        make_wheel("strange", "1.0", members=[Member(name="strange/wide.py", mode=FILE_MODE | 0o022 | 0o6000)]),
        make_wheel("stored", "1.0", {"stored/__init__.py": "z = 1\n" * 1000}, compress=False),
    ]


def install_with_pip(folder: Path, target: Target, lock: Path, tool: Tool) -> None:
    run = tool.run(
        *(sys.executable, "-m", "pip", "--python", str(target.python), "install", "--no-deps", "--no-compile"),
        *("--no-index", "--find-links", str(folder), "-r", str(lock), "--quiet", "--disable-pip-version-check"),
        environ={"PYTHONPATH": ""},
    )
    assert run.code == 0, run.err


def record_paths(target: Target, info: str) -> set[str]:
    with open(target.site / info / "RECORD", encoding="utf-8", newline="") as file:
        return {row[0] for row in csv.reader(file)}


def is_generated(path: str) -> bool:
    folder, _, name = path.rpartition("/")
    return (folder.endswith(".dist-info") and name in OWN_WORDS) or (folder == "bin" and name in LAUNCHERS)


def without_words(tree: Tree) -> Tree:
    return {path: Node(n.kind, n.mode, "" if is_generated(path) else n.content) for path, n in tree.items()}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, pristine: Target) -> Iterator[tuple[Target, Target]]:
    """The same wheels installed by the tool and by pip, at one path one after the other: scripts name it."""
    folder = tmp_path_factory.mktemp("both")
    index = Index()
    index.add(*wheels())
    (folder / "wheels").mkdir()
    for wheel in wheels():
        (folder / "wheels" / wheel.filename).write_bytes(wheel.content)
    tool = Tool(folder, index.url)
    lock = tool.write_lock(*(wheel.pin for wheel in wheels()))
    place = folder / "env"
    run = tool.sync(lock, pristine.copy_to(place))
    index.close()
    assert run.code == 0, run.err
    place.rename(folder / "ours")
    install_with_pip(folder / "wheels", pristine.copy_to(place), lock, tool)
    theirs = Target(place.rename(folder / "theirs"))
    yield Target((folder / "ours").rename(place)), theirs


def test_every_file_is_the_one_that_pip_installs(both: tuple[Target, Target]) -> None:
    ours, theirs = both
    mine, expected = without_words(ours.tree()), without_words(theirs.tree())
    assert sorted(mine) == sorted(expected)
    assert {path: (mine[path], node) for path, node in expected.items() if mine[path] != node} == {}


def test_record_names_what_pip_records(both: tuple[Target, Target]) -> None:
    ours, theirs = both
    infos = sorted(path.name for path in theirs.site.glob("*.dist-info"))
    assert len(infos) == len(wheels())
    assert {info: record_paths(ours, info) for info in infos} == {info: record_paths(theirs, info) for info in infos}


def test_programs_run(both: tuple[Target, Target]) -> None:
    ours, _ = both
    programs = {name: "main" for name in LAUNCHERS} | {"hello": "hello", "hello-window": "window", "shell": "shell"}
    for name, said in programs.items():
        path = ours.prefix / "bin" / name
        assert ours.run(f"import subprocess; subprocess.run([{str(path)!r}], check=True)") == said, name


def test_a_script_runs_even_where_the_wheel_forgot_the_executable_bit(index: Index, tool: Tool, target: Target) -> None:
    wheel = make_wheel("forgetful", "1.0", data={"scripts/forgetful": "#!python\nprint('ran')\n"})
    index.add(wheel)
    assert tool.sync(tool.write_lock(wheel.pin), target).code == 0
    assert tool.run(str(target.prefix / "bin" / "forgetful")).out == "ran\n"
