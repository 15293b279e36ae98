"""Case 73: nothing that comes from outside is obeyed by a terminal, by a runner of GitHub Actions, or hides in JSON.

Every source is tried with every output.  The word EVIL has to be in the output: what is not shown proves nothing.
"""

import json
import os
import pty
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.report_schema import Report
from tests.support.index import Fault, Index
from tests.support.tool import Target, Tool, clean_environ
from tests.support.wheels import Member, make_wheel

#: Colors, a link (OSC 8), an override of direction, a C1 control, and what a runner would obey once it is unescaped.
EVIL = "EVIL\x1b[31m\x1b]8;;x\x07\u202e\x9b\x7f%0A::set-output name=a::b##[add-path]x"
LINES = f"{EVIL}\r\n::add-mask::x\n  ::stop-commands::x"
#: A header is read as bytes, and a parser may refuse controls in it.
IN_HEADER = "EVIL\u202e%0A::set-output name=a::b##[add-path]x".encode().decode("latin-1")

OUR_COLORS = re.compile(r"\x1b\[(?:0|31|32|33|36)m")
ANNOTATION = re.compile(r"::(?:error|warning)(?: file=[^,:]+,line=[0-9]+)?::\S")

#: Makes ready what a run will say, and returns the lock of that run.
Source = Callable[[Index, Tool, Target], Path]


def lock_line(index: Index, tool: Tool, target: Target) -> Path:
    return tool.write_lock(EVIL)


def lock_name(index: Index, tool: Tool, target: Target) -> Path:
    return tool.write_lock("demo>1", name=f"{LINES.replace('/', '')}.txt")


def removed_version(index: Index, tool: Tool, target: Target) -> Path:
    folder = target.site / f"old-1.0{EVIL}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: old\nVersion: 1.0{EVIL}\n")
    (folder / "RECORD").write_text(f"{folder.name}/METADATA,,\n{folder.name}/RECORD,,\n")
    return tool.write_lock("one==1.0 ; python_version < '3'")


def yank_reason(index: Index, tool: Tool, target: Target) -> Path:
    wheel = make_wheel("bad", "1.0")
    index.add(wheel, yanked=LINES)
    return tool.write_lock(wheel.pin)


def environment(index: Index, tool: Tool, target: Target) -> Path:
    target.prefix = target.prefix.parent / f"none {EVIL}\r\n::add-mask::x"
    return tool.write_lock()


def page_of_another_project(index: Index, tool: Tool, target: Target) -> Path:
    return page(index, tool, {"meta": {"api-version": "1.1"}, "name": LINES, "files": []})


def page_of_another_version(index: Index, tool: Tool, target: Target) -> Path:
    return page(index, tool, {"meta": {"api-version": "EVIL\x1b[1m\u202e\n::x"}, "name": "bad", "files": []})


def page(index: Index, tool: Tool, body: object) -> Path:
    index.add(make_wheel("bad", "1.0"))
    index.fault("/simple/bad/", Fault(body=json.dumps(body).encode()))
    return tool.write_lock("bad==1.0")


def page_reason(index: Index, tool: Tool, target: Target) -> Path:
    index.fault("/simple/bad/", Fault(status=410, reason=IN_HEADER))
    return tool.write_lock("bad==1.0")


def page_type(index: Index, tool: Tool, target: Target) -> Path:
    index.add(make_wheel("bad", "1.0"))
    index.fault("/simple/bad/", Fault(headers={"Content-Type": f"text/{IN_HEADER}"}))
    return tool.write_lock("bad==1.0")


def file_reason(index: Index, tool: Tool, target: Target) -> Path:
    wheel = make_wheel("bad", "1.0")
    index.add(wheel)
    index.fault(f"/files/{wheel.filename}", Fault(status=410, reason=IN_HEADER))
    return tool.write_lock(wheel.pin)


def redirect(index: Index, tool: Tool, target: Target) -> Path:
    index.fault("/simple/bad/", Fault(status=302, headers={"Location": f"ftp://{IN_HEADER}/"}))
    return tool.write_lock("bad==1.0")


def member_name(index: Index, tool: Tool, target: Target) -> Path:
    wheel = make_wheel("bad", "1.0", members=[Member(name=f"bad/{LINES}")])
    index.add(wheel)
    return tool.write_lock(wheel.pin)


def wheel_version(index: Index, tool: Tool, target: Target) -> Path:
    wheel = make_wheel("bad", "1.0", wheel_version=EVIL)
    index.add(wheel)
    return tool.write_lock(wheel.pin)


def entry_point(index: Index, tool: Tool, target: Target) -> Path:
    wheel = make_wheel("bad", "1.0", console_scripts=[f"run = {EVIL}"])
    index.add(wheel)
    return tool.write_lock(wheel.pin)


SOURCES: tuple[Source, ...] = (
    lock_line,
    lock_name,
    removed_version,
    yank_reason,
    environment,
    page_of_another_project,
    page_of_another_version,
    page_reason,
    page_type,
    file_reason,
    redirect,
    member_name,
    wheel_version,
    entry_point,
)
each_source = pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.__name__)


def on_a_terminal(command: list[str], folder: Path, **environ: str) -> str:
    """Runs a command whose standard error is a terminal; returns what that was given."""
    ours, theirs = pty.openpty()
    with open(ours, "rb", buffering=0) as terminal:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=clean_environ(folder, {"TERM": "xterm", **environ}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=theirs,
        )
        os.close(theirs)
        said = bytearray()
        try:
            while data := terminal.read(65536):
                said += data
        except OSError:  # how a terminal on Linux says that nobody writes any more
            pass
        assert process.communicate(timeout=60)[0] == b""
    return said.decode().replace("\r\n", "\n")


@each_source
def test_no_terminal_and_no_reader_of_json_obeys_it(
    source: Source, index: Index, tool: Tool, target: Target, tmp_path: Path
) -> None:
    report, trace = tmp_path / "report.json", tmp_path / "trace.json"
    lock = source(index, tool, target)
    documents = ("--report", str(report), "--trace", str(trace))
    said = on_a_terminal(tool.command(lock, [target], "--no-progress", "-v", *documents), tool.folder)
    assert "EVIL" in said.upper() and "Traceback" not in said
    assert OUR_COLORS.search(said), "it was no terminal"
    assert all(line.isprintable() for line in OUR_COLORS.sub("", said).split("\n"))
    for document in (report, trace):
        text = document.read_text(encoding="ascii")
        assert text.removesuffix("\n").isprintable() and json.loads(text)
    assert "EVIL" in report.read_text().upper()
    Report.model_validate_json(report.read_text())


@each_source
def test_no_runner_obeys_it(source: Source, index: Index, tool: Tool, target: Target) -> None:
    lock = source(index, tool, target)
    run = tool.sync(
        lock, target, options=["-v"], environ={"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(tool.folder)}
    )
    assert "EVIL" in run.err.upper() and run.out == ""
    lines = run.err.split("\n")
    assert all(line.isprintable() for line in lines)
    assert not any("##[" in line for line in lines if not line.startswith("::"))
    commands = [line for line in lines if line.lstrip().startswith("::")]
    assert all(ANNOTATION.match(command) for command in commands)
    if source is not removed_version:
        assert any("EVIL" in command.upper() for command in commands)
    for command in commands:
        assert set(re.findall("%(..)", command)) <= {"25", "0A", "3A", "2C"}
        assert "%0A::set-output" not in command
