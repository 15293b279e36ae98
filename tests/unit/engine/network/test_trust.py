"""Whom to believe: one place for authorities, and no other in its stead."""

import os
import ssl
from collections.abc import Mapping
from pathlib import Path

import pytest
import trustme

from engine.errors import ConfigurationError
from engine.network.origin import Origin
from engine.network.trust import Authorities, Trust, authorities, nothing_to_read
from engine.options import NetworkOptions

ORIGIN = Origin.parse("https://example.com/")


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def trusted(environ: Mapping[str, str], cert: str | None = None) -> int:
    """How many authorities a run trusts."""
    return len(Trust(NetworkOptions(cert=cert), environ).context(ORIGIN).get_ca_certs())


def test_the_nearest_wish_counts_alone() -> None:
    environ = {"CURL_CA_BUNDLE": "/curl"}
    assert authorities(None, environ) == Authorities("/curl", "", "CURL_CA_BUNDLE")
    environ["REQUESTS_CA_BUNDLE"] = "/requests"
    assert authorities(None, environ) == Authorities("/requests", "", "REQUESTS_CA_BUNDLE")
    environ["SSL_CERT_DIR"] = "/folder"
    assert authorities(None, environ) == Authorities("", "/folder", "SSL_CERT_DIR")
    environ["SSL_CERT_FILE"] = "/file"
    assert authorities(None, environ) == Authorities("/file", "/folder", "SSL_CERT_FILE")
    assert authorities("/option", environ) == Authorities("/option", "", "--cert")
    assert authorities(None, {"SSL_CERT_FILE": ""}) == Authorities("", "", "")


def test_a_file_or_a_folder_is_trusted(authority: trustme.CA, tmp_path: Path) -> None:
    path = tmp_path / "authority.pem"
    path.write_bytes(authority.cert_pem.bytes())
    assert trusted({"SSL_CERT_FILE": str(path)}) == 1
    assert trusted({}, str(path)) == 1
    assert trusted({}, str(tmp_path)) == 1


@pytest.mark.parametrize("content", [b"", b"nonsense", b"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"])
def test_a_file_without_authorities_means_that_nobody_is_trusted(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "empty.pem"
    path.write_bytes(content)
    context = Trust(NetworkOptions(), {"SSL_CERT_FILE": str(path)}).context(ORIGIN)
    assert context.verify_mode == ssl.CERT_REQUIRED and context.check_hostname
    assert context.cert_store_stats()["x509"] == 0


def test_an_option_that_names_a_file_without_authorities_is_a_mistake(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(b"-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n")
    with pytest.raises(ConfigurationError, match=r"--cert names .*key\.pem, which has no certificate"):
        trusted({}, str(path))


def test_a_key_without_a_certificate_is_a_mistake() -> None:
    with pytest.raises(ConfigurationError, match="--client-key"):
        Trust(NetworkOptions(client_key="key.pem"), {})
    Trust(NetworkOptions(client_key="key.pem"), {"SSL_CLIENT_CERT": "certificate.pem"})


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"])
def test_a_place_that_is_not_there_is_an_error_that_names_it(variable: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=rf"{variable} names .*missing"):
        trusted({variable: str(tmp_path / "missing")})


def test_old_protocols_are_not_spoken() -> None:
    assert Trust(NetworkOptions(), {}).context(ORIGIN).minimum_version == ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize(
    ("host", "checked"),
    [
        ("example.com", False),
        ("example.com:443", False),
        ("https://EXAMPLE.com/simple/", False),
        ("*", False),
        ("example.com:444", True),
        ("example.org", True),
        ("ample.com", True),
    ],
)
def test_a_host_is_not_checked_only_when_it_was_named(host: str, checked: bool) -> None:
    context = Trust(NetworkOptions(trusted_hosts=(host,)), {}).context(ORIGIN)
    assert (context.verify_mode == ssl.CERT_REQUIRED) == checked


def test_a_client_certificate_may_have_its_key_in_the_same_file_or_in_another(
    authority: trustme.CA, tmp_path: Path
) -> None:
    own = authority.issue_cert("client@example.com")
    both, cert, key = (tmp_path / name for name in ("both.pem", "cert.pem", "key.pem"))
    both.write_bytes(own.private_key_and_cert_chain_pem.bytes())
    cert.write_bytes(own.cert_chain_pems[0].bytes())
    key.write_bytes(own.private_key_pem.bytes())
    Trust(NetworkOptions(client_cert=str(both)), {}).context(ORIGIN)
    Trust(NetworkOptions(client_cert=str(cert), client_key=str(key)), {}).context(ORIGIN)
    for wrong in (cert, tmp_path / "missing.pem"):
        with pytest.raises(ConfigurationError, match=wrong.name):
            Trust(NetworkOptions(client_cert=str(wrong)), {}).context(ORIGIN)


def test_the_default_store_is_empty_for_a_moment_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/somewhere")
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    with nothing_to_read():
        assert ssl.create_default_context().cert_store_stats()["x509"] == 0
        assert os.environ["SSL_CERT_FILE"] == ""
    assert os.environ["SSL_CERT_FILE"] == "/somewhere" and "SSL_CERT_DIR" not in os.environ
