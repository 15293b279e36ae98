"""Servers that fail: what may pass is tried again, what may not is named, and nothing half is kept."""

import gzip
import json
import socket
import threading

import pytest

from tests.support.index import Fault, Index
from tests.support.tool import Target, Tool
from tests.support.trees import leftovers, published
from tests.support.wheels import make_wheel

ONE = make_wheel("one", "1.0", {"one.py": "version = 1\n", "data.bin": bytes(range(256)) * 40}, compress=False)
PAGE, FILE = "/simple/one/", f"/files/{ONE.filename}"


def unused_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
        return port


@pytest.fixture(autouse=True)
def listed(index: Index) -> None:
    index.add(ONE)


def test_an_index_that_nobody_serves_is_named(tool: Tool, target: Target) -> None:
    tool.index_url = f"http://127.0.0.1:{unused_port()}/simple/"
    before = target.tree()
    run = tool.sync(tool.write_lock("one==1.0"), target)
    assert run.code == 1
    assert f"{tool.index_url}one/: connection refused (4 attempts)" in run.err and "hint: " in run.err
    assert "lock.txt" not in run.err
    assert "Traceback" not in run.err
    assert target.tree() == before


@pytest.mark.parametrize("path", [PAGE, FILE])
@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=503, times=2),
        Fault(status=429, times=1, headers={"Retry-After": "0"}),
        Fault(reset=True, times=2),
        Fault(cut_after_bytes=20, times=2),
    ],
    ids=["503", "429", "reset", "cut"],
)
def test_what_may_pass_is_tried_again(path: str, fault: Fault, index: Index, tool: Tool, target: Target) -> None:
    index.fault(path, fault)
    run = tool.sync(tool.write_lock("one==1.0"), target)
    assert run.code == 0, run.err
    assert target.installed() == {"one-1.0"}
    assert index.requests.count(path) == (fault.times or 0) + 1
    assert leftovers(tool.cache) == []


@pytest.mark.parametrize("path", [PAGE, FILE])
@pytest.mark.parametrize("retries", [0, 1])
def test_nothing_is_asked_for_more_often_than_retries_allow(
    path: str, retries: int, index: Index, tool: Tool, target: Target
) -> None:
    """Also on a connection that is used again: the page has opened the one that the file is asked for on."""
    index.fault(path, Fault(reset=True))
    run = tool.sync(tool.write_lock("one==1.0"), target, options=["--retries", str(retries)])
    assert run.code == 1 and "lock.txt:1: cannot" in run.err and "Errno" not in run.err
    assert index.requests.count(path) == retries + 1
    assert ("(2 attempts)" in run.err) is (retries == 1)


def test_repeated_pages_and_files_are_both_reported(index: Index, tool: Tool, target: Target) -> None:
    index.fault(PAGE, Fault(reset=True, times=2))
    index.fault(FILE, Fault(reset=True, times=1))
    report = tool.folder / "report.json"
    run = tool.sync(tool.write_lock("one==1.0"), target, options=["--report", str(report)])
    assert run.code == 0, run.err
    assert json.loads(report.read_bytes())["install"][0]["engine"]["retries"] == 3


def test_a_body_that_is_cut_off_is_told_in_numbers(index: Index, tool: Tool, target: Target) -> None:
    index.fault(FILE, Fault(cut_after_bytes=100))
    run = tool.sync(tool.write_lock("one==1.0"), target, options=["--retries", "0"])
    assert run.code == 1
    assert f"the connection ended after 100 of {len(ONE.content)} bytes\n" in run.err
    assert "--retries" in run.err


def test_silence_is_told_in_seconds(index: Index, tool: Tool, target: Target) -> None:
    gate = threading.Event()
    index.fault(PAGE, Fault(silent=True, gate=gate))
    run = tool.sync(tool.write_lock("one==1.0"), target, options=["--retries", "0", "--timeout", "1"])
    gate.set()
    assert run.code == 1
    assert "not a byte came for 1 seconds" in run.err and "--timeout" in run.err


def test_a_server_that_asks_for_more_time_than_a_run_has_is_quoted(index: Index, tool: Tool, target: Target) -> None:
    index.fault(PAGE, Fault(status=429, headers={"Retry-After": "3600"}))
    run = tool.sync(tool.write_lock("one==1.0"), target)
    assert run.code == 1
    assert "3600 seconds" in run.err and "120" in run.err and "--index-url" not in run.err
    assert index.requests == [PAGE]


