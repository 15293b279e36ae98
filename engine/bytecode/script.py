"""A script that another interpreter runs to compile modules, as long as it is told to.

    python -I -S -B -W ignore script.py <process id of the parent> <seconds per file>

Reads one JSON object per line from standard input and answers with one line for
every file of it, in order:

    {"hashed": false, "files": [[source, target, shown], ...]}
    ["done", size in bytes, mtime in ns, sha256 in hex] | ["skipped", reason] | ["refused", errno, text, file name]

`shown` is what tracebacks call the module until it is imported, which puts the
real path there.  Runs by itself: nothing of `engine` is imported.  Ends with its
parent: the kernel sees to it, or else it looks between two files whether that
still lives.  A file that takes too long is ended by the alarm, which needs
nobody's help.

Source: PEP 552; PEP 3147.
"""

import hashlib
import json
import os
import py_compile
import signal
import sys


def compile_file(source: str, target: str, shown: str, hashed: bool) -> "list[object]":
    """Compiles one module; returns the answer."""
    modes = py_compile.PycInvalidationMode
    mode = modes.UNCHECKED_HASH if hashed else modes.TIMESTAMP
    try:
        py_compile.compile(source, cfile=target, dfile=shown, doraise=True, invalidation_mode=mode)
        found = os.stat(target)
        with open(target, "rb") as file:
            sha256 = hashlib.sha256(file.read()).hexdigest()
    except py_compile.PyCompileError as exc:
        lines = str(exc.exc_value).splitlines() or [exc.exc_type_name]
        return ["skipped", exc.exc_type_name + ": " + lines[0][:200]]
    except OSError as exc:
        return ["refused", exc.errno, exc.strerror, target]
    return ["done", found.st_size, found.st_mtime_ns, sha256]


def die_with_parent() -> None:
    """Lets the kernel end this process with its parent, also in the middle of a file (Linux).

    Source: prctl(2), PR_SET_PDEATHSIG.
    """
    if sys.platform != "linux":
        return
    try:
        import ctypes

        ctypes.CDLL(None).prctl(1, int(signal.SIGKILL), 0, 0, 0)
    except (ImportError, OSError, AttributeError):
        return


def main(arguments: "list[str]") -> None:
    """Answers until standard input ends or the parent does."""
    parent, seconds = int(arguments[0]), int(arguments[1])
    die_with_parent()
    if hasattr(os, "getppid") and os.name != "nt" and os.getppid() != parent:
        return  # it was gone before the kernel knew
    alarm = getattr(signal, "alarm", None)
    if alarm is not None:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
    for line in sys.stdin.buffer:
        order = json.loads(line)
        for source, target, shown in order["files"]:
            if alarm is not None:
                if os.getppid() != parent:
                    return
                alarm(seconds)
            answer = compile_file(source, target, shown, order["hashed"])
            if alarm is not None:
                alarm(0)
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
