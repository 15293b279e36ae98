"""Bytecode for `engine.pyz`, made as engine makes it for environments: by `engine/bytecode/script.py`.

It holds a hash of its source that nobody checks (PEP 552), so that the first
start compiles nothing, and the same sources and interpreters give the same bytes.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from shipping.payload import File

SCRIPT = Path(__file__).resolve().parents[1] / "engine" / "bytecode" / "script.py"
FILE_SECONDS = 60


class Interpreter(NamedTuple):
    """A Python on this machine, and what its compiled files are tagged with, such as `cpython-311`."""

    path: str
    tag: str


def find_interpreter(minor: int) -> Interpreter | None:
    """Returns the Python that runs this or one on PATH, if it is CPython 3.`minor` and really runs."""
    question = "import sys; print(sys.implementation.cache_tag, sys.version_info.releaselevel)"
    for path in (sys.executable, shutil.which(f"python3.{minor}")):
        if path is None:
            continue
        answer = subprocess.run([path, "-I", "-S", "-c", question], capture_output=True, text=True).stdout.split()
        # The bytecode of pre-releases is not what the release reads.
        if answer == [f"cpython-3{minor}", "final"]:
            return Interpreter(path, answer[0])
    return None


def compile_modules(files: Mapping[str, File], interpreter: Interpreter) -> dict[str, File]:
    """Returns the bytecode of all modules that compile, by path.

    Args:
        files: all files, by path.
        interpreter: of the version that will run them.

    Raises:
        subprocess.CalledProcessError: when the interpreter gives up.
    """
    modules = sorted(name for name in files if name.endswith(".py"))
    with tempfile.TemporaryDirectory() as folder:
        orders = []
        for number, name in enumerate(modules):
            source = Path(folder, f"{number}.py")
            source.write_bytes(files[name].body)
            orders.append([str(source), str(source.with_suffix(".pyc")), name])
        command = [interpreter.path, "-I", "-S", "-B", "-W", "ignore", str(SCRIPT), str(os.getpid()), str(FILE_SECONDS)]
        order = json.dumps({"hashed": True, "files": orders}) + "\n"
        subprocess.run(command, input=order, stdout=subprocess.DEVNULL, text=True, check=True)
        compiled = {}
        for number, name in enumerate(modules):
            target = Path(folder, f"{number}.pyc")
            if target.exists():  # a template is no module
                head, _, last = name.rpartition("/")
                path = f"{head}/__pycache__/" if head else "__pycache__/"
                compiled[f"{path}{last[:-3]}.{interpreter.tag}.pyc"] = File(target.read_bytes())
        return compiled
