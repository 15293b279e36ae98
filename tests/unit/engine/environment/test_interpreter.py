"""Facts come from the interpreter itself, survive the cache, and damage is a miss."""

import json
import os
import platform
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.tags import sys_tags

from engine.environment.interpreter import Interpreter, parse_probe, read_externally_managed, start_probe
from engine.environment.probe import BEGIN, END
from engine.errors import InvalidEnvironment


@pytest.fixture(scope="module")
def virtual() -> Interpreter:
    return start_probe(sys.executable, is_virtual=True).result()


@pytest.fixture(scope="module")
def plain() -> Interpreter:
    return start_probe(os.path.realpath(sys.executable), is_virtual=False).result()


def make_shim(path: Path, script: str) -> str:
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_version_and_implementation_are_those_of_the_probed_one(virtual: Interpreter) -> None:
    assert virtual.version == platform.python_version().rstrip("+")
    assert virtual.implementation == sys.implementation.name


def test_tags_are_those_of_packaging_in_its_order(virtual: Interpreter) -> None:
    assert virtual.tags == tuple(str(tag) for tag in sys_tags())
    assert virtual.tag_priority[virtual.tags[0]] == 0
    assert virtual.tag_priority["py3-none-any"] == virtual.tags.index("py3-none-any")


def test_markers_are_those_of_packaging(virtual: Interpreter) -> None:
    assert virtual.markers == dict(default_environment())


def test_schemes_of_a_virtual_environment_are_where_venv_has_them(virtual: Interpreter, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=False)
    assert (tmp_path / "venv" / virtual.schemes["purelib"]).is_dir()
    assert (tmp_path / "venv" / virtual.schemes["scripts"]).is_dir()
    major_minor = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert virtual.schemes["headers"] == f"include/site/python{major_minor}"
    assert virtual.schemes["data"] == ""
    assert not any(path.startswith("/") for path in virtual.schemes.values())


def test_facts_of_a_virtual_environment_do_not_name_it(virtual: Interpreter) -> None:
    assert virtual.prefix == sys.base_prefix
    assert virtual.executable == os.path.realpath(sys.executable)


def test_schemes_outside_of_environments_are_absolute(plain: Interpreter) -> None:
    assert not plain.is_virtual
    assert sorted(plain.schemes) == ["data", "headers", "platlib", "purelib", "scripts"]
    assert all(os.path.isabs(path) for path in plain.schemes.values())
    assert plain.stdlib == sysconfig.get_path("stdlib")


def test_facts_survive_the_cache(virtual: Interpreter, plain: Interpreter) -> None:
    assert Interpreter.from_json(virtual.to_json()) == virtual
    assert Interpreter.from_json(plain.to_json()) == plain


def test_cut_facts_are_a_miss_at_every_length(virtual: Interpreter) -> None:
    body = virtual.to_json()
    assert all(Interpreter.from_json(body[:end]) is None for end in range(0, len(body), 97))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("format", 0),
        ("tags", []),
        ("tags", [1]),
        ("tags", "py3-none-any"),
        ("markers", None),
        ("markers", {"os_name": 3}),
        ("schemes", {"purelib": "lib"}),
        ("version", 3.12),
        ("is_virtual", "yes"),
    ],
)
def test_facts_of_a_wrong_shape_are_a_miss(virtual: Interpreter, key: str, value: object) -> None:
    fields = json.loads(virtual.to_json())
    fields[key] = value
    assert Interpreter.from_json(json.dumps(fields).encode()) is None


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"\xff\xfe", b'{"format": 1}'])
def test_what_is_not_facts_at_all_is_a_miss(body: bytes) -> None:
    assert Interpreter.from_json(body) is None


def test_noise_around_the_answer_is_ignored(virtual: Interpreter) -> None:
    facts = json.loads(virtual.to_json())
    stdout = f"switching versions...\n{BEGIN}\n{json.dumps(facts)}\n{END}\nbye\n".encode()
    assert parse_probe(stdout) == virtual


@pytest.mark.parametrize("stdout", ["", "hello", BEGIN, f"{BEGIN}\n{{}}\n{END}", f"{BEGIN}\n3\n{END}"])
def test_answer_without_facts_is_refused(stdout: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_probe(stdout.encode())


def test_interpreter_that_cannot_be_started_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidEnvironment, match="nothing-here"):
        start_probe(str(tmp_path / "nothing-here"), is_virtual=False)


@pytest.mark.skipif(os.name == "nt", reason="shell scripts")
@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo first >&2; echo 'no such version' >&2; exit 127", "no such version"),
        ("exit 3", "exit status 3"),
        ("echo hello", "does not answer"),
    ],
)
def test_failing_shim_is_reported_with_its_last_words(tmp_path: Path, script: str, reason: str) -> None:
    shim = make_shim(tmp_path / "python3", script)
    with pytest.raises(InvalidEnvironment, match=reason) as caught:
        start_probe(shim, is_virtual=False).result()
    assert shim in str(caught.value)


@pytest.mark.skipif(os.name == "nt", reason="shell scripts")
def test_shim_leads_to_the_real_interpreter(tmp_path: Path) -> None:
    shim = make_shim(tmp_path / "python3", f'exec "{sys.executable}" "$@"')
    assert start_probe(shim, is_virtual=False).result().executable == sys.executable


@pytest.mark.skipif(os.name == "nt", reason="shell scripts")
def test_interpreter_that_hangs_is_ended(tmp_path: Path) -> None:
    shim = make_shim(tmp_path / "python3", "exec tail -f /dev/null")
    with pytest.raises(InvalidEnvironment, match="no answer"):
        start_probe(shim, is_virtual=False).result(timeout_seconds=0.05)


def test_cancelled_probe_leaves_no_child_and_no_open_pipe() -> None:
    probe = start_probe(sys.executable, is_virtual=True)
    probe.cancel()
    probe.cancel()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[externally-managed]\nError=Use the distribution's packages,\n 100% of them.\n", "100% of them."),
        ("[externally-managed]\n", "managed by something else"),
        ("[externally-managed]\nError=\n", "managed by something else"),
        ("not a settings file", "managed by something else"),
        ("", "managed by something else"),
    ],
)
def test_marked_interpreter_is_managed_by_others_whatever_the_mark_says(
    tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "EXTERNALLY-MANAGED").write_text(text, encoding="utf-8")
    assert message in (read_externally_managed(str(tmp_path)) or "")


def test_mark_is_read_anew_each_time_and_means_nothing_to_a_virtual_environment(
    virtual: Interpreter, plain: Interpreter, tmp_path: Path
) -> None:
    mark = tmp_path / "EXTERNALLY-MANAGED"
    mark.write_text("[externally-managed]\nError=no\n", encoding="utf-8")
    inside, outside = (facts._replace(stdlib=str(tmp_path)) for facts in (virtual, plain))
    assert (inside.externally_managed, outside.externally_managed) == (None, "no")
    mark.unlink()
    assert (inside.externally_managed, outside.externally_managed) == (None, None)
