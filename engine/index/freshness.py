"""How long a response may be used without asking again, and how to ask whether it still may.  Pure.

The cache is private: `s-maxage` and `private` mean nothing to it.  Whatever
cannot be understood counts as stale.  Heuristic freshness is not used.

Source: RFC 9111, sections 4.2, 4.3 and 5.2.2; RFC 9110, section 13.1.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

#: Nothing stays fresh longer than a year, whatever a server says.
LONGEST_SECONDS = 365 * 24 * 3600

#: How much of a record `Freshness.unpack` needs at most.
HEAD_BYTES = 1024

#: Longer validators are not kept.
_VALIDATOR_BYTES = 500

#: The format in which servers send dates.
_MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"
_FIXED_DATE = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), ([0-9]{2}) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) ([0-9]{4})"
    r" ([0-9]{2}):([0-9]{2}):([0-9]{2}) GMT"
)


class Freshness(NamedTuple):
    """What is kept beside a stored response.

    Attributes:
        expires: seconds since the epoch; fresh before that.
        strict: not to be used when it is stale, whatever happens.
        etag: the ETag header, or "".
        last_modified: the Last-Modified header, or "".
    """

    expires: int
    strict: bool = False
    etag: str = ""
    last_modified: str = ""

    @classmethod
    def of(cls, headers: Mapping[str, str], now: float) -> "Freshness | None":
        """Returns what the headers of a response say, or None when it must not be stored.

        Args:
            headers: of the response; look-ups do not tell upper from lower case.
            now: seconds since the epoch.

        Source: RFC 9111, sections 4.2.1, 4.2.3 and 5.2.2.
        """
        directives = _directives(headers.get("Cache-Control"))
        if "no-store" in directives:
            return None
        lifetime = 0 if "no-cache" in directives else _lifetime_seconds(directives, headers)
        date = http_date(headers.get("Date")) if lifetime else None
        apparent = max(0, int(now - date)) if date is not None else 0
        age = max(apparent, _delta_seconds((headers.get("Age") or "").partition(",")[0]) or 0)
        return cls(
            int(now) + max(0, min(lifetime, LONGEST_SECONDS) - age),
            # "no-cache" forbids to use it without a successful validation as well.
            not directives.keys().isdisjoint({"must-revalidate", "no-cache"}),
            _validator(headers.get("ETag")),
            _validator(headers.get("Last-Modified")),
        )

    def renewed(self, headers: Mapping[str, str], now: float) -> "Freshness":
        """Returns what holds after a 304 with these headers; validators that it does not repeat stay.

        Source: RFC 9111, section 4.3.4, "Freshening Stored Responses upon Validation".
        """
        new = Freshness.of(headers, now) or Freshness(0, True)
        return new._replace(etag=new.etag or self.etag, last_modified=new.last_modified or self.last_modified)

    def conditions(self) -> dict[str, str]:
        """Returns the headers of a request that asks whether the stored response still holds; none if it cannot."""
        conditions = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in conditions.items() if value}

    def pack(self) -> bytes:
        """Returns the bytes that stand before a page in its record."""
        validators = f"{self.etag}\n{self.last_modified}".encode("utf-8", "replace")
        head = self.expires.to_bytes(8, "big") + bytes([self.strict]) + len(validators).to_bytes(2, "big")
        return head + validators

    @classmethod
    def unpack(cls, record: bytes) -> "tuple[Freshness, int] | None":
        """Reads the start of a record: what `pack` wrote, and where the page begins; None where it is damaged."""
        end = 11 + int.from_bytes(record[9:11], "big")
        if not 11 <= end <= len(record) or end > HEAD_BYTES - 1:
            return None
        etag, _, last_modified = record[11:end].decode("utf-8", "replace").partition("\n")
        return cls(int.from_bytes(record[:8], "big"), record[8] == 1, etag, last_modified), end


def _validator(text: str | None) -> str:
    text = (text or "").strip()
    return text if text.isprintable() and len(text.encode("utf-8", "replace")) <= _VALIDATOR_BYTES else ""


def _directives(cache_control: str | None) -> dict[str, str]:
    """Returns the directives of a Cache-Control header; of a repeated one the first counts."""
    found: dict[str, str] = {}
    for directive in _split_outside_quotes(cache_control or ""):
        name, _, argument = directive.partition("=")
        found.setdefault(name.strip().lower(), argument)
    return found


def _lifetime_seconds(directives: dict[str, str], headers: Mapping[str, str]) -> int:
    """Returns for how many seconds after it was made a response is fresh.

    Source: RFC 9111, section 4.2.1, "Calculating Freshness Lifetime".
    """
    if "max-age" in directives:
        return _delta_seconds(directives["max-age"]) or 0
    expires, date = http_date(headers.get("Expires")), http_date(headers.get("Date"))
    return 0 if expires is None or date is None else max(0, int(expires - date))


def _split_outside_quotes(header: str) -> list[str]:
    if '"' not in header:
        return header.split(",")
    pieces = [""]
    quoted = escaped = False
    for character in header:
        if escaped:
            escaped = False
        elif quoted and character == "\\":
            escaped = True
        elif character == '"':
            quoted = not quoted
        if character == "," and not quoted:
            pieces.append("")
        else:
            pieces[-1] += character
    return pieces


def _delta_seconds(text: str) -> int | None:
    """Returns a number of seconds, or None for anything else; long numbers are cut, not converted."""
    digits = text.strip().strip('"').strip()
    if not digits.isascii() or not digits.isdigit():
        return None
    digits = digits.lstrip("0")
    return int(digits or "0") if len(digits) <= 10 else 10**10


def http_date(text: str | None) -> float | None:
    """Returns an HTTP date in seconds since the epoch, or None where it is none.

    Source: RFC 9110, section 5.6.7, "Date/Time Formats".
    """
    if not text:
        return None
    from datetime import UTC, datetime

    match = _FIXED_DATE.fullmatch(text)
    try:
        if match is not None:
            day, month, year, hour, minute, second = match.groups()
            number = _MONTHS.index(month) // 3 + 1
            return datetime(int(year), number, int(day), int(hour), int(minute), int(second), tzinfo=UTC).timestamp()
        from email.utils import parsedate_to_datetime  # 5 ms, and nobody else says it otherwise

        date = parsedate_to_datetime(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
