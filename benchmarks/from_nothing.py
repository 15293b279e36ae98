"""Measures the way from a bare system to an environment, the installer's own arrival included.

    make dist && .venv/bin/python -m benchmarks.from_nothing

Owns the bare system, a Debian with python3 and pip that `mmdebstrap` makes once in .bench/root, and what is done in
copies of it: `engine.pyz` is fetched and syncs; pip installs uv, which syncs; uv's binary is fetched in its wheel and
syncs; pip installs.  All of it comes over the same link from the same mirror, as in `benchmarks.run`.

Rules: each run has a new copy of the system, made before the clock starts.  Where it cannot run, for want of rights,
`unshare` or `mmdebstrap`, it says so and writes nothing.
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
from benchmarks.figures import Figure, Results, Runs, to_json
from benchmarks.link import relay, relay_command
from benchmarks.measuring import RunFailed, run_once, variables
from benchmarks.mirror import Mirror, run_mirror, store
from benchmarks.nginx import find_nginx
from benchmarks.rows import HOME
from benchmarks.run import MEMORY, ONE_FILE, ROOT, end_in_order, find_programs

SUITE = "bookworm"
SUITE_PYTHON = "3.11"
PACKAGES = "python3,python3-venv,python3-pip,ca-certificates"
SOURCES = ("docs", "service", "notebook")

_INSIDE = """
mount -t proc proc "$1/proc"; mount --rbind /dev "$1/dev"
exec chroot "$1" /usr/bin/env -i HOME=/root PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 NO_COLOR=1 \
    SSL_CERT_FILE=/work/authority.pem PIP_CERT=/work/authority.pem PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore /bin/sh -euc "cd /work; $2"
"""
_FETCH = "python3 -c 'import sys, urllib.request as u; u.urlretrieve(*sys.argv[1:])' {url} {file}"
_SCRIPTS = {
    "engine": f"{_FETCH.format(url='{files}/engine/engine.pyz', file='engine.pyz')}; chmod +x engine.pyz;"
    " ./engine.pyz sync -q --index-url {index} lock.txt",
    "uv": "python3 -m pip install -q --break-system-packages --index-url {index} uv=={uv};"
    " uv venv -q; uv pip sync -q --index-url {index} lock.txt",
    "pip": "python3 -m venv .venv; .venv/bin/pip install -q --no-deps --index-url {index} -r lock.txt",
    "uv-binary": f"{_FETCH.format(url='{files}/uv/{wheel}', file='uv.whl')}; python3 -m zipfile -e uv.whl .;"
    " chmod +x uv-*.data/scripts/uv; PATH=$PATH:$(echo $PWD/uv-*.data/scripts);"
    " uv venv -q; uv pip sync -q --index-url {index} lock.txt",
}
"""What each tool is, as a shell of the bare system would do it, in a folder that has lock.txt."""


class NotPossible(Exception):
    """This machine cannot run a bare system; the text says what is missing."""


def _one_file() -> Path:
    """Returns the file for the system's Python alone, a third as large, where it was made; else that for all."""
    own = ONE_FILE.with_name(f"engine-cp{SUITE_PYTHON.replace('.', '')}.pyz")
    return own if own.exists() else ONE_FILE


