"""A file that a URL names is copied in pieces, bounded, and from this host alone."""

import asyncio
from pathlib import Path

import pytest

from engine.errors import ConfigurationError, EngineError, IndexUnavailable, InstallFailed, SizeMismatch
from engine.local import PIECE_BYTES, copy_local, file_url, local_path


def copy(url: str, target: Path, expected_bytes: int | None = None) -> tuple[int, list[int]]:
    seen: list[int] = []

    async def on_disk(available: int) -> None:
        assert target.stat().st_size == available
        seen.append(available)

    received: list[int] = []
    total = asyncio.run(
        copy_local(url, str(target), expected_bytes=expected_bytes, on_disk=on_disk, received=received.append)
    )
    assert sum(received) == total
    return total, seen


@pytest.mark.parametrize("name", ["plain.whl", "a b#c?d%20e.whl", "é.whl"])
def test_a_path_survives_the_way_through_a_url(name: str, tmp_path: Path) -> None:
    url = file_url(str(tmp_path / name))
    assert url.startswith("file:///") and url.isascii()
    assert local_path(url) == str(tmp_path / name)
    assert local_path(f"{url}#sha256=1") == str(tmp_path / name)


def test_this_host_may_be_named_and_no_other() -> None:
    assert local_path("file://localhost/srv/x") == local_path("file:/srv/x") == local_path("file:///srv/x")
    with pytest.raises(ConfigurationError, match="another host"):
        local_path("file://example.com/srv/x")


def test_a_file_is_copied_in_pieces_for_our_eyes_only(tmp_path: Path) -> None:
    content = bytes(range(256)) * (PIECE_BYTES // 128) + b"end"
    (tmp_path / "source").write_bytes(content)
    assert copy(file_url(str(tmp_path / "source")), tmp_path / "copy", len(content)) == (
        len(content),
        [PIECE_BYTES, 2 * PIECE_BYTES, len(content)],
    )
    assert (tmp_path / "copy").read_bytes() == content
    assert (tmp_path / "copy").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("expected", [2, 4, 0])
def test_another_size_than_promised_is_refused(expected: int, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"abc")
    with pytest.raises(SizeMismatch, match=f"has 3 bytes, {expected} were promised"):
        copy(file_url(str(tmp_path / "source")), tmp_path / "copy", expected)


@pytest.mark.parametrize(
    ("source", "target", "error"),
    [("none", "copy", IndexUnavailable), ("", "copy", IndexUnavailable), ("source", "none/copy", InstallFailed)],
)
def test_what_cannot_be_read_or_written_is_named(
    source: str, target: str, error: type[EngineError], tmp_path: Path
) -> None:
    (tmp_path / "source").write_bytes(b"abc")
    with pytest.raises(error, match=str(tmp_path)):
        copy(file_url(str(tmp_path / source)), tmp_path / target)
