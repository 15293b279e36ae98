"""Real index servers and proxies as child processes, on free ports of 127.0.0.1, ended by whoever started them."""

import base64
import hashlib
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.tool import ROOT, clean_environ
from tests.support.wheels import Wheel

START_SECONDS = 60


def free_port() -> int:
    """Returns a port that nobody listens on, and that the system gives to nobody else for a while.

    A connection that its server has closed keeps the port for a minute (TIME-WAIT), from all but those who ask for this
    very port with SO_REUSEADDR, as every server does.

    Source: RFC 9293, section 3.6, "Closing a Connection".
    """
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        held.listen(1)
        port: int = held.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port), timeout=10), held.accept()[0]:
            pass  # the server's side is closed first
        return port


def script(name: str) -> str:
    """Returns the path of a server's program; it need not be there."""
    return str(ROOT / ".servers" / "bin" / name)


def needs(name: str) -> pytest.MarkDecorator:
    """Returns the mark of tests that need a server's program."""
    return pytest.mark.skipif(not os.path.exists(script(name)), reason=f"make test installs {name}")


@contextmanager
def running(command: Sequence[str], port: int, folder: Path) -> Iterator[None]:
    """Runs a server while the context lasts.

    Args:
        command: stays in the foreground and listens on `port`.
        port: of 127.0.0.1.
        folder: working folder, HOME, and where the output goes.

    Raises:
        RuntimeError: when the server ends early or does not listen in time; with its output.
    """
    log = folder / "output.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=clean_environ(folder), stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        _wait_for(process, port, log)
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"{process.args!r} does not serve: {log.read_text(errors='replace')[-2000:]}")


def password_file(path: Path, user: str, password: str) -> Path:
    """Writes a password file as Apache's tools do (SHA-1, which every server reads)."""
    encoded = base64.b64encode(hashlib.sha1(password.encode(), usedforsecurity=False).digest()).decode()
    path.write_text(f"{user}:{{SHA}}{encoded}\n")
    return path


def write_static_index(folder: Path, *wheels: Wheel, kind: str) -> None:
    """Writes a Simple API as files.

    Args:
        folder: gets `simple/<project>/index.html` or `index.json`, and `files/`.
        wheels: what is on it.
        kind: "html" or "json".
    """
    (folder / "files").mkdir(parents=True, exist_ok=True)
    projects: dict[str, list[Wheel]] = {}
    for wheel in wheels:
        (folder / "files" / wheel.filename).write_bytes(wheel.content)
        projects.setdefault(wheel.name, []).append(wheel)
    for project, files in projects.items():
        page = folder / "simple" / project
        page.mkdir(parents=True, exist_ok=True)
        if kind == "html":
            links = "".join(
                f'<a href="../../files/{wheel.filename}#sha256={wheel.sha256}">{wheel.filename}</a><br/>\n'
                for wheel in files
            )
            (page / "index.html").write_text(f"<!DOCTYPE html>\n<html><body>\n{links}</body></html>\n")
        else:
            entries = [
                {
                    "filename": wheel.filename,
                    "url": f"../../files/{wheel.filename}",
                    "hashes": {"sha256": wheel.sha256},
                    "size": len(wheel.content),
                }
                for wheel in files
            ]
            body = {"meta": {"api-version": "1.1"}, "name": project, "files": entries}
            (page / "index.json").write_text(json.dumps(body))


def find_nginx() -> str | None:
    """Returns the path of nginx, which often is where only administrators look."""
    return shutil.which("nginx") or shutil.which("nginx", path=os.pathsep.join(("/usr/sbin", "/usr/local/sbin")))


def nginx_configuration(folder: Path, server: str) -> Path:
    """Writes a configuration for an nginx that needs no rights and leaves nothing outside `folder`.

    Args:
        folder: for the configuration, temporary files and logs.
        server: the content of the `server` block.
    """
    places = "".join(
        f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    text = (
        f"daemon off;\nmaster_process off;\npid {folder}/nginx.pid;\nerror_log {folder}/error.log;\n"
        "events { worker_connections 256; }\n"
        f"http {{\ntypes {{ text/html html; application/vnd.pypi.simple.v1+json json; }}\n"
        f"default_type application/octet-stream;\naccess_log {folder}/access.log;\n{places}"
        f"server {{\n{server}\n}}\n}}\n"
    )
    path = folder / "nginx.conf"
    path.write_text(text)
    return path


def nginx_command(nginx: str, configuration: Path) -> list[str]:
    """Returns the command that runs nginx in the foreground."""
    folder = configuration.parent
    return [nginx, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(configuration)]


def requests_of(folder: Path) -> list[str]:
    """Returns the request lines in nginx's access log."""
    log = folder / "access.log"
    return [line.split('"')[1] for line in log.read_text().splitlines()] if log.exists() else []


class Devpi:
    """The parts of devpi's interface that tests need, spoken over HTTP.

    Args:
        url: where it listens, without a final `/`.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._authorization: dict[str, str] = {}

    def login(self, user: str, password: str) -> None:
        """Speaks as `user` from now on."""
        token = self.send("POST", "/+login", {"user": user, "password": password})["result"]["password"]
        pair = base64.b64encode(f"{user}:{token}".encode()).decode()
        self._authorization = {"X-Devpi-Auth": pair}

    def send(self, method: str, path: str, fields: dict[str, Any]) -> Any:
        """Sends JSON and returns the JSON of the answer."""
        return self._ask(method, path, json.dumps(fields).encode(), "application/json")

    def upload(self, index: str, wheel: Wheel) -> None:
        """Uploads a wheel as every upload tool does."""
        boundary = "0123456789abcdef"
        fields = {":action": "file_upload", "name": wheel.name, "version": wheel.version, "filetype": "bdist_wheel"}
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in fields.items()
        ]
        parts.append(
            f'--{boundary}\r\nContent-Disposition: form-data; name="content"; filename="{wheel.filename}"\r\n'
            f"Content-Type: application/octet-stream\r\n\r\n".encode()
            + wheel.content
            + f"\r\n--{boundary}--\r\n".encode()
        )
        self._ask("POST", f"/{index}/", b"".join(parts), f"multipart/form-data; boundary={boundary}")

    def _ask(self, method: str, path: str, body: bytes, kind: str) -> Any:
        headers = {"Accept": "application/json", "Content-Type": kind, **self._authorization}
        request = urllib.request.Request(f"{self.url}{path}", data=body, method=method, headers=headers)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=30) as answer:
                text = answer.read()
        except urllib.error.HTTPError as exc:
            raise RuntimeError(f"{method} {path}: HTTP {exc.code}: {exc.read()[:2000]!r}") from exc
        return json.loads(text) if text.startswith(b"{") else None
