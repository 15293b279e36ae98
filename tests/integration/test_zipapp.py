"""`engine.pyz`: does what the installed tool does, on every Python it is for.  `make dist-test` builds it.

How it starts, wherever it may or may not write, is tested without building it: tests/unit/shipping/test_start.py.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from shipping.zipapp import MINORS
from tests.integration.conftest import NewTarget
from tests.support.index import Index
from tests.support.tool import ROOT, Tool, clean_environ
from tests.support.wheels import make_wheel

THIS = f"3{sys.version_info[1]}"
ZIPAPP = ROOT / "dist" / "engine.pyz"
SLIM = ROOT / "dist" / f"engine-cp{THIS}.pyz"
BUILDER = ROOT / ".dist" / "bin" / "python"
WHEELS = ROOT / "build" / "zipapp"
ONE = make_wheel("one", "1.0", {"one.py": "x = 1\n"}, requires=["two"], console_scripts=["one = one:x"])
TWO = make_wheel("two", "1.0", {"two.py": "x = 2\n"})
FIRST_START_SECONDS = 60
VERSIONS = [f"3.{minor}" for minor in MINORS]

pytestmark = pytest.mark.skipif(not ZIPAPP.exists(), reason="dist/engine.pyz is not built: make dist-test")


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Variables of somebody who has never started it, and has an interpreter but nothing of ours."""
    home = tmp_path / "home"
    home.mkdir()
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    interpreters = os.path.dirname(os.path.realpath(sys.executable))
    path = os.pathsep.join((interpreters, "/usr/bin", "/bin"))
    return clean_environ(home, {"PYTHONPATH": "", "PATH": path, "TMPDIR": str(temporary)})


def run(environ: dict[str, str], *command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command,
        cwd=environ["HOME"],
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=FIRST_START_SECONDS,
    )


def test_syncs_cold_and_warm_with_all_its_helper_processes(
    index: Index, tool: Tool, new_target: NewTarget, environ: dict[str, str]
) -> None:
    """Workers that unpack, children that compile, the child that asks a new interpreter."""
    index.add(ONE, TWO)
    lock = tool.write_lock(ONE.pin, TWO.pin)
    for name, said in ("cold", ""), ("warm", "by a stored plan"):
        target = new_target(name)
        words = tool.command(lock, [target], "--compile-bytecode", "-v")[3:]
        done = run(environ, str(ZIPAPP), *words)
        assert done.returncode == 0 and said in done.stderr, done.stderr
        assert target.installed() == {"one-1.0", "two-1.0"}
        assert target.run("import one, two; print(one.x + two.x)") == "3"
        assert list(target.site.glob("__pycache__/one.*.pyc"))


def test_resolves_with_compiled_dependencies(index: Index, tool: Tool, environ: dict[str, str]) -> None:
    index.add(ONE, TWO)
    (tool.folder / "in.txt").write_text("one\n", encoding="utf-8")
    places = ("--cache-dir", str(tool.cache), "--index-url", index.url, "--no-header", "--no-annotate")
    done = run(environ, str(ZIPAPP), "compile", str(tool.folder / "in.txt"), *places)
    assert done.stdout.split() == ["one==1.0", "two==1.0"], done.stderr


@pytest.mark.parametrize("version", VERSIONS)
def test_syncs_with_every_python_it_is_for(
    index: Index, tool: Tool, new_target: NewTarget, environ: dict[str, str], version: str
) -> None:
    python = _working(f"python{version}")
    if python is None:
        pytest.skip(f"there is no Python {version}")
    index.add(ONE, TWO)
    lock, target = tool.write_lock(ONE.pin, TWO.pin), new_target("env")
    words = tool.command(lock, [target], "--compile-bytecode")[3:]
    done = run(environ, python, str(ZIPAPP), *words)
    assert done.returncode == 0 and target.installed() == {"one-1.0", "two-1.0"}, done.stderr
    (folder,) = Path(environ["HOME"], ".cache", "engine-pyz").iterdir()
    assert folder.name.endswith(f"-cp{version.replace('.', '')}")


