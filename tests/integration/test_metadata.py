"""Metadata come from wherever they cost least, and only where they are what was asked for."""

import hashlib
import io
import random
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest
from packaging.utils import NormalizedName
from packaging.version import Version

from engine.errors import AccessRefused, HashMismatch, IndexUnavailable, Offline
from engine.locations import IndexLocation
from engine.options import NetworkOptions
from engine.solving.opening import Asked
from engine.solving.versions import ListedFile
from resolver.availability import Obstacle, Unusable
from resolver.requests import Metadata
from tests.support.answers import ask
from tests.support.index import Fault, Index, serving
from tests.support.wheels import Wheel, make_wheel

DEMO = NormalizedName("demo")
ONE = Version("1.0")
REQUIRES = ("other>=2", 'extra-one; extra == "more"')
WHEEL = make_wheel("demo", "1.0", requires=REQUIRES)
#: Larger than what is asked for first, so that parts of it are missing.
LARGE = make_wheel("demo", "1.0", {"demo/data": random.Random(1).randbytes(200_000)}, requires=REQUIRES)
FILE = f"/files/{WHEEL.filename}"
BESIDE = f"{FILE}.metadata"
SERVED = b"Metadata-Version: 2.1\nName: Demo\nVersion: 1.0\nRequires-Dist: served\n\nRequires-Dist: body\n"
REFRESHING = NetworkOptions(refresh=True)
DIGEST = {"sha256": hashlib.sha256(SERVED).hexdigest()}


class Reader:
    """Reads metadata with one cache."""

    def __init__(self, folder: Path, index: Index) -> None:
        self._folder = folder
        self._index = index
        self.warnings: list[str] = []

    def read(self, version: Version = ONE, *, times: int = 1, **options: Any) -> Metadata | Unusable:
        """Returns the metadata of a version of demo, asked for so many times at once."""

        async def scenario(asked: Asked) -> Metadata | Unusable:
            listing = await asked.listings.listing(DEMO)
            file = listing.best(version)
            assert file is not None
            return await read(asked, file)

        async def read(asked: Asked, file: ListedFile) -> Metadata | Unusable:
            found: list[Metadata | Unusable] = []

            async def once() -> None:
                found.append(await asked.metadata.metadata(file, DEMO, version))

            async with anyio.create_task_group() as group:
                for _ in range(times):
                    group.start_soon(once)
            assert all(one == found[0] for one in found)
            return found[0]

        location = IndexLocation(self._index.url, default=True)
        try:
            return ask(self._folder, [location], scenario, warnings=self.warnings, **options)
        except ExceptionGroup as group:
            raise group.exceptions[0] from None

    @property
    def requests(self) -> list[str]:
        """The paths of files that were asked for."""
        return [path for path in self._index.requests if path.startswith("/files/")]


@pytest.fixture
def reader(tmp_path: Path, index: Index) -> Reader:
    return Reader(tmp_path, index)


def serve(index: Index, wheel: Wheel = WHEEL, /, **fields: Any) -> None:
    index.ranges = True
    index.add(wheel, **fields)


def requires(found: Metadata | Unusable) -> tuple[str, ...]:
    assert isinstance(found, Metadata), found
    return found.requires_dist


