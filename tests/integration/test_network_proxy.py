"""Proxies: which requests go through them, and what they want."""

import socket
from collections.abc import Iterator

import pytest
import trustme

from tests.integration.test_network import unused_port
from tests.integration.test_network_tls import serve_tls
from tests.support.index import Index
from tests.support.proxy import ForwardingProxy
from tests.support.tool import Target, Tool
from tests.support.wheels import make_wheel

ONE = make_wheel("one", "1.0")


@pytest.fixture
def proxy() -> Iterator[ForwardingProxy]:
    """A proxy that asks for nothing."""
    started = ForwardingProxy()
    yield started
    started.close()


@pytest.fixture(autouse=True)
def listed(index: Index) -> None:
    index.add(ONE)


@pytest.mark.parametrize("userinfo", ["", "us%40er:s%3Acret@"])
def test_requests_go_through_the_proxy_of_the_variable(
    userinfo: str, index: Index, proxy: ForwardingProxy, tool: Tool, target: Target
) -> None:
    proxy.password = "us@er:s:cret" if userinfo else ""
    run = tool.sync(tool.write_lock("one==1.0"), target, environ={"http_proxy": f"http://{userinfo}{proxy.address}"})
    assert run.code == 0, run.err
    assert proxy.requests == [f"{index.url}one/", f"{index.url.removesuffix('simple/')}files/{ONE.filename}"]
    assert not any(name.startswith("proxy") for headers in index.headers for name in headers)


def test_no_proxy_is_obeyed(proxy: ForwardingProxy, tool: Tool, target: Target) -> None:
    environ = {"http_proxy": f"http://{proxy.address}", "no_proxy": "127.0.0.0/8"}
    assert tool.sync(tool.write_lock("one==1.0"), target, environ=environ).code == 0
    assert proxy.requests == []


def test_an_option_counts_before_variables(proxy: ForwardingProxy, tool: Tool, target: Target) -> None:
    environ = {"http_proxy": f"http://127.0.0.1:{unused_port()}"}
    run = tool.sync(tool.write_lock("one==1.0"), target, options=["--proxy", proxy.address], environ=environ)
    assert run.code == 0, run.err
    assert len(proxy.requests) == 2


def test_https_goes_through_a_tunnel(proxy: ForwardingProxy, tool: Tool, target: Target) -> None:
    authority = trustme.CA()
    proxy.password = "user:secret"
    with serve_tls(authority.issue_cert("127.0.0.1")) as index:
        index.add(ONE)
        tool.index_url = index.url
        path = tool.folder / "authority.pem"
        path.write_bytes(authority.cert_pem.bytes())
        environ = {"HTTPS_PROXY": f"http://user:secret@{proxy.address}", "SSL_CERT_FILE": str(path)}
        run = tool.sync(tool.write_lock("one==1.0"), target, environ=environ)
        assert run.code == 0, run.err
        assert set(proxy.requests) == {f"127.0.0.1:{index.port}"}
        assert not any(name.startswith("proxy") for headers in index.headers for name in headers)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_wants_a_password_is_told_once(
    scheme: str, proxy: ForwardingProxy, tool: Tool, target: Target
) -> None:
    proxy.password = "user:secret"
    tool.index_url = tool.index_url.replace("http:", f"{scheme}:")
    environ = {f"{scheme}_proxy": f"http://user:hunter2@{proxy.address}"}
    run = tool.sync(tool.write_lock("one==1.0"), target, environ=environ)
    assert run.code == 1
    assert "407" in run.err and "password" in run.err and "hunter2" not in run.err
    assert len(proxy.requests) == 1


def test_a_proxy_that_is_overloaded_is_asked_again(proxy: ForwardingProxy, tool: Tool, target: Target) -> None:
    proxy.status = 503
    tool.index_url = tool.index_url.replace("http:", "https:")
    environ = {"https_proxy": f"http://{proxy.address}"}
    run = tool.sync(tool.write_lock("one==1.0"), target, options=["--retries", "1"], environ=environ)
    assert run.code == 1
    assert "proxy" in run.err and "503" in run.err
    assert len(proxy.requests) == 2


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_dead_proxy_is_named_and_where_it_was_named(scheme: str, tool: Tool, target: Target) -> None:
    tool.index_url = tool.index_url.replace("http:", f"{scheme}:")
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound and not listening: refused
        dead = f"http://127.0.0.1:{held.getsockname()[1]}"
        for options, environ, source in (
            (["--proxy", dead], {}, "--proxy"),
            ([], {f"{scheme}_proxy": dead}, f"{scheme}_proxy"),
        ):
            run = tool.sync(tool.write_lock("one==1.0"), target, options=[*options, "--retries", "0"], environ=environ)
            assert run.code == 1
            assert f"the proxy {dead} ({source}) cannot be reached: connection refused" in run.err
            assert "ssl" not in run.err and "lock.txt" not in run.err and "check --index-url" not in run.err


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("status", [407, 502])
def test_a_proxy_that_refuses_is_named(
    status: int, scheme: str, proxy: ForwardingProxy, tool: Tool, target: Target
) -> None:
    proxy.status = status
    tool.index_url = tool.index_url.replace("http:", f"{scheme}:")
    options = ["--proxy", f"http://{proxy.address}", "--retries", "0"]
    run = tool.sync(tool.write_lock("one==1.0"), target, options=options)
    assert run.code == 1
    assert str(status) in run.err and f"http://{proxy.address} (--proxy)" in run.err


def test_socks_is_refused_with_the_name_of_the_variable(tool: Tool, target: Target) -> None:
    before = target.tree()
    run = tool.sync(tool.write_lock("one==1.0"), target, environ={"ALL_PROXY": "socks5h://user:hunter2@127.0.0.1:1"})
    assert run.code == 2
    assert "ALL_PROXY" in run.err and "SOCKS" in run.err and "hunter2" not in run.err
    assert target.tree() == before
