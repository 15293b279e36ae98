"""Compiled files among what a wheel installs."""

from cache.bytecode import Bytecode, CompiledFile
from cache.manifest import Manifest, ManifestFile
from engine.bytecode.planning import add_bytecode, modules, relative_place
from engine.planning import plan_entry

SCHEMES = {"purelib": "lib/site", "platlib": "lib64/site", "scripts": "bin", "headers": "include", "data": ""}


def manifest(*paths: str, purelib: bool = True) -> Manifest:
    return Manifest(
        filename="demo-1.0-py3-none-any.whl",
        name="demo",
        version="1.0",
        dist_info="demo-1.0.dist-info",
        data="demo-1.0.data",
        root_is_purelib=purelib,
        files=tuple(ManifestFile(path, 1, 1, False, "x") for path in paths),
    )


def test_modules_are_what_goes_into_site_packages() -> None:
    wheel = manifest(
        *("demo/a.py", "demo/b.txt", "top.py", "demo-1.0.data/scripts/run.py", "demo-1.0.data/data/c.py"),
        *("demo-1.0.data/purelib/d.py", "demo-1.0.data/headers/e.py"),
    )
    assert modules(wheel) == [
        ("demo/a.py", "demo/a.py", 1),
        ("top.py", "top.py", 1),
        ("demo-1.0.data/purelib/d.py", "d.py", 1),
    ]


def test_compiled_files_follow_their_modules_into_every_scheme() -> None:
    wheel = manifest("demo/a.py", "top.py", "demo-1.0.data/platlib/d.py", "demo-1.0.data/data/c.py")
    entry = plan_entry(wheel, "ab" * 32, 1, SCHEMES)
    before = entry.record
    files = [
        CompiledFile("demo/a.py", "a.tag.pyc", 10, 100, "00"),
        CompiledFile("top.py", "top.tag.pyc", 11, 101, "00"),
        CompiledFile("demo-1.0.data/platlib/d.py", "d.tag.pyc", 12, 102, "00"),
    ]
    add_bytecode(entry, SCHEMES, Bytecode(stamp=1, files=tuple(files)), "../place")
    added = [folder for folder in entry.folders if "__pycache__" in folder[1]]
    assert sorted(added) == [
        ("platlib", "__pycache__", "../place/demo-1.0.data/platlib/__pycache__", ("d.tag.pyc",), (12,), (102,)),
        ("purelib", "__pycache__", "../place/__pycache__", ("top.tag.pyc",), (11,), (101,)),
        ("purelib", "demo/__pycache__", "../place/demo/__pycache__", ("a.tag.pyc",), (10,), (100,)),
    ]
    assert entry.record.startswith(before)
    assert sorted(entry.record[len(before) :].splitlines()) == [
        "../../lib64/site/__pycache__/d.tag.pyc,,",
        "__pycache__/top.tag.pyc,,",
        "demo/__pycache__/a.tag.pyc,,",
    ]


def test_what_the_wheel_brings_itself_stays_as_it_has_it() -> None:
    entry = plan_entry(manifest("demo/a.py", "demo/__pycache__/a.tag.pyc"), "ab" * 32, 1, SCHEMES)
    folders, record = entry.folders, entry.record
    bytecode = Bytecode(stamp=1, files=(CompiledFile("demo/a.py", "a.tag.pyc", 10, 100, "00"),))
    add_bytecode(entry, SCHEMES, bytecode, "../place")
    assert (entry.folders, entry.record) == (folders, record)


def test_the_place_is_relative_so_that_a_cache_can_move() -> None:
    assert relative_place("/cache/bytecode-v1/k/ab/s/tree", "/cache/wheels-v1/ab/s/tree") == (
        "../../../../bytecode-v1/k/ab/s/tree"
    )
