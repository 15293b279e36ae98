"""Measures the way from a bare system to an environment, the installer's own arrival included.

    make dist && .venv/bin/python -m benchmarks.from_nothing

Owns the bare system, a Debian with python3 and pip that `mmdebstrap` makes once in .bench/root, and what is done in
copies of it: the file of engine for the system's Python is fetched and syncs, and so does the one for all; pip installs
uv, which syncs; uv's binary is fetched in its wheel and syncs; the system's own pip installs.  All of it comes over the
same link from the same mirror, as in `benchmarks.run`.

Rules: each run has a new copy of the system, made before the clock starts.  Each round begins with another way.  pip
makes no environment with a pip in it and compiles nothing, as the others.  A list that fails is named, and the others
go on.  Where it cannot run, for want of rights, `unshare` or `mmdebstrap`, it says so and writes nothing.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks import tables
from benchmarks.commands import in_turn
from benchmarks.figures import FAILED_BARE, Figure, Results, Runs, to_json
from benchmarks.link import relay, relay_command
from benchmarks.measuring import RunFailed, check_space, run_once, variables
from benchmarks.mirror import Mirror, run_mirror, store
from benchmarks.nginx import find_nginx
from benchmarks.rows import HOME
from benchmarks.run import MEMORY, ONE_FILE, ROOT, describe_sizes, end_in_order, find_programs

SUITE = "bookworm"
SUITE_PYTHON = "3.11"
PACKAGES = "python3,python3-venv,python3-pip,ca-certificates"
SOURCES = ("docs", "service", "notebook")
_NEEDED_BYTES = 2 * 10**9
"""One copy of the system, and what is put into it; it is deleted after each run."""

_INSIDE = """
mount -t proc proc "$1/proc"; mount --rbind /dev "$1/dev"
exec chroot "$1" /usr/bin/env -i HOME=/root PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 NO_COLOR=1 \
    SSL_CERT_FILE=/job/authority.pem PIP_CERT=/job/authority.pem PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore /bin/sh -euc "cd /job; $2"
"""
_FETCH = "python3 -c 'import sys, urllib.request as u; u.urlretrieve(*sys.argv[1:])' {url} {file}"
_ENGINE = (
    f"{_FETCH.format(url='{files}/engine/{file}', file='{file}')}; chmod +x {{file}};"
    " ./{file} sync -q --index-url {index} lock.txt"
)
_OTHERS = {
    "uv": "python3 -m pip install -q --break-system-packages --index-url {index} uv=={uv};"
    " uv venv -q; uv pip sync -q --index-url {index} lock.txt",
    "pip": "python3 -m venv --without-pip .venv; python3 -m pip --python .venv/bin/python install -q --no-compile"
    " --no-deps --index-url {index} -r lock.txt",
    "uv-binary": f"{_FETCH.format(url='{files}/uv/{wheel}', file='uv.whl')}; python3 -m zipfile -e uv.whl .;"
    " chmod +x uv-*.data/scripts/uv; PATH=$PATH:$(echo $PWD/uv-*.data/scripts);"
    " uv venv -q; uv pip sync -q --index-url {index} lock.txt",
}
"""What each tool is, as a shell of the bare system would do it, in a folder that has lock.txt."""


class NotPossible(Exception):
    """This machine cannot run a bare system; the text says what is missing."""


OWN_FILE = ONE_FILE.with_name(f"engine-cp{SUITE_PYTHON.replace('.', '')}.pyz")
"""The file for the system's Python alone, a third as large as the one for all."""


def scripts(files: Sequence[Path]) -> dict[str, str]:
    """Returns what each way is: names to scripts of the shell; a way of ours has the name of its file."""
    return {**{file.name: _ENGINE.replace("{file}", file.name) for file in files}, **_OTHERS}


