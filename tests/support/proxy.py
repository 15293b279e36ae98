"""A forwarding HTTP proxy on 127.0.0.1 for tests: CONNECT for https, whole URLs for http."""

import base64
import http.client
import select
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


class ForwardingProxy:
    """A running proxy.

    Attributes:
        requests: what it was asked for: URLs, or `host:port` for CONNECT.
        password: the `name:password` that requests must bring, or "" for none.
        status: what CONNECT and requests are answered with instead, or None.
    """

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.password = ""
        self.status: int | None = None
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self.address = f"127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """Stops."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, proxy: ForwardingProxy) -> None:
        self.proxy = proxy
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _is_refused(self) -> bool:
        proxy = self.server.proxy
        proxy.requests.append(self.path)
        status = proxy.status
        wanted = "Basic " + base64.b64encode(proxy.password.encode()).decode()
        if proxy.password and self.headers.get("Proxy-Authorization") != wanted:
            status = 407
        if status is not None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
        return status is not None

    def do_GET(self) -> None:
        if self._is_refused():
            return
        parts = urlsplit(self.path)
        assert parts.hostname is not None
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
        headers = {name: value for name, value in self.headers.items() if not name.lower().startswith("proxy-")}
        connection.request("GET", parts.path or "/", headers=headers)
        response = connection.getresponse()
        body = response.read()
        connection.close()
        self.send_response(response.status)
        for name, value in response.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "date", "server"):
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_CONNECT(self) -> None:
        if self._is_refused():
            return
        host, _, port = self.path.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=30) as far:
            self.send_response(200)
            self.end_headers()
            _join(self.connection, far)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Tests read `requests`; nothing is printed."""


def _join(one: socket.socket, other: socket.socket) -> None:
    """Carries bytes both ways until one side ends."""
    ways = {one: other, other: one}
    while True:
        for ready in select.select([one, other], [], [], 30)[0]:
            try:
                data = ready.recv(1 << 16)
            except OSError:
                return
            if not data:
                return
            ways[ready].sendall(data)
