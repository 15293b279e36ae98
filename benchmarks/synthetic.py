"""Makes wheels of which only the number and the size matter, for benchmarks of how things grow.

Owns the synthetic distributions and their pages, in the form that `mirror.py` serves.  Everything is the same bytes
each time; nothing is made twice.

Source: "Binary distribution format"; "Recording installed projects".
"""

import base64
import gzip
import hashlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.mirror import store
from benchmarks.pages import File, write_page

VERSION = "1.0"
FILES_EACH = 10
"""A small pure-Python distribution."""
_MODULE = "\n".join(f"def function_{number}(argument):\n    return argument + {number}\n" for number in range(40))


def distributions(count: int) -> list[str]:
    """Returns the names of `count` small distributions."""
    return [f"synthetic-{number:04}" for number in range(count)]


def distribution_of(files: int) -> str:
    """Returns the name of the distribution that has that many modules."""
    return f"synthetic-with-{files}-files"


def lock(names: list[str]) -> str:
    """Returns the text of a lock that pins them."""
    return "".join(f"{name}=={VERSION}\n" for name in names)


def publish(folder: Path, name: str, files: int) -> None:
    """Puts a distribution and its page into the folder of a mirror, unless it is there."""
    page = folder / "simple" / name / "index.json"
    if page.exists():
        return
    filename = f"{name.replace('-', '_')}-{VERSION}-py3-none-any.whl"
    wheel, metadata = wheel_of(name, files)
    store(folder / "files" / name / filename, wheel)
    store(folder / "files" / name / f"{filename}.metadata", metadata)
    digest = hashlib.sha256(wheel).hexdigest()
    body = write_page(name, [File(filename=filename, url="", hashes={"sha256": digest}, more={"size": len(wheel)})])
    store(page.with_name("index.json.gz"), gzip.compress(body, 6, mtime=0))
    store(page, body)


def wheel_of(name: str, files: int) -> tuple[bytes, bytes]:
    """Returns a wheel with that many modules, and its METADATA."""
    project = name.replace("-", "_")
    information = f"{project}-{VERSION}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {VERSION}\n".encode()
    wheel = b"Wheel-Version: 1.0\nGenerator: benchmarks\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record: list[str] = []
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:

        def add(path: str, content: bytes) -> None:
            entry = zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            record.append(f"{path},sha256={digest},{len(content)}\n")

        for path, content in _modules(project, files):
            add(path, content)
        add(f"{information}/METADATA", metadata)
        add(f"{information}/WHEEL", wheel)
        record.append(f"{information}/RECORD,,\n")
        archive.writestr(zipfile.ZipInfo(f"{information}/RECORD", (2020, 1, 1, 0, 0, 0)), "".join(record))
    return output.getvalue(), metadata


def _modules(project: str, files: int) -> Iterator[tuple[str, bytes]]:
    """Yields paths and contents: a hundred modules per package, so that no folder is larger than real ones are."""
    for number in range(files):
        package, module = divmod(number, 100)
        folder = project if not package else f"{project}/part_{package:04}"
        content = f"'''Module {number} of {project}.'''\n{_MODULE}"
        yield f"{folder}/{'__init__' if not module else f'module_{module:02}'}.py", content.encode()
