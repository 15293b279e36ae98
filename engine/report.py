"""What a run has installed, as pip's installation report tells it, and what only engine knows.

Plain dictionaries: a model that validates costs 90 ms to import, and what is
written here was checked when it was read.  `engine.report_schema` has the same
as a model; tests hold reports to it.

Source: pip documentation, "Installation Report", version 1; PEP 610; PEP 566.
"""

import json
import os
from typing import Any
from urllib.parse import unquote, urlsplit

from cache import CacheError
from cache.entries import EntryStore
from cache.layout import Layout
from cache.plans import PlannedEntry
from cache.records import RecordStore
from engine import __version__
from engine.cold import INTERPRETERS
from engine.core_metadata import metadata_json
from engine.credentials import without_query_values
from engine.direct_url import direct_url_text
from engine.environment.interpreter import Interpreter
from engine.errors import EngineError
from engine.recording import Artifact, Recorder
from engine.reporting import Outcome, startup_files
from engine.sync import Target

#: The version of the format, and the version of pip whose report looks like this one.
FORMAT = "1"
PIP_VERSION = "25.1"

#: What a report calls the time that a phase took.
_TIMES = {
    "fetch_ms": ("download",),
    "unpack_ms": ("unpack", "publish"),
    "stage_ms": ("stage",),
    "compile_ms": ("compile",),
}

Json = dict[str, Any]

#: (project, version, sha256 or URL) to what is told about it.
Items = dict[tuple[str, str, str], Json]


def make_report(recorder: Recorder) -> Json:
    """Returns the report of a run that is over, whether it went well or not.

    Args:
        recorder: what was told about it.
    """
    run_error = describe_error(recorder.error)
    outcomes = [(outcome, _error_of(outcome, recorder, run_error)) for outcome in recorder.outcomes]
    items: Items = {}
    for outcome, error in outcomes:
        if error is None:
            for name, version in outcome.added:
                _add_item(items, recorder, outcome.prefix, name, version)
    environments = [_environment(outcome, error, recorder) for outcome, error in outcomes]
    markers: dict[str, str] = next((found["markers"] for found in environments if found["markers"]), {})
    return {
        "version": FORMAT,
        "pip_version": PIP_VERSION,
        "install": list(items.values()),
        "environment": markers,
        "engine": {
            "version": __version__,
            "dry_run": recorder.run is not None and recorder.run.options.dry_run,
            "total_ms": _milliseconds(recorder.now() - recorder.started_ns),
            "error": run_error,
            "environments": environments,
            "failed": [_measures(artifact, recorder) for artifact in _failed(recorder, items)],
        },
    }


def describe_error(error: BaseException | None) -> Json | None:
    """Returns an error as JSON, or None; of what was not expected only the kind is told."""
    if error is None:
        return None
    message = str(error) if isinstance(error, EngineError) else "the run was ended"
    return {"kind": type(error).__name__, "message": message, "hint": getattr(error, "hint", None)}


def _error_of(outcome: Outcome, recorder: Recorder, run_error: Json | None) -> Json | None:
    """Returns why an environment is as it was, or None."""
    if outcome.error is not None:
        return describe_error(outcome.error)
    target = _target(recorder, outcome.prefix)
    work = target.work if target is not None else None
    if run_error is not None and (work is None or (work.changes and not work.committed)):
        return run_error
    return None


def _target(recorder: Recorder, prefix: str) -> Target | None:
    return next((target for target in recorder.targets if target.environment.prefix == prefix), None)


# -- environments -------------------------------------------------------------


def _environment(outcome: Outcome, error: Json | None, recorder: Recorder) -> Json:
    return {
        "prefix": outcome.prefix,
        "created": outcome.created,
        "recovered": outcome.recovered,
        "added": _pairs(outcome.added),
        "removed": _pairs(outcome.removed),
        "kept": outcome.kept,
        "warnings": list(dict.fromkeys(outcome.warnings)),
        "error": error,
        "markers": _markers(_target(recorder, outcome.prefix), recorder),
    }


def _pairs(changes: "Any") -> list[Json]:
    return [{"name": name, "version": version} for name, version in changes]


