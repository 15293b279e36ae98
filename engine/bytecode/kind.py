"""Which bytecode an interpreter reads.  PURE.

Source: PEP 3147 (cache tags), PEP 552 (what a compiled file is checked against).
"""

from dataclasses import dataclass

from cache.bytecode import BUCKET


@dataclass(frozen=True, slots=True, kw_only=True)
class BytecodeKind:
    """Compiled files of one kind can be used by every interpreter that names the same one.

    Attributes:
        python: absolute path of an interpreter that makes them.
        cache_tag: such as `cpython-312`; a part of every file's name.
        magic: the format's number in hex; changes with the interpreter's minor version, and while that is developed.
        hashed: files carry a hash of their source that nobody checks, instead of its mtime: the same bytes each time.
    """

    python: str
    cache_tag: str
    magic: str
    hashed: bool

    @property
    def key(self) -> str:
        """The name of its folder in the cache."""
        return f"{self.cache_tag}-{self.magic}-{'hash' if self.hashed else 'time'}"

    def compiled_name(self, module: str) -> str:
        """Returns the name of the compiled file for a source file's name, `module.py`."""
        return f"{module.removesuffix('.py')}.{self.cache_tag}.pyc"


def is_bytecode(path: str) -> bool:
    """Tells whether a path of the cache belongs to compiled files."""
    return f"/{BUCKET}/" in path.replace("\\", "/")
