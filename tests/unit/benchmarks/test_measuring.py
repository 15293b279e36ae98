"""Tools are run as a user without settings runs them, and failures are told."""

import json
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.machine import describe_version, file_system
from benchmarks.measuring import (
    Bench,
    Programs,
    RunFailed,
    check_space,
    interpreter,
    measure,
    run_once,
    run_together,
    variables,
)
from benchmarks.mirror import Mirror
from benchmarks.rows import Row, State, Work


def test_a_tool_sees_no_settings_of_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PIP_INDEX_URL", "UV_INDEX_URL", "ENGINE_CACHE_DIR", "VIRTUAL_ENV", "XDG_CONFIG_HOME", "PYTHONPATH"):
        monkeypatch.setenv(name, "/somewhere")
    seen = variables(tmp_path, tmp_path / "authority.pem")
    assert "/somewhere" not in seen.values()
    assert Path(seen["HOME"]).is_relative_to(tmp_path) and seen["PATH"].endswith(os.environ["PATH"])


def test_tools_find_our_interpreter_before_any_shim(tmp_path: Path) -> None:
    first = variables(tmp_path, tmp_path / "authority.pem")["PATH"].split(os.pathsep)[0]
    assert Path(sys.executable).resolve().parent == Path(first)


def test_a_run_tells_its_time_and_its_own_memory(tmp_path: Path) -> None:
    ballast = bytearray(300 << 20)
    ballast[:: 1 << 12] = bytes(len(ballast) >> 12)  # every page is touched, so this process is large
    seconds, peak = run_once([sys.executable, "-I", "-S", "-c", "pass"], {})
    assert 0 < seconds < 60
    assert 0 < peak < len(ballast)


def test_a_failure_is_told_with_the_command_and_what_was_said() -> None:
    code = "import sys; print('out'); print('why', file=sys.stderr); sys.exit(3)"
    with pytest.raises(RunFailed) as error:
        run_once([sys.executable, "-I", "-c", code], {})
    text = str(error.value)
    assert "exit code 3" in text and sys.executable in text and "why" in text and "out" in text


def test_versions_are_found_in_what_programs_say() -> None:
    assert describe_version([sys.executable]) == ".".join(map(str, sys.version_info[:3]))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads what Linux mounted")
def test_the_file_system_of_a_folder_is_that_of_its_innermost_mount() -> None:
    assert file_system(Path("/proc/self")) == "proc"
    assert file_system(Path("/")) != "proc"


_PROGRAM = """
import json, os, pathlib, sys
words = sys.argv[2:]
log = pathlib.Path(sys.argv[1])
if "venv" in words:
    os.mkdir(words[-1])
else:
    after = dict(zip(words, words[1:]))
    source = pathlib.Path(after.get("-r") or after.get("sync") or after.get("compile") or os.devnull)
    fresh = not os.path.isdir(after["--cache-dir"]) if "--cache-dir" in after else None
    if fresh:
        os.mkdir(after["--cache-dir"])
    told = {"words": words, "text": source.read_text(), "fresh": fresh, "pyz": os.environ.get("ENGINE_PYZ_DIR")}
    with log.open("a") as file:
        file.write(json.dumps(told) + "\\n")
"""
ROW = Row(name="n", group="g", label="l", column="c", work=Work.SYNC, state=State.WARM, source="demo")


class Stage:
    """Tools that write down what they were told, and a place for them to run in."""

    def __init__(self, folder: Path, *, elsewhere: Path | None = None) -> None:
        self.folder, self._log = folder / "runs", folder / "log"
        self.folder.mkdir()
        for name, text in (("inputs/demo.in", "demo\n"), ("locks/demo.txt", "demo==1\nother==2\n")):
            (folder / name).parent.mkdir()
            (folder / name).write_text(text, encoding="utf-8")
        tools = ("engine", "uv", "pip", "engine.pyz")
        mirror = Mirror(port=1, stale_port=2, authority=folder / "authority.pem", server="none")
        self.bench = Bench(
            programs=Programs(
                commands={name: [sys.executable, "-I", "-c", _PROGRAM, str(self._log), name] for name in tools},
                python="python",
            ),
            real=mirror,
            synthetic=mirror,
            relay=[],
            requirements=folder / "inputs",
            locks=folder / "locks",
            folder=self.folder,
            elsewhere=elsewhere,
        )

    def measure(self, row: Row, *, rounds: int = 2, pip_rounds: int = 1) -> list[dict[str, Any]]:
        """Returns what the tools were told, in order."""
        measure(self.bench, row, rounds, pip_rounds)
        return [json.loads(line) for line in self._log.read_text(encoding="utf-8").splitlines()]


def test_each_tool_runs_once_without_the_clock_and_then_they_take_turns(tmp_path: Path) -> None:
    told = Stage(tmp_path).measure(ROW, rounds=3, pip_rounds=2)
    order = [each["words"][0] for each in told]
    assert order == ["engine", "uv", "pip", "engine", "uv", "pip", "uv", "pip", "engine", "engine", "uv"]


