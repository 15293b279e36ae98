"""Wheels: the archive, its layout, RECORD, metadata and scripts (pure); unpacking (I/O).

Pure modules take bytes or text and return values; `tree` and `unpack` alone open
files.  `layout`, `record` and `scripts` are on the warm path and import nothing
heavy.  The package itself imports nothing.
"""
