"""Places are read as they are spelled, and every choice that can change an answer changes the identity."""

import pytest

from engine.options import IndexLocation, IndexOptions

URL = "https://example.com/simple"


@pytest.mark.parametrize(
    ("text", "name", "url"),
    [
        (URL, "", URL),
        (f"corp={URL}", "corp", URL),
        (f"my.corp_1-a={URL}", "my.corp_1-a", URL),
        ("https://example.com/?a=b", "", "https://example.com/?a=b"),
        (f"={URL}", "", f"={URL}"),
        ("file:///srv/simple", "", "file:///srv/simple"),
        ("wheels", "", "/work/wheels"),
        ("corp=../wheels", "corp", "/wheels"),
        ("/srv/a=b", "", "/srv/a=b"),
    ],
)
def test_a_place_has_a_name_only_where_one_stands_in_front(text: str, name: str, url: str) -> None:
    location = IndexLocation.parse(text, cwd="/work")
    assert (location.name, location.url) == (name, url)


def test_indexes_come_in_the_order_of_uv_and_the_default_is_the_one_that_is_marked() -> None:
    words: dict[str, str | int | list[str] | None] = {
        "index": ["one=https://one.example.com/", "https://two.example.com/"],
        "extra_index_url": ["https://three.example.com/"],
        "index_url": "corp=https://four.example.com/",
        "find_links": ["wheels", "https://example.com/a=b/page.html"],
        "no_index": 0,
    }
    options = IndexOptions.from_words(words, "/work")
    hosts = [location.url.partition("//")[2].partition(".")[0] for location in options.locations]
    assert hosts == ["one", "two", "three", "four"]
    assert options.default is options.locations[-1] and options.default.name == "corp"
    assert [place.url for place in options.find_links] == ["/work/wheels", "https://example.com/a=b/page.html"]
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
