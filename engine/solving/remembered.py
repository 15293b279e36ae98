"""What is remembered of metadata: all of a project in one record, because a resolution may read thousands.

Owns the records of the cache's bucket, how long what is in them holds, and when they are
read and written: read when a project is first asked about, written when the run is over.
What stands for which file is for the caller.

Rules: a record is replaced by one rename, with what it has by then and what is new; of
two processes that do so at the same time one may lose what the other has learned, which
costs a question and nothing else.  A damaged record is none.  A record has a bound, and
what was added first goes first.
"""

import time
from typing import NamedTuple

import msgspec
from packaging.utils import NormalizedName
from packaging.version import Version

from cache.records import RecordStore
from engine.index.freshness import Freshness
from resolver.requests import Metadata

#: The bucket of the cache.
BUCKET = "metadata-v2"

#: What does not change has no end.
FOREVER = Freshness(1 << 62)

#: How many files of one project are remembered; the largest projects have half as many.
MOST_FILES = 10_000


class Remembered(NamedTuple):
    """Metadata, and for how long they hold."""

    metadata: Metadata
    freshness: Freshness

    @property
    def is_fresh(self) -> bool:
        """Whether they can be used unasked."""
        return self.freshness is FOREVER or time.time() < self.freshness.expires


class _Fields(msgspec.Struct, array_like=True, frozen=True):
    """One file of a record; `freshness` is empty where there is no end of it."""

    version: str
    requires_dist: tuple[str, ...]
    requires_python: str | None
    provides_extra: tuple[str, ...]
    freshness: bytes


#: Of a key that is what the metadata are; those of addresses are shorter.
_DIGEST_BYTES = 32

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(dict[bytes, _Fields])


class RememberedMetadata:
    """The metadata of files that the cache has, and those that it is to get.

    Args:
        records: the cache's `BUCKET`.
    """

    def __init__(self, records: RecordStore) -> None:
        self._records = records
        self._known: dict[NormalizedName, dict[bytes, _Fields]] = {}
        self._new: dict[NormalizedName, dict[bytes, _Fields]] = {}
        self._by_address: set[NormalizedName] = set()

    def get(self, name: NormalizedName, version: Version, key: bytes) -> Remembered | None:
        """Returns what is known of a file, or None.

        Args:
            name: of its project.
            version: of its release; metadata of another one are none.
            key: stands for the file, or for what its metadata are.
        """
        found = self._of(name).get(key)
        if found is None or found.version != str(version):
            return None
        freshness = FOREVER
        if found.freshness:
            unpacked = Freshness.unpack(found.freshness)
            if unpacked is None:
                return None
            freshness = unpacked[0]
        return Remembered(Metadata(found.requires_dist, found.requires_python, found.provides_extra), freshness)

    def has_addresses(self, name: NormalizedName) -> bool:
        """Tells whether anything is known of a project by an address and not by what it is."""
        self._of(name)
        return name in self._by_address

    def add(self, name: NormalizedName, version: Version, key: bytes, remembered: Remembered) -> None:
        """Remembers what was read; the arguments are those of `get`."""
        freshness = remembered.freshness
        head = b"" if freshness is FOREVER else freshness.pack()
        fields = _Fields(str(version), *remembered.metadata, head)
        self._of(name)[key] = fields
        if len(key) < _DIGEST_BYTES:
            self._by_address.add(name)
        self._new.setdefault(name, {})[key] = fields

    def store(self) -> None:
        """Writes what was added since the last time."""
        while self._new:
            name, new = self._new.popitem()
            merged = self._read(name)
            for key in new:
                merged.pop(key, None)
            merged |= new
            for key in list(merged)[: max(0, len(merged) - MOST_FILES)]:
                del merged[key]
            self._records.put(name, _ENCODER.encode(merged))

    def _of(self, name: NormalizedName) -> dict[bytes, _Fields]:
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = self._read(name)
            if any(len(key) < _DIGEST_BYTES for key in known):
                self._by_address.add(name)
        return known

    def _read(self, name: NormalizedName) -> dict[bytes, _Fields]:
        body = self._records.get(name)
        if body is None:
            return {}
        try:
            return _DECODER.decode(body)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return {}
