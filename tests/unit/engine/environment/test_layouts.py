"""Folders that are installed into without being environments."""

from pathlib import Path

import pytest

from engine.environment.layouts import PREFIX, TARGET, folder_environment, make_folder, schemes_of, take_back
from engine.environment.target import Environment
from engine.errors import InvalidEnvironment

SCHEMES = {"purelib": "lib/site", "platlib": "lib/site", "scripts": "bin", "headers": "include/site", "data": ""}


def environment(binary: Path, *, is_virtual: bool, key: str = "k") -> Environment:
    return Environment(
        prefix="/env",
        python="/env/bin/python",
        base_executable=str(binary),
        is_virtual=is_virtual,
        interpreter_key=key,
    )


@pytest.fixture
def binary(tmp_path: Path) -> Path:
    path = tmp_path / "python3"
    path.write_bytes(b"\x7fELF")
    return path


def test_a_target_has_its_modules_at_the_top_and_a_prefix_those_of_an_environment(binary: Path) -> None:
    target = folder_environment(environment(binary, is_virtual=True), TARGET, "/somewhere")
    assert schemes_of(target, SCHEMES)["purelib"] == "" and schemes_of(target, SCHEMES)["scripts"] == "bin"
    prefix = folder_environment(environment(binary, is_virtual=True), PREFIX, "/somewhere")
    assert schemes_of(prefix, SCHEMES) == SCHEMES
    assert schemes_of(environment(binary, is_virtual=True), SCHEMES) == SCHEMES


def test_scripts_start_with_the_interpreter_it_is_for(binary: Path) -> None:
    made = folder_environment(environment(binary, is_virtual=True), TARGET, "/somewhere")
    assert (made.prefix, made.python, made.interpreter_key) == ("/somewhere", "/env/bin/python", "k")


def test_a_plain_interpreter_is_asked_for_the_paths_of_its_environments(binary: Path) -> None:
    made = folder_environment(environment(binary, is_virtual=False), PREFIX, "/somewhere")
    assert made.is_virtual and made.interpreter_key not in ("", "k")


def test_a_shim_is_still_asked_each_time(binary: Path) -> None:
    assert folder_environment(environment(binary, is_virtual=False, key=""), TARGET, "/x").interpreter_key == ""


def test_folders_that_were_made_are_taken_back_and_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "c"
    topmost = make_folder(str(path))
    assert topmost == str(tmp_path / "a") and path.is_dir()
    take_back(str(path), topmost)
    assert tmp_path.is_dir() and not (tmp_path / "a").exists()


def test_folders_that_somebody_uses_meanwhile_stay(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b"
    topmost = make_folder(str(path))
    (tmp_path / "a" / "mine").write_text("")
    take_back(str(path), topmost)
    assert not path.exists() and (tmp_path / "a" / "mine").exists()


def test_a_folder_that_is_there_is_not_made(tmp_path: Path) -> None:
    assert make_folder(str(tmp_path)) == ""


def test_a_link_to_a_folder_is_followed_and_a_link_to_nothing_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert make_folder(str(tmp_path / "link")) == ""
    (tmp_path / "broken").symlink_to("gone")
    with pytest.raises(InvalidEnvironment, match="a link to nothing"):
        make_folder(str(tmp_path / "broken"))
    assert not (tmp_path / "gone").exists()


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidEnvironment, match="it is not a folder"):
        make_folder(str(tmp_path / "file"))
    with pytest.raises(InvalidEnvironment, match="cannot make the folder"):
        make_folder(str(tmp_path / "file" / "below"))
