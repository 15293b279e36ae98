"""A project's page on an index: JSON or HTML in, files out.

Owns the reading of the Simple API and the form in which a page is cached.  Does
not fetch, does not bound the size of a body (the caller does), and does not
choose among files.

Rules: pure; bytes from an index never raise anything but InvalidPage; a file
whose name or link is unsafe is left out, an optional field of a wrong type is
ignored or leaves its file out, and `notes` says so.  Links are made absolute on
use, because a page has thousands and a caller needs one.

Source: "Simple repository API" (PEP 503, 592, 691, 700, 714, 792).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import unquote, urljoin
from zlib import crc32

import msgspec

from engine.credentials import without_credentials
from engine.environment.installed import normalize_name
from engine.errors import InvalidPage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.index.anchors import Anchor

#: The newest minor version of the API whose fields are read here.
_MINOR = 4
#: What a project may be. Source: PEP 792.
STATUSES = ("active", "archived", "quarantined", "deprecated")
_ALGORITHMS = ("sha256", "sha384", "sha512", "sha224", "sha1", "md5")
#: What to do about a page that cannot be read.
_DAMAGED = "run it again; if that does not help, check that --index-url names an index, and tell who runs it"
_WEB = ("https://", "http://")
#: Fields whose loss changes no decision: a wrong type there costs the field, not the file.
_EXPENDABLE = ("size", "upload-time", "core-metadata")


class _Hashes(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The algorithms that are read; a structure decodes in half the time of a dictionary."""

    sha256: str | None = None
    sha384: str | None = None
    sha512: str | None = None
    sha224: str | None = None
    sha1: str | None = None
    md5: str | None = None


class File(msgspec.Struct, frozen=True, gc=False, kw_only=True, rename="kebab", omit_defaults=True):
    """One file of a page.  `url` may be relative: `ProjectPage.file_url` makes it absolute.

    `size` is in bytes, `yanked` is the reason where there is one.
    """

    filename: str
    url: str
    stated_hashes: _Hashes = msgspec.field(default_factory=_Hashes, name="hashes")
    requires_python: str | None = None
    size: Annotated[int, msgspec.Meta(ge=0)] | None = None
    yanked: bool | str = False
    upload_time: str | None = None
    core_metadata: bool | dict[str, str] = False

    @property
    def hashes(self) -> dict[str, str]:
        """Maps algorithm to hexadecimal digits, strongest first: `sha256`, down to `md5`, where stated."""
        return {name: digits for name in _ALGORITHMS if (digits := getattr(self.stated_hashes, name)) is not None}


class FilesByVersion(msgspec.Struct, frozen=True, array_like=True):
    """The files of a page by their version, read when somebody asks for the version.

    Args:
        texts: the versions, ascending, each in the spelling that the page has first.
        early: the places of the pre-releases among them.
        kinds: a number for each version, in the order of their first appearance: versions with the same number have
            files that differ only in what no judgement depends on.
        groups: the packed files of each version, in the page's order.
    """

    texts: tuple[str, ...]
    early: tuple[int, ...]
    kinds: tuple[int, ...]
    groups: tuple[msgspec.Raw, ...]

    def files(self, position: int) -> list[File]:
        """Returns the files of one version."""
        return _GROUP_UNPACKER.decode(self.groups[position])


