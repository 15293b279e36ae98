"""TOML out of plain values, one table of an array a line.  PURE.

The libraries that write TOML give every wheel of a lock six lines of its own; here
it has one, as in the locks of uv and pip, so that a lock of a hundred projects can
be read and compared.  Only what a pylock.toml has is written: texts, numbers,
booleans, times, arrays and tables.

Source: TOML 1.0.0, "String", "Offset Date-Time", "Inline Table", "Array of Tables".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPES = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def toml_text(fields: Mapping[str, Any], tables: str) -> str:
    """Returns a document.

    Args:
        fields: what it says.
        tables: the one key whose value, a list of tables, is written as `[[key]]`; it comes last.

    Raises:
        TypeError: when a value is of another type.
    """
    lines = [f"{_key(key)} = {_value(value)}\n" for key, value in fields.items() if key != tables]
    if not fields.get(tables):
        lines.append(f"{_key(tables)} = []\n")
    for table in fields.get(tables, ()):
        lines.append(f"\n[[{_key(tables)}]]\n")
        lines.extend(f"{_key(key)} = {_outer(value)}\n" for key, value in table.items())
    return "".join(lines)


def _outer(value: object) -> str:
    """Returns a value of a table: an array of several tables gets a line for each."""
    if isinstance(value, Sequence) and len(value) > 1 and all(isinstance(one, Mapping) for one in value):
        return "[\n" + "".join(f"    {_value(one)},\n" for one in value) + "]"
    return _value(value)


def _value(value: object) -> str:
    if isinstance(value, str):
        return f'"{"".join(_escaped(character) for character in value)}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, datetime):
        return _time(value)
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_key(key)} = {_value(one)}" for key, one in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, Sequence):
        return f"[{', '.join(_value(one) for one in value)}]"
    raise TypeError(f"{type(value).__name__} cannot be written as TOML")


def _time(value: datetime) -> str:
    """Returns a time in UTC; one without a time zone is in UTC."""
    moment = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return moment.isoformat().replace("+00:00", "Z")


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    return f"\\u{ord(character):04x}" if character < " " or character == "\x7f" else character


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) is not None else _value(key)
