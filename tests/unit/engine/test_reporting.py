"""What a run tells at the end."""

from pathlib import Path

from engine.reporting import describe_startup_files
from tests.unit.engine.entries import publish


def test_files_that_python_obeys_at_its_start_are_named_and_others_are_not(tmp_path: Path) -> None:
    files = dict.fromkeys(
        ("a.pth", "b.start", "c.py", "pth", "demo/d.pth", "demo-1.0.data/purelib/e.pth", "demo-1.0.data/data/f.pth"),
        b"import demo\n",
    )
    lines = describe_startup_files([publish(tmp_path, files)])
    assert sorted(lines) == [
        f"{name} of demo is obeyed whenever Python starts" for name in ("a.pth", "b.start", "e.pth")
    ]
