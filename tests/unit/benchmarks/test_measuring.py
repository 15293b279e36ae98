"""Tools are run as a user without settings runs them, and failures are told."""

import os
import sys
from pathlib import Path

import pytest

from benchmarks.machine import describe_version, file_system
from benchmarks.measuring import RunFailed, run_once, variables


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
