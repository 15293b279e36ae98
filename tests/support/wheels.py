"""Builds wheels for tests: valid ones with a right RECORD, and ones that are wrong in one named way."""

import base64
import hashlib
import io
import warnings
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

FILE_MODE = 0o100644
EXECUTABLE_MODE = 0o100755
SYMLINK_MODE = 0o120777


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
    """A wheel in memory; `requires_python` is what the index says about it."""

    name: str
    version: str
    filename: str
    content: bytes
    requires_python: str | None = None

    @property
    def sha256(self) -> str:
        """The digest of the archive in hex."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def pin(self) -> str:
        """The line of a lock that asks for it."""
        return f"{self.name}=={self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One entry of the archive, written as it is: `name` may be anything."""

    name: str
    content: bytes = b""
    mode: int = FILE_MODE


def make_wheel(
    name: str,
    version: str,
    files: Mapping[str, bytes] | Mapping[str, str] | Mapping[str, bytes | str] | None = None,
    *,
    requires: Sequence[str] = (),
    requires_python: str | None = None,
    console_scripts: Sequence[str] = (),
    gui_scripts: Sequence[str] = (),
    data: Mapping[str, bytes | str] | None = None,
    licenses: Mapping[str, str] | None = None,
    executable: Iterable[str] = (),
    members: Sequence[Member] = (),
    tag: str = "py3-none-any",
    build: str = "",
    purelib: bool = True,
    compress: bool = True,
    wheel_version: str = "1.0",
) -> Wheel:
    """Returns a wheel.

    Args:
        name: of the project, as METADATA spells it.
        version: of the release.
        files: path to content; None for a module that has the project's name and knows its version.
        requires: Requires-Dist lines.
        requires_python: for METADATA and for the index.
        console_scripts: lines such as `name = module:attribute`.
        gui_scripts: the same for programs with windows.
        data: `scheme/path` below the `.data` folder, to content.
        licenses: path below `dist-info/licenses`, to text.
        executable: paths of `files`, or names below the data folder, with the executable bit.
        members: entries that are added as they stand, RECORD rows included.
        tag: the last three parts of the file name.
        build: build tag, or "".
        purelib: what Root-Is-Purelib says.
        compress: deflate members instead of storing them.
        wheel_version: what Wheel-Version says.
    """
    escaped = name.replace("-", "_").replace(".", "_")
    stem = f"{escaped}-{version}"
    if files is None:
        files = {f"{escaped}.py": f"version = {version!r}\n"}
    runnable = set(executable)
    entries = [_member(path, content, path in runnable) for path, content in files.items()]
    for path, content in (data or {}).items():
        entries.append(_member(f"{stem}.data/{path}", content, path in runnable))
    info = f"{stem}.dist-info"
    for path, text in (licenses or {}).items():
        entries.append(_member(f"{info}/licenses/{path}", text))
    entries.append(_member(f"{info}/METADATA", _metadata(name, version, requires, requires_python)))
    entries.append(_member(f"{info}/WHEEL", _wheel_file(tag, build, purelib, wheel_version)))
    points = _entry_points(console_scripts, gui_scripts)
    if points:
        entries.append(_member(f"{info}/entry_points.txt", points))
    entries.extend(members)
    rows = "".join(_row(entry) for entry in entries if not entry.name.endswith("/"))
    entries.append(_member(f"{info}/RECORD", rows + f"{info}/RECORD,,\n"))
    filename = "-".join(part for part in (stem, build, tag) if part) + ".whl"
    return Wheel(
        name=name, version=version, filename=filename, content=pack(entries, compress), requires_python=requires_python
    )


def pack(entries: Iterable[Member], compress: bool = True) -> bytes:
    """Returns a ZIP archive of `entries`, with their names and modes as they stand."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w") as archive:
        warnings.filterwarnings("ignore", "Duplicate name")
        for entry in entries:
            info = zipfile.ZipInfo(entry.name, (2024, 1, 1, 0, 0, 0))
            # The constructor cuts names at NUL and changes separators; what is asked for is written.
            info.filename = entry.name
            info.create_system = 3
            info.external_attr = entry.mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
            archive.writestr(info, entry.content)
    return buffer.getvalue()


def _member(name: str, content: bytes | str, runnable: bool = False) -> Member:
    data = content.encode() if isinstance(content, str) else content
    return Member(name=name, content=data, mode=EXECUTABLE_MODE if runnable else FILE_MODE)


def _row(entry: Member) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(entry.content).digest()).decode().rstrip("=")
    path = f'"{entry.name}"' if "," in entry.name else entry.name
    return f"{path},sha256={digest},{len(entry.content)}\n"


def _metadata(name: str, version: str, requires: Sequence[str], requires_python: str | None) -> str:
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    if requires_python is not None:
        lines.append(f"Requires-Python: {requires_python}")
    return "\n".join(lines) + "\n"


def _wheel_file(tag: str, build: str, purelib: bool, version: str) -> str:
    lines = [f"Wheel-Version: {version}", "Generator: tests", f"Root-Is-Purelib: {'true' if purelib else 'false'}"]
    pythons, abis, platforms = (part.split(".") for part in tag.split("-"))
    lines += [f"Tag: {python}-{abi}-{platform}" for python in pythons for abi in abis for platform in platforms]
    if build:
        lines.append(f"Build: {build}")
    return "\n".join(lines) + "\n"


def _entry_points(console_scripts: Sequence[str], gui_scripts: Sequence[str]) -> str:
    sections = {"console_scripts": console_scripts, "gui_scripts": gui_scripts}
    return "".join(f"[{group}]\n" + "\n".join(lines) + "\n" for group, lines in sections.items() if lines)
