"""Only the plain case of HTTP/1.1 is understood, and nothing that could be understood in two ways."""

import pytest

from engine.network.plain_http import Answer, Answers, Fields, Unplain, is_plain_target, request_frame, split_url

MOST_BYTES = 100


def answer(body: bytes = b"body", *fields: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", *(fields or (f"Content-Length: {len(body)}",)), "", ""]
    return "\r\n".join(lines).encode() + body


def feed(data: bytes, expected: int = 2, size: int = 0) -> list[Answer]:
    answers = Answers()
    found: list[Answer] = []
    for start in range(0, len(data), size or len(data)):
        found += answers.feed(data[start : start + (size or len(data))], [MOST_BYTES] * (expected - len(found)))
    assert not answers.has_part
    return found


@pytest.mark.parametrize("size", [0, 1, 2, 7, 43])
def test_answers_are_found_however_their_bytes_arrive(size: int) -> None:
    data = answer(b"one") + answer(b"") + answer(b"two", "content-LENGTH:3 ", "X-Content-Length: 9")
    assert [one.body for one in feed(data, 3, size)] == [b"one", b"", b"two"]


def test_of_an_answer_that_is_no_200_only_the_status_is_given() -> None:
    found = feed(answer(b"gone", status="404 Not Found") + answer(b"here"))
    assert [(one.status, one.body) for one in found] == [(404, None), (200, b"here")]


def test_a_page_that_has_not_changed_has_no_body_whatever_is_said() -> None:
    found = feed(answer(b"", "Content-Length: 7", 'ETag: "1"', status="304 Not Modified") + answer(b"new"))
    assert [(one.status, one.body) for one in found] == [(304, None), (200, b"new")]


def test_the_limit_of_each_body_is_its_own() -> None:
    data = answer(b"x" * 9) + answer(b"y" * 5)
    assert len(Answers().feed(data, [9, 5])) == 2
    with pytest.raises(Unplain):
        Answers().feed(data, [9, 4])


def test_what_is_packed_is_known_to_be() -> None:
    found = feed(answer(b"a", "Content-Length: 1", "Content-Encoding: GZIP") + answer(b"b", "Content-Length: 1"))
    assert [one.is_gzipped for one in found] == [True, False]


def test_headers_are_found_in_any_case_and_the_first_counts() -> None:
    fields = Fields(feed(answer(b"a", "Content-Length: 1", 'ETag:  "x" ', "etag: y", "X-Odd: a:b"))[0].fields)
    assert (fields["etag"], fields["ETAG"], fields.get("x-odd"), fields.get("Age")) == ('"x"', '"x"', "a:b", None)
    assert list(fields) == ["content-length", "etag", "x-odd"] and len(fields) == 3


@pytest.mark.parametrize(
    ("fields", "is_last"),
    [
        (("Connection: keep-alive",), False),
        (("Connection: close",), True),
        (("Connection: Keep-Alive, Close",), True),
        (("Connection: upgrade",), True),
    ],
)
def test_a_server_that_closes_says_so(fields: tuple[str, ...], is_last: bool) -> None:
    assert feed(answer(b"body", "Content-Length: 4", *fields))[0].is_last is is_last


@pytest.mark.parametrize(
    "data",
    [
        answer(b"body", "X: y"),
        answer(b"body", "Content-Length: 4", "Content-Length: 4"),
        answer(b"body", "Content-Length: 4, 4"),
        answer(b"body", "Content-Length: +4"),
        answer(b"body", "Content-Length: 0x4"),
        answer(b"body", "Content-Length: -4"),
        answer(b"body", "Content-Length: "),
        answer(b"body", "Content-Length: 101"),
        answer(b"body", "Content-Length: 4", "Transfer-Encoding: chunked"),
        answer(b"body", "Content-Length: 4", "Transfer-Encoding: identity"),
        answer(b"body", "Content-Length: 4", "Content-Encoding: br"),
        answer(b"body", "Content-Length: 4", "Content-Encoding: gzip, gzip"),
        answer(b"body", "Content-Length: 4", "Content-Encoding: gzip", "Content-Encoding: identity"),
        answer(b"body", "Content-Length: 4", "Upgrade: h2c"),
        answer(b"body", "Content-Length: 4", "X: y\n z"),
        answer(b"body", "Content-Length: 4", " folded: y"),
        answer(b"body", "Content-Length: 4", "X : y"),
        answer(b"body", "Content-Length: 4", "no colon"),
        answer(b"body", "Content-Length: 4", "X: \0"),
        answer(b"body", "Content-Length: 4").replace(b"\r\n", b"\n") + b"\r\n\r\n",
        answer().replace(b"HTTP/1.1", b"HTTP/1.0"),
        answer().replace(b"HTTP/1.1", b"http/1.1"),
        answer(status="2000 OK"),
        answer(b"", status="100 Continue") + answer(),
        answer(b"", status="101 Switching Protocols"),
        answer(b"", status="204 No Content"),
        answer(b"", status="206 Partial Content"),
        answer(b"", status="999 Odd"),
        answer() + answer() + b"H",
        answer(b"body", "Content-Length: 4", "Connection: close") + answer(),
        b"X" * (20 << 10),
        b"\r\n" + answer(),
    ],
)
def test_what_is_not_plain_ends_a_connection(data: bytes) -> None:
    with pytest.raises(Unplain):
        feed(data)


def test_bytes_that_nobody_asked_for_end_a_connection() -> None:
    with pytest.raises(Unplain, match="nobody asked"):
        Answers().feed(b"H", [])


def test_a_part_of_an_answer_is_known_to_be_one() -> None:
    for length in range(1, len(answer())):
        answers = Answers()
        assert answers.feed(answer()[:length], [MOST_BYTES]) == [] and answers.has_part


@pytest.mark.parametrize("target", ["/files/demo-1.0+cpu.whl.metadata", "/a%2Bb?c=d&e", "/~a/b_c"])
def test_a_target_without_anything_to_decide_is_asked_for_as_it_stands(target: str) -> None:
    assert is_plain_target(target)


@pytest.mark.parametrize(
    "target", ["", "a", "/a b", "/a\r\nHost: b", "/a#b", "/ä", "/a%2", "/a%zz", "/a/../b", "/./b", '/"', "/a\n", "/[1]"]
)
def test_a_target_that_would_have_to_be_quoted_is_not_plain(target: str) -> None:
    assert not is_plain_target(target)


def test_a_request_names_the_host_and_asks_for_plain_bytes() -> None:
    before, after = request_frame("127.0.0.1:8000", "engine/1", {"Accept-Encoding": "identity"})
    lines = (before + b"/a" + after).decode().split("\r\n")
    assert lines[0] == "GET /a HTTP/1.1" and lines[-2:] == ["", ""]
    assert {"Host: 127.0.0.1:8000", "User-Agent: engine/1", "Accept-Encoding: identity"} <= set(lines)


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("https://example.com:8/a/b?c#d/e", ("https://example.com:8", "/a/b?c")),
        ("http://[::1]/", ("http://[::1]", "/")),
        ("https://example.com", None),
        ("https://example.com?x=/a", None),
        ("https://example.com#/a", None),
        ("https://you@example.com/a", None),
        ("https://ex\\ample.com/a", None),
        ("https://ex\u00e4mple.com/a", None),
    ],
)
def test_a_url_is_split_where_its_path_begins_or_not_at_all(url: str, parts: tuple[str, str] | None) -> None:
    assert split_url(url) == parts
