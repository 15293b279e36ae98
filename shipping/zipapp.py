"""Makes `engine.pyz`: one file with engine and all that it needs, for one minor version of CPython and one platform.

    python shipping/zipapp.py fetch LOCK WHEELS [3.12]
    python shipping/zipapp.py build WHEEL WHEELS OUTPUT [3.12]

pip fetches the wheels that the lock names, by hash; pex puts them into one file.
Owns which interpreters and platforms that file is for; what happens when it is
started is pex's.  The same wheels give the same bytes, whoever builds.

One file for several versions would be possible, but pex starts such a file four
times as slowly: it has to find out each time which of them it runs with.

Source: PEP 441 (zip applications), PEP 425 (tags).
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from packaging.markers import default_environment
from packaging.tags import compatible_tags, cpython_tags, platform_tags

#: As pyproject.toml says.
OLDEST = (3, 11)
#: Wheels that need a newer glibc than this are not taken: the file runs where it was not built.
NEWEST_GLIBC = (2, 28)


def platforms(tags: Iterator[str]) -> list[str]:
    """Returns the platforms whose wheels are taken, best first.

    Args:
        tags: the platform tags of the machine that builds.
    """
    return [tag for tag in tags if not _is_too_new(tag)]


def _is_too_new(tag: str) -> bool:
    words = tag.split("_")
    return words[0] == "manylinux" and (int(words[1]), int(words[2])) > NEWEST_GLIBC


def complete_platform(python: tuple[int, int], machine: list[str]) -> dict[str, object]:
    """Returns what pex has to know of an interpreter that is not here.

    Args:
        python: a minor version of CPython.
        machine: as `platforms` returns them.
    """
    version = _text(python)
    tags = [*cpython_tags(python, platforms=machine), *compatible_tags(python, f"cp{python[0]}{python[1]}", machine)]
    known = {
        **default_environment(),
        "python_version": version,
        "python_full_version": f"{version}.0",
        "implementation_version": f"{version}.0",
        # The machine's kernel says nothing about those that the file will run on.
        "platform_release": "",
        "platform_version": "",
    }
    return {"marker_environment": known, "compatible_tags": [str(tag) for tag in tags]}


def fetch(lock: Path, wheels: Path, python: tuple[int, int], machine: list[str]) -> None:
    """Brings the wheels of a lock for one Python into a folder, which has nothing else afterwards.

    Raises:
        subprocess.CalledProcessError: when one cannot be had, or is not the one of the lock.
    """
    shutil.rmtree(wheels, ignore_errors=True)
    options = [word for tag in machine for word in ("--platform", tag)]
    _run(
        *("-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:"),
        *("--implementation", "cp", "--python-version", _text(python), *options),
        *("--dest", str(wheels), "--requirement", str(lock)),
    )


def build(wheel: Path, wheels: Path, output: Path, python: tuple[int, int], machine: list[str]) -> None:
    """Puts engine and the wheels in a folder into one file.

    A shell starts it (`--sh-boot`): from the second time on that one runs the unpacked files at once, where Python
    would first have to read the archive's directory.

    Raises:
        subprocess.CalledProcessError: when a wheel is missing.
    """
    with tempfile.TemporaryDirectory() as folder:
        known = Path(folder, "platform.json")
        known.write_text(json.dumps(complete_platform(python, machine)), encoding="utf-8")
        _run(
            *("-m", "pex", "--pre-resolved-dists", str(wheels), "--pre-resolved-dists", str(wheel), "engine"),
            *("--console-script", "engine", "--venv", "--sh-boot", "--no-compile", "--no-emit-warnings", "--no-rc"),
            *("--complete-platform", str(known), "--interpreter-constraint", f"CPython=={_text(python)}.*"),
            *("--python-shebang", f"/usr/bin/env python{_text(python)}", "--output-file", str(output)),
        )


def _run(*words: str) -> None:
    subprocess.run([sys.executable, *words], check=True)


def _text(python: tuple[int, int]) -> str:
    return f"{python[0]}.{python[1]}"


def _python(words: list[str]) -> tuple[int, int]:
    """Returns the version that the last word names, or that of this Python."""
    if not words:
        return sys.version_info[:2]
    major, minor = words[0].split(".")
    if (int(major), int(minor)) < OLDEST:
        sys.exit(f"engine needs Python {_text(OLDEST)} or newer, not {words[0]}")
    return int(major), int(minor)


def main(arguments: list[str]) -> None:
    """Does one of the two steps."""
    machine = platforms(platform_tags())
    match arguments:
        case ["fetch", lock, wheels, *version]:
            fetch(Path(lock), Path(wheels), _python(version), machine)
        case ["build", wheel, wheels, output, *version]:
            build(Path(wheel), Path(wheels), Path(output), _python(version), machine)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
