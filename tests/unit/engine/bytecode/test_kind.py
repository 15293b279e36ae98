"""Kinds of bytecode."""

from dataclasses import replace

from engine.bytecode.kind import BytecodeKind, is_bytecode

KIND = BytecodeKind(python="/usr/bin/python3", cache_tag="cpython-312", magic="cb0d0d0a", hashed=False)


def test_interpreters_that_read_the_same_files_share_a_key() -> None:
    assert replace(KIND, python="/elsewhere").key == KIND.key
    others = [replace(KIND, cache_tag="pypy310"), replace(KIND, magic="00"), replace(KIND, hashed=True)]
    assert len({KIND.key, *(other.key for other in others)}) == 4


def test_compiled_names_are_those_that_imports_look_for() -> None:
    assert KIND.compiled_name("module.py") == "module.cpython-312.pyc"
    assert KIND.compiled_name("a.b.py") == "a.b.cpython-312.pyc"


def test_paths_of_compiled_files_are_told_from_those_of_wheels() -> None:
    assert is_bytecode("/cache/wheels-v1/ab/x/tree/../../../../bytecode-v1/k/ab/x/tree/a.pyc")
    assert not is_bytecode("/cache/wheels-v1/ab/x/tree/bytecode.py")
