"""Which proxy a request goes through."""

from collections.abc import Mapping
from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]

import pytest

from engine.errors import ConfigurationError
from engine.network.origin import Origin
from engine.network.proxies import Proxies

HTTPS = Origin.parse("https://index.example.com/")
HTTP = Origin.parse("http://index.example.com:8080/")


def proxy(environ: Mapping[str, str], origin: Origin = HTTPS, option: str | None = None) -> str | None:
    found = Proxies(option, environ).find(origin)
    return None if found is None else found.url


@pytest.mark.parametrize(
    ("environ", "http", "https"),
    [
        ({"HTTP_PROXY": "http://p:1"}, "http://p:1", None),
        ({"HTTPS_PROXY": "http://p:1"}, None, "http://p:1"),
        ({"ALL_PROXY": "http://p:1"}, "http://p:1", "http://p:1"),
        ({"all_proxy": "http://p:1", "https_proxy": "http://p:2"}, "http://p:1", "http://p:2"),
        ({"HTTP_PROXY": "http://p:1", "http_proxy": "http://p:2"}, "http://p:2", None),
        ({"HTTP_PROXY": "http://p:1", "http_proxy": ""}, None, None),
        ({"HTTP_PROXY": "http://p:1", "REQUEST_METHOD": "GET"}, None, None),
        ({"http_proxy": "http://p:1", "REQUEST_METHOD": "GET"}, "http://p:1", None),
        ({"https_proxy": "p:3128"}, None, "http://p:3128"),
        ({"https_proxy": "https://p"}, None, "https://p"),
        ({"https_proxy": " "}, None, None),
    ],
)
def test_variables_are_read_as_others_read_them(
    environ: Mapping[str, str], http: str | None, https: str | None
) -> None:
    assert (proxy(environ, HTTP), proxy(environ, HTTPS)) == (http, https)


@pytest.mark.parametrize(
    ("text", "bypassed"),
    [
        ("*", True),
        ("example.com", True),
        (".example.com", True),
        ("*.example.com", True),
        ("INDEX.example.com", True),
        ("ample.com", False),
        ("other.com,index.example.com", True),
        ("other.com example.com", True),
        ("example.com:8080", True),
        ("example.com:80", False),
        ("", False),
    ],
)
def test_no_proxy_lists_names_and_what_is_below_them(text: str, bypassed: bool) -> None:
    environ = {"http_proxy": "http://p:1", "NO_PROXY": text}
    assert (proxy(environ, HTTP) is None) == bypassed


@pytest.mark.parametrize("text", ["*", "example.com", ".example.com", "ample.com", "index.example.com:8080", "a,b"])
def test_no_proxy_means_what_it_means_to_urllib(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", text)
    monkeypatch.setenv("http_proxy", "http://p:1")
    theirs = bool(proxy_bypass_environment("index.example.com:8080", getproxies_environment()))
    assert (proxy({"http_proxy": "http://p:1", "no_proxy": text}, HTTP) is None) == theirs


@pytest.mark.parametrize(
    ("host", "text", "bypassed"),
    [
        ("10.1.2.3", "10.0.0.0/8", True),
        ("11.1.2.3", "10.0.0.0/8", False),
        ("127.0.0.1", "localhost,127.0.0.1", True),
        ("[::1]", "::1", True),
        ("[::1]", "[::1]", True),
        ("[2001:db8::5]", "2001:db8::/32", True),
    ],
)
def test_no_proxy_lists_addresses_and_networks(host: str, text: str, bypassed: bool) -> None:
    environ = {"http_proxy": "http://p:1", "no_proxy": text}
    assert (proxy(environ, Origin.parse(f"http://{host}/")) is None) == bypassed


def test_an_option_counts_before_all_variables() -> None:
    environ = {"https_proxy": "http://p:1", "no_proxy": "*"}
    assert proxy(environ, option="http://q:2") == "http://q:2"


def test_credentials_of_a_proxy_are_kept_apart() -> None:
    found = Proxies(None, {"https_proxy": "http://us%40er:p%3Ass@p:1/"}).find(HTTPS)
    assert found is not None and found.credentials is not None
    assert found.url == "http://p:1"
    assert (found.credentials.username, found.credentials.password) == ("us@er", "p:ss")
    assert "ss" not in str(found) and "https_proxy" in str(found)


@pytest.mark.parametrize(
    ("environ", "option", "word"),
    [
        ({"ALL_PROXY": "socks5://user:secret@p:1"}, None, "ALL_PROXY"),
        ({}, "socks5h://user:secret@p:1", "--proxy"),
        ({"https_proxy": "ftp://user:secret@p:1"}, None, "https_proxy"),
        ({"https_proxy": "http://user:secret@p:port"}, None, "https_proxy"),
        ({}, "htp//user:secret@p:1", "--proxy"),
        ({}, "http://p:1/path", "--proxy"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_source(environ: Mapping[str, str], option: str | None, word: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        proxy(environ, option=option)
    assert word in caught.value.message and "secret" not in caught.value.message


def test_a_proxy_that_nobody_uses_is_no_error() -> None:
    assert proxy({"http_proxy": "socks5://p:1"}, HTTPS) is None
