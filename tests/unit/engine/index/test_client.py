"""The pure parts of the client: what is asked for, what may pass, and messages without addresses."""

import aiohttp
import pytest

from engine.index.client import TRANSIENT_STATUS
from engine.index.headers import ACCEPT
from engine.index.session import describe


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
