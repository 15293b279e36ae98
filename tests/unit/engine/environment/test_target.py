"""The environment is found in the documented order, without running it, and a broken one is never passed over."""

import os
import sys
from pathlib import Path

import pytest

from engine.environment.target import find_environment, interpreter_key, read_configuration
from engine.errors import InvalidEnvironment

pytestmark = pytest.mark.skipif(os.name == "nt", reason="builds environments in the POSIX layout")


def make_interpreter(path: Path, content: bytes = b"\x7fELF") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o755)
    return path


def make_virtual(prefix: Path, base: Path, configuration: str | None = None) -> Path:
    (prefix / "bin").mkdir(parents=True)
    (prefix / "bin" / "python").symlink_to(base)
    (prefix / "pyvenv.cfg").write_text(configuration or f"home = {base.parent}\nversion = 3.12.1\n", encoding="utf-8")
    return prefix


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return make_interpreter(tmp_path / "base" / "bin" / "python3.12")


def test_nothing_asked_for_and_nothing_there_is_none(tmp_path: Path) -> None:
    assert find_environment(None, {}, str(tmp_path)) is None


def test_virtual_environment_is_described_with_its_links_unresolved(tmp_path: Path, base: Path) -> None:
    prefix = make_virtual(tmp_path / "real", base)
    link = tmp_path / "link"
    link.symlink_to(prefix)
    found = find_environment(str(link), {}, str(tmp_path))
    assert found is not None
    assert found.prefix == str(link)
    assert found.python == str(link / "bin" / "python")
    assert found.base_executable == str(base)
    assert found.is_virtual
    assert len(found.interpreter_key) == 32


def test_an_interpreter_inside_an_environment_stands_for_it(tmp_path: Path, base: Path) -> None:
    prefix = make_virtual(tmp_path / "venv", base)
    (prefix / "bin" / "python3").symlink_to("python")
    found = find_environment("venv/bin/python3", {}, str(tmp_path))
    assert found is not None
    assert (found.prefix, found.python) == (str(prefix), str(prefix / "bin" / "python"))


def test_environment_that_only_has_python3_is_found_by_it(tmp_path: Path, base: Path) -> None:
    prefix = make_virtual(tmp_path / "venv", base)
    (prefix / "bin" / "python").rename(prefix / "bin" / "python3")
    found = find_environment("venv", {}, str(tmp_path))
    assert found is not None
    assert found.python == str(prefix / "bin" / "python3")


def test_environments_of_one_base_share_a_key_and_plain_use_of_it_does_not(tmp_path: Path, base: Path) -> None:
    keys = []
    for name in ("a", "b"):
        found = find_environment(str(make_virtual(tmp_path / name, base)), {}, str(tmp_path))
        assert found is not None
        keys.append(found.interpreter_key)
    plain = find_environment(str(base), {}, str(tmp_path))
    assert plain is not None
    assert keys[0] == keys[1] != plain.interpreter_key


def test_key_changes_with_size_and_with_time(base: Path) -> None:
    first = interpreter_key(str(base), None)
    os.utime(base, ns=(1, 1))
    second = interpreter_key(str(base), None)
    base.write_bytes(b"longer than before")
    os.utime(base, ns=(1, 1))
    third = interpreter_key(str(base), None)
    assert len({first, second, third}) == 3


def test_base_of_an_environment_of_copies_is_found_through_home(tmp_path: Path, base: Path) -> None:
    prefix = make_virtual(tmp_path / "venv", base)
    (prefix / "bin" / "python").unlink()
    make_interpreter(prefix / "bin" / "python")
    expected = make_interpreter(base.parent / "python3")
    found = find_environment(str(prefix), {}, str(tmp_path))
    assert found is not None
    assert found.base_executable == str(expected)


