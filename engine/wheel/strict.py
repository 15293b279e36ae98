"""Holding a wheel to its RECORD, for those who ask for it with `--strict-record`.

Owns turning what RECORD says wrongly into an error, for a wheel that has just been
unpacked and for one that the cache has had for long.  Nothing here runs without
the option.

Rule: in a cached wheel every file is hashed again, because the manifest may have
some of its hashes from the very RECORD that is to be judged.

Source: PEP 427, "Installing a wheel"; PEP 376, "RECORD".
"""

from cache.manifest import Manifest
from engine.errors import InvalidWheel
from engine.wheel.record import RECORD_MAX_BYTES, parse_record
from engine.wheel.tree import TreeWriter
from engine.wheel.verify import faults_of_record


def refuse_faults(faults: list[str]) -> None:
    """Refuses a wheel whose RECORD is wrong.

    Args:
        faults: what RECORD says wrongly, one line each.

    Raises:
        InvalidWheel: when there is any.
    """
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise InvalidWheel(
            f"{faults[0]}{more}",
            hint="without --strict-record it is installed with a warning and a right RECORD of its own",
        )


def check_cached(manifest: Manifest, tree: str) -> None:
    """Checks the RECORD of a wheel in the cache.

    Args:
        manifest: of the entry.
        tree: path of its unpacked files.

    Raises:
        InvalidWheel: when RECORD says anything wrongly.
        OSError: when a file cannot be read.
    """
    disk = TreeWriter(tree)
    text = disk.read(f"{manifest.dist_info}/RECORD", RECORD_MAX_BYTES).decode("utf-8")
    try:
        refuse_faults(faults_of_record(parse_record(text), manifest.files, manifest.dist_info, disk))
    except InvalidWheel as exc:
        raise InvalidWheel(f"{ascii(manifest.filename)[1:-1]}: {exc.message}", hint=exc.hint) from exc
