"""The metadata of files, from wherever they cost least.

In this order: the cache; an unpacked wheel there; a file here; what the index serves
beside the file (PEP 658); the end of the wheel; the whole wheel, which then stays in the
cache.  Owns that order, what stands for which file, and how many questions are open at a
time.  What headers say is read by `engine.solving.headers`, parts of a wheel by
`engine.solving.ranges`; what was read is remembered by `engine.solving.remembered`.

A resolution that goes back and forth needs the metadata of thousands of files.  So what
is remembered is had `at_once`, without a task, and what an index serves comes `in_bulk`
where that can be: where a digest of it, or of the file, was stated, so that nothing of
the answer counts but its body.  Whatever is out of the ordinary with such an answer, the
file is asked for again alone.

Rules: metadata whose digest the index has stated are that content, wherever they come
from; all others are remembered for the address and the hashes that they were asked with,
because nobody but the whole wheel proves that they belong to its hash.  Where a digest is
wrong, the wheel decides, and the user is told.

Source: PEP 658; PEP 714; RFC 9110, section 14.
"""

import hashlib
import os
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit, urlunsplit

import anyio
from anyio.abc import TaskGroup
from packaging.utils import NormalizedName
from packaging.version import Version

from cache.entries import EntryStore
from cache.records import RecordStore
from engine.chosen import Chosen
from engine.credentials import without_credentials, without_userinfo
from engine.errors import AccessRefused, IndexUnavailable, InvalidWheel, Offline
from engine.index.client import Network
from engine.index.freshness import Freshness
from engine.limits import METADATA, METADATA_BYTES, NO_RANGES_SECONDS
from engine.local import local_path
from engine.network.fetching import Reply, TooLarge, fetch_reply
from engine.network.origin import Origin, split_credentials
from engine.recording import Recorder, timed
from engine.solving.headers import read_metadata
from engine.solving.ranges import NoRanges, Parts, Unchanged
from engine.solving.remembered import FOREVER, Remembered, RememberedMetadata
from engine.solving.single_flight import SingleFlight
from engine.solving.versions import ListedFile
from engine.wheel.member import read_metadata_member
from resolver.availability import Obstacle, Unusable
from resolver.requests import Metadata


class Keeper(Protocol):
    """Brings whole wheels into the cache, as `engine.supply.Supply` does."""

    entries: EntryStore

    def known_sha256(self, choice: Chosen) -> str | None:
        """Returns the key of a wheel that is in the cache, or None."""

    async def keep(self, choice: Chosen, project: str) -> str:
        """Returns the key of a wheel, fetched where the cache has not got it."""


class _Asked(NamedTuple):
    """A file, and whose it has to be."""

    file: ListedFile
    name: NormalizedName
    version: Version


#: Told what was found, or None where the file has to be asked for alone.
Found = Callable[[Metadata | Unusable | None], None]


