"""SHA-256 without OpenSSL, for small texts.  On the warm path.

`hashlib` loads OpenSSL, which takes 5 ms; the interpreter brings its own
implementation too, under a name that has changed with its versions.
"""

try:
    from _sha2 import sha256
except ImportError:
    try:
        from _sha256 import sha256  # type: ignore[import-not-found,no-redef,unused-ignore]  # before 3.12
    except ImportError:  # another implementation of Python
        from hashlib import sha256

__all__ = ["sha256"]
