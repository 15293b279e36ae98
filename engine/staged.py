"""One wheel staged into the environments of a run, by a worker: into all of them, or into none."""

from typing import Any

from cache.manifest import Manifest
from cache.plans import PlannedEntry
from engine.credentials import without_credentials
from engine.linking import Linker
from engine.staging import Area, Drift, stage_entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cache.bytecode import BytecodeStore

#: (index, stage, python, absolute schemes, relative schemes, key of the kind of bytecode or "", full version of Python)
AreaFields = tuple[int, str, str, dict[str, str], dict[str, str], str, str]

#: (URL, whether the lock names it)
Origin = tuple[str, bool, bool]

#: The wheel came from somewhere, and nobody asks where.
UNKNOWN_ORIGIN: Origin = ("", False, True)


class StagedWheel:
    """One wheel in the staging areas of several environments.

    Args:
        sha256: the wheel.
        tree: its unpacked files.
        link_mode: how they are staged.
        origin: where it came from.
        bytecode: where compiled files are; an area that wants some needs it.
    """

    def __init__(
        self,
        sha256: str,
        tree: str,
        link_mode: str,
        origin: Origin = UNKNOWN_ORIGIN,
        bytecode: "BytecodeStore | None" = None,
    ) -> None:
        self._origin = origin
        self._bytecode = bytecode
        self._sha256 = sha256
        self._tree = tree
        self._linker = Linker(link_mode)
        self._results: list[tuple[int, PlannedEntry, list[str], tuple[str, str | None] | None]] = []

    def stage(self, manifest: Manifest, stamp: int, areas: list[AreaFields]) -> None:
        """Stages it into each area.

        Raises:
            Drift: when a file of the tree is lost or changed; then nothing of it stays anywhere.
        """
        planned = self._plan(manifest, stamp, areas)
        for entry, (index, stage, python, absolute, _, _, version) in zip(planned, areas, strict=True):
            if manifest.requires_python and (words := _unfit(manifest, version)):
                self._results.append((index, entry, [], (words, None)))
                continue
            try:
                collisions = stage_entry(entry, self._tree, Area(stage, python, absolute), self._linker)
            except Drift:
                self._take_back(areas)
                raise
            except OSError as exc:
                # This environment's trouble, such as a full disk, and no other's.
                from engine.space import advice, in_words

                size = sum(file.size_bytes for file in manifest.files)
                words = in_words(exc, folder=stage, needed_bytes=size, needed_files=entry.file_count)
                self._results.append((index, entry, [], (words, advice(exc))))
            else:
                self._results.append((index, entry, collisions, None))

    def _plan(self, manifest: Manifest, stamp: int, areas: list[AreaFields]) -> list[PlannedEntry]:
        """Returns what to create in each area."""
        from engine.planning import plan_entry

        url, is_direct, requested = self._origin
        direct_url = ""
        if is_direct:
            from engine.direct_url import direct_url_text

            direct_url = direct_url_text(url, self._sha256)
        planned: list[PlannedEntry] = []
        for number, area in enumerate(areas):
            if number and area[4:] == areas[number - 1][4:]:
                planned.append(planned[-1])
                continue
            entry = plan_entry(manifest, self._sha256, stamp, area[4])
            entry.url, entry.direct_url, entry.requested = without_credentials(url), direct_url, requested
            if area[5]:
                self._add_bytecode(entry, manifest, area)
            planned.append(entry)
        return planned

    def _add_bytecode(self, entry: PlannedEntry, manifest: Manifest, area: AreaFields) -> None:
        from cache.bytecode import BUCKET
        from engine.bytecode.planning import add_bytecode, modules, relative_place

        if not modules(manifest):
            return
        assert self._bytecode is not None, "the pipeline provides it"
        found = self._bytecode.load(area[5], self._sha256, entry.stamp)
        if found is None:
            raise Drift(self._sha256, f"{self._tree}/{BUCKET}/{area[5]}")
        add_bytecode(entry, area[4], found[0], relative_place(found[1], self._tree))

    def _take_back(self, areas: list[AreaFields]) -> None:
        from engine.unstaging import unstage_entry

        for (_, entry, collisions, refused), (_, stage, python, absolute, *_) in zip(
            self._results, areas, strict=False
        ):
            if refused is None:
                unstage_entry(entry, Area(stage, python, absolute), collisions)

    def plan_anew(self, manifest: Manifest, stamp: int, areas: list[AreaFields]) -> None:
        """Says it in the words of another process's entry, which was published first."""
        planned = self._plan(manifest, stamp, areas)
        self._results = [
            (index, entry, collisions, refused)
            for entry, (index, _, collisions, refused) in zip(planned, self._results, strict=True)
        ]

    def answer(self, job: int, warnings: list[str]) -> tuple[Any, ...]:
        """Returns a worker's answer about it."""
        results = [(index, entry.fields(), *rest) for index, entry, *rest in self._results]
        return ("done", job, self._sha256, warnings, results, self._linker.counts)


def _unfit(manifest: Manifest, version: str) -> str:
    """Says why a wheel is not for a Python, by its own metadata; "" when it is.

    Source: core metadata, "Requires-Python".
    """
    from engine.index.compatibility import allows_python

    if allows_python(manifest.requires_python, version):
        return ""
    return f"{manifest.filename} requires Python {manifest.requires_python:.100}, and it has Python {version}"
