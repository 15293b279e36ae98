"""How RECORD writes a digest.  Pure, and on the warm path.

Source: "Recording installed projects", "The RECORD file".
"""

from binascii import b2a_base64

_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def encode_digest(digest: bytes) -> str:
    """Returns a digest in URL-safe base64 without padding."""
    return b2a_base64(digest, newline=False).translate(_URL_SAFE).rstrip(b"=").decode("ascii")
