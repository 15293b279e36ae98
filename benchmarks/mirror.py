"""A local mirror of the index that pip is configured for, on 127.0.0.1.

Owns the folder of the mirror, its filling and its serving.  What is missing is fetched when it is first asked for, so
only what the benchmarks need is ever fetched, and once.

Rules: pages are JSON, compressed where that is accepted, and fresh for ten minutes; a second port serves the same
pages as stale at once, as for a user who comes back later.  Metadata of wheels is served apart, from the wheel where
the index has none.  nginx serves with TLS and HTTP/2 where it is installed; otherwise this process does, with HTTP/1.1.

Source: "Simple repository API"; PEP 658.
"""

import base64
import gzip
import http.server
import io
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme

from benchmarks.pages import ACCEPT, JSON_PAGE, read_page, write_page

FRESH_SECONDS = 600
FETCH_SECONDS = 300
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

    def _fill_page(self, project: str) -> Path | None:
        stored = self._folder / "simple" / project / "index.json"
        if not stored.exists():
            if self._index_url is None:
                self._index_url = configured_index()
            answer = fetch(f"{self._index_url.rstrip('/')}/{project}/", ACCEPT)
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
        answer = fetch(url + filename[len(wheel) :], "*/*")
        if answer is not None:
            store(stored, answer[0])
        elif wheel != filename and (whole := self._fill_file(project, wheel)) is not None:
            store(stored, metadata_of(whole.read_bytes()))
        return stored if stored.exists() else None


def configured_index() -> str:
    """Returns the URL of the index that pip would ask."""
    if url := os.environ.get("PIP_INDEX_URL"):
        return url
    asked = subprocess.run([sys.executable, "-m", "pip", "config", "get", "global.index-url"], capture_output=True)
    if asked.returncode == 0:
        return asked.stdout.decode().strip()
    code = "from pip._internal.models.index import PyPI; print(PyPI.simple_url)"
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout.decode().strip()


def fetch(url: str, accept: str) -> tuple[bytes, str, str] | None:
    """Returns body, type and final URL of an answer, or None where there is no such thing.

    Raises:
        OSError: when the index cannot be asked, after three tries.
    """
    request = urllib.request.Request(url, headers={"Accept": accept, "User-Agent": "engine-benchmarks"})
    parts = urllib.parse.urlsplit(url)
    if parts.username is not None:
        host = parts.netloc.rpartition("@")[2]
        request.full_url = urllib.parse.urlunsplit(parts._replace(netloc=host))
        secret = f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
        request.add_unredirected_header("Authorization", "Basic " + base64.b64encode(secret.encode()).decode())
    for attempt in range(3):
        try:
            with urllib.request.urlopen(request, timeout=FETCH_SECONDS) as answer:
                return answer.read(), answer.headers.get_content_type(), answer.url
        except urllib.error.HTTPError as error:
            with error:
                if error.code in (403, 404, 410):
                    return None
            if attempt == 2:
                raise
        except OSError:
            if attempt == 2:
                raise
        time.sleep(1 + attempt)
    return None


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


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_Server"

    def do_GET(self) -> None:
        path = urllib.parse.unquote(self.path.partition("?")[0])
        try:
            found = self.server.origin.fill(path)
        except OSError as error:
            print(f"the index could not be asked for {path}: {type(error).__name__}", file=sys.stderr)
            self._answer(502, b"", {})
            return
        if found is None:
            self._answer(404, b"", {})
        elif path.startswith("/simple/"):
            headers = {"Content-Type": JSON_PAGE, "Cache-Control": f"max-age={self.server.fresh_seconds}, public"}
            if "gzip" in self.headers.get("Accept-Encoding", ""):
                found, headers["Content-Encoding"] = found.with_name(found.name + ".gz"), "gzip"
            self._answer(200, found.read_bytes(), headers)
        else:
            lasting = {"Content-Type": "application/octet-stream", "Cache-Control": "max-age=365000000, immutable"}
            self._answer(200, found.read_bytes(), lasting)

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
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


def find_nginx() -> str | None:
    """Returns the program of nginx, which is not on the path of every user who has it."""
    places = (os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin")
    return shutil.which("nginx", path=os.pathsep.join(places))


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
            port, stale_port = stack.enter_context(_nginx(nginx, folder, filler))
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


_NGINX = """
daemon off; master_process off; worker_processes 1; pid {run}/nginx.pid; error_log {run}/error.log warn;
events {{ worker_connections 4096; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000;
  client_body_temp_path {run}/body; proxy_temp_path {run}/proxy; fastcgi_temp_path {run}/fastcgi;
  uwsgi_temp_path {run}/uwsgi; scgi_temp_path {run}/scgi;
{servers}
}}
"""
_NGINX_SERVER = """
  server {{
    listen 127.0.0.1:{port} ssl http2; server_name localhost;
    ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.pem;
    location /simple/ {{
      root {folder}; types {{ }} default_type "{json}"; gzip_static on;
      add_header Cache-Control "max-age={seconds}, public"; try_files ${{uri}}index.json @fill;
    }}
    location /files/ {{
      root {folder}; types {{ }} default_type application/octet-stream;
      add_header Cache-Control "max-age=365000000, immutable"; try_files $uri @fill;
    }}
    location @fill {{ proxy_pass http://127.0.0.1:{filler}; proxy_http_version 1.1; proxy_read_timeout 600s; }}
  }}
"""


@contextmanager
def _nginx(nginx: str, folder: Path, filler: int) -> Iterator[tuple[int, int]]:
    run = folder / "nginx"
    run.mkdir(exist_ok=True)
    ports = free_ports(2)
    servers = "".join(
        _NGINX_SERVER.format(port=port, folder=folder.resolve(), json=JSON_PAGE, seconds=seconds, filler=filler)
        for port, seconds in zip(ports, (FRESH_SECONDS, 0), strict=True)
    )
    (run / "nginx.conf").write_text(_NGINX.format(run=run.resolve(), servers=servers), encoding="utf-8")
    command = [nginx, "-c", str((run / "nginx.conf").resolve()), "-p", str(run.resolve())]
    with (run / "output.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        _wait_for(process, ports, run / "output.log")
        yield ports[0], ports[1]
    finally:
        process.terminate()
        process.wait()


def free_ports(count: int) -> list[int]:
    """Returns ports of 127.0.0.1 that nobody listens on."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [number.getsockname()[1] for number in sockets]


def _wait_for(process: "subprocess.Popen[bytes]", ports: list[int], log: Path) -> None:
    for port in ports:
        for _ in range(200):
            if process.poll() is not None:
                raise SystemExit(f"nginx ended: {log.read_text(encoding='utf-8')}")
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.02)
