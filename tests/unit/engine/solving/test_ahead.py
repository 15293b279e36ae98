"""What is fetched ahead: the small ones at once, large ones when they are likely, and not much in vain."""

import anyio
import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from engine.chosen import Chosen
from engine.errors import InstallFailed
from engine.limits import GUESSED_BYTES, LARGE_BYTES
from engine.solving.ahead import Ahead
from resolver import Dependencies, Pin

pytestmark = pytest.mark.anyio

#: Bytes of the wheels of a project.
SIZES = {"small": 1, "large": LARGE_BYTES, "huge": GUESSED_BYTES + 1, "half": GUESSED_BYTES // 2 + 1, "unknown": None}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Keeping:
    """Downloads never end; tells which were begun and which were given up."""

    def __init__(self, cached: frozenset[str] = frozenset(), failing: frozenset[str] = frozenset()) -> None:
        self._cached = cached
        self._failing = failing
        self.begun: list[str] = []
        self.left: list[str] = []

    def known_sha256(self, choice: Chosen) -> str | None:
        return "0" * 64 if choice.url in self._cached else None

    async def keep(self, choice: Chosen, project: str) -> str:
        self.begun.append(choice.url)
        if choice.url in self._failing:
            raise InstallFailed("nothing can be had")
        try:
            await anyio.sleep_forever()
        finally:
            self.left.append(choice.url)
        raise AssertionError("unreachable")


def wheel_of(name: str, version: Version, url: str | None) -> Chosen | None:
    project = name.partition("-")[0]
    return Chosen(f"{name}=={version}", name, SIZES[project], None, {}, ()) if project in SIZES else None


def asked(text: str) -> Dependencies:
    name, _, version = text.partition("==")
    return Dependencies(canonicalize_name(name), Version(version), None)


def pin(text: str) -> Pin:
    name, _, version = text.partition("==")
    return Pin(canonicalize_name(name), Version(version), None, ())


async def begun(keeping: Keeping, *told: tuple[str, str], needed: set[str] | None = None) -> list[str]:
    """Returns what was begun after `Ahead` was told all this, in this order."""
    async with anyio.create_task_group() as group:
        ahead = Ahead(group, keeping, wheel_of)
        for what, text in told:
            if what == "decide":
                ahead.decide(pin(one) for one in text.split())
            elif what == "expect":
                ahead.expect(asked(text).__eq__)
            else:
                ahead.guess(asked(text))
        await anyio.wait_all_tasks_blocked()
        if needed is not None:
            ahead.keep_only(needed)
            await anyio.wait_all_tasks_blocked()
        found, left = list(keeping.begun), list(keeping.left)
        group.cancel_scope.cancel()
    keeping.left = left
    return found


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([("guess", "small==2"), ("guess", "small==1")], ["small==2"]),
        ([("guess", "large==2")], []),
        ([("guess", "large==2"), ("expect", "large==2"), ("expect", "large==2")], ["large==2"]),
        ([("guess", "large==2"), ("expect", "large==1")], []),
        ([("guess", "large==2"), ("guess", "large==1"), ("expect", "large==1")], ["large==1"]),
        ([("guess", "small==2"), ("guess", "small==1"), ("expect", "small==1")], ["small==2", "small==1"]),
        ([("guess", "small==2"), ("guess", "small==1"), ("expect", "small==2")], ["small==2"]),
        ([("guess", "unknown==2")], []),
        ([("guess", "small==2"), ("decide", "small==1")], ["small==2", "small==1"]),
        ([("decide", "small==1 large==1"), ("decide", "small==1")], ["small==1", "large==1"]),
        ([("decide", "small==1"), ("guess", "small==2")], ["small==1"]),
        ([("guess", "sdist==2"), ("expect", "sdist==2"), ("decide", "sdist==2")], []),
    ],
)
async def test_what_is_begun_when(told: list[tuple[str, str]], expected: list[str]) -> None:
    assert await begun(Keeping(), *told) == expected


async def test_what_the_cache_has_is_not_fetched() -> None:
    assert (
        await begun(Keeping(frozenset({"small==1", "large==1"})), ("guess", "small==1"), ("decide", "large==1")) == []
    )


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        # A guess of more than the limit waits until it is decided; what is decided does not count.
        ([("guess", "huge==1"), ("expect", "huge==1")], []),
        ([("guess", "huge==1"), ("expect", "huge==1"), ("decide", "huge==1")], ["huge==1"]),
        ([("decide", "huge-a==1"), ("decide", "huge-b==1")], ["huge-a==1", "huge-b==1"]),
        # Two guesses are too much, unless the first turns out to be right.
        (
            [(what, f"half-{name}==1") for name in "ab" for what in ("guess", "expect")],
            ["half-a==1"],
        ),
        (
            [
                *(("guess", "half-a==1"), ("expect", "half-a==1"), ("decide", "half-a==1")),
                *(("guess", "half-b==1"), ("expect", "half-b==1")),
            ],
            ["half-a==1", "half-b==1"],
        ),
        # What was decided, and then otherwise, was in vain.
        ([("decide", "half==3"), ("decide", "half==2"), ("decide", "half==1")], ["half==3", "half==2"]),
    ],
)
async def test_what_may_be_in_vain_has_a_limit(told: list[tuple[str, str]], expected: list[str]) -> None:
    assert await begun(Keeping(), *told) == expected


async def test_what_is_not_needed_in_the_end_is_given_up() -> None:
    keeping = Keeping()
    told = [("guess", "small-a==1"), ("guess", "small-b==1")]
    assert await begun(keeping, *told, needed={"small-b==1"}) == ["small-a==1", "small-b==1"]
    assert keeping.left == ["small-a==1"]


async def test_a_download_that_fails_is_nobodys_matter() -> None:
    told = [("guess", "small-a==1"), ("guess", "small-b==1")]
    assert await begun(Keeping(failing=frozenset({"small-a==1"})), *told) == ["small-a==1", "small-b==1"]