class MetadataSource:
    """The metadata that one run reads.

    Args:
        group: owns what is under way.
        network: asks; warnings are added to its own.
        records: the cache's `BUCKET`.
        keeper: has whole wheels, and fetches them.
        offline: never ask.
        recorder: learns what took time, or None.

    Attributes:
        asked: of how many files the metadata had to be fetched.
    """

    def __init__(
        self,
        group: TaskGroup,
        *,
        network: Network,
        records: RecordStore,
        keeper: Keeper,
        offline: bool = False,
        recorder: Recorder | None = None,
    ) -> None:
        self.asked = 0
        self._network = network
        self._records = records
        self._keeper = keeper
        self._offline = offline
        self._recorder = recorder
        self._flights: SingleFlight[tuple[str, str], Metadata | Unusable] = SingleFlight(group)
        self._limit = anyio.CapacityLimiter(METADATA)
        self._group = group
        self._is_over = False
        self._in_bulk: dict[tuple[str, str], list[Found]] = {}
        self._remembered = RememberedMetadata(records)
        self._is_kept = False
        self._has_wheels: bool | None = None
        self._without_ranges: dict[Origin, bool] = {}

    async def metadata(self, file: ListedFile, name: NormalizedName, version: Version) -> Metadata | Unusable:
        """Returns the metadata of a file, or why it has none that can be used.

        Args:
            file: as its index lists it.
            name: of its project.
            version: of its release.

        Raises:
            IndexUnavailable: when a server cannot be reached or refuses.
            HashMismatch: when the whole wheel had to be fetched, and is not what was promised; likewise SizeMismatch.
            Offline: when asking is needed and forbidden.
        """
        asked = _Asked(file, name, version)
        stored = self._stored(asked)
        if stored is not None and (self._offline or stored.is_fresh):
            return stored.metadata
        return await self._flights.do((file.url, name), lambda: self._obtain(asked, stored))

    def at_once(self, file: ListedFile, name: NormalizedName, version: Version) -> Metadata | None:
        """Returns the metadata of a file where they are remembered and good, else None; the arguments as above."""
        stored = self._stored(_Asked(file, name, version))
        return stored.metadata if stored is not None and (self._offline or stored.is_fresh) else None

    def in_bulk(self, file: ListedFile, name: NormalizedName, version: Version, found: Found) -> bool:
        """Asks for the metadata of a file that are not remembered, together with those of other files.

        Args:
            file, name, version: as above.
            found: told the metadata, why they cannot be used, or None where the file has to be asked for alone.

        Returns:
            Whether they are asked for; if not, the file has to be asked for alone.
        """
        asked = _Asked(file, name, version)
        if self._offline or not _is_promised(asked) or self._is_here(file):
            return False
        key = file.url, name
        if key in self._in_bulk:
            self._in_bulk[key].append(found)
            return True
        started = self._recorder.now() if self._recorder is not None else 0

        def done(body: bytes | None) -> None:
            if self._is_over:
                return
            if self._recorder is not None:
                details: dict[str, object] = {"bytes": len(body)} if body is not None else {}
                self._recorder.add("metadata", file.filename, started, details=details)
            metadata = None if body is None else self._read_served(asked, body)
            self.asked += metadata is not None
            for one in self._in_bulk.pop(key):
                one(metadata)

        if not self._network.plain.get(_beside(file.url), done):
            return False
        self._in_bulk[key] = [found]
        self._begin_keeping()
        return True

    def _is_here(self, file: ListedFile) -> bool:
        if self._has_wheels is None:
            self._has_wheels = not self._keeper.entries.is_empty()
        return (
            self._has_wheels
            and file.is_wheel
            and file.sha256 is not None
            and self._keeper.known_sha256(file.chosen()) is not None
        )

    def _read_served(self, asked: _Asked, body: bytes) -> Metadata | Unusable | None:
        """Returns what a body says that came in bulk; None where it is not what was promised."""
        verified = _verify(body, asked.file.core_metadata or {})
        if verified is False:
            return None
        try:
            metadata = read_metadata(body, asked.name, asked.version)
        except InvalidWheel as exc:
            return Unusable(Obstacle.INVALID_METADATA, exc.message)
        key = _content_key(asked) if verified else None
        self._store(asked, key or _address_key(asked), metadata, FOREVER)
        return metadata

    # -- the cache -------------------------------------------------------------

    def _stored(self, asked: _Asked) -> Remembered | None:
        key = _content_key(asked)
        found = None if key is None else self._remembered.get(asked.name, asked.version, key)
        if found is not None or not self._remembered.has_addresses(asked.name):
            return found
        return self._remembered.get(asked.name, asked.version, _address_key(asked))

    def _store(self, asked: _Asked, key: bytes, metadata: Metadata, freshness: Freshness | None) -> None:
        if freshness is None:
            return
        self._remembered.add(asked.name, asked.version, key, Remembered(metadata, freshness))
        self._begin_keeping()

    def _begin_keeping(self) -> None:
        if not self._is_kept:
            self._is_kept = True
            self._group.start_soon(self._keep)

    async def _keep(self) -> None:
        """Writes what is remembered when the run is over, however it ends; what comes later is nobody's."""
        try:
            await anyio.sleep_forever()
        finally:
            self._is_over = True
            self._remembered.store()

    # -- the order ---------------------------------------------------------------

    async def _obtain(self, asked: _Asked, stored: Remembered | None) -> Metadata | Unusable:
        try:
            if (here := await self._read_here(asked)) is not None:
                return read_metadata(here, asked.name, asked.version)
            if not asked.file.is_wheel and asked.file.core_metadata is None:
                return Unusable(Obstacle.SDIST_REFUSED)
            if self._offline:
                raise Offline(
                    f"the metadata of {asked.file.filename} are not in the cache", hint="run once without --offline"
                )
            self.asked += 1
            async with self._limit:
                found = await self._fetch_served(asked, stored)
                if found is None and asked.file.is_wheel:
                    found = await self._fetch_parts(asked, stored)
            if found is not None:
                return found
            if not asked.file.is_wheel:
                return Unusable(Obstacle.SDIST_REFUSED)
            sha256 = await self._keeper.keep(asked.file.chosen(), asked.name)
            body = await anyio.to_thread.run_sync(_read_unpacked, self._keeper.entries.tree(sha256))
            return read_metadata(body, asked.name, asked.version)
        except InvalidWheel as exc:
            return Unusable(Obstacle.INVALID_METADATA, exc.message)

    async def _read_here(self, asked: _Asked) -> bytes | bytearray | None:
        """Returns METADATA of a wheel that is here, packed or unpacked."""
        file = asked.file
        if not file.is_wheel:
            return None
        if file.url.startswith("file:"):
            return await anyio.to_thread.run_sync(_read_local, file)
        sha256 = self._keeper.known_sha256(file.chosen())
        if sha256 is None:
            return None
        try:
            return await anyio.to_thread.run_sync(_read_unpacked, self._keeper.entries.tree(sha256))
        except InvalidWheel:  # cleaned away, or damaged: whoever installs it finds that out
            return None

    # -- what the index serves -----------------------------------------------------

    async def _fetch_served(self, asked: _Asked, stored: Remembered | None) -> Metadata | None:
        """Returns what the index serves beside the file; None where it has nothing, or something else."""
        file = asked.file
        if file.core_metadata is None or file.url.startswith("file:"):
            return None
        with timed(self._recorder, "metadata", file.filename) as details:
            try:
                reply = await self._ask(_beside(file.url), _conditions(stored), METADATA_BYTES, 200)
            except AccessRefused:  # what a store says that does not tell who may know what is there
                return None
            except TooLarge as exc:
                raise InvalidWheel(str(exc)) from exc
            details.update(status=reply.status, bytes=len(reply.body))
        if reply.status == 304 and stored is not None:
            return self._renew(asked, stored, reply.headers)
        if reply.status != 200:
            return None
        verified = _verify(reply.body, file.core_metadata)
        if verified is False:
            self._network.warnings.append(
                f"{without_credentials(_beside(file.url))} is not the file that the index promised; the wheel is read"
            )
            return None
        metadata = read_metadata(reply.body, asked.name, asked.version)
        if verified and (key := _content_key(asked)) is not None:
            self._store(asked, key, metadata, FOREVER)
        else:
            self._store(asked, _address_key(asked), metadata, _lasting(file, reply.headers))
        return metadata

    def _renew(self, asked: _Asked, stored: Remembered, headers: Mapping[str, str]) -> Metadata:
        self._store(asked, _address_key(asked), stored.metadata, stored.freshness.renewed(headers, time.time()))
        return stored.metadata

    # -- parts of the wheel ----------------------------------------------------------

    async def _fetch_parts(self, asked: _Asked, stored: Remembered | None) -> Metadata | None:
        """Returns what the end of the wheel says; None where its server gives no parts."""
        file = asked.file
        origin = _origin(file.url)
        if self._refuses_ranges(origin):
            return None

        async def ask(headers: Mapping[str, str], most_bytes: int) -> Reply:
            with timed(self._recorder, "metadata", file.filename) as details:
                reply = await self._ask(file.url, headers, most_bytes, 206)
                details.update(status=reply.status, bytes=len(reply.body))
            return reply

        parts = Parts(ask, file.filename, file.size_bytes, _conditions(stored))
        try:
            body = await parts.metadata()
        except Unchanged:
            assert stored is not None, "nothing else makes a request conditional"
            return self._renew(asked, stored, {})
        except NoRanges as exc:
            if exc.whole_server:
                self._note_no_ranges(origin)
            return None
        except TooLarge:
            return None
        metadata = read_metadata(body, asked.name, asked.version)
        self._store(asked, _address_key(asked), metadata, _lasting(file, parts.headers))
        return metadata

    def _refuses_ranges(self, origin: Origin) -> bool:
        known = self._without_ranges.get(origin)
        if known is None:
            record = self._records.get(_ranges_key(origin)) or b""
            until = int(record) if record.isdigit() and len(record) < 20 else 0
            known = self._without_ranges[origin] = time.time() < until <= time.time() + NO_RANGES_SECONDS
        return known

    def _note_no_ranges(self, origin: Origin) -> None:
        self._without_ranges[origin] = True
        self._records.put(_ranges_key(origin), b"%d" % (time.time() + NO_RANGES_SECONDS))

    async def _ask(self, url: str, headers: Mapping[str, str], most_bytes: int, wanted: int) -> Reply:
        return await fetch_reply(self._network, url, most_bytes=most_bytes, headers=headers, wanted=(wanted,))


