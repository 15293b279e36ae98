"""METADATA as JSON: what pip's report has for the same file."""

import importlib
from email.parser import BytesParser
from email.policy import compat32
from typing import Any

import pytest

from engine.core_metadata import metadata_json

RICH = """\
Metadata-Version: 2.4
Name: Rich.Demo
Version: 1.0
Dynamic: license
Platform: any
Supported-Platform: linux-x86_64
Summary: A démo
Keywords: one,two
Home-page: https://example.com
Download-URL: https://example.com/demo
Author: A. Uthor
Author-email: a@example.com
Maintainer: M. Aintainer
Maintainer-email: m@example.com
License-Expression: MIT
License-File: LICENSE
License-File: NOTICE
Classifier: Private :: Do Not Upload
Classifier: Topic :: Software Development
Requires-Dist: other>=2
Requires-Dist: more; extra == "all"
Requires-Python: >=3.9
Requires-External: libc
Project-URL: Source, https://example.com/source
Project-URL: Documentation, https://example.com/a,b
Provides-Extra: all
Description-Content-Type: text/markdown

# Demo

Text: of the description.
"""
SAMPLES = {
    "rich": RICH,
    "least": "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n",
    "old-keywords": "Metadata-Version: 1.1\nName: demo\nVersion: 1.0\nKeywords: one two three\nLicense: MIT\n",
    "description-as-a-header": "Metadata-Version: 2.0\nName: demo\nVersion: 1.0\nDescription: long\n        text\n",
    "no-value": "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nSummary:\nProvides-Dist: x\nObsoletes-Dist: y\n",
    "two-of-one-label": (
        "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nProject-URL: A, https://a.example\nProject-URL: A, b\n"
    ),
}


def as_pip(content: bytes) -> dict[str, Any]:
    convert: Any = importlib.import_module("pip._internal.metadata._json").msg_to_json
    found: dict[str, Any] = convert(BytesParser(policy=compat32).parsebytes(content))
    return found


@pytest.mark.parametrize("name", SAMPLES)
def test_the_same_as_pip(name: str) -> None:
    content = SAMPLES[name].encode()
    assert metadata_json(content) == as_pip(content)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"Name: a\nName: b\n", b"no header at all"])
def test_what_is_no_metadata_is_no_error(content: bytes) -> None:
    assert all(isinstance(value, str | list) for value in metadata_json(content).values())
