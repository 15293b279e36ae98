"""A forward proxy between the tool and everything else, with and without a password."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.support.index import Index
from tests.support.servers import (
    find_nginx,
    free_port,
    needs,
    nginx_command,
    nginx_configuration,
    running,
    script,
    write_static_index,
)
from tests.support.tool import Target, Tool
from tests.support.wheels import make_wheel

pytestmark = needs("proxy")

ONE = make_wheel("one", "1.0")
USER, PASSWORD = "walker", "gate-secret"


def proxy_on(folder: Path, *options: str) -> Iterator[int]:
    """Runs a proxy."""
    number = free_port()
    limits = ("--num-workers", "1", "--num-acceptors", "1", "--data-dir", str(folder / "data"))
    command = [script("proxy"), "--hostname", "127.0.0.1", "--port", str(number), *limits, *options]
    with running(command, number, folder):
        yield number


@pytest.fixture(scope="module")
def open_proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    yield from proxy_on(tmp_path_factory.mktemp("open"))


@pytest.fixture(scope="module")
def closed_proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    yield from proxy_on(tmp_path_factory.mktemp("closed"), "--basic-auth", f"{USER}:{PASSWORD}")


@pytest.fixture(autouse=True)
def listed(index: Index) -> None:
    index.add(ONE)


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_proxy_from_a_variable_is_used(
    variable: str, open_proxy: int, index: Index, tool: Tool, target: Target
) -> None:
    environ = {variable: f"http://127.0.0.1:{open_proxy}"}
    run = tool.sync(tool.write_lock("one==1.0"), target, environ=environ)
    assert run.code == 0, run.err
    assert target.installed() == {"one-1.0"}
    # The proxy signs the first request of a connection only.
    assert "proxy.py" in index.headers[0]["via"]


def test_no_proxy_goes_around_it(index: Index, tool: Tool, target: Target) -> None:
    dead = {"HTTP_PROXY": f"http://127.0.0.1:{free_port()}", "NO_PROXY": "example.com,127.0.0.1"}
    run = tool.sync(tool.write_lock("one==1.0"), target, environ=dead)
    assert run.code == 0, run.err


def test_a_proxy_that_is_not_there_is_named(index: Index, tool: Tool, target: Target) -> None:
    port = free_port()
    run = tool.sync(
        tool.write_lock("one==1.0"), target, environ={"HTTP_PROXY": f"http://{USER}:{PASSWORD}@127.0.0.1:{port}"}
    )
    assert run.code == 1 and "proxy" in run.err.lower() and f"127.0.0.1:{port}" in run.err
    assert PASSWORD not in run.err and index.requests == []


def test_a_closed_proxy_takes_the_password_of_its_url(
    closed_proxy: int, index: Index, tool: Tool, target: Target
) -> None:
    lock = tool.write_lock("one==1.0")
    refused = tool.sync(lock, target, environ={"HTTP_PROXY": f"http://127.0.0.1:{closed_proxy}"})
    assert refused.code == 1 and "407" in refused.err and index.requests == []
    given = f"http://{USER}:{PASSWORD}@127.0.0.1:{closed_proxy}"
    run = tool.sync(lock, target, environ={"HTTP_PROXY": given})
    assert run.code == 0, run.err
    assert target.installed() == {"one-1.0"} and PASSWORD not in run.err


@pytest.mark.skipif(find_nginx() is None, reason="nginx is not installed")
def test_tls_goes_through_a_tunnel(open_proxy: int, tool: Tool, target: Target, tmp_path: Path) -> None:
    nginx = find_nginx()
    assert nginx is not None
    folder = tmp_path / "nginx"
    write_static_index(folder / "root", ONE, kind="json")
    authority = trustme.CA()
    certificate, bundle = folder / "server.pem", folder / "authority.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(certificate))
    authority.cert_pem.write_to_path(str(bundle))
    port = free_port()
    server = (
        f"listen 127.0.0.1:{port} ssl;\nssl_certificate {certificate};\nssl_certificate_key {certificate};\n"
        f"root {folder / 'root'};\nindex index.json;\n"
    )
    tool.index_url = f"https://127.0.0.1:{port}/simple/"
    environ = {"HTTPS_PROXY": f"http://127.0.0.1:{open_proxy}", "SSL_CERT_FILE": str(bundle)}
    with running(nginx_command(nginx, nginx_configuration(folder, server)), port, folder):
        run = tool.sync(tool.write_lock("one==1.0"), target, environ=environ)
    assert run.code == 0, run.err
    assert target.installed() == {"one-1.0"}
