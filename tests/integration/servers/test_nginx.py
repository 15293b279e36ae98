"""nginx: static pages in HTML and JSON, passwords, TLS."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from tests.support.servers import (
    find_nginx,
    free_port,
    nginx_command,
    nginx_configuration,
    password_file,
    requests_of,
    running,
    write_static_index,
)
from tests.support.tool import Target, Tool
from tests.support.wheels import make_wheel

NGINX = find_nginx()
pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")

SMALL = make_wheel("small", "1.0")
LARGE = make_wheel("large", "2.0", {"large/data.bin": bytes(range(256)) * 20_000}, compress=False)
LOCK = (f"small==1.0 --hash=sha256:{SMALL.sha256}", f"large==2.0 --hash=sha256:{LARGE.sha256}")
BOTH = {"small-1.0", "large-2.0"}
USER, PASSWORD = "reader", "p@ss:w/rd%"
QUOTED = "p%40ss%3Aw%2Frd%25"


@dataclass(frozen=True, slots=True, kw_only=True)
class Nginx:
    """A running nginx: its folder, and its ports without and with TLS."""

    folder: Path
    port: int
    secure_port: int

    def requests(self) -> list[str]:
        """Returns the request lines so far."""
        return requests_of(self.folder)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory, authority: trustme.CA) -> Iterator[Nginx]:
    """One nginx with four indexes: /html/, /json/, /closed/ with a password; TLS on the next port."""
    assert NGINX is not None
    folder = tmp_path_factory.mktemp("nginx")
    root = folder / "root"
    for place, kind in (("html", "html"), ("json", "json"), ("closed", "json")):
        write_static_index(root / place, SMALL, LARGE, kind=kind)
    passwords = password_file(folder / "passwords", USER, PASSWORD)
    certificate = folder / "server.pem"
    authority.issue_cert("127.0.0.1", "localhost").private_key_and_cert_chain_pem.write_to_path(str(certificate))
    port, secure = free_port(), free_port()
    server = (
        f"listen 127.0.0.1:{port};\nlisten 127.0.0.1:{secure} ssl;\n"
        f"ssl_certificate {certificate};\nssl_certificate_key {certificate};\n"
        f"root {root};\nindex index.html index.json;\n"
        f'location /closed/ {{ auth_basic "closed"; auth_basic_user_file {passwords}; }}\n'
    )
    with running(nginx_command(NGINX, nginx_configuration(folder, server)), port, folder):
        yield Nginx(folder=folder, port=port, secure_port=secure)


@pytest.mark.parametrize("kind", ["html", "json"])
def test_static_pages_are_read(kind: str, nginx: Nginx, tool: Tool, target: Target) -> None:
    tool.index_url = f"http://127.0.0.1:{nginx.port}/{kind}/simple/"
    run = tool.sync(tool.write_lock(*LOCK), target)
    assert run.code == 0, run.err
    assert target.installed() == BOTH
    assert (target.site / "large/data.bin").read_bytes() == bytes(range(256)) * 20_000


def test_pages_are_asked_for_again_with_their_validators(nginx: Nginx, tool: Tool, target: Target) -> None:
    tool.index_url = f"http://127.0.0.1:{nginx.port}/json/simple/"
    lock = tool.write_lock(*LOCK)
    assert tool.sync(lock, target).code == 0
    before = len(nginx.requests())
    run = tool.sync(lock, target, options=("--refresh", "--reinstall"))
    assert run.code == 0, run.err
    asked = nginx.requests()[before:]
    assert sorted(line.split()[1] for line in asked) == ["/json/simple/large/", "/json/simple/small/"]
    log = (nginx.folder / "access.log").read_text().splitlines()[before:]
    assert all('" 304 0 ' in line for line in log)


@pytest.mark.parametrize("where", ["url", "netrc"])
def test_a_password_opens_a_closed_index_and_is_shown_nowhere(
    where: str, nginx: Nginx, tool: Tool, target: Target
) -> None:
    given = f"{USER}:{QUOTED}@" if where == "url" else ""
    tool.index_url = f"http://{given}127.0.0.1:{nginx.port}/closed/simple/"
    if where == "netrc":
        netrc = tool.folder / ".netrc"
        netrc.write_text(f"machine 127.0.0.1\n  login {USER}\n  password {PASSWORD}\n")
        netrc.chmod(0o600)
    run = tool.sync(tool.write_lock(*LOCK), target, options=("-v",))
    assert run.code == 0, run.err
    assert target.installed() == BOTH
    for text in (PASSWORD, QUOTED):
        assert text not in run.out + run.err
        for path in tool.cache.rglob("*"):
            assert not path.is_file() or text.encode() not in path.read_bytes()


@pytest.mark.parametrize("given", ["", "reader:wrong@"])
def test_a_closed_index_without_the_password_is_named(given: str, nginx: Nginx, tool: Tool, target: Target) -> None:
    tool.index_url = f"http://{given}127.0.0.1:{nginx.port}/closed/simple/"
    before = target.tree()
    run = tool.sync(tool.write_lock(*LOCK), target)
    assert run.code == 1
    assert f"127.0.0.1:{nginx.port}/closed/simple/" in run.err and "401" in run.err and "hint: " in run.err
    assert "wrong" not in run.err and "Traceback" not in run.err
    assert target.tree() == before


def test_tls_with_an_authority_of_its_own(
    nginx: Nginx, authority: trustme.CA, tool: Tool, target: Target, tmp_path: Path
) -> None:
    bundle = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(bundle))
    tool.index_url = f"https://127.0.0.1:{nginx.secure_port}/json/simple/"
    lock = tool.write_lock(*LOCK)
    refused = tool.sync(lock, target)
    assert refused.code == 1 and "certificate" in refused.err.lower() and "hint: " in refused.err
    run = tool.sync(lock, target, environ={"SSL_CERT_FILE": str(bundle)})
    assert run.code == 0, run.err
    assert target.installed() == BOTH


def test_tls_with_an_authority_from_the_command_line(
    nginx: Nginx, authority: trustme.CA, tool: Tool, target: Target, tmp_path: Path
) -> None:
    bundle = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(bundle))
    tool.index_url = f"https://localhost:{nginx.secure_port}/html/simple/"
    run = tool.sync(tool.write_lock(*LOCK), target, options=("--cert", str(bundle)))
    assert run.code == 0, run.err


def test_a_trusted_host_needs_no_authority(nginx: Nginx, tool: Tool, target: Target) -> None:
    tool.index_url = f"https://127.0.0.1:{nginx.secure_port}/html/simple/"
    options = ("--trusted-host", f"127.0.0.1:{nginx.secure_port}")
    run = tool.sync(tool.write_lock(*LOCK), target, options=options)
    assert run.code == 0, run.err