# -- keys ----------------------------------------------------------------------------


def _content_key(asked: _Asked) -> bytes | None:
    """Returns the key of metadata whose digest the index has stated; None where it has not."""
    digits = (asked.file.core_metadata or {}).get("sha256", "")
    try:
        # All others are shorter.
        return bytes.fromhex(digits) if len(digits) == 64 else None
    except ValueError:
        return None


def _address_key(asked: _Asked) -> bytes:
    """Returns the key of metadata that are those of an address."""
    file = asked.file
    url = without_userinfo(file.url.partition("#")[0])
    if file.hashes:
        # The signature of an address may change with every page.
        url = url.partition("?")[0]
    promise = " ".join(f"{algorithm}:{digits}" for algorithm, digits in sorted(file.hashes.items()))
    text = f"{url} {promise}".encode("utf-8", "replace")
    return hashlib.sha256(text, usedforsecurity=False).digest()[:20]


def _is_promised(asked: _Asked) -> bool:
    """Tells whether an index serves metadata, and has stated what they or what the file are: they do not change."""
    return asked.file.core_metadata is not None and (bool(asked.file.hashes) or _content_key(asked) is not None)


def _ranges_key(origin: Origin) -> str:
    # No project has the name "-".
    text = f"ranges {origin.scheme} {origin.host} {origin.port}"
    return f"-/{hashlib.sha256(text.encode('utf-8', 'replace'), usedforsecurity=False).hexdigest()[:40]}"


