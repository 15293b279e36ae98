"""The pure parts of the client: bodies are bounded and whole, and messages hold no address."""

import gzip

import aiohttp
import pytest

from engine.errors import InvalidPage
from engine.index.client import ACCEPT, TRANSIENT_STATUS, _decompress, describe

SHOWN = "https://example.com/simple/demo/"


@pytest.mark.parametrize("content", [b"", b"{}", bytes(range(256)) * 10_000])
def test_a_gzip_body_is_decompressed(content: bytes) -> None:
    assert _decompress(gzip.compress(content), SHOWN) == content


def test_every_truncated_gzip_body_is_refused_by_name() -> None:
    body = gzip.compress(b"content " * 4)
    for length in range(len(body)):
        with pytest.raises(InvalidPage, match="gzip body") as caught:
            _decompress(body[:length], SHOWN)
        assert SHOWN in caught.value.message


@pytest.mark.parametrize("body", [b"<html>", b"\x1f\x8b\x08\x00" + bytes(30)])
def test_what_is_no_gzip_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidPage):
        _decompress(body, SHOWN)


def test_a_damaged_checksum_is_noticed() -> None:
    body = bytearray(gzip.compress(b"content"))
    body[-5] ^= 1
    with pytest.raises(InvalidPage):
        _decompress(bytes(body), SHOWN)


def test_json_is_asked_for_before_html() -> None:
    assert ACCEPT.startswith("application/vnd.pypi.simple.v1+json,") and "text/html;q=0.01" in ACCEPT


def test_refusals_are_not_taken_for_something_that_passes() -> None:
    assert not TRANSIENT_STATUS & {200, 301, 400, 401, 403, 404, 410} and {429, 503} <= TRANSIENT_STATUS


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (aiohttp.ClientError("https://user:secret@example.com"), "ClientError"),
        (aiohttp.TooManyRedirects(None, (), message="too many\nredirects"), "too many"),  # type: ignore[arg-type]
    ],
)
def test_an_error_is_described_in_one_line_without_an_address(error: aiohttp.ClientError, text: str) -> None:
    assert describe(error) == text
