"""Under which key the cache notes what a wheel turned out to be that nobody has promised by sha256."""

import os
from pathlib import Path

from engine.chosen import Chosen
from engine.supply import pointer_key

NAME = "demo-1.0-py3-none-any.whl"


def choice(url: str = f"https://example.com/{NAME}", **promised: str) -> Chosen:
    return Chosen(url, NAME, None, None, promised, ())


def test_one_wheel_has_one_key_whoever_asks_for_it() -> None:
    keys = {pointer_key(choice(f"https://{user}@example.com/{NAME}")) for user in ("user:secret", "user:new", "token")}
    assert len(keys) == 1
    assert len(keys.pop()) == 64


def test_what_an_index_promises_counts_but_not_its_order() -> None:
    keys = {
        pointer_key(choice()),
        pointer_key(choice(md5="1")),
        pointer_key(choice(md5="2")),
        pointer_key(choice(md5="1", sha512="3")),
    }
    assert len(keys) == 4
    assert pointer_key(choice(md5="1", sha512="3")) == pointer_key(choice(sha512="3", md5="1"))


def test_a_file_here_that_is_written_anew_has_another_key(tmp_path: Path) -> None:
    wheel = tmp_path / NAME
    keys = {pointer_key(choice(wheel.as_uri()))}
    for content, mtime_ns in ((b"one", 1), (b"two", 2), (b"longer", 2)):
        wheel.write_bytes(content)
        os.utime(wheel, ns=(mtime_ns, mtime_ns))
        keys.add(pointer_key(choice(wheel.as_uri())))
    assert len(keys) == 4
