"""Reads one of pip's configuration files.

Owns which of pip's settings are honoured: those that lead to indexes and to the
network, and what is said about formats.  The others are about pip.

Source: pip's "Configuration", "Configuration Files".
"""

import configparser

from engine.arguments import COMMANDS, Option, options_of
from engine.errors import ConfigurationError
from engine.settings.memory import Layer
from engine.settings.variables import NUMBERS, parse_number, parse_place, parse_switch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from engine.arguments import Value

#: pip's name of a setting to the option that it stands for.
HONOURED = {
    "index-url": "index_url",
    "extra-index-url": "extra_index_url",
    "find-links": "find_links",
    "no-index": "no_index",
    "no-binary": "no_binary",
    "only-binary": "only_binary",
    "require-hashes": "require_hashes",
    "timeout": "timeout",
    "retries": "retries",
    "proxy": "proxy",
    "cert": "cert",
    "client-cert": "client_cert",
    "trusted-host": "trusted_host",
    "keyring-provider": "keyring_provider",
}


def read_pip(path: str, data: bytes, section: str) -> Layer | None:
    """Returns what a section of a configuration file of pip says, or None where it says nothing that is honoured.

    Args:
        path: absolute path, for messages.
        data: its content.
        section: `global` or `install`.

    Raises:
        ConfigurationError: when it is not such a file, or a value cannot be meant.
    """
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(data.decode("utf-8-sig"))
    except (UnicodeError, configparser.Error) as exc:
        reason = "it is not UTF-8 text" if isinstance(exc, UnicodeError) else _reason(exc)
        raise ConfigurationError(
            f"{path} cannot be read: {reason}", hint="mend it, or use --no-config to do without settings files"
        ) from exc
    options = {option[1]: option for command in COMMANDS for option in options_of(command)}
    values: dict[str, Value] = {}
    if parser.has_section(section):
        for key, text in parser.items(section):
            name = HONOURED.get(key.replace("_", "-"), "")
            if name in options and text and text.strip() and _is_known(text.strip(), options[name]):
                values[name] = _value(path, key, text.strip(), options[name])
    return Layer(path, values) if values else None


def _reason(error: configparser.Error) -> str:
    """Returns what is wrong in one line, without the text of the file, which may hold secrets."""
    line = getattr(error, "lineno", None)
    if line is None and (errors := getattr(error, "errors", None)):
        line = errors[0][0]
    return f"line {line} is not a section or a setting" if line else type(error).__name__


def _is_known(text: str, option: Option) -> bool:
    """Tells whether we have a word for it; of a few, pip has others."""
    return isinstance(option[2], str) or text in option[2]


def _value(path: str, key: str, text: str, option: Option) -> "Value":
    kind = option[2]
    if kind == "list":
        return [parse_place(f"{path}: {key}", word, option[1]) for word in text.split()]
    if kind in ("flag", "switch"):
        return parse_switch(f"{path}: {key}", text)
    if option[3] in NUMBERS:
        return parse_number(f"{path}: {key}", text, option[1])
    return parse_place(f"{path}: {key}", text, option[1])
