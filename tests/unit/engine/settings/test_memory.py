"""The memory of settings files."""

import os
from pathlib import Path

import pytest

from engine.errors import InvalidSettings
from engine.settings.memory import Memory


def recall(data: bytes, memory: Path, path: str = "/p/engine.toml", kind: str = "engine") -> object:
    found = Memory(str(memory))
    layer = found.read(path, data, kind)
    found.keep()
    return None if layer is None else layer.fields()


def records(memory: Path) -> list[Path]:
    return sorted(memory.iterdir())


def test_a_file_that_was_read_is_answered_from_its_record(tmp_path: Path) -> None:
    memory = tmp_path / "cache" / "settings-v1"
    data = b"offline = true\n[[index]]\nurl = 'https://example.com/'\nname = 'a'\n[sources]\nx = {index = 'a'}\n"
    first = recall(data, memory)
    (record,) = records(memory)
    assert recall(data, memory) == first and len(records(memory)) == 1
    # The record is what answers: another file's in its place is believed.
    recall(b"offline = false", memory)
    (other,) = {*records(memory)} - {record}
    os.replace(other, record)
    assert recall(data, memory) == recall(b"offline = false", memory) != first


def test_path_content_and_kind_each_have_a_record(tmp_path: Path) -> None:
    memory = tmp_path / "settings-v1"
    recall(b"", memory)
    recall(b"#", memory)
    recall(b"", memory, path="/q/engine.toml")
    recall(b"", memory, kind="pyproject")
    recall(b"", memory, kind="global")
    assert len(records(memory)) == 5


def test_a_file_without_our_table_is_remembered_as_such(tmp_path: Path) -> None:
    memory = tmp_path / "settings-v1"
    for _ in range(2):
        assert recall(b'[project]\nname = "engine"\n', memory, kind="pyproject") is None
    assert len(records(memory)) == 1


@pytest.mark.parametrize("damage", [b"", b"torn", None])
def test_a_damaged_record_is_a_miss(tmp_path: Path, damage: bytes | None) -> None:
    memory = tmp_path / "settings-v1"
    first = recall(b"offline = true", memory)
    (record,) = records(memory)
    record.write_bytes(record.read_bytes()[:-1] if damage is None else damage)
    assert recall(b"offline = true", memory) == first


def test_a_wrong_file_is_not_remembered(tmp_path: Path) -> None:
    memory = tmp_path / "settings-v1"
    for _ in range(2):
        with pytest.raises(InvalidSettings):
            recall(b"nonsense = 1", memory)
    assert not memory.exists()


def test_no_secret_is_in_a_record_and_all_come_back(tmp_path: Path) -> None:
    memory = tmp_path / "settings-v1"
    data = (
        b"index-url = 'https://u:secret-1@example.com/'\nextra-index-url = ['a', 'https://u:secret-2@example.com/']\n"
        b"[[index]]\nurl = 'https://u:secret-3@example.com/'\nname = 'n'\n"
    )
    first = recall(data, memory)
    (record,) = records(memory)
    assert b"secret" not in record.read_bytes()
    os.utime(record, (1, 1))
    assert recall(data, memory) == first and "secret-3" in repr(first)
    assert record.stat().st_mtime == 1, "answered from the record"


def test_a_secret_that_the_file_spells_otherwise_is_not_remembered(tmp_path: Path) -> None:
    memory = tmp_path / "settings-v1"
    data = b'index-url = "https://u:secr\\u0065t@example.com/"'
    assert "secret" in repr(recall(data, memory))
    assert not memory.exists()


def test_nothing_is_written_until_the_run_has_ended(tmp_path: Path) -> None:
    found = Memory(str(tmp_path / "cache" / "settings-v1"))
    assert found.read("/p/engine.toml", b"offline = true", "engine") is not None
    assert not (tmp_path / "cache").exists()
    found.keep()
    assert (tmp_path / "cache" / "CACHEDIR.TAG").exists() and len(records(tmp_path / "cache" / "settings-v1")) == 1


def test_a_cache_that_cannot_be_written_only_costs_time(tmp_path: Path) -> None:
    (tmp_path / "settings-v1").write_text("")
    assert recall(b"offline = true", tmp_path / "settings-v1") is not None
    assert (tmp_path / "settings-v1").read_text() == ""
