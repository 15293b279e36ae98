"""Signals while a run waits for somebody: for a server's hour to pass, for a silent one, for the keyring."""

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from tests.integration.test_interruption import children_of_session, finish
from tests.support.index import Fault, Index
from tests.support.tool import Target, Tool
from tests.support.trees import leftovers
from tests.support.wheels import make_wheel

ONE = make_wheel("one", "1.0")
PAGE, FILE = "/simple/one/", f"/files/{ONE.filename}"
SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143)]


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What a silent server waits for; open when the test ends."""
    gate = threading.Event()
    yield gate
    gate.set()


@pytest.mark.parametrize(("number", "code"), SIGNALS)
@pytest.mark.parametrize("path", [PAGE, FILE], ids=["page", "file"])
@pytest.mark.parametrize("kind", ["retry-after", "silent"])
def test_a_run_that_waits_for_a_server_ends_at_once(
    kind: str,
    path: str,
    number: signal.Signals,
    code: int,
    index: Index,
    tool: Tool,
    target: Target,
    gate: threading.Event,
) -> None:
    index.add(ONE)
    waiting = Fault(status=429, headers={"Retry-After": "100"})
    index.fault(path, waiting if kind == "retry-after" else Fault(silent=True, gate=gate))
    before = target.tree()
    process = tool.start(tool.write_lock("one==1.0"), target)
    index.wait_for(path)
    process.send_signal(number)
    ended, err = finish(process)
    assert ended == code, err
    assert "Traceback" not in err and target.tree() == before
    assert leftovers(tool.cache) == []


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="the system does not tell a session's processes")
@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_a_keyring_that_asks_a_person_is_ended_as_well(
    number: signal.Signals, code: int, index: Index, tool: Tool, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.add(ONE)
    index.passwords = {"user:secret"}
    tool.index_url = index.url_for("user")
    folder = tool.folder / "bin"
    folder.mkdir()
    started = folder / "started"
    os.mkfifo(started)
    command = folder / "keyring"
    command.write_text(f"#!/bin/sh\necho yes > {started}\nexec sleep 600\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    process = tool.start(tool.write_lock("one==1.0"), target)
    assert started.read_text() == "yes\n"
    process.send_signal(number)
    ended, err = finish(process)
    assert ended == code, err
    assert "Traceback" not in err
    assert children_of_session(process.pid) == []
