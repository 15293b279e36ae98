"""Places are read as they are spelled, and every choice that can change an answer changes the identity."""

import pytest

from engine.errors import ConfigurationError
from engine.locations import IndexLocation, IndexOptions
from engine.options import NetworkOptions

URL = "https://example.com/simple"


@pytest.mark.parametrize(
    ("text", "name", "url"),
    [
        (URL, "", URL),
        (f"corp={URL}", "corp", URL),
        (f"my.corp_1-a={URL}", "my.corp_1-a", URL),
        ("https://example.com/?a=b", "", "https://example.com/?a=b"),
        ("file:///srv/simple", "", "file:///srv/simple"),
        ("wheels", "", "/project/wheels"),
        ("corp=../wheels", "corp", "/wheels"),
        ("/srv/a=b", "", "/srv/a=b"),
    ],
)
def test_a_place_has_a_name_only_where_one_stands_in_front(text: str, name: str, url: str) -> None:
    location = IndexLocation.parse(text, cwd="/project")
    assert (location.name, location.url) == (name, url)


def test_indexes_come_in_the_order_of_uv_and_the_default_is_the_one_that_is_marked() -> None:
    words: dict[str, str | int | list[str] | None] = {
        "index": ["one=https://one.example.com/", "https://two.example.com/"],
        "extra_index_url": ["https://three.example.com/"],
        "index_url": "corp=https://four.example.com/",
        "find_links": ["wheels", "https://example.com/a=b/page.html"],
        "no_index": 0,
    }
    options = IndexOptions.from_words(words, "/project")
    hosts = [location.url.partition("//")[2].partition(".")[0] for location in options.locations]
    assert hosts == ["one", "two", "three", "four"]
    assert options.default is options.locations[-1] and options.default.name == "corp"
    assert [place.url for place in options.find_links] == ["/project/wheels", "https://example.com/a=b/page.html"]
    assert all(place.flat for place in options.find_links) and options.strategy == "first-index"


def test_every_choice_that_can_change_an_answer_changes_the_identity() -> None:
    one, two = IndexLocation("https://one.example.com/"), IndexLocation("https://two.example.com/")
    choices = [
        IndexOptions(),
        IndexOptions(locations=[one]),
        IndexOptions(locations=[one, two]),
        IndexOptions(locations=[two, one]),
        IndexOptions(locations=[IndexLocation(one.url, explicit=True)]),
        IndexOptions(locations=[IndexLocation(one.url, default=True)]),
        IndexOptions(locations=[IndexLocation(one.url, flat=True)]),
        IndexOptions(locations=[IndexLocation(one.url, name="one")]),
        IndexOptions(locations=[IndexLocation(one.url, ignored_statuses=[403])]),
        IndexOptions(locations=[one, two], strategy="unsafe-best-match"),
        IndexOptions(find_links=[one]),
        IndexOptions(no_index=True),
        IndexOptions(pins={"demo": "one"}),
        IndexOptions(no_binary=["demo"]),
        IndexOptions(no_binary=["demo"], only_binary=["demo"]),
    ]
    assert len({choice.identity for choice in choices}) == len(choices)
    assert IndexOptions(only_binary=["demo"]).identity == IndexOptions().identity, "only wheels are installed anyway"


def test_a_home_is_expanded_wherever_a_place_was_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("USERPROFILE", "/home/me")
    options = IndexOptions.from_words({"find_links": ["~/wheels"], "index": ["a=~/simple"]}, "/project")
    assert [place.url for place in (*options.find_links, *options.locations)] == ["/home/me/wheels", "/home/me/simple"]
    assert NetworkOptions.from_words({"cert": "~/ca.pem"}, "/project").cert == "/home/me/ca.pem"


@pytest.mark.parametrize(
    ("option", "text", "said"),
    [
        (
            "index_url",
            "ftp://x",
            "--index-url must be an http, https or file URL, or the path of a folder, not ftp://…",
        ),
        ("index", "a=htp://x", "--index must be an http, https or file URL, or the path of a folder, not htp://…"),
        ("index", f"a b={URL}", "--index has a wrong name of an index: it may have letters, digits"),
        ("index", f"={URL}", "--index has a wrong name of an index"),
        ("extra_index_url", f"a={URL}", "--extra-index-url must be an http, https or file URL"),
        ("find_links", "s3://x", "--find-links must be an http, https or file URL"),
    ],
)
def test_what_cannot_be_a_place_is_refused_with_its_option(option: str, text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        IndexOptions.from_words({option: [text]}, "/project")
    assert str(caught.value).startswith(said)


def test_two_indexes_of_one_name_are_refused_and_one_index_named_twice_is_not() -> None:
    with pytest.raises(ConfigurationError, match='--index names two indexes "A"'):
        IndexOptions.from_words({"index": [f"a={URL}", f"A={URL}/other"]}, "/project")
    assert len(IndexOptions.from_words({"index": [f"a={URL}", f"a={URL}"]}, "/project").locations) == 2
