"""Which wheels and files are in `engine.pyz`, and how its members are made of them."""

import ast
import sys
import zipfile
from pathlib import Path

import pytest

from shipping.payload import File
from shipping.unpacking import unpack
from shipping.zipapp import MINORS, members, needs, platforms, read_wheels, split, suffix_for
from tests.support.wheels import make_wheel


def test_wheels_that_need_a_newer_glibc_than_allowed_are_not_taken() -> None:
    tags = [
        "linux_x86_64",
        "manylinux_2_36_x86_64",
        "manylinux_2_29_x86_64",
        "manylinux_2_28_x86_64",
        "manylinux2014_x86_64",
    ]
    assert platforms(iter(tags)) == ["linux_x86_64", "manylinux_2_28_x86_64", "manylinux2014_x86_64"]


def test_other_platforms_are_taken_as_they_are() -> None:
    tags = ["musllinux_1_2_x86_64", "macosx_14_0_arm64", "win_amd64"]
    assert platforms(iter(tags)) == tags


def test_the_platform_says_what_suffixes_do_not() -> None:
    assert needs(["linux_x86_64", "manylinux_2_28_x86_64"]) == {"glibc": "2.28"}
    assert needs(["macosx_14_0_arm64", "macosx_13_0_universal2"]) == {"machine": "arm64"}
    assert needs(["linux_x86_64", "musllinux_1_2_x86_64"]) == {}


def test_suffixes_of_other_versions_are_of_this_platform() -> None:
    this = sys.version_info[1]
    assert suffix_for(99, f".cpython-3{this}-x86_64-linux-gnu.so") == ".cpython-399-x86_64-linux-gnu.so"
    assert suffix_for(99, f".cp3{this}-win_amd64.pyd") == ".cp399-win_amd64.pyd"


def test_all_supported_versions_are_in_the_file() -> None:
    root = Path(__file__).resolve().parents[3]
    assert f'requires-python = ">=3.{min(MINORS)}"' in (root / "pyproject.toml").read_text(encoding="utf-8")


def test_what_nobody_reads_is_left_out(tmp_path: Path) -> None:
    taken = make_wheel("one", "1.0", {"one/a.py": "", "one/a.pyi": "", "one/a.pyx": "", "one/a.h": "", "one/b.so": ""})
    left = make_wheel("pygments", "1.0", {"pygments/__init__.py": ""})
    for wheel in (taken, left):
        (tmp_path / wheel.filename).write_bytes(wheel.content)
    tree = read_wheels(sorted(tmp_path.iterdir()))
    assert {name for name in tree if ".dist-info" not in name} == {"one/a.py", "one/b.so"}
    assert "one-1.0.dist-info/METADATA" in tree and "one-1.0.dist-info/RECORD" not in tree
    assert [name for name, file in tree.items() if file.executable] == ["one/b.so"]


def test_wheels_that_one_folder_cannot_hold_are_refused(tmp_path: Path) -> None:
    for wheel in (make_wheel("one", "1.0", {"same.py": "1"}), make_wheel("two", "1.0", {"same.py": "2"})):
        (tmp_path / wheel.filename).write_bytes(wheel.content)
    with pytest.raises(ValueError, match=r"two-1\.0.*same\.py"):
        read_wheels(sorted(tmp_path.iterdir()))
    elsewhere = make_wheel("three", "1.0", {}, data={"scripts/tool.py": "#!python\n"})
    (tmp_path / elsewhere.filename).write_bytes(elsewhere.content)
    with pytest.raises(ValueError, match="scripts"):
        read_wheels([tmp_path / elsewhere.filename])


def test_only_what_is_the_same_for_all_versions_is_shared() -> None:
    same, one, two = File(b"same"), File(b"1"), File(b"2")
    trees = {11: {"a": same, "b": one, "c": one}, 12: {"a": same, "b": two}}
    assert split(trees) == ({"a": same}, {11: {"b": one, "c": one}, 12: {"b": two}})


def test_the_folder_of_a_version_is_named_by_what_is_unpacked_into_it(tmp_path: Path) -> None:
    def folders(body: bytes) -> dict[str, tuple[str, list[str]]]:
        found = members({11: {"a": File(b"same"), "b": File(b"1")}, 12: {"a": File(b"same"), "b": File(body)}}, {})
        for suffix, (name, payloads) in _constant(found["__main__.py"], "CONTENTS").items():
            (tmp_path / name).mkdir(exist_ok=True)
            if not list((tmp_path / name).iterdir()):
                unpack([found[payload] for payload in payloads], str(tmp_path / name))
            assert (tmp_path / name / "b").read_bytes() == (b"1" if "311" in suffix else body)
        return _constant(found["__main__.py"], "CONTENTS")

    first, second = folders(b"2"), folders(b"3")
    assert first[suffix_for(11)] == second[suffix_for(11)]
    assert first[suffix_for(12)] != second[suffix_for(12)]


def _constant(source: bytes, name: str) -> dict[str, tuple[str, list[str]]]:
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name:
            found: dict[str, tuple[str, list[str]]] = ast.literal_eval(node.value)
            return found
    raise AssertionError(f"{name} is not set")


def test_members_can_be_read_without_inflating(tmp_path: Path) -> None:
    from tests.support.zipapps import make_zipapp

    made = make_zipapp(tmp_path)
    with zipfile.ZipFile(made.path) as archive:
        assert {member.compress_type for member in archive.infolist()} == {zipfile.ZIP_STORED}
        assert archive.testzip() is None and len(archive.namelist()) < 10
    assert made.path.read_bytes().startswith(b"#!/usr/bin/env python3\n")
