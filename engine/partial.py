"""A download that may stop before all of it is there, and go on where it stopped: in this run or in another.

Owns what has to be known for that (how much is there, and which file it is of), the headers that ask for the rest, and
the decision whether an answer is that rest.  Does not ask.  Rule: what a server sends is only joined to what is there
when it says, with the same validators, that it begins just there and ends where the file ends; whatever else it says,
the download starts again.

Beside the data lies what is known about it, as long as the data is worth keeping when the run is killed.

Source: RFC 9110, sections 8.8 "Validator Fields", 13.1.5 "If-Range", 14.4 "Content-Range", 15.3.7 "206".
"""

import json
import os
import re
from collections.abc import Mapping

from engine.credentials import without_credentials
from engine.limits import KEPT_BYTES

#: What takes no longer than that is not worth its room on disk beside the files that are unpacked from it.
KEPT_SECONDS = 5.0

FORMAT = 1

#: A Last-Modified is a strong validator when the answer was made that much later.
_STRONG_AFTER_SECONDS = 60

_CONTENT_RANGE = r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})"


class Changed(Exception):
    """What the server sends is no continuation of what is there; `str()` says why."""


class Partial:
    """One download.

    Args:
        path: of the data; ends with `.part`.
        url: where it comes from.
        key: names the file for a later run; empty where none is to go on with it.
        verified: somebody has promised a hash, which will be compared in the end.

    Attributes:
        written: how many bytes are there, from the first on.
        total: the length of the whole, once that is known.
        kept: what is there is worth keeping, so nothing of it may be given back.
    """

    __slots__ = ("_decided", "_etag", "_key", "_last_modified", "_url", "_verified", "kept", "path", "total", "written")

    def __init__(self, path: str, url: str, *, key: str = "", verified: bool) -> None:
        self.path = path
        self.written = 0
        self.total: int | None = None
        self.kept = False
        self._url = without_credentials(url)
        self._key = key
        self._verified = verified
        self._etag: str | None = None
        self._last_modified: str | None = None
        self._decided = False

    @property
    def about_path(self) -> str:
        """Where it is written down what the data is."""
        return f"{self.path.removesuffix('.part')}.about"

    @property
    def can_go_on(self) -> bool:
        """Whether the rest may be asked for: a hash or a validator tells when it is of another file."""
        large = self.total is None or self.total >= KEPT_BYTES
        return large and self.written > 0 and (self._verified or self._validator is not None)

    # -- asking ------------------------------------------------------------------

    def request_headers(self) -> dict[str, str]:
        """Returns the headers that ask for what is missing."""
        headers = {"Accept-Encoding": "identity"}
        if self.written:
            headers["Range"] = f"bytes={self.written}-"
            if self._validator is not None:
                headers["If-Range"] = self._validator
        return headers

    def begin(self, headers: Mapping[str, str], total: int | None) -> None:
        """Learns from the first answer which file it is, and writes that down where it is worth it.

        Args:
            headers: of an answer with the whole file.
            total: its length, where that is known.
        """
        self.total = total
        if total is not None and total < KEPT_BYTES:
            return
        self._etag = _strong_etag(headers)
        self._last_modified = None if self._etag else _strong_date(headers)
        if self._key and total is not None and (self._verified or self._validator is not None):
            self._keep()

    @property
    def _validator(self) -> str | None:
        return self._etag or self._last_modified

    def check(self, status: int, headers: Mapping[str, str]) -> None:
        """Makes sure that an answer is the rest of the file.

        Args:
            status: 200, 206 or 416; others are not about the range.
            headers: of the answer.

        Raises:
            Changed: when it is not.
        """
        if status != 206:
            raise Changed(f"HTTP {status} instead of a part")
        found = re.fullmatch(_CONTENT_RANGE, headers.get("Content-Range", "").strip())
        if found is None:
            raise Changed("a part without a range")
        first, last, total = map(int, found.groups())
        if first != self.written or last != total - 1 or total != (self.total or total):
            raise Changed("another part than was asked for")
        length = headers.get("Content-Length")
        if length is not None and length != str(last - first + 1):
            raise Changed("a part of another length than it says")
        if headers.get("Content-Encoding", "identity").lower() != "identity":
            raise Changed("a part that is encoded")
        etag = headers.get("ETag")
        if self._etag and etag is not None and etag != self._etag:
            raise Changed("a part of another file")
        self.total = total

    # -- keeping -----------------------------------------------------------------

    def decide(self, seconds: float) -> None:
        """Decides, at the first piece, whether the whole takes long enough for its parts to be kept.

        Args:
            seconds: how long the bytes took that are there.
        """
        if self._decided:
            return
        self._decided = True
        if self.kept and self.total is not None and self.total * seconds < KEPT_SECONDS * self.written:
            self.forget()

    def forget(self) -> None:
        """Sees to it that nobody goes on with what is there."""
        if self.kept:
            self.kept = False
            os.unlink(self.about_path)

    def _keep(self) -> None:
        fields = {
            "format": FORMAT,
            "key": self._key,
            "url": self._url,
            "total": self.total,
            "etag": self._etag,
            "last_modified": self._last_modified,
        }
        with open(self.about_path, "xb") as file:
            file.write(json.dumps(fields).encode())
        self.kept = True

    def go_on(self, about: bytes, expected_bytes: int | None) -> bool:
        """Takes over what an earlier run has left at `path`; the data has been brought there.

        Args:
            about: what that run has written down.
            expected_bytes: the length that somebody has promised, or None.

        Returns:
            False when it is of no use.

        Raises:
            OSError: when nothing can be written.
        """
        try:
            fields = json.loads(about)
            written = os.path.getsize(self.path)
            total, url = fields["total"], fields["url"]
            if fields["format"] != FORMAT or fields["key"] != self._key or not 0 < written < total:
                return False
            # A hash holds wherever the file comes from, validators only where they were given.
            if url == self._url:
                self._etag, self._last_modified = _text(fields["etag"]), _text(fields["last_modified"])
        except (ValueError, KeyError, TypeError, OSError):
            return False
        if not (self._verified or self._validator) or (expected_bytes is not None and total != expected_bytes):
            return False
        self.written, self.total, self._decided = written, total, True
        self._keep()
        return True


def _text(value: object) -> str | None:
    """Returns a validator from a file that others may have written; no header may hold a line break."""
    return value if isinstance(value, str) and value.isprintable() else None


def _strong_etag(headers: Mapping[str, str]) -> str | None:
    etag = headers.get("ETag", "")
    return etag if len(etag) > 2 and etag.startswith('"') and etag.endswith('"') else None


def _strong_date(headers: Mapping[str, str]) -> str | None:
    """Returns the Last-Modified where nothing can have changed within its second unnoticed."""
    from engine.index.freshness import http_date

    modified = headers.get("Last-Modified")
    now, then = http_date(headers.get("Date")), http_date(modified)
    if now is None or then is None or now - then < _STRONG_AFTER_SECONDS:
        return None
    return modified
