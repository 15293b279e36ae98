"""Versions are listed by the places that may, as they are now, and by what is stored where that is good enough."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import NormalizedName

from cache.records import RecordStore
from engine.errors import ConfigurationError, IndexUnavailable, InvalidPage, Offline, ProjectNotFound
from engine.index.reading import PageReader
from engine.limits import SORTED_APART_BYTES
from engine.locations import IndexLocation
from engine.options import NetworkOptions
from engine.solving.opening import Asked
from engine.solving.versions import ProjectListing
from tests.support.answers import ask
from tests.support.index import Fault, Index, serving
from tests.support.wheels import make_wheel

DEMO = NormalizedName("demo")
PAGE = "/simple/demo/"
ONE, TWO, THREE = (make_wheel("demo", version) for version in ("1.0", "2.0", "3.0"))


@pytest.fixture
def second() -> Iterator[Index]:
    """Another index."""
    with serving() as served:
        yield served


def listing(folder: Path, *places: Index, **options: Any) -> ProjectListing:
    async def scenario(asked: Asked) -> ProjectListing:
        found = await asked.listings.listing(DEMO)
        assert await asked.listings.listing(DEMO) is found, "it is listed once a run"
        return found

    locations = [IndexLocation(place.url, name=f"i{number}") for number, place in enumerate(places)]
    if locations:
        locations[-1] = IndexLocation(places[-1].url, default=True, name="last")
    try:
        return ask(folder, locations, scenario, **options)
    except ExceptionGroup as group:
        raise group.exceptions[0] from None


def versions(found: ProjectListing) -> list[str]:
    return [str(release.version) for release in found.listing.releases]


def test_a_fresh_page_is_not_asked_for_again_and_a_stale_one_is(index: Index, tmp_path: Path) -> None:
    index.add(ONE)
    assert versions(listing(tmp_path, index)) == versions(listing(tmp_path, index)) == ["1.0"]
    assert index.requests == [PAGE]
    index.add(TWO)
    refreshed = NetworkOptions(refresh=True)
    assert versions(listing(tmp_path, index, network_options=refreshed)) == ["1.0", "2.0"]
    assert versions(listing(tmp_path, index)) == ["1.0", "2.0"]
    assert index.requests == [PAGE, PAGE]


def test_a_large_page_is_sorted_beside_the_resolution_and_stored(index: Index, tmp_path: Path) -> None:
    texts = [f"1.{number}" for number in range(SORTED_APART_BYTES // 100)]
    index.add(*(make_wheel("demo", text) for text in texts))
    assert versions(listing(tmp_path, index)) == versions(listing(tmp_path, index)) == texts
    assert index.requests == [PAGE]
    (record,) = (tmp_path / "cache" / "index-v3").glob("*/demo")
    found = PageReader(RecordStore(str(record.parent))).stored("demo")
    assert found is not None and found[1].by_version is not None and list(found[1].by_version.texts) == texts


def test_a_large_page_that_is_of_another_project_is_refused_by_name(index: Index, tmp_path: Path) -> None:
    body = b'{"meta": {"api-version": "1.0"}, "name": "other", "files": []' + b" " * SORTED_APART_BYTES + b"}"
    index.add(ONE)
    index.fault(PAGE, Fault(body=body))
    with pytest.raises(InvalidPage, match='is the page of "other", not of demo'):
        listing(tmp_path, index)


def test_a_stored_page_is_validated(index: Index, tmp_path: Path) -> None:
    index.add(ONE)
    index.validates, index.max_age_seconds = True, 0
    assert versions(listing(tmp_path, index)) == versions(listing(tmp_path, index)) == ["1.0"]
    assert "if-none-match" in index.headers[-1]


def test_a_stored_page_that_is_damaged_is_fetched_as_if_it_were_not_there(index: Index, tmp_path: Path) -> None:
    index.add(ONE)
    index.validates, index.max_age_seconds = True, 0
    listing(tmp_path, index)
    (record,) = (tmp_path / "cache" / "index-v3").glob("*/demo")
    record.write_bytes(record.read_bytes()[:-5])
    assert versions(listing(tmp_path, index)) == ["1.0"]
    assert "if-none-match" in index.headers[-2] and "if-none-match" not in index.headers[-1]


def test_an_index_that_is_down_is_made_up_for_by_what_is_stored_and_that_is_told(index: Index, tmp_path: Path) -> None:
    index.add(ONE)
    index.cache_control = "max-age=0"
    listing(tmp_path, index)
    index.fault(PAGE, Fault(status=503))
    warnings: list[str] = []
    found = listing(tmp_path, index, warnings=warnings)
    assert versions(found) == ["1.0"]
    assert isinstance(found.failure, IndexUnavailable) and "may be out of date" in warnings[0]


def test_an_index_that_fails_is_an_error_and_not_passed_over(index: Index, second: Index, tmp_path: Path) -> None:
    second.add(ONE)
    index.fault(PAGE, Fault(status=500))
    with pytest.raises(IndexUnavailable):
        listing(tmp_path, index, second)
    assert second.requests == []


def test_a_project_that_nobody_has_is_asked_for_in_every_run(index: Index, tmp_path: Path) -> None:
    for _ in range(2):
        found = listing(tmp_path, index)
        assert found.listing.releases == () and found.listing.missing == "was not found in the index"
        assert isinstance(found.failure, ProjectNotFound)
    assert index.requests == [PAGE, PAGE]


def test_the_first_index_that_has_a_project_decides_and_says_so(index: Index, second: Index, tmp_path: Path) -> None:
    index.add(ONE)
    second.add(TWO)
    found = listing(tmp_path, index, second)
    assert versions(found) == ["1.0"] and second.requests == []
    assert second.url in found.advice and "unsafe-best-match" in found.advice


def test_the_best_of_all_indexes_is_listed_where_that_is_wanted(index: Index, second: Index, tmp_path: Path) -> None:
    index.add(ONE)
    second.add(ONE, TWO)
    found = listing(tmp_path, index, second, strategy="unsafe-best-match")
    assert versions(found) == ["1.0", "2.0"]
    best = found.best(found.listing.releases[0].version)
    assert best is not None and f":{index.port}/" in best.url


def test_a_strategy_that_has_no_meaning_for_a_resolution_is_refused(
    index: Index, second: Index, tmp_path: Path
) -> None:
    index.add(ONE)
    assert versions(listing(tmp_path, index, second, strategy="unsafe-first-match")) == ["1.0"]
    second.add(TWO)
    with pytest.raises(ConfigurationError, match="unsafe-first-match"):
        listing(tmp_path / "other", index, second, strategy="unsafe-first-match")


def test_a_pinned_project_is_asked_of_its_index_alone(index: Index, second: Index, tmp_path: Path) -> None:
    index.add(ONE)
    second.add(TWO)
    assert versions(listing(tmp_path, index, second, pins={"demo": "last"})) == ["2.0"]
    assert index.requests == []


def test_find_links_stand_beside_an_index_and_alone(index: Index, tmp_path: Path) -> None:
    links = tmp_path / "links"
    links.mkdir()
    (links / THREE.filename).write_bytes(THREE.content)
    index.add(ONE)
    location = IndexLocation(str(links), flat=True)
    assert versions(listing(tmp_path, index, find_links=[location])) == ["3.0", "1.0"]
    assert versions(listing(tmp_path, find_links=[location])) == ["3.0"]


def test_an_index_may_be_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "index" / "demo"
    folder.mkdir(parents=True)
    (folder / ONE.filename).write_bytes(ONE.content)

    async def scenario(asked: Asked) -> ProjectListing:
        return await asked.listings.listing(DEMO)

    assert versions(ask(tmp_path, [IndexLocation(str(tmp_path / "index"), default=True)], scenario)) == ["1.0"]


def test_offline_takes_any_stored_page_and_asks_nobody(index: Index, tmp_path: Path) -> None:
    index.add(ONE)
    index.max_age_seconds = 0
    with pytest.raises(Offline):
        listing(tmp_path, index, offline=True)
    listing(tmp_path, index)
    assert versions(listing(tmp_path, index, offline=True)) == ["1.0"]
    assert len(index.requests) == 1
