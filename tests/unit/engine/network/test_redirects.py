"""Redirects: where they may lead."""

import pytest

from engine.errors import IndexUnavailable
from engine.limits import REDIRECTS
from engine.network.redirects import follow, is_link_local, refuse_link_local

URL = "https://example.com/simple/one/"


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/simple/two/", "https://example.com/simple/two/"),
        ("../two/", "https://example.com/simple/two/"),
        ("https://files.example.com/one", "https://files.example.com/one"),
        ("//user:pass@files.example.com/one", "https://user:pass@files.example.com/one"),
        ("?again", "https://example.com/simple/one/?again"),
    ],
)
def test_a_location_is_relative_to_what_redirects(location: str, target: str) -> None:
    assert follow(URL, location, [URL]) == target


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("http://example.com/simple/one/", "not encrypted"),
        ("file:///etc/passwd", "http"),
        ("ftp://example.com/", "http"),
        ("javascript:alert(1)", "http"),
        ("http://[::1", "http"),
        (URL, "circle"),
        (f"{URL}#again", "circle"),
        ("https://169.254.169.254/latest/", "own network"),
        ("https://[fe80::1%25eth0]/", "own network"),
        ("https://[::ffff:169.254.169.254]/", "own network"),
        ("https://[fd00:ec2::254]/", "own network"),
        ("https://0.0.0.0/", "own network"),
    ],
)
def test_what_is_no_good_is_refused(location: str, why: str) -> None:
    with pytest.raises(IndexUnavailable, match=why):
        follow(URL, location, [URL])


def test_a_password_in_a_refused_location_is_not_shown() -> None:
    with pytest.raises(IndexUnavailable) as caught:
        follow(URL, "http://user:secret@example.com/", [URL])
    assert "secret" not in str(caught.value)


def test_a_circle_over_several_hops_is_refused() -> None:
    with pytest.raises(IndexUnavailable, match="circle"):
        follow(
            "https://example.com/b",
            "https://other.example.com/a",
            ["https://other.example.com/a", "https://example.com/b"],
        )


def test_thirty_redirects_are_followed_and_no_more() -> None:
    hops = [f"{URL}{number}" for number in range(REDIRECTS)]
    assert follow(hops[-1], f"{URL}last", hops) == f"{URL}last"
    with pytest.raises(IndexUnavailable, match="more than 30 times"):
        follow(f"{URL}last", "/", [*hops, f"{URL}last"])


def test_an_index_at_a_link_local_address_may_redirect_within_it() -> None:
    assert follow("http://169.254.1.1/a", "/b", ["http://169.254.1.1/a"]) == "http://169.254.1.1/b"


def test_what_a_host_resolves_to_counts() -> None:
    refuse_link_local(URL, "https://files.example.com/", ["192.0.2.1", "2001:db8::1"])
    with pytest.raises(IndexUnavailable, match=r"files\.example\.com"):
        refuse_link_local(URL, "https://files.example.com/", ["192.0.2.1", "169.254.169.254"])


@pytest.mark.parametrize("host", ["example.com", "127.0.0.1", "10.0.0.1", "::1", "192.0.2.1"])
def test_other_addresses_are_not_link_local(host: str) -> None:
    assert not is_link_local(host)