# -- answers -------------------------------------------------------------------------


def _origin(url: str) -> Origin:
    try:
        return Origin.parse(split_credentials(url)[0])
    except ValueError as exc:
        raise IndexUnavailable(f"cannot fetch {without_credentials(url)}: it is not a URL of http or https") from exc


def _beside(url: str) -> str:
    """Returns where the metadata of a file are.

    Source: PEP 658: "by appending .metadata to the end of the distribution file URL"; a query is no part of the path.
    """
    if "?" not in url and "#" not in url:
        return f"{url}.metadata"
    try:
        scheme, host, path, query, _ = urlsplit(url)
        return urlunsplit((scheme, host, f"{path}.metadata", query, ""))
    except ValueError:
        return f"{url}.metadata"  # whoever asks there is told


def _conditions(stored: Remembered | None) -> dict[str, str]:
    return {} if stored is None else stored.freshness.conditions()


def _lasting(file: ListedFile, headers: Mapping[str, str]) -> Freshness | None:
    """Returns how long an answer holds: for ever where the index has promised what the file is."""
    return FOREVER if file.hashes else Freshness.of(headers, time.time())


def _verify(body: bytes, digests: Mapping[str, str]) -> bool | None:
    """Returns whether a body has all digests; None where there is none that can be computed."""
    known = {name: digits for name, digits in digests.items() if name in hashlib.algorithms_guaranteed}
    # These have no length of their own.
    known = {name: digits for name, digits in known.items() if not name.startswith("shake")}
    if not known:
        return None
    return all(hashlib.new(name, body, usedforsecurity=False).hexdigest() == digits for name, digits in known.items())


# -- files here ----------------------------------------------------------------------


def _read_local(file: ListedFile) -> bytes | bytearray:
    path = local_path(file.url)
    try:
        with open(path, "rb") as wheel:
            total = os.fstat(wheel.fileno()).st_size

            def read(offset: int, length: int) -> bytes:
                wheel.seek(offset)
                return wheel.read(length)

            return read_metadata_member(read, total, file.filename)
    except OSError as exc:
        raise IndexUnavailable(f"cannot read {path}: {exc.strerror}") from exc


def _read_unpacked(tree: str) -> bytes:
    """Returns METADATA of a wheel of the cache.

    Raises:
        InvalidWheel: when it is not there.
    """
    try:
        folder = next((name for name in os.listdir(tree) if name.endswith(".dist-info")), "")
        with open(os.path.join(tree, folder, "METADATA"), "rb") as file:
            body = file.read(METADATA_BYTES + 1)
    except OSError as exc:
        raise InvalidWheel(f"its METADATA cannot be read: {exc.strerror}") from exc
    if len(body) > METADATA_BYTES:
        raise InvalidWheel(f"its METADATA is larger than {METADATA_BYTES >> 20} MiB")
    return body
