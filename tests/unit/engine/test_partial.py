"""A download that stops: what is asked for next, which answers continue it, and what is kept for another run."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from engine.partial import Changed, Partial

MIB = 1 << 20
TOTAL = 8 * MIB
KEY = "ab" * 32
URL = "https://user:secret@example.com/demo.whl"
DATED = {"Date": "Tue, 15 Nov 1994 12:46:59 GMT", "Last-Modified": "Tue, 15 Nov 1994 12:45:26 GMT"}


def begun(tmp_path: Path, headers: Mapping[str, str], *, verified: bool = False, key: str = KEY) -> Partial:
    """Returns a download of which two megabytes are there."""
    partial = Partial(str(tmp_path / "1.part"), URL, key=key, verified=verified)
    partial.begin(headers, TOTAL)
    Path(partial.path).write_bytes(bytes(2 * MIB))
    partial.written = 2 * MIB
    return partial


@pytest.mark.parametrize(
    ("headers", "validator"),
    [
        ({"ETag": '"strong"'}, '"strong"'),
        ({"ETag": '"strong"', **DATED}, '"strong"'),
        (DATED, DATED["Last-Modified"]),
        ({**DATED, "Date": DATED["Last-Modified"]}, None),
        ({"Last-Modified": DATED["Last-Modified"]}, None),
        ({"ETag": 'W/"weak"'}, None),
        ({"ETag": "bare"}, None),
        ({**DATED, "Last-Modified": "yesterday"}, None),
        ({}, None),
    ],
)
def test_only_a_strong_validator_joins_two_answers(
    headers: dict[str, str], validator: str | None, tmp_path: Path
) -> None:
    partial = begun(tmp_path, headers)
    assert partial.can_go_on == (validator is not None)
    asked = partial.request_headers()
    assert asked.get("If-Range") == validator and asked["Range"] == f"bytes={2 * MIB}-"


def test_a_promised_hash_joins_them_too(tmp_path: Path) -> None:
    partial = begun(tmp_path, {}, verified=True)
    assert partial.can_go_on
    assert "If-Range" not in partial.request_headers()


def test_the_whole_is_asked_for_without_a_range(tmp_path: Path) -> None:
    assert Partial(str(tmp_path / "1.part"), URL, verified=True).request_headers() == {"Accept-Encoding": "identity"}


def test_a_small_file_is_not_continued(tmp_path: Path) -> None:
    partial = Partial(str(tmp_path / "1.part"), URL, key=KEY, verified=True)
    partial.begin({"ETag": '"strong"'}, MIB - 1)
    partial.written = MIB - 2
    assert not partial.can_go_on and not partial.kept


RIGHT = {"Content-Range": f"bytes {2 * MIB}-{TOTAL - 1}/{TOTAL}", "Content-Length": str(TOTAL - 2 * MIB)}


@pytest.mark.parametrize("more", [{}, {"ETag": '"strong"'}, {"Content-Encoding": "identity"}])
def test_the_rest_is_recognised(more: dict[str, str], tmp_path: Path) -> None:
    begun(tmp_path, {"ETag": '"strong"'}).check(206, {**RIGHT, **more})


@pytest.mark.parametrize(
    ("status", "more"),
    [
        (200, {}),
        (416, {}),
        (206, {"Content-Range": f"bytes {2 * MIB + 1}-{TOTAL - 1}/{TOTAL}", "Content-Length": str(6 * MIB - 1)}),
        (206, {"Content-Range": f"bytes {2 * MIB}-{TOTAL - 2}/{TOTAL}", "Content-Length": str(6 * MIB - 1)}),
        (206, {"Content-Range": f"bytes {2 * MIB}-{TOTAL}/{TOTAL + 1}", "Content-Length": str(6 * MIB + 1)}),
        (206, {"Content-Range": f"bytes {2 * MIB}-{TOTAL - 1}/*"}),
        (206, {"Content-Range": f"bytes */{TOTAL}"}),
        (206, {"Content-Range": ""}),
        (206, {"Content-Length": "1"}),
        (206, {"ETag": '"other"'}),
        (206, {"ETag": 'W/"strong"'}),
        (206, {"Content-Encoding": "gzip"}),
    ],
)
def test_what_is_not_the_rest_is_refused(status: int, more: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(Changed):
        begun(tmp_path, {"ETag": '"strong"'}).check(status, {**RIGHT, **more})


@pytest.mark.parametrize(("seconds", "kept"), [(1.26, True), (1.24, False)])
def test_what_takes_long_is_kept_and_what_comes_fast_is_not(seconds: float, kept: bool, tmp_path: Path) -> None:
    # Two of eight megabytes: five seconds in all are 1.25 until now.
    partial = begun(tmp_path, {"ETag": '"strong"'})
    partial.decide(seconds)
    assert partial.kept == kept == Path(partial.about_path).exists()
    partial.decide(100 - seconds)
    assert partial.kept == kept


def test_what_is_written_down_has_no_secret(tmp_path: Path) -> None:
    about = Path(begun(tmp_path, {}, verified=True).about_path).read_text()
    assert "example.com" in about and "secret" not in about


def another_run(tmp_path: Path, url: str = URL, *, verified: bool) -> tuple[Partial, bytes]:
    """Returns a download in another run, and what the first has written down."""
    first = tmp_path / "first"
    first.mkdir()
    about = Path(begun(first, {"ETag": '"strong"'}, verified=True).about_path).read_bytes()
    (first / "1.part").rename(tmp_path / "2.part")
    return Partial(str(tmp_path / "2.part"), url, key=KEY, verified=verified), about


def test_another_run_goes_on_with_the_same_validator(tmp_path: Path) -> None:
    partial, about = another_run(tmp_path, "https://other:word@example.com/demo.whl", verified=False)
    assert partial.go_on(about, TOTAL)
    assert (partial.written, partial.total, partial.kept) == (2 * MIB, TOTAL, True)
    assert partial.request_headers()["If-Range"] == '"strong"'


@pytest.mark.parametrize("verified", [True, False])
def test_from_another_url_only_a_hash_tells_that_it_is_the_same_file(verified: bool, tmp_path: Path) -> None:
    partial, about = another_run(tmp_path, "https://mirror.example.com/demo.whl", verified=verified)
    assert partial.go_on(about, None) == verified
    assert "If-Range" not in partial.request_headers()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, TOTAL + 1),
        ({"format": 2}, None),
        ({"key": "cd" * 32}, None),
        ({"total": 2 * MIB}, None),
        ({"total": "8"}, None),
        ({"total": None}, None),
    ],
)
def test_what_does_not_fit_is_of_no_use(change: dict[str, object], expected: int | None, tmp_path: Path) -> None:
    partial, about = another_run(tmp_path, verified=True)
    assert not partial.go_on(json.dumps({**json.loads(about), **change}).encode(), expected)
    assert partial.written == 0


@pytest.mark.parametrize("about", [b"", b"[]", b"\xff", b"{}"])
def test_damage_is_of_no_use(about: bytes, tmp_path: Path) -> None:
    partial, _ = another_run(tmp_path, verified=True)
    assert not partial.go_on(about, None)


def test_a_validator_that_would_break_a_header_is_dropped(tmp_path: Path) -> None:
    partial, about = another_run(tmp_path, verified=True)
    fields = {**json.loads(about), "etag": '"a"\r\nX: y'}
    assert partial.go_on(json.dumps(fields).encode(), None)
    assert "If-Range" not in partial.request_headers()
