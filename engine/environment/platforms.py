"""Targets that are not here: another Python version, another platform.  Pure.

Starts from the facts of an interpreter that is here and replaces what was asked for.
Rule: what was not asked for stays as the interpreter has it.

Source: PEP 425, PEP 508, PEP 600 and PEP 656; names of platforms and their defaults as
`uv pip compile --help` lists them.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from packaging import tags

from engine.errors import ConfigurationError

#: The oldest macOS, manylinux and musllinux that a platform's short name stands for.
MACOS = (13, 0)
GLIBC = (2, 28)
MUSL = (1, 2)

#: Old names of manylinux platforms. Source: PEP 600, "Legacy manylinux tags".
_LEGACY = {(2, 17): "manylinux2014", (2, 12): "manylinux2010", (2, 5): "manylinux1"}
#: The oldest glibc that wheels for a machine may ask for. Source: PEP 599 and PEP 571.
_OLDEST_GLIBC = {"x86_64": 5, "i686": 5}
_OLDEST_GLIBC_ELSEWHERE = 17

_ALIASES = {
    "windows": "x86_64-pc-windows-msvc",
    "linux": "x86_64-unknown-linux-gnu",
    "macos": "aarch64-apple-darwin",
}
_MANYLINUX = re.compile(r"(x86_64|aarch64)-manylinux(?:_2_(\d{1,3})|(2014))")
_MARKERS_LINUX = {"os_name": "posix", "sys_platform": "linux", "platform_system": "Linux"}
_MARKERS_MACOS = {"os_name": "posix", "sys_platform": "darwin", "platform_system": "Darwin"}
_MARKERS_WINDOWS = {"os_name": "nt", "sys_platform": "win32", "platform_system": "Windows"}

#: What can be asked for, beside `x86_64-manylinux_2_N` and `aarch64-manylinux_2_N`.
PLATFORMS = (
    *_ALIASES,
    "x86_64-pc-windows-msvc",
    "aarch64-pc-windows-msvc",
    "i686-pc-windows-msvc",
    "x86_64-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu",
    "x86_64-unknown-linux-musl",
    "aarch64-unknown-linux-musl",
    "riscv64-unknown-linux",
    "aarch64-apple-darwin",
    "x86_64-apple-darwin",
    "x86_64-manylinux2014",
    "aarch64-manylinux2014",
)


class Platform(NamedTuple):
    """A platform: its tags, the best first, and the marker variables that depend on it."""

    tags: tuple[str, ...]
    markers: dict[str, str]


def find_platform(name: str, environ: Mapping[str, str]) -> Platform:
    """Returns a platform.

    Args:
        name: one of `PLATFORMS`, or `x86_64-manylinux_2_N` or `aarch64-manylinux_2_N`.
        environ: the environment variables; MACOSX_DEPLOYMENT_TARGET names the oldest macOS.

    Raises:
        ConfigurationError: when there is none of this name.
    """
    triple = _ALIASES.get(name, name)
    if (match := _MANYLINUX.fullmatch(triple)) is not None:
        return _linux(match[1], _manylinux(match[1], 17 if match[3] else int(match[2])))
    machine, _, system = triple.partition("-")
    if triple not in PLATFORMS:
        from difflib import get_close_matches

        close = get_close_matches(name, PLATFORMS, 1)
        raise ConfigurationError(
            f'--python-platform: there is no platform "{name}"',
            hint=f'did you mean "{close[0]}"?' if close else f"known are {', '.join(PLATFORMS)}",
        )
    if system == "pc-windows-msvc":
        tag, word = {"x86_64": ("win_amd64", "AMD64"), "aarch64": ("win_arm64", "ARM64"), "i686": ("win32", "x86")}[
            machine
        ]
        return Platform((tag,), {**_MARKERS_WINDOWS, "platform_machine": word})
    if system == "apple-darwin":
        arch = "arm64" if machine == "aarch64" else machine
        names = tuple(tags.mac_platforms(_deployment_target(environ), arch))
        return Platform(names, {**_MARKERS_MACOS, "platform_machine": arch})
    if system == "unknown-linux-musl":
        names = tuple(f"musllinux_{MUSL[0]}_{minor}_{machine}" for minor in range(MUSL[1], -1, -1))
        return _linux(machine, (*names, f"linux_{machine}"))
    return _linux(machine, _manylinux(machine, GLIBC[1] if machine != "riscv64" else 39))


def _linux(machine: str, names: Sequence[str]) -> Platform:
    return Platform(tuple(names), {**_MARKERS_LINUX, "platform_machine": machine})


def _manylinux(machine: str, newest: int) -> tuple[str, ...]:
    oldest = _OLDEST_GLIBC.get(machine, _OLDEST_GLIBC_ELSEWHERE)

    def names() -> Iterator[str]:
        for minor in range(newest, oldest - 1, -1):
            yield f"manylinux_2_{minor}_{machine}"
            if (2, minor) in _LEGACY:
                yield f"{_LEGACY[2, minor]}_{machine}"
        yield f"linux_{machine}"

    return tuple(names())


def _deployment_target(environ: Mapping[str, str]) -> tuple[int, int]:
    text = environ.get("MACOSX_DEPLOYMENT_TARGET", "")
    if not text:
        return MACOS
    match = re.fullmatch(r"(\d{1,3})(?:\.(\d{1,3}))?(?:\.\d+)*", text)
    if match is None:
        raise ConfigurationError(f'MACOSX_DEPLOYMENT_TARGET must be a version such as 14.0, not "{text}"')
    return int(match[1]), int(match[2] or 0)


class Elsewhere(NamedTuple):
    """A target: marker variables without `extra`, and tags, the best first."""

    markers: dict[str, str]
    tags: tuple[str, ...]


def retarget(
    markers: Mapping[str, str],
    tag_names: Sequence[str],
    *,
    python_version: str | None = None,
    platform: Platform | None = None,
) -> Elsewhere:
    """Returns what another Python version or another platform can use.

    Args:
        markers: of an interpreter that is here.
        tag_names: its tags, the best first.
        python_version: such as `3.9` or `3.9.2`; None for the interpreter's.
        platform: None for the interpreter's.

    Raises:
        ConfigurationError: when `python_version` is none, or the tags of this implementation cannot be told.
    """
    if python_version is None and platform is None:
        return Elsewhere(dict(markers), tuple(tag_names))
    found = dict(markers)
    if python_version is not None:
        found.update(_version_markers(python_version))
    if platform is not None:
        found.update(platform.markers)
        if platform.markers["sys_platform"] != markers["sys_platform"]:
            # What only a running system knows.
            found.update(platform_release="", platform_version="")
    if found["implementation_name"] != "cpython":
        raise ConfigurationError(
            f"tags of {found['implementation_name']} for another version or platform are not known",
            hint="name an interpreter of that version with --python",
        )
    return Elsewhere(found, _tags(found["python_version"], tag_names, platform))


def _version_markers(text: str) -> dict[str, str]:
    match = re.fullmatch(r"(\d{1,3})\.(\d{1,3})(\.\d{1,3})?((?:a|b|rc)\d{1,3})?", text)
    if match is None:
        raise ConfigurationError(f'--python-version must be a version such as 3.12 or 3.12.1, not "{text}"')
    full = f"{match[1]}.{match[2]}{match[3] or '.0'}{match[4] or ''}"
    return {"python_version": f"{match[1]}.{match[2]}", "python_full_version": full, "implementation_version": full}


def _tags(python_version: str, here: Sequence[str], platform: Platform | None) -> tuple[str, ...]:
    major, minor = map(int, python_version.split("."))
    # Every platform an interpreter knows stands in the tags that are good for any Python.
    platforms = (
        platform.tags
        if platform is not None
        else tuple(dict.fromkeys(tag[9:] for tag in here if tag.startswith("py3-none-") and tag != "py3-none-any"))
    )
    threaded = "t" if any(tag.partition("-")[2].partition("-")[0].endswith("t") for tag in here[:1]) else ""
    interpreter = f"cp{major}{minor}"
    found = [
        *tags.cpython_tags((major, minor), [f"{interpreter}{threaded}"], platforms),
        *tags.compatible_tags((major, minor), interpreter, platforms),
    ]
    return tuple(dict.fromkeys(map(str, found)))
