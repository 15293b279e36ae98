import io
import os
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.wheel.scripts import launcher, launcher_files, needs_rewriting, rewrite_shebang, shebang


def run(script: bytes, folder: Path, name: str = "script") -> "subprocess.CompletedProcess[str]":
    path = folder / name
    path.write_bytes(script)
    path.chmod(0o755)
    return subprocess.run([path, "one", "two words"], capture_output=True, text=True, timeout=60, check=False)


def test_plain_path_gives_a_plain_line() -> None:
    assert shebang("/env/bin/python") == b"#!/env/bin/python\n"


def test_line_may_have_127_bytes_and_no_more() -> None:
    longest = "/" + "x" * (127 - len("#!/\n"))
    assert shebang(longest) == f"#!{longest}\n".encode()
    assert shebang(longest + "x").startswith(b"#!/bin/sh\n")


@pytest.mark.parametrize("blank", [" ", "\t", "\n"])
def test_path_with_a_blank_is_started_by_sh(blank: str) -> None:
    assert shebang(f"/my{blank}env/bin/python").startswith(b"#!/bin/sh\n")


def test_gui_script_runs_without_console_where_there_is_the_choice() -> None:
    assert shebang("C:/env/python.exe", gui=True) == b"#!C:/env/pythonw.exe\n"
    assert shebang("/env/bin/python", gui=True) == b"#!/env/bin/python\n"


NASTY = [
    "a b",
    "a'b c",
    "a'''b c",
    'a"b c',
    "a$HOME c",
    "a$'b c",
    "a`id` c",
    "a\\b c",
    "a\\\\ c",
    "a\\x c",
    "a\\'c d",
    "$(id) c",
    "x" * 130,
    "ü é",
    "a\nb c",
    '"\'"$`\\ c',
]


@pytest.mark.skipif(os.name == "nt", reason="shebang lines are a matter of Unix")
@pytest.mark.parametrize("name", NASTY)
def test_interpreter_in_any_folder_gets_all_arguments(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    folder.mkdir()
    interpreter = folder / "python"
    interpreter.symlink_to(sys.executable)
    result = run(shebang(str(interpreter)) + b"import sys\nprint(sys.argv[1:])\n", tmp_path)
    assert (result.stdout, result.stderr) == ("['one', 'two words']\n", "")


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), min_size=1))
def test_trampoline_for_any_path_is_a_harmless_string_for_python(path: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scope: dict[str, object] = {}
        exec(compile(shebang("/ " + path) + b"reached = True\n", "script", "exec"), scope)
    assert scope["reached"] is True


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"#!python\nprint(1)\n", b"#!/env/bin/python\nprint(1)\n"),
        (b"#!python -E\r\nprint(1)\r\n", b"#!/env/bin/python\nprint(1)\r\n"),
        (b"#!pythonw\nprint(1)\n", b"#!/env/bin/python\nprint(1)\n"),
        (b"#!python", b"#!/env/bin/python\n"),
    ],
)
def test_placeholder_line_is_replaced(content: bytes, expected: bytes) -> None:
    assert needs_rewriting(content[:8])
    assert rewrite_shebang(content, "/env/bin/python") == expected


@pytest.mark.parametrize(
    "content", [b"#!/usr/bin/env python\n", b" #!python\n", b"#! python\n", b"#!PYTHON\n", b"\x7fELF", b""]
)
def test_other_content_stays_as_it_is(content: bytes) -> None:
    assert not needs_rewriting(content)
    assert rewrite_shebang(content, "/env/bin/python") == content


def test_gui_placeholder_asks_for_the_interpreter_without_console() -> None:
    assert rewrite_shebang(b"#!pythonw\nx\n", "C:/env/python.exe") == b"#!C:/env/pythonw.exe\nx\n"


@pytest.mark.skipif(os.name == "nt", reason="shebang lines are a matter of Unix")
def test_launcher_exits_with_what_a_dotted_callable_returns(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo/tool.py").write_text(
        "import sys\nclass App:\n    @staticmethod\n    def main():\n        print(sys.argv[0]); return 7\n"
    )
    result = run(launcher("demo.tool", "App.main", sys.executable), tmp_path, "run.exe")
    assert result.returncode == 7
    assert result.stdout == f"{tmp_path}/run\n"


def test_launcher_imports_no_more_than_it_needs() -> None:
    lines = launcher("demo.tool", "App.main", "/env/bin/python").decode().splitlines()
    assert [line for line in lines if "import" in line] == ["import sys", "from demo.tool import App"]


def test_on_unix_an_entry_point_is_one_executable_script() -> None:
    [(name, content, executable)] = launcher_files(
        "demo", "demo.tool", "main", "/env/bin/python", gui=False, windows=False
    )
    assert (name, executable) == ("demo", True)
    assert content == launcher("demo.tool", "main", "/env/bin/python")


@pytest.mark.parametrize(
    ("gui", "line"), [(False, b'#!"C:\\a b\\python.exe"\r\n'), (True, b'"C:\\a b\\pythonw.exe"\r\n')]
)
def test_on_windows_an_entry_point_is_an_executable_with_a_script_inside(gui: bool, line: bytes) -> None:
    [(name, content, _)] = launcher_files("demo", "demo.tool", "main", "C:\\a b\\python.exe", gui=gui, windows=True)
    assert name == "demo.exe"
    assert content.startswith(b"MZ")
    stub, _, archive = content.rpartition(line)
    assert stub and archive.startswith(b"PK")
    with zipfile.ZipFile(io.BytesIO(content)) as script:
        assert b"from demo.tool import main" in script.read("__main__.py")


def test_module_loads_nothing_heavy() -> None:
    code = (
        "import sys; before = set(sys.modules); import engine.wheel.scripts, engine.wheel.layout, engine.wheel.record;"
        "print(sorted(set(sys.modules) - before))"
    )
    root = Path(__file__).parents[4]
    result = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(root)!r}); {code}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    loaded = ["engine", "engine.errors", "engine.wheel"]
    loaded += [f"engine.wheel.{name}" for name in ("layout", "record", "scripts")]
    assert result.stdout.strip() == str(loaded)
