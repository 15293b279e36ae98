"""Many metadata come over few connections, and whatever is wrong with one of them, all are found as they are."""

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
import uvloop
from packaging.utils import NormalizedName
from packaging.version import Version

from engine.limits import BULK_CONNECTIONS
from engine.locations import IndexLocation
from engine.options import NetworkOptions
from engine.solving.opening import Asked
from resolver.availability import Unusable
from resolver.requests import Metadata
from tests.support.answers import ask
from tests.support.index import Fault, Index
from tests.support.wheels import make_wheel

DEMO = NormalizedName("demo")
COUNT = 60
#: Asked for in bulk, in the midst of others.
ODD = 40


def filename(number: int) -> str:
    return f"demo-{number}-py3-none-any.whl"


def beside(number: int) -> str:
    return f"/files/{filename(number)}.metadata"


def served(number: int) -> bytes:
    return f"Metadata-Version: 2.1\nName: demo\nVersion: {number}\nRequires-Dist: need-{number}\n\ntext\n".encode()


EXPECTED = {str(number): Metadata((f"need-{number}",)) for number in range(1, COUNT + 1)}


@pytest.fixture(autouse=True)
def many(index: Index) -> None:
    """An index that serves the metadata of many wheels."""
    for number in range(1, COUNT + 1):
        digest = hashlib.sha256(served(number)).hexdigest()
        wheel = make_wheel("demo", str(number), requires=(f"need-{number}",))
        index.add(wheel, **{"core-metadata": {"sha256": digest}})


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Set when the test is over."""
    event = threading.Event()
    yield event
    event.set()


def answer(index: Index, odd: Fault | None = None) -> None:
    """Makes the index serve metadata; those in the midst are odd once, and right from then on."""
    for number in range(1, COUNT + 1):
        if number == ODD and odd is not None:
            index.fault(beside(number), odd)
        index.fault(beside(number), Fault(status=200, body=served(number)))


def read_all(folder: Path, location: str, **options: Any) -> tuple[dict[str, Metadata | Unusable], int]:
    """Returns the metadata of all versions, and how many were asked for in bulk."""

    async def scenario(asked: Asked) -> tuple[dict[str, Metadata | Unusable], int]:
        listing = await asked.listings.listing(DEMO)
        found: dict[str, Metadata | Unusable] = {}
        in_bulk = 0
        with anyio.fail_after(30):
            async with anyio.create_task_group() as group:

                async def alone(version: Version) -> None:
                    file = listing.best(version)
                    assert file is not None
                    found[str(version)] = await asked.metadata.metadata(file, DEMO, version)

                def start(version: Version) -> bool:
                    file = listing.best(version)
                    assert file is not None
                    left = anyio.Event()

                    def told(metadata: Metadata | Unusable | None) -> None:
                        left.set()
                        if metadata is None:
                            group.start_soon(alone, version)
                        else:
                            found[str(version)] = metadata

                    if asked.metadata.in_bulk(file, DEMO, version, told):
                        group.start_soon(left.wait)
                        return True
                    group.start_soon(alone, version)
                    return False

                for release in listing.listing.releases:
                    in_bulk += start(release.version)
        return found, in_bulk

    return ask(folder, [IndexLocation(location, default=True)], scenario, **options)


def files(index: Index) -> list[str]:
    return [path for path in index.requests if path.startswith("/files/")]


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_many_come_over_few_connections_and_each_once(
    index: Index, tmp_path: Path, loop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if loop == "uvloop":
        monkeypatch.setattr("asyncio.run", uvloop.run)
    answer(index)
    assert read_all(tmp_path, index.url) == (EXPECTED, COUNT)
    assert sorted(files(index)) == sorted(beside(number) for number in range(1, COUNT + 1))
    assert index.connections <= BULK_CONNECTIONS


def test_what_came_in_bulk_is_remembered(index: Index, tmp_path: Path) -> None:
    answer(index)
    read_all(tmp_path, index.url)
    asked = len(files(index))
    found, _ = read_all(tmp_path, index.url, offline=True)
    assert found == EXPECTED and len(files(index)) == asked


FAULTS = {
    "not found": Fault(status=404, body=b"no", times=1),
    "busy": Fault(status=503, times=1),
    "redirected": Fault(status=302, headers={"Location": beside(ODD)}, body=b"", times=1),
    "in chunks": Fault(
        status=200, headers={"Transfer-Encoding": "chunked", "Content-Length": ""}, body=b"0\r\n\r\n", times=1
    ),
    "packed": Fault(status=200, headers={"Content-Encoding": "gzip"}, body=served(ODD), times=1),
    "longer than it says": Fault(status=200, headers={"Content-Length": "10"}, body=served(ODD), times=1),
    "shorter than it says": Fault(status=200, body=served(ODD), cut_after_bytes=20, times=1),
    "smuggled": Fault(
        status=200,
        headers={"Content-Length": "0"},
        body=b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000,
        times=1,
    ),
    "reset": Fault(reset=True, times=1),
    "closing": Fault(status=200, headers={"Connection": "close"}, body=served(ODD), times=1),
    "something else": Fault(status=200, body=served(ODD).replace(b"need", b"evil"), times=1),
    "of another": Fault(status=200, body=served(ODD + 1), times=1),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_is_wrong_with_one_all_are_found(index: Index, tmp_path: Path, fault: str) -> None:
    answer(index, FAULTS[fault])
    found, in_bulk = read_all(tmp_path, index.url)
    assert found == EXPECTED and in_bulk == COUNT
    assert files(index).count(beside(ODD)) == (1 if fault == "closing" else 2), "in bulk, and then alone"


def test_a_server_that_stands_still_is_asked_for_each_alone(
    index: Index, tmp_path: Path, gate: threading.Event
) -> None:
    answer(index, Fault(silent=True, gate=gate, times=1))
    found, _ = read_all(tmp_path, index.url, network_options=NetworkOptions(timeout_seconds=0.5))
    assert found == EXPECTED and files(index).count(beside(ODD)) == 2


def test_a_server_that_always_closes_is_asked_one_by_one(index: Index, tmp_path: Path) -> None:
    for number in range(1, COUNT + 1):
        index.fault(beside(number), Fault(status=200, body=served(number), headers={"Connection": "close"}))
    assert read_all(tmp_path, index.url)[0] == EXPECTED
    assert len(files(index)) == COUNT


def test_a_server_that_refuses_is_soon_left_alone(index: Index, tmp_path: Path) -> None:
    found, _ = read_all(tmp_path, index.url)
    assert found == EXPECTED, "from the wheels"
    alone = [path for path in files(index) if path.endswith(".metadata")]
    assert len(alone) == COUNT + (len(alone) - COUNT) and len(alone) < 2 * COUNT


def test_nothing_is_asked_in_bulk_where_credentials_are_needed(index: Index, tmp_path: Path) -> None:
    index.passwords.add("name:word")
    answer(index)
    assert read_all(tmp_path, index.url_for("name:word")) == (EXPECTED, 0)
    assert all("authorization" in headers for headers in index.headers)


def test_nothing_is_asked_in_bulk_through_a_proxy(index: Index, tmp_path: Path) -> None:
    answer(index)
    options = NetworkOptions(proxy="http://127.0.0.1:1", retries=0)
    with pytest.raises(Exception, match="proxy"):
        read_all(tmp_path, index.url, network_options=options)
    assert index.requests == []