def test_environment_of_copies_whose_base_is_gone_is_refused(tmp_path: Path, base: Path) -> None:
    prefix = make_virtual(tmp_path / "venv", base, "home = /nowhere/at/all\n")
    (prefix / "bin" / "python").unlink()
    make_interpreter(prefix / "bin" / "python")
    with pytest.raises(InvalidEnvironment, match="base interpreter in /nowhere/at/all is gone"):
        find_environment(str(prefix), {}, str(tmp_path))


def test_interpreter_outside_of_environments_has_no_known_prefix(tmp_path: Path, base: Path) -> None:
    link = tmp_path / "mine" / "python"
    link.parent.mkdir()
    link.symlink_to(base)
    found = find_environment("mine/python", {}, str(tmp_path))
    assert found is not None
    assert (found.prefix, found.is_virtual) == ("", False)
    assert found.python == str(link)
    assert found.base_executable == str(base)


def test_installation_folder_stands_for_its_interpreter(tmp_path: Path, base: Path) -> None:
    (base.parent / "python3").symlink_to(base.name)
    found = find_environment(str(base.parent.parent), {}, str(tmp_path))
    assert found is not None
    assert (found.prefix, found.python, found.is_virtual) == ("", str(base.parent / "python3"), False)


def test_shim_has_no_key(tmp_path: Path) -> None:
    shim = make_interpreter(tmp_path / "shims" / "python3", b"#!/bin/sh\nexec python\n")
    found = find_environment(str(shim), {}, str(tmp_path))
    assert found is not None
    assert found.interpreter_key == ""


def test_bare_name_is_looked_up_on_the_given_path(tmp_path: Path, base: Path) -> None:
    environ = {"PATH": os.pathsep.join(["", str(tmp_path), str(base.parent)])}
    found = find_environment("python3.12", environ, str(tmp_path))
    assert found is not None
    assert found.python == str(base)


def test_bare_name_of_a_folder_here_wins_over_the_command(tmp_path: Path, base: Path) -> None:
    prefix = make_virtual(tmp_path / "python3.12", base)
    found = find_environment("python3.12", {"PATH": str(base.parent)}, str(tmp_path))
    assert found is not None
    assert found.prefix == str(prefix)


def test_unknown_command_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidEnvironment, match=r"python9\.9") as caught:
        find_environment("python9.9", {"PATH": str(tmp_path)}, str(tmp_path))
    assert caught.value.hint


@pytest.mark.parametrize("variable", ["VIRTUAL_ENV", "CONDA_PREFIX"])
def test_variable_that_names_a_missing_folder_is_an_error(tmp_path: Path, base: Path, variable: str) -> None:
    make_virtual(tmp_path / ".venv", base)
    with pytest.raises(InvalidEnvironment, match="gone") as caught:
        find_environment(None, {variable: str(tmp_path / "gone")}, str(tmp_path))
    assert variable in (caught.value.hint or "")


def test_order_is_request_then_virtual_env_then_conda_then_folder(tmp_path: Path, base: Path) -> None:
    for name in ("asked", "active", ".venv"):
        make_virtual(tmp_path / name, base)
    conda = tmp_path / "conda"
    (conda / "conda-meta").mkdir(parents=True)
    make_interpreter(conda / "bin" / "python")
    environ = {"VIRTUAL_ENV": str(tmp_path / "active"), "CONDA_PREFIX": str(conda), "CONDA_DEFAULT_ENV": "work"}

    def prefix(python: str | None) -> str:
        found = find_environment(python, environ, str(tmp_path))
        assert found is not None
        return os.path.basename(found.prefix)

    order = [prefix("asked"), prefix(None)]
    environ["VIRTUAL_ENV"] = ""
    order.append(prefix(None))
    del environ["CONDA_PREFIX"]
    order.append(prefix(None))
    assert order == ["asked", "active", "conda", ".venv"]


