"""`direct_url.json` names the URL without secrets, and two of them are compared by what they mean."""

import json

import pytest
from packaging.direct_url import DirectUrl

from engine.direct_url import direct_url_text, same_origin

URL = "https://example.com/demo-1.0-py3-none-any.whl"
SHA256, OTHER = "a" * 64, "b" * 64


def test_the_text_follows_the_standard_and_names_the_hash_in_both_spellings() -> None:
    fields = json.loads(direct_url_text(URL, SHA256))
    assert fields == {"url": URL, "archive_info": {"hash": f"sha256={SHA256}", "hashes": {"sha256": SHA256}}}
    DirectUrl.from_dict(fields).validate()


def test_a_hash_that_is_not_known_is_left_out() -> None:
    assert json.loads(direct_url_text(URL, None)) == {"url": URL, "archive_info": {}}


@pytest.mark.parametrize("user", ["user:secret", "secret", "git:secret", "git"])
def test_credentials_and_fragments_do_not_get_into_the_text(user: str) -> None:
    text = direct_url_text(URL.replace("://", f"://{user}@") + f"#sha256={SHA256}", SHA256)
    assert text == direct_url_text(URL, SHA256)


def test_one_url_with_one_hash_is_one_origin_whoever_wrote_it() -> None:
    wanted = direct_url_text(URL, SHA256)
    for info in ({}, {"hash": f"sha256={SHA256}"}, {"hashes": {"sha256": SHA256}}, {"hashes": {"sha512": OTHER}}):
        assert same_origin(json.dumps({"url": URL, "archive_info": info}), wanted)
    assert same_origin(wanted, direct_url_text(URL, None))


@pytest.mark.parametrize(
    "found",
    [
        direct_url_text(URL, OTHER),
        direct_url_text(URL + "x", SHA256),
        json.dumps({"url": URL, "archive_info": {}, "subdirectory": "x"}),
        json.dumps({"url": "file:///srv", "dir_info": {"editable": True}}),
        json.dumps({"url": URL}),
        json.dumps([URL]),
        json.dumps({"url": URL, "archive_info": {"hashes": {"sha256": 1}}}),
        "null",
        "{",
        "[" * 100_000,
        "",
    ],
)
def test_anything_else_is_another_origin(found: str) -> None:
    assert not same_origin(found, direct_url_text(URL, SHA256))
