"""The table of usual requirements is made of wheels."""

from pathlib import Path

import pytest

from shipping.usual import main
from tests.support.wheels import make_wheel


def lines(tmp_path: Path, capsys: pytest.CaptureFixture[str], **requires: list[str]) -> list[str]:
    for name, wanted in requires.items():
        project, _, version = name.partition("_")
        wheel = make_wheel(project, version or "1.0", requires=wanted)
        (tmp_path / wheel.filename).write_bytes(wheel.content)
    main([str(tmp_path)])
    head, made, *found = capsys.readouterr().out.splitlines()
    assert head.startswith("#") and made.startswith("#")
    return found


def test_names_are_normalised_and_in_order_and_who_requires_nothing_has_no_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lines(tmp_path, capsys, b=["Z_z>1", "a.a"], a=[], c=["c"]) == ["b a-a z-z"]


def test_only_what_linux_wants_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    requires = ["x; sys_platform == 'win32'", "y; python_version < '3.8'", "z; platform_system == 'Linux'"]
    assert lines(tmp_path, capsys, a=requires) == ["a z"]


def test_the_newest_wheel_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert lines(tmp_path, capsys, a_9=["old"], a_10=["new"]) == ["a new"]
