"""How long a response may be used without asking again.  Pure.

The cache is private: `s-maxage` and `private` mean nothing to it.  Whatever
cannot be understood counts as stale.  Heuristic freshness is not used.

Source: RFC 9111, sections 4.2 and 5.2.2.
"""

#: Nothing stays fresh longer than a year, whatever a server says.
from datetime import UTC

LONGEST_SECONDS = 365 * 24 * 3600


def lifetime_seconds(cache_control: str | None, age: str | None) -> int:
    """Returns for how many seconds from now a response is fresh; 0 where it is not.

    Args:
        cache_control: the Cache-Control header; several are joined by commas.
        age: the Age header, seconds spent in caches on the way.

    Source: RFC 9111, section 4.2.1, "Calculating Freshness Lifetime".
    """
    lifetime: int | None = None
    for directive in _split_outside_quotes(cache_control or ""):
        name, _, argument = directive.partition("=")
        name = name.strip().lower()
        if name in ("no-store", "no-cache"):
            return 0
        if name == "max-age" and lifetime is None:
            # "Either the first occurrence should be used or the response considered stale."
            lifetime = _delta_seconds(argument) or 0
    if not lifetime:
        return 0
    spent = _delta_seconds((age or "").partition(",")[0]) or 0
    return max(0, min(lifetime, LONGEST_SECONDS) - spent)


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


def http_date(text: str) -> float | None:
    """Returns an HTTP date in seconds since the epoch, or None where it is none.

    Source: RFC 9110, section 5.6.7, "Date/Time Formats".
    """
    from email.utils import parsedate_to_datetime

    try:
        date = parsedate_to_datetime(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
