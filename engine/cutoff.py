"""`--exclude-newer`: the time from which uploads do not count.  PURE but for the clock and the time zone of the system.

Owns the notations of a cut-off and of one for a single project.  Does not compare: that is for `resolver.availability`.

Rules: a date means the end of that day, here; a time of a day says its zone; a duration is a number of seconds
before now, so nothing whose length depends on the calendar counts as one.

Source: RFC 3339; ISO 8601-1, "Duration"; `uv pip compile --help` for the words.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import NamedTuple

from packaging.utils import NormalizedName, canonicalize_name

from engine.errors import ConfigurationError

#: What lifts a cut-off.
LIFTED = "false"

_TIMESTAMP = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?([Zz]|[+-]\d{2}:\d{2})?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}|\d{8}")
_NUMBER = r"(\d{1,9}(?:[.,]\d{1,9})?)"
_ISO = re.compile(rf"P(?:{_NUMBER}W)?(?:{_NUMBER}D)?(?:T(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?", re.IGNORECASE)
_ISO_CALENDAR = re.compile(r"P[^T]*[YM]", re.IGNORECASE)
_PART = re.compile(rf"{_NUMBER}\s*([a-z]+)\s*,?\s*")
_AGO = re.compile(r"\s+ago$")

_UNITS = ("weeks", "days", "hours", "minutes", "seconds")
_SPELLINGS = {
    **dict.fromkeys(("w", "wk", "wks", "week", "weeks"), "weeks"),
    **dict.fromkeys(("d", "day", "days"), "days"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "hours"),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), "minutes"),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "seconds"),
}
_CALENDAR = frozenset(("mo", "mos", "month", "months", "y", "yr", "yrs", "year", "years"))
_EXPECTED = "must be a date (2024-01-31), a time with its zone (2024-01-31T12:00:00Z) or a duration (3 days, P3D)"


class Cutoffs(NamedTuple):
    """What `--exclude-newer` and `--exclude-newer-package` say.

    Attributes:
        everything: files uploaded then or later do not count; None for no limit.
        projects: the same of single projects, in place of that.
    """

    everything: datetime | None
    projects: Mapping[NormalizedName, datetime | None]


def read_cutoffs(everything: str | None, projects: Sequence[str], now: datetime | None = None) -> Cutoffs:
    """Returns what the two options say.

    Args:
        everything: the value of `--exclude-newer`, or None.
        projects: those of `--exclude-newer-package`, the nearest first; of two for one project the first counts.
        now: aware, where durations end; None for the clock's.

    Raises:
        ConfigurationError: when one of them cannot be read.
    """
    now = now or datetime.now(UTC)
    found: dict[NormalizedName, datetime | None] = {}
    for text in projects:
        name, value = split_project(text)
        cutoff = _read(f"--exclude-newer-package {name}", value, now)
        found.setdefault(name, cutoff)
    return Cutoffs(_read("--exclude-newer", everything, now) if everything else None, found)


def _read(option: str, text: str, now: datetime) -> datetime | None:
    try:
        return parse_cutoff(text, now)
    except ValueError as exc:
        raise ConfigurationError(f'{option} {exc}, not "{text}"') from exc


def split_project(text: str) -> tuple[NormalizedName, str]:
    """Returns the project and the cut-off of a value of `--exclude-newer-package`.

    Raises:
        ConfigurationError: when it is no pair.
    """
    name, equals, value = text.partition("=")
    if not equals or not name.strip() or not value.strip():
        raise ConfigurationError(f'--exclude-newer-package takes NAME=DATE, not "{text}"')
    return canonicalize_name(name.strip()), value.strip()


def parse_cutoff(text: str, now: datetime, zone: tzinfo | None = None) -> datetime | None:
    """Returns the aware time that a text means, or None where it lifts the limit.

    Args:
        text: `false`, a date, a time with its zone, or a duration.
        now: aware; durations end here.
        zone: of dates; None for the system's.

    Raises:
        ValueError: when it is none of these, as words that follow the name of an option.
    """
    text = text.strip()
    if text.lower() == LIFTED:
        return None
    if _DATE.fullmatch(text):
        return _end_of_day(text, zone)
    if match := _TIMESTAMP.fullmatch(text):
        if match[3] is None:
            raise ValueError("must have a time zone behind the time, such as Z")
        return _timestamp(text)
    lengths = _lengths(text)
    try:
        return now - timedelta(**lengths)
    except OverflowError as exc:
        raise ValueError("must be a shorter duration") from exc


def _end_of_day(text: str, zone: tzinfo | None) -> datetime:
    try:
        after = date.fromisoformat(text) + timedelta(days=1)
        naive = datetime(after.year, after.month, after.day)
        return naive.replace(tzinfo=zone) if zone is not None else naive.astimezone()
    except (ValueError, OverflowError, OSError) as exc:
        raise ValueError("must be a day that there is") from exc


def _timestamp(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.upper().replace(",", ".")).astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        raise ValueError("must be a time that there is") from exc


def _lengths(text: str) -> dict[str, float]:
    """Returns the parts of a duration, by unit.

    Raises:
        ValueError: when it is none, or has months or years.
    """
    lengths: dict[str, str] = {}
    if (match := _ISO.fullmatch(text)) and any(match.groups()):
        lengths = {unit: number for unit, number in zip(_UNITS, match.groups(), strict=True) if number}
    elif _ISO_CALENDAR.match(text):
        raise ValueError("must not count months or years, whose length differs, but days")
    else:
        rest = _AGO.sub("", text.lower())
        while rest and (match := _PART.match(rest)) is not None:
            if match[2] in _CALENDAR:
                raise ValueError("must not count months or years, whose length differs, but days")
            unit = _SPELLINGS.get(match[2])
            if unit is None or unit in lengths:
                break
            lengths[unit] = match[1]
            rest = rest[match.end() :]
        if rest or not lengths:
            raise ValueError(_EXPECTED)
    return {unit: float(number.replace(",", ".")) for unit, number in lengths.items()}
