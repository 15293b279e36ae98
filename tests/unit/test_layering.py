"""The rules on imports, sizes and printing, read from the sources with `ast`."""

import ast
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAYERS = ("cli", "engine", "cache", "resolver")
MAY_IMPORT = {
    "cli": {"cli", "engine"},
    "engine": {"engine", "cache", "resolver"},
    "cache": {"cache"},
    "resolver": {"resolver"},
}
# None: any library.
LIBRARIES: dict[str, set[str] | None] = {"cli": None, "engine": None, "cache": set(), "resolver": {"packaging"}}
HOMES = {
    "aiohttp": {"engine/index/session.py", "engine/download.py"},
    "pydantic": {"engine/report_schema.py", "engine/settings/checking.py", "engine/settings/model.py"},
}
# probe.py is a script for another interpreter: printing is how it answers.
MAY_PRINT = {"cli.py", "engine/environment/probe.py"}
MAX_LINES = 600

# What a run with a warm cache loads; test_warm_imports.py checks that this is true.  The packages above them count too.
WARM_PATH = (
    "cache/layout.py",
    "cache/plans.py",
    "cli.py",
    "engine/arguments.py",
    "engine/environment/installed.py",
    "engine/environment/target.py",
    "engine/errors.py",
    "engine/inputs.py",
    "engine/light_sha256.py",
    "engine/linking.py",
    "engine/locations.py",
    "engine/options.py",
    "engine/parallel.py",
    "engine/printing.py",
    "engine/removal.py",
    "engine/reporting.py",
    "engine/settings/complete.py",
    "engine/settings/files.py",
    "engine/settings/memory.py",
    "engine/settings/variables.py",
    "engine/staging.py",
    "engine/storage.py",
    "engine/sync.py",
    "engine/transaction.py",
    "engine/wheel/layout.py",
    "engine/wheel/record.py",
    "engine/wheel/digest.py",
    "engine/wheel/scripts.py",
    "engine/warm.py",
    "engine/work.py",
)
# Built in, or loaded by every start of the interpreter anyway; anything else at module level is heavy.
LIGHT = {
    *(
        "__future__",
        "_sha2",
        "_sha256",
        "_signal",
        "_thread",
        "binascii",
        "builtins",
        "errno",
        "fcntl",
        "gc",
        "io",
        "itertools",
    ),
    *(
        "marshal",
        "msvcrt",
        "nt",
        "ntpath",
        "os",
        "posix",
        "posixpath",
        "select",
        "stat",
        "struct",
        "sys",
        "time",
        "zlib",
    ),
}