def main() -> int:
    """Measures, or says why that is not possible here."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="how often each way is gone (default: 5)")
    parser.add_argument("--state", type=Path, default=ROOT / ".bench", help="mirror, tools, locks and results")
    parser.add_argument("--sources", nargs="+", default=SOURCES, help="inputs (default: docs service notebook)")
    parser.add_argument("--one-file", type=Path, default=_one_file(), help="default: the one in dist for its Python")
    options = parser.parse_args()
    results = options.state / "nothing.json"
    results.unlink(missing_ok=True)
    end_in_order()
    try:
        check(options.one_file)
        figures = measure_all(options.state, options.one_file, options.sources, options.rounds)
    except NotPossible as error:
        print(f"from nothing: not measured: {error}", file=sys.stderr)
        return 0
    except RunFailed as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    results.write_text(to_json(Results(setting={}, figures=figures)), encoding="utf-8")
    return 0


def check(one_file: Path) -> None:
    """Raises NotPossible unless this machine has what it takes."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        raise NotPossible("a bare system is run with chroot and mounts, which takes Linux and root's rights")
    if missing := [name for name in ("mmdebstrap", "unshare", "chroot") if shutil.which(name) is None]:
        raise NotPossible(f"{' and '.join(missing)} are not installed; apt-get install mmdebstrap util-linux")
    if not one_file.exists():
        raise NotPossible(f"{one_file.name} is not there; make dist makes it")
    probe = ["unshare", "--mount", "--pid", "--fork", "true"]
    if subprocess.run(probe, stderr=subprocess.DEVNULL).returncode:
        raise NotPossible("this kernel gives no mount namespaces here")


def measure_all(state: Path, one_file: Path, sources: Sequence[str], rounds: int) -> tuple[Figure, ...]:
    """Returns a figure for each source.

    Raises:
        NotPossible: when the bare system cannot be made, or the one file does not fit its Python.
        RunFailed: when a tool failed in it.
    """
    system = bare_system(state / "root")
    figures: list[Figure] = []
    folder = MEMORY if MEMORY.is_dir() else Path(tempfile.gettempdir())
    with ExitStack() as stack:
        base = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-", dir=folder)))
        mirror = stack.enter_context(run_mirror(state / "mirror", None, find_nginx()))
        store(state / "mirror/files/engine/engine.pyz", one_file.read_bytes())
        port = stack.enter_context(relay(relay_command(state), mirror.port, HOME))
        for source in sources:
            lock = lock_for(state, source, base, mirror)
            way = _Way(system, base, lock, mirror, port, state)
            figures.append(way.measure(source, rounds))
            print(f"{figures[-1].name}: {tables.cell(figures[-1].tools)}", flush=True)
    return tuple(figures)


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


class _Way:
    def __init__(self, system: Path, base: Path, lock: Path, mirror: Mirror, port: int, state: Path) -> None:
        self._system, self._base, self._lock, self._mirror = system, base, lock, mirror
        self._files = state / "mirror/files"
        self._words = {
            "files": f"https://localhost:{port}/files",
            "index": f"https://localhost:{port}/simple/",
            "uv": uv_version(state),
            "wheel": "",
        }

    def measure(self, source: str, rounds: int) -> Figure:
        """Goes every way once without the clock, which fills the mirror, and then in turn."""
        took: dict[str, list[tuple[float, int]]] = {tool: [] for tool in _SCRIPTS}
        for number in range(rounds + 1):
            for tool in _SCRIPTS:
                if tool == "uv-binary":
                    self._words["wheel"] = self._uv_wheel()
                spent = self._go(_SCRIPTS[tool].format(**self._words))
                if number:
                    took[tool].append(spent)
        runs = {
            tool: Runs(seconds=tuple(round(spent, 4) for spent, _ in each), peak_bytes=max(peak for _, peak in each))
            for tool, each in took.items()
        }
        label = f"{HOME}, Debian {SUITE}, CPython {SUITE_PYTHON}: `engine.pyz` / uv by pip / pip / uv's binary"
        return Figure(name=f"nothing/{source}", group="nothing", label=label, column=source, tools=runs)

    def _go(self, script: str) -> tuple[float, int]:
        root = self._base / "root"
        subprocess.run(["cp", "-a", str(self._system), str(root)], check=True)
        try:
            work = root / "work"
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
            raise NotPossible("pip did not fetch a wheel of uv for this machine")
        return wheels[0].name


def uv_version(state: Path) -> str:
    """Returns the version of uv that the other figures are measured with."""
    said = subprocess.run([str(state / "tools/bin/uv"), "--version"], check=True, capture_output=True, text=True)
    return said.stdout.split()[1]


if __name__ == "__main__":
    sys.exit(main())