def test_base_environment_of_conda_is_not_a_choice(tmp_path: Path) -> None:
    conda = tmp_path / "conda"
    (conda / "conda-meta").mkdir(parents=True)
    make_interpreter(conda / "bin" / "python")
    environ = {"CONDA_PREFIX": str(conda), "CONDA_DEFAULT_ENV": "base"}
    assert find_environment(None, environ, str(tmp_path)) is None
    asked = find_environment("conda/bin/python", environ, str(tmp_path))
    assert asked is not None
    assert (asked.prefix, asked.is_virtual) == (str(conda), False)


def test_nearest_folder_above_is_taken(tmp_path: Path, base: Path) -> None:
    make_virtual(tmp_path / ".venv", base)
    inner = make_virtual(tmp_path / "a" / ".venv", base)
    (tmp_path / "a" / "b" / "c").mkdir(parents=True)
    found = find_environment(None, {}, str(tmp_path / "a" / "b" / "c"))
    assert found is not None
    assert found.prefix == str(inner)


@pytest.mark.parametrize("kind", ["broken link", "file", "no configuration"])
def test_broken_folder_never_leads_to_the_one_above(tmp_path: Path, base: Path, kind: str) -> None:
    make_virtual(tmp_path / ".venv", base)
    inner = tmp_path / "project" / ".venv"
    inner.parent.mkdir()
    if kind == "broken link":
        inner.symlink_to(tmp_path / "gone")
    elif kind == "file":
        inner.write_text("elsewhere", encoding="utf-8")
    else:
        make_interpreter(inner / "bin" / "python")
    with pytest.raises(InvalidEnvironment, match=r"project/\.venv"):
        find_environment(None, {}, str(inner.parent))


@pytest.mark.parametrize("configuration", ["version = 3.12\n", "home =\n", "home\n", "\xff\n"])
def test_configuration_without_home_is_refused(tmp_path: Path, base: Path, configuration: str) -> None:
    prefix = make_virtual(tmp_path / "venv", base, configuration)
    with pytest.raises(InvalidEnvironment, match=r"pyvenv\.cfg.*home"):
        find_environment(str(prefix), {}, str(tmp_path))


def test_configuration_keys_are_in_lower_case_and_values_may_hold_an_equals_sign(tmp_path: Path) -> None:
    (tmp_path / "pyvenv.cfg").write_text("HOME = /a=b \r\nprompt='x'\n\n# note\n", encoding="utf-8", newline="")
    assert read_configuration(str(tmp_path)) == {"home": "/a=b", "prompt": "'x'"}


def test_environment_whose_interpreter_was_removed_says_so(tmp_path: Path, base: Path) -> None:
    prefix = make_virtual(tmp_path / "venv", base)
    base.unlink()
    with pytest.raises(InvalidEnvironment, match="which is gone"):
        find_environment(str(prefix), {}, str(tmp_path))


def test_environment_without_interpreter_is_refused(tmp_path: Path, base: Path) -> None:
    prefix = make_virtual(tmp_path / "venv", base)
    (prefix / "bin" / "python").unlink()
    with pytest.raises(InvalidEnvironment, match="no interpreter"):
        find_environment(str(prefix), {}, str(tmp_path))


@pytest.mark.parametrize("python", ["", "missing/python", "folder", "plain.txt", "dangling"])
def test_request_that_is_no_interpreter_is_refused_with_a_hint(tmp_path: Path, python: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "plain.txt").write_text("no", encoding="utf-8")
    (tmp_path / "dangling").symlink_to("nothing")
    with pytest.raises(InvalidEnvironment) as caught:
        find_environment(python, {"PATH": ""}, str(tmp_path))
    assert caught.value.hint
    assert python in str(caught.value)


def test_running_interpreter_agrees(tmp_path: Path) -> None:
    found = find_environment(sys.executable, {}, str(tmp_path))
    assert found is not None
    assert found.is_virtual == (sys.prefix != sys.base_prefix)
    if found.is_virtual:
        assert found.prefix == sys.prefix
    assert found.base_executable == os.path.realpath(sys.executable)
