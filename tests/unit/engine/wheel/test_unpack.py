import base64
import hashlib
import os
import stat
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cache.manifest import EntryPoint, Manifest, ManifestFile
from engine.errors import InvalidWheel
from engine.wheel.unpack import SMALL_BYTES, SMALL_COMPRESSED_BYTES, WHOLE_MAX_BYTES, UnpackedWheel, Unpacker
from tests.support.building import DIST_INFO, FILENAME, Entry, archive, deflate, wheel, wheel_entries

Unpack = Callable[..., UnpackedWheel]

NOISE = os.urandom(SMALL_COMPRESSED_BYTES + 300_000)


class Unpacking:
    """Unpacks archives into folders of their own below a decoy that must stay as it is."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.count = 0
        self.tree = root

    def __call__(self, body: bytes, steps: Iterable[int] = (), filename: str = FILENAME) -> UnpackedWheel:
        """Unpacks `body`, of which first `steps` bytes are there."""
        self.count += 1
        self.tree = self.root / str(self.count)
        self.tree.mkdir()
        path = self.root / f"{self.count}.whl"
        path.write_bytes(b"")
        descriptor = os.open(path, os.O_RDWR)
        unpacker = Unpacker(descriptor, str(self.tree), filename)
        try:
            for available in steps:
                os.pwrite(descriptor, body[:available], 0)
                unpacker.advance(available)
            os.pwrite(descriptor, body, 0)
            return unpacker.finish(len(body))
        finally:
            unpacker.close()
            os.close(descriptor)
            path.unlink()

    def files(self) -> dict[str, bytes]:
        """Returns what lies in the last tree."""
        return {
            path.relative_to(self.tree).as_posix(): path.read_bytes()
            for path in self.tree.rglob("*")
            if not path.is_dir()
        }


@pytest.fixture
def unpack(tmp_path: Path) -> Unpacking:
    root = tmp_path / "root"
    root.mkdir()
    return Unpacking(root)


def contents(entries: Iterable[Entry]) -> dict[str, bytes]:
    return {entry.name: entry.content for entry in entries if not entry.name.endswith("/")}


def timeless(manifest: Manifest) -> Manifest:
    return replace(manifest, files=tuple(file._replace(mtime_ns=0) for file in manifest.files))


def plain_entries() -> list[Entry]:
    return [
        Entry(name="demo/", method=0, mode=0o40755),
        Entry(name="demo/empty/", method=0, mode=0o40755),
        Entry(name="demo/__init__.py"),
        Entry(name="demo/code.py", content=b"x = 1\n" * 500),
        Entry(name="demo/stored.bin", content=bytes(range(256)), method=0),
        Entry(name="demo-1.0.data/scripts/run", content=b"#!python\n", mode=0o106755),
    ]


ENTRY_POINTS = b"[console_scripts]\ndemo = demo.code:main\n[gui_scripts]\nwin = demo:Window.show\n"


def test_manifest_tells_everything_about_the_wheel(unpack: Unpacking) -> None:
    entries = wheel_entries(*plain_entries(), entry_points=ENTRY_POINTS)
    result = unpack(archive(entries))
    assert unpack.files() == contents(entries)
    assert (unpack.tree / "demo/empty").is_dir()
    assert result.warnings == []
    expected = []
    for name, content in contents(entries).items():
        if name == f"{DIST_INFO}/RECORD":
            continue
        sha256 = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        mtime_ns = (unpack.tree / name).stat().st_mtime_ns
        expected.append(ManifestFile(name, len(content), mtime_ns, name.endswith("/run"), sha256))
    assert result.manifest == Manifest(
        filename=FILENAME,
        name="demo",
        version="1.0",
        dist_info=DIST_INFO,
        data="demo-1.0.data",
        root_is_purelib=True,
        files=tuple(expected),
        console_scripts=(EntryPoint("demo", "demo.code", "main"),),
        gui_scripts=(EntryPoint("win", "demo", "Window.show"),),
    )


@pytest.mark.skipif(os.name == "nt", reason="needs modes")
def test_of_all_mode_bits_only_the_execute_bit_is_kept(unpack: Unpacking) -> None:
    modes = {"a": 0o104755, "b": 0o102711, "c": 0o101666, "d": 0o100666, "e": 0o100777, "f": 0}
    before = os.umask(0o022)
    try:
        unpack(wheel(*(Entry(name=name, mode=mode) for name, mode in modes.items())))
    finally:
        os.umask(before)
    found = {name: stat.S_IMODE((unpack.tree / name).stat().st_mode) for name in modes}
    assert found == {"a": 0o755, "b": 0o755, "c": 0o644, "d": 0o644, "e": 0o755, "f": 0o644}


def test_every_way_of_arriving_gives_the_same(unpack: Unpacking) -> None:
    entries = wheel_entries(*plain_entries())
    body = archive(entries)
    expected = timeless(unpack(body).manifest)
    for available in range(len(body) + 1):
        assert timeless(unpack(body, [available]).manifest) == expected
        assert unpack.files() == contents(entries)
    assert timeless(unpack(body, range(len(body) + 1)).manifest) == expected


def large_entries() -> list[Entry]:
    return [
        Entry(name="demo/a.py", content=b"a"),
        Entry(name="demo/noise.bin", content=NOISE),
        Entry(name="demo/zeros.bin", content=bytes(SMALL_BYTES + 5) + b"end"),
        Entry(name="demo/b.py", content=b"b"),
        Entry(name="demo/stored.bin", content=NOISE[::-1], method=0, mode=0o100755),
        Entry(name="demo/c.py", content=b"c"),
    ]


@pytest.fixture(scope="module")
def large() -> tuple[dict[str, bytes], bytes]:
    entries = wheel_entries(*large_entries())
    return contents(entries), archive(entries)


@pytest.mark.parametrize("step", [1 << 20, 700_001, 5_000_000, 100_000_000])
def test_large_members_are_unpacked_while_they_arrive(
    step: int, large: tuple[dict[str, bytes], bytes], unpack: Unpacking
) -> None:
    expected, body = large
    assert len(body) > WHOLE_MAX_BYTES
    result = unpack(body, range(0, len(body), step))
    assert unpack.files() == expected
    assert [file.path for file in result.manifest.files if file.executable] == ["demo/stored.bin"]
    assert {file.path: file.mtime_ns for file in result.manifest.files} == {
        name: (unpack.tree / name).stat().st_mtime_ns for name in expected if not name.endswith("/RECORD")
    }


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_large_wheel_is_the_same_after_any_growth(
    data: st.DataObject, large: tuple[dict[str, bytes], bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    expected, body = large
    steps = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=8)))
    unpack = Unpacking(tmp_path_factory.mktemp("growth"))
    unpack(body, steps)
    assert unpack.files() == expected


def test_large_member_is_on_the_disk_before_its_last_byte_arrives(
    large: tuple[dict[str, bytes], bytes], tmp_path: Path
) -> None:
    _, body = large
    archive_path = tmp_path / "a.whl"
    archive_path.write_bytes(body[: 2 << 20])
    tree = tmp_path / "tree"
    tree.mkdir()
    with archive_path.open("rb") as file:
        unpacker = Unpacker(file.fileno(), str(tree), FILENAME)
        unpacker.advance(2 << 20)
        written = (tree / "demo/noise.bin").stat().st_size
        unpacker.close()
        unpacker.close()
    assert written > 1 << 20


@pytest.mark.parametrize("descriptor", ["signed", "bare", "wide"])
def test_wheel_with_data_descriptors_is_unpacked_at_the_end(descriptor: str, unpack: Unpacking) -> None:
    entries = wheel_entries(*plain_entries()[2:])
    for entry in entries:
        entry.descriptor = descriptor
    body = archive(entries)
    for steps in ((), range(0, len(body), 50)):
        assert unpack(body, steps).warnings == []
        assert unpack.files() == contents(entries)


def test_large_member_with_data_descriptor_is_unpacked(unpack: Unpacking) -> None:
    entries = wheel_entries(Entry(name="a"), Entry(name="demo/noise.bin", content=NOISE, descriptor="signed"))
    body = archive(entries)
    unpack(body, range(0, len(body), 1 << 20))
    assert unpack.files() == contents(entries)


def test_wheel_that_zipfile_wrote_is_unpacked(unpack: Unpacking, tmp_path: Path) -> None:
    path = tmp_path / FILENAME
    entries = wheel_entries(*plain_entries()[2:])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as written:
        for entry in entries:
            with written.open(entry.name, "w", force_zip64=True) as file:
                file.write(entry.content)
        written.comment = b"a comment"
    unpack(path.read_bytes(), [500])
    assert unpack.files() == contents(entries)


def test_many_members_are_no_trouble(unpack: Unpacking) -> None:
    entries = [Entry(name=f"demo/{number}.py", content=b"%d" % number, method=0) for number in range(3000)]
    assert len(unpack(wheel(*entries)).manifest.files) == 3002


@pytest.mark.parametrize(
    ("spelling", "reason"),
    [
        ("other-1.0-py3-none-any.whl", "another distribution"),
        ("demo-2.0-py3-none-any.whl", "another distribution"),
        ("demo.zip", "file name"),
    ],
)
def test_wheel_of_another_name_is_refused(spelling: str, reason: str, unpack: Unpacking) -> None:
    with pytest.raises(InvalidWheel, match=f"{spelling}: .*{reason}"):
        unpack(wheel(), filename=spelling)


def test_name_and_version_may_be_spelled_differently(unpack: Unpacking) -> None:
    manifest = unpack(wheel(), filename="DEMO-1-py2.py3-none-any.whl").manifest
    assert (manifest.name, manifest.version) == ("demo", "1.0")


BAD = Entry(name="demo/bad.py", content=b"bad = 1\n" * 9)


def bad(**changes: object) -> bytes:
    entry = replace(BAD, **changes)  # type: ignore[arg-type]
    return wheel(Entry(name="demo/good.py", content=b"good"), entry)


HOSTILE = {
    "climbing name": (bad(name="../bad.py"), "'..'"),
    "name climbing inside": (bad(name="a/../../bad.py"), "'..'"),
    "absolute name": (bad(name="/etc/bad"), "absolute"),
    "drive": (bad(name="C:/bad"), "drive letter"),
    "backslash": (bad(name="a\\..\\bad"), "backslash"),
    "control character": (bad(name="bad\x1b[0m"), "U\\+001B"),
    "long component": (bad(name="b" * 256), "255 bytes"),
    "symbolic link": (bad(mode=0o120777), "neither a plain file"),
    "device": (bad(mode=0o20666), "neither a plain file"),
    "pipe": (bad(mode=0o10666), "neither a plain file"),
    "file below a link": (
        wheel(Entry(name="demo/l", content=b"/", mode=0o120777), Entry(name="demo/l/x")),
        "demo/l'",
    ),
    "different duplicate": (wheel(BAD, replace(BAD, content=b"other")), "two different members"),
    "different duplicate with one CRC": (
        wheel(Entry(name="demo/x", content=b"plumless"), Entry(name="demo/x", content=b"buckeroo")),
        "two different members",
    ),
    "damaged duplicate": (wheel(BAD, replace(BAD, data=b"\xff" * 20)), "damaged"),
    "data on the root": (wheel(BAD, Entry(name="demo-1.0.data/purelib/demo/bad.py")), "belong to one place"),
    "metadata of another": (wheel(Entry(name="demo-1.0.data/purelib/x-1.dist-info/RECORD")), "of another"),
    "file and folder": (wheel(Entry(name="demo"), Entry(name="demo/x")), "another member"),
    "folder and file": (wheel(Entry(name="demo/x"), Entry(name="demo")), "another member"),
    "folder member and file": (wheel(Entry(name="a"), Entry(name="a/", method=0, mode=0o40755)), "another member"),
    "folder with content": (wheel(Entry(name="demo/", content=b"x")), "folder with content"),
    "encrypted": (bad(flags=1), "encrypted"),
    "bzip2": (bad(method=12, data=b"x"), "bzip2"),
    "local name": (bad(local={"name": b"demo/too.py"}), "differs"),
    "local crc": (bad(local={"crc": 5}), "differs"),
    "local size": (bad(local={"size": 71}), r"differs|damaged"),
    "wrong crc and no row": (
        archive(
            wheel_entries(replace(BAD, local={"crc": 5}, central={"crc": 5}), record=f"{DIST_INFO}/RECORD,,\n".encode())
        ),
        "CRC is wrong",
    ),
    "too small size": (bad(local={"size": 10}, central={"size": 10}), "longer than declared"),
    "too large size": (bad(local={"size": 1000}, central={"size": 1000}), "1000 were declared"),
    "damaged data": (bad(data=b"\xff" * 20), "damaged"),
    "stored with two sizes": (bad(method=0, local={"size": 10}, central={"size": 10}), "two sizes"),
    "hidden member": (
        archive([Entry(name="demo/hidden.py", hidden=True), *wheel_entries(BAD)]),
        r"not in the central directory|before its first",
    ),
    "hidden member in the middle": (
        archive([BAD, Entry(name="demo/hidden.py", hidden=True), *wheel_entries()]),
        r"not in the central directory|belong to no member",
    ),
    "hidden member at the end": (
        archive([*wheel_entries(BAD), Entry(name="demo/hidden.py", hidden=True)]),
        r"not in the central directory|belong to no member",
    ),
    "trailing bytes": (wheel(BAD) + b"\n", "end record"),
    "leading bytes": (b"MZ" + wheel(BAD), "end record"),
    "no dist-info": (archive([BAD]), "no dist-info"),
    "two dist-infos": (wheel(Entry(name="other-1.dist-info/METADATA")), "2 dist-info"),
    "no RECORD": (archive(wheel_entries(BAD)[:-1]), "no RECORD"),
    "no WHEEL": (archive(wheel_entries(BAD, wheel=None)), "no WHEEL"),
    "no METADATA": (archive(wheel_entries(BAD, metadata=None)), "no METADATA"),
    "other METADATA": (wheel(metadata=b"Name: other\nVersion: 1.0\n"), "name 'other'"),
    "newer format": (wheel(wheel=b"Wheel-Version: 2.0\n"), "format 2.0"),
    "RECORD in another encoding": (wheel(record=b"\xff,,\n"), "RECORD is not UTF-8"),
    "RECORD with two columns": (wheel(record=b"a,b\n"), "2 columns"),
    "entry points in another encoding": (wheel(entry_points=b"\xff"), "not UTF-8"),
    "script name": (wheel(entry_points=b"[console_scripts]\n../x = a:b\n"), "script name"),
    "script value": (wheel(entry_points=b"[gui_scripts]\nx = a:b()\n"), "module:attribute"),
    "unknown scheme": (wheel(Entry(name="demo-1.0.data/else/x")), "no known scheme"),
    "script in a folder": (wheel(Entry(name="demo-1.0.data/scripts/a/x")), "sub-folder"),
    "interpreter": (wheel(Entry(name="demo-1.0.data/data/bin/python3")), "replace the interpreter"),
    "climbing data": (wheel(Entry(name="demo-1.0.data/purelib/../../x")), "'..'"),
    "bomb": (wheel(Entry(name="zeros", content=bytes(70 << 20))), "would unpack to"),
}


@pytest.mark.parametrize("case", HOSTILE)
@pytest.mark.parametrize("growing", [False, True], ids=["whole", "growing"])
def test_hostile_wheel_is_refused_by_name_and_stays_in_its_folder(growing: bool, case: str, unpack: Unpacking) -> None:
    body, reason = HOSTILE[case]
    with pytest.raises(InvalidWheel, match=reason) as error:
        unpack(body, range(0, len(body) + 1, max(len(body) // 100, 1)) if growing else ())
    assert str(error.value).startswith(FILENAME + ": ")
    assert str(error.value).isprintable()
    assert list(unpack.root.iterdir()) == [unpack.tree]
    assert not any(path.is_symlink() for path in unpack.tree.rglob("*"))


def test_large_member_stops_at_its_declared_size(unpack: Unpacking) -> None:
    declared = SMALL_BYTES + 1
    entry = Entry(name="zeros", content=bytes(declared), data=deflate(bytes(declared * 3)))
    body = wheel(entry, Entry(name="noise", content=NOISE, method=0))
    for steps in ((), [200_000]):
        with pytest.raises(InvalidWheel, match="'zeros' is damaged"):
            unpack(body, steps)
        assert (unpack.tree / "zeros").stat().st_size <= declared


def test_large_member_that_ends_before_its_declared_size_is_refused(unpack: Unpacking) -> None:
    entry = Entry(name="zeros", content=bytes(SMALL_BYTES + 1), data=deflate(bytes(SMALL_BYTES)))
    body = wheel(entry, Entry(name="noise", content=NOISE, method=0))
    with pytest.raises(InvalidWheel, match=r"'zeros' is damaged.*shorter"):
        unpack(body)


def test_close_in_the_middle_of_a_large_member_leaves_no_file_open(
    large: tuple[dict[str, bytes], bytes], unpack: Unpacking
) -> None:
    _, body = large
    lowest_free = os.dup(0)
    os.close(lowest_free)
    with pytest.raises(InvalidWheel):
        unpack(body[: 2 << 20], [2 << 20])
    assert (unpack.tree / "demo/noise.bin").exists()
    after = os.dup(0)
    os.close(after)
    assert after == lowest_free


def test_bomb_is_not_unpacked_while_it_arrives(tmp_path: Path) -> None:
    path = tmp_path / "bomb.whl"
    body = wheel(Entry(name="a"), Entry(name="zeros", content=bytes(70 << 20)))
    path.write_bytes(body)
    tree = tmp_path / "tree"
    tree.mkdir()
    with path.open("rb") as file:
        unpacker = Unpacker(file.fileno(), str(tree), FILENAME)
        unpacker.advance(len(body))
        unpacker.close()
    assert [found.name for found in tree.iterdir()] == ["a"]


@pytest.mark.parametrize("growing", [False, True], ids=["whole", "growing"])
def test_oddities_are_warnings(growing: bool, unpack: Unpacking) -> None:
    twice = Entry(name="demo/twice.py", content=b"twice")
    entries = wheel_entries(
        *(twice, twice, Entry(name="demo/Case.py"), Entry(name="demo/case.py")),
        wheel=b"Wheel-Version: 1.9\n",
        add_to_record="demo/gone.py,sha256=x,1\n",
    )
    record = entries[-1]
    record.content = record.content.replace(b"demo/Case.py,sha256=", b"demo/Case.py,sha256=x")
    body = archive([Entry(name="demo/unlisted.py"), *entries])
    result = unpack(body, range(0, len(body), 40) if growing else ())
    assert result.warnings == [
        f"{FILENAME}: member 'demo/twice.py' is there twice",
        f"{FILENAME}: members 'demo/Case.py' and 'demo/case.py' are the same file on some file systems",
        f"{FILENAME}: it has the newer wheel format 1.9",
        f"{FILENAME}: 'demo/unlisted.py' is not in RECORD",
        f"{FILENAME}: RECORD is wrong about 'demo/Case.py'",
        f"{FILENAME}: RECORD lists 'demo/gone.py', which is not there",
    ]
    paths = [file.path for file in result.manifest.files]
    assert paths[:4] == ["demo/unlisted.py", "demo/twice.py", "demo/Case.py", "demo/case.py"]
    assert result.manifest.root_is_purelib is False


def test_of_very_many_warnings_the_first_are_given(unpack: Unpacking) -> None:
    rows = "".join(f"gone{number}.py,,\n" for number in range(1000))
    warnings = unpack(archive(wheel_entries(add_to_record=rows))).warnings
    assert warnings[0] == f"{FILENAME}: RECORD lists 'gone0.py', which is not there"
    assert warnings[10:] == [f"{FILENAME}: and 990 more warnings of this kind"]


def test_large_duplicate_is_compared_while_it_arrives(unpack: Unpacking) -> None:
    twice = Entry(name="noise", content=NOISE, method=0)
    body = wheel(twice, twice)
    assert unpack(body, range(0, len(body), 1 << 20)).warnings == [f"{FILENAME}: member 'noise' is there twice"]
    other = replace(twice, content=b"buckeroo" + NOISE, central={"crc": 1}, local={"crc": 1})
    body = wheel(replace(twice, content=b"plumless" + NOISE, central={"crc": 1}, local={"crc": 1}), other)
    with pytest.raises(InvalidWheel, match="two different members"):
        unpack(body, range(0, len(body), 1 << 20))


def test_strict_unpacking_refuses_what_is_else_a_warning(tmp_path: Path) -> None:
    body = archive(wheel_entries(Entry(name="demo/x.py", content=b"x"), add_to_record="demo/gone.py,,\n"))
    path = tmp_path / FILENAME
    path.write_bytes(body)
    (tmp_path / "tree").mkdir()
    with path.open("rb") as file, pytest.raises(InvalidWheel, match=r"gone\.py") as error:
        Unpacker(file.fileno(), str(tmp_path / "tree"), FILENAME, strict_record=True).finish(len(body))
    assert "--strict-record" in str(error.value.hint)


def test_strict_unpacking_hashes_large_files_of_vouched_wheels_too(tmp_path: Path) -> None:
    large = Entry(name="demo/large", content=NOISE[: 1 << 17])
    entries = wheel_entries(large)
    record = entries[-1].content.decode().splitlines(keepends=True)
    entries[-1].content = "".join([f"demo/large,sha256={'A' * 43},{1 << 17}\n", *record[1:]]).encode()
    body = archive(entries)
    path = tmp_path / FILENAME
    path.write_bytes(body)
    (tmp_path / "tree").mkdir()
    with path.open("rb") as file, pytest.raises(InvalidWheel, match="demo/large"):
        Unpacker(file.fileno(), str(tmp_path / "tree"), FILENAME, vouched=True, strict_record=True).finish(len(body))


def test_truncated_wheel_is_always_refused(unpack: Unpacking) -> None:
    body = wheel(*plain_entries())
    for length in range(len(body)):
        with pytest.raises(InvalidWheel):
            unpack(body[:length], [length // 2] if length % 2 else ())


def test_no_flipped_byte_changes_a_file_unnoticed(unpack: Unpacking) -> None:
    body = wheel(Entry(name="demo/code.py", content=b"x = 1\n" * 9), Entry(name="demo/s", content=b"abc", method=0))
    expected = [(file.path, file.sha256) for file in unpack(body).manifest.files]
    for place in range(len(body)):
        for flip in (0x01, 0x80, 0xFF):
            changed = body[:place] + bytes([body[place] ^ flip]) + body[place + 1 :]
            try:
                result = unpack(changed, [place])
            except InvalidWheel:
                continue
            assert [(file.path, file.sha256) for file in result.manifest.files] == expected, place


def test_file_that_ends_before_its_announced_length_is_refused(tmp_path: Path) -> None:
    body = wheel()
    path = tmp_path / "short.whl"
    path.write_bytes(body)
    tree = tmp_path / "tree"
    tree.mkdir()
    with path.open("rb") as file, pytest.raises(InvalidWheel, match="end"):
        Unpacker(file.fileno(), str(tree), FILENAME).finish(len(body) + 10)
