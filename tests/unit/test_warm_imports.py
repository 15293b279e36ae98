"""A warm sync loads what the layering test calls the warm path, and nothing else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cache import plans
from cache.layout import Layout
from cache.plans import PlannedEntry
from engine.environment.target import find_environment
from engine.locations import IndexLocation, IndexOptions
from engine.options import LockOptions, SyncOptions
from engine.reporting import View
from engine.sync import Run
from tests.unit.engine.entries import RELATIVE, publish
from tests.unit.test_layering import ROOT, WARM_PATH, module_name, warm_files

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the environment is laid out as on POSIX")

# `-I -S` keeps out what `site` loads; `os` is loaded with the interpreter otherwise.
SCRIPT = """
import os, sys
before = set(sys.modules)
sys.path.insert(0, sys.argv[1])
import cli
code = cli.main(sys.argv[2:])
print(*sorted(set(sys.modules) - before))
sys.exit(code)
"""
#: No settings but those in the working folder.
SURROUNDINGS = {"PATH": os.defpath, "PIP_CONFIG_FILE": os.devnull, "HOME": "/nowhere", "XDG_CONFIG_DIRS": "/nowhere"}
OURS = ("cli", "engine", "cache", "resolver")


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    """A virtual environment as far as the file system tells."""
    prefix = tmp_path / "environment"
    for folder in RELATIVE.values():
        (prefix / folder).mkdir(parents=True, exist_ok=True)
    base = Path(os.path.realpath(sys.executable))
    (prefix / "bin" / "python").symlink_to(base)
    (prefix / "pyvenv.cfg").write_text(f"home = {base.parent}\n")
    return prefix


@pytest.fixture
def command(tmp_path: Path, prefix: Path) -> list[str]:
    """The command line of a sync, with the options that its plan is stored for."""
    lock = tmp_path / "lock.txt"
    lock.write_text("demo==1.0\n")
    index = "https://example.com/simple/"
    return ["sync", str(lock), "--cache-dir", str(tmp_path / "cache"), "-p", str(prefix), "-i", index, "--offline"]


def store_plan(command: list[str], prefix: Path, *entries: PlannedEntry) -> None:
    indexes = IndexOptions(locations=[IndexLocation(command[7], default=True)])
    options = SyncOptions(
        locks=LockOptions(files=[command[1]]), pythons=(str(prefix),), cache_dir=command[3], indexes=indexes
    )
    environment = find_environment(str(prefix), {}, "/")
    assert environment is not None
    key = Run(options, {}, "/", View()).plan_key(environment.interpreter_key)
    plans.store(Layout(command[3]).plan(key), plans.Plan(RELATIVE, list(entries)))


#: What a sync that finds everything in place does without.
ONLY_FOR_CHANGES = {
    *("engine.linking", "engine.parallel", "engine.removal", "engine.staging", "engine.transaction", "engine.wheel"),
    *("engine.wheel.digest", "engine.wheel.layout", "engine.wheel.record", "engine.wheel.scripts"),
}


def loaded(command: list[str], script: str = SCRIPT, options: tuple[str, ...] = ("-I", "-S")) -> set[str]:
    """Runs the tool in another process; returns what it loads."""
    run = subprocess.run(
        [sys.executable, *options, "-c", script, str(ROOT), *command],
        cwd=Path(command[3]).parent,
        env=SURROUNDINGS,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    return set(run.stdout.split())


def ours(modules: set[str]) -> set[str]:
    return {module for module in modules if module.partition(".")[0] in OURS}


def test_a_warm_sync_loads_the_warm_path_and_nothing_else_of_the_project(command: list[str], prefix: Path) -> None:
    entry = publish(Path(command[3]), {"demo.py": b"x = 1\n", "demo-1.0.data/scripts/run": b"#!python\n"})
    store_plan(command, prefix, entry)
    modules = ours(loaded(command))
    assert (prefix / "lib/site/demo.py").exists() and (prefix / "bin/run").exists()
    assert modules == {module_name(path) for path in warm_files()} - {"engine.removal"}


def test_a_sync_that_replaces_a_distribution_loads_no_more(command: list[str], prefix: Path) -> None:
    old = publish(Path(command[3]), {"old.py": b""}, version="0.9")
    store_plan(command, prefix, old)
    loaded(command)
    new = publish(Path(command[3]), {"demo.py": b"x = 1\n"})
    store_plan(command, prefix, new)
    modules = ours(loaded(command))
    assert (prefix / "lib/site/demo.py").exists() and not (prefix / "lib/site/old.py").exists()
    assert modules == {module_name(path) for path in warm_files()}


def test_a_sync_with_nothing_to_do_loads_less(command: list[str], prefix: Path) -> None:
    store_plan(command, prefix, publish(Path(command[3]), {"demo.py": b"x = 1\n"}))
    loaded(command)
    assert ours(loaded(command)) == {module_name(path) for path in warm_files()} - ONLY_FOR_CHANGES


def test_a_warm_sync_loads_hardly_anything_of_the_standard_library(command: list[str], prefix: Path) -> None:
    store_plan(command, prefix, publish(Path(command[3]), {"demo.py": b"x = 1\n"}))
    modules = loaded(command)
    written_in_python = {module for module in modules - ours(modules) if module not in sys.builtin_module_names}
    assert written_in_python <= {"__future__", "_sha2", "_sha256", "binascii", "fcntl", "time"}


@pytest.mark.parametrize("name", ["engine.toml", "pyproject.toml", "pip.conf"])
def test_settings_that_were_read_before_load_nothing_more(
    command: list[str], prefix: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_plan(command, prefix, publish(Path(command[3]), {"demo.py": b"x = 1\n"}))
    loaded(command)
    before = loaded(command)
    path = Path(command[3]).parent / name
    path.write_text(
        {
            "engine.toml": "durable = false",
            "pyproject.toml": "[tool.engine]\ndurable = false",
            "pip.conf": "[global]\nindex-url = https://example.com/other/",
        }[name]
    )
    monkeypatch.setitem(SURROUNDINGS, "PIP_CONFIG_FILE", str(path) if name == "pip.conf" else os.devnull)
    first, second = loaded(command, options=("-I",)), loaded(command)
    assert {"tomllib", "configparser"} & first and second == before


def test_variables_load_nothing_more(command: list[str], prefix: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store_plan(command, prefix, publish(Path(command[3]), {"demo.py": b"x = 1\n"}))
    loaded(command)
    before = loaded(command)
    for name in ("ENGINE_DURABLE", "ENGINE_NONSENSE", "UV_OFFLINE", "PIP_NO_INDEX"):
        monkeypatch.setitem(SURROUNDINGS, name, "0")
    assert loaded(command) == before


def test_the_warm_path_is_written_down_without_packages_and_without_repetition() -> None:
    assert len(set(WARM_PATH)) == len(WARM_PATH)
    assert all((ROOT / path).is_file() for path in warm_files())
