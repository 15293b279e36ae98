"""Manifests: what is written is read back, and what is damaged is an error."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache import CacheError
from cache.manifest import EntryPoint, Manifest, ManifestFile

TEXT = st.text(st.characters(), max_size=20)
FILES = st.builds(ManifestFile, TEXT, st.integers(0, 2**62), st.integers(-(2**62), 2**62), st.booleans(), TEXT)
POINTS = st.lists(st.builds(EntryPoint, TEXT, TEXT, TEXT), max_size=3).map(tuple)
MANIFESTS = st.builds(
    Manifest,
    filename=TEXT,
    name=TEXT,
    version=TEXT,
    dist_info=TEXT,
    data=st.none() | TEXT,
    root_is_purelib=st.booleans(),
    files=st.lists(FILES, max_size=4).map(tuple),
    console_scripts=POINTS,
    gui_scripts=POINTS,
)

SMALL = Manifest(
    filename="a-1-py3-none-any.whl",
    name="a",
    version="1",
    dist_info="a-1.dist-info",
    data=None,
    root_is_purelib=True,
    files=(ManifestFile("a.py", 3, 1_000, False, "x"),),
)


@given(MANIFESTS)
def test_reading_what_was_written_is_the_identity(manifest: Manifest) -> None:
    assert Manifest.from_json(manifest.to_json(), path="there") == manifest


def test_every_truncated_manifest_is_damaged_and_says_where() -> None:
    body = SMALL.to_json()
    for length in range(len(body)):
        with pytest.raises(CacheError) as caught:
            Manifest.from_json(body[:length], path="/cache/one")
        assert caught.value.path == "/cache/one" and "/cache/one" in str(caught.value)


def _changed(**changes: object) -> bytes:
    return json.dumps({**json.loads(SMALL.to_json()), **changes}).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"null",
        b"[]",
        b"{}",
        b"\xff",
        b'"text"',
        _changed(format=2),
        _changed(files=None),
        _changed(files=[["a.py", 3]]),
        _changed(files=[7]),
        _changed(console_scripts=[["a"]]),
        _changed(unknown=1),
    ],
)
def test_json_of_another_shape_is_damaged(body: bytes) -> None:
    with pytest.raises(CacheError, match="damaged"):
        Manifest.from_json(body, path="there")


def test_a_field_that_is_missing_is_damage() -> None:
    fields = json.loads(SMALL.to_json())
    del fields["dist_info"]
    with pytest.raises(CacheError):
        Manifest.from_json(json.dumps(fields).encode(), path="there")
