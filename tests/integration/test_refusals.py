"""What is wrong is named, and nothing changes: not the environment, not what is beside it, not the store."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.conftest import NewTarget
from tests.support.index import Fault, Index
from tests.support.tool import Target, Tool
from tests.support.trees import leftovers, published, snapshot
from tests.support.wheels import SYMLINK_MODE, Member, Wheel, make_wheel, pack

OLD, NEW = make_wheel("good", "1.0"), make_wheel("good", "2.0")
BAD = make_wheel("bad", "1.0")
OTHER_HASH = "0" * 64


def with_member(name: str, *, mode: int = 0o100644, content: bytes = b"") -> Wheel:
    return make_wheel("bad", "1.0", members=[Member(name=name, content=content, mode=mode)])


def replaced(content: bytes) -> Wheel:
    return Wheel(name="bad", version="1.0", filename=BAD.filename, content=content)


def damaged_member() -> Wheel:
    """A stored member whose bytes are not what the CRC says; the hash of the archive is right."""
    wheel = make_wheel("bad", "1.0", {"bad.py": "MARKER = 1\n"}, compress=False)
    return replaced(wheel.content.replace(b"MARKER = 1\n\x50", b"MARKER = 2\n\x50", 1))


WRONG_WHEELS: dict[str, tuple[Wheel, str]] = {
    "climbs": (with_member("../evil.py"), "evil.py"),
    "climbs-inside": (with_member("bad/../../evil.py"), "evil.py"),
    "absolute": (with_member("/tmp/evil.py"), "evil.py"),
    "backslash": (with_member("bad\\evil.py"), "backslash"),
    "drive": (with_member("C:/evil.py"), "drive"),
    "neighbour": (with_member("../site-packages-evil/x.py"), "site-packages-evil"),
    "symlink": (with_member("bad/link.py", mode=SYMLINK_MODE, content=b"/etc/passwd"), "link.py"),
    "fifo": (with_member("bad/pipe", mode=0o010644), "pipe"),
    "control-character": (with_member("bad/\x1b[31m.py"), "U+001B"),
    "data-climbs": (with_member("bad-1.0.data/purelib/../../evil.py"), "evil.py"),
    "data-interpreter": (with_member("bad-1.0.data/data/bin/python3"), "python3"),
    "data-unknown": (with_member("bad-1.0.data/nowhere/x.py"), "nowhere"),
    "data-configuration": (with_member("bad-1.0.data/data/pyvenv.cfg"), "pyvenv.cfg"),
    "file-and-folder": (make_wheel("bad", "1.0", {"bad": "", "bad/x.py": ""}), "bad"),
    "two-with-one-name": (
        make_wheel("bad", "1.0", {"bad.py": "1"}, members=[Member(name="bad.py", content=b"2")]),
        "bad.py",
    ),
    "no-zip": (replaced(b"this is no archive" * 40), "bad-1.0"),
    "empty": (replaced(b""), "bad-1.0"),
    "half": (replaced(BAD.content[: len(BAD.content) // 2]), "bad-1.0"),
    "trailing-bytes": (replaced(BAD.content + b"more"), "bad-1.0"),
    "leading-bytes": (replaced(b"#!/bin/sh\n" + BAD.content), "bad-1.0"),
    "wrong-crc": (damaged_member(), "bad.py"),
    "no-metadata": (replaced(pack([Member(name="bad.py")])), "dist-info"),
    "other-project": (replaced(make_wheel("other", "1.0").content), "other"),
    "entry-point-climbs": (make_wheel("bad", "1.0", console_scripts=["../evil = bad:main"]), "evil"),
    "entry-point-is-code": (make_wheel("bad", "1.0", console_scripts=["x = os:system('id')"]), "system"),
    "other-wheel-version": (make_wheel("bad", "1.0", wheel_version="2.0"), "2.0"),
}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, pristine: Target) -> Target:
    """An environment with one distribution; tests copy it."""
    folder = tmp_path_factory.mktemp("template")
    index = Index()
    index.add(OLD)
    tool = Tool(folder, index.url)
    target = pristine.copy_to(folder / "env")
    run = tool.sync(tool.write_lock(OLD.pin), target)
    index.close()
    assert run.code == 0, run.err
    return target


@pytest.fixture
def used(index: Index, tmp_path: Path, template: Target) -> Target:
    """An environment with one distribution; the lock that fails would replace it."""
    index.add(OLD, NEW)
    target = template.copy_to(tmp_path / "targets" / "env")
    decoy = target.prefix.parent / "site-packages-evil"
    decoy.mkdir()
    (decoy / "decoy.py").write_text("decoy\n")
    return target


Refused = Callable[..., str]


@pytest.fixture
def refused(tool: Tool, used: Target) -> Refused:
    """Syncs lines that must fail; returns what was said, after checking that nothing else happened."""

    def run(*lines: str, code: int = 1, allowed: tuple[Wheel, ...] = (OLD, NEW)) -> str:
        ground = used.prefix.parent
        before = snapshot(ground)
        # Where one line has a hash all need one.
        new = NEW.pin if "--hash" not in "".join(lines) else f"{NEW.pin} --hash=sha256:{NEW.sha256}"
        outcome = tool.sync(tool.write_lock(new, *lines), used)
        assert outcome.code == code, outcome.err
        assert "error: " in outcome.err and "Traceback" not in outcome.err and outcome.out == ""
        assert snapshot(ground) == before
        assert published(tool.cache) <= {wheel.sha256 for wheel in allowed}
        assert leftovers(tool.cache) == []
        return outcome.err

    return run


@pytest.mark.parametrize("name", WRONG_WHEELS)
def test_a_wrong_wheel_is_refused_by_name(name: str, index: Index, refused: Refused) -> None:
    wheel, word = WRONG_WHEELS[name]
    index.add(wheel)
    said = refused("bad==1.0")
    assert "bad-1.0-py3-none-any.whl" in said and "lock.txt:2" in said
    assert word in said
    assert "\x1b" not in said


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("bad", "bad"),
        ("bad>=1.0", ">=1.0"),
        ("bad==1.*", "1.*"),
        ("bad @ https://example.com/bad-1.0.tar.gz", "bad"),
        ("bad @ git+https://example.com/bad", "version control"),
        ("-e ./bad", "-e"),
        ("./bad-1.0.zip", "bad"),
        ("./missing-1.0-py3-none-any.whl", "missing-1.0-py3-none-any.whl"),
        ("bad==1.0 --hash=md5:00000000000000000000000000000000", "md5"),
        ("bad==1.0 --hash=sha256:00", "sha256"),
        ("!!!", "!!!"),
        ("good==1.0", "good"),
    ],
)
def test_a_line_that_pins_nothing_is_a_mistake_in_the_lock(
    line: str, word: str, index: Index, refused: Refused
) -> None:
    index.add(BAD)
    said = refused(line, code=2)
    assert "lock.txt:2" in said and word in said
    assert not any(path.startswith("/files/") for path in index.requests)


def test_every_wrong_line_is_named_at_once(refused: Refused) -> None:
    said = refused("first", "second>2", code=2)
    assert "lock.txt:2" in said and "lock.txt:3" in said


def test_a_release_without_a_wheel_is_refused(index: Index, refused: Refused) -> None:
    index.add_file("bad", "bad-1.0.tar.gz", b"source", {"filename": "bad-1.0.tar.gz", "url": "/files/bad-1.0.tar.gz"})
    said = refused("bad==1.0")
    assert "lock.txt:2" in said and "bad-1.0.tar.gz" in said
    assert "/files/bad-1.0.tar.gz" not in index.requests


def test_a_missing_project_is_named(refused: Refused) -> None:
    said = refused("bad==1.0")
    assert "lock.txt:2" in said and "bad" in said


def test_a_missing_release_is_named_with_its_neighbours(index: Index, refused: Refused) -> None:
    index.add(BAD)
    said = refused("bad==7.0")
    assert "lock.txt:2" in said and "bad==7.0" in said and "1.0" in said


def test_another_platform_is_named(index: Index, refused: Refused) -> None:
    index.add(make_wheel("bad", "1.0", tag="cp27-cp27m-win32"))
    said = refused("bad==1.0")
    assert "lock.txt:2" in said and "cp27-cp27m-win32" in said


def test_another_python_is_named(index: Index, refused: Refused) -> None:
    index.add(make_wheel("bad", "1.0", requires_python=">=99"))
    assert "lock.txt:2: bad==1.0 cannot be installed: it needs Python >=99" in refused("bad==1.0")


def test_a_hash_that_the_lock_does_not_list_is_refused_before_the_download(index: Index, refused: Refused) -> None:
    index.add(BAD)
    said = refused(f"bad==1.0 --hash=sha256:{OTHER_HASH}")
    assert "lock.txt:2" in said and BAD.filename in said
    assert f"/files/{BAD.filename}" not in index.requests


def test_a_file_that_is_not_what_the_lock_lists_is_refused(index: Index, refused: Refused) -> None:
    index.add(BAD, hashes=None)
    said = refused(f"bad==1.0 --hash=sha256:{OTHER_HASH}")
    assert "lock.txt:2" in said and BAD.filename in said and BAD.sha256 in said


def test_a_file_that_is_not_what_the_page_promises_is_refused(index: Index, refused: Refused) -> None:
    index.add(BAD, hashes={"sha256": OTHER_HASH})
    said = refused("bad==1.0")
    assert "lock.txt:2" in said and BAD.filename in said and OTHER_HASH in said


@pytest.mark.parametrize("difference", [1, -1])
def test_a_file_of_another_size_is_refused(difference: int, index: Index, refused: Refused) -> None:
    index.add(BAD, size=len(BAD.content) + difference)
    said = refused("bad==1.0")
    assert "lock.txt:2" in said and BAD.filename in said and str(len(BAD.content)) in said


def test_a_body_longer_than_its_size_is_refused_without_a_content_length(index: Index, refused: Refused) -> None:
    index.add(BAD, size=100)
    index.fault(f"/files/{BAD.filename}", Fault(headers={"Content-Length": "", "Connection": "close"}))
    assert "lock.txt:2" in refused("bad==1.0")


def test_a_download_that_always_breaks_off_is_given_up(index: Index, refused: Refused) -> None:
    index.add(BAD)
    index.fault(f"/files/{BAD.filename}", Fault(cut_after_bytes=100))
    said = refused("bad==1.0")
    assert "lock.txt:2" in said and BAD.filename in said
    assert index.requests.count(f"/files/{BAD.filename}") > 1


def test_a_wheel_that_the_server_forbids_is_named(index: Index, refused: Refused) -> None:
    index.add(BAD)
    index.fault(f"/files/{BAD.filename}", Fault(status=403))
    said = refused("bad==1.0")
    assert "lock.txt:2" in said and BAD.filename in said and "403" in said


def test_a_quarantined_project_is_refused(index: Index, refused: Refused) -> None:
    index.add(BAD)
    page = b'{"meta": {"api-version": "1.4"}, "name": "bad", "files": [], "project-status": {"status": "quarantined"}}'
    index.fault("/simple/bad/", Fault(body=page))
    assert "quarantined" in refused("bad==1.0")


def test_a_lock_that_is_not_there_is_a_mistake(tool: Tool, target: Target) -> None:
    before = target.tree()
    outcome = tool.sync(tool.folder / "missing.txt", target)
    assert outcome.code == 2
    assert "missing.txt" in outcome.err
    assert target.tree() == before


def test_an_unknown_option_is_a_mistake(tool: Tool, target: Target) -> None:
    outcome = tool.sync(tool.write_lock(), target, options=["--no-such-option"])
    assert outcome.code == 2
    assert "--no-such-option" in outcome.err


@pytest.mark.parametrize("broken", ["missing", "no-configuration", "no-interpreter"])
def test_a_broken_environment_is_named(broken: str, tool: Tool, index: Index, new_target: NewTarget) -> None:
    index.add(OLD)
    target = new_target(broken)
    if broken == "missing":
        target.prefix.rename(target.prefix.with_name("elsewhere"))
    elif broken == "no-configuration":
        (target.prefix / "pyvenv.cfg").unlink()
        for name in ("python", "python3"):
            (target.prefix / "bin" / name).unlink()
    else:
        for path in (target.prefix / "bin").glob("python*"):
            path.unlink()
    before = snapshot(target.prefix.parent)
    outcome = tool.sync(tool.write_lock(OLD.pin), target)
    assert outcome.code == 1
    assert str(target.prefix) in outcome.err and "Traceback" not in outcome.err
    assert snapshot(target.prefix.parent) == before
    assert index.requests == []


def test_a_distribution_without_a_record_is_not_replaced(index: Index, refused: Refused, used: Target) -> None:
    index.add(BAD)
    legacy = used.site / "bad-0.5.egg-info"
    legacy.mkdir()
    (legacy / "PKG-INFO").write_text("Name: bad\nVersion: 0.5\n")
    said = refused("bad==1.0", allowed=(OLD, NEW, BAD))
    assert "bad" in said and "0.5" in said


def test_credentials_are_never_printed(index: Index, tool: Tool, target: Target, tmp_path: Path) -> None:
    tool.index_url = index.url.replace("http://", "http://someone:secret-word@")
    index.add(BAD)
    index.fault(f"/files/{BAD.filename}", Fault(status=403))
    for line in ("bad==1.0", "bad==7.0", "missing==1.0"):
        outcome = tool.sync(tool.write_lock(line), target)
        assert outcome.code == 1
        assert "secret-word" not in outcome.err + outcome.out
    stored = [path.read_bytes() for path in tool.cache.rglob("*") if path.is_file()]
    assert stored and not any(b"secret-word" in content for content in stored)
