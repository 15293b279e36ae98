"""Where a distribution says it came from: the text of `direct_url.json`, made and compared.  PURE.

Off the warm path: a plan has the text ready, and a text that is the expected one
is not read as JSON.

Source: PEP 610, "Recording the Direct URL Origin of installed distributions".
"""

import json
from urllib.parse import urldefrag

from packaging.direct_url import ArchiveInfo, DirectUrl, DirectUrlValidationError


def direct_url_text(url: str, sha256: str | None) -> str:
    """Returns the content of `direct_url.json` for a wheel.

    Args:
        url: absolute; its credentials and its fragment do not get into the text.
        sha256: hex digest of the wheel, or None where it is not known yet.

    Source: PEP 610: "the user:password section of the URL MUST be removed".
    """
    info = ArchiveInfo(hashes={"sha256": sha256} if sha256 else None)
    origin = DirectUrl(url=urldefrag(url).url, archive_info=info)
    fields = origin.to_dict(generate_legacy_hash=True, safe_user_passwords=())
    return json.dumps(fields, sort_keys=True, separators=(",", ":"))


def same_origin(found: str, wanted: str) -> bool:
    """Tells whether a distribution came from the wheel that is wanted.

    Args:
        found: the installed `direct_url.json`; anything else than that is another origin.
        wanted: what `direct_url_text` made.

    Returns:
        True for one URL whose hashes do not contradict each other.
    """
    try:
        there, here = (DirectUrl.from_dict(json.loads(text)) for text in (found, wanted))
    except (ValueError, TypeError, AttributeError, RecursionError, DirectUrlValidationError):
        return False
    if there.archive_info is None or here.archive_info is None or there.subdirectory or there.url != here.url:
        return False
    known = there.archive_info.hashes or {}
    return all(known.get(algorithm, digits) == digits for algorithm, digits in (here.archive_info.hashes or {}).items())
