"""The texts of a dist-info folder, and whether they belong to the wheel that holds them.

Pure.  Owns `entry_points.txt`, `WHEEL`, and the name and version in `METADATA`; it
does not read requirements, and tags only to compare them.  Rules: a file name decides what a wheel is,
everything inside must agree; text that becomes code is made of identifiers only.

Source: PEP 427; PEP 566; "Entry points specification".
"""

from collections.abc import Iterable, Iterator

from cache.manifest import EntryPoint
from engine.environment.installed import normalize_name, same_version
from engine.errors import InvalidWheel
from engine.wheel.layout import is_interpreter_name

WHEEL_MAJOR = 1
WHEEL_MINOR = 0
_VERSION_MAX_CHARACTERS = 16
_LISTED_TAGS = 3
_SCRIPT_SECTIONS = ("console_scripts", "gui_scripts")


def split_filename(filename: str) -> tuple[str, str]:
    """Returns the name and version in a wheel's file name, as spelled there.

    Raises:
        InvalidWheel: when it is not `name-version(-build)?-python-abi-platform.whl`.

    Source: PEP 427, "File name convention".
    """
    parts = filename.removesuffix(".whl").split("-")
    if not filename.endswith(".whl") or len(parts) not in (5, 6) or not all(parts):
        raise InvalidWheel("the file name is not name-version-python-abi-platform.whl")
    return parts[0], parts[1]


def find_dist_info(names: Iterable[str], filename: str) -> tuple[str, str | None]:
    """Finds the folders of a wheel's metadata and data.

    Args:
        names: of all members.
        filename: of the wheel.

    Returns:
        The dist-info folder and the `.data` folder or None.

    Raises:
        InvalidWheel: when there is not exactly one dist-info folder, one of another distribution,
            or more than one `.data` folder of this one.
    """
    name, version = split_filename(filename)
    found: set[str] = set()
    data: set[str] = set()
    for path in names:
        if ".dist-info/" in path or ".data/" in path:
            folder = path.partition("/")[0]
            if folder.endswith(".dist-info"):
                found.add(folder)
            elif folder.endswith(".data"):
                data.add(folder)
    if len(found) != 1:
        listed = ", ".join(repr(folder) for folder in sorted(found)[:3])
        raise InvalidWheel(f"there are {len(found)} dist-info folders ({listed})" if found else "it has no dist-info")
    dist_info = found.pop()
    if not _is_of(dist_info.removesuffix(".dist-info"), name, version):
        raise InvalidWheel(f"the folder {dist_info!r} is of another distribution than the file name")
    own_data = sorted(folder for folder in data if _is_of(folder.removesuffix(".data"), name, version))
    if len(own_data) > 1:
        raise InvalidWheel(f"there are two data folders: {own_data[0]!r} and {own_data[1]!r}")
    return dist_info, own_data[0] if own_data else None


def _is_of(stem: str, name: str, version: str) -> bool:
    """Tells whether a folder's `name-version` is that of the file name."""
    # Old wheels have hyphens in names, so the version is what follows the last one.
    found_name, hyphen, found_version = stem.rpartition("-")
    return bool(hyphen) and normalize_name(found_name) == normalize_name(name) and same_version(found_version, version)


def check_core_metadata(body: bytes, filename: str) -> str:
    """Checks that `METADATA` has the name and version of the file name.

    Returns:
        Its Requires-Python, or "" where it has none.

    Raises:
        InvalidWheel: when one of them is missing or another.
    """
    name, version = split_filename(filename)
    fields = _header_fields(body)
    found_name, found_version = fields.get("name", ""), fields.get("version", "")
    if normalize_name(found_name) != normalize_name(name):
        raise InvalidWheel(f"METADATA has the name {found_name!r}, the file name has {name!r}")
    if not same_version(found_version, version):
        raise InvalidWheel(f"METADATA has the version {found_version!r}, the file name has {version!r}")
    return fields.get("requires-python", "")


