"""METADATA of a wheel on a server, without the wheel: its end is asked for, and what is missing besides.

One request is enough for nearly all wheels: the end of an archive has its directory, and
writers of wheels put METADATA just before that ("Archivers are encouraged to place the
.dist-info files physically at the end").  Owns which bytes are asked for, and whether an
answer is what was asked for.

Rules: an answer counts if it is exactly the part, of a file that is the same in every
answer; the number of questions and of bytes is bounded.

Source: RFC 9110, section 14, "Range Requests"; PEP 427.
"""

import re
from collections.abc import Awaitable, Callable, Mapping

from engine.limits import METADATA_BYTES
from engine.network.fetching import Reply
from engine.wheel.member import read_metadata_member

#: What is asked for first: what the search for the end record looks at (22 + 65,535 bytes), which has METADATA and
#: the directory of most wheels in it.  It takes 3 ms of a link of 200 Mbit/s, a second question takes 20.
TAIL_BYTES = 66 << 10

#: What is asked for before a directory that did not fit, because METADATA is probably there.
_BEFORE_DIRECTORY_BYTES = 32 << 10

#: The directory of 100,000 files; no wheel is worth more before it is known that it will be installed.
_MOST_BYTES = METADATA_BYTES + (16 << 20)

#: The end, the directory, METADATA.
_QUESTIONS = 4

_CONTENT_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})")

#: Asks with these headers, for at most so many bytes.
Ask = Callable[[Mapping[str, str], int], Awaitable[Reply]]


class NoRanges(Exception):
    """The wheel cannot be read in parts.

    Attributes:
        whole_server: and neither can others there.
    """

    def __init__(self, reason: str, *, whole_server: bool = False) -> None:
        super().__init__(reason)
        self.whole_server = whole_server


class Unchanged(Exception):
    """The file is the one whose validators were sent."""


class _Changed(Exception):
    """Two answers are of different files."""


class _Missing(Exception):
    def __init__(self, offset: int, end: int) -> None:
        super().__init__(offset, end)
        self.offset = offset
        self.end = end


class Parts:
    """The parts of one wheel that are known.

    Args:
        ask: asks the server for the wheel.
        filename: of the wheel.
        size_bytes: what the index says, or None.
        conditions: headers that ask whether a stored answer still holds.
    """

    def __init__(
        self, ask: Ask, filename: str, size_bytes: int | None, conditions: Mapping[str, str] | None = None
    ) -> None:
        self._ask = ask
        self._filename = filename
        self._size_bytes = size_bytes
        self._conditions = conditions or {}
        self._forget()

    def _forget(self) -> None:
        self._pieces: list[tuple[int, bytes]] = []
        self._total = 0
        self._identity: tuple[str, ...] | None = None
        self.headers: Mapping[str, str] = {}

    async def metadata(self) -> bytes | bytearray:
        """Returns METADATA.

        Raises:
            NoRanges: when it cannot be had in parts.
            Unchanged: when the server says that the stored answer holds.
            InvalidWheel: when the wheel is damaged, or has none.
            IndexUnavailable: when the server cannot be asked.
        """
        try:
            return await self._read()
        except _Changed:
            self._forget()
        try:
            return await self._read()
        except _Changed as exc:
            raise NoRanges("it changes while it is read") from exc

    async def _read(self) -> bytes | bytearray:
        await self._fetch_tail()
        for _ in range(_QUESTIONS - 1):
            try:
                return read_metadata_member(self._at, self._total, self._filename)
            except _Missing as missing:
                await self._fetch(missing)
        raise NoRanges("its parts lie too far from each other")

    def _at(self, offset: int, length: int) -> memoryview:
        for start, piece in self._pieces:
            if start <= offset and offset + length <= start + len(piece):
                return memoryview(piece)[offset - start : offset - start + length]
        raise _Missing(offset, offset + length)

    async def _fetch_tail(self) -> None:
        start = None if self._size_bytes is None else max(0, self._size_bytes - TAIL_BYTES)
        asked = f"bytes=-{TAIL_BYTES}" if start is None else f"bytes={start}-"
        reply = await self._ask({"Range": asked, **self._conditions}, TAIL_BYTES)
        if reply.status == 304 and self._conditions:
            raise Unchanged
        first, end = self._check(reply, suffix=start is None)
        expected = max(0, self._total - TAIL_BYTES) if start is None else start
        if first != expected or end != self._total or self._size_bytes not in (None, self._total):
            raise NoRanges(f"the server has another part of it than bytes {expected}-")
        self.headers = reply.headers
        self._pieces.append((first, reply.body))

    async def _fetch(self, missing: _Missing) -> None:
        known_from, tail = self._pieces[0]
        start, end = missing.offset, missing.end
        is_directory = end > known_from
        if is_directory:
            start, end = max(0, start - _BEFORE_DIRECTORY_BYTES), known_from
        if not 0 < end - start <= _MOST_BYTES:
            raise NoRanges("its directory is very large")
        validator = {"If-Range": etag} if (etag := self.headers.get("ETag", "")).startswith('"') else {}
        reply = await self._ask({"Range": f"bytes={start}-{end - 1}", **validator}, end - start)
        if reply.status in (200, 416):
            raise _Changed
        if self._check(reply, suffix=False) != (start, end):
            raise NoRanges(f"the server has another part of it than bytes {start}-{end - 1}")
        if is_directory:
            self._pieces[0] = (start, reply.body + tail)
        else:
            self._pieces.append((start, reply.body))

    def _check(self, reply: Reply, *, suffix: bool) -> tuple[int, int]:
        """Returns where the part begins and ends that a server has sent."""
        if reply.status != 206:
            # The end of a file that is not empty can always be satisfied: 416 tells of a server that cannot do it.
            refuses = reply.status in (200, 400, 405, 501) or (suffix and reply.status == 416)
            raise NoRanges(f"HTTP {reply.status} for a part of it", whole_server=refuses)
        found = _CONTENT_RANGE.fullmatch(reply.headers.get("Content-Range", "").strip())
        if found is None:
            raise NoRanges("the server does not say which part of it it sent", whole_server=True)
        first, last, total = map(int, found.groups())
        if not first <= last < total or last - first + 1 != len(reply.body):
            raise NoRanges("the server sent another part of it than it says")
        identity = (str(total), reply.headers.get("ETag", ""), reply.headers.get("Last-Modified", ""))
        if self._identity not in (None, identity):
            raise _Changed
        self._identity, self._total = identity, total
        return first, last + 1
