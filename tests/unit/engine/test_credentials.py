import pytest

from engine.credentials import without_credentials, without_userinfo


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("https://user:secret@example.com/simple/", "https://***@example.com/simple/"),
        ("https://token@example.com", "https://***@example.com"),
        ("https://user:p@ss@example.com/x", "https://***@example.com/x"),
        (
            "a @ https://u:p@example.com/a b https://v:q@example.com",
            "a @ https://***@example.com/a b https://***@example.com",
        ),
        ("https://example.com/@scope/a", "https://example.com/@scope/a"),
        ("https://example.com/?mail=a@example.com", "https://example.com/?mail=***"),
        ("https://user:p/a?s#s@example.com/x", "https://***@example.com/x"),
        ("http://example.com:8080/a@b", "http://example.com:8080/a@b"),
        ("http://[2001:db8::1]/a@b", "http://[2001:db8::1]/a@b"),
        ("nobody@example.com", "nobody@example.com"),
        ("/home/me/user:secret@example.com/simple is no folder", "/home/me/***@example.com/simple is no folder"),
        ("error: user:secret@example.com", "error: ***@example.com"),
        ("lock.txt:3: me@example.com", "lock.txt:3: me@example.com"),
        ("file:a@b.whl", "file:a@b.whl"),
        ("", ""),
        ("https://example.com/a.whl?token=s3cret#sha256=12", "https://example.com/a.whl?token=***#sha256=12"),
        ("https://u:p@example.com/?a=1&b=&c=%20=x?y", "https://***@example.com/?a=***&b=&c=***"),
        ("https://example.com/?s3cret", "https://example.com/?***"),
        (
            "a @ https://example.com/?a=1 ; b (https://example.com/?c=1).",
            "a @ https://example.com/?a=*** ; b (https://example.com/?c=***).",
        ),
        ('"https://example.com/?a=1": gone', '"https://example.com/?a=***": gone'),
        ("https://example.com/?a=1: HTTP 404", "https://example.com/?a=***: HTTP 404"),
        ("../files/a.whl?sig=1", "../files/a.whl?sig=***"),
        *((f"https://example.com/?sig=a{mark}b!s3", "https://example.com/?sig=***") for mark in "'\"`<>\\"),
        ("https://example.com/?tok='s3'/ has no project", "https://example.com/?tok=*** has no project"),
        ("really? yes?no", "really? yes?no"),
        ("https://example.com/?", "https://example.com/?"),
    ],
)
def test_only_user_information_and_values_of_queries_are_hidden(text: str, clean: str) -> None:
    assert without_credentials(text) == clean


def test_places_that_differ_in_a_query_are_told_apart_without_who_asks() -> None:
    assert without_userinfo("https://u:p@example.com/?a=1") == "https://***@example.com/?a=1"
