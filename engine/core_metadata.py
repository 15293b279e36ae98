"""A distribution's METADATA as JSON.  Pure.

Source: "Core metadata specifications"; PEP 566, "JSON-compatible Metadata", as pip writes it.
"""

from typing import Any

from packaging.metadata import parse_email

#: Fields of `packaging` that PEP 566 knows by the name of their header.
_HEADER_NAMES = {
    "platforms": "platform",
    "supported_platforms": "supported_platform",
    "classifiers": "classifier",
    "license_files": "license_file",
    "import_names": "import_name",
    "import_namespaces": "import_namespace",
}

#: Headers that may stand more than once.
_MULTIPLE = frozenset(
    {
        *_HEADER_NAMES.values(),
        *("dynamic", "requires_dist", "requires_external", "project_url", "provides_extra", "provides_dist"),
        *("obsoletes_dist", "requires", "provides", "obsoletes"),
    }
)


def metadata_json(content: bytes) -> dict[str, str | list[str]]:
    """Returns METADATA as PEP 566 transforms it.

    Args:
        content: of the file; what is no valid field is kept as it was found.
    """
    raw, unparsed = parse_email(content)
    found: dict[str, Any] = {_HEADER_NAMES.get(key, key): value for key, value in raw.items()}
    if (urls := found.pop("project_urls", None)) is not None:
        found["project_url"] = [f"{label}, {url}" if label else url for label, url in urls.items()]
    if (keywords := found.get("keywords")) is not None and len(keywords) == 1:
        # "Keywords" were separated by spaces once.
        found["keywords"] = keywords[0].split()
    for header, values in unparsed.items():
        key = header.lower().replace("-", "_")
        texts = [str(value) for value in values]
        found.setdefault(key, texts if key in _MULTIPLE else texts[0])
    return found
