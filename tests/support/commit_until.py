"""A sync that ends at a chosen step of its commit; run as a script by the crash tests.

    python -m tests.support.commit_until LOCK PREFIX CACHE INDEX STEP (kill|raise|interrupt) [OPTION]

Takes the way of a warm sync up to the commit.  At STEP it kills itself, or the operating system "refuses", or the
user interrupts.
OPTION is `--compile-bytecode`, or `--target`: then PREFIX is a folder and the interpreter is this one.
Exits with 0 when the commit ended before that step, and with 7 when it was refused or interrupted.
"""

import errno
import os
import signal
import sys

from cache import plans
from engine.environment.requests import requested_environment
from engine.errors import InstallFailed
from engine.locations import IndexLocation, IndexOptions
from engine.options import InstallOptions, LockOptions, SyncOptions
from engine.parallel import stage_all
from engine.reporting import View
from engine.sync import Run
from engine.work import Work

REFUSED = 7


def main(lock: str, prefix: str, cache: str, index_url: str, step: int, kind: str, option: str = "") -> int:
    """Syncs `prefix` and faults at `step`."""
    install = InstallOptions(
        target=prefix if option == "--target" else "", compile_bytecode=option == "--compile-bytecode"
    )
    indexes = IndexOptions(locations=[IndexLocation(index_url, default=True)])
    python = sys.executable if option == "--target" else prefix
    options = SyncOptions(
        locks=LockOptions(files=[lock]), pythons=(python,), cache_dir=cache, indexes=indexes, install=install
    )
    run = Run(options, os.environ, os.getcwd(), View())
    environment = requested_environment(python, install, os.environ, os.getcwd())
    assert environment is not None
    plan = plans.load(run.layout.plan(run.plan_key(environment.interpreter_key, environment.layout)))
    assert plan is not None, "the lock has not been synced before"
    work = Work(environment, plan.schemes, options.install)
    work.scan()
    missing = set(work.compare((entry.name, entry.version) for entry in plan.entries))

    def check(number: int) -> None:
        if number == step and kind == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif number == step and kind == "interrupt":
            raise KeyboardInterrupt
        elif number == step:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), prefix)

    area = work.open()
    try:
        stage_all(
            [(entry, run.layout.tree(entry.sha256), area) for entry in plan.entries if entry.name in missing],
            "hardlink",
        )
        work.commit(check=check)
    except (InstallFailed, KeyboardInterrupt):
        return REFUSED
    finally:
        work.close()
    return 0


if __name__ == "__main__":
    _, lock, prefix, cache, index_url, step, kind, *rest = sys.argv
    sys.exit(main(lock, prefix, cache, index_url, int(step), kind, *rest))
