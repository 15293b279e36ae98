"""The form of a report, as a model; `python -m engine.report_schema` prints its JSON schema.

The published schema is `docs/report.schema.json`.  Nothing that runs imports
this: pydantic takes 90 ms, and a report is made of values that are right already.
"""

import json
import sys
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Milliseconds = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=0)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Distribution(_Model):
    """A project at a version."""

    name: str
    version: str


class ReportedError(_Model):
    """Why something was not done."""

    kind: Annotated[str, Field(description="name of the class in engine.errors, or of what ended the run")]
    message: str
    hint: str | None


class Links(_Model):
    """How many files came from the cache in which way, over all environments."""

    hardlink: Count
    clone: Count
    copy_: Annotated[Count, Field(alias="copy")]


class Measures(_Model):
    """What only engine tells about a wheel."""

    name: str
    filename: Annotated[str, Field(description="empty where a stored plan was followed")]
    size_bytes: Annotated[
        Count | None, Field(description="of its file; null where neither an index nor the lock has said it")
    ]
    cache_hit: bool | None
    retries: Count
    links: Links
    fetch_ms: Milliseconds | None
    unpack_ms: Milliseconds | None
    stage_ms: Milliseconds | None
    compile_ms: Annotated[Milliseconds | None, Field(description="bytecode; waiting for a compiler included")]


class InstalledMeasures(Measures):
    """What only engine tells about an installed wheel."""

    startup_files: Annotated[
        list[str], Field(description="what Python obeys whenever it starts: .pth and .start files")
    ]
    environments: Annotated[list[str], Field(min_length=1, description="prefixes of the environments that got it")]


class ArchiveInfo(_Model):
    """Hashes of a wheel, the first of them in the old form too."""

    hash_: Annotated[str | None, Field(alias="hash")] = None
    hashes: dict[str, str] | None = None


class DownloadInfo(_Model):
    """Where a wheel came from, as in direct_url.json."""

    url: Annotated[str, Field(description="without credentials; empty where it is not known")]
    archive_info: ArchiveInfo


class Installed(_Model):
    """A distribution that was installed, or would be."""

    metadata: Annotated[dict[str, str | list[str]], Field(description="PEP 566; name and version at least")]
    download_info: DownloadInfo
    is_direct: bool
    is_yanked: bool
    requested: bool
    requested_extras: list[str] | None = None
    engine: InstalledMeasures


class ReportedEnvironment(_Model):
    """An environment of the run."""

    prefix: str
    created: bool
    recovered: bool
    added: Annotated[list[Distribution], Field(description="what was to be added, where there is an error")]
    removed: list[Distribution]
    kept: Count
    warnings: list[str]
    error: Annotated[ReportedError | None, Field(description="why the environment is as it was")]
    markers: Annotated[dict[str, str], Field(description="environment markers; empty where they are not known")]


class EngineReport(_Model):
    """What pip's report has no place for."""

    version: str
    dry_run: bool
    total_ms: Milliseconds
    error: Annotated[ReportedError | None, Field(description="what ended the run as a whole")]
    environments: list[ReportedEnvironment]
    failed: Annotated[list[Measures], Field(description="wheels that were asked for and that no environment got")]


class Report(_Model):
    """A report of engine; what is not below `engine` is as in pip's installation report."""

    version: Annotated[str, Field(pattern="^1$")]
    pip_version: Annotated[str, Field(description="the version of pip whose report looks like this")]
    install: list[Installed]
    environment: Annotated[dict[str, str], Field(description="environment markers of the first environment")]
    engine: EngineReport


def schema_text() -> str:
    """Returns the JSON schema of a report."""
    schema = Report.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
