"""What kind of place an index or find-links location is.

Light, because the process that talks to the network asks; the reading of places
is for `engine.index.find_links`, in a worker.
"""

import os
from urllib.parse import urlsplit

from engine.credentials import without_credentials
from engine.errors import ConfigurationError, IndexUnavailable
from engine.local import local_path

ARCHIVES = (".whl", ".tar.gz", ".zip")


def is_local(place: str) -> bool:
    """Tells whether a place is a path or a `file:` URL."""
    return "://" not in place or place.startswith("file:")


def names_archive(place: str) -> bool:
    """Tells whether a place is one wheel or source distribution, and no list of them."""
    return urlsplit(place).path.endswith(ARCHIVES) if not is_local(place) else place.endswith(ARCHIVES)


def path_of(place: str) -> str:
    """Returns the path of a local place.

    Raises:
        ConfigurationError: when its URL names another host.
    """
    return local_path(place) if place.startswith("file:") else place


def has_project(place: str, project: str) -> bool:
    """Tells whether a local index has a project.

    Args:
        place: the index's folder, as a path or a `file:` URL.
        project: a normalised name.

    Raises:
        ConfigurationError: when there is nothing at that path.
        IndexUnavailable: when it is no folder.
    """
    root = path_of(place)
    if not os.path.isdir(root):
        shown = without_credentials(root)
        hint = "an address starts with https:// or http://; check --index-url, --index and --extra-index-url"
        if os.path.lexists(root):
            raise IndexUnavailable(f"{shown} is no folder, so it is no index", hint=hint)
        raise ConfigurationError(f"there is no folder {shown}, so it is no index", hint=hint)
    return os.path.isdir(os.path.join(root, project))
