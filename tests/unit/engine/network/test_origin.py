"""Origins and credentials of URLs."""

import pytest

from engine.network.origin import Credentials, Origin, split_credentials


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Example.COM/simple/", "https://example.com"),
        ("https://example.com.:443/", "https://example.com"),
        ("http://example.com:8080/", "http://example.com:8080"),
        ("http://[::1]:81/", "http://[::1]:81"),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, origin: str) -> None:
    assert str(Origin.parse(url)) == origin


def test_a_default_port_is_no_other_origin() -> None:
    assert Origin.parse("https://example.com/") == Origin.parse("https://example.com:443/a")
    assert Origin.parse("https://example.com/") != Origin.parse("http://example.com/")
    assert Origin.parse("https://example.com/") != Origin.parse("https://example.com:444/")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "simple/", "https:///a", "http://[::1", "http://a:b/"])
def test_what_is_no_web_address_has_no_origin(url: str) -> None:
    with pytest.raises(ValueError):
        Origin.parse(url)


@pytest.mark.parametrize(
    ("url", "clean", "name", "password"),
    [
        ("https://user:pass@example.com/a?b#c", "https://example.com/a?b#c", "user", "pass"),
        ("https://us%40er:p%3Aa%2Fss@example.com:81/", "https://example.com:81/", "us@er", "p:a/ss"),
        ("https://user:p@ss@example.com/", "https://example.com/", "user", "p@ss"),
        ("https://token@example.com/", "https://example.com/", "token", None),
        ("https://token:@example.com/", "https://example.com/", "token", ""),
        ("https://:pass@example.com/", "https://example.com/", "", "pass"),
    ],
)
def test_credentials_are_taken_out_of_a_url(url: str, clean: str, name: str, password: str | None) -> None:
    assert split_credentials(url) == (clean, Credentials(name, password, "the URL"))


@pytest.mark.parametrize("url", ["https://example.com/a@b", "https://@example.com/"])
def test_a_url_without_a_name_has_no_credentials(url: str) -> None:
    assert split_credentials(url)[1] is None


def test_a_header_says_name_and_password_in_base64() -> None:
    assert Credentials("Aladdin", "open sesame", "").header() == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    assert Credentials("token", None, "").header() == "Basic dG9rZW46"


def test_credentials_do_not_show_themselves() -> None:
    shown = repr([Credentials("user", "secret", "the URL")])
    assert "secret" not in shown and "the URL" in shown


@pytest.mark.parametrize("host", ["foo..bar", "." + "com", "a" * 64 + ".example"])
def test_a_host_that_no_name_can_be_is_refused(host: str) -> None:
    with pytest.raises(ValueError):
        Origin.parse(f"https://{host}/")