def test_every_module_is_there_and_compiled(environ: dict[str, str]) -> None:
    """All but rich's highlighting, and nothing comes from the Python that runs it."""
    assert run(environ, str(ZIPAPP), "--version").stdout.startswith("engine ")
    (folder,) = Path(environ["HOME"], ".cache", "engine-pyz").iterdir()
    names = [
        str(path.relative_to(folder).with_suffix("")).replace(os.sep, ".")
        for package in ("engine", "cache", "resolver")
        for path in folder.joinpath(package).rglob("*.py")
        if path.name != "__init__.py" and path.parts[-2:] != ("bytecode", "script.py")
    ]
    libraries = [
        "uvloop",
        "isal.isal_zlib",
        "deflate",
        "msgspec",
        "pydantic",
        "rich.progress",
        "rich.live",
        "truststore",
    ]
    before = {path for path in folder.rglob("*.pyc")}
    code = f"import sys; sys.path[:0] = [{str(folder)!r}]; [__import__(name) for name in {names + libraries!r}]"
    done = run(environ, sys._base_executable, "-S", "-c", code)  # type: ignore[attr-defined]
    assert (done.returncode, done.stderr) == (0, "")
    assert before and before == {path for path in folder.rglob("*.pyc")}, "a first start compiles nothing"


def test_the_file_for_one_version_does_the_same(environ: dict[str, str]) -> None:
    done = run(environ, str(SLIM), "--version")
    assert (done.returncode, done.stdout[:7], done.stderr) == (0, "engine ", "")
    assert SLIM.stat().st_size < ZIPAPP.stat().st_size / 2


def test_a_run_that_cannot_unpack_for_good_removes_what_it_has_unpacked(
    index: Index, tool: Tool, new_target: NewTarget, environ: dict[str, str]
) -> None:
    index.add(ONE, TWO)
    target = new_target("env")
    words = tool.command(tool.write_lock(ONE.pin, TWO.pin), [target], "--compile-bytecode")[3:]
    for wanted, code in (words, 0), (["sync", "missing.txt"], 2):
        done = run({**environ, "ENGINE_PYZ_DIR": "/dev/null"}, str(ZIPAPP), *wanted)
        assert done.returncode == code and "ENGINE_PYZ_DIR" in done.stderr, done.stderr
        assert not list(Path(environ["TMPDIR"]).glob("engine-pyz-*"))
    assert target.installed() == {"one-1.0", "two-1.0"}


def _working(name: str) -> str | None:
    path = shutil.which(name)
    if path is None:
        return None
    answer = subprocess.run([path, "-I", "-c", "import sys; print(sys.executable)"], capture_output=True, text=True)
    return None if answer.returncode else answer.stdout.strip()


@pytest.mark.skipif(not BUILDER.exists() or not WHEELS.exists(), reason="what builds is not here: make dist-test")
def test_built_again_elsewhere_by_others_everything_is_the_same(environ: dict[str, str], tmp_path: Path) -> None:
    hashes, version = [], f"3.{sys.version_info[1]}"
    for number, (mask, zone) in enumerate(((0o022, "UTC"), (0o077, "Pacific/Auckland"))):
        source, home = tmp_path / f"source{number}", tmp_path / f"home{number}"
        home.mkdir()
        for name in (
            "engine",
            "cache",
            "resolver",
            "shipping",
            "docs",
            "cli.py",
            "pyproject.toml",
            "README.md",
            "LICENSE",
        ):
            _copy(ROOT / name, source / name)
        variables = {**environ, "HOME": str(home), "TZ": zone, "SOURCE_DATE_EPOCH": "1700000000"}
        script = (
            f'umask {mask:o} && "$0" -m hatchling build -d dist && '
            f'"$0" -m shipping.zipapp build dist/engine-*.whl "{WHEELS}" dist/engine.pyz {version}'
        )
        done = subprocess.run(
            ["/bin/sh", "-c", script, str(BUILDER)],
            cwd=source,
            env=variables,
            capture_output=True,
            text=True,
            timeout=100,
        )
        assert done.returncode == 0, done.stderr
        made = sorted((source / "dist").iterdir())
        hashes.append({path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in made})
    assert len(hashes[0]) == 3 and hashes[0] == hashes[1]


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"), copy_function=shutil.copyfile)
    else:
        shutil.copyfile(source, target)
