"""TLS: whoever cannot be believed is not asked twice, and whoever is trusted was named."""

import datetime
import ssl
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import trustme

from tests.support.index import Index
from tests.support.tool import Target, Tool
from tests.support.wheels import make_wheel

ONE = make_wheel("one", "1.0")
YESTERDAY = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@contextmanager
def serve_tls(certificate: trustme.LeafCert, client_authority: trustme.CA | None = None) -> Iterator[Index]:
    """Serves an index over https."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    if client_authority is not None:
        client_authority.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    index = Index(context)
    index.add(ONE)
    try:
        yield index
    finally:
        index.close()
        assert index.errors == []


def trusting(authority: trustme.CA, tool: Tool) -> dict[str, str]:
    path = tool.folder / "authority.pem"
    path.write_bytes(authority.cert_pem.bytes())
    return {"SSL_CERT_FILE": str(path)}


def test_an_authority_that_was_named_is_trusted(authority: trustme.CA, tool: Tool, target: Target) -> None:
    with serve_tls(authority.issue_cert("127.0.0.1")) as index:
        tool.index_url = index.url
        environ = trusting(authority, tool)
        run = tool.sync(tool.write_lock("one==1.0"), target, environ=environ)
        assert run.code == 0, run.err
        assert target.installed() == {"one-1.0"}


@pytest.mark.parametrize("way", ["--cert", "--trusted-host", "--allow-insecure-host", "SSL_CERT_DIR"])
def test_other_ways_to_trust(way: str, authority: trustme.CA, tool: Tool, target: Target) -> None:
    with serve_tls(authority.issue_cert("127.0.0.1")) as index:
        tool.index_url = index.url
        path = trusting(authority, tool)["SSL_CERT_FILE"]
        options = {"--cert": [way, path], "SSL_CERT_DIR": []}.get(way, [way, f"127.0.0.1:{index.port}"])
        environ = {"SSL_CERT_DIR": str(tool.folder)} if way == "SSL_CERT_DIR" else {}
        run = tool.sync(tool.write_lock("one==1.0"), target, options=options, environ=environ)
        assert run.code == 0, run.err


def test_a_lock_may_name_a_host_that_is_not_checked(authority: trustme.CA, tool: Tool, target: Target) -> None:
    with serve_tls(authority.issue_cert("192.0.2.1")) as index:
        tool.index_url = index.url
        run = tool.sync(tool.write_lock("--trusted-host 127.0.0.1", "one==1.0"), target)
        assert run.code == 0, run.err


@pytest.mark.parametrize(
    ("case", "reason", "advice"),
    [
        ("unknown", "certificate", "SSL_CERT_FILE"),
        ("expired", "expired", "clock"),
        ("other host", "match", "another host"),
        ("empty file", "certificate", "SSL_CERT_FILE"),
        ("weak", "", "TLS 1.2"),
    ],
)
def test_who_cannot_be_believed_is_not_asked_again(
    case: str, reason: str, advice: str, authority: trustme.CA, tool: Tool, target: Target
) -> None:
    """ADVERSARIAL 68."""
    name = "192.0.2.1" if case == "other host" else "127.0.0.1"
    certificate = authority.issue_cert(name, not_after=YESTERDAY if case == "expired" else None)
    environ = trusting(trustme.CA() if case == "unknown" else authority, tool)
    if case == "empty file":
        (tool.folder / "authority.pem").write_bytes(b"")
    before = target.tree()
    with serve_tls(certificate) as index:
        assert index.tls is not None
        if case == "weak":
            with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
                index.tls.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
                index.tls.maximum_version = ssl.TLSVersion.TLSv1_1
            index.tls.set_ciphers("ALL:@SECLEVEL=0")
        tool.index_url = index.url
        run = tool.sync(tool.write_lock("one==1.0"), target, environ=environ)
        assert run.code == 1
        assert reason in run.err and advice in run.err and index.url in run.err
        assert "Traceback" not in run.err and "_ssl.c" not in run.err
        assert index.connections == 1 and index.requests == []
        assert target.tree() == before


def test_a_server_that_wants_to_know_who_asks_is_shown_a_certificate(
    authority: trustme.CA, tool: Tool, target: Target
) -> None:
    own = tool.folder / "own.pem"
    own.write_bytes(authority.issue_cert("client@example.com").private_key_and_cert_chain_pem.bytes())
    environ = trusting(authority, tool)
    lock = tool.write_lock("one==1.0")
    with serve_tls(authority.issue_cert("127.0.0.1"), authority) as index:
        tool.index_url = index.url
        refused = tool.sync(lock, target, options=["--retries", "0"], environ=environ)
        assert refused.code == 1 and "--client-cert" in refused.err
        run = tool.sync(lock, target, options=["--client-cert", str(own)], environ=environ)
        assert run.code == 0, run.err


def test_a_file_of_authorities_that_is_missing_is_an_error_in_the_settings(
    authority: trustme.CA, tool: Tool, target: Target
) -> None:
    with serve_tls(authority.issue_cert("127.0.0.1")) as index:
        tool.index_url = index.url
        run = tool.sync(tool.write_lock("one==1.0"), target, environ={"SSL_CERT_FILE": "/nonexistent/authority.pem"})
        assert run.code == 2
        assert "SSL_CERT_FILE" in run.err and "/nonexistent/authority.pem" in run.err
        assert index.requests == []
