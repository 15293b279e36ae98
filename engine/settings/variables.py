"""Settings in environment variables: ENGINE_<OPTION>, and what build machines set for uv and pip.

Owns which variables of the two are honoured: those without which a working
set-up would break (another index, another way to the network, other hashes).
Their other variables are theirs.

On the warm path: imports nothing heavy.
"""

from engine.arguments import COMMANDS, COUNTED, options_of
from engine.errors import ConfigurationError, InvalidSettings
from engine.locations import place_fault
from engine.options import number_fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from engine.arguments import Option, Value

    #: By the name of an option: its value, and the variable that gave it.
    Given = dict[str, tuple[Value, str]]

PREFIX = "ENGINE_"

#: Metavars of what is a number.
NUMBERS = ("N", "SECONDS")

#: Options that name places, and whether a name may stand in front of one.
PLACES = {"index_url": True, "index": True, "extra_index_url": False, "find_links": False}

#: Another tool's variable to the option that it stands for; of two for one option the first counts.
FOREIGN = {
    "UV_DEFAULT_INDEX": "index_url",
    "UV_INDEX_URL": "index_url",
    "PIP_INDEX_URL": "index_url",
    "UV_INDEX": "index",
    "UV_EXTRA_INDEX_URL": "extra_index_url",
    "PIP_EXTRA_INDEX_URL": "extra_index_url",
    "UV_FIND_LINKS": "find_links",
    "PIP_FIND_LINKS": "find_links",
    "PIP_NO_INDEX": "no_index",
    "UV_INDEX_STRATEGY": "index_strategy",
    "UV_RESOLUTION": "resolution",
    "UV_PRERELEASE": "prerelease",
    "UV_FORK_STRATEGY": "fork_strategy",
    "UV_EXCLUDE_NEWER": "exclude_newer",
    "UV_CUSTOM_COMPILE_COMMAND": "custom_compile_command",
    "UV_REQUIRE_HASHES": "require_hashes",
    "PIP_REQUIRE_HASHES": "require_hashes",
    "UV_NO_VERIFY_HASHES": "no_verify_hashes",
    "PIP_NO_BINARY": "no_binary",
    "PIP_ONLY_BINARY": "only_binary",
    "UV_HTTP_TIMEOUT": "timeout",
    "UV_REQUEST_TIMEOUT": "timeout",
    "PIP_DEFAULT_TIMEOUT": "timeout",
    "PIP_TIMEOUT": "timeout",
    "UV_HTTP_CONNECT_TIMEOUT": "connect_timeout",
    "UV_CONCURRENT_DOWNLOADS": "concurrent_downloads",
    "UV_CONCURRENT_INSTALLS": "concurrent_installs",
    "UV_NO_CACHE": "no_cache",
    "PIP_NO_CACHE_DIR": "no_cache",
    "UV_HTTP_RETRIES": "retries",
    "PIP_RETRIES": "retries",
    "PIP_PROXY": "proxy",
    "PIP_CERT": "cert",
    "PIP_CLIENT_CERT": "client_cert",
    "UV_INSECURE_HOST": "trusted_host",
    "PIP_TRUSTED_HOST": "trusted_host",
    "UV_KEYRING_PROVIDER": "keyring_provider",
    "PIP_KEYRING_PROVIDER": "keyring_provider",
    "UV_COMPILE_BYTECODE": "compile_bytecode",
    "UV_LINK_MODE": "link_mode",
    "UV_OFFLINE": "offline",
    "UV_NO_PROGRESS": "no_progress",
    "UV_PYTHON": "python",
    "UV_SYSTEM_PYTHON": "system",
    "UV_BREAK_SYSTEM_PACKAGES": "break_system_packages",
    "PIP_BREAK_SYSTEM_PACKAGES": "break_system_packages",
}

#: Names of our own that the table does not have, and what they stand for.
OTHER_NAMES: dict[str, str] = {"ENGINE_HTTP_TIMEOUT": "timeout"}

#: Where `engine.pyz` is unpacked to, which it has read by then.
NO_OPTION = ("ENGINE_PYZ_DIR",)

#: Options that ask for one act, which neither a variable nor a file may: who forgot it would not know what happens.
COMMAND_LINE_ONLY = frozenset(
    (
        "check",
        "ci",
        "editable",
        "output_file",
        "pip_tools",
        "upgrade",
        "upgrade_package",
        "dry_run",
        "format",
        "full",
        "human",
        "max_size",
        "older_than",
        "refresh",
        "refresh_package",
        "reinstall",
        "reinstall_package",
        "report",
        "trace",
    )
)

#: Variables of ours that are no options: the secrets of a named index.
_SECRETS = ("_USERNAME", "_PASSWORD")

_TRUE = ("1", "true", "yes", "on", "t", "y")
_FALSE = ("0", "false", "no", "off", "f", "n")


