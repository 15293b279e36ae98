import pytest

from cache.manifest import EntryPoint
from engine.errors import InvalidWheel
from engine.wheel.metadata import (
    check_core_metadata,
    find_dist_info,
    parse_entry_points,
    parse_wheel_file,
    split_filename,
)

FILENAME = "Demo_App-1.0-py3-none-any.whl"


@pytest.mark.parametrize("filename", [FILENAME, "Demo_App-1.0-2b-cp312.cp313-abi3-any.whl"])
def test_file_name_begins_with_name_and_version(filename: str) -> None:
    assert split_filename(filename) == ("Demo_App", "1.0")


@pytest.mark.parametrize(
    "filename", ["demo-1.0.tar.gz", "demo-1.0-py3-none.whl", "a-b-c-d-e-f-g.whl", "demo--py3-none-any.whl", ".whl"]
)
def test_other_file_names_are_refused(filename: str) -> None:
    with pytest.raises(InvalidWheel, match="file name"):
        split_filename(filename)


@pytest.mark.parametrize("dist_info", ["demo_app-1.0.dist-info", "Demo.App-1.0.0.dist-info", "demo-app-1.dist-info"])
def test_dist_info_is_found_under_any_spelling(dist_info: str) -> None:
    assert find_dist_info(["demo/x.py", dist_info + "/RECORD", dist_info + "/WHEEL"], FILENAME) == (dist_info, None)


def test_data_folder_of_the_distribution_is_found() -> None:
    names = ["demo_app-1.0.dist-info/RECORD", "Demo_App-1.0.data/scripts/x", "other-1.0.data/x", "demo/my.data/x"]
    assert find_dist_info(names, FILENAME) == ("demo_app-1.0.dist-info", "Demo_App-1.0.data")


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["demo/x.py", "a/demo_app-1.0.dist-info/RECORD"], "no dist-info"),
        (["demo_app-1.0.dist-info"], "no dist-info"),
        (["demo_app-1.0.dist-info/RECORD", "other-1.0.dist-info/RECORD"], "2 dist-info"),
        (["demo_app-1.1.dist-info/RECORD"], "another distribution"),
        (["other-1.0.dist-info/RECORD"], "another distribution"),
        (["demo_app.dist-info/RECORD"], "another distribution"),
        (["demo_app-1.0.dist-info/R", "demo_app-1.0.data/data/x", "Demo_App-1.0.data/data/x"], "two data folders"),
    ],
)
def test_anything_but_one_own_dist_info_is_refused(names: list[str], reason: str) -> None:
    with pytest.raises(InvalidWheel, match=reason):
        find_dist_info(names, FILENAME)


@pytest.mark.parametrize(
    "body",
    [
        b"Name: demo-app\nVersion: 1.0\n",
        b"Metadata-Version: 2.1\r\nname: Demo.App\r\nVERSION: 1.0.0\r\n\r\nName: other\r\n",
        b"Summary: Name: x\n  Name: folded\nName: demo_app\nVersion: 1\n\nVersion: 9\n",
        b"Author: \xff\nName: demo_app\nVersion: 1.0\n",
    ],
)
def test_metadata_of_the_same_release_is_accepted(body: bytes) -> None:
    check_core_metadata(body, FILENAME)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"Name: other\nVersion: 1.0\n", "name 'other'"),
        (b"Name: demo-app\nVersion: 1.1\n", "version '1.1'"),
        (b"Name: demo-app\n\nVersion: 1.0\n", "version ''"),
        (b"\nName: demo-app\nVersion: 1.0\n", "name ''"),
        (b"Name: demo-app\nVersion: nonsense\x1b\n", r"version 'nonsense\\x1b'"),
    ],
)
def test_metadata_of_another_release_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(InvalidWheel, match=reason):
        check_core_metadata(body, FILENAME)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\n", (True, [])),
        (b"wheel-version: 1.0\r\nroot-is-purelib: False\r\n", (False, [])),
        (b"Wheel-Version: 1.0\n", (False, [])),
        (b"Wheel-Version: 1.9\nRoot-Is-Purelib: TRUE\n", (True, ["it has the newer wheel format 1.9"])),
    ],
)
def test_wheel_file_tells_where_its_root_belongs(body: bytes, expected: tuple[bool, list[str]]) -> None:
    assert parse_wheel_file(body, FILENAME) == expected


@pytest.mark.parametrize(
    "version", ["2.0", "0.9", "", "1", "one.two", "1.x", "1." + "0" * 5000, "\u0661.0".encode().decode()]
)
def test_unknown_wheel_format_is_refused(version: str) -> None:
    with pytest.raises(InvalidWheel, match=r"Wheel-Version|wheel format"):
        parse_wheel_file(f"Wheel-Version: {version}\n".encode(), FILENAME)


