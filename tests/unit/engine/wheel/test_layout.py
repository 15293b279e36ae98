import pytest

from engine.errors import InvalidWheel
from engine.wheel.layout import check_destinations, check_member_name, destination, is_interpreter_name


@pytest.mark.parametrize(
    "name",
    ["a.py", "a/b.py", "a/", "..a/b..", "a b/ü.txt", "x" * 255 + "/" + "y" * 255, "a\u00a0b", "ab:c", "a/" * 199 + "b"],
)
def test_plain_relative_name_is_allowed(name: str) -> None:
    check_member_name(name)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../x.py", "'..'"),
        ("a/../../x", "'..'"),
        ("../site-packages-evil/x", "'..'"),
        ("a/..", "'..'"),
        ("./x", "'.'"),
        ("a//b", "empty part"),
        ("a//", "empty part"),
        ("", "empty part"),
        ("/", "absolute"),
        ("/etc/x", "absolute"),
        ("//server/share", "absolute"),
        ("C:\\x", "backslash"),
        ("a\\..\\..\\x", "backslash"),
        ("\\\\server\\share", "backslash"),
        ("C:/x", "drive letter"),
        ("c:x", "drive letter"),
        ("a\0b", "U+0000"),
        ("a\nb", "U+000A"),
        ("a\rb", "U+000D"),
        ("a\x1b[31m", "U+001B"),
        ("a\u202eb", "U+202E"),
        ("a\u200bb", "U+200B"),
        ("a\ue000b", "U+E000"),
        ("x" * 256, "255 bytes"),
        ("a/" + "ü" * 128, "255 bytes"),
        ("a/" * 2100 + "b", "4096 bytes"),
        ("a/" * 200 + "b", "200 folders"),
    ],
)
def test_name_that_is_no_plain_relative_path_is_refused_with_the_reason(name: str, reason: str) -> None:
    with pytest.raises(InvalidWheel) as error:
        check_member_name(name)
    assert reason in str(error.value)
    assert str(error.value).isprintable()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("demo/a.py", ("platlib", "demo/a.py")),
        ("demo-1.0.dist-info/RECORD", ("platlib", "demo-1.0.dist-info/RECORD")),
        ("demo-1.0.data.py", ("platlib", "demo-1.0.data.py")),
        ("demo-1.0.data/purelib/demo/b.py", ("purelib", "demo/b.py")),
        ("demo-1.0.data/platlib/demo/b.so", ("platlib", "demo/b.so")),
        ("demo-1.0.data/headers/sub/demo.h", ("headers", "sub/demo.h")),
        ("demo-1.0.data/scripts/run", ("scripts", "run")),
        ("demo-1.0.data/data/share/man/demo.1", ("data", "share/man/demo.1")),
        ("demo-1.0.data/data/bin/python-demo", ("data", "bin/python-demo")),
        ("demo-1.0.data/data/lib/python3.12/x", ("data", "lib/python3.12/x")),
    ],
)
def test_file_belongs_to_the_scheme_that_its_path_names(path: str, expected: tuple[str, str]) -> None:
    assert destination(path, "demo-1.0.dist-info", "demo-1.0.data", False) == expected


def test_root_is_purelib_decides_where_the_root_belongs() -> None:
    assert destination("demo.py", "demo-1.0.dist-info", None, True) == ("purelib", "demo.py")


def test_data_folder_of_another_distribution_is_an_ordinary_folder() -> None:
    found = destination("other-1.0.data/scripts/x", "demo-1.0.dist-info", None, True)
    assert found == ("purelib", "other-1.0.data/scripts/x")


@pytest.mark.parametrize(
    ("below", "reason"),
    [
        ("nowhere/x", "no known scheme"),
        ("x", "no known scheme"),
        ("scripts", "no known scheme"),
        ("scripts/sub/x", "sub-folder"),
        ("scripts/python3", "replace the interpreter"),
        ("data/bin/python", "replace the interpreter"),
        ("data/bin/python3", "replace the interpreter"),
        ("data/bin/python3.12", "replace the interpreter"),
        ("data/bin/python3/x", "replace the interpreter"),
        ("data/Scripts/python.exe", "replace the interpreter"),
        ("data/Scripts/PythonW.exe", "replace the interpreter"),
        ("data/pyvenv.cfg", "part of the environment"),
        ("data/.engine/1/journal", "part of the environment"),
        ("purelib/demo-1.0.dist-info/RECORD", "own metadata"),
        ("purelib/other-1.0.dist-info/RECORD", "metadata of another"),
        ("platlib/Other-1.0.Dist-Info/RECORD", "metadata of another"),
    ],
)
def test_misplaced_data_is_refused(below: str, reason: str) -> None:
    with pytest.raises(InvalidWheel, match=reason):
        destination("demo-1.0.data/" + below, "demo-1.0.dist-info", "demo-1.0.data", True)


def check(*paths: str) -> None:
    check_destinations(paths, "demo-1.0.dist-info", "demo-1.0.data")


@pytest.mark.parametrize(
    "paths",
    [
        ["x.py", "demo-1.0.data/purelib/x.py"],
        ["x.py", "demo-1.0.data/platlib/x.py"],
        ["demo-1.0.data/purelib/x.py", "demo-1.0.data/platlib/x.py"],
    ],
)
def test_two_files_for_one_place_are_refused(paths: list[str]) -> None:
    with pytest.raises(InvalidWheel, match="belong to one place"):
        check(*paths)


@pytest.mark.parametrize(
    "paths", [["x", "demo-1.0.data/purelib/x/y/z"], ["demo-1.0.data/platlib/x", "x/y/z"], ["x/y/z", "x/y/w", "x"]]
)
def test_a_file_where_another_needs_a_folder_is_refused(paths: list[str]) -> None:
    with pytest.raises(InvalidWheel, match="needs a folder"):
        check(*paths)


def test_files_of_different_schemes_do_not_meet() -> None:
    check("x/y.py", "x/z.py", "demo-1.0.data/data/x", "demo-1.0.data/scripts/x", "demo-1.0.data/headers/x")


@pytest.mark.parametrize("name", ["python", "python3", "python3.12", "python3.13t", "PYTHON.EXE", "pythonw.exe"])
def test_interpreter_is_known_by_its_name(name: str) -> None:
    assert is_interpreter_name(name)


@pytest.mark.parametrize("name", ["python-config", "python3-config", "pythonic", "ipython3", "py", ""])
def test_other_script_is_no_interpreter(name: str) -> None:
    assert not is_interpreter_name(name)
