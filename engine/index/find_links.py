"""Places without an index server: folders, pages of links and single files; and what belongs to which project there.

Owns the reading of local places (`--find-links` and `file:` indexes) and the
sorting of a flat page by project.  Runs in a worker.  Does not download and does
not choose; what is in a page is read by `engine.index.page`.

Rules: names of files are held to the same rules as an index's; source
distributions are kept for messages alone; a place that is not there is an error,
a project that is not there is none.

Source: pip's `--find-links`; PEP 503 for the folders of a `file:` index.
"""

import os

from engine.environment.installed import normalize_name
from engine.errors import IndexUnavailable, InvalidPage
from engine.index.compatibility import WheelName
from engine.index.page import File, ProjectPage
from engine.index.places import ARCHIVES, path_of
from engine.limits import PAGE_BYTES
from engine.local import file_url

_PAGES = (".html", ".htm")


def archive_page(url: str) -> ProjectPage:
    """Returns the page of a place that is one file on the web; hashes may be in the fragment."""
    quoted = url.replace("&", "&amp;").replace('"', "%22").replace("<", "%3C")
    return ProjectPage.from_html(f'<a href="{quoted}">file</a>'.encode(), url, "")


def read_place(place: str) -> ProjectPage:
    """Reads a local folder, page or file that lists files of any project.

    Args:
        place: an absolute path or a `file:` URL.

    Raises:
        IndexUnavailable: when there is no such place, or it cannot be read.
        InvalidPage: when a page is none.
    """
    path = path_of(place)
    if os.path.isdir(path):
        return _list_folder(path)
    if path.endswith(_PAGES):
        return _read_page(path, "")
    if path.endswith(ARCHIVES) and os.path.isfile(path):
        return ProjectPage.of_files([_file(path)], file_url(path))
    raise IndexUnavailable(f"{path} is no folder, page or file", hint="check --find-links")


def read_project(place: str, project: str) -> ProjectPage:
    """Reads the page of a project on a local index: its `index.html`, else what its folder holds.

    Args:
        place: the index's folder, as a path or a `file:` URL.
        project: a normalised name.

    Raises:
        IndexUnavailable: when it cannot be read.
        InvalidPage: when the page is none.
    """
    folder = os.path.join(path_of(place), project)
    page = os.path.join(folder, "index.html")
    if os.path.isfile(page):
        return _read_page(page, project)
    found = by_project(_list_folder(folder)).get(project)
    return found or ProjectPage(name=project, url=file_url(folder) + "/", files=())


def by_project(page: ProjectPage) -> dict[str, ProjectPage]:
    """Sorts the files of a flat page by the project that their names tell; other files are dropped."""
    files: dict[str, list[File]] = {}
    for file in page.all_files():
        name = _project_of(file.filename)
        if name:
            files.setdefault(name, []).append(file)
    return {
        name: ProjectPage(name=name, url=page.url, files=tuple(found), notes=page.notes, warnings=page.warnings)
        for name, found in files.items()
    }


def _project_of(filename: str) -> str:
    if filename.endswith(".whl"):
        wheel = WheelName.parse(filename)
        return "" if wheel is None else normalize_name(wheel.project)
    suffix = next((suffix for suffix in ARCHIVES if filename.endswith(suffix)), "")
    return normalize_name(filename.removesuffix(suffix).rpartition("-")[0]) if suffix else ""


def _list_folder(path: str) -> ProjectPage:
    try:
        with os.scandir(path) as entries:
            names = sorted(entry.name for entry in entries if entry.name.endswith(ARCHIVES) and entry.is_file())
        files = [_file(os.path.join(path, name)) for name in names]
    except OSError as exc:
        raise IndexUnavailable(f"cannot read {path}: {exc.strerror}") from exc
    return ProjectPage.of_files(files, file_url(path) + "/")


def _file(path: str) -> File:
    try:
        size = os.stat(path).st_size
    except OSError as exc:
        raise IndexUnavailable(f"cannot read {path}: {exc.strerror}") from exc
    return File(filename=os.path.basename(path), url=_url(path), size=size)


def _url(path: str) -> str:
    try:
        return file_url(path)
    except UnicodeEncodeError:
        return "unsafe:"  # a name that is no text: left out by the rules about names


def _read_page(path: str, project: str) -> ProjectPage:
    try:
        with open(path, "rb") as file:
            body = file.read(PAGE_BYTES + 1)
    except OSError as exc:
        raise IndexUnavailable(f"cannot read {path}: {exc.strerror}") from exc
    if len(body) > PAGE_BYTES:
        raise InvalidPage(f"{path} is larger than {PAGE_BYTES >> 20} MiB")
    return ProjectPage.from_html(body, file_url(path), project)