def main() -> int:
    """Measures, or says why that is not possible here."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="how often each way is gone (default: 5)")
    parser.add_argument("--state", type=Path, default=ROOT / ".bench", help="mirror, tools, locks and results")
    parser.add_argument("--sources", nargs="+", default=SOURCES, help="inputs (default: docs service notebook)")
    parser.add_argument("--one-file", type=Path, nargs="+", help="default: those in dist that run on its Python")
    options = parser.parse_args()
    results = options.state / "nothing.json"
    results.unlink(missing_ok=True)
    end_in_order()
    files = options.one_file or [file for file in (OWN_FILE, ONE_FILE) if file.exists()] or [ONE_FILE]
    try:
        check(files)
        found = measure_all(options.state, files, options.sources, options.rounds)
    except NotPossible as error:
        print(f"from nothing: not measured: {error}", file=sys.stderr)
        return 0
    except (RunFailed, OSError, subprocess.SubprocessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    results.write_text(to_json(found), encoding="utf-8")
    return 1 if FAILED_BARE in found.setting else 0


def check(files: Sequence[Path]) -> None:
    """Raises NotPossible unless this machine has what it takes."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        raise NotPossible("a bare system is run with chroot and mounts, which takes Linux and root's rights")
    if missing := [name for name in ("mmdebstrap", "unshare", "chroot") if shutil.which(name) is None]:
        raise NotPossible(f"{' and '.join(missing)} are not installed; apt-get install mmdebstrap util-linux")
    if missing := [file.name for file in files if not file.exists()]:
        raise NotPossible(f"{' and '.join(missing)} not there; make dist makes it")
    probe = ["unshare", "--mount", "--pid", "--fork", "true"]
    if subprocess.run(probe, stderr=subprocess.DEVNULL).returncode:
        raise NotPossible("this kernel gives no mount namespaces here")


def measure_all(state: Path, files: Sequence[Path], sources: Sequence[str], rounds: int) -> Results:
    """Returns a figure for each source that did not fail, and what they were measured in.

    Raises:
        NotPossible: when the bare system cannot be made.
        RunFailed: when there is no room for copies of it.
    """
    system = bare_system(state / "root")
    figures: list[Figure] = []
    failed: list[str] = []
    folder = MEMORY if MEMORY.is_dir() else Path(tempfile.gettempdir())
    check_space(folder, _NEEDED_BYTES)
    with ExitStack() as stack:
        base = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-", dir=folder)))
        mirror = stack.enter_context(run_mirror(state / "mirror", None, find_nginx()))
        for file in files:
            store(state / "mirror/files/engine" / file.name, file.read_bytes())
        port = stack.enter_context(relay(relay_command(state), mirror.port, HOME))
        for source in sources:
            try:
                lock = lock_for(state, source, base, mirror)
                ways = _Ways(system, base, lock, mirror, port, state)
                figures.append(ways.measure(source, rounds, scripts(files)))
            except (RunFailed, OSError, subprocess.SubprocessError) as error:
                failed.append(f"nothing/{source}")
                print(f"nothing/{source}: error: {error}", file=sys.stderr, flush=True)
            else:
                print(f"{figures[-1].name}: {tables.cell(figures[-1].tools)}", flush=True)
    setting = describe_bare(system, files, rounds)
    return Results(setting={**setting, **({FAILED_BARE: ", ".join(failed)} if failed else {})}, figures=tuple(figures))


def describe_bare(system: Path, files: Sequence[Path], rounds: int) -> dict[str, str]:
    """Returns what the figures depend on beside what those of `benchmarks.run` do: words to words."""
    return {
        "bare system": f"Debian {SUITE}, CPython {SUITE_PYTHON}, pip {pip_of(system)}",
        "rounds from a bare system": str(rounds),
        **describe_sizes(files),
    }


def pip_of(system: Path) -> str:
    """Returns the version of pip that a bare system has; `unknown` where it has none in the usual place."""
    found = sorted(system.glob("usr/lib/python3/dist-packages/pip-*.dist-info"))
    return found[-1].name.removesuffix(".dist-info").removeprefix("pip-") if found else "unknown"


def bare_system(folder: Path) -> Path:
    """Returns the folder of the bare system, which is made if it is not there.

    Raises:
        NotPossible: when it could not be made.
    """
    if not folder.exists():
        print(f"making a bare Debian {SUITE} with python3 and pip", flush=True)
        partial = folder.with_name(f"{folder.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        command = ["mmdebstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, str(partial)]
        if subprocess.run(command, stderr=subprocess.DEVNULL).returncode:
            shutil.rmtree(partial, ignore_errors=True)
            raise NotPossible(f"mmdebstrap could not make a bare Debian {SUITE}")
        partial.rename(folder)
    return folder


