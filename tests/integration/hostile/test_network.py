"""Servers that misbehave: refused or tried again within bounds, judged by the oracle, and made good by the next run."""

import gzip
import threading
import zlib
from collections.abc import Iterator

import pytest

from tests.support.index import Fault, Index
from tests.support.oracle import NEW, Oracle
from tests.support.wheels import make_wheel

ONE = make_wheel("one", "1.0", {"one.py": "version = 1\n", "data.bin": bytes(range(256)) * 40}, compress=False)
PAGE, FILE = "/simple/one/", f"/files/{ONE.filename}"
#: Time limits that make a test of time short; nothing but the fault meets them.
SHORT = ("--retries", "1", "--timeout", "0.5")


@pytest.fixture(autouse=True)
def listed(index: Index) -> None:
    index.add(ONE)


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What a silent server waits for; open when the test ends."""
    gate = threading.Event()
    yield gate
    gate.set()


def heal(oracle: Oracle, index: Index) -> None:
    """Runs the same lock without the fault; it ends as if there had never been one."""
    index.heal()
    oracle.index.requests.clear()
    oracle.accepted(NEW.pin, ONE.pin)
    assert oracle.ground.target.installed() == {"good-2.0", "one-1.0"}
    assert oracle.ground.target.run("import one; print(one.version)") == "1"


@pytest.mark.parametrize("path", [PAGE, FILE], ids=["page", "file"])
@pytest.mark.parametrize(
    ("fault", "word"),
    [
        (Fault(status=429, headers={"Retry-After": "0"}), "429"),
        (Fault(status=503, headers={"Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT"}), "503"),
        (Fault(status=500), "500"),
        (Fault(reset=True), "one"),
        (Fault(cut_after_bytes=20), "one"),
        (Fault(headers={"Content-Length": "100000000"}, cut_after_bytes=1 << 30), "one"),
        (Fault(status=302, headers={"Location": "?"}), "circle"),
        (Fault(status=302, headers={"Location": "file:///etc/passwd"}), "http"),
        (Fault(status=302, headers={"Location": "http://169.254.169.254/latest/meta-data/"}), "own network"),
        (Fault(status=302, headers={"Location": "http://2852039166/latest/meta-data/"}), "own network"),
        (Fault(status=200, body=b"garbage"), "one"),
        (Fault(headers={"Content-Length": "7"}), "one"),
    ],
    ids=[
        "429",
        "503",
        "500",
        "reset",
        "truncated",
        "too long",
        "circle",
        "file",
        "metadata",
        "number",
        "garbage",
        "short",
    ],
)
def test_a_fault_is_an_error_and_the_next_run_is_right(
    path: str, fault: Fault, word: str, index: Index, accepting: Oracle
) -> None:
    """ADVERSARIAL 67, and the faults of a server."""
    index.fault(path, fault)
    before = accepting.ground.before()
    said = accepting.refused(ONE.pin, options=("--retries", "1"))
    # A request that breaks a kept connection is made again on a new one, as RFC 9112 wants it, before it counts.
    assert word in said and index.requests.count(path) <= 4
    assert accepting.ground.before() == before
    heal(accepting, index)


@pytest.mark.parametrize("path", [PAGE, FILE], ids=["page", "file"])
@pytest.mark.parametrize("kind", ["silent", "stalled", "drip"])
def test_a_server_that_lets_us_wait_is_given_up(
    path: str, kind: str, index: Index, accepting: Oracle, gate: threading.Event
) -> None:
    index.fault(
        path,
        {
            "silent": Fault(silent=True, gate=gate),
            "stalled": Fault(hold_after_bytes=30, gate=gate),
            "drip": Fault(piece_bytes=1, drip_seconds=0.1),
        }[kind],
    )
    accepting.refused(ONE.pin, options=SHORT)
    assert index.requests.count(path) == 2
    gate.set()
    heal(accepting, index)


def test_a_slow_body_is_no_fault(index: Index, accepting: Oracle) -> None:
    index.fault(FILE, Fault(piece_bytes=1024, drip_seconds=0.1))
    accepting.accepted(ONE.pin, options=("--retries", "0", "--timeout", "0.8"))


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        (Fault(headers={"Content-Encoding": "gzip"}), "gzip"),
        (Fault(headers={"Content-Encoding": "gzip"}, body=gzip.compress(bytes(1 << 20))[:-9]), "gzip"),
        (Fault(headers={"Content-Encoding": "br"}), "br"),
        (Fault(headers={"Content-Encoding": "gzip, gzip"}), "gzip, gzip"),
    ],
    ids=["no gzip", "truncated gzip", "brotli", "twice"],
)
def test_an_encoding_that_is_none_is_named(fault: Fault, word: str, index: Index, accepting: Oracle) -> None:
    index.fault(PAGE, fault)
    assert word in accepting.refused(ONE.pin)
    assert index.requests.count(PAGE) == 1
    heal(accepting, index)


def test_a_bomb_of_a_page_is_not_inflated(index: Index, accepting: Oracle) -> None:
    index.fault(PAGE, Fault(headers={"Content-Encoding": "gzip"}, body=_bomb()))
    assert "larger than" in accepting.refused(ONE.pin)
    heal(accepting, index)


def _bomb() -> bytes:
    """A small body of more than 256 MiB."""
    pack = zlib.compressobj(9, wbits=31)
    zeros = bytes(1 << 24)
    return b"".join(pack.compress(zeros) for _ in range(17)) + pack.flush()


def test_thirty_redirects_are_followed_and_no_more(index: Index, accepting: Oracle) -> None:
    """ADVERSARIAL 67."""
    for number in range(31):
        index.fault(f"{FILE}?{number}", Fault(status=302, headers={"Location": f"?{number + 1}"}))
    index.fault(f"{FILE}?31", Fault(status=200, body=ONE.content))
    index.fault(FILE, Fault(status=302, headers={"Location": "?2"}, times=1))
    accepting.accepted(ONE.pin)
    assert len([path for path in index.requests if path.startswith(FILE)]) == 31


def test_thirty_one_redirects_are_too_many(index: Index, accepting: Oracle) -> None:
    """ADVERSARIAL 67."""
    for number in range(31):
        index.fault(f"{FILE}?{number}", Fault(status=302, headers={"Location": f"?{number + 1}"}))
    index.fault(FILE, Fault(status=302, headers={"Location": "?1"}))
    assert "more than 30 times" in accepting.refused(ONE.pin)
    heal(accepting, index)


def test_a_server_that_asks_for_an_hour_is_not_waited_for(index: Index, accepting: Oracle) -> None:
    index.fault(PAGE, Fault(status=429, headers={"Retry-After": "3600"}))
    assert "429" in accepting.refused(ONE.pin)
    assert index.requests.count(PAGE) == 1
    heal(accepting, index)


@pytest.mark.parametrize("size", [len(ONE.content) - 1, len(ONE.content) + 1])
def test_a_file_of_another_size_than_promised_is_refused_at_once(size: int, index: Index, accepting: Oracle) -> None:
    two = make_wheel("two", "1.0")
    index.add(two, size=len(two.content) + size - len(ONE.content))
    assert two.filename in accepting.refused(two.pin)
    assert index.requests.count(f"/files/{two.filename}") == 1


def test_a_file_that_does_not_end_where_it_was_promised_is_cut_off(index: Index, accepting: Oracle) -> None:
    # No length in the answer: the end of the connection is the end of the body.
    body = ONE.content + bytes(1 << 20)
    index.fault(FILE, Fault(body=body, headers={"Content-Length": "", "Connection": "close"}))
    accepting.refused(ONE.pin, options=("--retries", "0"))
    heal(accepting, index)
