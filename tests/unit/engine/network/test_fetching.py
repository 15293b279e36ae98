"""A file at a web address comes whole, bounded, and after a retry where that may help."""

import asyncio
from collections.abc import Iterator

import pytest

from engine.errors import ConfigurationError, IndexUnavailable
from engine.index.client import Network
from engine.network.fetching import fetch_file
from engine.options import NetworkOptions
from tests.support.index import Fault, Index

PATH = "/locks/lock.txt"


@pytest.fixture
def index() -> Iterator[Index]:
    served = Index()
    yield served
    served.close()


def fetch(index: Index, most_bytes: int = 100) -> tuple[str, bytes]:
    async def run() -> tuple[str, bytes]:
        async with asyncio.TaskGroup() as group:
            network = Network(group, NetworkOptions(retries=2), {})
            try:
                return await fetch_file(network, f"http://127.0.0.1:{index.port}{PATH}", most_bytes)
            finally:
                await network.close()

    try:
        return asyncio.run(run())
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None


def test_a_file_comes_with_the_address_it_was_redirected_to(index: Index) -> None:
    index.fault(PATH, Fault(status=302, headers={"Location": "/other/place.txt"}))
    index.fault("/other/place.txt", Fault(status=200, body=b"a==1\n"))
    assert fetch(index) == (f"http://127.0.0.1:{index.port}/other/place.txt", b"a==1\n")


def test_what_may_pass_is_tried_again(index: Index) -> None:
    index.fault(PATH, Fault(status=503, times=1))
    index.fault(PATH, Fault(status=200, body=b"a==1\n", cut_after_bytes=2, times=1))
    index.fault(PATH, Fault(status=200, body=b"a==1\n"))
    assert fetch(index)[1] == b"a==1\n"
    assert index.requests.count(PATH) == 3


def test_what_does_not_pass_ends(index: Index) -> None:
    index.fault(PATH, Fault(status=503))
    with pytest.raises(IndexUnavailable, match="503"):
        fetch(index)
    assert index.requests.count(PATH) == 3


def test_a_file_that_never_ends_is_given_up_at_its_bound(index: Index) -> None:
    index.fault(PATH, Fault(status=200, body=b"#" * 101))
    with pytest.raises(ConfigurationError, match="larger than"):
        fetch(index)
    assert index.requests.count(PATH) == 1
