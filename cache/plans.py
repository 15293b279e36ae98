"""Plans: all that a warm sync has to create, ready to link.  On the warm path.

A plan is the answer for one lock, one set of options and one kind of
interpreter.  It is stored with `marshal`, which loads a plan of 8,000 files in a
few milliseconds where JSON needs ten times that; a checksum guards against torn
writes, and the key holds the version of Python that wrote it, because marshal's
format may change with it.  What an entry creates is packed apart: a run that
finds it installed never unpacks it, and processes that link unpack their share.
"""

import marshal
import os
import time
from binascii import crc32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

#: How exact the time of the last use is.
NOTED_SECONDS = 24 * 3600

MAGIC = b"engine plan 7\n"

#: One folder to make: (scheme, folder below the scheme's root, folder below the
#: entry's tree, file names, sizes in bytes, mtimes in ns).  Parents come first.
PlannedFolder = tuple[str, str, str, tuple[str, ...], tuple[int, ...], tuple[int, ...]]

#: A script or GUI script: (name, module, attribute, is a GUI script).
PlannedLauncher = tuple[str, str, str, bool]

#: What an entry creates: RECORD rows of all linked files, folders, scripts, launchers.
_Contents = tuple[str, tuple[PlannedFolder, ...], tuple[str, ...], tuple[PlannedLauncher, ...]]


class PlannedEntry:
    """What one wheel puts into an environment.

    `sha256` is empty when the wheel behind an installed distribution is not
    known: such an entry can be recognised and kept, not installed.  `stamp` is
    the mtime of the manifest it was made from, in ns: an entry that was restored
    since has another one.  `site` is the scheme of the dist-info folder.
    `url` is where the wheel came from,
    without credentials, and "" where that is not known; `direct_url` is the text
    of `direct_url.json`, and "" where there is to be none.  `yanked` says that
    the index advised against it and why, or is "", `extras` are those that the
    lock asks for, `size_bytes` is the wheel's, 0 where nobody has said: these
    change nothing, and are told.  `requested` is False for what is only there
    because something else needs it.
    """

    __slots__ = (
        "_contents",
        "_packed",
        "direct_url",
        "dist_info",
        "extras",
        "file_count",
        "name",
        "requested",
        "sha256",
        "site",
        "size_bytes",
        "stamp",
        "url",
        "version",
        "yanked",
    )

    def __init__(
        self,
        name: str,
        version: str,
        sha256: str = "",
        stamp: int = 0,
        site: str = "purelib",
        dist_info: str = "",
        record: str = "",
        folders: tuple[PlannedFolder, ...] = (),
        scripts: tuple[str, ...] = (),
        launchers: tuple[PlannedLauncher, ...] = (),
        url: str = "",
        direct_url: str = "",
        yanked: str = "",
        extras: tuple[str, ...] = (),
        size_bytes: int = 0,
        requested: bool = True,
    ) -> None:
        self.name = name
        self.version = version
        self.sha256 = sha256
        self.stamp = stamp
        self.site = site
        self.dist_info = dist_info
        self._packed = b""
        self._contents: _Contents | None = (record, folders, scripts, launchers)
        #: How many files are linked.
        self.file_count = _count(folders)
        self.url = url
        self.direct_url = direct_url
        self.yanked = yanked
        self.extras = extras
        self.size_bytes = size_bytes
        self.requested = requested

    def fields(self) -> "tuple[Any, ...]":
        """Returns what `from_fields` makes an equal entry of, in types that marshal knows."""
        return (
            self.name,
            self.version,
            self.sha256,
            self.stamp,
            self.site,
            self.dist_info,
            self._packed or marshal.dumps(self._contents),
            self.file_count,
            self.url,
            self.direct_url,
            self.yanked,
            self.extras,
            self.size_bytes,
            self.requested,
        )

    @classmethod
    def from_fields(cls, fields: "tuple[Any, ...]") -> "PlannedEntry":
        """Returns the entry whose `fields` these are."""
        entry = cls.__new__(cls)
        (
            entry.name,
            entry.version,
            entry.sha256,
            entry.stamp,
            entry.site,
            entry.dist_info,
            entry._packed,
            entry.file_count,
            entry.url,
            entry.direct_url,
            entry.yanked,
            entry.extras,
            entry.size_bytes,
            entry.requested,
        ) = fields
        entry._contents = None
        return entry

    def _unpacked(self) -> _Contents:
        if self._contents is None:
            self._contents = marshal.loads(self._packed)
        return self._contents

    @property
    def record(self) -> str:
        """RECORD rows of all linked files."""
        return self._unpacked()[0]

    @property
    def folders(self) -> tuple[PlannedFolder, ...]:
        """Folders to make and the files to link into them."""
        return self._unpacked()[1]

    @property
    def scripts(self) -> tuple[str, ...]:
        """Paths of `.data/scripts` files below the tree."""
        return self._unpacked()[2]

    @property
    def launchers(self) -> tuple[PlannedLauncher, ...]:
        """Entry points that get a script."""
        return self._unpacked()[3]

    def add(self, folders: "Sequence[PlannedFolder]", rows: str) -> None:
        """Adds folders of more files, and their rows of RECORD."""
        record, before, scripts, launchers = self._unpacked()
        self._contents = (record + rows, (*before, *folders), scripts, launchers)
        self._packed = b""
        self.file_count = _count(self._contents[1])


