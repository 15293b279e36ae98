"""METADATA are read out of an archive without its unpacking, and only where it has one reading."""

import io
import zipfile

import pytest

from engine.errors import InvalidWheel
from engine.limits import METADATA_BYTES
from engine.wheel.member import read_metadata_member
from tests.support.wheels import Member, Wheel, make_wheel, pack

INFO = "demo-1.0.dist-info"


def read(content: bytes) -> bytes:
    def at(offset: int, length: int) -> bytes:
        return content[offset : offset + length]

    return bytes(read_metadata_member(at, len(content), "demo-1.0-py3-none-any.whl"))


@pytest.mark.parametrize("compress", [True, False])
def test_metadata_are_those_of_the_wheel(compress: bool) -> None:
    wheel: Wheel = make_wheel("demo", "1.0", requires=["other"], compress=compress)
    with zipfile.ZipFile(io.BytesIO(wheel.content)) as archive:
        assert read(wheel.content) == archive.read(f"{INFO}/METADATA")


def test_a_wheel_without_metadata_is_refused() -> None:
    with pytest.raises(InvalidWheel, match="no METADATA"):
        read(pack([Member(name=f"{INFO}/WHEEL")]))


def test_metadata_that_are_too_large_are_refused_before_they_are_inflated() -> None:
    content = pack([Member(name=f"{INFO}/METADATA", content=bytes(METADATA_BYTES + 1))])
    with pytest.raises(InvalidWheel, match="larger than 8 MiB"):
        read(content)


def test_damage_is_found_by_the_checksum() -> None:
    content = pack([Member(name=f"{INFO}/METADATA", content=b"Name: demo")], compress=False)
    with pytest.raises(InvalidWheel, match="CRC"):
        read(content.replace(b"Name: demo", b"Name: evil"))


def test_damaged_data_are_refused() -> None:
    content = pack([Member(name=f"{INFO}/METADATA", content=b"Name: demo " * 100)])
    start = content.index(b"METADATA") + 8
    with pytest.raises(InvalidWheel, match="METADATA"):
        read(content[:start] + b"\xff" * 10 + content[start + 10 :])


def test_a_local_header_that_differs_is_refused() -> None:
    content = pack([Member(name=f"{INFO}/METADATA", content=b"Name: demo")])
    with pytest.raises(InvalidWheel, match="differs from the central directory"):
        read(content.replace(b"METADATA", b"METADAT2", 1))