def variable_names(option: "Option") -> list[str]:
    """Returns the variables of an option: one for each long spelling."""
    return [f"{PREFIX}{flag[2:].replace('-', '_').upper()}" for flag in option[0] if flag.startswith("--")]


def from_variables(environ: "Mapping[str, str]", options: "Iterable[Option]") -> "Given":
    """Returns what the variables say about some options.

    A blank variable counts as unset.  Another tool's variable whose value only
    that tool knows is left alone.

    Args:
        environ: the environment variables.
        options: those that the command has.

    Raises:
        InvalidSettings: with all values that cannot be meant.
    """
    ours = [name for name in environ if name.startswith(PREFIX) and environ[name].strip()]
    foreign = [name for name in FOREIGN if name in environ and environ[name].strip()]
    if not ours and not foreign:
        return {}
    found: Given = {}
    faults: list[str] = []
    by_name = {option[1]: option for option in options if option[1] not in COMMAND_LINE_ONLY}
    known = {variable: option for option in by_name.values() for variable in variable_names(option)}
    known.update((variable, by_name[name]) for variable, name in OTHER_NAMES.items() if name in by_name)
    for variable, option in known.items():
        if variable in ours and option[1] not in found:
            found[option[1]] = (_parsed(variable, environ[variable], option, faults), variable)
    for variable in foreign:
        name = FOREIGN[variable]
        if name in by_name and name not in found:
            kind, value = by_name[name][2], environ[variable].strip()
            if isinstance(kind, str) or value in kind:
                found[name] = (_parsed(variable, value, by_name[name], faults), variable)
    if faults:
        raise InvalidSettings(faults)
    return found


def unknown_variables(environ: "Mapping[str, str]") -> list[str]:
    """Returns a line for each ENGINE_ variable that nothing reads, with what may have been meant."""
    from difflib import get_close_matches

    options = {option[1]: option for command in COMMANDS for option in options_of(command)}
    known = {
        variable
        for name, option in options.items()
        if name not in COMMAND_LINE_ONLY
        for variable in variable_names(option)
    }
    known.update(OTHER_NAMES, NO_OPTION)
    lines = []
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name in known:
            continue
        if name.startswith("ENGINE_INDEX_") and name.endswith(_SECRETS):
            continue
        close = get_close_matches(name.removeprefix(PREFIX), [other.removeprefix(PREFIX) for other in known], 1)
        lines.append(f"nothing reads the variable {name}{f'; {PREFIX}{close[0]} is one' if close else ''}")
    return lines


def _parsed(variable: str, text: str, option: "Option", faults: list[str]) -> "Value":
    try:
        return _parse(variable, text, option)
    except ConfigurationError as exc:
        faults.append(exc.message)
        return None


def _parse(variable: str, text: str, option: "Option") -> "Value":
    _, name, kind, metavar, _ = option
    text = text.strip()
    if kind == "list":
        separator = "," if variable == "UV_FIND_LINKS" else None
        return [parse_place(variable, word, name) for part in text.split(separator) if (word := part.strip())]
    if kind == "value":
        return parse_number(variable, text, name) if metavar in NUMBERS else parse_place(variable, text, name)
    if name in COUNTED and text.isascii() and text.isdigit():
        if len(text) > 1 or text > "2":
            raise ConfigurationError(f'{variable} must be 0, 1 or 2, not "{text}"')
        return int(text)
    if kind in ("flag", "switch"):
        return parse_switch(variable, text)
    if text not in kind:
        raise ConfigurationError(f'{variable} must be one of {", ".join(kind)}, not "{text}"')
    return text


def parse_switch(name: str, text: str) -> bool:
    """Returns whether a text says yes.

    Args:
        name: what says it, for the message.
        text: what it says.

    Raises:
        ConfigurationError: when it says neither yes nor no.
    """
    if text.lower() not in (*_TRUE, *_FALSE):
        raise ConfigurationError(f'{name} must be 1 or 0, true or false, not "{text}"')
    return text.lower() in _TRUE


def parse_number(name: str, text: str, option: str) -> str:
    """Returns a text that is a number that an option takes.

    Args:
        name: what says it, for the message.
        text: what it says.
        option: name of the option.

    Raises:
        ConfigurationError: when it takes another.
    """
    if wanted := number_fault(text, option):
        raise ConfigurationError(f'{name} must be {wanted}, not "{text}"')
    return text


def parse_place(name: str, text: str, option: str) -> str:
    """Returns a text that is a place, where an option takes one; arguments as for `parse_number`.

    Raises:
        ConfigurationError: when it can be none.
    """
    if (named := PLACES.get(option)) is not None and (fault := place_fault(text, named=named)):
        raise ConfigurationError(f"{name} {fault}")
    return text