def _markers(target: Target | None, recorder: Recorder) -> dict[str, str]:
    """Returns the marker environment of a target, as far as it is known."""
    if target is None or recorder.run is None:
        return {}
    interpreter = target.interpreter
    key = target.environment.interpreter_key
    if interpreter is None and key:
        body = RecordStore(recorder.run.layout.bucket(INTERPRETERS)).get(key)
        interpreter = Interpreter.from_json(body) if body is not None else None
    return dict(interpreter.markers) if interpreter is not None else {}


# -- distributions ------------------------------------------------------------


def _add_item(items: Items, recorder: Recorder, prefix: str, name: str, version: str) -> None:
    """Adds what one environment got; what several got of one wheel is one item."""
    entry = recorder.entries.get((prefix, name)) or PlannedEntry(name, version)
    artifact = recorder.artifacts.get(recorder.wheels.get((prefix, name), "")) or Artifact(name)
    sha256 = artifact.sha256 or entry.sha256
    url = artifact.url or entry.url
    item = items.get((name, version, sha256 or url))
    if item is None:
        item = items[name, version, sha256 or url] = {
            "download_info": _download_info(url, sha256),
            "is_direct": artifact.is_direct or bool(entry.direct_url),
            "is_yanked": artifact.yanked or bool(entry.yanked),
            "requested": entry.requested,
            "metadata": _metadata(recorder, prefix, entry, sha256) or {"name": name, "version": version},
            "engine": {
                **_measures(artifact, recorder, _filename(url)),
                "startup_files": startup_files(entry),
                "environments": [],
            },
        }
        if extras := sorted({*artifact.extras, *entry.extras}):
            item["requested_extras"] = extras
    item["engine"]["environments"].append(prefix)


def _download_info(url: str, sha256: str) -> Json:
    fields: Json = json.loads(direct_url_text(without_query_values(url) or "unknown:", sha256 or None))
    return fields if url else {**fields, "url": ""}


def _metadata(recorder: Recorder, prefix: str, entry: PlannedEntry, sha256: str) -> dict[str, str | list[str]] | None:
    """Returns the metadata of a distribution, or None where neither the cache nor the environment has it."""
    target = _target(recorder, prefix)
    folders = []
    if target is not None and target.work is not None and target.work.committed and entry.dist_info:
        folders.append(os.path.join(target.work.schemes[entry.site], entry.dist_info))
    if recorder.run is not None and sha256:
        folders.extend(_cached_folders(recorder.run.layout, sha256))
    for folder in folders:
        try:
            with open(os.path.join(folder, "METADATA"), "rb") as file:
                return metadata_json(file.read())
        except OSError:
            continue
    return None


def _cached_folders(layout: Layout, sha256: str) -> list[str]:
    try:
        loaded = EntryStore(layout).load(sha256)
    except CacheError:
        return []
    return [] if loaded is None else [os.path.join(layout.tree(sha256), loaded[0].dist_info)]


def _filename(url: str) -> str:
    """Returns the name that a file has at the end of its URL."""
    try:
        return unquote(urlsplit(url).path.rpartition("/")[2])
    except ValueError:
        return ""


def _measures(artifact: Artifact, recorder: Recorder, filename: str = "") -> Json:
    """Returns what only engine tells about a wheel; `filename` is for one that does not say it."""
    spent = artifact.spent_ns
    times = {
        name: _milliseconds(sum(spent.get(phase, 0) for phase in phases)) if any(map(spent.get, phases)) else None
        for name, phases in _TIMES.items()
    }
    return {
        "name": artifact.name,
        "filename": artifact.filename or filename,
        "size_bytes": artifact.size_bytes,
        "cache_hit": artifact.cached,
        "retries": max(artifact.attempts - 1, 0) + recorder.repeated_pages.get(artifact.name, 0),
        "links": {way: artifact.links.get(way, 0) for way in ("hardlink", "clone", "copy")},
        **times,
    }


def _milliseconds(nanoseconds: int) -> float:
    return round(nanoseconds / 1e6, 3)


def _failed(recorder: Recorder, items: Items) -> list[Artifact]:
    """Returns the wheels that were begun and that no environment got."""
    told = {key for *_, key in items}
    return [
        artifact
        for artifact in recorder.artifacts.values()
        if artifact.attempts and not {artifact.sha256, artifact.url} & told
    ]
