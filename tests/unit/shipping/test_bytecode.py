"""Bytecode in the file is what Python takes as it is, and the same bytes each time."""

import importlib.util
import marshal
import sys

from shipping.bytecode import compile_modules, find_interpreter
from shipping.payload import File

FILES = {
    "top.py": File(b"x = {'a', 'b', 'c'}\n"),
    "folder/inner.py": File(b"def f(y):\n    return y in {'a', 'b', 'c', 1, 2.0}\n"),
    "folder/template.py": File(b"{{ not Python }}: ("),
    "folder/text.txt": File(b""),
}
MINOR = sys.version_info[1]


def test_modules_that_compile_are_compiled_where_python_looks_for_them() -> None:
    interpreter = find_interpreter(MINOR)
    assert interpreter is not None
    compiled = compile_modules(FILES, interpreter)
    expected = {importlib.util.cache_from_source(name) for name in ("top.py", "folder/inner.py")}
    assert set(compiled) == expected
    body = compiled[importlib.util.cache_from_source("top.py")].body
    assert body[:4] == importlib.util.MAGIC_NUMBER
    assert int.from_bytes(body[4:8], "little") == 0b01, "a hash that is not checked, PEP 552"
    assert marshal.loads(body[16:]).co_filename == "top.py", "nothing of the machine that builds"
    assert compile_modules(FILES, interpreter) == compiled


def test_versions_that_are_not_here_are_not_made_up() -> None:
    assert find_interpreter(99) is None
