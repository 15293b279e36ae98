"""Runs commands and prints the seconds they took, their peak memory in bytes and their exit code.

    python -I -S launch.py COMMAND [ARGUMENT ...] [& COMMAND [ARGUMENT ...]] ...

A process of its own, and a small one, because Linux counts the memory of whoever starts a program as that program's.
Commands with `&` between them start all at once; the seconds last until the last one has ended, and the exit code is
the first that is not 0.  What they say goes to standard error.  The peak is that of the largest process, and 0 where
the system does not tell.
"""

import os
import subprocess
import sys
import time

TOGETHER = "&"


def main() -> None:
    """Runs the commands that the arguments are."""
    commands: list[list[str]] = [[]]
    for word in sys.argv[1:]:
        if word == TOGETHER:
            commands.append([])
        else:
            commands[-1].append(word)
    peak, codes = 0, []
    started = time.perf_counter()
    processes = [subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=2) for command in commands]
    for process in processes:
        if hasattr(os, "wait4"):
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            peak = max(peak, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))
        else:
            process.wait()
        codes.append(process.returncode)
    seconds = time.perf_counter() - started
    print(seconds, peak, next((code for code in codes if code), 0))


if __name__ == "__main__":
    main()
