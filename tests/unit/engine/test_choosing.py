"""Pages are read, chosen from and kept; a page that is damaged or another one is refused by name."""

import gzip
import json
from pathlib import Path

import pytest
from packaging.utils import NormalizedName

from cache.records import RecordStore
from engine.choosing import Chooser, PinFields
from engine.errors import InvalidPage
from engine.index.freshness import Freshness
from engine.index.page import ProjectPage
from engine.index.reading import _decompress

URL = "https://user:secret@example.com/simple/demo/"
JSON = "application/vnd.pypi.simple.v1+json"
DEMO = NormalizedName("demo")
FILE = {"filename": "demo-1.0-py3-none-any.whl", "url": "demo-1.0-py3-none-any.whl", "hashes": {"sha256": "AB" * 32}}
BODY = json.dumps({"meta": {"api-version": "1.1"}, "name": "demo", "files": [FILE]}).encode()
PIN: PinFields = ("demo", "1.0", False, [], 1, "lock.txt")
MISSING: PinFields = ("demo", "9.9", False, [], 2, "lock.txt")


@pytest.fixture
def chooser(tmp_path: Path) -> Chooser:
    chooser = Chooser(RecordStore(str(tmp_path)))
    chooser.know([(("py3-none-any",), "3.13.0", "CPython 3.13.0")])
    return chooser


def test_every_want_gets_its_wheel_or_its_refusal(chooser: Chooser) -> None:
    chosen, refused = chooser.choose_answer("k", DEMO, (URL, JSON, False, None, BODY), [(PIN, 0), (MISSING, 0)])
    assert chosen[0] == "chosen" and chosen[2] == FILE["filename"]
    assert chosen[1].endswith("/simple/demo/demo-1.0-py3-none-any.whl") and chosen[5] == {"sha256": "ab" * 32}
    assert refused[:2] == ("refused", "NoMatchingDistribution") and "9.9" in refused[2]


@pytest.mark.parametrize(("expires", "fresh"), [(1 << 40, True), (0, False)])
def test_a_page_is_chosen_from_again_once_it_is_stored(chooser: Chooser, expires: int, fresh: bool) -> None:
    assert chooser.choose_stored("k", [(PIN, 0)]) is None
    first = chooser.choose_answer("k", DEMO, (URL, JSON, False, Freshness(expires).pack(), BODY), [(PIN, 0)])
    assert chooser.choose_stored("k", [(PIN, 0)]) is None, "storing waits until the answer was sent"
    chooser.store()
    assert chooser.choose_stored("k", [(PIN, 0)]) == (fresh, first)


def test_a_gzipped_body_is_the_same_page(chooser: Chooser) -> None:
    wants = [(PIN, 0)]
    plain = chooser.choose_answer("k", DEMO, (URL, JSON, False, None, BODY), wants)
    assert chooser.choose_answer("k", DEMO, (URL, JSON, True, None, gzip.compress(BODY)), wants) == plain


def test_a_sorted_page_is_stored_and_chosen_from_like_any_other(chooser: Chooser, tmp_path: Path) -> None:
    plain = chooser.choose_answer("plain", DEMO, (URL, JSON, False, None, BODY), [(PIN, 0), (MISSING, 0)])
    packed = chooser.sort_answer("k", DEMO, (URL, JSON, True, Freshness(1 << 40).pack(), gzip.compress(BODY)))
    page = ProjectPage.unpack(packed)
    assert page is not None and page.by_version is not None and page.by_version.texts == ("1.0",)
    assert not list(tmp_path.iterdir()), "storing waits until the answer was sent"
    chooser.store()
    assert chooser.choose_stored("k", [(PIN, 0), (MISSING, 0)]) == (True, plain)


def test_a_sorted_page_that_must_not_be_stored_is_not(chooser: Chooser, tmp_path: Path) -> None:
    chooser.sort_answer("k", DEMO, (URL, JSON, False, None, BODY))
    chooser.store()
    assert not list(tmp_path.iterdir())


def test_a_page_that_must_not_be_stored_is_not(chooser: Chooser) -> None:
    chooser.choose_answer("k", DEMO, (URL, JSON, False, None, BODY), [(PIN, 0)])
    chooser.store()
    assert chooser.choose_stored("k", [(PIN, 0)]) is None


@pytest.mark.parametrize("damage", [b"", b"1234", bytes(11), bytes(11) + b"torn", bytes(9) + b"\xff\xff" + b"torn"])
def test_a_damaged_record_is_a_miss(chooser: Chooser, tmp_path: Path, damage: bytes) -> None:
    RecordStore(str(tmp_path)).put("k", damage)
    assert chooser.choose_stored("k", [(PIN, 0)]) is None


@pytest.mark.parametrize(
    ("kind", "body"), [("text/plain", BODY), (JSON, b"{"), (JSON, BODY.replace(b'"name": "demo"', b'"name": "other"'))]
)
def test_what_is_no_page_of_the_project_is_refused_without_the_password_and_not_kept(
    chooser: Chooser, kind: str, body: bytes
) -> None:
    with pytest.raises(InvalidPage) as caught:
        chooser.choose_answer("k", DEMO, (URL, kind, False, None, body), [(PIN, 0)])
    assert "secret" not in str(caught.value)
    chooser.store()
    assert chooser.choose_stored("k", [(PIN, 0)]) is None


@pytest.mark.parametrize("content", [b"", b"{}", bytes(range(256)) * 10_000])
def test_a_gzip_body_is_decompressed(content: bytes) -> None:
    assert _decompress(gzip.compress(content), "there") == content


def test_every_truncated_gzip_body_is_refused_by_name() -> None:
    body = gzip.compress(b"content " * 4)
    for length in range(len(body)):
        with pytest.raises(InvalidPage, match="there"):
            _decompress(body[:length], "there")


def test_a_damaged_checksum_is_noticed() -> None:
    body = bytearray(gzip.compress(b"content"))
    body[-5] ^= 1
    with pytest.raises(InvalidPage):
        _decompress(bytes(body), "there")