def tag_warnings(tags: str, *lines: str) -> list[str]:
    body = "Wheel-Version: 1.0\n" + "".join(f"Tag: {line}\n" for line in lines)
    return parse_wheel_file(body.encode(), f"demo-1.0-{tags}.whl")[1]


@pytest.mark.parametrize(
    ("tags", "lines"),
    [
        ("py3-none-any", ["py3-none-any"]),
        ("py2.py3-none-any", ["py3-none-any", "py2-none-any"]),
        ("py2.py3-none-any", ["py2.py3-none-any"]),
        ("cp312-ABI3-linux_x86_64", ["cp312-abi3-Linux_x86_64"]),
        ("cp38.cp39-abi3-a.b", ["cp38-abi3-a", "cp38-abi3-b", "cp39-abi3-a", "cp39-abi3-b"]),
        ("py3-none-any", []),
    ],
)
def test_tags_of_the_file_name_are_no_reason_for_a_warning(tags: str, lines: list[str]) -> None:
    assert tag_warnings(tags, *lines) == []


@pytest.mark.parametrize(
    ("tags", "lines"),
    [
        ("py3-none-any", ["py2-none-any"]),
        ("py3-none-any", ["py3-none-any", "py2-none-any"]),
        ("py2.py3-none-any", ["py3-none-any"]),
        ("py3-none-any", ["py3-none-any.any"]),
        ("cp38.cp39-abi3-a.b", ["cp38-abi3-a", "cp38-abi3-b", "cp39-abi3-a", "cp39-none-b"]),
    ],
)
def test_other_tags_than_in_the_file_name_are_a_warning(tags: str, lines: list[str]) -> None:
    (warning,) = tag_warnings(tags, *lines)
    assert lines[0] in warning and "the file name counts" in warning


def test_a_thousand_tags_make_one_short_line() -> None:
    (warning,) = tag_warnings("py3-none-any", *(f"\x1bpy{number}-none-any" for number in range(1000)))
    assert len(warning) < 200 and "997 more" in warning and "\x1b" not in warning


def test_scripts_of_both_kinds_are_read_and_other_groups_passed_over() -> None:
    text = (
        "# comment\n; comment\n[other]\nkey\nx = not a reference\n  continued\n[console_scripts]\r\n"
        "Demo=demo.app:main\nsub = demo.app : App.run [extra, more]\n\n[gui_scripts]\n  win = demo:gui\n  w2 = d:g\n"
        "[console_scripts]\nsub = demo.app:App.run\n"
    )
    console, gui = parse_entry_points(text)
    assert console == (EntryPoint("Demo", "demo.app", "main"), EntryPoint("sub", "demo.app", "App.run"))
    assert gui == (EntryPoint("win", "demo", "gui"), EntryPoint("w2", "d", "g"))


def test_file_without_scripts_gives_none() -> None:
    assert parse_entry_points("") == ((), ())


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "/x", "a/b", "a\\b", "a\0b", "a\x1b", "a\rb", "python", "python3.12"]
)
def test_script_name_that_cannot_be_a_file_is_refused(name: str) -> None:
    with pytest.raises(InvalidWheel, match="script") as error:
        parse_entry_points(f"[console_scripts]\n{name} = demo:main\n")
    assert str(error.value).isprintable()


@pytest.mark.parametrize(
    "value",
    [
        "",
        "demo",
        "demo:",
        ":main",
        "demo:main()",
        'os:system("x")',
        "demo;import os:main",
        "demo:main:more",
        "demo-app:main",
        "demo..app:main",
        "demo:main [extra",
        "demo:main more",
        "demo:main # comment",
        "demo\n    :main",
        "demo:main\n    import os",
    ],
)
@pytest.mark.parametrize("section", ["console_scripts", "gui_scripts"])
def test_value_that_is_no_reference_to_a_callable_is_refused(section: str, value: str) -> None:
    with pytest.raises(InvalidWheel):
        parse_entry_points(f"[{section}]\nrun = {value}\n")


def test_two_values_for_one_script_are_refused() -> None:
    with pytest.raises(InvalidWheel, match="'run' twice"):
        parse_entry_points("[console_scripts]\nrun = a:b\nrun = a:c\n")


def test_line_without_value_is_refused() -> None:
    with pytest.raises(InvalidWheel, match="without '='"):
        parse_entry_points("[console_scripts]\nrun\n")