def _count(folders: tuple[PlannedFolder, ...]) -> int:
    return sum(len(folder[3]) for folder in folders)


class Plan:
    """The settled answer for one kind of environment.

    `schemes` maps purelib, platlib, scripts, headers and data to folders,
    relative to the environment's prefix or absolute; `entries` are in lock order.
    `conditions` is what else the answer depends on, for whoever stored it: values
    that marshal knows, () for nothing.
    """

    __slots__ = ("_packed_lines", "conditions", "entries", "schemes")

    def __init__(
        self,
        schemes: dict[str, str],
        entries: list[PlannedEntry],
        conditions: "tuple[Any, ...]" = (),
        lines: "dict[bytes, int] | None" = None,
    ) -> None:
        self.schemes = schemes
        self.entries = entries
        self.conditions = conditions
        self._packed_lines = marshal.dumps(lines or {})

    @property
    def lines(self) -> dict[bytes, int]:
        """Digests of lines that an entry came of, to its index; -1 where the line does not apply."""
        found: dict[bytes, int] = marshal.loads(self._packed_lines)
        return found


def encode(plan: Plan) -> bytes:
    """Returns the bytes that `decode` reads back."""
    body = marshal.dumps(
        (plan.schemes, [entry.fields() for entry in plan.entries], plan.conditions, plan._packed_lines)
    )
    return MAGIC + crc32(body).to_bytes(4, "big") + body


def decode(data: bytes) -> Plan | None:
    """Returns the plan in `data`, or None when it is torn or of another format."""
    start = len(MAGIC) + 4
    body = memoryview(data)[start:]
    if not data.startswith(MAGIC) or not body or crc32(body) != int.from_bytes(data[len(MAGIC) : start], "big"):
        return None
    try:
        schemes, entries, conditions, lines = marshal.loads(body)
    except (ValueError, EOFError, TypeError):  # another version of Python wrote it
        return None
    plan = Plan(schemes, [PlannedEntry.from_fields(fields) for fields in entries], conditions)
    plan._packed_lines = lines  # whoever asks for them unpacks them
    return plan


def load(path: str) -> Plan | None:
    """Returns the plan stored at `path`, or None on a miss."""
    try:
        with open(path, "rb", buffering=0) as file:
            data = file.read()
    except OSError:
        return None
    return decode(data)


def note_use(path: str) -> None:
    """Remembers that something in the cache was used: by its mtime, which is set once a day at most.

    What is used least goes first when the cache is pruned.  One plan stands for all entries that it names, so that a
    warm sync pays for one `stat` alone.  A cache that cannot be written remembers nothing.
    """
    now = time.time()
    try:
        if now - os.stat(path).st_mtime > NOTED_SECONDS:
            os.utime(path, (now, now))
    except OSError:
        return


def store(path: str, plan: Plan) -> None:
    """Publishes `plan` at `path` by one rename.

    Raises:
        OSError: when the cache cannot be written; what is there stays as it is.
    """
    from cache.records import publish_file

    publish_file(path, encode(plan))


def store_again(path: str, other: str, plan: Plan) -> None:
    """Publishes what was stored at `path` under another path, too; where links are refused, `plan` once more.

    Raises:
        OSError: when the cache cannot be written.
    """
    temporary = f"{other}.{os.getpid()}-{os.urandom(4).hex()}.tmp"
    os.makedirs(os.path.dirname(other), exist_ok=True)
    try:
        os.link(path, temporary)
    except OSError:
        store(other, plan)
        return
    try:
        os.replace(temporary, other)
    finally:
        # Renaming one name of a file to another name of the same file does nothing.
        try:
            os.unlink(temporary)
        except FileNotFoundError:
            pass
