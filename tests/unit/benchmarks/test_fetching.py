"""Who the index knows is asked as that, and nobody else learns of it."""

import base64
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

import pytest

from benchmarks.fetching import Credentials, credentials_for, fetch, without_credentials
from benchmarks.mirror import Origin
from benchmarks.synthetic import wheel_of

WHEEL, _ = wheel_of("demo", 1)
FILENAME = "demo-1.0-py3-none-any.whl"
INDEX = "https://user:s%3Acret@example.com/simple"
USER = Credentials("user", "s:cret")


class _Closed(http.server.BaseHTTPRequestHandler):
    """An index that tells nothing to strangers; `moved` leads to another server."""

    known: ClassVar = "Basic " + base64.b64encode(b"user:secret").decode()
    elsewhere: str
    seen: list[str | None]

    def do_GET(self) -> None:
        said = self.headers.get("Authorization")
        self.seen.append(said)
        if self.path == "/moved":
            self._answer(302, b"", {"Location": f"{self.elsewhere}/other"})
        elif self.path == "/other":
            self._answer(200, b"other", {})
        elif said != self.known:
            self._answer(404, b"", {})
        elif self.path == "/simple/demo/":
            files = [{"filename": FILENAME, "url": f"/packages/{FILENAME}", "hashes": {}}]
            self._answer(200, json.dumps({"files": files}).encode(), {"Content-Type": "application/json"})
        elif self.path == f"/packages/{FILENAME}":
            self._answer(200, WHEEL, {})
        else:
            self._answer(404, b"", {})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def closed_index(elsewhere: str = "") -> Iterator[tuple[str, list[str | None]]]:
    seen: list[str | None] = []
    handler = type("Handler", (_Closed,), {"seen": seen, "elsewhere": elsewhere})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", seen
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(autouse=True)
def rc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "netrc"
    monkeypatch.setenv("NETRC", str(file))
    return file


def test_pages_and_files_are_fetched_with_the_credentials_of_the_index(tmp_path: Path) -> None:
    with closed_index() as (url, seen):
        origin = Origin(tmp_path / "mirror", f"{url.replace('//', '//user:secret@')}/simple")
        page, file = origin.fill("/simple/demo/"), origin.fill(f"/files/demo/{FILENAME}")
    assert page is not None and file is not None and file.read_bytes() == WHEEL
    assert seen == [_Closed.known, _Closed.known]
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and b"secret" in path.read_bytes()]


def test_pages_and_files_are_fetched_with_the_credentials_of_netrc(tmp_path: Path, rc: Path) -> None:
    rc.write_text("machine 127.0.0.1 login user password secret\n", encoding="utf-8")
    with closed_index() as (url, seen):
        origin = Origin(tmp_path / "mirror", f"{url}/simple")
        origin.fill("/simple/demo/")
        file = origin.fill(f"/files/demo/{FILENAME}")
    assert file is not None and file.read_bytes() == WHEEL
    assert seen == [_Closed.known, _Closed.known]


def test_a_redirect_does_not_take_credentials_along() -> None:
    with closed_index() as (other, seen_there), closed_index(other) as (url, seen):
        answer = fetch(f"{url.replace('//', '//user:secret@')}/moved", "*/*")
    assert answer is not None and answer.body == b"other"
    assert (seen, seen_there) == ([_Closed.known], [None])


def test_credentials_of_the_index_count_for_its_origin_only() -> None:
    assert credentials_for("https://example.com/files/a.whl", INDEX) == USER
    assert credentials_for("https://example.com:443/files/a.whl", INDEX) == USER
    for other in ("https://files.example.com/a.whl", "https://example.com:444/a.whl", "http://example.com/a.whl"):
        assert credentials_for(other, INDEX) is None


def test_a_urls_own_credentials_come_first_and_netrc_last(rc: Path) -> None:
    rc.write_text("machine example.com login rc password word\n", encoding="utf-8")
    assert credentials_for("https://own@example.com/a.whl", INDEX) == Credentials("own", "")
    assert credentials_for("https://example.com/a.whl", INDEX) == USER
    assert credentials_for("https://example.com/a.whl", "https://example.com/simple") == Credentials("rc", "word")
    assert credentials_for("https://other.example.com/a.whl", INDEX) is None


def test_a_netrc_that_is_damaged_has_nobody(rc: Path) -> None:
    rc.write_text("machine", encoding="utf-8")
    assert credentials_for("https://example.com/a.whl", "") is None


def test_what_is_asked_has_no_credentials_in_its_url() -> None:
    assert without_credentials(INDEX) == "https://example.com/simple"
    assert urlsplit(without_credentials("http://user:a@b@127.0.0.1:80/")).netloc == "127.0.0.1:80"