def test_pip_may_be_left_out(tmp_path: Path) -> None:
    assert {each["words"][0] for each in Stage(tmp_path).measure(ROW, pip_rounds=0)} == {"engine", "uv"}


@pytest.mark.parametrize(
    ("state", "fresh", "texts"),
    [
        (State.COLD, [True, True, True, True, True, True], 1),
        (State.WARM, [True, True, False, False, False, False], 1),
        (State.STALE, [True, True, False, False, False, False], 1),
        (State.DONE, [True, True, False, False, False, False], 1),
        (State.CHANGED, [True, True, False, False, False, False], 3),
        (State.OTHER, [True, True, False, False, False, False], 3),
    ],
)
def test_a_state_says_which_runs_have_a_new_cache_and_another_input(
    state: State, fresh: list[bool], texts: int, tmp_path: Path
) -> None:
    told = Stage(tmp_path).measure(replace(ROW, state=state, tools=("engine", "uv")))
    assert [each["fresh"] for each in told] == fresh
    assert len({each["text"] for each in told}) == texts
    for first, second in ((0, 1), (2, 3), (4, 5)):  # both tools of a round work on the same
        assert told[first]["text"] == told[second]["text"]
    environments = {each["words"][-1] for each in told}
    assert len(environments) == (2 if state is State.DONE else 6)
    ports = {word for each in told for word in each["words"] if word.startswith("https:")}
    assert ports == {f"https://localhost:{2 if state is State.STALE else 1}/simple/"}


@pytest.mark.parametrize("together", [False, True])
def test_uv_runs_for_each_environment_and_engine_for_all(together: bool, tmp_path: Path) -> None:
    row = replace(ROW, environments=3, together=together, tools=("engine", "uv"))
    told = Stage(tmp_path).measure(row, rounds=1)
    assert [each["words"][0] for each in told] == ["engine", *["uv"] * 3, "engine", *["uv"] * 3]
    assert told[0]["words"].count("--python") == 3
    assert len({each["words"][-1] for each in told[5:]}) == 3


def test_a_first_start_has_a_new_place_to_unpack_to_each_time(tmp_path: Path) -> None:
    row = replace(ROW, work=Work.START, state=State.COLD, tools=("engine.pyz",))
    places = [each["pyz"] for each in Stage(tmp_path).measure(row, rounds=3)]
    assert len(set(places)) == 4 and None not in places


def test_a_cache_that_is_apart_is_elsewhere_and_environments_are_not(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    stage = Stage(tmp_path, elsewhere=elsewhere)
    for each in stage.measure(replace(ROW, apart=True, tools=("engine",))):
        words = each["words"]
        assert Path(words[words.index("--cache-dir") + 1]).is_relative_to(elsewhere)
        assert Path(words[-1]).is_relative_to(stage.folder)
    assert not list(elsewhere.iterdir())


def test_nothing_of_a_row_stays_whether_it_went_well_or_not(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.measure(ROW)
    assert not list(stage.folder.iterdir())
    stage.bench.programs.commands["uv"] = [sys.executable, "-I", "-c", "raise SystemExit(1)"]
    with pytest.raises(RunFailed):
        stage.measure(ROW)
    assert not list(stage.folder.iterdir())


def test_a_row_does_not_begin_where_there_is_no_room(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    with pytest.raises(RunFailed, match=r"GB free, and .* GB are needed"):
        stage.measure(replace(ROW, synthetic=(("huge", 10**15),)))
    assert not (tmp_path / "log").exists()


def test_room_that_is_there_is_enough(tmp_path: Path) -> None:
    check_space(tmp_path, 0)
    with pytest.raises(RunFailed, match="--folder"):
        check_space(tmp_path, shutil.disk_usage(tmp_path).total + 1)


def test_commands_that_run_together_overlap(tmp_path: Path) -> None:
    # Each waits for the other's file: one after the other, the first would never end.
    code = "import pathlib as p, sys; p.Path(sys.argv[1]).touch()\nwhile not p.Path(sys.argv[2]).exists(): pass"
    names = [str(tmp_path / "a"), str(tmp_path / "b")]
    program = [sys.executable, "-I", "-S", "-c", code]
    seconds, _ = run_together([[*program, *names], [*program, *reversed(names)]], {})
    assert seconds > 0


def test_one_failure_among_commands_that_run_together_is_told() -> None:
    program = [sys.executable, "-I", "-S", "-c"]
    with pytest.raises(RunFailed, match="exit code 3"):
        run_together([[*program, "pass"], [*program, "raise SystemExit(3)"], [*program, "pass"]], {})


def test_the_interpreter_of_an_environment_is_in_it(tmp_path: Path) -> None:
    assert interpreter(tmp_path).is_relative_to(tmp_path)