def parse_wheel_file(body: bytes, filename: str) -> tuple[bool, list[str]]:
    """Reads `WHEEL`.

    Args:
        body: the whole file.
        filename: of the wheel; what it says about tags counts.

    Returns:
        Whether the root is purelib, and warnings.

    Raises:
        InvalidWheel: when it has no version, or one whose major part is not known: "a version incompatible
            with the one that the installer supports".
    """
    fields = _header_fields(body)
    version = fields.get("wheel-version", "")
    major, _, minor = version.partition(".")
    if not (version.isascii() and major.isdigit() and minor.isdigit()) or len(version) > _VERSION_MAX_CHARACTERS:
        raise InvalidWheel(f"WHEEL has the Wheel-Version {version!r}")
    if int(major) != WHEEL_MAJOR:
        raise InvalidWheel(f"it has the wheel format {version}, known is {WHEEL_MAJOR}.{WHEEL_MINOR}")
    warnings = [f"it has the newer wheel format {version}"] if int(minor) > WHEEL_MINOR else []
    tags = {value.lower() for name, value in _header_lines(body) if name == "tag"}
    if tags and not _same_tags(tags, filename):
        listed = ", ".join(ascii(tag)[1:-1] for tag in sorted(tags)[:_LISTED_TAGS])
        more = f" and {len(tags) - _LISTED_TAGS} more" if len(tags) > _LISTED_TAGS else ""
        warnings.append(
            f"WHEEL has the tags {listed}{more}, which are not those of the file name; the file name counts"
        )
    return fields.get("root-is-purelib", "").lower() == "true", warnings


def _same_tags(tags: set[str], filename: str) -> bool:
    compressed = filename.removesuffix(".whl").lower().split("-")[-3:]
    if tags == {"-".join(compressed)}:
        return True
    pythons, abis, platforms = (set(part.split(".")) for part in compressed)
    if len(tags) != len(pythons) * len(abis) * len(platforms):
        return False
    return all(f"{python}-{abi}-{platform}" in tags for python in pythons for abi in abis for platform in platforms)


def _header_fields(body: bytes) -> dict[str, str]:
    """Returns the first value of each field before the first empty line, by name in lower case."""
    fields: dict[str, str] = {}
    for name, value in _header_lines(body):
        fields.setdefault(name, value)
    return fields


def _header_lines(body: bytes) -> Iterator[tuple[str, str]]:
    """Yields name in lower case and value of each field before the first empty line."""
    head = (b"\n" + body.replace(b"\r\n", b"\n")).partition(b"\n\n")[0].decode("utf-8", "replace")
    for line in head.split("\n"):
        name, colon, value = line.partition(":")
        if colon and not line[0].isspace():
            yield name.strip().lower(), value.strip()


def parse_entry_points(text: str) -> tuple[tuple[EntryPoint, ...], tuple[EntryPoint, ...]]:
    """Reads the scripts of `entry_points.txt`; other groups are passed over.

    Args:
        text: the whole file: sections, `name = module:attribute [extras]`, comments with `#` or `;`.

    Returns:
        Console scripts and GUI scripts, in the order of the file.

    Raises:
        InvalidWheel: when a script's name cannot be a file name, its value is no reference to a callable,
            or a name is given twice with different values.
    """
    found: dict[str, dict[str, EntryPoint]] = {section: {} for section in _SCRIPT_SECTIONS}
    scripts: dict[str, EntryPoint] | None = None
    indent: int | None = None
    for line in text.replace("\r\n", "\n").split("\n"):
        stripped = line.strip(" \t")
        if not stripped or stripped[0] in "#;":
            continue
        depth = len(line) - len(line.lstrip(" \t"))
        if indent is not None and depth > indent:
            if scripts is not None:
                raise InvalidWheel(f"entry_points.txt has a value of several lines: {stripped!r}")
        elif stripped[0] == "[" and stripped[-1] == "]":
            scripts = found.get(stripped[1:-1])
            indent = None
        else:
            indent = depth
            if scripts is not None:
                entry = _parse_entry_point(stripped)
                if scripts.setdefault(entry.name, entry) != entry:
                    raise InvalidWheel(f"entry_points.txt gives the script {entry.name!r} twice")
    console, gui = (tuple(found[section].values()) for section in _SCRIPT_SECTIONS)
    return console, gui


def _parse_entry_point(line: str) -> EntryPoint:
    name, equals, value = line.partition("=")
    name = name.rstrip()
    if not equals:
        raise InvalidWheel(f"entry_points.txt has a line without '=': {line!r}")
    if name in ("", ".", "..") or "/" in name or "\\" in name or not name.isprintable():
        raise InvalidWheel(f"the script name {name!r} cannot be a file name")
    if is_interpreter_name(name):
        raise InvalidWheel(f"the script {name!r} would replace the interpreter")
    reference, bracket, extras = value.partition("[")
    module, _, attribute = (part.strip() for part in reference.partition(":"))
    if not (_is_dotted(module) and _is_dotted(attribute)) or (bracket and not extras.rstrip().endswith("]")):
        raise InvalidWheel(f"the script {name!r} has the value {value.strip()!r}, which is not module:attribute")
    return EntryPoint(name, module, attribute)


def _is_dotted(name: str) -> bool:
    return all(part.isidentifier() for part in name.split("."))
