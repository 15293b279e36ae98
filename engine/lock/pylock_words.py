"""What is wrong with a pylock.toml, in our words: all of it, each with its line.  PURE.

Owns the sentences.  Whether anything is wrong is decided by `packaging.pylock`,
which ends at the first fault; only then is each package looked at by itself, so a
lock without faults is read once.

Source: PEP 751 and the "pylock.toml Specification".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from packaging.pylock import Pylock, PylockSelectError, PylockValidationError
from packaging.tags import Tag

from engine.lock.pins import line_reference

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from packaging.pylock import Package

    from engine.lock.lock import Facts

#: How many tags of wheels, or environments, are named one by one.
_NAMED = 3
_TYPES = {"str": "a text", "int": "a number", "bool": "true or false", "float": "a number", "datetime": "a date"}
_TYPES |= {"dict": "a table", "Mapping": "a table", "list": "a list", "Sequence": "a list"}
_TYPE_FAULT = re.compile(r"Unexpected type (\w+) \(expected (\w+)\)")
_SENTENCES = {
    "path or url must be provided": "has neither url nor path",
    "At least one hash must be provided": "has no hash",
    "Hash values must be strings": "has a hash that is no text",
    "None of vcs, directory, archive must be set if sdist or wheels are set": (
        "has files of an index and another source: vcs, directory and archive exclude wheels and sdist"
    ),
    "Exactly one of vcs, directory, archive must be set if sdist and wheels are not set": (
        "names no file: it needs wheels, an sdist, or one of archive, directory and vcs"
    ),
}


def structural_problems(fields: Mapping[str, Any], source: str, lines: Sequence[int]) -> Iterator[str]:
    """Yields what keeps a file from being a pylock.toml: of the whole, then one fault of each package.

    Args:
        fields: the file's TOML; of a version that can be read.
        source: its name.
        lines: of the packages, or empty where they are not known.
    """
    packages = fields.get("packages")
    whole = {**fields, "packages": []} if isinstance(packages, list) else fields
    if (error := _fault(whole)) is not None:
        yield f"{source}: {_sentence(error, error.context or '', '')}"
    if not isinstance(packages, list):
        return
    for number, package in enumerate(packages):
        one = {"lock-version": "1.0", "created-by": "", "packages": [package]}
        if (error := _fault(one)) is not None:
            where = line_reference(source, lines[number] if len(lines) == len(packages) else 0)
            name = package.get("name") if isinstance(package, dict) else None
            named = name if isinstance(name, str) else f"packages[{number}]"
            field = (error.context or "").removeprefix("packages[0]").lstrip(".")
            yield f"{where}: {named}: {_sentence(error, field, _file_name(package, field))}"


def _fault(fields: Mapping[str, Any]) -> PylockValidationError | None:
    try:
        Pylock.from_dict(fields)
    except PylockValidationError as exc:
        return exc
    return None


def _sentence(error: PylockValidationError, field: str, file: str) -> str:
    """Returns what is wrong with a field.

    Args:
        error: what the library says.
        field: its place, such as `wheels[0].hashes`, or "" for the whole package.
        file: name of the file that it belongs to, or "".
    """
    place, _, key = field.rpartition(".")
    subject = file or field or "it"
    if error.message == "Missing required value":
        return f"{file or place or 'it'} has no {'hash' if key == 'hashes' else key}"
    if (types := _TYPE_FAULT.fullmatch(error.message)) is not None:
        found, wanted = (_TYPES.get(name, name) for name in types.groups())
        return f"{field} is {found}, and has to be {wanted}"
    if (sentence := _SENTENCES.get(error.message)) is not None:
        return f"{subject} {sentence}"
    message = (error.message.splitlines() or ["it is wrong"])[0]
    return f"{field}: {message}" if field else message


def _file_name(package: object, field: str) -> str:
    """Returns what a message calls the file that a field belongs to, or "" where there is no such file."""
    match = re.match(r"(wheels|sdist|archive)(?:\[(\d+)\])?", field)
    if match is None or not isinstance(package, dict):
        return ""
    table = package.get(match[1])
    if match[2] is not None and isinstance(table, list):
        table = table[int(match[2])]
    for key in ("name", "path", "url"):
        if isinstance(table, dict) and isinstance(name := table.get(key), str) and name:
            return name.replace("\\", "/").rsplit("/", 1)[-1].partition("?")[0].partition("#")[0] or match[0]
    return match[0]


class Explanation:
    """Why a lock, or packages of it, are not for an environment, as far as it can be said at once.

    Args:
        pylock: what is selected from.
        facts: the environment's.
        extras, groups: that were chosen.
    """

    def __init__(self, pylock: Pylock, facts: Facts, *, extras: frozenset[str], groups: frozenset[str]) -> None:
        self._pylock = pylock
        self._facts = facts
        self._extras = extras
        self._groups = groups
        self._python = facts.markers.get("python_full_version", "")

    def of_the_lock(self) -> Iterator[str]:
        """Yields why nothing of the lock is for the environment."""
        lock = self._pylock
        if lock.requires_python and isinstance(self._selected(requires_python=lock.requires_python), str):
            yield f"the lock is for Python {lock.requires_python}, and the environment has {self._python}"
        if lock.environments and isinstance(self._selected(environments=lock.environments), str):
            known = _some([str(marker) for marker in lock.environments])
            yield f"the lock is for none of what {_described(self._facts)} is: {known}"

    def of_packages(self) -> Iterator[tuple[int, object]]:
        """Yields the number of each package that applies, and what of it is selected or (a text) why nothing can be."""
        earlier: dict[str, int] = {}
        for number, package in enumerate(self._pylock.packages):
            selected = self._selected(packages=[package])
            if isinstance(selected, str):
                yield number, self._reason(package, selected)
            elif selected and package.name in earlier:
                yield number, f"it is here twice for this environment, first as packages[{earlier[package.name]}]"
            elif selected:
                earlier[package.name] = number
                yield number, selected[0]

    def _reason(self, package: Package, said: str) -> str:
        wanted = package.requires_python
        if wanted and isinstance(self._selected(requires_python=wanted), str):
            return f"it needs Python {wanted}, and the environment has {self._python}"
        if package.wheels and said.startswith("No wheel"):
            return no_wheel(package, self._facts)
        return said

    def _selected(self, **parts: Any) -> list[object] | str:
        """Returns what is selected from a lock of these parts, or why nothing can be."""
        lock = Pylock(**{"lock_version": self._pylock.lock_version, "created_by": "", "packages": [], **parts})
        try:
            found = lock.select(
                environment=dict(self._facts.markers),  # type: ignore[arg-type]
                tags=[Tag(*tag.split("-", 2)) for tag in self._facts.tags],
                extras=self._extras,
                dependency_groups=self._groups,
            )
            return [chosen for _, chosen in found]
        except (PylockSelectError, ValueError) as exc:
            return (str(exc).splitlines() or ["it cannot be evaluated"])[0]


def no_wheel(package: Package, facts: Facts) -> str:
    """Says that no wheel of a package fits, and for what there are wheels."""
    tags = ("-".join(wheel.filename.removesuffix(".whl").split("-")[-3:]) for wheel in package.wheels or ())
    known = _some(list(dict.fromkeys(tags)))
    return f"no wheel is for {_described(facts)}; " + (f"there are some for {known}" if known else "there are none")


def _described(facts: Facts) -> str:
    markers = facts.markers
    words = ("platform_python_implementation", "python_full_version", "sys_platform", "platform_machine")
    return " ".join(markers[word] for word in words if markers.get(word))


def _some(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - _NAMED} more" if len(texts) > _NAMED else ""
    return ", ".join(texts[:_NAMED]) + more
