"""An index on 127.0.0.1 for tests: serves wheels, counts requests, and misbehaves when told to."""

import base64
import hashlib
import io
import json
import re
import socket
import ssl
import struct
import sys
import threading
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.wheels import Wheel

JSON_TYPE = "application/vnd.pypi.simple.v1+json"
HTML_TYPE = "text/html; charset=utf-8"
_META = {"api-version": "1.1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong with an answer; what is not named stays as it would have been.

    Attributes:
        status: of the response.
        reason: the words behind the status.
        headers: added, or put in the place of those of the same name.
        body: in the place of the right one.
        cut_after_bytes: the connection ends after that much of the body.
        reset: the connection is reset instead of answered.
        piece_bytes: the body is sent in writes of that size.
        hold_after_bytes, gate: after that much of the body the server waits until the gate is set.
        drip_seconds: waited after every piece of the body.
        silent: the server says nothing at all until the gate is set.
        times: how often; None for always.
        ignores_range: all of the file is sent, whatever part was asked for.
        slow_seconds: how long the server rests after the first megabyte.
    """

    status: int | None = None
    reason: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    cut_after_bytes: int | None = None
    reset: bool = False
    piece_bytes: int | None = None
    hold_after_bytes: int | None = None
    gate: threading.Event | None = None
    drip_seconds: float = 0
    silent: bool = False
    times: int | None = None
    ignores_range: bool = False
    slow_seconds: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A file on the index, as its page describes it."""

    filename: str
    content: bytes
    fields: dict[str, Any]


class Index:
    """A running index.

    Attributes:
        requests: the paths that were asked for, in order.
        headers: the headers of each request, in the same order; names in lower case.
        html: pages are HTML instead of JSON.
        max_age_seconds: for how long pages are fresh; 0 sends `no-cache`.
        ranges: files have an ETag, and parts of them can be asked for.
        on_request: called with the number of requests so far, before the answer.
        connections: how many were made.
        cache_control: of pages, in the place of what `max_age_seconds` says.
        validates: pages have an ETag, and who has the page already is told 304.
        passwords: `name:password` pairs of which requests must bring one, if there are any.

    Args:
        tls: makes it a server of https.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.tls = tls
        self.connections = 0
        self.cache_control: str | None = None
        self.validates = False
        self.passwords: set[str] = set()
        self.requests: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.html = False
        self.max_age_seconds = 600
        self.ranges = False
        self.on_request: Callable[[int], None] | None = None
        self.errors: list[BaseException] = []
        self._projects: dict[str, list[Listed]] = {}
        self._faults: dict[str, list[Fault]] = {}
        self.closed = threading.Event()
        self._lock = threading.Lock()
        self._arrived = threading.Condition(self._lock)
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self.port: int = self._server.server_address[1]

    @property
    def url(self) -> str:
        """What `--index-url` takes."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/simple/"

    def url_for(self, userinfo: str) -> str:
        """Returns the same with a name, and maybe a password, in front of the host."""
        return self.url.replace("://", f"://{userinfo}@")

    def add(self, *wheels: Wheel, **fields: Any) -> None:
        """Lists wheels on their pages.

        Args:
            wheels: in the order of the page.
            fields: fields of the page's entry that differ: `size`, `hashes`, `yanked`, …; None drops one.
        """
        for wheel in wheels:
            entry: dict[str, Any] = {
                "filename": wheel.filename,
                "url": f"/files/{wheel.filename}",
                "hashes": {"sha256": wheel.sha256},
                "size": len(wheel.content),
                "yanked": False,
                "requires-python": wheel.requires_python,
                **fields,
            }
            self.add_file(wheel.name, wheel.filename, wheel.content, entry)

    def add_with_metadata(self, *wheels: Wheel) -> None:
        """Lists wheels whose metadata lie beside them (PEP 658), so that only who installs one asks for it."""
        for wheel in wheels:
            self.add(wheel, **{"core-metadata": True})
            with zipfile.ZipFile(io.BytesIO(wheel.content)) as archive:
                (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
                self.fault(f"/files/{wheel.filename}.metadata", Fault(status=200, body=archive.read(name)))

    def add_file(self, project: str, filename: str, content: bytes, fields: dict[str, Any]) -> None:
        """Lists any file with exactly these fields; those that are None are left out."""
        listed = Listed(
            filename=filename,
            content=content,
            fields={name: value for name, value in fields.items() if value is not None},
        )
        self._projects.setdefault(project.lower().replace("_", "-").replace(".", "-"), []).append(listed)

    def fault(self, path: str, fault: Fault) -> None:
        """Makes the server misbehave for a path; several for one path come one after the other."""
        self._faults.setdefault(path, []).append(fault)

    def heal(self) -> None:
        """Makes the server behave from now on."""
        with self._lock:
            self._faults.clear()

    def wait_for(self, path: str, timeout_seconds: float = 30) -> None:
        """Returns when `path` has been asked for.

        Raises:
            TimeoutError: when nobody asks.
        """
        self.wait_for_count(path, 1, timeout_seconds)

    def wait_for_count(self, path: str, count: int, timeout_seconds: float = 30) -> None:
        """Returns when `path` has been asked for `count` times.

        Raises:
            TimeoutError: when it is not.
        """
        with self._arrived:
            if not self._arrived.wait_for(lambda: self.requests.count(path) >= count, timeout_seconds):
                raise TimeoutError(f"nobody asked for {path}")

    def close(self) -> None:
        """Stops serving; a second call does nothing."""
        self.closed.set()
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    # -- for the request handler ---------------------------------------------

    def note(self, path: str, headers: Mapping[str, str]) -> None:
        """Remembers a request and wakes who waits for it."""
        with self._arrived:
            self.requests.append(path)
            self.headers.append({name.lower(): value for name, value in headers.items()})
            number = len(self.requests)
            self._arrived.notify_all()
        if self.on_request is not None:
            self.on_request(number)

    def next_fault(self, path: str) -> Fault:
        """Returns what is to go wrong with this answer."""
        with self._lock:
            waiting = self._faults.get(path, [])
            if not waiting:
                return Fault()
            fault = waiting[0]
            if fault.times is not None:
                waiting.pop(0)
                if fault.times > 1:
                    waiting.insert(0, _once_less(fault))
            return fault

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        """Returns status, headers and body of the right answer."""
        kind, _, rest = path.strip("/").partition("/")
        if kind == "simple" and rest in self._projects:
            cache_control = self.cache_control
            if cache_control is None:
                cache_control = f"max-age={self.max_age_seconds}" if self.max_age_seconds else "no-cache"
            content_type = HTML_TYPE if self.html else JSON_TYPE
            page = self._page(rest)
            headers = {"Content-Type": content_type, "Cache-Control": cache_control}
            if self.validates:
                headers["ETag"] = f'"{hashlib.sha256(page).hexdigest()}"'
            return 200, headers, page
        if kind == "simple" and not rest:
            projects = [{"name": project} for project in self._projects]
            return 200, {"Content-Type": JSON_TYPE}, json.dumps({"meta": _META, "projects": projects}).encode()
        for listed in self._files() if kind == "files" else ():
            if listed.filename == rest:
                etag = {"ETag": f'"{zlib.crc32(listed.content)}"'} if self.ranges else {}
                return 200, {"Content-Type": "application/octet-stream", **etag}, listed.content
        return 404, {"Content-Type": "text/plain"}, b"not found"

    def _files(self) -> list[Listed]:
        return [listed for files in self._projects.values() for listed in files]

    def _page(self, project: str) -> bytes:
        entries = [listed.fields for listed in self._projects[project]]
        if self.html:
            links = "".join(
                f'<a href="{entry["url"]}#sha256={entry["hashes"]["sha256"]}">{entry["filename"]}</a>\n'
                for entry in entries
            )
            return f"<!DOCTYPE html><html><body>{links}</body></html>".encode()
        return json.dumps({"meta": _META, "name": project, "files": entries}).encode()


def _once_less(fault: Fault) -> Fault:
    assert fault.times is not None
    return replace(fault, times=fault.times - 1)


@contextmanager
def serving() -> Iterator[Index]:
    """Runs an empty index while the context lasts; nothing may have gone wrong in it."""
    served = Index()
    yield served
    served.close()
    assert served.errors == []


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, index: Index) -> None:
        self.index = index
        super().__init__(("127.0.0.1", 0), _Handler)

    def get_request(self) -> tuple[Any, Any]:
        connection, address = super().get_request()
        self.index.connections += 1
        if self.index.tls is not None:
            # The handshake happens with the first read, in the thread of the connection.
            connection = self.index.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        """Closes in stages (RFC 9112, section 9.6): a request that comes too late would reset what was answered."""
        try:
            request.shutdown(socket.SHUT_WR)
            request.settimeout(1)
            while request.recv(1 << 16):
                pass
        except OSError:
            pass
        self.close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, ConnectionError | TimeoutError | ssl.SSLError):
            self.index.errors.append(error)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        index = self.server.index
        index.note(self.path, dict(self.headers))
        fault = index.next_fault(self.path)
        if fault.reset:
            # Closing with the linger time 0 sends RST.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
            return
        if fault.silent:
            assert fault.gate is not None
            fault.gate.wait(60)
        status, headers, body = index.answer(self.path)
        if index.passwords and not self._is_known(index.passwords):
            status, headers, body = 401, {"WWW-Authenticate": 'Basic realm="index"'}, b""
        if headers.get("ETag") and headers["ETag"] == self.headers.get("If-None-Match"):
            status, body = 304, b""
        status = status if fault.status is None else fault.status
        body = body if fault.body is None else fault.body
        if index.ranges and status == 200 and not fault.ignores_range:
            status, headers, body = self._part(headers, body)
        headers = {"Content-Length": str(len(body)), **headers, **fault.headers}
        self.send_response(status, fault.reason)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self._send_body(body, fault)

    def _is_known(self, passwords: set[str]) -> bool:
        kind, _, text = self.headers.get("Authorization", "").partition(" ")
        return kind == "Basic" and base64.b64decode(text).decode() in passwords

    def _part(self, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Returns the part that was asked for, if one was and the condition holds (RFC 9110, sections 13.1.5, 14.2)."""
        asked = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        if asked is None or self.headers.get("If-Range", headers["ETag"]) != headers["ETag"]:
            return 200, headers, body
        start = int(asked[1]) if asked[1] else max(0, len(body) - int(asked[2]))
        end = min(int(asked[2]) + 1, len(body)) if asked[1] and asked[2] else len(body)
        if start >= len(body):
            return 416, {"Content-Range": f"bytes */{len(body)}"}, b""
        return 206, {**headers, "Content-Range": f"bytes {start}-{end - 1}/{len(body)}"}, body[start:end]

    def _send_body(self, body: bytes, fault: Fault) -> None:
        if fault.cut_after_bytes is not None:
            self.wfile.write(body[: fault.cut_after_bytes])
            self.close_connection = True
            return
        if fault.hold_after_bytes is not None:
            assert fault.gate is not None
            self._send_body(body[: fault.hold_after_bytes], replace(fault, hold_after_bytes=None))
            fault.gate.wait(60)
            fault = replace(fault, slow_seconds=0)
            body = body[fault.hold_after_bytes :]
        if fault.slow_seconds:
            self.wfile.write(body[: 1 << 20])
            time.sleep(fault.slow_seconds)
            body = body[1 << 20 :]
        size = fault.piece_bytes or len(body) or 1
        for start in range(0, len(body), size):
            self.wfile.write(body[start : start + size])
            if fault.drip_seconds and self.server.index.closed.wait(fault.drip_seconds):
                return

    def log_message(self, format: str, *args: Any) -> None:
        """Tests read `requests`; nothing is printed."""