def wrong_page(**fields: object) -> bytes:
    return json.dumps({"meta": {"api-version": "1.0"}, "name": "one", "files": [], **fields}).encode()


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        (Fault(status=503), "503"),
        (Fault(status=403), "403"),
        (Fault(status=404), "no project one"),
        (Fault(reset=True), PAGE),
        (Fault(headers={"Content-Type": "application/pdf"}), "application/pdf"),
        (Fault(headers={"Content-Encoding": "gzip"}), "gzip"),
        (Fault(headers={"Content-Encoding": "gzip"}, body=gzip.compress(wrong_page())[:-6]), "gzip"),
        (Fault(body=b"not json"), PAGE),
        (Fault(body=b"[" * 100_000), PAGE),
        (Fault(body=b""), PAGE),
        (Fault(body=wrong_page(meta={"api-version": "2.0"})), "2.0"),
        (Fault(body=wrong_page(name="two")), "two"),
        (Fault(body=wrong_page(files=None)), PAGE),
        (Fault(headers={"Content-Length": "nonsense"}), PAGE),
        (Fault(status=302, headers={"Location": PAGE}), PAGE),
        (Fault(status=302, headers={"Location": "file:///etc/passwd"}), PAGE),
        (Fault(status=302, headers={"Location": "http://[::1"}), PAGE),
    ],
    ids=lambda value: None if isinstance(value, Fault) else value,
)
def test_a_page_that_is_none_is_an_error_in_one_line(
    fault: Fault, word: str, index: Index, tool: Tool, target: Target
) -> None:
    index.fault(PAGE, fault)
    before = target.tree()
    run = tool.sync(tool.write_lock("one==1.0"), target)
    assert run.code == 1
    assert "lock.txt:1" in run.err and word in run.err
    assert "Traceback" not in run.err and "ExceptionGroup" not in run.err
    assert target.tree() == before
    assert published(tool.cache) == set() and leftovers(tool.cache) == []


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=302, headers={"Location": FILE}),
        Fault(status=302, headers={"Location": "file:///etc/passwd"}),
        Fault(headers={"Content-Length": "nonsense"}),
        Fault(headers={"Content-Length": str(1 << 40)}),
    ],
    ids=["redirect-loop", "redirect-to-file", "no-http", "lying-length"],
)
def test_a_file_server_that_speaks_nonsense_is_an_error_in_one_line(
    fault: Fault, index: Index, tool: Tool, target: Target
) -> None:
    index.fault(FILE, fault)
    run = tool.sync(tool.write_lock("one==1.0"), target)
    assert run.code == 1
    assert "lock.txt:1" in run.err and ONE.filename in run.err
    assert "Traceback" not in run.err
    assert published(tool.cache) == set() and leftovers(tool.cache) == []


def test_a_page_in_gzip_is_read(index: Index, tool: Tool, target: Target) -> None:
    body = gzip.compress(index.answer(PAGE)[2])
    index.fault(PAGE, Fault(headers={"Content-Encoding": "gzip"}, body=body))
    run = tool.sync(tool.write_lock("one==1.0"), target)
    assert run.code == 0, run.err
    assert target.installed() == {"one-1.0"}


def test_a_redirect_is_followed(index: Index, tool: Tool, target: Target) -> None:
    index.fault(PAGE, Fault(status=301, headers={"Location": "/simple/one/?again"}))
    page = Fault(status=200, body=index.answer(PAGE)[2], headers={"Content-Type": "application/json"})
    index.fault("/simple/one/?again", page)
    run = tool.sync(tool.write_lock("one==1.0"), target)
    assert run.code == 0, run.err
    assert target.installed() == {"one-1.0"}
    assert index.requests[:2] == [PAGE, "/simple/one/?again"]


def test_a_size_that_the_page_does_not_tell_is_no_hindrance(index: Index, tool: Tool, target: Target) -> None:
    bare = make_wheel("bare", "1.0")
    index.add(bare, size=None, hashes=None)
    run = tool.sync(tool.write_lock("bare==1.0"), target)
    assert run.code == 0, run.err
    assert published(tool.cache) == {bare.sha256}


def test_a_stale_page_is_asked_for_again(index: Index, tool: Tool, target: Target) -> None:
    index.max_age_seconds = 0
    tool.sync(tool.write_lock("one==1.0"), target)
    index.add(make_wheel("one", "2.0"))
    assert tool.sync(tool.write_lock("one==2.0"), target).code == 0
    assert index.requests.count(PAGE) == 2


def test_a_fresh_page_that_lacks_the_release_is_asked_for_again(index: Index, tool: Tool, target: Target) -> None:
    tool.sync(tool.write_lock("one==1.0"), target)
    index.add(make_wheel("one", "2.0"))
    run = tool.sync(tool.write_lock("one==2.0"), target)
    assert run.code == 0, run.err
    assert target.installed() == {"one-2.0"}
