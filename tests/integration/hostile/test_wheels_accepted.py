"""Wheels that are odd and no more are installed, with a warning where the user should know.

The numbers are those of the table in docs/hostile-input.md.
"""

import hashlib
import os
import stat
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.integration.conftest import NewTarget
from tests.support.building import DIST_INFO, FILENAME, Entry, archive, wheel, wheel_entries
from tests.support.index import Index
from tests.support.oracle import NEW, OLD, Oracle
from tests.support.tool import Target, Tool, clean_environ
from tests.support.wheels import Wheel, make_wheel

MODULE = Entry(name="demo.py", content=b"version = '1.0'\n" * 9)
PIN = "demo==1.0"


def as_wheel(content: bytes, filename: str = FILENAME) -> Wheel:
    return Wheel(name="demo", version="1.0", filename=filename, content=content)


def install(oracle: Oracle, content: bytes, *, filename: str = FILENAME, options: tuple[str, ...] = ()) -> str:
    """Installs a wheel beside what is there already; returns what was said."""
    oracle.index.add(as_wheel(content, filename))
    return oracle.accepted(OLD.pin, PIN, options=options)


def warnings(said: str) -> list[str]:
    return [line for line in said.splitlines() if line.startswith("warning: ")]


def site_file(oracle: Oracle, path: str) -> Path:
    return oracle.ground.target.site / path


def record(oracle: Oracle) -> dict[str, tuple[str, str]]:
    """Returns path to (hash, size) of the RECORD that was installed."""
    rows = (line.rsplit(",", 2) for line in site_file(oracle, f"{DIST_INFO}/RECORD").read_text().splitlines())
    return {path: (algorithm_hash, size) for path, algorithm_hash, size in rows}


def right_row(content: bytes) -> tuple[str, str]:
    import base64

    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
    return f"sha256={digest}", str(len(content))


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o755), (0o077, 0o700), (0o027, 0o750)])
def test_of_a_members_mode_only_the_execute_bit_is_kept(umask: int, mode: int, accepting: Oracle) -> None:
    """Case 9."""
    before = os.umask(umask)
    try:
        install(accepting, wheel(replace(MODULE, mode=0o107777), Entry(name="plain.py", mode=0o102666)))
    finally:
        os.umask(before)
    assert stat.S_IMODE(site_file(accepting, "demo.py").stat().st_mode) == mode
    assert stat.S_IMODE(site_file(accepting, "plain.py").stat().st_mode) == mode & 0o666


def test_an_equal_duplicate_is_installed_once(accepting: Oracle) -> None:
    """Case 10."""
    said = install(accepting, wheel(MODULE, MODULE))
    assert warnings(said) == ["warning: demo-1.0-py3-none-any.whl: member 'demo.py' is there twice"]
    assert site_file(accepting, "demo.py").read_bytes() == MODULE.content


@pytest.mark.parametrize("descriptor", ["signed", "bare", "wide"])
def test_consistent_data_descriptors_are_accepted(descriptor: str, accepting: Oracle) -> None:
    """Case 23."""
    said = install(accepting, wheel(replace(MODULE, descriptor=descriptor)))
    assert warnings(said) == []
    assert site_file(accepting, "demo.py").read_bytes() == MODULE.content


def test_a_wheel_that_unpacks_to_unusually_much_is_a_warning(accepting: Oracle) -> None:
    """Case 25."""
    noise = Entry(name="noise", content=os.urandom(800_000), method=0)
    (warning,) = warnings(install(accepting, wheel(noise, Entry(name="zeros", content=bytes(66 << 20)))))
    assert "unusually much" in warning
    assert site_file(accepting, "zeros").stat().st_size == 66 << 20


def test_thousands_of_members_are_installed(accepting: Oracle) -> None:
    """Case 27; what makes seventy thousand slow is the file system, so a unit test takes that many without it."""
    entries = [Entry(name=f"demo/{number // 1000}/{number}", method=0) for number in range(5000)]
    assert warnings(install(accepting, archive(wheel_entries(*entries), wide=True))) == []
    assert len(list(site_file(accepting, "demo").glob("*/*"))) == 5000


@pytest.mark.parametrize(("first", "second"), [("Foo.py", "foo.py"), ("\u00e9.py", "e\u0301.py")])
def test_names_that_some_file_systems_confuse_are_a_warning(first: str, second: str, accepting: Oracle) -> None:
    """Case 31."""
    (warning,) = warnings(install(accepting, wheel(Entry(name=first, content=b"1"), Entry(name=second, content=b"2"))))
    assert "the same file on some file systems" in warning
    assert site_file(accepting, first).read_bytes() == b"1"
    assert site_file(accepting, second).read_bytes() == b"2"


