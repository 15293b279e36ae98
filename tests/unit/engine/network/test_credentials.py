"""Which credentials go with a request."""

from engine.network.credentials import CredentialStore
from engine.network.origin import Origin


def password(store: CredentialStore, url: str) -> str | None:
    found = store.find(url, Origin.parse(url))
    return None if found is None else found.password


def test_credentials_go_to_their_origin_only() -> None:
    store = CredentialStore()
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
    store = CredentialStore()
    store.know_index("https://user:one@example.com/projects/1/simple/")
    store.know_index("https://user:two@example.com/projects/2/simple/")
    assert password(store, "https://example.com/projects/2/files/a.whl?x=/projects/1/") == "two"
    assert password(store, "https://example.com/projects/1/simple/demo/") == "one"
    assert password(store, "https://example.com/other") == "one"


def test_an_index_without_credentials_or_without_sense_adds_none() -> None:
    store = CredentialStore()
    for url in ("https://example.com/simple/", "http://[::1", "nonsense"):
        store.know_index(url)
    assert password(store, "https://example.com/simple/") is None
