"""A local mirror of the index that pip is configured for, on 127.0.0.1.

Owns the folder of the mirror, its filling and its serving.  What is missing is fetched (fetching.py) when it is first
asked for, so only what the benchmarks need is ever fetched, and once.

Rules: pages are JSON, compressed where that is accepted, and fresh for ten minutes; a second port serves the same
pages as stale at once, as for a user who comes back later.  Metadata of wheels is served apart, from the wheel where
the index has none.  nginx (nginx.py) serves with TLS and HTTP/2 where it is installed; otherwise this process does,
with HTTP/1.1.  Both tell the same entity tags, and answer a tag that still holds with 304 and no body.

Source: "Simple repository API"; PEP 658; RFC 9110, "If-None-Match".
"""

import gzip
import http.server
import io
import json
import os
import re
import socket
import ssl
import sys
import threading
import urllib.parse
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme

from benchmarks.fetching import configured_index, fetch
from benchmarks.nginx import run_nginx
from benchmarks.pages import ACCEPT, JSON_PAGE, read_page, write_page

FRESH_SECONDS = 600
_PAGE = re.compile(r"/simple/([a-z0-9][a-z0-9-]*)/")
_FILE = re.compile(r"/files/([a-z0-9][a-z0-9-]*)/([A-Za-z0-9][A-Za-z0-9._+!-]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """A mirror that runs: its two ports of 127.0.0.1, the file of its authority, and what serves it."""

    port: int
    stale_port: int
    authority: Path
    server: str


class Origin:
    """Fills the folder of a mirror from the index that pip is configured for."""

    def __init__(self, folder: Path, index_url: str | None) -> None:
        """Args: folder: the mirror's; index_url: where to fetch, or None for what pip would ask."""
        self._folder = folder
        self._index_url = index_url

    def fill(self, path: str) -> Path | None:
        """Fetches what is missing, and returns its file; None where the index has no such thing."""
        if page := _PAGE.fullmatch(path):
            return self._fill_page(page[1])
        if file := _FILE.fullmatch(path):
            return self._fill_file(file[1], file[2])
        return None

    def _index(self) -> str:
        if self._index_url is None:
            self._index_url = configured_index()
        return self._index_url

    def _fill_page(self, project: str) -> Path | None:
        stored = self._folder / "simple" / project / "index.json"
        if not stored.exists():
            index_url = self._index()
            answer = fetch(f"{index_url.rstrip('/')}/{project}/", ACCEPT, index_url)
            if answer is None:
                return None
            files = read_page(*answer)
            origins = {file.filename: file.url for file in files}
            store(self._folder / "origins" / f"{project}.json", json.dumps(origins).encode())
            body = write_page(project, files)
            store(stored.with_name("index.json.gz"), gzip.compress(body, 6))
            store(stored, body)
        return stored

    def _fill_file(self, project: str, filename: str) -> Path | None:
        stored = self._folder / "files" / project / filename
        if stored.exists():
            return stored
        origins = self._folder / "origins" / f"{project}.json"
        if not origins.exists():
            return None
        wheel = filename.removesuffix(".metadata")
        url = json.loads(origins.read_bytes()).get(wheel)
        if url is None:
            return None
        answer = fetch(url + filename[len(wheel) :], "*/*", self._index())
        if answer is not None:
            store(stored, answer.body)
        elif wheel != filename and (whole := self._fill_file(project, wheel)) is not None:
            store(stored, metadata_of(whole.read_bytes()))
        return stored if stored.exists() else None


def metadata_of(wheel: bytes) -> bytes:
    """Returns the METADATA of a wheel."""
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        names = (name for name in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name))
        return archive.read(next(names))


def store(path: Path, body: bytes) -> None:
    """Writes a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}.tmp")
    temporary.write_bytes(body)
    temporary.replace(path)


def entity_tag(file: Path) -> str:
    """Returns the entity tag of a file as nginx makes it: when it was written, in seconds, and its size, in hex."""
    found = file.stat()
    return f'"{int(found.st_mtime):x}-{found.st_size:x}"'


def matches(condition: str, tag: str) -> bool:
    """Returns whether an If-None-Match ("" where there is none) names a tag, weak or not, or all by `*`."""
    named = [word.strip().removeprefix("W/") for word in condition.split(",")]
    return tag in named or "*" in named


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_Server"

    def do_GET(self) -> None:
        path = urllib.parse.unquote(self.path.partition("?")[0])
        try:
            found = self.server.origin.fill(path)
        except OSError as error:
            print(f"the index could not be asked for {path}: {type(error).__name__}", file=sys.stderr)
            self._answer(502, {})
            return
        if found is None:
            self._answer(404, {})
        elif path.startswith("/simple/"):
            headers = {"Content-Type": JSON_PAGE, "Cache-Control": f"max-age={self.server.fresh_seconds}, public"}
            if "gzip" in self.headers.get("Accept-Encoding", ""):
                found, headers["Content-Encoding"] = found.with_name(found.name + ".gz"), "gzip"
            self._answer_file(found, headers)
        else:
            lasting = {"Content-Type": "application/octet-stream", "Cache-Control": "max-age=365000000, immutable"}
            self._answer_file(found, lasting)

    def _answer_file(self, file: Path, headers: dict[str, str]) -> None:
        tag = entity_tag(file)
        if matches(self.headers.get("If-None-Match", ""), tag):
            # RFC 9110: a 304 MUST have the ETag and Cache-Control that a 200 would have had, and no type is of use.
            self._answer(304, {"ETag": tag, "Cache-Control": headers["Cache-Control"]})
        else:
            self._answer(200, {**headers, "ETag": tag}, file.read_bytes())

    def _answer(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, origin: Origin, fresh_seconds: int, context: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.origin = origin
        self.fresh_seconds = fresh_seconds
        self._context = context

    def finish_request(self, request: object, client_address: object) -> None:
        assert isinstance(request, socket.socket)
        if self._context is None:
            super().finish_request(request, client_address)
            return
        with self._context.wrap_socket(request, server_side=True) as secured:
            super().finish_request(secured, client_address)

    def handle_error(self, request: object, client_address: object) -> None:
        pass


@contextmanager
def run_mirror(folder: Path, index_url: str | None, nginx: str | None) -> Iterator[Mirror]:
    """Serves a mirror until the block ends.

    Args:
        folder: what it has, and where it puts what is missing.
        index_url: where that is fetched; None: from the index that pip would ask.
        nginx: its program; None: this process serves.
    """
    folder.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    authority.cert_pem.write_to_path(folder / "authority.pem")
    certificate.private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    origin = Origin(folder, index_url)
    with ExitStack() as stack:
        if nginx is not None:
            filler = stack.enter_context(_serving(origin, FRESH_SECONDS, None))
            port, stale_port = stack.enter_context(run_nginx(nginx, folder, filler, (FRESH_SECONDS, 0)))
            server = "nginx, HTTP/2"
        else:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            certificate.configure_cert(context)
            port = stack.enter_context(_serving(origin, FRESH_SECONDS, context))
            stale_port = stack.enter_context(_serving(origin, 0, context))
            server = "Python's http.server, HTTP/1.1"
        yield Mirror(port=port, stale_port=stale_port, authority=folder / "authority.pem", server=server)


@contextmanager
def _serving(origin: Origin, fresh_seconds: int, context: ssl.SSLContext | None) -> Iterator[int]:
    with _Server(origin, fresh_seconds, context) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