@pytest.mark.parametrize("order", [("one", "two"), ("two", "one")])
def test_of_two_owners_the_first_in_the_lock_wins_and_each_leaves_the_file_to_the_other(
    order: tuple[str, str], accepting: Oracle
) -> None:
    """Case 33."""
    wheels = {name: make_wheel(name, "1.0", {"shared.py": f"owner = {name!r}\n"}) for name in order}
    accepting.index.add(*wheels.values())
    (warning,) = warnings(accepting.accepted(*(wheels[name].pin for name in order)))
    assert "shared.py" in warning and "one" in warning and "two" in warning
    shared = site_file(accepting, "shared.py")
    assert shared.read_text() == f"owner = {order[0]!r}\n"
    accepting.accepted(wheels[order[0]].pin)
    assert shared.read_text() == f"owner = {order[0]!r}\n"
    accepting.accepted(OLD.pin)
    assert not shared.exists()


def test_a_newer_minor_wheel_format_is_a_warning(accepting: Oracle) -> None:
    """Case 37."""
    body = wheel(MODULE, wheel=b"Wheel-Version: 1.9\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    assert warnings(install(accepting, body)) == [f"warning: {FILENAME}: it has the newer wheel format 1.9"]


def test_tags_that_are_not_those_of_the_file_name_are_a_warning(accepting: Oracle) -> None:
    """Case 38."""
    body = wheel(MODULE, wheel=b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: cp27-cp27m-win32\n")
    (warning,) = warnings(install(accepting, body))
    assert "cp27-cp27m-win32" in warning and "the file name counts" in warning


def wrong_record(row: str) -> bytes:
    """Returns a wheel in whose RECORD the module has this row instead of its own."""
    entries = wheel_entries(MODULE)
    entries[-1].content = row.encode() + b"".join(entries[-1].content.splitlines(keepends=True)[1:])
    return archive(entries)


@pytest.mark.parametrize(
    ("row", "word"),
    [
        pytest.param("gone.py,,\n" + f"demo.py,{','.join(right_row(MODULE.content))}\n", "'gone.py'", id="44-absent"),
        pytest.param("", "'demo.py' is not in RECORD", id="45-unlisted"),
        pytest.param("demo.py,sha256=AAAA,144\n", "wrong about 'demo.py'", id="46-hash"),
        pytest.param(f"demo.py,{right_row(MODULE.content)[0]},143\n", "wrong about 'demo.py'", id="46-size"),
        pytest.param("demo.py,md5=AAAA,144\n", "wrong about 'demo.py'", id="48-md5"),
        pytest.param("demo.py,sha256=!?%,144\n", "wrong about 'demo.py'", id="48-no-base64"),
    ],
)
def test_a_wrong_record_is_a_warning_and_the_installed_one_is_right(row: str, word: str, accepting: Oracle) -> None:
    """Cases 44, 45, 46 and 48."""
    (warning,) = warnings(install(accepting, wrong_record(row)))
    assert FILENAME in warning and word in warning
    installed = record(accepting)
    assert installed["demo.py"] == right_row(MODULE.content)
    assert "gone.py" not in installed


def test_a_strict_run_refuses_what_an_earlier_one_has_cached_and_planned(
    accepting: Oracle, new_target: NewTarget
) -> None:
    """Case 46."""
    accepting.index.add(as_wheel(wrong_record("demo.py,sha256=AAAA,144\n")))
    lock = accepting.tool.write_lock(PIN)
    assert accepting.tool.sync(lock, new_target("one")).code == 0
    other = new_target("other")
    result = accepting.tool.sync(lock, other, options=["--strict-record"])
    assert result.code == 1 and "wrong about 'demo.py'" in result.err
    assert other.installed() == set()
    assert accepting.tool.sync(lock, other).code == 0


def test_a_strict_run_installs_a_right_wheel_and_is_then_warm(accepting: Oracle, new_target: NewTarget) -> None:
    """Case 46: the option costs a wheel without faults nothing but time."""
    accepting.index.add(as_wheel(wheel(MODULE)))
    lock = accepting.tool.write_lock(PIN)
    result = accepting.tool.sync(lock, new_target("one"), options=["--strict-record"])
    assert result.code == 0 and warnings(result.err) == []
    asked = len(accepting.index.requests)
    result = accepting.tool.sync(lock, new_target("two"), options=["--strict-record", "-v"])
    assert result.code == 0 and "by a stored plan" in result.err
    assert len(accepting.index.requests) == asked


@pytest.mark.parametrize("where", ["etc/x.py", "absolute", "neighbour"])
def test_a_record_that_names_files_elsewhere_deletes_nothing_there(where: str, accepting: Oracle) -> None:
    """Case 47."""
    install(accepting, wheel(MODULE))
    folder = accepting.ground.folder
    path = {
        "etc/x.py": "../../../../etc/x.py",
        "absolute": str(folder / "etc" / "x.py"),
        "neighbour": "../../../../site-packages-evil/x.py",
    }[where]
    with site_file(accepting, f"{DIST_INFO}/RECORD").open("a") as file:
        file.write(f"{path},,\n")
    said = accepting.accepted(NEW.pin)
    assert "left in place" in said and "x.py" in said
    assert not site_file(accepting, "demo.py").exists()


def test_entry_points_of_an_installed_distribution_delete_nothing(accepting: Oracle) -> None:
    """Case 49: what leaves is what RECORD names."""
    points = b"[console_scripts]\ndemo = demo:main\n"
    install(accepting, wheel(MODULE, entry_points=points), options=("--link-mode", "copy"))
    evil = "".join(f"{name} = demo:main\n" for name in ("../../etc/x.py", "/etc/x.py", "..", "python"))
    site_file(accepting, f"{DIST_INFO}/entry_points.txt").write_text(f"[console_scripts]\n{evil}")
    accepting.accepted(NEW.pin)
    scripts = accepting.ground.target.prefix / "bin"
    assert (scripts / "python").exists() and not (scripts / "demo").exists()


SCRIPT = b"import sys\nprint(sys.argv[1], sys.prefix)\n"


@pytest.mark.parametrize("name", ["with a blank", "l" * 120])
def test_scripts_run_where_a_plain_first_line_would_not_do(
    name: str, tool: Tool, index: Index, pristine: Target, tmp_path: Path
) -> None:
    """Case 52."""
    target = pristine.copy_to(tmp_path / name / "env")
    entries = [
        Entry(name="demo.py", content=b"import sys\ndef main():\n    print(sys.argv[1], sys.prefix)\n"),
        Entry(name="demo-1.0.data/scripts/rewritten", content=b"#!python\n" + SCRIPT, mode=0o100755),
    ]
    index.add(as_wheel(wheel(*entries, entry_points=b"[console_scripts]\ngenerated = demo:main\n")))
    result = tool.sync(tool.write_lock(PIN), target)
    assert result.code == 0, result.err
    for script in ("rewritten", "generated"):
        path = target.prefix / "bin" / script
        assert path.read_bytes().startswith(b"#!/bin/sh\n")
        run = subprocess.run(
            [path, "a b"], capture_output=True, text=True, check=True, env=clean_environ(tmp_path), timeout=30
        )
        assert run.stdout == f"a b {target.prefix}\n"


@pytest.mark.parametrize(
    ("head", "rewritten"),
    [
        (b"#!python\n", True),
        (b"#!python -E\n", True),
        (b"#! python\n", False),
        (b"#!/usr/bin/python\n", False),
        (b" #!python\n", False),
        (b"\xef\xbb\xbf#!python\n", False),
        (b"#!Python\n", False),
    ],
)
def test_only_the_exact_placeholder_is_rewritten(head: bytes, rewritten: bool, accepting: Oracle) -> None:
    """Case 53."""
    content = head + SCRIPT
    install(accepting, wheel(Entry(name="demo-1.0.data/scripts/run", content=content, mode=0o100755)))
    found = (accepting.ground.target.prefix / "bin" / "run").read_bytes()
    python = str(accepting.ground.target.python).encode()
    assert found == (b"#!" + python + b"\n" + SCRIPT if rewritten else content)


@pytest.mark.parametrize("name", ["demo.pth", "demo.start"])
def test_a_file_that_python_obeys_at_its_start_is_installed_and_named(
    name: str, accepting: Oracle, new_target: NewTarget
) -> None:
    """Case 54: when it comes over the network, and when it comes from the cache."""
    line = f"{name} of demo is obeyed whenever Python starts"
    content = wheel(MODULE, Entry(name=name, content=b"import sys\n"), Entry(name=f"demo/{name}"))
    assert install(accepting, content, options=("-v",)).count(line) == 1
    assert site_file(accepting, name).exists()
    result = accepting.tool.sync(accepting.tool.write_lock(OLD.pin, PIN), new_target("other"), options=["-v"])
    assert result.err.count(line) == 1
