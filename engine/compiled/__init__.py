"""The answer of a resolution as a file: requirements.txt or pylock.toml, and what an earlier one says.

`model` has the values; `requirements_txt` and `pylock_toml` write, `preferences` reads, `keeping` keeps what an earlier
one has of files, `command` tells how the file was made.
"""