def metadata_first(wheel: Wheel) -> Wheel:
    """The same wheel with its dist-info in front."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(wheel.content)) as old, zipfile.ZipFile(packed, "w") as new:
        for info in sorted(old.infolist(), key=lambda info: ".dist-info/" not in info.filename):
            new.writestr(info, old.read(info))
    return replace(wheel, content=packed.getvalue())


# -- beside the file ---------------------------------------------------------------


@pytest.mark.parametrize("stated", [True, DIGEST])
def test_what_the_index_serves_is_all_that_is_fetched_and_that_once(index: Index, reader: Reader, stated: Any) -> None:
    serve(index, **{"core-metadata": stated})
    index.fault(BESIDE, Fault(status=200, body=SERVED))
    assert requires(reader.read(times=5)) == ("served",)
    assert requires(reader.read()) == ("served",)
    assert reader.requests == [BESIDE]


def test_a_wrong_digest_is_told_and_the_wheel_decides(index: Index, reader: Reader) -> None:
    serve(index, **{"core-metadata": DIGEST})
    index.fault(BESIDE, Fault(status=200, body=SERVED.replace(b"served", b"evil")))
    assert requires(reader.read()) == REQUIRES
    (warning,) = reader.warnings
    assert warning.endswith(f"{BESIDE} is not the file that the index promised; the wheel is read")


@pytest.mark.parametrize("status", [403, 404])
def test_metadata_that_are_promised_and_missing_are_read_from_the_wheel(
    index: Index, reader: Reader, status: int
) -> None:
    serve(index, **{"core-metadata": DIGEST})
    index.fault(BESIDE, Fault(status=status, body=b""))
    assert requires(reader.read()) == REQUIRES


def test_a_busy_server_is_asked_again_and_then_given_up(index: Index, reader: Reader) -> None:
    serve(index, **{"core-metadata": DIGEST})
    index.fault(BESIDE, Fault(status=503, times=1))
    index.fault(BESIDE, Fault(status=200, body=SERVED, cut_after_bytes=20))
    with pytest.raises(IndexUnavailable, match="cannot fetch"):
        reader.read()
    assert reader.requests == [BESIDE, BESIDE]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (SERVED.replace(b"Demo", b"evil"), "the name 'evil'"),
        (SERVED.replace(b"1.0", b"1.1"), "the version '1.1'"),
        (b"", "the name ''"),
    ],
)
def test_metadata_of_something_else_are_refused(index: Index, reader: Reader, body: bytes, words: str) -> None:
    serve(index, **{"core-metadata": True})
    index.fault(BESIDE, Fault(status=200, body=body))
    found = reader.read()
    assert isinstance(found, Unusable)
    assert found.obstacle is Obstacle.INVALID_METADATA and words in found.detail


def test_another_file_with_the_same_hash_does_not_inherit_unproven_metadata(
    index: Index, reader: Reader, tmp_path: Path
) -> None:
    serve(index, **{"core-metadata": True})
    index.fault(BESIDE, Fault(status=200, body=SERVED.replace(b"served", b"evil")))
    assert requires(reader.read()) == ("evil",)
    with serving() as other:
        serve(other)
        assert requires(Reader(tmp_path, other).read()) == REQUIRES


def test_what_nobody_promised_is_asked_for_again_when_it_may_have_changed(index: Index, reader: Reader) -> None:
    serve(index, hashes={}, **{"core-metadata": True})
    index.fault(BESIDE, Fault(status=200, body=SERVED, headers={"Cache-Control": "no-cache", "ETag": '"1"'}, times=1))
    index.fault(BESIDE, Fault(status=304, body=b"", times=1))
    index.fault(BESIDE, Fault(status=200, body=SERVED.replace(b"served", b"changed")))
    assert requires(reader.read()) == ("served",)
    assert requires(reader.read()) == ("served",)
    assert index.headers[-1]["if-none-match"] == '"1"'
    assert requires(reader.read()) == ("changed",)


def test_one_digest_for_two_versions_is_a_lie_that_is_found(index: Index, reader: Reader) -> None:
    two = make_wheel("demo", "2.0")
    serve(index, **{"core-metadata": DIGEST})
    index.add(two, **{"core-metadata": DIGEST})
    for path in (BESIDE, f"/files/{two.filename}.metadata"):
        index.fault(path, Fault(status=200, body=SERVED))
    assert requires(reader.read()) == ("served",)
    found = reader.read(Version("2.0"))
    assert isinstance(found, Unusable) and "the version '1.0'" in found.detail


def test_offline_what_may_have_changed_is_good_enough(index: Index, reader: Reader) -> None:
    serve(index, hashes={}, **{"core-metadata": True})
    index.fault(BESIDE, Fault(status=200, body=SERVED, headers={"Cache-Control": "no-cache"}))
    assert requires(reader.read()) == ("served",)
    assert requires(reader.read(offline=True)) == ("served",)


def test_of_an_sdist_only_what_the_index_serves_is_read(index: Index, reader: Reader) -> None:
    fields = {"filename": "demo-1.0.tar.gz", "url": "/files/demo-1.0.tar.gz", "hashes": {}}
    index.add_file("demo", "demo-1.0.tar.gz", b"", fields)
    assert reader.read() == Unusable(Obstacle.SDIST_REFUSED) and reader.requests == []
    index.add_file("demo", "demo-2.0.tar.gz", b"", {**fields, "filename": "demo-2.0.tar.gz", "core-metadata": True})
    index.fault("/files/demo-1.0.tar.gz.metadata", Fault(status=200, body=SERVED.replace(b"1.0", b"2.0")))
    assert requires(reader.read(Version("2.0"), network_options=REFRESHING)) == ("served",)


# -- the end of the wheel ----------------------------------------------------------


def test_the_end_of_a_wheel_is_enough_and_remembered(index: Index, reader: Reader) -> None:
    serve(index, LARGE)
    assert requires(reader.read()) == REQUIRES
    assert requires(reader.read()) == REQUIRES
    assert reader.requests == [FILE]
    assert index.headers[-1]["range"] == f"bytes={len(LARGE.content) - (66 << 10)}-"


def test_a_size_that_the_index_does_not_say_is_not_needed(index: Index, reader: Reader) -> None:
    serve(index, LARGE, size=None)
    assert requires(reader.read()) == REQUIRES
    assert index.headers[-1]["range"] == f"bytes=-{66 << 10}"


def test_a_directory_that_is_not_in_the_end_is_asked_for_with_the_metadata(index: Index, reader: Reader) -> None:
    many = {f"demo/module_with_a_name_of_some_length_{number}.py": "" for number in range(1000)}
    serve(index, make_wheel("demo", "1.0", many, requires=REQUIRES))
    assert requires(reader.read()) == REQUIRES
    assert reader.requests == [FILE, FILE]


def test_metadata_far_from_the_directory_are_asked_for_alone(index: Index, reader: Reader) -> None:
    serve(index, metadata_first(LARGE))
    assert requires(reader.read()) == REQUIRES
    assert reader.requests == [FILE, FILE]
    first, _, last = index.headers[-1]["range"].removeprefix("bytes=").partition("-")
    assert int(last) - int(first) < 1000


def test_a_wheel_that_changes_between_two_answers_is_read_from_the_start(index: Index, reader: Reader) -> None:
    wheel = metadata_first(LARGE)
    serve(index, wheel)
    index.fault(FILE, Fault(headers={"ETag": '"old"'}, times=1))
    assert requires(reader.read()) == REQUIRES
    ranges = [headers.get("range", "") for headers in index.headers]
    assert len(reader.requests) == 4 and ranges[-4] == ranges[-2]


@pytest.mark.parametrize(
    "fault",
    [
        Fault(ignores_range=True),
        Fault(status=501, body=b""),
        Fault(headers={"Content-Range": "bytes */*"}),
        Fault(headers={"Content-Range": ""}),
    ],
)
def test_a_server_without_ranges_gives_the_wheel_which_is_kept_and_is_not_asked_for_a_range_again(
    index: Index, reader: Reader, fault: Fault
) -> None:
    serve(index, LARGE)
    other = make_wheel("demo", "1.0", {"demo/data": b"x"}, requires=REQUIRES, tag="cp311-cp311-manylinux_2_17_x86_64")
    index.fault(FILE, replace(fault, times=1))
    assert requires(reader.read()) == REQUIRES
    assert requires(reader.read()) == REQUIRES
    assert reader.requests == [FILE, FILE], "the range, the wheel; then it is in the cache"
    index.add(other)
    assert requires(reader.read(network_options=REFRESHING)) == REQUIRES
    assert "range" not in index.headers[-1]


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Range": "bytes 0-67583/200000"},
        {"Content-Range": "bytes 5-9/10"},
    ],
)
def test_a_part_that_is_not_what_was_asked_for_is_not_believed(
    index: Index, reader: Reader, headers: Mapping[str, str]
) -> None:
    serve(index, LARGE)
    index.fault(FILE, Fault(headers=headers, times=1))
    assert requires(reader.read()) == REQUIRES
    assert "range" not in index.headers[-1]


def test_a_wheel_of_another_size_than_promised_is_refused_when_all_of_it_is_there(index: Index, reader: Reader) -> None:
    serve(index, LARGE, hashes={"sha256": "0" * 64})
    index.fault(FILE, Fault(ignores_range=True))
    with pytest.raises(HashMismatch):
        reader.read()


@pytest.mark.parametrize("damage", [lambda content: content[:-1] + b"x", lambda content: b"no archive" * 20_000])
def test_an_archive_that_is_damaged_is_unusable(index: Index, reader: Reader, damage: Callable[[bytes], bytes]) -> None:
    content = damage(LARGE.content)
    wheel = Wheel(name="demo", version="1.0", filename=LARGE.filename, content=content)
    serve(index, wheel)
    found = reader.read()
    assert isinstance(found, Unusable) and found.obstacle is Obstacle.INVALID_METADATA


def test_who_may_not_have_the_wheel_is_told_so(index: Index, reader: Reader) -> None:
    serve(index)
    index.fault(FILE, Fault(status=403, body=b""))
    with pytest.raises(AccessRefused):
        reader.read()


# -- without the network -----------------------------------------------------------


def test_offline_says_what_it_lacks_and_uses_what_it_has(index: Index, reader: Reader) -> None:
    index.max_age_seconds = 0
    serve(index)
    with pytest.raises(Offline, match="the page of demo"):
        reader.read(offline=True)
    assert requires(reader.read()) == REQUIRES
    asked = len(index.requests)
    assert requires(reader.read(offline=True)) == REQUIRES, "a page that is stale, and metadata that are stored"
    assert len(index.requests) == asked


def test_offline_names_the_file_whose_metadata_are_missing(index: Index, tmp_path: Path) -> None:
    serve(index)

    async def list_only(asked: Asked) -> None:
        await asked.listings.listing(DEMO)

    ask(tmp_path, [IndexLocation(index.url, default=True)], list_only)
    with pytest.raises(Offline, match=f"the metadata of {WHEEL.filename} are not in the cache"):
        Reader(tmp_path, index).read(offline=True)


def test_a_wheel_in_a_folder_is_read_where_it_is(index: Index, reader: Reader, tmp_path: Path) -> None:
    links = tmp_path / "links"
    links.mkdir()
    (links / LARGE.filename).write_bytes(LARGE.content)
    index.add(make_wheel("demo", "0.5"))
    found = reader.read(find_links=[IndexLocation(str(links), flat=True)])
    assert requires(found) == REQUIRES and reader.requests == []
