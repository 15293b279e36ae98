#!/bin/sh
# Starts engine with the Python that came with it, wherever a link to this file is.
if [ ! -e @LOADER@ ]; then
    echo "error: engine's own Python needs glibc for @MACHINE@, and this system has none (@LOADER@ is missing)" >&2
    echo "hint: use an image with glibc for that processor, such as Debian or Ubuntu; elsewhere install engine with pip" >&2
    exit 1
fi
exec @FOLDER@/python/bin/python3 -I -S @FOLDER@/start.py "$@"
