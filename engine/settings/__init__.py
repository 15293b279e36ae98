"""Settings: what variables and files say where the command line says nothing.

Every long option of `engine.arguments` has a setting of the same name in files,
and a variable ENGINE_<NAME>.  The order is: command line, ENGINE_ variables,
variables of uv and pip, the project's file, the user's, the system's, pip's
files.  docs/settings.md is the reference.
"""
