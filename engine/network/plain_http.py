"""The plain case of HTTP/1.1, read strictly: what many small files in a row look like.  Pure.

Owns the words of a request and the framing of the answers to requests that were sent one
after the other.  Rules: an answer has a length and nothing that could be another one's
beginning; whatever is not exactly that (chunks, codings, folded lines, two lengths, bare
line ends, other protocols, bytes that nobody asked for) is `Unplain`, after which nothing
of the connection is believed any more.

Source: RFC 9112, sections 2.2, 4, 5, 6.3 and 9.3.2; RFC 9110, section 6.4.1.
"""

import re
from typing import NamedTuple

#: No server says more about a small file.
_HEAD_BYTES = 16 << 10

_END = b"\r\n\r\n"
_HEAD = re.compile(rb"HTTP/1\.1 (\d{3})(?: [^\r\n\0]*)?\r\n((?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\r\n\0]*\r\n)*)\r\n")
_FIELD = re.compile(rb"(?im)^(content-length|content-encoding|transfer-encoding|connection|upgrade):([^\r\n]*)")
_LENGTH = re.compile(rb"[0-9]{1,12}")

#: A path and a query that are sent as they are: nothing to quote, to decode or to shorten in them.
_TARGET = re.compile(r"/(?:[\w.~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*", re.ASCII)


class Unplain(Exception):
    """A connection brought something else than the plain case; `str()` says what."""


class Answer(NamedTuple):
    """One answer.

    `body` is None where it is of no use: only that of a 200 is.  `is_last` where the server closes then.
    """

    status: int
    body: bytes | None
    is_last: bool


def is_plain_target(target: str) -> bool:
    """Tells whether a path with its query can be asked for as it stands."""
    return _TARGET.fullmatch(target) is not None and "/." not in target


def request_frame(host: str, user_agent: str) -> tuple[bytes, bytes]:
    """Returns what stands before and after the target in every request to a server.

    Args:
        host: with the port, where it is not the scheme's own.
        user_agent: who asks.
    """
    after = f" HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {user_agent}\r\nAccept: */*\r\nAccept-Encoding: identity\r\n\r\n"
    return b"GET ", after.encode("ascii")


class Answers:
    """Takes the bytes of one connection apart.

    Args:
        most_bytes: how large a body may be.
    """

    __slots__ = ("_buffer", "_head", "_most_bytes")

    def __init__(self, most_bytes: int) -> None:
        self._buffer = bytearray()
        self._head: tuple[int, int, bool] | None = None
        self._most_bytes = most_bytes

    @property
    def has_part(self) -> bool:
        """Whether an answer has begun and not ended."""
        return bool(self._buffer) or self._head is not None

    def feed(self, data: bytes, expected: int) -> list[Answer]:
        """Returns the answers that are complete.

        Args:
            data: the next bytes.
            expected: how many answers are outstanding.

        Raises:
            Unplain: when the bytes are none, or more than these; the answers before it are lost.
        """
        buffer = self._buffer
        buffer += data
        found: list[Answer] = []
        start = 0
        while start < len(buffer) or self._head is not None:
            if len(found) == expected or (found and found[-1].is_last):
                raise Unplain("bytes that nobody asked for")
            if self._head is None:
                end = buffer.find(_END, start, start + _HEAD_BYTES)
                if end < 0:
                    if len(buffer) - start >= _HEAD_BYTES:
                        raise Unplain("headers without an end")
                    break
                self._head = self._read_head(bytes(buffer[start : end + 4]))
                start = end + 4
            status, length_bytes, is_last = self._head
            if len(buffer) - start < length_bytes:
                break
            body = bytes(buffer[start : start + length_bytes]) if status == 200 else None
            found.append(Answer(status, body, is_last))
            start += length_bytes
            self._head = None
        del buffer[:start]
        return found

    def _read_head(self, head: bytes) -> tuple[int, int, bool]:
        """Returns status, length of the body, and whether the server closes the connection after it."""
        match = _HEAD.fullmatch(head)
        if match is None:
            raise Unplain("something that is no answer of HTTP/1.1")
        status = int(match[1])
        if not (status == 200 or 300 <= status <= 599) or status == 304:
            raise Unplain(f"HTTP {status}")
        length_bytes = -1
        is_last = False
        for name, value in _FIELD.findall(match[2]):
            name, value = name.lower(), value.strip(b" \t")
            if name == b"connection":
                options = {option.strip(b" \t") for option in value.lower().split(b",")}
                is_last = is_last or not options <= {b"keep-alive"}
            elif name == b"content-length" and length_bytes < 0 and _LENGTH.fullmatch(value):
                length_bytes = int(value)
            elif name != b"content-encoding" or value.lower() != b"identity":
                raise Unplain(f"an answer with {name.decode('ascii')}")
        if not 0 <= length_bytes <= self._most_bytes:
            raise Unplain("no length, or too much of it")
        return status, length_bytes, is_last
