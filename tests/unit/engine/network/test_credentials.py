"""Which credentials go with a request, and in which order places are asked."""

from pathlib import Path

import pytest

from engine.network.credentials import CredentialStore
from engine.network.origin import Credentials, Origin

NOBODY = {"HOME": "/nonexistent"}


def password(store: CredentialStore, url: str) -> str | None:
    found = store.find(url, Origin.parse(url))
    return None if found is None else found.password


def test_credentials_go_to_their_origin_only() -> None:
    store = CredentialStore(NOBODY, "disabled")
    store.know_index("https://user:one@example.com/simple/")
    assert password(store, "https://example.com/files/a.whl") == "one"
    assert password(store, "https://EXAMPLE.com:443/files/a.whl") == "one"
    for url in (
        "http://example.com/",
        "https://example.com:8443/",
        "https://files.example.com/",
        "https://example.org/",
    ):
        assert password(store, url) is None


def test_of_several_on_one_origin_the_nearest_counts() -> None:
    store = CredentialStore(NOBODY, "disabled")
    store.know_index("https://user:one@example.com/projects/1/simple/")
    store.know_index("https://user:two@example.com/projects/2/simple/")
    assert password(store, "https://example.com/projects/2/files/a.whl?x=/projects/1/") == "two"
    assert password(store, "https://example.com/projects/1/simple/demo/") == "one"
    assert password(store, "https://example.com/other") == "one"


def test_an_index_without_credentials_or_without_sense_adds_none() -> None:
    store = CredentialStore(NOBODY, "disabled")
    for url in ("https://example.com/simple/", "http://[::1", "nonsense"):
        store.know_index(url)
    assert password(store, "https://example.com/simple/") is None


def named(name: str, url: str, **variables: str) -> Credentials | None:
    store = CredentialStore({**NOBODY, **variables}, "disabled")
    store.know_index(url, name)
    return store.find("https://example.com/simple/demo/", Origin.parse(url))


def test_a_named_index_gets_its_credentials_from_variables() -> None:
    found = named(
        "my-own.index",
        "https://example.com/simple/",
        ENGINE_INDEX_MY_OWN_INDEX_USERNAME="user",
        ENGINE_INDEX_MY_OWN_INDEX_PASSWORD="secret",
    )
    assert found == Credentials("user", "secret", "ENGINE_INDEX_MY_OWN_INDEX_PASSWORD")


def test_variables_fill_up_what_the_url_says_and_ours_count_before_others() -> None:
    variables = {"ENGINE_INDEX_A_PASSWORD": "ours", "UV_INDEX_A_USERNAME": "theirs", "UV_INDEX_A_PASSWORD": "theirs"}
    assert named("a", "https://user@example.com/", **variables) == Credentials(
        "user", "ours", "ENGINE_INDEX_A_PASSWORD"
    )
    del variables["ENGINE_INDEX_A_PASSWORD"]
    assert named("a", "https://example.com/", **variables) == Credentials("theirs", "theirs", "UV_INDEX_A_PASSWORD")


def test_an_index_without_a_name_has_no_variables() -> None:
    assert named("", "https://example.com/", ENGINE_INDEX__USERNAME="user", ENGINE_INDEX__PASSWORD="secret") is None


@pytest.fixture
def netrc(tmp_path: Path) -> Path:
    path = tmp_path / ".netrc"
    path.write_text("machine example.com login user password from-netrc\n")
    return path


def test_netrc_counts_after_the_url_and_fills_in_its_password(netrc: Path) -> None:
    store = CredentialStore({"HOME": str(netrc.parent)}, "disabled")
    url = "https://example.com/simple/"
    origin = Origin.parse(url)
    for own, expected in [
        (None, "from-netrc"),
        (Credentials("user", "own", "the URL"), "own"),
        (Credentials("user", None, "the URL"), "from-netrc"),
        (Credentials("another", None, "the URL"), None),
        (Credentials("user", "", "the URL"), ""),
    ]:
        found = store.find(url, origin, own)
        assert found is not None and found.password == expected


@pytest.mark.anyio
async def test_keyring_is_not_asked_when_a_password_was_refused_or_no_name_is_known(tmp_path: Path) -> None:
    command = tmp_path / "keyring"
    command.write_text("#!/bin/sh\necho from-keyring\n")
    command.chmod(0o755)
    store = CredentialStore({"PATH": f"{tmp_path}:/bin:/usr/bin", "HOME": str(tmp_path)}, "auto")
    url = "https://example.com/simple/"
    origin = Origin.parse(url)
    assert await store.find_after_refusal(url, origin, None) is None
    assert await store.find_after_refusal(url, origin, Credentials("user", "wrong", "the URL")) is None
    found = await store.find_after_refusal(url, origin, Credentials("user", None, "the URL"))
    assert found == Credentials("user", "from-keyring", "keyring")
    # From now on it goes with the first request.
    assert store.find(url, origin) == found


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