class ProjectPage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an index says about a project.

    `name` is normalised, `url` is what links are relative to, `status` one of
    active, archived, quarantined, deprecated (or newer), `notes` what was left
    out while reading and why, `warnings` what a person should know in any case.
    `versions` is empty where the index lists none.  `files` are all files, or, where
    there is `by_version`, those without a version that can be read.
    """

    name: str
    url: str
    files: tuple[File, ...]
    by_version: FilesByVersion | None = None
    versions: tuple[str, ...] = ()
    status: str = "active"
    status_reason: str = ""
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, body: bytes, url: str, project: str) -> ProjectPage:
        """Reads a page in JSON.

        Args:
            body: the whole response.
            url: where the response came from, after redirects.
            project: the name that was asked for; "" for a page that lists files of many.

        Raises:
            InvalidPage: when the body is not JSON, has no files, speaks another major
                version of the API, or is about another project.

        Source: PEP 691, "Project Detail".
        """
        notes: list[str] = []
        try:
            try:
                raw = _JSON_DECODER.decode(body)
            except msgspec.ValidationError:
                raw = _decode_tolerantly(body, notes)
        except (msgspec.MsgspecError, ValueError, RecursionError) as exc:
            raise InvalidPage(f"{without_credentials(url)} is not a project page: {exc}", hint=_DAMAGED) from exc
        warnings = _check_version(raw.meta.api_version, url)
        name = normalize_name(project)
        if name and raw.name and normalize_name(raw.name) != name:
            raise InvalidPage(f'{without_credentials(url)} is the page of "{raw.name}", not of {name}')
        return cls(
            name=name,
            url=url,
            files=_safe_files(raw.files, url, notes),
            versions=raw.versions,
            status=raw.project_status.status,
            status_reason=raw.project_status.reason or "",
            notes=tuple(notes),
            warnings=warnings,
        )

    @classmethod
    def from_html(cls, body: bytes, url: str, project: str) -> ProjectPage:
        """Reads a page in HTML; arguments as for `from_json`.

        Raises:
            InvalidPage: when the page speaks another major version of the API.

        Source: PEP 503; PEP 629; PEP 592; PEP 714.
        """
        from engine.index.anchors import read_anchors

        notes: list[str] = []
        document = read_anchors(body.decode("utf-8", "replace"))
        warnings = _check_version(document.meta.get("pypi:repository-version", "1.0"), url)
        base = url
        if document.base is not None:
            base = _join(url, document.base)
            if not base.startswith(_allowed_schemes(url)):
                notes.append("the page's base is not a web address and was ignored")
                base = url
        return cls(
            name=normalize_name(project),
            url=base,
            files=_safe_files([_file_of(anchor) for anchor in document.anchors], url, notes),
            status=document.meta.get("pypi:project-status", "active"),
            status_reason=document.meta.get("pypi:project-status-reason", ""),
            notes=tuple(notes),
            warnings=warnings,
        )

    @classmethod
    def of_files(cls, files: list[File], url: str) -> ProjectPage:
        """Returns a page of files that were found without one; those with unsafe names are left out.

        Args:
            files: of any project.
            url: where they were found.
        """
        notes: list[str] = []
        return cls(name="", url=url, files=_safe_files(files, url, notes), notes=tuple(notes))

    def file_url(self, file: File) -> str:
        """Returns the absolute address of one of the page's files."""
        return file.url if file.url.startswith(_WEB) else _join(self.url, file.url)

    @property
    def status_words(self) -> str:
        """The status and, where there is one, its reason, both cut short; text from outside.

        Source: PEP 792.
        """
        known = "" if self.status in STATUSES else ", a status that engine does not know"
        reason = f" ({self.status_reason:.200})" if self.status_reason.strip() else ""
        return f"{self.status:.40}{reason}{known}"

    @property
    def index(self) -> str:
        """The page's address for messages, without credentials."""
        return without_credentials(self.url)

    def all_files(self) -> Sequence[File]:
        """Returns all files, those of one version in the page's order."""
        sorted_ = self.by_version
        if sorted_ is None:
            return self.files
        return [file for place in range(len(sorted_.texts)) for file in sorted_.files(place)] + list(self.files)

    def pack(self) -> bytes:
        """Returns the bytes that `unpack` reads back."""
        body = _PACKER.encode(self)
        # What is read later is checked at once.
        return body if self.by_version is None else b"%c%s%s" % (_CHECKED, crc32(body).to_bytes(4, "big"), body)

    @staticmethod
    def unpack(body: bytes) -> ProjectPage | None:
        """Returns a page that `pack` wrote, or None when the bytes are anything else."""
        try:
            if body[:1] == _CHECKED_START:
                checked = memoryview(body)[5:]
                return _UNPACKER.decode(checked) if crc32(checked) == int.from_bytes(body[1:5], "big") else None
            return _UNPACKER.decode(body)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None


def pack_files(files: list[File]) -> msgspec.Raw:
    """Returns the files of one version as `FilesByVersion` has them."""
    return msgspec.Raw(_PACKER.encode(files))


class _Meta(msgspec.Struct, rename="kebab"):
    api_version: str = "1.0"


class _Status(msgspec.Struct):
    status: str = "active"
    reason: str | None = None


class _JsonPage(msgspec.Struct, kw_only=True, rename="kebab"):
    files: list[File]
    # The standard: clients "must assume version 1.0 if missing".
    meta: _Meta = msgspec.field(default_factory=_Meta)
    name: str = ""
    versions: tuple[str, ...] = ()
    project_status: _Status = msgspec.field(default_factory=_Status)


_JSON_DECODER = msgspec.json.Decoder(_JsonPage)
_PACKER = msgspec.msgpack.Encoder()
_UNPACKER = msgspec.msgpack.Decoder(ProjectPage)
_GROUP_UNPACKER = msgspec.msgpack.Decoder(list[File])
#: Begins a packed page behind which there is a checksum: no packed page begins so by itself.
_CHECKED = 1
_CHECKED_START = b"\x01"


