"""The command keyring: asked for the URL, then for the host, and never left hanging."""

import os
from pathlib import Path

import pytest

from engine.network.keyring import Keyring
from engine.network.origin import Credentials, Origin

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(os.name == "nt", reason="the command is a shell script"),
]

URL = "https://example.com/simple/"
ORIGIN = Origin.parse(URL)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def keyring(
    folder: Path, script: str, provider: str = "auto", timeout_seconds: float = 20
) -> tuple[Keyring, list[str]]:
    command = folder / "keyring"
    command.write_text(f'#!/bin/sh\necho "$@" >> "{folder}/asked"\n{script}\n')
    command.chmod(0o755)
    warnings: list[str] = []
    environ = {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    return Keyring(provider, environ, warnings, timeout_seconds=timeout_seconds), warnings


def asked(folder: Path) -> list[str]:
    path = folder / "asked"
    return path.read_text().splitlines() if path.exists() else []


async def test_the_url_is_asked_for_before_the_host_and_once(tmp_path: Path) -> None:
    ring, warnings = keyring(tmp_path, 'test "$2" = example.com && echo "pass word"')
    for _ in range(2):
        assert await ring.find(URL, ORIGIN, "user") == Credentials("user", "pass word", "keyring")
    assert asked(tmp_path) == [f"get {URL} user", "get example.com user"]
    assert warnings == []


async def test_without_a_name_both_are_asked_for_where_that_is_wanted(tmp_path: Path) -> None:
    script = 'test "$*" = "--mode creds get example.com" && printf "us er\\npass word\\n"'
    ring, _ = keyring(tmp_path, script, "subprocess")
    assert await ring.find(URL, ORIGIN, None) == Credentials("us er", "pass word", "keyring")
    assert asked(tmp_path) == [f"--mode creds get {URL}", "--mode creds get example.com"]


@pytest.mark.parametrize("script", ["exit 2", "echo only-one-line"])
async def test_without_a_name_half_an_answer_is_none(script: str, tmp_path: Path) -> None:
    ring, warnings = keyring(tmp_path, script, "subprocess")
    assert await ring.find(URL, ORIGIN, None) is None
    assert warnings == []


async def test_without_a_name_keyring_is_not_asked_unless_that_is_wanted(tmp_path: Path) -> None:
    ring, _ = keyring(tmp_path, "echo secret")
    assert await ring.find(URL, ORIGIN, None) is None
    assert asked(tmp_path) == []


async def test_who_has_no_password_is_nobody(tmp_path: Path) -> None:
    ring, warnings = keyring(tmp_path, "exit 1")
    assert await ring.find(URL, ORIGIN, "user") is None
    assert warnings == []


@pytest.mark.parametrize(("provider", "username"), [("disabled", "user"), ("auto", "--help"), ("auto", "")])
async def test_no_process_is_started_when_it_is_not_wanted_or_not_safe(
    provider: str, username: str, tmp_path: Path
) -> None:
    ring, _ = keyring(tmp_path, "echo secret", provider)
    assert await ring.find(URL, ORIGIN, username) is None
    assert asked(tmp_path) == []


async def test_words_are_not_read_by_a_shell(tmp_path: Path) -> None:
    ring, _ = keyring(tmp_path, "exit 1")
    await ring.find(URL, ORIGIN, f"$(touch {tmp_path}/touched);`id`")
    assert not (tmp_path / "touched").exists()


async def test_a_command_that_does_not_answer_is_ended(tmp_path: Path) -> None:
    ring, warnings = keyring(tmp_path, f'echo $$ > "{tmp_path}/pid"; exec sleep 600', timeout_seconds=0.3)
    assert await ring.find(URL, ORIGIN, "user") is None
    assert warnings and "0.3 seconds" in warnings[0]
    if (pid := tmp_path / "pid").exists():
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid.read_text()), 0)


@pytest.mark.parametrize(("provider", "count"), [("auto", 0), ("subprocess", 1)])
async def test_a_missing_command_is_told_to_whoever_asked_for_it(provider: str, count: int, tmp_path: Path) -> None:
    warnings: list[str] = []
    ring = Keyring(provider, {"PATH": str(tmp_path)}, warnings)
    assert await ring.find(URL, ORIGIN, "user") is None
    assert len(warnings) == count
