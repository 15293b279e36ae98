"""A new environment works, and a failure leaves nothing behind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.environment.create import OWN_PYTHON, create_environment, default_base_executable
from engine.environment.target import find_environment
from engine.errors import InvalidEnvironment

pytestmark = pytest.mark.skipif(os.name == "nt", reason="shell scripts stand for interpreters")

BASE = os.path.realpath(sys.executable)


def make_script(path: Path, script: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_new_environment_is_found_and_runs(tmp_path: Path) -> None:
    create_environment(str(tmp_path / ".venv"), BASE)
    found = find_environment(None, {}, str(tmp_path))
    assert found is not None
    assert found.is_virtual
    assert found.base_executable == BASE
    command = [found.python, "-c", "import sys; print(sys.prefix)"]
    assert subprocess.check_output(command, text=True).strip() == str(tmp_path / ".venv")
    assert not list(tmp_path.glob(".venv/bin/pip*"))


def test_failure_names_both_sides_and_leaves_nothing(tmp_path: Path) -> None:
    script = make_script(tmp_path / "python3", 'for path; do :; done; mkdir "$path"; echo "no venv" >&2; exit 1')
    target = tmp_path / "new"
    with pytest.raises(InvalidEnvironment, match="no venv") as caught:
        create_environment(str(target), script)
    assert script in str(caught.value)
    assert str(target) in str(caught.value)
    assert not target.exists()


def test_failure_keeps_a_folder_that_was_there_before(tmp_path: Path) -> None:
    target = tmp_path / "kept"
    target.mkdir()
    with pytest.raises(InvalidEnvironment, match="exit status 1"):
        create_environment(str(target), make_script(tmp_path / "python3", "exit 1"))
    assert target.is_dir()


def test_missing_base_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidEnvironment, match="no-such-python"):
        create_environment(str(tmp_path / "new"), str(tmp_path / "no-such-python"))


def test_first_python3_on_path_is_the_default(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "python3").symlink_to(BASE)
    environ = {"PATH": os.pathsep.join(["", str(tmp_path / "none"), str(tmp_path / "a"), str(tmp_path / "b")])}
    assert default_base_executable(environ) == str(tmp_path / "a" / "python3")


def test_shim_is_asked_for_what_it_starts(tmp_path: Path) -> None:
    make_script(tmp_path / "python3", f'exec "{BASE}" "$@"')
    assert default_base_executable({"PATH": str(tmp_path)}) == BASE


@pytest.mark.parametrize("script", ["echo 'command not found' >&2; exit 127", "exit 0", "echo /no/such/file"])
def test_shim_that_starts_nothing_is_passed_over(tmp_path: Path, script: str) -> None:
    make_script(tmp_path / "shims" / "python3", script)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").symlink_to(BASE)
    environ = {"PATH": os.pathsep.join([str(tmp_path / "shims"), str(tmp_path / "bin")])}
    assert default_base_executable(environ) == str(tmp_path / "bin" / "python3")


def test_command_named_python_may_be_an_old_one_and_is_asked(tmp_path: Path) -> None:
    make_script(tmp_path / "python", "echo 'Unknown option: -I' >&2; exit 2")
    assert default_base_executable({"PATH": str(tmp_path)}) == BASE


def test_a_python_that_is_for_engine_alone_is_asked_but_nothing_is_installed_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / OWN_PYTHON).touch()
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path))
    environ = {"PATH": str(tmp_path)}
    with pytest.raises(InvalidEnvironment, match="no Python here to install for") as caught:
        default_base_executable(environ)
    assert "--python" in str(caught.value.hint)
    assert default_base_executable(environ, to_ask=True) == BASE
    (tmp_path / "python3").symlink_to(BASE)
    assert default_base_executable(environ) == str(tmp_path / "python3")


def test_own_environment_is_never_the_base() -> None:
    environ = {"PATH": os.path.dirname(sys.executable)}
    assert default_base_executable(environ) == BASE
