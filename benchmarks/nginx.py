"""Serves the folder of a mirror by nginx, with TLS and HTTP/2.

Owns the configuration of nginx and its process.  What is not in the folder nginx passes on to the filler, a port of
this process; it decides nothing about what is served.

Rules: nothing listens but on 127.0.0.1, and nginx ends with the block that started it.  The files of a run, its log
among them, stay in the folder `nginx` of the mirror.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.pages import JSON_PAGE

_CONFIGURATION = """
daemon off; master_process off; worker_processes 1; pid {pid}; error_log {log} warn;
events {{ worker_connections 4096; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000;
  client_body_temp_path {body}; proxy_temp_path {proxy}; fastcgi_temp_path {fastcgi};
  uwsgi_temp_path {uwsgi}; scgi_temp_path {scgi};
{servers}
}}
"""
_SERVER = """
  server {{
    listen 127.0.0.1:{port} ssl http2; server_name localhost;
    ssl_certificate {certificate}; ssl_certificate_key {certificate};
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
_TEMPORARY = ("body", "proxy", "fastcgi", "uwsgi", "scgi")


def find_nginx() -> str | None:
    """Returns the program of nginx, which is not on the path of every user who has it."""
    places = (os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin")
    return shutil.which("nginx", path=os.pathsep.join(places))


@contextmanager
def run_nginx(program: str, folder: Path, filler: int, fresh_seconds: Sequence[int]) -> Iterator[list[int]]:
    """Runs nginx until the block ends, and yields its ports.

    Args:
        program: nginx.
        folder: the mirror's, with the certificate in server.pem.
        filler: the port of 127.0.0.1 that is asked for what the folder has not.
        fresh_seconds: how long pages are fresh, in seconds: a port for each.

    Raises:
        SystemExit: when nginx does not start, with what it said, or cannot be told of the folder.
    """
    run = folder / "nginx"
    run.mkdir(exist_ok=True)
    ports = free_ports(len(fresh_seconds))
    file = run / "nginx.conf"
    file.write_text(configuration(folder.resolve(), filler, dict(zip(ports, fresh_seconds, strict=True))), "utf-8")
    log = run / "output.log"
    with log.open("wb") as output:
        command = [program, "-c", str(file.resolve()), "-p", str(run.resolve())]
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        _wait_for(process, ports, log)
        yield ports
    finally:
        process.terminate()
        process.wait()


def configuration(folder: Path, filler: int, ports: dict[int, int]) -> str:
    """Returns the text of nginx.conf.

    Args:
        folder: the mirror's, absolute.
        filler: the port that fills it.
        ports: each port, and for how many seconds its pages are fresh.

    Raises:
        SystemExit: when the folder has a name that nginx cannot be told.
    """
    run = folder / "nginx"
    servers = "".join(
        _SERVER.format(
            port=port,
            certificate=quoted(folder / "server.pem"),
            folder=quoted(folder),
            json=JSON_PAGE,
            seconds=seconds,
            filler=filler,
        )
        for port, seconds in ports.items()
    )
    places = {name: quoted(run / name) for name in _TEMPORARY}
    return _CONFIGURATION.format(
        pid=quoted(run / "nginx.pid"), log=quoted(run / "error.log"), servers=servers, **places
    )


def quoted(path: Path) -> str:
    """Returns a path as one word of nginx.conf.

    Raises:
        SystemExit: when it has a dollar, which begins a variable and cannot be escaped.
    """
    text = str(path)
    if "$" in text:
        raise SystemExit(f"nginx cannot serve a folder with a dollar in its name: {text}; --state names another")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def free_ports(count: int) -> list[int]:
    """Returns ports of 127.0.0.1 that nobody listens on."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [number.getsockname()[1] for number in sockets]


def _wait_for(process: "subprocess.Popen[bytes]", ports: Sequence[int], log: Path) -> None:
    for port in ports:
        for _ in range(200):
            if process.poll() is not None:
                raise SystemExit(f"nginx ended: {log.read_text(encoding='utf-8')}")
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.02)
