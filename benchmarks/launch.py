"""Runs one command and prints the seconds it took, its peak memory in bytes and its exit code.

    python -I -S launch.py COMMAND [ARGUMENT ...]

A process of its own, and a small one, because Linux counts the memory of whoever starts a program as that program's.
What the command says goes to standard error.  The peak is that of the largest process, and 0 where the system does not
tell.
"""

import os
import subprocess
import sys
import time


def main() -> None:
    """Runs the command that the arguments are."""
    started = time.perf_counter()
    process = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=2)
    if hasattr(os, "wait4"):
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    else:
        process.wait()
        seconds, peak = time.perf_counter() - started, 0
    print(seconds, peak, process.returncode)


if __name__ == "__main__":
    main()
