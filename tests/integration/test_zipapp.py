"""`engine.pyz`: does what the installed tool does, wherever it may or may not write.  `make dist-test` builds it."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.conftest import NewTarget
from tests.support.index import Index
from tests.support.tool import ROOT, Tool, clean_environ
from tests.support.unprivileged import unprivileged
from tests.support.wheels import make_wheel

ZIPAPP = ROOT / "dist" / "engine.pyz"
BUILDER = ROOT / ".dist" / "bin" / "python"
WHEELS = ROOT / "build" / "zipapp"
ONE = make_wheel("one", "1.0", {"one.py": "x = 1\n"}, requires=["two"], console_scripts=["one = one:x"])
TWO = make_wheel("two", "1.0", {"two.py": "x = 2\n"})
FIRST_START_SECONDS = 60

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


def test_any_way_to_start_it_is_right(environ: dict[str, str]) -> None:
    python = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    for command in ((str(ZIPAPP),), (python, str(ZIPAPP)), (python, "-I", str(ZIPAPP)), (str(ZIPAPP),)):
        done = run(environ, *command, "--version")
        assert (done.returncode, done.stdout[:7], done.stderr) == (0, "engine ", "")


def test_many_first_starts_at_once_unpack_it_once(environ: dict[str, str]) -> None:
    started = [
        subprocess.Popen(
            [ZIPAPP, "--version"], env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for _ in range(8)
    ]
    try:
        answers = [(process.communicate(timeout=FIRST_START_SECONDS)[0], process.returncode) for process in started]
    finally:
        for process in started:
            process.kill()
    assert len(set(answers)) == 1 and answers[0][1] == 0 and answers[0][0].startswith("engine "), answers
    unpacked = list(Path(environ["HOME"], ".cache").rglob("installed_wheels/*/*/engine-*.whl"))
    assert len(unpacked) == 1


def test_a_home_that_cannot_be_written_will_do_with_a_warning_that_names_the_variable(environ: dict[str, str]) -> None:
    home = Path(environ["HOME"])
    home.chmod(0o555)
    done = run(environ, *unprivileged(str(ZIPAPP), "--version"))
    assert (done.returncode, done.stdout[:7]) == (0, "engine ") and "PEX_ROOT is configured as" in done.stderr
    assert list(home.iterdir()) == []


def test_another_place_can_be_named(environ: dict[str, str], tmp_path: Path) -> None:
    done = run({**environ, "PEX_ROOT": str(tmp_path / "place")}, str(ZIPAPP), "--version")
    assert done.returncode == 0 and (tmp_path / "place" / "venvs").is_dir()
    assert not list(Path(environ["HOME"]).iterdir())


def test_another_minor_version_is_refused_in_words(environ: dict[str, str], tmp_path: Path) -> None:
    others = [f"python3.{minor}" for minor in range(9, 16) if minor != sys.version_info[1]]
    found = [path for name in others for path in _working(name)]
    if not found:
        pytest.skip("there is no other Python")
    (tmp_path / "only").mkdir()
    (tmp_path / "only" / "python3").symlink_to(found[0])
    shutil.copy(ZIPAPP, tmp_path / "engine.pyz")
    done = run({**environ, "PATH": str(tmp_path / "only")}, "/bin/sh", str(tmp_path / "engine.pyz"), "--version")
    assert f"CPython=={sys.version_info[0]}.{sys.version_info[1]}.*" in done.stderr and done.stdout == ""
    assert done.returncode != 0 and "Traceback" not in done.stderr


def _working(name: str) -> list[str]:
    path = shutil.which(name)
    if path is None:
        return []
    answer = subprocess.run([path, "-I", "-c", "import sys; print(sys.executable)"], capture_output=True, text=True)
    return [] if answer.returncode else [answer.stdout.strip()]


@pytest.mark.skipif(not BUILDER.exists() or not WHEELS.exists(), reason="what builds is not here: make dist-test")
def test_built_again_elsewhere_by_others_everything_is_the_same(environ: dict[str, str], tmp_path: Path) -> None:
    hashes = []
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
            f'"$0" shipping/zipapp.py build dist/engine-*.whl "{WHEELS}" dist/engine.pyz'
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
