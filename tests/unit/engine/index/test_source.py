"""Which places a run asks, in which order; and whose wheels are forbidden."""

from pathlib import Path

import pytest

from engine.errors import ConfigurationError
from engine.index.source import Sources, early_urls, sources
from engine.locations import IndexLocation, IndexOptions
from engine.lock.lock import Lock
from engine.options import LockOptions, SyncOptions
from engine.reporting import View
from engine.sync import Run

ONE, TWO, THREE = (f"https://{name}.example.com/simple" for name in ("one", "two", "three"))


def run_with(tmp_path: Path, indexes: IndexOptions) -> Run:
    (tmp_path / "lock.txt").write_text("")
    locks = LockOptions(files=(str(tmp_path / "lock.txt"),))
    return Run(SyncOptions(locks=locks, pythons=(), cache_dir=str(tmp_path), indexes=indexes), {}, "/project", View())


def found(tmp_path: Path, lock: Lock | None = None, **options: object) -> Sources:
    return sources(run_with(tmp_path, IndexOptions(**options)), lock)  # type: ignore[arg-type]


def urls(locations: tuple[IndexLocation, ...]) -> list[str]:
    return [location.url for location in locations]


def default(url: str, *, explicit: bool = False) -> IndexLocation:
    return IndexLocation(url, default=True, explicit=explicit)


def test_indexes_of_options_come_before_those_of_the_lock_and_the_default_last(tmp_path: Path) -> None:
    lock = Lock(index_url=THREE, extra_index_urls=(TWO, ONE + "/"), find_links=("/wheels", ONE))
    place = found(tmp_path, lock, locations=[IndexLocation(ONE)], find_links=[IndexLocation("/wheels", flat=True)])
    assert urls(place.indexes) == [ONE, TWO, THREE]
    assert urls(place.find_links) == ["/wheels", ONE] and all(location.flat for location in place.find_links)


@pytest.mark.parametrize(
    ("named", "lock", "fallback", "expected"),
    [(ONE, TWO, THREE, ONE), (None, TWO, THREE, TWO), (None, None, THREE, THREE)],
)
def test_the_nearest_default_index_counts(
    tmp_path: Path, named: str | None, lock: str | None, fallback: str, expected: str
) -> None:
    locations = [default(named)] if named else []
    place = found(tmp_path, Lock(index_url=lock), locations=locations, fallback=default(fallback))
    assert urls(place.indexes) == [expected]


def test_an_explicit_index_is_asked_for_its_projects_alone(tmp_path: Path) -> None:
    private = IndexLocation(ONE, name="corp", explicit=True)
    place = found(tmp_path, locations=[private, default(TWO)], pins={"demo": "corp"})
    assert urls(place.of("demo")) == [ONE] and urls(place.of("other")) == [TWO]


def test_an_explicit_default_leaves_no_default(tmp_path: Path) -> None:
    place = found(tmp_path, locations=[default(ONE, explicit=True)])
    assert place.indexes == ()


@pytest.mark.parametrize(("options", "lock"), [({"no_index": True}, None), ({}, Lock(no_index=True))])
def test_no_index_holds_wherever_it_stands_and_for_pinned_projects_too(
    tmp_path: Path, options: dict[str, bool], lock: Lock | None
) -> None:
    locations = [IndexLocation(ONE, name="corp"), default(TWO)]
    place = found(tmp_path, lock, locations=locations, pins={"demo": "corp"}, **options)
    assert place.indexes == place.of("demo") == ()


def test_a_pin_to_an_index_without_this_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match='demo is pinned to the index "corp"'):
        found(tmp_path, locations=[IndexLocation(ONE, name="other")], pins={"demo": "corp"})


def test_early_questions_go_to_the_first_index_alone_and_never_about_pinned_projects() -> None:
    first, second = IndexLocation(ONE + "/"), IndexLocation(TWO)
    place = Sources((first, second), (), {"demo": second})
    assert early_urls(place, ["demo", "other"]) == [f"{ONE}/other/"]
    for silent in (IndexLocation("/srv/simple"), IndexLocation("file:///srv"), IndexLocation(ONE, flat=True)):
        assert early_urls(Sources((silent, second), (), {}), ["other"]) == []
    assert early_urls(Sources((), (), {}), ["other"]) == []


@pytest.mark.parametrize(
    ("no_binary", "only_binary", "forbidden"),
    [
        ((), (), False),
        ((":all:",), (), True),
        ((":all:",), ("demo",), False),
        ((":all:",), (":all:",), True),
        (("Demo_X", "demo"), (), True),
        (("x,Demo",), ("demo",), True),
        (("demo", ":none:"), (), False),
        ((":all:", ":none:", "other"), (), False),
        ((":all:",), ("demo", ":none:"), True),
    ],
)
def test_format_words_mean_what_they_mean_to_pip_and_uv(
    no_binary: tuple[str, ...], only_binary: tuple[str, ...], forbidden: bool
) -> None:
    assert Sources((), (), {}, no_binary, only_binary).forbid_wheels("demo") is forbidden


def test_a_name_is_that_of_an_index_however_it_is_cased_or_divided(tmp_path: Path) -> None:
    locations = [IndexLocation(ONE, name="My.Corp", explicit=True), default(TWO)]
    assert found(tmp_path, locations=locations, pins={"demo": "my-corp"}).of("demo")[0].url == ONE


def test_who_was_not_asked_for_being_explicit_is_told_but_not_to_who_is_pinned(tmp_path: Path) -> None:
    locations = [IndexLocation(ONE, name="corp", explicit=True), IndexLocation(THREE, name="b"), default(TWO)]
    place = found(tmp_path, locations=locations, pins={"demo": "corp"})
    assert str(place.unasked_hint("other")).startswith('"corp" is explicit and was not asked')
    assert place.unasked_hint("demo") is None
    assert found(tmp_path, locations=[default(TWO)]).unasked_hint("other") is None
