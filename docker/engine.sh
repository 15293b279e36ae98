#!/bin/sh
# Starts engine with the Python that came with it, wherever a link to this file is.
python=@FOLDER@/python/bin/python3
if [ ! -e @LOADER@ ]; then
    echo "error: engine's own Python needs glibc for @MACHINE@, and this system has none (@LOADER@ is missing)" >&2
    echo "hint: use an image with glibc for that processor, such as Debian or Ubuntu; elsewhere install engine with pip" >&2
    exit 1
fi
# The loader would say it in its own words, and then it is too late for these.
if ! said=$(@LOADER@ --list "$python" 2>&1); then
    echo "error: engine's own Python needs glibc @GLIBC@ or newer, and this system has an older one: ${said##*: }" >&2
    echo "hint: use a newer system; on this one engine.pyz runs, or engine installed with pip, with Python 3.11 or newer" >&2
    exit 1
fi
exec "$python" -I -S @FOLDER@/start.py "$@"
