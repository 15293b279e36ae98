"""Bytecode: compiled once per wheel and interpreter, kept in the cache, linked into environments.

`kind` says which bytecode an interpreter reads, `compiler` runs interpreters
that compile, `script` is what they run, `provision` brings a wheel's bytecode
into the cache, `planning` adds it to what a wheel installs.  Only a run that is
asked for bytecode loads any of it, and not even that one when it is warm: a plan
names compiled files as it names all others.
"""
