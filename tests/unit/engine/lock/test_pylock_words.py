"""All faults of a pylock.toml are told at once, in our words, each with the line of its package."""

from collections.abc import Mapping, Sequence

import pytest

from engine.errors import InvalidLock
from engine.lock.direct import Place
from engine.lock.pylock import Choices, PylockFile

HEAD = 'lock-version = "1.0"\ncreated-by = "x"\n'
HASHES = "hashes = {sha256 = '" + "0" * 64 + "'}"


class Facts:
    """CPython 3.12 on a made-up platform."""

    markers: Mapping[str, str] = {
        "python_version": "3.12",
        "python_full_version": "3.12.1",
        "platform_python_implementation": "CPython",
        "sys_platform": "linux",
        "platform_machine": "x86_64",
        "os_name": "posix",
    }
    tags: Sequence[str] = ("cp312-cp312-linux_x86_64", "py3-none-any")


def wheel(name: str, tag: str = "py3-none-any", hashes: str = HASHES, place: str = "") -> str:
    filename = f"{name}-1.0-{tag}.whl"
    place = place or f"url = 'https://example.com/{filename}'"
    return f"{{name = '{filename}', {place}, {hashes}}}"


def package(name: str, *wheels: str, more: str = "") -> str:
    return f"[[packages]]\nname = '{name}'\nversion = '1.0'\nwheels = [{', '.join(wheels)}]\n{more}"


def parse(text: str) -> PylockFile:
    return PylockFile.parse(text.encode(), source="pylock.toml", place=Place(folder="/project"), choices=Choices())


def problems(*packages: str, head: str = HEAD) -> list[str]:
    with pytest.raises(InvalidLock) as caught:
        parse(head + "".join(packages)).select(Facts())
    return caught.value.problems


def test_each_package_has_its_fault_of_structure_and_its_line() -> None:
    assert problems(
        package("a", wheel("a", hashes="size = 1")),
        package("b", wheel("b", hashes="hashes = {}")),
        package("c"),
        package("d", wheel("d")),
        package("e", "{name = 'e-1.0-py3-none-any.whl', " + HASHES + "}"),
        package("f", wheel("f", hashes=HASHES + ", size = 'x'")),
    ) == [
        "pylock.toml:3: a: a-1.0-py3-none-any.whl has no hash",
        "pylock.toml:7: b: b-1.0-py3-none-any.whl has no hash",
        "pylock.toml:11: c: it names no file: it needs wheels, an sdist, or one of archive, directory and vcs",
        "pylock.toml:19: e: e-1.0-py3-none-any.whl has neither url nor path",
        "pylock.toml:23: f: wheels[0].size is a text, and has to be a number",
    ]


def test_faults_of_the_whole_are_told_beside_those_of_packages() -> None:
    assert problems("[[packages]]\nversion = '1.0'\n", head='lock-version = "1.0"\n') == [
        "pylock.toml: it has no created-by",
        "pylock.toml:2: packages[0]: it has no name",
    ]


def test_all_packages_that_do_not_fit_are_told_with_what_there_is() -> None:
    found = problems(
        package(
            "a", *(wheel("a", tag) for tag in ("cp27-cp27m-win32", "cp39-abi3-win32", "cp311-none-any", "pp3-x-any"))
        ),
        package("b", wheel("b"), more="requires-python = '<3.10'\n"),
        package("c", wheel("c")),
        package("d", wheel("d", place="url = 'ftp://example.com/x'")),
        package("c", wheel("c")),
        package("e", wheel("e", "cp27-cp27m-win32"), more="marker = \"os_name == 'nt'\"\n"),
        package("f", wheel("f", "cp27-none-win32"), more=f"sdist = {{name = 'f-1.0.tar.gz', url = 'x', {HASHES}}}\n"),
    )
    assert found == [
        "pylock.toml:3: a: no wheel is for CPython 3.12.1 linux x86_64; "
        "there are some for cp27-cp27m-win32, cp39-abi3-win32, cp311-none-any and 1 more",
        "pylock.toml:7: b: it needs Python <3.10, and the environment has 3.12.1",
        'pylock.toml:16: d: "ftp://example.com/x" is no URL of a file',
        "pylock.toml:20: c: it is here twice for this environment, first as packages[2]",
        "pylock.toml:29: f: no wheel is for CPython 3.12.1 linux x86_64; there are some for cp27-none-win32, "
        "and source distributions cannot be installed so far",
    ]


def test_a_lock_for_others_says_for_whom_and_nothing_about_its_packages() -> None:
    head = HEAD + "requires-python = '>=3.13'\nenvironments = [\"os_name == 'nt'\"]\n"
    assert problems(package("a", wheel("a", "cp27-cp27m-win32")), head=head) == [
        "pylock.toml: the lock is for Python >=3.13, and the environment has 3.12.1",
        'pylock.toml: the lock is for none of what CPython 3.12.1 linux x86_64 is: os_name == "nt"',
    ]
