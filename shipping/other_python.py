"""What `engine.pyz` does under a Python that it has nothing for: starts another one, or says which it needs.

Parsed and run by any Python, back to 2.7.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterable, NoReturn  # noqa: F401

#: What another Python answers with: the suffix of its compiled modules, if it is one of 3.11 or newer.
_QUESTION = "import _imp, sys; sys.stdout.write(_imp.extension_suffixes()[0])"


def start_another(suffixes):
    # type: (Iterable[str]) -> NoReturn
    """Becomes the newest Python on PATH that loads compiled modules of these suffixes, or leaves with what is wrong."""
    known = set(suffixes)
    for minor in range(19, 10, -1):
        path = _find("python3.%d" % minor)
        # Asked first, as the name may be a version manager's, with nothing behind it.
        if path is not None and _answer(path) in known:
            os.execv(path, [path] + sys.argv)
    sys.exit(refusal(known))


def refusal(suffixes):
    # type: (Iterable[str]) -> str
    """Returns why this Python will not do, and which one would."""
    described = sorted(describe(suffix) for suffix in suffixes)
    numbers = sorted(set(number for number, _ in described), key=lambda text: [int(word) for word in text.split(".")])
    platforms = sorted(set(platform for _, platform in described))
    wanted = "CPython %s on %s" % (", ".join(numbers), ", ".join(platforms))
    return "error: engine.pyz is for %s, and %s is %s\nhint: %s" % (
        wanted,
        sys.executable or "this",
        _this(),
        "put one of these on PATH as python%s, or install engine with pip" % numbers[-1],
    )


def _this():
    # type: () -> str
    implementation = getattr(sys, "implementation", None)
    kind = {"cpython": "CPython", "pypy": "PyPy"}.get(
        getattr(implementation, "name", "cpython"), "another kind of Python"
    )
    # Free-threaded and debugging builds say so in the flags of their ABI.
    version = "%d.%d%s" % (sys.version_info[0], sys.version_info[1], getattr(sys, "abiflags", ""))
    return "%s %s on %s" % (kind, version, getattr(implementation, "_multiarch", sys.platform))


def describe(suffix):
    # type: (str) -> tuple[str, str]
    """Returns the version and the platform that a suffix of compiled modules names."""
    words = suffix.split(".")[1].split("-")  # cpython-311-x86_64-linux-gnu, cp311-win_amd64
    number = words.pop(1) if words[0] == "cpython" else words[0][2:]
    return "%s.%s" % (number[0], number[1:]), "-".join(words[1:])


def _find(name):
    # type: (str) -> str | None
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(folder, name)
        if folder and os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    return None


def _answer(path):
    # type: (str) -> str | None
    import subprocess

    with open(os.devnull, "r+b") as nothing:
        try:
            child = subprocess.Popen(
                [path, "-I", "-S", "-c", _QUESTION], stdin=nothing, stdout=subprocess.PIPE, stderr=nothing
            )
        except OSError:
            return None
        answer = child.communicate()[0].decode("ascii", "replace")
    return None if child.returncode else answer