def sources() -> list[Path]:
    found = [ROOT / "cli.py"]
    for package in LAYERS[1:]:
        found += sorted((ROOT / package).rglob("*.py"))
    return [path for path in found if path.exists()]


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def names(node: ast.AST) -> list[str]:
    """The modules that one statement imports, in full."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "relative import"
        return [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []


def all_imports(tree: ast.AST) -> set[str]:
    return {name for node in ast.walk(tree) for name in names(node)}


def top(modules: Iterable[str]) -> set[str]:
    return {module.partition(".")[0] for module in modules}


def module_level(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """The statements that run when the module is imported.

    Not those under TYPE_CHECKING, and not what an older Python falls back to where a light module is missing.
    """
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.ExceptHandler) and node.type and ast.unparse(node.type) == "ImportError":
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from module_level(node.orelse)
            continue
        yield node
        yield from module_level(ast.iter_child_nodes(node))


def heavy_imports(source: str, warm_modules: set[str]) -> set[str]:
    """What a source imports at module level that is neither light nor itself on the warm path."""
    heavy = set()
    for node in module_level(ast.parse(source).body):
        for name in names(node)[:1] if isinstance(node, ast.ImportFrom) else names(node):
            if name in warm_modules or (name.partition(".")[0] in LIGHT):
                continue
            imported = {f"{name}.{alias.name}" for alias in getattr(node, "names", ())}
            if not (isinstance(node, ast.ImportFrom) and imported <= warm_modules):
                heavy.add(name)
    return heavy


def layer_violations(layer: str, source: str) -> set[str]:
    """What a source of one layer imports, anywhere in it, that the layer may not know."""
    imported = top(all_imports(ast.parse(source)))
    forbidden = imported & set(LAYERS) - MAY_IMPORT[layer]
    libraries = LIBRARIES[layer]
    if libraries is not None:
        forbidden |= imported - set(LAYERS) - libraries - set(sys.stdlib_module_names)
    return forbidden


def prints(source: str) -> bool:
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
        for node in ast.walk(ast.parse(source))
    )


def warm_files() -> set[str]:
    """The warm path and the `__init__.py` that are loaded on the way to it."""
    found = set(WARM_PATH)
    for path in WARM_PATH:
        found |= {f"{parent.as_posix()}/__init__.py" for parent in Path(path).parents if parent != Path(".")}
    return found


def module_name(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


@pytest.mark.parametrize("path", sources(), ids=relative)
def test_imports_point_one_way(path: Path) -> None:
    layer = path.relative_to(ROOT).parts[0].removesuffix(".py")
    assert layer_violations(layer, path.read_text(encoding="utf-8")) == set()


@pytest.mark.parametrize("library", sorted(HOMES))
def test_library_is_imported_in_its_home_only(library: str) -> None:
    users = {relative(path) for path in sources() if library in top(all_imports(ast.parse(path.read_bytes())))}
    assert users <= HOMES[library]


@pytest.mark.parametrize("path", sorted(warm_files()))
def test_warm_path_imports_nothing_heavy(path: str) -> None:
    warm_modules = {module_name(warm) for warm in warm_files()}
    assert heavy_imports((ROOT / path).read_text(encoding="utf-8"), warm_modules) == set()


def test_only_the_command_line_prints() -> None:
    assert {relative(path) for path in sources() if prints(path.read_text(encoding="utf-8"))} <= MAY_PRINT


def test_no_file_is_too_long() -> None:
    files = [*sources(), *(ROOT / "tests").rglob("*.py")]
    assert [relative(path) for path in files if path.read_bytes().count(b"\n") > MAX_LINES] == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import re", {"re"}),
        ("import os.path, json", {"json"}),
        ("from collections.abc import Mapping", {"collections.abc"}),
        ("try:\n    import asyncio\nexcept ImportError:\n    pass", {"asyncio"}),
        ("try:\n    from _sha2 import sha256\nexcept ImportError:\n    from hashlib import sha256", set()),
        ("class A:\n    import typing", {"typing"}),
        ("import engine.pipeline", {"engine.pipeline"}),
        ("from engine import pipeline", {"engine"}),
        ("TYPE_CHECKING = False\nif TYPE_CHECKING:\n    import re\nelse:\n    import json", {"json"}),
        ("def work() -> None:\n    import asyncio", set()),
        ("import os, sys\nfrom engine.errors import EngineError\nfrom engine import errors", set()),
    ],
)
def test_a_heavy_import_is_noticed_where_it_costs_and_only_there(source: str, found: set[str]) -> None:
    assert heavy_imports(source, {"engine.errors"}) == found


@pytest.mark.parametrize(
    ("layer", "source", "found"),
    [
        ("cache", "def work():\n    import engine.errors", {"engine"}),
        ("cache", "import json, packaging", {"packaging"}),
        ("resolver", "from packaging.version import Version\nimport cache", {"cache"}),
        ("engine", "import cli, cache, aiohttp", {"cli"}),
        ("cli", "import rich, engine, resolver", {"resolver"}),
    ],
)
def test_an_import_across_layers_is_noticed(layer: str, source: str, found: set[str]) -> None:
    assert layer_violations(layer, source) == found


def test_a_call_of_print_is_noticed() -> None:
    assert prints("def work():\n    print('x')")
    assert not prints("def work(printer):\n    printer.print('x')")
