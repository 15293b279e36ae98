"""Reads project pages and chooses wheels from them, in a worker process.

A page is up to some megabytes of JSON, and the process that talks to the network
has better things to do: decompressing, decoding, choosing and storing 93 pages
takes 150 ms of its time just when it opens its connections.

Messages are tuples that `marshal` knows; `engine.workers` makes them.
"""

import hashlib
import time
from typing import Any

from packaging.utils import NormalizedName
from packaging.version import InvalidVersion, Version

from cache.records import RecordStore
from engine.credentials import without_credentials
from engine.errors import EngineError, InvalidPage
from engine.index.choice import choose_wheel
from engine.index.compatibility import Target
from engine.index.freshness import lifetime_seconds
from engine.index.page import ProjectPage
from engine.limits import PAGE_BYTES
from engine.lock.pins import Digest, Pin

try:
    from isal import isal_zlib as zlib_
except ImportError:
    import zlib as zlib_  # type: ignore[no-redef]

_DECOMPRESSION_ERROR: type[Exception] = zlib_.error  # type: ignore[assignment,unused-ignore]  # its stub says otherwise

#: (name, version text, is `===`, [(hash algorithm, hex)], line, source)
PinFields = tuple[str, str, bool, list[tuple[str, str]], int, str]

#: (tags in order of preference, full version of Python, what to call it)
CompatibleFields = tuple[tuple[str, ...], str, str]

#: ("chosen", fields of Chosen) or ("refused", name of the error, message, hint)
Result = tuple[Any, ...]


class Chooser:
    """Chooses wheels for the pins of a run.

    Args:
        records: the cache's `index-v1` bucket.
    """

    def __init__(self, records: RecordStore) -> None:
        self._records = records
        self._targets: list[Target] = []
        self._unstored: list[tuple[str, int, ProjectPage]] = []

    def know(self, targets: list[CompatibleFields]) -> None:
        """Learns what the environments of the run can use; later messages name them by index."""
        self._targets = [
            Target(tag_priority={tag: rank for rank, tag in enumerate(tags)}, python_full_version=python, describe=text)
            for tags, python, text in targets
        ]

    def choose_stored(self, key: str, wants: list[tuple[PinFields, int]]) -> tuple[bool, list[Result]] | None:
        """Chooses from a page in the cache.

        Args:
            key: of the page's record.
            wants: pins, each with the index of its target.

        Returns:
            Whether the page is fresh, and one result per want; None when the cache has no such page.
        """
        data = self._records.get(key)
        page = ProjectPage.unpack(data[8:]) if data is not None and len(data) > 8 else None
        if data is None or page is None:
            return None
        return time.time() < int.from_bytes(data[:8], "big"), self._choose(page, wants)

    def choose_answer(
        self,
        key: str,
        project: NormalizedName,
        answer: tuple[str, str, bool, str | None, str | None, bytes],
        wants: list[tuple[PinFields, int]],
    ) -> list[Result]:
        """Chooses from what an index has just answered, and keeps the page for `store`.

        Args:
            key: under which to store the page.
            project: whose page it should be.
            answer: URL, media type, whether it is gzipped, Cache-Control, Age, body.
            wants: pins, each with the index of its target.

        Raises:
            InvalidPage: when the answer is not a page of that project.
        """
        url, kind, gzipped, cache_control, age, body = answer
        shown = without_credentials(url)
        if gzipped:
            body = _decompress(body, shown)
        if kind.endswith("json"):
            page = ProjectPage.from_json(body, url, project)
        elif kind.endswith("html"):
            page = ProjectPage.from_html(body, url, project)
        else:
            raise InvalidPage(f"{shown} answered with {kind}, which is no project page", hint="check --index-url")
        self._unstored.append((key, int(time.time()) + lifetime_seconds(cache_control, age), page))
        return self._choose(page, wants)

    def store(self) -> None:
        """Stores the pages that were read since the last time; called when the answer has been sent."""
        while self._unstored:
            key, expires, page = self._unstored.pop()
            self._records.put(key, expires.to_bytes(8, "big") + page.pack())

    def _choose(self, page: ProjectPage, wants: list[tuple[PinFields, int]]) -> list[Result]:
        results: list[Result] = []
        for fields, index in wants:
            pin = _pin(fields)
            try:
                choice = choose_wheel(page, pin, self._targets[index], where=pin.where)
            except EngineError as exc:
                results.append(("refused", type(exc).__name__, exc.message, exc.hint))
                continue
            promised = {
                name: text.lower() for name, text in choice.file.hashes.items() if name in hashlib.algorithms_guaranteed
            }
            yanked = choice.file.yanked is not False
            chosen = (choice.url, choice.filename, choice.file.size, choice.sha256, promised, tuple(choice.warnings))
            results.append(("chosen", *chosen, yanked))
        return results


def _pin(fields: PinFields) -> Pin:
    name, version_text, arbitrary_equality, hashes, line, source = fields
    try:
        version = Version(version_text)
    except InvalidVersion:
        version = None
    return Pin(
        name=NormalizedName(name),
        version_text=version_text,
        version=version,
        arbitrary_equality=arbitrary_equality,
        extras=frozenset(),
        marker=None,
        hashes=tuple(Digest(algorithm=algorithm, hex=text) for algorithm, text in hashes),
        line=line,
        source=source,
    )


def _decompress(body: bytes, shown: str) -> bytes:
    """Returns the content of a gzip body, bounded."""
    decompressor = zlib_.decompressobj(31)
    try:
        data: bytes = decompressor.decompress(body, PAGE_BYTES + 1)
    except _DECOMPRESSION_ERROR as exc:
        raise InvalidPage(f"{shown}: damaged gzip body") from exc
    if len(data) > PAGE_BYTES:
        raise InvalidPage(f"{shown} is larger than {PAGE_BYTES >> 20} MiB")
    if not decompressor.eof:
        raise InvalidPage(f"{shown}: truncated gzip body")
    return data
