"""The mirror fetches what is missing once, and serves it as an index does."""

import gzip
import http.server
import json
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import pytest

from benchmarks.mirror import Mirror, entity_tag, matches, metadata_of, run_mirror
from benchmarks.nginx import find_nginx
from benchmarks.pages import JSON_PAGE
from benchmarks.synthetic import wheel_of

WHEEL, METADATA = wheel_of("demo", 3)
FILENAME = "demo-1.0-py3-none-any.whl"
PAGE = f'<a href="../../packages/{FILENAME}#sha256=0">demo</a>'.encode()


class _Index(http.server.BaseHTTPRequestHandler):
    """An index of HTML pages that serves no metadata apart."""

    answers: ClassVar = {"/simple/demo/": ("text/html", PAGE), f"/packages/{FILENAME}": ("application/zip", WHEEL)}
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        kind, body = self.answers.get(self.path, ("text/plain", b""))
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def index() -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []
    handler = type("Handler", (_Index,), {"asked": asked})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/simple", asked
        finally:
            server.shutdown()
            thread.join()


def ask(
    mirror: Mirror, path: str, port: int = 0, *, encoding: str = "identity", tag: str = ""
) -> tuple[bytes, dict[str, str]]:
    headers = {"Accept-Encoding": encoding, **({"If-None-Match": tag} if tag else {})}
    request = urllib.request.Request(f"https://localhost:{port or mirror.port}{path}", headers=headers)
    context = ssl.create_default_context(cafile=str(mirror.authority))
    with urllib.request.urlopen(request, timeout=20, context=context) as answer:
        return answer.read(), {name.lower(): value for name, value in answer.headers.items() if name != "Date"}


@pytest.fixture(params=["nginx", "own server"])
def nginx(request: pytest.FixtureRequest) -> str | None:
    if request.param == "own server":
        return None
    found = find_nginx()
    if found is None:
        pytest.skip("nginx is not installed")
    return found


def test_pages_and_files_are_fetched_once_and_served_as_an_index_does(tmp_path: Path, nginx: str | None) -> None:
    with index() as (url, asked):
        for _ in range(2):
            with run_mirror(tmp_path, url, nginx) as mirror:
                body, headers = ask(mirror, "/simple/demo/")
                (file,) = json.loads(body)["files"]
                assert headers["content-type"] == JSON_PAGE
                assert file["core-metadata"] is True and file["hashes"] == {"sha256": "0"}
                assert ask(mirror, f"{file['url']}.metadata")[0] == METADATA
                assert ask(mirror, file["url"])[0] == WHEEL
        assert sorted(asked) == ["/packages/" + FILENAME, f"/packages/{FILENAME}.metadata", "/simple/demo/"]


def test_pages_are_compressed_where_that_is_accepted(tmp_path: Path, nginx: str | None) -> None:
    with index() as (url, _), run_mirror(tmp_path, url, nginx) as mirror:
        plain, _ = ask(mirror, "/simple/demo/")
        body, headers = ask(mirror, "/simple/demo/", encoding="gzip")
    assert headers["content-encoding"] == "gzip"
    assert gzip.decompress(body) == plain


def test_one_port_serves_pages_that_are_fresh_and_the_other_stale_ones(tmp_path: Path, nginx: str | None) -> None:
    with index() as (url, _), run_mirror(tmp_path, url, nginx) as mirror:
        ask(mirror, "/simple/demo/")
        assert "max-age=600" in ask(mirror, "/simple/demo/")[1]["cache-control"]
        assert "max-age=0" in ask(mirror, "/simple/demo/", mirror.stale_port)[1]["cache-control"]


@pytest.mark.parametrize("path", ["/simple/missing/", "/files/demo/other.whl", "/simple/../origins/demo.json", "/"])
def test_what_the_index_has_not_is_not_found(path: str, tmp_path: Path) -> None:
    with index() as (url, _), run_mirror(tmp_path, url, None) as mirror:
        with pytest.raises(urllib.error.HTTPError) as error:
            ask(mirror, path)
        error.value.close()
    assert error.value.code == 404


@pytest.mark.parametrize("path", ["/simple/demo/", f"/files/demo/{FILENAME}"])
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_a_tag_that_holds_is_answered_with_304_and_no_body(
    path: str, encoding: str, tmp_path: Path, nginx: str | None
) -> None:
    with index() as (url, _), run_mirror(tmp_path, url, nginx) as mirror:
        ask(mirror, "/simple/demo/")
        ask(mirror, path)  # nginx serves from its folder what it passed on before
        body, headers = ask(mirror, path, encoding=encoding)
        assert ask(mirror, path, encoding=encoding, tag='"other"') == (body, headers)
        with pytest.raises(urllib.error.HTTPError) as error:
            ask(mirror, path, encoding=encoding, tag=headers["etag"])
        with error.value as answer:
            assert (answer.code, answer.read(), answer.headers["ETag"]) == (304, b"", headers["etag"])
            assert answer.headers["Cache-Control"] == headers["cache-control"]


def test_nginx_and_our_own_server_tell_the_same_tags(tmp_path: Path) -> None:
    program = find_nginx()
    if program is None:
        pytest.skip("nginx is not installed")
    found = []
    with index() as (url, _):
        for each in (None, program):
            with run_mirror(tmp_path, url, each) as mirror:
                found.append([ask(mirror, "/simple/demo/", encoding=name)[1]["etag"] for name in ("identity", "gzip")])
    assert found[0] == found[1]
    assert found[0][0] == entity_tag(tmp_path / "simple/demo/index.json") != found[0][1]


@pytest.mark.parametrize("condition", ['"a"', 'W/"a"', '"b", "a"', "*"])
def test_a_condition_names_one_tag_several_or_all(condition: str) -> None:
    assert matches(condition, '"a"')


@pytest.mark.parametrize("condition", ["", '"b"', '"aa"', "a"])
def test_another_tag_does_not_match(condition: str) -> None:
    assert not matches(condition, '"a"')


def test_a_folder_with_spaces_and_quotes_is_served(tmp_path: Path, nginx: str | None) -> None:
    with index() as (url, _), run_mirror(tmp_path / """it's "a b" \\ {c}; #d""", url, nginx) as mirror:
        for _ in range(2):
            assert json.loads(ask(mirror, "/simple/demo/")[0])["name"] == "demo"
            assert ask(mirror, f"/files/demo/{FILENAME}")[0] == WHEEL


def test_metadata_is_the_wheels_own_and_of_no_vendored_project() -> None:
    assert metadata_of(WHEEL) == METADATA