def _decode_tolerantly(body: bytes, notes: list[str]) -> _JsonPage:
    """Reads a page of which some field has a wrong type.

    Raises:
        ValueError: when what is wrong is the page itself.
    """
    fields: Any = msgspec.json.decode(body)
    if not isinstance(fields, dict) or not isinstance(fields.get("files"), list):
        raise ValueError("it has no list of files")
    meta, name, status = fields.get("meta"), fields.get("name"), fields.get("project-status")
    versions = fields.get("versions")
    return _JsonPage(
        files=[file for entry in fields["files"] if (file := _convert_file(entry, notes)) is not None],
        meta=_Meta(str(meta.get("api-version", "1.0")) if isinstance(meta, dict) else "1.0"),
        name=name if isinstance(name, str) else "",
        versions=tuple(text for text in versions if isinstance(text, str)) if isinstance(versions, list) else (),
        project_status=_status_of(status),
    )


def _status_of(fields: Any) -> _Status:
    if not isinstance(fields, dict):
        return _Status()
    reason = fields.get("reason")
    return _Status(str(fields.get("status", "active")), reason if isinstance(reason, str) else None)


def _convert_file(entry: Any, notes: list[str]) -> File | None:
    try:
        return msgspec.convert(entry, File)
    except msgspec.ValidationError:
        pass
    try:
        kept = {key: value for key, value in entry.items() if key not in _EXPENDABLE and value is not None}
        return msgspec.convert(kept, File)
    except (msgspec.ValidationError, AttributeError) as exc:
        name = entry.get("filename") if isinstance(entry, dict) else entry
        notes.append(f"left out {name!r:.100}: {exc}")
        return None


def _check_version(version: str, url: str) -> tuple[str, ...]:
    """Refuses another major version; returns a warning about a newer minor one.

    Source: PEP 629: "MUST" fail on the one, "SHOULD warn" about the other.
    """
    major, _, minor = version.strip().partition(".")
    if major != "1":
        raise InvalidPage(
            f'{without_credentials(url)} speaks version "{version:.20}" of the Simple API, engine reads version 1'
        )
    if minor.isdecimal() and len(minor) < 10 and int(minor) > _MINOR:
        # The host, not the page: one warning for an index is enough.
        host = without_credentials(url).split("/", 3)[:3]
        return (
            f"{'/'.join(host)} speaks version {version:.20} of the Simple API; what is newer than 1.{_MINOR} is lost",
        )
    return ()


def _safe_files(files: list[File], url: str, notes: list[str]) -> tuple[File, ...]:
    """Leaves out what has an unsafe name or leads to something else than the web."""
    # One look at all names together costs a tenth of a look at each, and nearly always suffices.
    all_safe = _is_safe("".join([file.filename for file in files]))
    schemes = (*_allowed_schemes(url), "/")
    kept = []
    for file in files:
        name, link = file.filename, file.url
        if not name or not (all_safe or _is_safe(name)):
            notes.append(f"left out {name!r:.100}: unsafe file name")
        elif link.startswith(schemes) or _is_relative(link):
            kept.append(file)
        else:
            notes.append(f"left out {name!r:.100}: its link is not a web address")
    return tuple(kept)


def _is_safe(name: str) -> bool:
    # isprintable() is False for control characters, surrogates and bidirectional overrides.
    return name.isprintable() and "/" not in name and "\\" not in name and "%" not in name and ".." not in name


def _allowed_schemes(url: str) -> tuple[str, ...]:
    return (*_WEB, "file:") if url.startswith("file:") else _WEB


def _is_relative(link: str) -> bool:
    """Tells whether nothing that could be read as a scheme stands before the path."""
    before = link.partition("/")[0].partition("?")[0].partition("#")[0]
    return bool(link) and ":" not in before


def _join(base: str, link: str) -> str:
    if link[:1] == "/" and link[1:2] != "/" and base.startswith(_WEB) and _has_nothing_to_resolve(f"{base}{link}"):
        start = base.find("/", base.find("://") + 3)
        return f"{base if start < 0 else base[:start]}{link}"
    try:
        return urljoin(base, link)
    except ValueError:
        # A bracket in the link that is no IPv6 address: nothing can be fetched from there.
        return link


def _has_nothing_to_resolve(joined: str) -> bool:
    """Tells whether a URL made of an origin and a path is what `urljoin` makes of it, at a tenth of the price."""
    return (
        joined.isascii()
        and joined.isprintable()
        and not any(mark in joined for mark in ("/.", "?", "#", ";", "[", "]", " "))
    )


def _file_of(anchor: Anchor) -> File:
    link, _, fragment = anchor.href.partition("#")
    stated = dict(part.partition("=")[::2] for part in fragment.split("&"))
    core_metadata: bool | dict[str, str] = False
    if anchor.core_metadata is not None:
        algorithm, separator, digits = anchor.core_metadata.partition("=")
        core_metadata = {algorithm: digits} if separator else algorithm == "true"
    return File(
        filename=unquote(link.partition("?")[0].rpartition("/")[2]),
        url=link,
        stated_hashes=_Hashes(**{name: stated[name] for name in _ALGORITHMS if name in stated}),
        requires_python=anchor.requires_python,
        yanked=False if anchor.yanked is None else anchor.yanked or True,
        core_metadata=core_metadata,
    )
