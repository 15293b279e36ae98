"""Which interpreter a version, `--system` or a folder gets."""

import os
import sys
from pathlib import Path

import pytest

from engine.environment.requests import find_interpreter, parse_request, requested_environment
from engine.errors import InvalidEnvironment
from engine.options import InstallOptions

pytestmark = pytest.mark.skipif(os.name == "nt", reason="interpreters are written as POSIX scripts")

REAL = os.path.realpath(sys.executable)
MINOR = f"{sys.version_info[0]}.{sys.version_info[1]}"
FULL = f"{MINOR}.{sys.version_info[2]}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("3", "Python 3"),
        ("3.12", "Python 3.12"),
        ("3.12.1", "Python 3.12.1"),
        ("3.09", "Python 3.9"),
        ("cpython@3.12", "cpython 3.12"),
        ("cpython-3.12.1", "cpython 3.12.1"),
        ("pypy3.10", "pypy 3.10"),
    ],
)
def test_versions_are_read(text: str, shown: str) -> None:
    assert str(parse_request(text)) == shown


@pytest.mark.parametrize("text", ["", "python3.12", "./3.12", "3.12/bin", "3.", "3.12.1.4", "3.x", "cpython", "٣.12"])
def test_what_is_no_version_is_left_to_others(text: str) -> None:
    assert parse_request(text) is None


def test_a_version_is_a_beginning_of_numbers_and_not_of_letters() -> None:
    request = parse_request("3.1")
    assert request is not None
    assert request.fits("cpython", "3.1.4") and not request.fits("cpython", "3.12.1")


def shim(folder: Path, name: str, body: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def found(text: str, *folders: Path) -> str:
    request = parse_request(text)
    assert request is not None
    return find_interpreter(request, {"PATH": os.pathsep.join(map(str, folders))})


def test_a_binary_is_taken_at_its_name_and_a_shim_asked(tmp_path: Path) -> None:
    broken = shim(tmp_path / "broken", f"python{MINOR}", "exit 127").parent
    works = shim(tmp_path / "works", "python3", f'exec "{REAL}" "$@"').parent
    (tmp_path / "named").mkdir()
    (tmp_path / "named" / f"python{MINOR}").symlink_to("/bin/sh")
    assert found(MINOR, broken, works) == REAL
    assert found(MINOR, tmp_path / "named", works) == str(tmp_path / "named" / f"python{MINOR}")


def test_a_patch_release_is_always_asked_for(tmp_path: Path) -> None:
    (tmp_path / "named").mkdir()
    (tmp_path / "named" / f"python{MINOR}").symlink_to(REAL)
    assert found(FULL, tmp_path / "named") == str(tmp_path / "named" / f"python{MINOR}")
    with pytest.raises(InvalidEnvironment, match=f"no Python {MINOR}.99 on PATH"):
        found(f"{MINOR}.99", tmp_path / "named")


def test_interpreters_of_virtual_environments_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "env" / "bin").mkdir(parents=True)
    (tmp_path / "env" / "pyvenv.cfg").write_text("home = /usr/bin\n")
    (tmp_path / "env" / "bin" / "python3").symlink_to(REAL)
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "python3").symlink_to(REAL)
    assert found("3", tmp_path / "env" / "bin", tmp_path / "plain") == str(tmp_path / "plain" / "python3")


def test_another_implementation_does_not_fit(tmp_path: Path) -> None:
    shim(tmp_path / "bin", "pypy3", f'exec "{REAL}" "$@"')
    with pytest.raises(InvalidEnvironment, match="no pypy 3 on PATH"):
        found("pypy@3", tmp_path / "bin")


@pytest.fixture
def virtual(tmp_path: Path) -> Path:
    prefix = tmp_path / ".venv"
    (prefix / "bin").mkdir(parents=True)
    (prefix / "bin" / "python").symlink_to(REAL)
    (prefix / "pyvenv.cfg").write_text(f"home = {os.path.dirname(REAL)}\nversion = {FULL}\n")
    return prefix


def test_a_version_finds_the_environment_that_has_it(virtual: Path) -> None:
    environment = requested_environment(MINOR, InstallOptions(), {"PATH": ""}, str(virtual.parent))
    assert environment is not None and environment.prefix == str(virtual)
    environment = requested_environment(FULL, InstallOptions(), {"PATH": ""}, str(virtual.parent))
    assert environment is not None and environment.prefix == str(virtual)


@pytest.mark.parametrize("version", ["3.7", "3.7.1", "pypy@3"])
def test_an_environment_of_another_version_is_refused(virtual: Path, version: str) -> None:
    with pytest.raises(InvalidEnvironment, match=r"\.venv is not an environment of"):
        requested_environment(version, InstallOptions(), {"PATH": ""}, str(virtual.parent))


def test_system_passes_the_environment_over(virtual: Path, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "python3").symlink_to(REAL)
    environ = {"PATH": str(tmp_path / "plain"), "VIRTUAL_ENV": str(virtual)}
    environment = requested_environment(None, InstallOptions(system=True), environ, str(tmp_path))
    assert environment is not None and not environment.is_virtual
    assert environment.python == str(tmp_path / "plain" / "python3")


def test_a_folder_is_for_the_environment_at_hand_or_else_for_the_interpreter_on_path(
    virtual: Path, tmp_path: Path
) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "python3").symlink_to(REAL)
    (tmp_path / "elsewhere").mkdir()
    options, environ = InstallOptions(target=str(tmp_path / "out")), {"PATH": str(tmp_path / "plain")}
    near = requested_environment(None, options, environ, str(virtual.parent))
    assert near is not None and near.python == str(virtual / "bin" / "python")
    (virtual / "pyvenv.cfg").rename(tmp_path / "elsewhere" / "pyvenv.cfg")
    (virtual / "bin" / "python").unlink()
    (virtual / "bin").rmdir()
    virtual.rmdir()
    far = requested_environment(None, options, environ, str(tmp_path))
    assert far is not None and far.python == str(tmp_path / "plain" / "python3")
    assert near.prefix == far.prefix == str(tmp_path / "out") and near.layout == "target"
