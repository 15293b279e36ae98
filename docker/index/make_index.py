"""Writes an index that any web server can serve: pages of the Simple API and a few tiny wheels.

    python3 make_index.py FOLDER

Source: PEP 503; PEP 427; PEP 714.
"""

import hashlib
import sys
import zipfile
from pathlib import Path

#: Project, version, and what it requires.
SAMPLES = (("sample-app", "1.0", ("sample-lib>=1",)), ("sample-lib", "1.0", ()), ("sample-lib", "1.1", ()))


def wheel(name: str, version: str, requires: tuple[str, ...], folder: Path) -> Path:
    """Writes a wheel with one module, and returns its path."""
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    needed = "".join(f"Requires-Dist: {one}\n" for one in requires)
    files = {
        f"{module}.py": f'version = "{version}"\n',
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needed}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: make_index\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in (*files, f"{info}/RECORD"))
    path = folder / f"{module}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in files.items():
            archive.writestr(zipfile.ZipInfo(member), text)
    return path


def main(root: Path) -> None:
    """Writes all of it."""
    files = root / "files"
    files.mkdir(parents=True)
    links: dict[str, list[str]] = {}
    for name, version, requires in SAMPLES:
        path = wheel(name, version, requires, files)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        links.setdefault(name, []).append(f'<a href="../../files/{path.name}#sha256={digest}">{path.name}</a>')
    page(root / "simple", [f'<a href="{name}/">{name}</a>' for name in links])
    for name, anchors in links.items():
        page(root / "simple" / name, anchors)


def page(folder: Path, anchors: list[str]) -> None:
    """Writes a page with some links."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = "<br>\n".join(anchors)
    (folder / "index.html").write_text(f"<!DOCTYPE html>\n<html><body>\n{lines}\n</body></html>\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
