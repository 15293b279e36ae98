"""Says what figures were measured on: the machine, its system, and the versions of the tools."""

import os
import platform
import subprocess
from pathlib import Path


def describe_machine(folder: Path) -> dict[str, str]:
    """Returns what matters about the machine and the file system of `folder`: words to words."""
    try:
        usable = len(os.sched_getaffinity(0))
    except AttributeError:
        usable = os.cpu_count() or 1
    return {
        "processor": _processor(),
        "cores": str(usable),
        "memory": _memory(),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "file system": file_system(folder),
    }


def describe_version(command: list[str]) -> str:
    """Returns the version that a program tells, as its first number with dots."""
    said = subprocess.run([*command, "--version"], check=True, capture_output=True, text=True).stdout
    words = (word.strip("(),") for word in said.split())
    return next((word for word in words if word[:1].isdigit()), said.strip())


def describe_commit(folder: Path) -> str:
    """Returns the commit that is checked out in a folder, and whether sources differ from it; `unknown` without git."""
    try:
        command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--exclude", "*"]
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError:
        return "unknown"
    return done.stdout.strip() or "unknown"


def file_system(folder: Path) -> str:
    """Returns the type of the file system that a folder is on, or `unknown`."""
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8")
    except OSError:
        return "unknown"
    return _longest_mount(mounts, str(folder.resolve()))


def _longest_mount(mounts: str, folder: str) -> str:
    best, found = -1, "unknown"
    for line in mounts.splitlines():
        _, point, kind, *_ = line.split(" ")
        inside = folder == point or folder.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= best:
            best, found = len(point), kind
    return found


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _memory() -> str:
    try:
        return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GB"
    except (AttributeError, ValueError, OSError):
        return "unknown"
