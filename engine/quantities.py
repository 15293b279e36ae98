"""Ages and sizes as people write them.  Pure."""

from engine.errors import ConfigurationError

_AGES = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_SIZES = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def parse_age(text: str) -> float:
    """Returns the seconds of an age such as `30d`, `12h` or `2w`; a number alone is days.

    Raises:
        ConfigurationError: when it is none.
    """
    digits = text.rstrip("smhdwSMHDW")
    number, unit = _number(digits.rstrip(" ")), text[len(digits) :].lower() or "d"
    if number is None or unit not in _AGES:
        raise ConfigurationError(f"{text!r} is not an age", hint="write a number and s, m, h, d or w, such as 30d")
    return number * _AGES[unit]


def parse_size(text: str) -> int:
    """Returns the bytes of a size such as `5G`, `500MiB` or `1048576`; K, M, G and T count in steps of 1024.

    Raises:
        ConfigurationError: when it is none.
    """
    digits = text.rstrip("BbiIkKmMgGtT")
    unit = text[len(digits) :].upper().removesuffix("B").removesuffix("I")
    number = _number(digits.rstrip(" "))
    if number is None or unit not in _SIZES:
        raise ConfigurationError(f"{text!r} is not a size", hint="write a number and K, M, G or T, such as 5G")
    return int(number * _SIZES[unit])


def _number(text: str) -> float | None:
    """Returns a plain decimal number, or None."""
    if not text.isascii() or not text.replace(".", "", 1).isdigit():
        return None
    return float(text)


def format_size(size_bytes: int) -> str:
    """Returns a size for people, such as `1.2GiB`."""
    number, unit = float(size_bytes), 0
    while number >= 1024 and unit + 1 < len(_UNITS):
        number /= 1024
        unit += 1
    return f"{number:.1f}{_UNITS[unit]}" if unit else f"{size_bytes}B"
