import pytest

from engine.credentials import without_credentials


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
        ("https://example.com/?mail=a@example.com", "https://example.com/?mail=a@example.com"),
        ("https://user:p/a?s#s@example.com/x", "https://***@example.com/x"),
        ("http://example.com:8080/a@b", "http://example.com:8080/a@b"),
        ("http://[2001:db8::1]/a@b", "http://[2001:db8::1]/a@b"),
        ("nobody@example.com", "nobody@example.com"),
        ("/home/me/user:secret@example.com/simple is no folder", "/home/me/***@example.com/simple is no folder"),
        ("error: user:secret@example.com", "error: ***@example.com"),
        ("lock.txt:3: me@example.com", "lock.txt:3: me@example.com"),
        ("file:a@b.whl", "file:a@b.whl"),
        ("", ""),
    ],
)
def test_only_the_user_information_of_urls_is_hidden(text: str, clean: str) -> None:
    assert without_credentials(text) == clean
