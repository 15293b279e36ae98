"""The plain case of HTTP/1.1, read strictly: what pages and many small files in a row look like.  Pure.

Owns the words of a request and the framing of the answers to requests that were sent one
after the other.  Rules: an answer has a length and nothing that could be another one's
beginning; whatever is not exactly that (chunks, codings but gzip, folded lines, two lengths,
bare line ends, other protocols, bytes that nobody asked for) is `Unplain`, after which
nothing of the connection is believed any more.

Source: RFC 9112, sections 2.2, 4, 5, 6.3 and 9.3.2; RFC 9110, section 6.4.1.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

#: No server says more about a small file.
HEAD_BYTES = 16 << 10

#: What ends the headers.
HEAD_END = b"\r\n\r\n"
_HEAD = re.compile(rb"HTTP/1\.1 (\d{3})(?: ([^\r\n\0]*))?\r\n((?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\r\n\0]*\r\n)*)\r\n")
_FIELD = re.compile(rb"(?im)^(content-length|content-encoding|transfer-encoding|connection|upgrade):([^\r\n]*)")
_LENGTH = re.compile(rb"[0-9]{1,12}")
_CODINGS = (b"identity", b"gzip", b"x-gzip")

_NOT_IN_ADDRESSES = frozenset("?#@\\")

#: A path and a query that are sent as they are: nothing to quote, to decode or to shorten in them.
_TARGET = re.compile(r"/(?:[\w.~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*", re.ASCII)


class Unplain(Exception):
    """A connection brought something else than the plain case; `str()` says what."""


class Answer(NamedTuple):
    """One answer.

    `body` is None where it is of no use: only that of a 200 is; `is_gzipped` where it was sent so.  `is_last` where
    the server closes then.  `fields` are the lines of its headers, for `Fields`, and `reason` the words
    behind the status.
    """

    status: int
    body: bytes | None
    is_last: bool
    is_gzipped: bool = False
    fields: bytes = b""
    reason: bytes = b""


class Fields(Mapping[str, str]):
    """The headers of an answer; look-ups do not tell upper from lower case, and of a repeated one the first counts.

    Args:
        lines: as they came.
    """

    def __init__(self, lines: bytes) -> None:
        self._values: dict[str, str] = {}
        for line in lines.decode("latin-1").split("\r\n")[:-1]:
            name, _, value = line.partition(":")
            self._values.setdefault(name.lower(), value.strip(" \t"))

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def split_url(url: str) -> tuple[str, str] | None:
    """Returns scheme and host of a URL, and the path with its query; None where there is no path, or who asks is named.

    Args:
        url: absolute; a fragment is left out.
    """
    slash = url.find("/", url.find("://") + 3)
    address = url[:slash]
    if slash < 0 or not address.isascii() or not _NOT_IN_ADDRESSES.isdisjoint(address):
        return None
    return address, url[slash:].partition("#")[0]


def is_plain_target(target: str) -> bool:
    """Tells whether a path with its query can be asked for as it stands."""
    return _TARGET.fullmatch(target) is not None and "/." not in target


def request_frame(host: str, user_agent: str, fields: Mapping[str, str]) -> tuple[bytes, bytes]:
    """Returns what stands before and after the target in requests to a server.

    Args:
        host: with the port, where it is not the scheme's own.
        user_agent: who asks.
        fields: further headers; what the user says is not among them.
    """
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return b"GET ", f" HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {user_agent}\r\n{lines}\r\n".encode("ascii")


class Answers:
    """Takes the bytes of one connection apart."""

    __slots__ = ("_buffer", "_head")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._head: tuple[Answer, int] | None = None

    @property
    def has_part(self) -> bool:
        """Whether an answer has begun and not ended."""
        return bool(self._buffer) or self._head is not None

    def feed(self, data: bytes, most_bytes: Sequence[int]) -> list[Answer]:
        """Returns the answers that are complete.

        Args:
            data: the next bytes.
            most_bytes: how large the body of each answer may be that is outstanding, in their order.

        Raises:
            Unplain: when the bytes are none, or more than these; the answers before it are lost.
        """
        buffer = self._buffer
        buffer += data
        found: list[Answer] = []
        start = 0
        while start < len(buffer) or self._head is not None:
            if len(found) == len(most_bytes) or (found and found[-1].is_last):
                raise Unplain("bytes that nobody asked for")
            if self._head is None:
                end = buffer.find(HEAD_END, start, start + HEAD_BYTES)
                if end < 0:
                    if len(buffer) - start >= HEAD_BYTES:
                        raise Unplain("headers without an end")
                    break
                self._head = read_head(bytes(buffer[start : end + 4]), most_bytes[len(found)])
                start = end + 4
            answer, length_bytes = self._head
            if len(buffer) - start < length_bytes:
                break
            if answer.status == 200:
                answer = answer._replace(body=bytes(buffer[start : start + length_bytes]))
            found.append(answer)
            start += length_bytes
            self._head = None
        del buffer[:start]
        return found


def read_head(head: bytes, most_bytes: int, *, partly: bool = False) -> tuple[Answer, int]:
    """Returns an answer without its body, and the length of that.

    Args:
        head: up to the empty line, which belongs to it.
        most_bytes: how large the body may be.
        partly: a part of a file was asked for, and may be the answer.

    Raises:
        Unplain: when it is something else than the plain case.
    """
    match = _HEAD.fullmatch(head)
    if match is None:
        raise Unplain("something that is no answer of HTTP/1.1")
    status = int(match[1])
    if not (status == 200 or 300 <= status <= 599 or (partly and status == 206)):
        raise Unplain(f"HTTP {status}")
    length_bytes = -1
    is_last = is_gzipped = is_coded = False
    for name, value in _FIELD.findall(match[3]):
        name, value = name.lower(), value.strip(b" \t")
        if name == b"connection":
            if value == b"keep-alive":
                continue
            options = {option.strip(b" \t") for option in value.lower().split(b",")}
            is_last = is_last or not options <= {b"keep-alive"}
        elif name == b"content-length" and length_bytes < 0 and _LENGTH.fullmatch(value):
            length_bytes = int(value)
        elif name == b"content-encoding" and not is_coded and value.lower() in _CODINGS:
            is_coded, is_gzipped = True, value.lower() != b"identity"
        else:
            raise Unplain(f"an answer with {name.decode('ascii')}")
    if status == 304:  # whatever it says, it has no body
        length_bytes = 0
    if not 0 <= length_bytes <= most_bytes:
        raise Unplain("no length, or too much of it")
    return Answer(status, None, is_last, is_gzipped, match[3], match[2] or b""), length_bytes
