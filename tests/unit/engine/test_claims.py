"""Claims: one process at a time downloads an artifact; whoever waits goes on when it is there or nobody has it."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import anyio
import pytest

from engine.claims import Claims

HOLD = """
import sys
import anyio
from engine.claims import Claims

async def main():
    async with Claims(sys.argv[1]).claim(sys.argv[2], lambda: False):
        print("held", flush=True)
        await anyio.sleep(60)

anyio.run(main)
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "partial-v1" / "claims")


@pytest.fixture
def hold(path: str) -> Iterator[Callable[[str], "subprocess.Popen[str]"]]:
    """Lets another process claim something; returns when it has."""
    started = []

    def start(key: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen([sys.executable, "-c", HOLD, path, key], stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


async def waits(claims: Claims, key: str) -> bool:
    """Tells whether somebody has the claim."""
    with anyio.move_on_after(0.05) as scope:
        async with claims.claim(key, lambda: False):
            pass
    return scope.cancelled_caught


def test_a_claim_of_another_process_is_waited_for_and_others_are_not(
    path: str, hold: Callable[[str], "subprocess.Popen[str]"]
) -> None:
    hold("one")

    async def main() -> None:
        claims = Claims(path)
        assert await waits(claims, "one")
        assert not await waits(claims, "two")
        claims.close()

    anyio.run(main)


def test_the_claim_of_a_killed_process_is_free(path: str, hold: Callable[[str], "subprocess.Popen[str]"]) -> None:
    process = hold("one")
    process.send_signal(signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
    process.wait()

    async def main() -> None:
        claims = Claims(path)
        with anyio.fail_after(5):
            async with claims.claim("one", lambda: False):
                pass
        claims.close()

    anyio.run(main)


def test_who_waits_goes_on_when_another_process_is_done(
    path: str, hold: Callable[[str], "subprocess.Popen[str]"]
) -> None:
    hold("one")

    async def main() -> None:
        claims = Claims(path)
        looks = 0

        def done() -> bool:
            nonlocal looks
            looks += 1
            return looks == 3

        with anyio.fail_after(5):
            async with claims.claim("one", done):
                assert looks == 3
        # It was not ours, and is still the other's.
        assert await waits(claims, "one")
        claims.close()

    anyio.run(main)


def test_two_tasks_of_one_process_wait_for_each_other(path: str) -> None:
    async def main() -> None:
        claims = Claims(path)
        async with claims.claim("one", lambda: False):
            assert await waits(claims, "one")
        assert not await waits(claims, "one")
        claims.close()

    anyio.run(main)


def test_where_nothing_can_be_locked_nobody_waits(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    async def main() -> None:
        for path in (None, str(tmp_path / "file" / "claims")):
            claims = Claims(path)
            async with claims.claim("one", lambda: False):
                assert not await waits(claims, "one")
            claims.close()

    anyio.run(main)


def test_claims_leave_nothing_but_one_empty_file(path: str) -> None:
    async def main() -> None:
        claims = Claims(path)
        for key in ("one", "two"):
            async with claims.claim(key, lambda: False):
                pass
        claims.close()

    anyio.run(main)
    assert os.listdir(os.path.dirname(path)) == ["claims"]
    assert os.path.getsize(path) == 0


@pytest.mark.skipif(os.name == "nt", reason="needs symbolic links")
def test_a_planted_link_is_not_followed(path: str, tmp_path: Path) -> None:
    os.mkdir(os.path.dirname(path))
    os.symlink(tmp_path / "elsewhere", path)
    Claims(path).close()
    assert not (tmp_path / "elsewhere").exists()
