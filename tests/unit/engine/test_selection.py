"""A wheel that the lock names is taken as it is named, or refused where it does not fit."""

import pytest
from packaging.utils import canonicalize_name

from engine.chosen import Chosen
from engine.errors import NoMatchingDistribution
from engine.index.compatibility import Target
from engine.lock.pins import Digest, LockedFile, Pin
from engine.selection import locked_wheel

TARGET = Target(tag_priority={"py3-none-any": 0}, python_full_version="3.13.1", describe="Python 3.13 on Linux")


def pin(filename: str, *digests: Digest) -> Pin:
    return Pin(
        name=canonicalize_name("demo"),
        version_text="1.0",
        version=None,
        arbitrary_equality=True,
        extras=frozenset(),
        marker=None,
        hashes=(),
        line=3,
        source="lock.txt",
        file=LockedFile(
            filename=filename, url=f"https://example.com/{filename}", size_bytes=7, digests=digests, direct=True
        ),
    )


def test_the_wheel_has_the_size_and_all_hashes_that_the_lock_gives() -> None:
    digests = Digest(algorithm="sha256", hex="a" * 64), Digest(algorithm="sha512", hex="b" * 128)
    assert locked_wheel(pin("demo-1.0-py3-none-any.whl", *digests), TARGET) == Chosen(
        url="https://example.com/demo-1.0-py3-none-any.whl",
        filename="demo-1.0-py3-none-any.whl",
        size_bytes=7,
        sha256="a" * 64,
        promised={"sha256": "a" * 64, "sha512": "b" * 128},
        warnings=(),
        promiser="lock",
    )


def test_a_wheel_without_sha256_has_no_key_in_the_cache() -> None:
    chosen = locked_wheel(pin("demo-1.0-py3-none-any.whl", Digest(algorithm="sha512", hex="b" * 128)), TARGET)
    assert isinstance(chosen, Chosen)
    assert chosen.sha256 is None


@pytest.mark.parametrize("filename", ["demo-1.0-cp39-cp39-win32.whl", "demo.whl"])
def test_a_wheel_for_something_else_is_refused_and_the_line_is_named(filename: str) -> None:
    refused = locked_wheel(pin(filename), TARGET)
    assert isinstance(refused, NoMatchingDistribution)
    assert refused.message == f"lock.txt:3: {filename} is not for Python 3.13 on Linux"