def lock_for(state: Path, source: str, base: Path, mirror: Mirror) -> Path:
    """Returns the lock of a source for the Python of the bare system, compiled if it is not there."""
    lock = state / "locks" / SUITE / f"{source}.txt"
    if not lock.exists():
        lock.parent.mkdir(parents=True, exist_ok=True)
        uv = find_programs(state, sys.executable).commands["uv"]
        command = [*uv, "pip", "compile", "-q", "--no-header", "--no-annotate", "--only-binary", ":all:"]
        command += ["--python-version", SUITE_PYTHON, "-p", sys.executable, "--cache-dir", str(base / "compiling")]
        command += ["--index-url", f"https://localhost:{mirror.port}/simple/", "-o", str(base / "lock.txt")]
        run_once([*command, str(ROOT / f"benchmarks/inputs/{source}.in")], variables(base, mirror.authority))
        store(lock, (base / "lock.txt").read_bytes())
    return lock


class _Ways:
    def __init__(self, system: Path, base: Path, lock: Path, mirror: Mirror, port: int, state: Path) -> None:
        self._system, self._base, self._lock, self._mirror = system, base, lock, mirror
        self._files = state / "mirror/files"
        self._words = {
            "files": f"https://localhost:{port}/files",
            "index": f"https://localhost:{port}/simple/",
            "uv": uv_version(state),
            "wheel": "",
        }

    def measure(self, source: str, rounds: int, ways: dict[str, str]) -> Figure:
        """Goes every way once without the clock, which fills the mirror, and then in turn."""
        took: dict[str, list[tuple[float, int]]] = {tool: [] for tool in ways}
        for number in range(rounds + 1):
            # Without the clock they keep their order: uv's binary is in the wheel that pip fetches before it.
            for tool in in_turn(list(ways), number) if number else ways:
                if tool == "uv-binary":
                    self._words["wheel"] = self._uv_wheel()
                spent = self._go(ways[tool].format(**self._words))
                if number:
                    took[tool].append(spent)
        runs = {
            tool: Runs(seconds=tuple(round(spent, 4) for spent, _ in each), peak_bytes=max(peak for _, peak in each))
            for tool, each in took.items()
        }
        said = {"uv": "uv by pip", "pip": f"pip {pip_of(self._system)}", "uv-binary": "uv's binary"}
        names = " / ".join(said.get(tool, f"`{tool}`") for tool in ways)
        label = f"{HOME}, Debian {SUITE}, CPython {SUITE_PYTHON}: {names}"
        return Figure(name=f"nothing/{source}", group="nothing", label=label, column=source, tools=runs)

    def _go(self, script: str) -> tuple[float, int]:
        root = self._base / "root"
        subprocess.run(["cp", "-a", str(self._system), str(root)], check=True)
        try:
            work = root / "job"
            work.mkdir()
            shutil.copy(self._lock, work / "lock.txt")
            shutil.copy(self._mirror.authority, work / "authority.pem")
            (root / "etc/hosts").write_text("127.0.0.1 localhost\n", encoding="utf-8")
            command = ["unshare", "--mount", "--pid", "--fork", "/bin/sh", "-euc", _INSIDE, "sh", str(root), script]
            return run_once(command, {"PATH": os.environ["PATH"]})
        finally:
            shutil.rmtree(root)

    def _uv_wheel(self) -> str:
        wheels = sorted((self._files / "uv").glob(f"uv-{self._words['uv']}-*{platform.machine()}*.whl"))
        if not wheels:
            raise RunFailed("pip did not fetch a wheel of uv for this machine")
        return wheels[0].name


def uv_version(state: Path) -> str:
    """Returns the version of uv that the other figures are measured with."""
    said = subprocess.run([str(state / "tools/bin/uv"), "--version"], check=True, capture_output=True, text=True)
    return said.stdout.split()[1]


if __name__ == "__main__":
    sys.exit(main())
