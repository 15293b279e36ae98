"""The files of a lock as bytes, and the conditions under which a stored answer holds."""

import os
from pathlib import Path

import pytest

from engine.errors import ConfigurationError
from engine.inputs import LockInput, conditions_hold, digest_of, is_pylock, place_of, read_input, read_inputs
from engine.light_sha256 import sha256
from engine.local import file_url


def no_fetch(url: str) -> tuple[str, bytes]:
    raise AssertionError(url)


def hash_of(content: bytes) -> str:
    digest: str = sha256(content).hexdigest()
    return digest


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("pylock.toml", True),
        ("pylock.dev.toml", True),
        ("pylock.a.b.toml", False),
        ("pylock..toml", False),
        ("pylocktoml", False),
        ("my-pylock.toml", False),
        ("pylock.txt", False),
        ("Pylock.toml", False),
    ],
)
def test_the_name_tells_a_pylock(name: str, verdict: bool) -> None:
    assert is_pylock(name) == verdict


def test_a_file_knows_its_folder_and_its_name_as_it_was_given(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.txt").write_bytes(b"x")
    for name in ("sub/a.txt", str(tmp_path / "sub" / "a.txt"), file_url(str(tmp_path / "sub" / "a.txt"))):
        one = read_input(name, str(tmp_path), no_fetch)
        assert (one.source, one.body, one.folder, one.name) == (name, b"x", str(tmp_path / "sub"), "a.txt")


def test_a_web_address_is_fetched_and_named_without_its_secret(tmp_path: Path) -> None:
    one = read_input("HTTPS://u:secret@example.com/x", str(tmp_path), lambda url: (f"{url}/pylock.toml?x#y", b"body"))
    assert "secret" not in one.source and one.body == b"body" and one.is_pylock and one.folder == str(tmp_path)


@pytest.mark.parametrize("name", ["none.txt", ".", "a\0b"])
def test_what_cannot_be_read_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot read the lock"):
        read_input(name, str(tmp_path), no_fetch)


def test_constraints_are_marked(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"")
    assert [one.constrains for one in read_inputs(["a"], ["b"], str(tmp_path), no_fetch)] == [False, True]


def inputs(folder: Path) -> list[LockInput]:
    return [LockInput("lock.txt", b"", folder=str(folder), path=str(folder / "lock.txt"))]


def test_nothing_that_changed_is_forgiven(tmp_path: Path) -> None:
    (tmp_path / "more.txt").write_bytes(b"one")
    (tmp_path / "a.whl").write_bytes(b"1234")
    os.utime(tmp_path / "a.whl", ns=(1, 1))
    environ = {"A": "1", "B": "2"}
    place = place_of(inputs(tmp_path), "/cwd")
    files = (("more.txt", hash_of(b"one"), 0, 0), (str(tmp_path / "a.whl"), "", 4, 1))
    conditions = (place, files, ("A", "B"), digest_of(("A", "B"), environ))

    def hold(cwd: str = "/cwd", environ: dict[str, str] = environ) -> bool:
        return conditions_hold(conditions, inputs(tmp_path), cwd, environ)

    assert hold() and hold(environ={**environ, "C": "3"})
    assert not hold(cwd="/other")
    assert not hold(environ={"A": "1"}) and not hold(environ={"A": "1", "B": "3"})
    (tmp_path / "more.txt").write_bytes(b"two")
    assert not hold()
    (tmp_path / "more.txt").unlink()
    assert not hold()
    (tmp_path / "more.txt").write_bytes(b"one")
    assert hold()
    os.utime(tmp_path / "a.whl", ns=(1, 2))
    assert not hold()


def test_included_files_are_found_from_the_lock(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "more.txt").write_bytes(b"one")
    conditions = ("", (("more.txt", hash_of(b"one"), 0, 0),), (), "")
    assert conditions_hold(conditions, inputs(tmp_path / "b"), "/anywhere", {})
    (tmp_path / "b" / "more.txt").write_bytes(b"two")
    assert not conditions_hold(conditions, inputs(tmp_path / "b"), "/anywhere", {})


@pytest.mark.parametrize("name", ["ftp://u:sekret@example.com/r.txt", "u:sekret@example.com/r.txt"])
def test_what_cannot_be_fetched_is_named_without_its_password(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_inputs([name], [], str(tmp_path), lambda url: (url, b""))
    assert "example.com" in str(caught.value) and "sekret" not in str(caught.value)
    assert ("only http: and https:" in str(caught.value)) == ("://" in name)
