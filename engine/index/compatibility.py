"""Whether a wheel fits a target: names of wheel files, tags, Requires-Python.  Pure.

File names are split by hand and the usual Requires-Python is compared by hand,
because both happen for every page of a cold run: `packaging` would cost 6 us per
name and 15 ms for its import.  Whatever is unusual goes to `packaging`.

Source: "Binary distribution format", "File name convention"; "Platform
compatibility tags", "Compressed tag sets"; PEP 440, "Version specifiers".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

_DIGITS = "0123456789"
#: Longer numbers than this are nobody's build number.
_BUILD_DIGITS = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What an environment can use.

    `tag_priority` maps tags such as `py3-none-any` to their rank, 0 the best;
    `describe` names interpreter and platform for messages.
    """

    tag_priority: Mapping[str, int]
    python_full_version: str
    describe: str


class WheelName(NamedTuple):
    """The parts of a wheel's file name.

    `project` and `version` are as spelled, `build` is () or (number, rest), `tags`
    is the expanded set in the order of the name.
    """

    project: str
    version: str
    build: tuple[()] | tuple[int, str]
    tags: tuple[str, ...]

    @classmethod
    def parse(cls, filename: str) -> "WheelName | None":
        """Splits `name-version(-build)?-python-abi-platform.whl`; None when it is none.

        Source: PEP 427, "File name convention".
        """
        if not filename.endswith(".whl"):
            return None
        parts = filename[:-4].split("-")
        build: tuple[()] | tuple[int, str] = ()
        if len(parts) == 6:
            rest = parts[2].lstrip(_DIGITS)
            number = parts[2].removesuffix(rest) if rest else parts[2]
            if not 0 < len(number) <= _BUILD_DIGITS:
                return None
            build = (int(number), rest)
        elif len(parts) != 5:
            return None
        if not all(parts):
            return None
        return cls(parts[0], parts[1], build, _expand(*[part.lower() for part in parts[-3:]]))


def _expand(pythons: str, abis: str, platforms: str) -> tuple[str, ...]:
    if "." not in pythons and "." not in abis and "." not in platforms:
        return (f"{pythons}-{abis}-{platforms}",)
    return tuple(
        f"{python}-{abi}-{platform}"
        for python in pythons.split(".")
        for abi in abis.split(".")
        for platform in platforms.split(".")
    )


def best_rank(tags: tuple[str, ...], tag_priority: Mapping[str, int]) -> int | None:
    """Returns the lowest rank that any of the tags has, or None when none fits."""
    if len(tags) == 1:
        return tag_priority.get(tags[0])
    return min((tag_priority[tag] for tag in tags if tag in tag_priority), default=None)


@lru_cache(maxsize=1024)
def allows_python(requires_python: str, python_full_version: str) -> bool:
    """Returns whether Requires-Python allows an interpreter.

    A pre-release of Python counts as its release, and what is not a specifier
    allows everything, both as in pip.

    Args:
        requires_python: such as `>=3.8,!=3.9.*`.
        python_full_version: such as `3.12.1` or `3.14.0rc1`.

    Source: PEP 503, "data-requires-python"; PEP 440, "Version specifiers".
    """
    end = next((at for at, c in enumerate(python_full_version) if c not in "0123456789."), len(python_full_version))
    python = python_full_version[:end].rstrip(".")
    verdict = _compare_plainly(requires_python, python)
    if verdict is not None:
        return verdict
    from packaging.specifiers import SpecifierSet

    try:
        return SpecifierSet(requires_python).contains(python, prereleases=True)
    except ValueError:
        return True


def _compare_plainly(requires_python: str, python: str) -> bool | None:
    """Evaluates `>=`, `<=`, `>`, `<`, `==`, `!=` with plain releases; None where more is needed."""
    release = _plain_release(python)
    if release is None:
        return None
    verdict = True
    for clause in requires_python.split(","):
        text = clause.strip()
        if not text:
            continue
        operator = text[:2] if text[1:2] == "=" else text[:1]
        bound_text = text[len(operator) :].strip()
        wildcard = bound_text.endswith(".*")
        bound = _plain_release(bound_text.removesuffix(".*"))
        allowed = None if bound is None else _allows(operator, bound, release, wildcard=wildcard)
        if allowed is None:
            return None
        verdict = verdict and allowed
    return verdict


def _allows(operator: str, bound: tuple[int, ...], release: tuple[int, ...], *, wildcard: bool) -> bool | None:
    length = max(len(bound), len(release))
    candidate = release + (0,) * (length - len(release))
    if wildcard:
        equal = candidate[: len(bound)] == bound
        return {"==": equal, "!=": not equal}.get(operator)
    bound += (0,) * (length - len(bound))
    if operator in (">=", "<="):
        return candidate >= bound if operator == ">=" else candidate <= bound
    if operator in (">", "<"):
        return candidate > bound if operator == ">" else candidate < bound
    return {"==": candidate == bound, "!=": candidate != bound}.get(operator)


def _plain_release(text: str) -> tuple[int, ...] | None:
    """Returns the numbers of a version that is nothing but a release."""
    parts = text.split(".")
    if not text.isascii() or not all(part.isdigit() and len(part) < 10 for part in parts):
        return None
    return tuple(map(int, parts))
